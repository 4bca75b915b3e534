#include "serving/queue_control.h"

#include <gtest/gtest.h>

#include <deque>

namespace argosy::serving {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// An instance that answers one request each `each`, asked at a steady rate.
struct Simulation {
  QueueControl control;
  Duration each;
  Duration now = seconds(1);
  Duration next_answer{};
  std::deque<Duration> with_it;  // when each of them came
  std::deque<Duration> waiting;
  size_t refused = 0;
  size_t answered = 0;
  Duration slowest{};  // of those answered since it was last set to zero

  explicit Simulation(Duration one, uint32_t concurrency) : each(one) { control.SetConcurrency(concurrency); }

  void Send() {
    if (with_it.empty()) next_answer = now + each;
    with_it.push_back(waiting.front());
    waiting.pop_front();
  }
  void Pump() {
    while (!waiting.empty() && with_it.size() < control.Window()) Send();
    control.OnQueue(now, waiting.size());
  }
  // As many clients as that, each of which asks again when it has its answer.
  void RunClients(Duration length, size_t clients) {
    const Duration end = now + length;
    for (size_t i = 0; i < clients; ++i) Ask();
    while (now < end && !with_it.empty()) {
      now = next_answer;
      slowest = std::max(slowest, now - with_it.front());
      with_it.pop_front();
      ++answered;
      next_answer = now + each;
      control.OnAnswers(now, 1, with_it.size());
      Pump();
      Ask();
    }
  }
  void Ask() {
    control.OnRequest(now);
    if (waiting.empty() && with_it.size() < control.Window()) {
      waiting.push_back(now);
      Send();
    } else if (control.Admits(now, waiting.size())) {
      waiting.push_back(now);
      control.OnQueue(now, waiting.size());
    } else {
      ++refused;
    }
  }
  void Run(Duration length, Duration between) {
    const Duration end = now + length;
    Duration next_request = now;
    while (now < end) {
      now = with_it.empty() ? next_request : std::min(next_request, next_answer);
      if (!with_it.empty() && now == next_answer) {
        slowest = std::max(slowest, now - with_it.front());
        with_it.pop_front();
        ++answered;
        next_answer = now + each;
        control.OnAnswers(now, 1, with_it.size());
        Pump();
      }
      if (now == next_request) {
        Ask();
        next_request = now + between;
      }
    }
  }
};

TEST(QueueControl, ABuiltInModelGetsAllAtOnce) {
  QueueControl control;
  EXPECT_EQ(control.Window(), kWindowRequestsMax);
}

TEST(QueueControl, AProgramGetsWhatItAnswersInAMoment) {
  QueueControl control;
  control.SetConcurrency(2);
  EXPECT_EQ(control.Window(), 4U) << "nothing is known of its speed";
  for (int i = 1; i < 200; ++i) control.OnAnswers(microseconds(100) * i, 1, 1);
  EXPECT_EQ(control.Window(), 100U) << "10 ms of 100 µs each";
  for (int i = 1; i < 200; ++i) control.OnAnswers(seconds(1) + seconds(1) * i, 1, 1);
  EXPECT_EQ(control.Window(), 4U);
}

TEST(QueueControl, TwiceTheLoadLeavesThoseAdmittedFast) {
  Simulation simulation(milliseconds(1), 2);
  simulation.Run(seconds(5), microseconds(500));
  simulation.slowest = Duration::zero();
  simulation.answered = simulation.refused = 0;
  simulation.Run(seconds(10), microseconds(500));
  EXPECT_LE(simulation.slowest, milliseconds(50));
  EXPECT_GE(simulation.answered, 9900U) << "the instance was not kept busy";
  EXPECT_NEAR(static_cast<double>(simulation.refused), 10'000, 200);
}

TEST(QueueControl, ClientsThatWaitForTheirAnswersAreNotRefused) {
  Simulation simulation(milliseconds(1), 2);
  simulation.RunClients(seconds(10), 200);
  EXPECT_EQ(simulation.refused, 0U);
  EXPECT_LE(simulation.slowest, milliseconds(250));
}

TEST(QueueControl, WhenTheOverloadIsOverNothingIsRefused) {
  Simulation simulation(milliseconds(1), 2);
  simulation.Run(seconds(5), microseconds(500));
  simulation.Run(seconds(2), milliseconds(2));
  simulation.refused = 0;
  simulation.Run(seconds(5), milliseconds(2));
  EXPECT_EQ(simulation.refused, 0U);
}

TEST(QueueControl, ABurstThatDrainsIsNotRefused) {
  Simulation simulation(milliseconds(1), 2);
  simulation.Run(seconds(2), milliseconds(2));  // half its capacity
  for (int i = 0; i < 500; ++i) simulation.Ask();
  simulation.Run(seconds(2), milliseconds(10));
  EXPECT_EQ(simulation.refused, 0U);
}

TEST(QueueControl, SlowModelsMayKeepAQueueForLonger) {
  Simulation simulation(milliseconds(500), 2);
  simulation.Run(seconds(5), seconds(2));
  for (int i = 0; i < 40; ++i) simulation.Ask();
  simulation.Run(seconds(24), seconds(30));
  EXPECT_EQ(simulation.refused, 0U) << "20 s of work for a burst are within the minute that a request has";
}

TEST(QueueControl, WhatCouldNotBeAnsweredInTimeIsRefusedAtOnce) {
  QueueControl control;
  control.SetConcurrency(1);
  for (int i = 1; i < 200; ++i) control.OnAnswers(seconds(i), 1, 1);
  EXPECT_TRUE(control.Admits(seconds(200), 59));
  EXPECT_FALSE(control.Admits(seconds(200), 61));
}

TEST(QueueControl, IdleTimeIsNoSlowness) {
  QueueControl control;
  control.SetConcurrency(1);
  for (int i = 1; i < 100; ++i) {
    control.OnAnswers(milliseconds(1000 * i), 1, 1);
    control.OnAnswers(milliseconds(1000 * i + 1), 1, 0);
  }
  EXPECT_EQ(control.Window(), 10U) << "a millisecond each";
}

}  // namespace
}  // namespace argosy::serving
