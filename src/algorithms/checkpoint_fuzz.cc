// Checkpoints that are whole by their checksum and hold what they should not: a training goes on from one, or says that
// it cannot.
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "algorithms/checkpoints.h"
#include "algorithms/hyperparameters.h"
#include "base/bytes.h"
#include "base/files.h"
#include "base/fuzz_edits.h"

namespace {

using namespace argosy;
using namespace argosy::algorithms;

constexpr size_t kChecksumBytes = 4;

class Observer final : public TrainingObserver {
 public:
  void OnLogLine(std::string_view) override {}
  void OnMetric(std::string_view, double) override {}
  void OnProgress(double fraction, uint64_t) override { Check(fraction >= 0 && fraction <= 1, "progress of no sense"); }
  void OnCheckpoint(const std::filesystem::path& file) override {
    auto bytes = ReadFile(file, 1 << 20);
    Check(bytes.ok());
    checkpoints.push_back(std::move(*bytes));
  }
  bool StopRequested() const override { return false; }

  std::vector<std::string> checkpoints;
};

// A training of some rows, and the checkpoints it saves when nothing comes between.
struct Subject {
  Subject(const std::filesystem::path& root, const std::string& algorithm, Hyperparameters hyperparameters)
      : learner(*FindAlgorithm(algorithm)) {
    const std::filesystem::path directory = root / (algorithm + std::to_string(hyperparameters.size()));
    for (const char* name : {"model", "checkpoints"}) std::filesystem::create_directories(directory / name);
    std::string rows;
    for (int r = 0; r < 40; ++r) {
      rows += std::to_string(r % 2) + "," + std::to_string(r * 7 % 11) + "," + std::to_string(r % 5) + "\n";
    }
    Check(WriteFileAtomically(directory / "rows.csv", rows).ok());
    request.hyperparameters = std::move(hyperparameters);
    request.hyperparameters[std::string(declare::kCheckpointSeconds)] = "0";
    request.channels = {{"train", "text/csv;label_size=1", "", {directory / "rows.csv"}}};
    request.model_dir = directory / "model";
    request.checkpoint_dir = directory / "checkpoints";
    Observer observer;
    Check(learner.Train(request, observer).ok());
    saved = std::move(observer.checkpoints);
    Check(!saved.empty(), "nothing was saved to go on from");
    request.hyperparameters[std::string(declare::kCheckpointSeconds)] = "1000";
  }

  void GoOnFrom(std::string bytes) const {
    bytes.resize(bytes.size() - kChecksumBytes);
    const uint32_t crc = Crc32(0, bytes);
    bytes.append(reinterpret_cast<const char*>(&crc), sizeof crc);
    Check(WriteFileAtomically(request.checkpoint_dir / kCheckpointFile, bytes).ok());
    Observer observer;
    const Status trained = learner.Train(request, observer);
    Check(trained.ok() || !trained.error().message().empty());
  }

  const Algorithm& learner;
  TrainingRequest request;
  std::vector<std::string> saved;
};

// In memory where there is such a folder: each run writes a checkpoint and a model. Removed at the end.
const std::filesystem::path& Root() {
  static const std::filesystem::path root = [] {
    const std::filesystem::path memory = "/dev/shm";
    const std::filesystem::path parent =
        std::filesystem::exists(memory) ? memory : std::filesystem::temp_directory_path();
    return parent / ("argosy-fuzz-" + std::to_string(getpid()));
  }();
  return root;
}

std::vector<Subject> Subjects() {
  const std::filesystem::path& root = Root();
  Check(std::atexit([] { std::filesystem::remove_all(Root()); }) == 0);
  std::vector<Subject> subjects;
  subjects.emplace_back(root, "linear-learner",
                        Hyperparameters{{"predictor_type", "regressor"}, {"epochs", "2"}, {"mini_batch_size", "20"}});
  subjects.emplace_back(
      root, "kmeans",
      Hyperparameters{
          {"feature_dim", "2"}, {"k", "2"}, {"mini_batch_size", "20"}, {"extra_center_factor", "2"}, {"epochs", "1"}});
  subjects.emplace_back(root, "pca",
                        Hyperparameters{{"feature_dim", "2"}, {"num_components", "1"}, {"mini_batch_size", "20"}});
  subjects.emplace_back(
      root, "pca",
      Hyperparameters{
          {"feature_dim", "2"}, {"num_components", "1"}, {"mini_batch_size", "20"}, {"algorithm_mode", "randomized"}});
  subjects.emplace_back(root, "xgboost", Hyperparameters{{"num_round", "2"}, {"nthread", "1"}, {"max_depth", "2"}});
  return subjects;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto* const subjects = new std::vector<Subject>(Subjects());
  if (size < 2) return 0;
  const Subject& subject = (*subjects)[data[0] % subjects->size()];
  const std::string& good = subject.saved[data[1] % subject.saved.size()];
  // Its name and what it belongs to stay: with others it is not looked into.
  const size_t head = good.find('\0') + 1 + 2 * sizeof(uint64_t);
  const std::string_view edits(reinterpret_cast<const char*>(data) + 2, size - 2);
  std::string body = Edited(good.substr(0, good.size() - kChecksumBytes), head, edits);
  subject.GoOnFrom(std::move(body) + std::string(kChecksumBytes, '\0'));
  return 0;
}
