// One host's share of a training job: channels in, the algorithm, the artifact staged, the outcome.
//
// Run blocks from start to end, on a thread of its own. What it tells on the way it tells through TrainingEvents, on
// its own thread; the caller takes it to its loop. Where the instance is in the end is the AgentOutcome: failure
// reasons are SageMaker's ("ClientError: …" what the user must mend, "AlgorithmError: …, exit code: 1" the rest).
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "agent/instance_directory.h"
#include "algorithms/algorithm.h"
#include "base/clock.h"
#include "objectstore/object_store.h"
#include "protocol/messages.h"

namespace argosy::agent {

inline constexpr size_t kFailureReasonBytesMax = 1024;  // as SageMaker's
inline constexpr uint64_t kTrainingSeed = 0;            // the same job gives the same artifact

// How an image name finds its algorithm: algorithms::FindAlgorithm, or a test's.
using AlgorithmFinder = std::function<const algorithms::Algorithm*(std::string_view image)>;

class TrainingEvents {
 public:
  virtual ~TrainingEvents() = default;
  virtual void OnPhase(protocol::AgentPhase phase) = 0;
  virtual void OnLogLine(std::string_view line) = 0;
  virtual void OnMetric(std::string_view name, double value) = 0;
  virtual void OnProgress(double fraction, std::string text) = 0;
  virtual void OnCheckpoint(protocol::StagedCheckpoint checkpoint) = 0;
};

// Brings the hosts of a training together: kUnavailable when they do not, kCancelled when told to stop meanwhile.
using GroupJoiner = std::function<Result<std::unique_ptr<collective::Group>>()>;

struct TrainingContext {
  const protocol::Assignment* assignment = nullptr;  // with `training`
  InstanceDirectory directory;
  objectstore::ObjectReader* objects = nullptr;
  AlgorithmFinder find_algorithm;
  const Clock* clock = nullptr;
  const std::atomic<bool>* stop_requested = nullptr;
  GroupJoiner join_group;  // for a training on several hosts
};

protocol::AgentOutcome RunTraining(const TrainingContext& context, TrainingEvents& events);

// The outcome of an instance that failed with `error`; a training's names the exit code that SageMaker's do.
protocol::AgentOutcome FailedTraining(const Error& error, Time now);
protocol::AgentOutcome FailedServing(const Error& error, Time now);

// What is written when memory has run out; `limit` 0 when no limit was set.
std::string OutOfMemoryReason(const protocol::Assignment& assignment, uint64_t limit);

// At most `bytes_max` bytes of UTF-8, cut between characters.
std::string CutText(std::string text, size_t bytes_max);

}  // namespace argosy::agent
