// argosy deploy MODEL: a model, an endpoint config and an endpoint made of a job or an artifact.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "main/api_client.h"
#include "main/endpoint_view.h"
#include "main/format.h"
#include "main/job_artifact.h"
#include "main/json_access.h"
#include "main/model_source.h"
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
  std::map<std::string, std::string> environment = {};
};

Result<Artifact> FromJob(ApiClient& client, const std::string& name) {
  const Result<JobView> job = FindJobWithArtifact(client, name);
  if (!job.ok()) return job.error();
  return Artifact{job->artifact, job->image, name};
}

// "…/some-job/output/model.tar.gz" is best called after the job, "my-model.tar.gz" after itself.
std::string StemOf(const std::filesystem::path& path) {
  std::string name = path.filename().string();
  if (name.empty()) name = path.parent_path().filename().string();  // a folder, written with a slash at its end
  for (const std::string_view ending :
       {".tar.gz", ".tgz", ".tar", ".joblib", ".pkl", ".pickle", ".ubj", ".json", ".model", ".pt", ".pth", ".py"}) {
    if (name.ends_with(ending)) name.resize(name.size() - ending.size());
  }
  const std::filesystem::path folder = path.parent_path();
  if (name == "model" && folder.filename() == "output") name = folder.parent_path().filename().string();
  return name;
}

Result<std::string> UploadArchive(ApiClient& client, const Options& options, const std::filesystem::path& file) {
  Result<SourceSet> set = ExpandSources({file.string()});
  if (!set.ok()) return set.error();
  const Result<Upload> upload = UploadFiles(client, options.default_bucket(), *set, [](uint64_t) {});
  if (!upload.ok()) return upload.error();
  return upload->s3_uri + set->files.front().name;
}

// `s3_uri`: where the file came from; used again when it can be served as it is.
Result<Artifact> FromFile(ApiClient& client, const Options& options, const std::filesystem::path& file,
                          const std::string& s3_uri) {
  const std::string named = s3_uri.empty() ? file.string() : s3_uri;
  const Result<ModelSource> source = ModelSource::Open(file, options.region);
  if (!source.ok()) return source.error().Wrap(named);
  Note(fmt::format("{} is {}", named, source->told()));
  Artifact artifact{s3_uri, source->image(), StemOf(named), source->environment()};
  if (s3_uri.empty() || source->archive() != file) {
    Result<std::string> uri = UploadArchive(client, options, source->archive());
    if (!uri.ok()) return uri.error();
    artifact.uri = std::move(*uri);
  }
  return artifact;
}

Result<Artifact> FindArtifact(ApiClient& client, const Options& options, const DeployArgs& args) {
  if (IsS3Uri(args.source)) {
    if (!args.algorithm.empty()) {
      return Artifact{args.source, ImageOf(args.algorithm, options.region), StemOf(args.source)};
    }
    const Result<Downloads> got = Downloads::Of(client, args.source);
    if (!got.ok()) return got.error();
    return FromFile(client, options, got->files().front(), args.source);
  }
  std::error_code error;
  if (!std::filesystem::exists(args.source, error)) {
    if (args.source.find_first_of("./") != std::string::npos) {
      return Error(ErrorCode::kNotFound, "there is no file '" + args.source + "'");
    }
    return FromJob(client, args.source);
  }
  if (args.algorithm.empty()) return FromFile(client, options, args.source, "");
  const Result<std::string> uri = UploadArchive(client, options, args.source);
  if (!uri.ok()) return uri.error();
  return Artifact{*uri, ImageOf(args.algorithm, options.region), StemOf(args.source)};
}

// What the options say; asked for before anything is sent.
Result<std::map<std::string, std::string>> GivenEnvironment(const DeployArgs& args) {
  std::map<std::string, std::string> out;
  for (const std::string& pair : args.environment) {
    const size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Invalid(fmt::format("--env '{}' is not NAME=VALUE", pair));
    }
    out[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  return out;
}

Status CreateOrUpdate(ApiClient& client, const Artifact& artifact, const DeployArgs& args,
                      const std::map<std::string, std::string>& environment, const std::string& endpoint) {
  const Result<Json> present = client.SageMaker("DescribeEndpoint", {{"EndpointName", endpoint}});
  if (present.ok() && ReadEndpoint(*present).status == "Failed") {
    return Invalid(
        fmt::format("there is an endpoint {} that has failed and can only be deleted: `argosy delete {}`, "
                    "then deploy again",
                    endpoint, endpoint));
  }
  // Model and config are new each time, so that an endpoint that is switched keeps what it had until it has the new.
  const std::string version = MakeName(endpoint, TimeSuffix(SystemClock().Now()));
  const Json container = {{"Image", artifact.image}, {"ModelDataUrl", artifact.uri}, {"Environment", environment}};
  const Json model = {{"ModelName", version}, {"ExecutionRoleArn", kRoleArn}, {"PrimaryContainer", container}};
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
  const Result<Json> made = client.SageMaker(present.ok() ? "UpdateEndpoint" : "CreateEndpoint", request);
  return made.ok() ? Status() : undo(made.error());
}

}  // namespace

int RunDeploy(const Settings& settings, const DeployArgs& args) {
  constexpr auto kPause = std::chrono::milliseconds(20);
  const SystemClock clock;
  Result<std::map<std::string, std::string>> environment = GivenEnvironment(args);
  if (!environment.ok()) return Fail(environment.error());
  Result<ApiClient> client = ApiClient::Connect(settings.options);
  if (!client.ok()) return Fail(client.error());
  const Result<Artifact> artifact = FindArtifact(*client, settings.options, args);
  if (!artifact.ok()) return Fail(artifact.error());
  const std::string endpoint = args.name.empty() ? MakeName(artifact->stem, "") : args.name;
  const Duration begin = clock.Monotonic();
  environment->insert(artifact->environment.begin(), artifact->environment.end());  // what is given wins
  if (const Status made = CreateOrUpdate(*client, *artifact, args, *environment, endpoint); !made.ok()) {
    return Fail(made.error());
  }

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
      if (view.settled() && !view.failure_reason.empty()) {
        return FailWith(kExitFailed,
                        fmt::format("{} goes on with the model it had, the new one could not be served: {}; "
                                    "its log: `argosy logs {} --of endpoint`",
                                    endpoint, view.failure_reason, endpoint));
      }
      if (args.form == OutputForm::kJson) {
        PrintJson(*described);
        return kExitOk;
      }
      Print(fmt::format("{} is {} after {}\n", endpoint, view.status, FormatDuration(clock.Monotonic() - begin)));
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
