// Trains a built-in algorithm in this process, from files to artifact, and prints one line of JSON: seconds and
// metrics. What linear_quality.py and the like drive.
//
//   bench_train ALGORITHM THREADS[xHOSTS] TRAIN.csv[,MORE.csv …] TEST.csv|- [hyperparameter=value …]
//
// ARGOSY_BENCH_LOG=1 shows the training's log on standard error.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <sstream>
#include <string>

#include "algorithms/algorithm.h"
#include "collective/test_hosts.h"
#include "data/input_file.h"

namespace {

class Collector final : public argosy::algorithms::TrainingObserver {
 public:
  void OnLogLine(std::string_view line) override {
    if (tells) std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
  }
  void OnMetric(std::string_view name, double value) override { metrics[std::string(name)] = value; }
  void OnProgress(double, uint64_t) override {}
  bool StopRequested() const override { return false; }
  std::map<std::string, double> metrics;
  const bool tells = std::getenv("ARGOSY_BENCH_LOG") != nullptr;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(stderr, "usage: %s ALGORITHM THREADS[xHOSTS] TRAIN.csv TEST.csv|- [hyperparameter=value ...]\n",
                 argv[0]);
    return 2;
  }
  const argosy::algorithms::Algorithm* const algorithm = argosy::algorithms::FindAlgorithm(argv[1]);
  if (algorithm == nullptr) {
    std::fprintf(stderr, "there is no algorithm '%s'\n", argv[1]);
    return 2;
  }
  argosy::algorithms::TrainingRequest request;
  request.threads = static_cast<unsigned>(std::atoi(argv[2]));
  const char* const times = std::strchr(argv[2], 'x');
  const size_t hosts = times == nullptr ? 1 : static_cast<size_t>(std::atoi(times + 1));
  std::vector<argosy::data::InputFile> files;
  std::istringstream paths(argv[3]);
  for (std::string path; std::getline(paths, path, ',');) files.emplace_back(std::filesystem::path(path));
  request.channels.push_back({"train", "text/csv", "", files});
  const char* const other = std::string_view(argv[1]) == "xgboost" ? "validation" : "test";
  if (std::string_view(argv[4]) != "-")
    request.channels.push_back({other, "text/csv", "", {std::filesystem::path(argv[4])}});
  for (int i = 5; i < argc; ++i) {
    const std::string option = argv[i];
    const size_t equals = option.find('=');
    if (equals == std::string::npos) {
      std::fprintf(stderr, "'%s' is not hyperparameter=value\n", argv[i]);
      return 2;
    }
    request.hyperparameters[option.substr(0, equals)] = option.substr(equals + 1);
  }
  std::string directory = (std::filesystem::temp_directory_path() / "argosy-bench-XXXXXX").string();
  if (::mkdtemp(directory.data()) == nullptr) return 1;
  request.model_dir = directory;

  Collector collector;
  const auto begin = std::chrono::steady_clock::now();
  argosy::Status trained;
  argosy::collective::Traffic traffic;
  if (hosts == 1) {
    trained = algorithm->Train(request, collector);
  } else {
    // Hosts as threads of one process, over real sockets.
    argosy::collective::RunHosts(hosts, [&](argosy::collective::Group& group) {
      argosy::algorithms::TrainingRequest mine = request;
      mine.group = &group;
      mine.model_dir = directory + "/" + std::to_string(group.rank());
      std::filesystem::create_directories(mine.model_dir);
      Collector other;
      const bool head = group.rank() == 0;
      const argosy::Status status = algorithm->Train(mine, head ? collector : other);
      if (head) trained = status;
      if (head) traffic = group.traffic();
    });
  }
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
  std::error_code ignored;
  std::filesystem::remove_all(directory, ignored);
  if (!trained) {
    std::fprintf(stderr, "%s\n", trained.error().message().c_str());
    return 1;
  }
  std::printf("{\"seconds\": %.3f", spent.count());
  if (hosts > 1) std::printf(", \"rounds\": %lu, \"bytes_sent\": %lu", traffic.rounds, traffic.bytes_sent);
  for (const auto& [name, value] : collector.metrics) std::printf(", \"%s\": %.17g", name.c_str(), value);
  std::printf("}\n");
  return 0;
}
