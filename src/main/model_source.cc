#include "main/model_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "agent/archive.h"
#include "algorithms/algorithm.h"
#include "algorithms/xgboost/tree_model.h"
#include "algorithms/xgboost/xgboost_model.h"
#include "base/files.h"
#include "main/roles.h"
#include "model/images.h"

namespace argosy::main {
namespace {

constexpr std::string_view kScript = "inference.py";
constexpr const char* kScriptName = "ARGOSY_SCRIPT_NAME";  // python/argosy/serving/handlers.py
constexpr std::string_view kServe = "serve";
constexpr size_t kFilesMax = 10'000;  // of a folder
constexpr std::string_view kWhatModelsNeed =
    "A model is one of: model.joblib or model.pkl (scikit-learn), model.ubj or model.json (XGBoost), model.pt "
    "(TorchScript), an inference.py with model_fn, an executable called serve, or the model.tar.gz of a training job; "
    "or a folder or .tar.gz with one of these at its top";

bool HasEnding(std::string_view name, std::initializer_list<std::string_view> endings) {
  return std::any_of(endings.begin(), endings.end(), [&](std::string_view ending) { return name.ends_with(ending); });
}

bool IsPickle(std::string_view name) {
  return HasEnding(name, {".joblib", ".pkl", ".pickle"});
}
bool IsTorch(std::string_view name) {
  return HasEnding(name, {".pt", ".pth"});
}
bool IsBooster(std::string_view name) {
  return name == algorithms::xgboost::kBoosterFile || HasEnding(name, {".ubj", ".json", ".model"});
}
bool IsArchive(std::string_view name) {
  return HasEnding(name, {".tar.gz", ".tgz", ".tar"});
}

bool IsTop(std::string_view name) {
  return name.find('/') == std::string_view::npos;
}

// The one file at the top that is so; several of which none is called model.* are a question to the user.
Result<std::string> OnlyOne(const std::vector<ModelFile>& files, bool (*is_so)(std::string_view),
                            std::string_view what) {
  std::vector<std::string> found;
  for (const ModelFile& file : files) {
    if (IsTop(file.name) && is_so(file.name)) found.push_back(file.name);
  }
  if (found.empty()) return std::string();
  if (found.size() == 1) return found.front();
  for (const std::string& name : found) {
    if (name.starts_with("model.") || name == algorithms::xgboost::kBoosterFile) return name;
  }
  return Invalid(fmt::format("{} and {} may both be {}: call the one that is served model.*, or write an inference.py",
                             found[0], found[1], what));
}

Result<std::vector<ModelFile>> FilesBelow(const std::filesystem::path& folder) {
  std::vector<ModelFile> out;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (!it->is_regular_file(ignored)) continue;
    if (out.size() == kFilesMax) return Invalid(fmt::format("the folder holds more than {} files", kFilesMax));
    out.push_back({it->path().lexically_relative(folder),
                   access(it->path().c_str(), X_OK) == 0 ? ModelFile::Mode::kExecutable : ModelFile::Mode::kPlain});
  }
  if (error) return ErrnoError("reading " + folder.string(), error.value());
  std::sort(out.begin(), out.end(), [](const ModelFile& a, const ModelFile& b) { return a.name < b.name; });
  return out;
}

// Hidden files and what Python leaves behind stay out.
Status CopyFolder(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::error_code error;
  size_t count = 0;
  for (std::filesystem::recursive_directory_iterator it(from, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename();
    if (name.starts_with('.') || name == "__pycache__") {
      it.disable_recursion_pending();
      continue;
    }
    std::error_code failed;
    const std::filesystem::path target = to / it->path().lexically_relative(from);
    if (it->is_directory(failed)) {
      std::filesystem::create_directory(target, failed);
    } else if (it->is_regular_file(failed)) {
      if (++count > kFilesMax) return Invalid(fmt::format("{} holds more than {} files", from.string(), kFilesMax));
      std::filesystem::copy_file(it->path(), target, failed);
    }
    if (failed) return ErrnoError("copying " + it->path().string(), failed.value());
  }
  return error ? ErrnoError("reading " + from.string(), error.value()) : Status();
}

std::string FrameworkImage(std::string_view account, std::string_view repository, std::string_view region) {
  return fmt::format("{}.dkr.ecr.{}.amazonaws.com/{}", account, region, repository);
}

}  // namespace

Result<ModelGuess> GuessModel(const std::vector<ModelFile>& files) {
  const auto has = [&](std::string_view name) {
    return std::any_of(files.begin(), files.end(), [&](const ModelFile& file) { return file.name == name; });
  };
  for (const ModelFile& file : files) {
    if (file.name != kServe) continue;
    if (file.mode == ModelFile::Mode::kExecutable) return ModelGuess{ModelKind::kProgram, file.name};
    return Invalid("serve is not executable: chmod +x serve");
  }
  for (const std::string script : {"code/inference.py", "inference.py"}) {
    if (has(script)) return ModelGuess{ModelKind::kScript, script};
  }
  if (has("model.json") || has(algorithms::xgboost::kBoosterFile)) {
    return ModelGuess{ModelKind::kBuiltIn, has("model.json") ? "model.json" : algorithms::xgboost::kBoosterFile};
  }
  struct Rule {
    ModelKind kind;
    bool (*is_so)(std::string_view);
    std::string_view what;
  };
  for (const Rule& rule : {Rule{ModelKind::kPickle, &IsPickle, "the pickled model"},
                           Rule{ModelKind::kTorchScript, &IsTorch, "the TorchScript model"},
                           Rule{ModelKind::kBooster, &IsBooster, "the XGBoost model"}}) {
    const Result<std::string> file = OnlyOne(files, rule.is_so, rule.what);
    if (!file.ok()) return file.error();
    if (!file->empty()) return ModelGuess{rule.kind, *file};
  }
  return Invalid(std::string("nothing in it is known as a model. ") + std::string(kWhatModelsNeed));
}

Result<ModelSource> ModelSource::Open(const std::filesystem::path& path, std::string_view region) {
  ModelSource source;
  if (Status read = source.Read(path, region); !read.ok()) return read.error();
  return source;
}

ModelSource::ModelSource(ModelSource&& other) noexcept
    : scratch_(std::exchange(other.scratch_, {})),
      archive_(std::move(other.archive_)),
      changed_(other.changed_),
      image_(std::move(other.image_)),
      environment_(std::move(other.environment_)),
      told_(std::move(other.told_)) {}

ModelSource::~ModelSource() {
  if (!scratch_.empty()) (void)RemoveTree(scratch_);
}

Status ModelSource::Read(const std::filesystem::path& path, std::string_view region) {
  scratch_ = (std::filesystem::temp_directory_path() / "argosy-model-XXXXXX").string();
  if (mkdtemp(scratch_.data()) == nullptr) {
    scratch_.clear();
    return ErrnoError("making a temporary directory", errno);
  }
  const std::filesystem::path folder = std::filesystem::path(scratch_) / "model";
  if (Status made = MakeDirectories(folder); !made.ok()) return made;
  const std::string name = path.filename();
  std::error_code error;
  archive_ = path;
  if (std::filesystem::is_directory(path, error)) {
    changed_ = true;
    if (Status copied = CopyFolder(path, folder); !copied.ok()) return copied;
  } else if (IsArchive(name)) {
    const Result<UniqueFd> archive = OpenFile(path, O_RDONLY);
    if (!archive.ok()) return archive.error();
    if (Status unpacked = agent::UnpackArchive(archive->get(), folder, {}); !unpacked.ok()) return unpacked;
  } else {
    changed_ = true;
    const bool script = name.ends_with(".py");
    const bool known = script || name == kServe || IsPickle(name) || IsTorch(name) || IsBooster(name);
    if (!known) return Invalid(fmt::format("'{}' is not known as a model. {}", name, kWhatModelsNeed));
    const std::filesystem::path target = script ? folder / "code" : folder;
    if (Status made = MakeDirectories(target); !made.ok()) return made;
    std::filesystem::copy_file(path, target / (script ? std::string(kScript) : name), error);
    if (error) return ErrnoError("copying " + path.string(), error.value());
    if (script && name != kScript) environment_[kScriptName] = name;  // for messages
  }
  if (Status decided = Decide(folder, region); !decided.ok()) return decided;
  if (!changed_) return {};
  archive_ = std::filesystem::path(scratch_) / "model.tar.gz";
  const Result<agent::PackOutcome> packed = agent::PackDirectory(folder, archive_);
  return packed.ok() ? Status() : packed.error();
}

Status ModelSource::Decide(const std::filesystem::path& folder, std::string_view region) {
  const Result<std::vector<ModelFile>> files = FilesBelow(folder);
  if (!files.ok()) return files.error();
  const Result<ModelGuess> guess = GuessModel(*files);
  if (!guess.ok()) return guess.error();
  switch (guess->kind) {
    case ModelKind::kProgram:
      image_ = model::kProgramImage;
      told_ = "a program that answers /ping and /invocations";
      return {};
    case ModelKind::kScript:
      image_ = model::kPythonImage;
      environment_["SAGEMAKER_PROGRAM"] = kScript;
      told_ = guess->file + ", served by Python";
      return {};
    case ModelKind::kPickle:
      image_ = FrameworkImage("683313688378", "sagemaker-scikit-learn:1.2-1-cpu-py3", region);
      told_ = "a pickled model, served by Python";
      return {};
    case ModelKind::kTorchScript:
      image_ = FrameworkImage("763104351884", "pytorch-inference:2.0.1-cpu-py310", region);
      told_ = "a TorchScript model, served by Python";
      return {};
    case ModelKind::kBooster:
      return TakeBooster(folder, guess->file, region);
    case ModelKind::kBuiltIn: {
      const Result<const algorithms::Algorithm*> algorithm = algorithms::FindAlgorithmOfArtifact(folder);
      if (algorithm.ok()) {
        image_ = ImageOf((*algorithm)->name(), region);
        told_ = fmt::format("a model of {}", (*algorithm)->name());
        return {};
      }
      // model.json is what XGBoost's own users call their boosters, too.
      const Status booster = TakeBooster(folder, guess->file, region);
      if (booster.ok()) return {};
      return Invalid(fmt::format("{}, and {}", algorithm.error().message(), booster.error().message()));
    }
  }
  return Error(ErrorCode::kInternal, "a kind of model that nothing serves");
}

Status ModelSource::TakeBooster(const std::filesystem::path& folder, const std::string& file, std::string_view region) {
  using algorithms::xgboost::kBoosterFile;
  const Result<std::string> bytes = ReadFile(folder / file, algorithms::xgboost::kBoosterBytesMax);
  if (!bytes.ok()) return bytes.error();
  if (const auto model = algorithms::xgboost::TreeModel::Parse(*bytes); !model.ok()) {
    return Invalid(
        fmt::format("{} is no model that XGBoost saved as JSON or UBJSON: {}", file, model.error().message()));
  }
  if (file != kBoosterFile) {
    std::error_code error;
    std::filesystem::rename(folder / file, folder / kBoosterFile, error);
    if (error) return ErrnoError("renaming " + file, error.value());
    changed_ = true;
  }
  image_ = ImageOf("xgboost", region);
  told_ = "a model of xgboost";
  return {};
}

}  // namespace argosy::main
