// A request on its way through one loop's router, and what is counted of its variant there.
#pragma once

#include <deque>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "serving/capture.h"
#include "serving/invocation.h"
#include "serving/load.h"

namespace argosy::serving {

struct VariantTally;

// SageMaker's for answers in parts: between two of them, and for all.
inline constexpr Duration kPartTimeout = std::chrono::seconds(60);
inline constexpr Duration kPartsTimeout = std::chrono::minutes(8);

// Ended exactly once, by Answer or Fail.
struct Pending {
  std::unique_ptr<Invocation> invocation;
  VariantTally* tally = nullptr;  // once a variant has been chosen; lives until the request has ended
  // On the loop's monotonic clock.
  Duration received{};
  Duration sent{};  // to an instance, the last time
  Duration deadline{};
  bool tried = false;  // was lost with one instance already

  void Answer(const protocol::AnswerView& answer, Duration now);
  // Of an answer in parts.
  void Part(const protocol::AnswerView& part, Duration now, std::function<void()> taken);
  void Fail(InvocationFailure failure, Duration now);

 private:
  void End();
  void Capture(const protocol::AnswerView& answer) const;
};

// Of one variant on one loop.
struct VariantTally {
  VariantName name;
  VariantCounts counts;  // since they were last handed over
  uint64_t open = 0;     // requests that have not ended
  bool routed = false;

  std::shared_ptr<const CapturePlan> capture;
  CaptureSink* capture_sink = nullptr;  // with `capture`
  const Clock* clock = nullptr;         // with `capture`
  SeededRandom sample{0};

  // Requests for which no instance is there at present, in the order they came.
  std::deque<Pending> waiting;
  size_t waiting_bytes = 0;
  Duration demand_told{};

  void Open() {
    ++open;
    if (open > counts.concurrent_max) counts.concurrent_max = open;
  }
};

}  // namespace argosy::serving
