#include "agent/reporter.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/log.h"
#include "protocol/frames.h"

namespace argosy::agent {
namespace {

constexpr int kTakeFileTries = 100;
constexpr std::chrono::milliseconds kTakeFilePause{10};
constexpr uint64_t kSequenceGap = 1'000'000;  // beyond whatever was sent since the heartbeat on disk

}  // namespace

Reporter::Reporter(Scheduler& loop, ThreadPool& files, const InstanceDirectory& directory,
                   const protocol::Assignment& assignment, const Clock* clock)
    : loop_(loop), files_(files), directory_(directory), clock_(clock) {
  report_.instance_id = assignment.instance_id;
  report_.owner_uid = assignment.owner_uid;
  report_.attempt = assignment.attempt;
}

void Reporter::Start(const AgentIdentity& identity) {
  // Durable, since after a power cut it says when the instance began.
  const Status queued = files_.Submit([path = directory_.identity(), text = identity.ToJson()] {
    if (const Status written = WriteFileDurably(path, text, 0600); !written.ok()) {
      Log(LogLevel::kError, "agent.json was not written", {{"error", written.error().message()}});
    }
  });
  Check(queued.ok(), "the first file of an agent finds its queue full");
  report_.phase_times.push_back({protocol::AgentPhase::kStarting, identity.started});
  Publish();
  Beat();
}

void Reporter::Beat() {
  WriteHeartbeat();
  beat_ = loop_.After(kHeartbeatPeriod, [this] { Beat(); });
}

void Reporter::WriteHeartbeat() {
  report_.heartbeat = clock_->Now();
  // When the disk lags the queue fills up, and a heartbeat that finds no room is simply late.
  (void)files_.Submit([this, path = directory_.report(), text = report_.ToJson()] {
    if (!TakeFile()) return;
    if (const Status written = WriteFileAtomically(path, text, 0600); !written.ok()) {
      Log(LogLevel::kWarning, "a heartbeat was not written", {{"error", written.error().message()}});
    }
    file_.store(FileState::kFree);
  });
}

void Reporter::Enter(protocol::AgentPhase phase) {
  if (report_.phase == phase || report_.outcome) return;
  report_.phase = phase;
  report_.phase_times.push_back({phase, clock_->Now()});
  Publish();
}

void Reporter::SetMetric(std::string_view name, double value) {
  name = name.substr(0, kMetricNameBytesMax);
  const Time now = clock_->Now();
  const auto it = std::find_if(report_.metrics.begin(), report_.metrics.end(),
                               [&](const protocol::MetricValue& metric) { return metric.name == name; });
  if (it != report_.metrics.end()) {
    it->value = value;
    it->timestamp = now;
  } else if (report_.metrics.size() < kMetricsMax) {
    report_.metrics.push_back({std::string(name), value, now});
  }
  ChangedSoon();
}

void Reporter::SetProgress(double fraction, std::string text) {
  report_.progress = std::clamp(fraction, 0.0, 1.0);
  report_.progress_text = std::move(text);
  ChangedSoon();
}

void Reporter::SetCheckpoint(protocol::StagedCheckpoint checkpoint) {
  report_.checkpoint = std::move(checkpoint);
  WriteHeartbeat();
  Publish();
}

void Reporter::SetGroupAddress(std::string address) {
  report_.group_address = std::move(address);
  Publish();
}

void Reporter::ChangedSoon() {
  if (change_ != 0) return;
  change_ = loop_.After(kChangePeriod, [this] {
    change_ = 0;
    Publish();
  });
}

void Reporter::Publish() {
  loop_.Cancel(change_);
  change_ = 0;
  ++report_.sequence;
  report_.heartbeat = clock_->Now();
  if (sender_) sender_(report_);
}

void Reporter::Finish(protocol::AgentOutcome outcome, std::function<void(Status)> done) {
  loop_.Cancel(beat_);
  loop_.Cancel(change_);
  change_ = 0;
  protocol::Report last = report_;
  last.phase = protocol::AgentPhase::kFinished;
  last.phase_times.push_back({last.phase, outcome.finished});
  last.heartbeat = outcome.finished;
  last.outcome = std::move(outcome);
  ++last.sequence;
  const auto write = [this, last = std::move(last), done = std::move(done)]() mutable {
    if (!TakeFile()) return;
    Status written = WriteFileDurably(directory_.report(), last.ToJson(), 0600);
    file_.store(written.ok() ? FileState::kFinal : FileState::kFree);
    loop_.Post([this, last = std::move(last), done = std::move(done), written = std::move(written)]() mutable {
      if (written.ok()) {
        report_ = std::move(last);
        if (sender_) sender_(report_);
      }
      done(std::move(written));
    });
  };
  // With the queue full (a disk that lags) the outcome waits for room.
  if (!files_.Submit(write).ok()) {
    loop_.After(kChangePeriod, [this, write] { Check(files_.Submit(write).ok(), "the disk hangs"); });
  }
}

bool Reporter::TakeFile() {
  FileState expected = FileState::kFree;
  return file_.compare_exchange_strong(expected, FileState::kBusy);
}

Status Reporter::FinishAtOnce(protocol::AgentOutcome outcome) {
  // A heartbeat being written is let finish, unless it is the very thread that ran out of memory: then this goes ahead.
  for (int i = 0; i < kTakeFileTries && !TakeFile(); ++i) std::this_thread::sleep_for(kTakeFilePause);
  if (file_.exchange(FileState::kFinal) == FileState::kFinal) return {};
  const Result<std::string> text = ReadFile(directory_.report(), protocol::kReportBytesMax);
  Result<protocol::Report> last =
      text.ok() ? protocol::Report::FromJson(*text) : Result<protocol::Report>(text.error());
  if (!last.ok()) {
    last = protocol::Report();
    last->instance_id = report_.instance_id;
    last->owner_uid = report_.owner_uid;
    last->attempt = report_.attempt;
  }
  if (last->outcome) return {};
  last->phase = protocol::AgentPhase::kFinished;
  last->phase_times.push_back({last->phase, outcome.finished});
  last->heartbeat = outcome.finished;
  last->outcome = std::move(outcome);
  last->sequence += kSequenceGap;
  return WriteFileDurably(directory_.report(), last->ToJson(), 0600);
}

}  // namespace argosy::agent
