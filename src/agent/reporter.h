// The agent's report: kept, written to its file at least once a second, and handed to the link when it has changed.
//
// The file is the truth that survives both sides: a heartbeat is an atomic rewrite, the outcome a durable one that is
// finished before anybody hears of it. All on the loop's thread; files are written on the one thread of `files`, so
// that they come in order and a slow disk does not hold up the loop.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>

#include "agent/instance_directory.h"
#include "base/clock.h"
#include "base/scheduler.h"
#include "base/thread_pool.h"
#include "protocol/messages.h"

namespace argosy::agent {

inline constexpr Duration kHeartbeatPeriod = std::chrono::milliseconds(500);  // half of what billing rests on
inline constexpr Duration kChangePeriod = std::chrono::milliseconds(100);  // metrics and progress: no faster than that
inline constexpr size_t kMetricsMax = 1000;                                // names; further ones are not reported
inline constexpr size_t kMetricNameBytesMax = 255;                         // SageMaker's bound

class Reporter {
 public:
  Reporter(Scheduler& loop, ThreadPool& files, const InstanceDirectory& directory,
           const protocol::Assignment& assignment, const Clock* clock);

  // Told of each new state worth sending; set before Start.
  void SetSender(std::function<void(const protocol::Report&)> sender) { sender_ = std::move(sender); }

  void Start(const AgentIdentity& identity);
  void Enter(protocol::AgentPhase phase);
  void SetMetric(std::string_view name, double value);
  void SetProgress(double fraction, std::string text);
  // Sent and written at once: it is what a next attempt goes on from.
  void SetCheckpoint(protocol::StagedCheckpoint checkpoint);
  // Sent at once: the others wait for it.
  void SetGroupAddress(std::string address);
  // The last change. `done` when the outcome is on disk for good; an error means that it is not.
  void Finish(protocol::AgentOutcome outcome, std::function<void(Status)> done);

  const protocol::Report& report() const { return report_; }

  // The outcome of a process that cannot wait for its loop (out of memory): added to the newest heartbeat on disk,
  // durably. Any thread; nothing is written after it.
  Status FinishAtOnce(protocol::AgentOutcome outcome);

 private:
  // The report's file has one writer at a time, and none after an outcome.
  enum class FileState { kFree, kBusy, kFinal };
  bool TakeFile();
  void Beat();
  void ChangedSoon();
  void Publish();
  void WriteHeartbeat();

  Scheduler& loop_;
  ThreadPool& files_;
  const InstanceDirectory directory_;
  const Clock* const clock_;
  protocol::Report report_;
  std::atomic<FileState> file_{FileState::kFree};
  std::function<void(const protocol::Report&)> sender_;
  TimerId beat_ = 0;
  TimerId change_ = 0;  // a change waits to be sent
};

}  // namespace argosy::agent
