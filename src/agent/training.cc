#include "agent/training.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <new>

#include "agent/archive.h"
#include "agent/channels.h"
#include "agent/metric_extractor.h"
#include "base/bytes.h"

namespace argosy::agent {
namespace {

using protocol::AgentOutcome;
using protocol::AgentPhase;
using protocol::OutcomeKind;

// Takes what the algorithm tells to the agent, and looks for the job's own metrics in its log.
class ObserverAdapter final : public algorithms::TrainingObserver {
 public:
  ObserverAdapter(const TrainingContext& context, TrainingEvents& events)
      : context_(context), events_(events), extractor_(context.assignment->training->metric_definitions) {
    for (const std::string& complaint : extractor_.complaints()) events_.OnLogLine(complaint);
  }

  void OnLogLine(std::string_view line) override {
    events_.OnLogLine(line);
    if (!head()) return;
    for (const ExtractedMetric& metric : extractor_.Extract(line)) events_.OnMetric(metric.name, metric.value);
  }
  void OnMetric(std::string_view name, double value) override {
    if (std::isfinite(value) && head()) events_.OnMetric(name, value);
  }
  void OnProgress(double fraction, uint64_t rows) override {
    events_.OnProgress(fraction, fmt::format("{} rows read", rows));
  }
  // The file may be replaced at any time: what is to be published has a name of its own, and the one before it stays a
  // while for a server that is at it.
  void OnCheckpoint(const std::filesystem::path& file) override {
    const auto staged = [&](uint64_t number) {
      return "staging/checkpoint-" + std::to_string(number) + "-" + file.filename().string();
    };
    const std::filesystem::path root = context_.directory.root();
    ++checkpoints_;
    std::error_code error;
    std::filesystem::remove(root / staged(checkpoints_), error);
    std::filesystem::create_hard_link(file, root / staged(checkpoints_), error);
    if (error) std::filesystem::copy_file(file, root / staged(checkpoints_), error);
    if (error) {
      events_.OnLogLine("a checkpoint could not be staged: " + error.message());
      return;
    }
    events_.OnCheckpoint({checkpoints_, staged(checkpoints_), file.filename().string()});
    if (checkpoints_ > 2) std::filesystem::remove(root / staged(checkpoints_ - 2), error);
  }
  void OnStopAgreed() override { stop_agreed_ = true; }
  bool stop_agreed() const { return stop_agreed_; }
  bool StopRequested() const override { return context_.stop_requested->load(std::memory_order_relaxed); }

 private:
  // All hosts see the same metrics; the head's are the job's.
  bool head() const { return context_.assignment->host == 0; }

  const TrainingContext& context_;
  TrainingEvents& events_;
  MetricExtractor extractor_;
  uint64_t checkpoints_ = 0;
  bool stop_agreed_ = false;
};

Status MakeWorkDirectories(const InstanceDirectory& directory) {
  for (const std::filesystem::path& path : {directory.input_config(), directory.input_data(), directory.model(),
                                            directory.output_data(), directory.checkpoints(), directory.staging()}) {
    if (Status made = MakeDirectories(path); !made.ok()) return made;
  }
  return {};
}

// SageMaker's channel `model` holds the artifact to go on from: unpacked, and no channel of data any more.
Result<std::filesystem::path> TakeInitialModel(std::vector<algorithms::Channel>& channels,
                                               const InstanceDirectory& directory) {
  const auto at =
      std::find_if(channels.begin(), channels.end(), [](const auto& channel) { return channel.name == "model"; });
  if (at == channels.end()) return std::filesystem::path();
  const auto fault = [](const std::string& why) {
    return Error(ErrorCode::kInvalidArgument, "channel 'model': " + why);
  };
  if (at->files.size() != 1) {
    return fault("it has " + std::to_string(at->files.size()) + " objects where one model.tar.gz is expected");
  }
  const std::filesystem::path target = directory.root() / "initial-model";
  if (Status made = MakeDirectories(target); !made.ok()) return made.error();
  const Result<UniqueFd> archive = OpenFile(at->files.front().path, O_RDONLY);
  if (!archive.ok()) return archive.error();
  if (Status unpacked = UnpackArchive(archive->get(), target, {}); !unpacked.ok()) {
    return unpacked.error().code() == ErrorCode::kCorrupt || unpacked.error().code() == ErrorCode::kInvalidArgument
               ? fault(unpacked.error().message())
               : unpacked.error();
  }
  channels.erase(at);
  return target;
}

// Libraries below may throw; here is the edge where that becomes a value.
Status TrainGuarded(const algorithms::Algorithm& algorithm, const algorithms::TrainingRequest& request,
                    ObserverAdapter& observer, const protocol::Assignment& assignment) {
  try {
    return algorithm.Train(request, observer);
  } catch (const std::bad_alloc&) {
    return Error(ErrorCode::kResourceExhausted, OutOfMemoryReason(assignment, request.memory_bytes));
  } catch (const std::exception& e) {
    return Error(ErrorCode::kInternal, e.what());
  }
}

Result<std::string> Stage(const std::filesystem::path& from, const InstanceDirectory& directory, const char* name) {
  const Result<PackOutcome> packed = PackDirectory(from, directory.staging() / name);
  if (!packed.ok()) return packed.error();
  return *packed == PackOutcome::kPacked ? std::string("staging/") + name : std::string();
}

AgentOutcome Finished(OutcomeKind kind, Time now) {
  AgentOutcome outcome;
  outcome.kind = kind;
  outcome.finished = now;
  return outcome;
}

Result<AgentOutcome> Run(const TrainingContext& context, TrainingEvents& events) {
  const protocol::Assignment& assignment = *context.assignment;
  const catalog::TrainingJobSpec& spec = *assignment.training;
  const InstanceDirectory& directory = context.directory;

  if (!assignment.note.empty()) events.OnLogLine(assignment.note);
  events.OnPhase(AgentPhase::kDownloading);
  const algorithms::Algorithm* algorithm = context.find_algorithm(spec.training_image);
  if (algorithm == nullptr) {
    return Error(ErrorCode::kInvalidArgument, "Cannot find the image " + spec.training_image +
                                                  ": only images of built-in algorithms can be trained here");
  }
  if (Status valid = algorithm->Validate(spec.hyperparameters); !valid.ok()) return valid.error();
  if (Status made = MakeWorkDirectories(directory); !made.ok()) return made.error();
  const Hosts hosts{assignment.host, assignment.hosts};
  if (Status written = WriteInputConfig(spec, hosts, directory.input_config()); !written.ok()) return written.error();
  Result<std::vector<algorithms::Channel>> channels =
      PrepareChannels(spec.channels, hosts, directory.input_data(), *context.objects);
  if (!channels.ok()) return channels.error();
  Result<std::filesystem::path> initial = TakeInitialModel(*channels, directory);
  if (!initial.ok()) return initial.error();
  const bool head = assignment.host == 0;
  if (Status writable = CheckOutput(spec, *context.objects); !writable.ok()) return writable.error();
  if (!spec.checkpoint_uri.empty() && head) {
    if (Status restored = RestoreCheckpoints(spec, directory.checkpoints(), *context.objects); !restored.ok()) {
      return restored.error();
    }
  }
  if (context.stop_requested->load()) return Finished(OutcomeKind::kStopped, context.clock->Now());

  std::unique_ptr<collective::Group> group;
  if (assignment.hosts > 1) {
    events.OnLogLine(fmt::format("waiting for the other hosts of the training ({} of {} is this one)",
                                 catalog::HostName(assignment.host), assignment.hosts));
    auto joined = context.join_group();
    if (!joined.ok()) {
      if (context.stop_requested->load()) return Finished(OutcomeKind::kStopped, context.clock->Now());
      return joined.error();
    }
    group = std::move(*joined);
  }
  events.OnPhase(AgentPhase::kTraining);
  algorithms::TrainingRequest request;
  if (group != nullptr) request.group = group.get();
  request.hyperparameters = spec.hyperparameters;
  request.channels = std::move(*channels);
  request.initial_model = std::move(*initial);
  request.model_dir = directory.model();
  request.scratch_dir = directory.root();  // on the data directory's disk: the system's temporary one may be memory
  request.threads = std::max(1U, assignment.cpus);
  request.memory_bytes = assignment.memory_bytes;
  request.seed = kTrainingSeed;
  if (!spec.checkpoint_uri.empty() && head) request.checkpoint_dir = directory.checkpoints();
  ObserverAdapter observer(context, events);
  const Status trained = TrainGuarded(*algorithm, request, observer, assignment);
  const bool stopped = context.stop_requested->load() || observer.stop_agreed();
  if (group != nullptr) {
    const collective::Traffic& traffic = group->traffic();
    events.OnLogLine(fmt::format("between the hosts: {} rounds, {} bytes sent, {} bytes received", traffic.rounds,
                                 traffic.bytes_sent, traffic.bytes_received));
  }
  if (!trained.ok()) {
    if (trained.error().code() == ErrorCode::kCancelled && stopped) {
      return Finished(OutcomeKind::kStopped, context.clock->Now());
    }
    return trained.error();
  }

  events.OnPhase(AgentPhase::kUploading);
  // All hosts have the same model: the head's is the one to keep.
  Result<std::string> artifact = head ? Stage(directory.model(), directory, "model.tar.gz") : std::string();
  if (!artifact.ok()) return artifact.error();
  Result<std::string> output = Stage(directory.output_data(), directory, "output.tar.gz");
  if (!output.ok()) return output.error();
  AgentOutcome outcome = Finished(stopped ? OutcomeKind::kStopped : OutcomeKind::kSucceeded, context.clock->Now());
  outcome.staged_artifact = std::move(*artifact);
  outcome.staged_output = std::move(*output);
  return outcome;
}

AgentOutcome Failed(const Error& error, std::string_view end, Time now) {
  AgentOutcome outcome = Finished(OutcomeKind::kFailed, now);
  outcome.exit_code = 1;
  const std::string reason =
      (error.code() == ErrorCode::kInvalidArgument ? "ClientError: " : "AlgorithmError: ") + error.message();
  outcome.failure_reason = CutText(reason, kFailureReasonBytesMax - end.size()).append(end);
  return outcome;
}

}  // namespace

std::string CutText(std::string text, size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  text.resize(end);
  return text;
}

std::string OutOfMemoryReason(const protocol::Assignment& assignment, uint64_t limit) {
  if (limit == 0) return "out of memory";
  return fmt::format(
      "out of memory: the training needs more than the {} MiB that this instance ({}) was given; use a "
      "larger instance type or a machine with more memory",
      limit >> 20, assignment.instance_type);
}

AgentOutcome FailedTraining(const Error& error, Time now) {
  return Failed(error, error.code() == ErrorCode::kInvalidArgument ? "" : ", exit code: 1", now);
}

AgentOutcome FailedServing(const Error& error, Time now) {
  return Failed(error, "", now);
}

AgentOutcome RunTraining(const TrainingContext& context, TrainingEvents& events) {
  Result<AgentOutcome> outcome = Run(context, events);
  if (outcome.ok()) return std::move(*outcome);
  AgentOutcome failed = FailedTraining(outcome.error(), context.clock->Now());
  const bool lost = context.assignment->hosts > 1 && outcome.error().code() == ErrorCode::kUnavailable;
  if (lost) failed.kind = OutcomeKind::kLostGroup;
  events.OnLogLine(failed.failure_reason);
  // As a container leaves it for who looks into the instance; the outcome is what counts.
  (void)WriteFileAtomically(context.directory.failure(), outcome.error().message());
  return failed;
}

}  // namespace argosy::agent
