// The files that every artifact consists of: weights in model.safetensors, all else in model.json, whose members
// `format` and `version` say what it is.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "model/safetensors.h"

namespace argosy::algorithms {

inline constexpr const char* kWeightsFile = "model.safetensors";
inline constexpr const char* kModelFile = "model.json";

Error CorruptArtifact(std::string_view why);  // kCorrupt

// `json` gets `format` and version 1.
Status WriteArtifact(const std::filesystem::path& directory, std::string_view format, const model::Tensors& tensors,
                     Json json);

// model.json alone.
Status WriteModelJson(const std::filesystem::path& directory, std::string_view format, Json json);
// Bounded in size; as ParseModelJson.
Result<Json> ReadModelJson(const std::filesystem::path& directory, std::string_view format);

struct ArtifactFiles {
  std::string weights;
  std::string model_json;
};
// Bounded in size.
Result<ArtifactFiles> ReadArtifactFiles(const std::filesystem::path& directory);

// `format` of the model.json in a directory; kCorrupt when it has none.
Result<std::string> ReadArtifactFormat(const std::filesystem::path& directory);

// model.json as an object; kCorrupt when it is none of this format and version.
Result<Json> ParseModelJson(std::string_view format, std::string_view model_json);

}  // namespace argosy::algorithms
