// argosy train DATA…: what is local is uploaded, what is not said is guessed, and the job is followed to its end.
#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "algorithms/guess.h"
#include "cost/instance_types.h"
#include "data/byte_source.h"
#include "data/input_file.h"
#include "main/api_client.h"
#include "main/file_start.h"
#include "main/format.h"
#include "main/job_view.h"
#include "main/json_access.h"
#include "main/label_search.h"
#include "main/log_reader.h"
#include "main/roles.h"
#include "main/sources.h"
#include "main/terminal.h"
#include "main/train_request.h"
#include "main/verbs.h"

namespace argosy::main {
namespace {

constexpr auto kPauseMin = std::chrono::milliseconds(30);
constexpr auto kPauseMax = std::chrono::milliseconds(500);
constexpr uint64_t kGuessBytesMax = 1 << 20;  // of an object: fetched in a moment, and thousands of rows
constexpr uint64_t kParquetBytesMax = 64 << 20;

struct ChannelData {
  std::string name;  // train, validation, test
  SourceSet set;
  std::string s3_uri;
};

// What is looked at before the data goes anywhere. A temporary copy goes with it.
struct Sample {
  ~Sample() {
    if (!temporary.empty()) unlink(temporary.c_str());
  }
  std::vector<data::InputFile> files;
  std::filesystem::path temporary;
  bool whole = true;  // no row is left out
};

Error NothingIn(const SourceSet& set) {
  const std::string first = set.files.empty() ? "" : set.files.front().path.string();
  return Error(ErrorCode::kInvalidArgument,
               set.files.size() == 1 ? fmt::format("'{}' is empty", first)
                                     : fmt::format("all {} files are empty, '{}' first", set.files.size(), first));
}

// All local files that are not empty, or the start of the first object under the prefix.
Status TakeSample(ApiClient& client, const SourceSet& set, Sample& sample) {
  for (const LocalFile& file : set.files) {
    if (file.size > 0) sample.files.emplace_back(file.path, file.name);
  }
  if (set.local()) return sample.files.empty() ? NothingIn(set) : Status();
  const Result<S3Location> where = ParseS3Location(set.s3_uri);
  if (!where.ok()) return where.error();
  const Result<std::vector<ListedObject>> objects = client.ListObjects(where->bucket, where->key);
  if (!objects.ok()) return objects.error();
  if (objects->empty()) return Error(ErrorCode::kNotFound, "there is no object with any content under " + set.s3_uri);
  const ListedObject& first = objects->front();
  Result<std::string> start = client.GetStart(where->bucket, first.key, kGuessBytesMax);
  if (!start.ok()) return start.error();
  size_t fetched = start->size();
  sample.temporary = std::filesystem::temp_directory_path() / fmt::format("argosy-guess-{}", getpid());
  if (Status written = WriteFileAtomically(sample.temporary, *start, 0600); !written.ok()) return written;
  if (first.size > start->size() && data::IsParquet(sample.temporary)) {  // its end tells what the columns are
    if (first.size > kParquetBytesMax) {
      return Error(
          ErrorCode::kInvalidArgument,
          fmt::format("s3://{}/{} is Parquet of {}: to guess from it, at most {} are fetched; train from the "
                      "file where it lies, or create the job through the API",
                      where->bucket, first.key, FormatByteCount(first.size), FormatByteCount(kParquetBytesMax)));
    }
    start = client.GetStart(where->bucket, first.key, kParquetBytesMax);
    if (!start.ok()) return start.error();
    fetched = start->size();
    if (Status written = WriteFileAtomically(sample.temporary, *start, 0600); !written.ok()) return written;
  } else if (first.size > start->size()) {
    start = WholeLinesOfStart(sample.temporary);
    if (!start.ok()) return start.error();
    if (Status written = WriteFileAtomically(sample.temporary, *start, 0600); !written.ok()) return written;
  }
  sample.files = {{sample.temporary, first.key}};
  sample.whole = objects->size() == 1 && first.size <= fetched;
  return {};
}

// kInvalidArgument when no row has the label that --positive or --negative names. A sample that is only the start of
// the data proves nothing: then it is said and training goes on.
Status CheckNamedLabel(const TrainArgs& args, const Sample& sample, const algorithms::Hyperparameters& all) {
  const std::string flag = args.positive.empty() ? "--negative" : "--positive";
  const std::string& label = args.positive.empty() ? args.negative : args.positive;
  if (label.empty()) return {};
  const Result<LabelSearch> search = FindLabel(sample.files, all, label);
  if (!search.ok()) return search.error();
  if (search->found) return {};
  const std::string message = fmt::format("{} {}: no row{} has that label; there are {}", flag, label,
                                          sample.whole ? "" : " in the first megabyte", NameLabels(*search));
  if (sample.whole) return Error(ErrorCode::kInvalidArgument, message);
  Note(message);
  return {};
}

// Given and guessed ones together.
Result<algorithms::Guess> Hyperparameters(ApiClient& client, const TrainArgs& args, algorithms::Hyperparameters given,
                                          const SourceSet& train) {
  algorithms::Guess all;
  if (algorithms::FindAlgorithm(args.algorithm) != nullptr) {
    Sample sample;
    if (Status taken = TakeSample(client, train, sample); !taken.ok()) return taken.error();
    Result<algorithms::Guess> guess =
        algorithms::InferHyperparameters(args.algorithm, sample.files.front(), {.given = given});
    if (!guess.ok()) return guess.error().Wrap("the data cannot be made out");
    for (const std::string& sentence : guess->sentences) Note("guessed: " + sentence);
    all = std::move(*guess);
    given.insert(all.hyperparameters.begin(), all.hyperparameters.end());
    if (Status known = CheckNamedLabel(args, sample, given); !known.ok()) return known.error();
    if (Status valid = algorithms::FindAlgorithm(args.algorithm)->Validate(given); !valid.ok()) return valid.error();
  }
  all.hyperparameters = std::move(given);
  return all;
}

Status UploadChannel(ApiClient& client, const std::string& bucket, ChannelData& channel) {
  if (!channel.set.local()) {
    channel.s3_uri = channel.set.s3_uri;
    return {};
  }
  const uint64_t total = channel.set.bytes();
  ProgressLine progress;
  const Result<Upload> upload = UploadFiles(client, bucket, channel.set, [&](uint64_t done) {
    progress.Show(fmt::format("uploading {}: {} of {}", channel.name, FormatByteCount(done), FormatByteCount(total)));
  });
  progress.Clear();
  if (!upload.ok()) return upload.error();
  channel.s3_uri = upload->s3_uri;
  Note(upload->bytes_sent > 0
           ? fmt::format("uploaded {} ({}) to {}", channel.name, FormatByteCount(total), channel.s3_uri)
           : fmt::format("{} is there already: {}", channel.name, channel.s3_uri));
  return {};
}

// What the server would refuse once everything has been uploaded.
Status CheckBeforeUpload(ApiClient& client, const TrainArgs& args) {
  if (algorithms::FindAlgorithm(args.algorithm) == nullptr && args.algorithm.find('/') == std::string::npos) {
    std::string names;
    for (const algorithms::Algorithm* known : algorithms::AllAlgorithms()) {
      names += (names.empty() ? "" : ", ") + std::string(known->name());
    }
    return Error(
        ErrorCode::kInvalidArgument,
        fmt::format("--algorithm {}: no built-in algorithm is called so; there are {}", args.algorithm, names));
  }
  if (!cost::FindInstanceType(args.instance_type)) {
    return Error(ErrorCode::kInvalidArgument,
                 fmt::format("--instance-type {}: there is no such type; ml.m5.xlarge is one, ml.c5.xlarge another",
                             args.instance_type));
  }
  if (args.name.empty()) return {};
  const Result<Json> described = client.SageMaker("DescribeTrainingJob", {{"TrainingJobName", args.name}});
  if (described.ok()) {
    return Error(ErrorCode::kAlreadyExists, fmt::format("--name {}: a training job has that name already", args.name));
  }
  if (described.error().code() == ErrorCode::kNotFound) return {};
  return described.error().Wrap("--name " + args.name);
}

// What is shown while a job runs: its state, and the newest metrics of its log.
class Follower {
 public:
  Follower(ApiClient* client, std::string name, Follow logs)
      : client_(client),
        name_(std::move(name)),
        logs_(logs),
        reader_(client, std::string(kTrainingLogGroup), name_ + "/"),
        begin_(clock_.Monotonic()) {}

  // The job once it has ended.
  Result<std::optional<Json>> Look() {
    Result<Json> described = client_->SageMaker("DescribeTrainingJob", {{"TrainingJobName", name_}});
    if (!described.ok()) return described.error();
    const JobView job = ReadJob(*described);
    const Result<std::vector<LogLine>> lines = reader_.Next();
    if (!lines.ok()) return lines.error();
    for (const LogLine& line : *lines) Take(line.message);
    log_seen_ = log_seen_ || !lines->empty();
    Show(job);
    if (!job.ended()) return std::optional<Json>();
    progress_.Clear();
    return std::optional<Json>(std::move(*described));
  }
  void Clear() { progress_.Clear(); }
  bool log_seen() const { return log_seen_; }

 private:
  void Take(const std::string& line) {
    if (logs_ == Follow::kFollow) {
      progress_.Clear();
      Note(line);
    }
    for (const auto& [name, value] : MetricsInLogLine(line)) metrics_[name] = value;
  }

  // Those worth a glance; the end shows all.
  std::string Metrics() const {
    std::string text;
    for (const auto& [name, value] : metrics_) {
      if (name == "epoch" || name.ends_with(" loss") ||
          (name.ends_with("_accuracy") && name.find("top_k") == std::string::npos)) {
        text += fmt::format("  {} {}", name, FormatNumber(value));
      }
    }
    return text;
  }

  void Show(const JobView& job) {
    const std::string state = job.message.empty() ? job.secondary_status : job.secondary_status + ": " + job.message;
    if (progress_.visible()) {
      progress_.Show(fmt::format("{}  {}{}", FormatDuration(clock_.Monotonic() - begin_), state, Metrics()));
      return;
    }
    if (logs_ == Follow::kFollow || state == shown_) return;
    Note(fmt::format("{}{}", state, Metrics()));
    shown_ = state;
  }

  ApiClient* const client_;
  const std::string name_;
  const Follow logs_;
  const SystemClock clock_;
  LogReader reader_;
  const Duration begin_;
  ProgressLine progress_;
  std::map<std::string, double> metrics_;
  std::string shown_;
  bool log_seen_ = false;
};

int FollowJob(ApiClient& client, const std::string& name, const TrainArgs& args) {
  InterruptGuard interrupt;
  Follower follower(&client, name, args.logs);
  for (Duration pause = kPauseMin;; pause = std::min<Duration>(pause * 3 / 2, kPauseMax)) {
    const Result<std::optional<Json>> ended = follower.Look();
    if (!ended.ok()) {
      Note(fmt::format("the job goes on; follow it with `argosy logs -f {}`", name));
      return Fail(ended.error());
    }
    if (*ended) {
      JobView job = ReadJob(**ended);
      if (const Result<bool> there = IsThere(client, job.artifact); there.ok() && !*there) job.artifact.clear();
      if (args.form == OutputForm::kJson) {
        PrintJson(JobJson(**ended));
      } else {
        Print(RenderJobEnd(job, OutputWidth()));
      }
      if (job.status == "Failed") {
        return FailWith(kExitFailed, follower.log_seen() ? fmt::format("{0} failed; its log: `argosy logs {0}`", name)
                                                         : name + " failed");
      }
      if (args.form == OutputForm::kTable && !job.artifact.empty())
        Note(fmt::format("serve it with `argosy deploy {}`", name));
      return kExitOk;
    }
    interrupt.Sleep(pause);
    if (interrupt.interrupted()) {
      follower.Clear();
      Note(fmt::format("the job goes on; follow it with `argosy logs -f {0}`, stop it with `argosy stop {0}`", name));
      return kExitInterrupted;
    }
  }
}

}  // namespace

int RunTrain(const Settings& settings, const TrainArgs& args) {
  const Options& options = settings.options;
  Result<algorithms::Hyperparameters> given = GivenHyperparameters(args);
  if (!given.ok()) return FailWith(kExitUsage, given.error().message());
  std::vector<ChannelData> channels;
  for (const auto& [name, sources] : {std::pair<std::string, const std::vector<std::string>&>{"train", args.sources},
                                      {"validation", args.validation},
                                      {"test", args.test}}) {
    if (sources.empty()) continue;
    Result<SourceSet> set = ExpandSources(sources);
    if (!set.ok()) return Fail(set.error());
    channels.push_back({name, std::move(*set), ""});
  }
  Result<ApiClient> client = ApiClient::Connect(options);
  if (!client.ok()) return Fail(client.error());
  if (Status valid = CheckBeforeUpload(*client, args); !valid.ok()) return Fail(valid.error());
  const Result<algorithms::Guess> hyperparameters =
      Hyperparameters(*client, args, std::move(*given), channels.front().set);
  if (!hyperparameters.ok()) return Fail(hyperparameters.error());
  for (ChannelData& channel : channels) {
    if (Status uploaded = UploadChannel(*client, options.default_bucket(), channel); !uploaded.ok()) {
      return Fail(uploaded.error());
    }
  }
  if (Status there = client->EnsureBucket(options.default_bucket()); !there.ok()) return Fail(there.error());

  TrainingRequestParts parts;
  parts.name = args.name.empty() ? MakeName(JobStem(args.sources), TimeSuffix(SystemClock().Now())) : args.name;
  parts.hyperparameters = hyperparameters->hyperparameters;
  parts.content_type = hyperparameters->content_type;
  for (const ChannelData& channel : channels) parts.channels.emplace_back(channel.name, channel.s3_uri);
  parts.output = fmt::format("s3://{}/argosy-models", options.default_bucket());
  parts.checkpoints = fmt::format("s3://{}/argosy-checkpoints/{}", options.default_bucket(), parts.name);
  const Json request = TrainingRequest(args, parts, options.region);
  const Result<Json> created = client->SageMaker("CreateTrainingJob", request);
  if (!created.ok()) return Fail(created.error());
  Note("training job " + parts.name);
  if (args.waiting == Waiting::kWait) return FollowJob(*client, parts.name, args);
  if (args.form == OutputForm::kJson) {
    PrintJson({{"TrainingJobName", parts.name}, {"TrainingJobArn", TextAt(*created, "TrainingJobArn")}});
  } else {
    Print(parts.name + "\n");
  }
  return kExitOk;
}

}  // namespace argosy::main
