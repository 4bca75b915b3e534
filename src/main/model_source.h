// What a file, folder or archive of this machine is as a model: the image that serves it, and the artifact to upload.
//
// Known are the artifacts of the built-in algorithms, boosters that XGBoost saved, pickled scikit-learn models,
// TorchScript models, folders with an inference.py, and programs called `serve` (docs/guides/own-models.md). Nothing of
// a model is run or unpickled here.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace argosy::main {

struct ModelFile {
  std::string name;  // relative to the artifact's top
  enum class Mode { kPlain, kExecutable } mode = Mode::kPlain;
};

enum class ModelKind { kProgram, kScript, kBuiltIn, kPickle, kTorchScript, kBooster };

struct ModelGuess {
  ModelKind kind;
  std::string file;  // the one that decided
};

// By the names alone; kInvalidArgument says what a model needs. A built-in's `model.json` is told from a booster of
// that name by who calls. Pure.
Result<ModelGuess> GuessModel(const std::vector<ModelFile>& files);

class ModelSource {
 public:
  static Result<ModelSource> Open(const std::filesystem::path& path, std::string_view region);
  ~ModelSource();
  ModelSource(ModelSource&& other) noexcept;
  ModelSource& operator=(ModelSource&&) = delete;

  // The path it was opened with when that can be uploaded as it is.
  const std::filesystem::path& archive() const { return archive_; }
  const std::string& image() const { return image_; }
  const std::map<std::string, std::string>& environment() const { return environment_; }
  const std::string& told() const { return told_; }  // "a scikit-learn model, served by Python"

 private:
  ModelSource() = default;
  Status Read(const std::filesystem::path& path, std::string_view region);
  Status Decide(const std::filesystem::path& folder, std::string_view region);
  Status TakeBooster(const std::filesystem::path& folder, const std::string& file, std::string_view region);

  std::string scratch_;  // goes with this
  std::filesystem::path archive_;
  bool changed_ = false;  // what was unpacked is not what was given
  std::string image_;
  std::map<std::string, std::string> environment_;
  std::string told_;
};

}  // namespace argosy::main
