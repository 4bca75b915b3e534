#include "main/train_request.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "main/roles.h"

namespace argosy::main {
namespace {

constexpr int kVolumeGigabytes = 30;  // what the SDKs send

std::string PredictorType(const std::string& type) {
  if (type == "binary") return "binary_classifier";
  if (type == "multiclass") return "multiclass_classifier";
  return "regressor";
}

// What XGBoost calls it.
std::string Objective(const std::string& type) {
  if (type == "binary") return "binary:logistic";
  if (type == "multiclass") return "multi:softmax";
  return "reg:squarederror";
}

// {"a": "x", "*": "y"} in this order: classes are numbered as they appear.
std::string LabelMap(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string text;
  for (const auto& [from, to] : entries) {
    text += fmt::format("{}{}:{}", text.empty() ? "{" : ",", DumpJson(Json(from)), DumpJson(Json(to)));
  }
  return text + "}";
}

}  // namespace

Result<algorithms::Hyperparameters> GivenHyperparameters(const TrainArgs& args) {
  algorithms::Hyperparameters given;
  for (const std::string& one : args.set) {
    const size_t equals = one.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Error(ErrorCode::kInvalidArgument, fmt::format("--set takes KEY=VALUE; '{}' has no '='", one));
    }
    if (!given.emplace(one.substr(0, equals), one.substr(equals + 1)).second) {
      return Error(ErrorCode::kInvalidArgument, fmt::format("--set {} is given twice", one.substr(0, equals)));
    }
  }
  const auto say = [&](const char* flag, const char* name, const std::string& value) -> Status {
    if (given.emplace(name, value).second) return {};
    return Error(ErrorCode::kInvalidArgument,
                 fmt::format("{} and --set {}=… say the same thing; give one", flag, name));
  };
  if (args.algorithm == "kmeans" || args.algorithm == "pca") {
    for (const auto& [flag, value] :
         {std::pair("--type", &args.type), {"--positive", &args.positive}, {"--negative", &args.negative}}) {
      if (value->empty()) continue;
      return Error(
          ErrorCode::kInvalidArgument,
          fmt::format("{} {}: {} learns without labels; leave {} out (--label names a column that is no feature)", flag,
                      *value, args.algorithm, flag));
    }
  }
  Status said;
  if (!args.label.empty()) said = say("--label", "argosy_label", args.label);
  const bool boosted = args.algorithm == "xgboost";
  if (said.ok() && !args.type.empty()) {
    said = boosted ? say("--type", "objective", Objective(args.type))
                   : say("--type", "predictor_type", PredictorType(args.type));
  }
  if (said.ok() && !args.positive.empty() && !args.negative.empty()) {
    said = Error(ErrorCode::kInvalidArgument, "--positive and --negative each name one side; give one");
  }
  // The class named first is 0 (no), the second 1 (yes).
  if (said.ok() && !args.positive.empty()) {
    said = say("--positive", "argosy_label_map", LabelMap({{"*", "other"}, {args.positive, args.positive}}));
  }
  if (said.ok() && !args.negative.empty()) {
    said = say("--negative", "argosy_label_map", LabelMap({{args.negative, args.negative}, {"*", "other"}}));
  }
  if (!said.ok()) return said.error();
  if (!args.positive.empty() || !args.negative.empty()) {
    given.emplace(boosted ? "objective" : "predictor_type", boosted ? Objective("binary") : PredictorType("binary"));
  }
  return given;
}

Json TrainingRequest(const TrainArgs& args, const TrainingRequestParts& parts, std::string_view region) {
  Json channels = Json::array();
  for (const auto& [name, uri] : parts.channels) {
    const Json source = {{"S3DataType", "S3Prefix"}, {"S3Uri", uri}, {"S3DataDistributionType", "FullyReplicated"}};
    channels.push_back({{"ChannelName", name},
                        {"ContentType", args.content_type.empty() ? parts.content_type : args.content_type},
                        {"DataSource", {{"S3DataSource", source}}}});
  }
  return {
      {"TrainingJobName", parts.name},
      {"RoleArn", kRoleArn},
      {"AlgorithmSpecification", {{"TrainingImage", ImageOf(args.algorithm, region)}, {"TrainingInputMode", "File"}}},
      {"HyperParameters", parts.hyperparameters},
      {"InputDataConfig", channels},
      {"OutputDataConfig", {{"S3OutputPath", parts.output}}},
      {"CheckpointConfig", {{"S3Uri", parts.checkpoints}}},
      {"ResourceConfig",
       {{"InstanceType", args.instance_type},
        {"InstanceCount", args.instance_count},
        {"VolumeSizeInGB", kVolumeGigabytes}}},
      {"StoppingCondition", {{"MaxRuntimeInSeconds", args.max_runtime_seconds}}}};
}

std::string JobStem(const std::vector<std::string>& sources) {
  std::string path = sources.empty() ? "" : sources.front();
  while (path.ends_with('/')) path.pop_back();
  std::string name = std::filesystem::path(path).filename().string();
  for (const std::string_view ending : {".gz", ".csv", ".data", ".txt"}) {
    if (name.size() > ending.size() && name.ends_with(ending)) name.resize(name.size() - ending.size());
  }
  return name;
}

}  // namespace argosy::main
