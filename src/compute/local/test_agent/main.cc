// The real agent with one learner, "obedient", that does what its hyperparameters say.
//
//   lines=N          writes N log lines
//   metric=x         reports train:told = x and logs "value=x"
//   fail=user|self   ends with an error of that kind
//   wait=stop        trains until it is asked to stop
//   die=signal       kills its own process
//   eat=MiB          takes that much memory
//   output=text      leaves it in notes.txt beside the model, where a container finds /opt/ml/output/data
// Its model answers each body with itself; "slow" bodies wait, "fail" is a model error.
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>
#include <vector>

#include "agent/agent.h"
#include "base/bytes.h"
#include "base/files.h"

namespace argosy {
namespace {

class Echo final : public model::Predictor {
 public:
  explicit Echo(std::string prefix) : prefix_(std::move(prefix)) {}
  model::PredictionResult Predict(std::string_view, std::string_view, std::string_view body) const override {
    if (body == "fail") return model::PredictionError{400, "told to fail"};
    return model::Prediction{"text/plain", prefix_ + std::string(body)};
  }
  bool PredictCsvRow(std::string_view, std::string&) const override { return false; }
  uint64_t unseen_categories() const override { return 0; }

 private:
  const std::string prefix_;
};

class Obedient final : public algorithms::Algorithm {
 public:
  std::string_view name() const override { return "obedient"; }
  std::string_view artifact_format() const override { return "test"; }

  Status Validate(const algorithms::Hyperparameters& told) const override {
    if (told.contains("invalid")) return Error(ErrorCode::kInvalidArgument, "invalid is not a hyperparameter");
    return {};
  }
  std::vector<algorithms::LoggedMetric> Metrics(const algorithms::Hyperparameters& /*given*/) const override {
    return {};
  }

  Status Train(const algorithms::TrainingRequest& request, algorithms::TrainingObserver& observer) const override {
    const auto told = [&](const char* name) {
      const auto it = request.hyperparameters.find(name);
      return it == request.hyperparameters.end() ? std::string() : it->second;
    };
    for (int64_t i = 0, n = ParseInt(told("lines")).value_or(0); i < n; ++i) {
      observer.OnLogLine("line " + std::to_string(i));
    }
    if (const auto value = ParseDouble(told("metric"))) {
      observer.OnMetric("train:told", *value);
      observer.OnLogLine("value=" + told("metric") + ";");
    }
    if (told("fail") == "user") return Error(ErrorCode::kInvalidArgument, "the data is wrong");
    if (told("fail") == "self") return Error(ErrorCode::kInternal, "the learner is wrong");
    if (told("die") == "signal") raise(SIGKILL);
    std::vector<std::unique_ptr<char[]>> eaten;
    for (int64_t i = 0, n = ParseInt(told("eat")).value_or(0); i < n; ++i) {
      eaten.push_back(std::make_unique<char[]>(1 << 20));
      memset(eaten.back().get(), 1, 1 << 20);
    }
    if (told("wait") == "stop") {
      observer.OnLogLine("waiting");
      while (!observer.StopRequested()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    for (const algorithms::Channel& channel : request.channels) {
      for (const auto& file : channel.files) {
        const Result<std::string> text = ReadFile(file.path, 1 << 20);
        if (!text.ok()) return text.error();
        observer.OnLogLine(channel.name + " has " + *text);
      }
    }
    if (const std::string notes = told("output"); !notes.empty()) {
      const auto path = request.model_dir.parent_path() / "output" / "data" / "notes.txt";
      if (Status written = WriteFileAtomically(path, notes); !written.ok()) return written;
    }
    return WriteFileAtomically(request.model_dir / "model", "echo ");
  }

  Result<std::unique_ptr<model::Predictor>> Load(const std::filesystem::path& model_dir) const override {
    Result<std::string> prefix = ReadFile(model_dir / "model", 1 << 20);
    if (!prefix.ok()) return prefix.error();
    return std::unique_ptr<model::Predictor>(std::make_unique<Echo>(std::move(*prefix)));
  }
  std::string HyperparameterTable() const override { return {}; }
};

}  // namespace
}  // namespace argosy

int main(int argc, char** argv) {
  if (argc != 4 || std::string_view(argv[1]) != "agent" || std::string_view(argv[2]) != "--instance-dir") return 2;
  return argosy::agent::RunAgent(argv[3], [](std::string_view image) -> const argosy::algorithms::Algorithm* {
    static const argosy::Obedient obedient;
    return image == "obedient" ? &obedient : nullptr;
  });
}
