#include "algorithms/artifact_files.h"

#include <nlohmann/json.hpp>

#include "base/files.h"

namespace argosy::algorithms {
namespace {

constexpr size_t kFileBytesMax = size_t{1} << 30;
constexpr int kVersion = 1;

}  // namespace

Error CorruptArtifact(std::string_view why) {
  return Error(ErrorCode::kCorrupt, "the artifact is damaged: " + std::string(why));
}

Status WriteArtifact(const std::filesystem::path& directory, std::string_view format, const model::Tensors& tensors,
                     Json json) {
  if (Status s = WriteFileAtomically(directory / kWeightsFile, model::WriteSafetensors(tensors)); !s) return s;
  return WriteModelJson(directory, format, std::move(json));
}

Status WriteModelJson(const std::filesystem::path& directory, std::string_view format, Json json) {
  json["format"] = format;
  json["version"] = kVersion;
  return WriteFileAtomically(directory / kModelFile, DumpJsonPretty(json) + "\n");
}

Result<Json> ReadModelJson(const std::filesystem::path& directory, std::string_view format) {
  const auto text = ReadFile(directory / kModelFile, kFileBytesMax);
  if (!text) return text.error().Wrap("loading the artifact");
  return ParseModelJson(format, *text);
}

Result<ArtifactFiles> ReadArtifactFiles(const std::filesystem::path& directory) {
  auto weights = ReadFile(directory / kWeightsFile, kFileBytesMax);
  if (!weights) return weights.error().Wrap("loading the artifact");
  auto model_json = ReadFile(directory / kModelFile, kFileBytesMax);
  if (!model_json) return model_json.error().Wrap("loading the artifact");
  return ArtifactFiles{std::move(*weights), std::move(*model_json)};
}

Result<std::string> ReadArtifactFormat(const std::filesystem::path& directory) {
  const auto text = ReadFile(directory / kModelFile, kFileBytesMax);
  if (!text) return CorruptArtifact("it has no model.json");
  const auto json = ParseJson(*text);
  if (!json || !json->is_object() || !json->contains("format") || !(*json)["format"].is_string()) {
    return CorruptArtifact("its model.json names no format");
  }
  return (*json)["format"].get<std::string>();
}

Result<Json> ParseModelJson(std::string_view format, std::string_view model_json) {
  auto json = ParseJson(model_json);
  if (!json) return CorruptArtifact("model.json: " + json.error().message());
  if (!json->is_object() || json->value("format", Json()) != format) {
    return CorruptArtifact("model.json is not of the format " + std::string(format));
  }
  if (json->value("version", Json()) != kVersion) {
    return CorruptArtifact("model.json is of another version than " + std::to_string(kVersion));
  }
  return json;
}

}  // namespace argosy::algorithms
