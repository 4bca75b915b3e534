#include "base/event_loop.h"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "base/sim_scheduler.h"
#include "base/thread_pool.h"

namespace argosy {
namespace {

TEST(EventLoop, PostedTasksRunInOrderAlsoFromOtherThreads) {
  EventLoop loop;
  std::vector<int> order;
  std::thread other([&] {
    for (int i = 0; i < 1000; ++i) loop.Post([&, i] { order.push_back(i); });
    loop.Post([&] { loop.Stop(); });
  });
  loop.Run();
  other.join();
  ASSERT_EQ(order.size(), 1000U);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(EventLoop, TimersRunInTheOrderOfTheirTimesAndCancelledOnesNot) {
  EventLoop loop;
  std::string order;
  loop.After(std::chrono::milliseconds(3), [&] {
    order += "c";
    loop.Stop();
  });
  loop.After(std::chrono::milliseconds(1), [&] { order += "a"; });
  const TimerId cancelled = loop.After(std::chrono::milliseconds(2), [&] { order += "x"; });
  loop.After(std::chrono::milliseconds(2), [&] { order += "b"; });
  loop.Cancel(cancelled);
  loop.Cancel(12345);
  loop.Run();
  EXPECT_EQ(order, "abc");
}

TEST(EventLoop, WhatIsDoneAtTheEndOfATurnComesAfterItsEvents) {
  EventLoop loop;
  std::string order;
  loop.Post([&] {
    loop.AtEndOfTurn([&] {
      order += "end";
      loop.Stop();
    });
    order += "event ";
  });
  loop.Post([&] { order += "event "; });
  loop.Run();
  EXPECT_EQ(order, "event event end");
}

// A handler that unwatches and closes another descriptor of the same turn: its event must not reach whoever gets the
// number next.
TEST(EventLoop, AnEventOfAClosedDescriptorReachesNobody) {
  EventLoop loop;
  int pairs[2][2];
  for (auto& pair : pairs) ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  struct Reader final : FdHandler {
    void OnEvents(uint32_t) override {
      ++events;
      then();
    }
    int events = 0;
    std::function<void()> then;
  };
  Reader first;
  Reader second;
  const auto close_other = [&](int other, Reader& reader) {
    loop.Unwatch(other);
    (void)reader;
    loop.Post([&] { loop.Stop(); });
  };
  first.then = [&] {
    close_other(pairs[1][0], second);
    loop.Unwatch(pairs[0][0]);
  };
  second.then = [&] {
    close_other(pairs[0][0], first);
    loop.Unwatch(pairs[1][0]);
  };
  ASSERT_TRUE(loop.Watch(pairs[0][0], EPOLLIN, &first).ok());
  ASSERT_TRUE(loop.Watch(pairs[1][0], EPOLLIN, &second).ok());
  for (auto& pair : pairs) ASSERT_EQ(write(pair[1], "x", 1), 1);
  loop.Run();
  EXPECT_EQ(first.events + second.events, 1);
  for (auto& pair : pairs) {
    close(pair[0]);
    close(pair[1]);
  }
}

TEST(ThreadPool, RefusesMoreThanItsQueueHoldsAndRunsTheRest) {
  std::atomic<int> ran{0};
  std::atomic<bool> go{false};
  {
    ThreadPool pool("test", 1, 2);
    std::atomic<bool> busy{false};
    ASSERT_TRUE(pool.Submit([&] {
                      busy = true;
                      busy.notify_one();
                      go.wait(false);
                      ++ran;
                    })
                    .ok());
    busy.wait(false);
    EXPECT_TRUE(pool.Submit([&] { ++ran; }).ok());
    EXPECT_TRUE(pool.Submit([&] { ++ran; }).ok());
    const Status refused = pool.Submit([&] { ++ran; });
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code(), ErrorCode::kResourceExhausted);
    go = true;
    go.notify_all();
  }
  EXPECT_EQ(ran, 3);
}

TEST(SimScheduler, AKilledProcessRunsNothingMore) {
  SimQueue queue(FromUnixMillis(0));
  std::string order;
  auto process = std::make_unique<SimProcess>(&queue);
  process->After(std::chrono::seconds(1), [&] { order += "a"; });
  process->After(std::chrono::seconds(3), [&] { order += "never"; });
  queue.At(FromUnixMillis(2000), [&] { process.reset(); });
  queue.RunUntil(FromUnixMillis(10'000));
  EXPECT_EQ(order, "a");
  EXPECT_EQ(queue.Now(), FromUnixMillis(10'000));
}

}  // namespace
}  // namespace argosy
