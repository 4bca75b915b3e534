#include "algorithms/linear/linear_model.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "algorithms/artifact_files.h"
#include "base/files.h"
#include "base/json.h"
#include "model/safetensors.h"

namespace argosy::algorithms::linear {
namespace {

// Of one file of an artifact: a model of 100 million weights.
constexpr const char* kFormat = "argosy-linear-learner";
constexpr size_t kSchemaBytesMax = size_t{1} << 30;

Error Corrupt(std::string_view why) {
  return CorruptArtifact(why);
}

bool AllFinite(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
}

// Takes the array `name` of the given shape out of `tensors`.
Result<std::vector<double>> Take(model::Tensors& tensors, const std::string& name, const std::vector<uint64_t>& shape) {
  const auto at = tensors.find(name);
  if (at == tensors.end()) return Corrupt("array '" + name + "' is absent");
  if (at->second.shape != shape) return Corrupt("array '" + name + "' has another shape than the model");
  if (!AllFinite(at->second.values)) return Corrupt("array '" + name + "' holds what is no finite number");
  return std::move(at->second.values);
}

std::optional<PredictorType> PredictorTypeNamed(std::string_view name) {
  for (const PredictorType type :
       {PredictorType::kBinaryClassifier, PredictorType::kMulticlassClassifier, PredictorType::kRegressor}) {
    if (PredictorTypeName(type) == name) return type;
  }
  return std::nullopt;
}

std::optional<LossKind> LossNamed(std::string_view name) {
  for (const LossKind kind : {LossKind::kLogistic, LossKind::kHinge, LossKind::kSquared, LossKind::kAbsolute,
                              LossKind::kEpsInsensitiveSquared, LossKind::kEpsInsensitiveAbsolute, LossKind::kQuantile,
                              LossKind::kHuber, LossKind::kSoftmax}) {
    if (LossName(kind) == name) return kind;
  }
  return std::nullopt;
}

// What model.json says; outputs and the rest are checked against the schema and the arrays by the caller.
Status ReadMembers(const Json& json, LinearModel& model) {
  const auto predictor = PredictorTypeNamed(json.at("predictor_type").get<std::string>());
  const auto loss = LossNamed(json.at("loss").get<std::string>());
  if (!predictor || !loss) return Corrupt("unknown predictor_type or loss");
  model.predictor = *predictor;
  model.loss = *loss;
  const bool binary = model.predictor == PredictorType::kBinaryClassifier;
  const bool multiclass = model.predictor == PredictorType::kMulticlassClassifier;
  if (binary != (model.loss == LossKind::kLogistic || model.loss == LossKind::kHinge) ||
      multiclass != (model.loss == LossKind::kSoftmax)) {
    return Corrupt("predictor_type and loss do not agree");
  }
  const Json& outputs = json.at("outputs");
  if (!outputs.is_number_unsigned()) return Corrupt("outputs is no number");
  const auto count = outputs.get<uint64_t>();
  if (count == 0 || count > data::kClassesMax || (count == 1) == multiclass) return Corrupt("bad number of outputs");
  model.outputs = count;
  model.threshold = json.at("threshold").get<double>();
  model.clip = json.at("clip").get<double>();
  model.raw_rows = json.at("raw_rows").get<bool>();
  if (!std::isfinite(model.threshold) || !std::isfinite(model.clip) || model.clip < 0) {
    return Corrupt("bad threshold or clip");
  }
  return {};
}

}  // namespace

Status SaveLinearModel(const LinearModel& model, const std::filesystem::path& directory) {
  const uint64_t outputs = model.outputs;
  const uint64_t numeric = model.mean.size();
  const model::Tensors tensors = {{"weight", {{outputs, model.features()}, model.weights}},
                                  {"bias", {{outputs}, model.biases}},
                                  {"mean", {{numeric}, model.mean}},
                                  {"scale", {{numeric}, model.scale}},
                                  {"fill", {{numeric}, model.fill}}};
  Json json = {{"predictor_type", PredictorTypeName(model.predictor)},
               {"loss", LossName(model.loss)},
               {"outputs", outputs},
               {"threshold", model.threshold},
               {"clip", model.clip},
               {"raw_rows", model.raw_rows}};
  if (auto training = ParseJson(model.training_json); training) json["training"] = std::move(*training);
  if (Status s = WriteFileAtomically(directory / kSchemaFile, DumpJsonPretty(ToJson(model.schema)) + "\n"); !s) {
    return s;
  }
  return WriteArtifact(directory, kFormat, tensors, std::move(json));
}

Result<LinearModel> ParseLinearModel(std::string_view weights, std::string_view model_json,
                                     std::string_view schema_json) {
  const auto json = ParseModelJson(kFormat, model_json);
  if (!json) return json.error();
  LinearModel model;
  // The library throws where a member is absent or of another type than asked for.
  try {
    if (Status parsed = ReadMembers(*json, model); !parsed) return parsed.error();
  } catch (const Json::exception& e) {
    return Corrupt(e.what());
  }
  auto schema_text = ParseJson(schema_json);
  if (!schema_text) return Corrupt(schema_text.error().message());
  auto schema = data::TableSchemaFromJson(*schema_text);
  if (!schema) return schema.error();
  model.schema = std::move(*schema);
  const size_t classes = model.schema.label.classes.size();
  const size_t expected_classes = model.predictor == PredictorType::kBinaryClassifier ? 2 : model.outputs;
  if (classes > 0 && (model.predictor == PredictorType::kRegressor || classes > expected_classes)) {
    return Corrupt("the schema has another number of classes than the model");
  }
  auto tensors = model::ReadSafetensors(weights);
  if (!tensors) return tensors.error();
  const uint64_t features = model.schema.feature_count();
  const uint64_t numeric = model.schema.numeric_count();
  const auto take = [&](const char* name, const std::vector<uint64_t>& shape, std::vector<double>& into) -> Status {
    auto values = Take(*tensors, name, shape);
    if (!values) return values.error();
    into = std::move(*values);
    return {};
  };
  if (Status s = take("weight", {model.outputs, features}, model.weights); !s) return s.error();
  if (Status s = take("bias", {model.outputs}, model.biases); !s) return s.error();
  if (Status s = take("mean", {numeric}, model.mean); !s) return s.error();
  if (Status s = take("scale", {numeric}, model.scale); !s) return s.error();
  if (Status s = take("fill", {numeric}, model.fill); !s) return s.error();
  return model;
}

Result<LinearModel> LoadLinearModel(const std::filesystem::path& directory) {
  const auto files = ReadArtifactFiles(directory);
  if (!files) return files.error();
  const auto schema = ReadFile(directory / kSchemaFile, kSchemaBytesMax);
  if (!schema) return schema.error().Wrap("loading the artifact");
  return ParseLinearModel(files->weights, files->model_json, *schema);
}

}  // namespace argosy::algorithms::linear
