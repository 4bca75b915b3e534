// argosy deploy MODEL: a model, an endpoint config and an endpoint made of a job or an artifact.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "main/api_client.h"
#include "main/artifact.h"
#include "main/endpoint_view.h"
#include "main/format.h"
#include "main/job_view.h"
#include "main/json_access.h"
#include "main/roles.h"
#include "main/sources.h"
#include "main/terminal.h"
#include "main/verbs.h"

namespace argosy::main {
namespace {

struct Artifact {
  std::string uri;  // s3://…/model.tar.gz
  std::string image;
  std::string stem;  // what the endpoint is called when nobody says
};

Result<Artifact> FromJob(ApiClient& client, const std::string& name) {
  const Result<Json> described = client.SageMaker("DescribeTrainingJob", {{"TrainingJobName", name}});
  if (!described.ok()) {
    if (described.error().code() != ErrorCode::kNotFound) return described.error();
    return Error(ErrorCode::kNotFound,
                 fmt::format("'{}' is neither a training job nor a file; `argosy jobs` lists the jobs", name));
  }
  const JobView job = ReadJob(*described);
  if (!job.ended()) {
    return Error(ErrorCode::kInvalidArgument,
                 fmt::format("the job {} has not ended yet; follow it with `argosy logs -f {}`", name, name));
  }
  const Result<bool> there = IsThere(client, job.artifact);
  if (!there.ok()) return there.error();
  if (!*there) {
    return Error(ErrorCode::kInvalidArgument, fmt::format("the job {} is {} and left no artifact{}", name, job.status,
                                                          job.failure_reason.empty() ? "" : ": " + job.failure_reason));
  }
  return Artifact{job.artifact, job.image, name};
}

// "…/some-job/output/model.tar.gz" is best called after the job, "my-model.tar.gz" after itself.
std::string StemOf(const std::filesystem::path& path) {
  std::string name = path.filename().string();
  for (const std::string_view ending : {".tar.gz", ".tgz"}) {
    if (name.ends_with(ending)) name.resize(name.size() - ending.size());
  }
  const std::filesystem::path folder = path.parent_path();
  if (name == "model" && folder.filename() == "output") name = folder.parent_path().filename().string();
  return name;
}

Result<std::string> AlgorithmOf(const std::filesystem::path& file) {
  const Result<UnpackedArtifact> artifact = UnpackedArtifact::Open(file);
  if (!artifact.ok()) return artifact.error();
  return std::string(artifact->algorithm().name());
}

Result<Artifact> FindArtifact(ApiClient& client, const Options& options, const DeployArgs& args) {
  if (IsS3Uri(args.source)) {
    std::string algorithm = args.algorithm;
    if (algorithm.empty()) {
      const Result<Downloads> got = Downloads::Of(client, args.source);
      if (!got.ok()) return got.error();
      Result<std::string> maker = AlgorithmOf(got->files().front());
      if (!maker.ok()) return maker.error().Wrap(args.source);
      algorithm = std::move(*maker);
    }
    return Artifact{args.source, ImageOf(algorithm, options.region), StemOf(args.source)};
  }
  std::error_code error;
  if (!std::filesystem::is_regular_file(args.source, error)) {
    if (args.source.ends_with(".gz") || args.source.find('/') != std::string::npos) {
      return Error(ErrorCode::kNotFound, "there is no file '" + args.source + "'");
    }
    return FromJob(client, args.source);
  }
  Result<SourceSet> set = ExpandSources({args.source});
  if (!set.ok()) return set.error();
  const Result<std::string> maker = args.algorithm.empty() ? AlgorithmOf(args.source) : args.algorithm;
  if (!maker.ok()) return maker.error().Wrap(args.source);
  const std::string image = ImageOf(*maker, options.region);
  const Result<Upload> upload = UploadFiles(client, options.default_bucket(), *set, [](uint64_t) {});
  if (!upload.ok()) return upload.error();
  return Artifact{upload->s3_uri + set->files.front().name, image, StemOf(args.source)};
}

Status CreateOrUpdate(ApiClient& client, const Artifact& artifact, const DeployArgs& args,
                      const std::string& endpoint) {
  // Model and config are new each time, so that an endpoint that is switched keeps what it had until it has the new.
  const std::string version = MakeName(endpoint, TimeSuffix(SystemClock().Now()));
  const Json model = {{"ModelName", version},
                      {"ExecutionRoleArn", kRoleArn},
                      {"PrimaryContainer", {{"Image", artifact.image}, {"ModelDataUrl", artifact.uri}}}};
  if (const Result<Json> made = client.SageMaker("CreateModel", model); !made.ok()) return made.error();
  const Json variant = {{"VariantName", "AllTraffic"},
                        {"ModelName", version},
                        {"InstanceType", args.instance_type},
                        {"InitialInstanceCount", args.instance_count},
                        {"InitialVariantWeight", 1.0}};
  const Json config = {{"EndpointConfigName", version}, {"ProductionVariants", Json::array({variant})}};
  // What is refused leaves nothing behind.
  const auto undo = [&](const Error& error) -> Status {
    (void)client.SageMaker("DeleteEndpointConfig", {{"EndpointConfigName", version}});
    (void)client.SageMaker("DeleteModel", {{"ModelName", version}});
    return error;
  };
  if (const Result<Json> made = client.SageMaker("CreateEndpointConfig", config); !made.ok()) return undo(made.error());
  const Json request = {{"EndpointName", endpoint}, {"EndpointConfigName", version}};
  const Result<Json> present = client.SageMaker("DescribeEndpoint", {{"EndpointName", endpoint}});
  const Result<Json> made = client.SageMaker(present.ok() ? "UpdateEndpoint" : "CreateEndpoint", request);
  return made.ok() ? Status() : undo(made.error());
}

}  // namespace

int RunDeploy(const Settings& settings, const DeployArgs& args) {
  constexpr auto kPause = std::chrono::milliseconds(20);
  const SystemClock clock;
  Result<ApiClient> client = ApiClient::Connect(settings.options);
  if (!client.ok()) return Fail(client.error());
  const Result<Artifact> artifact = FindArtifact(*client, settings.options, args);
  if (!artifact.ok()) return Fail(artifact.error());
  const std::string endpoint = args.name.empty() ? MakeName(artifact->stem, "") : args.name;
  const Duration begin = clock.Monotonic();
  if (const Status made = CreateOrUpdate(*client, *artifact, args, endpoint); !made.ok()) return Fail(made.error());

  InterruptGuard interrupt;
  ProgressLine progress;
  for (;;) {
    const Result<Json> described = client->SageMaker("DescribeEndpoint", {{"EndpointName", endpoint}});
    if (!described.ok()) return Fail(described.error());
    const EndpointView view = ReadEndpoint(*described);
    if (view.settled() || args.waiting == Waiting::kNoWait) {
      progress.Clear();
      if (view.status == "Failed") {
        return FailWith(kExitFailed, fmt::format("{} could not be served: {}; its log: `argosy logs {} --of endpoint`",
                                                 endpoint, view.failure_reason, endpoint));
      }
      if (args.form == OutputForm::kJson) {
        PrintJson(*described);
        return kExitOk;
      }
      Print(fmt::format("{} is {} after {}\n", endpoint, view.status, FormatDuration(clock.Monotonic() - begin)));
      if (!view.failure_reason.empty()) Note("the last change failed: " + view.failure_reason);
      Print(HowToCall(endpoint, client->endpoint()));
      return kExitOk;
    }
    progress.Show(fmt::format("{}: {}  {}  {}", endpoint, view.status, FormatDuration(clock.Monotonic() - begin),
                              view.failure_reason));
    interrupt.Sleep(kPause);
    if (interrupt.interrupted()) {
      progress.Clear();
      Note(fmt::format("{} goes on coming up; `argosy endpoints {}` shows it", endpoint, endpoint));
      return kExitInterrupted;
    }
  }
}

}  // namespace argosy::main
