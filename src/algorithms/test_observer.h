// Only for tests: keeps what a training reports and leaves.
#pragma once

#include <atomic>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "algorithms/algorithm.h"
#include "base/files.h"

namespace argosy::algorithms {

class TestObserver final : public TrainingObserver {
 public:
  void OnLogLine(std::string_view line) override {
    lines_.emplace_back(line);
    if (!stop_line_.empty() && line.find(stop_line_) != std::string_view::npos) stop_ = true;
  }
  void OnMetric(std::string_view name, double value) override { metrics_[std::string(name)] = value; }
  void OnProgress(double fraction, uint64_t rows) override {
    Check(fraction >= progress_ && fraction <= 1 && rows >= rows_, "progress went back");
    progress_ = fraction == 1 ? 0 : fraction;  // the next training starts anew
    last_progress_ = fraction;
    rows_ = fraction == 1 ? 0 : rows;
  }
  bool StopRequested() const override { return stop_; }

  void StopNow() { stop_ = true; }
  void StopAfterLine(std::string text) { stop_line_ = std::move(text); }

  bool HasMetric(const std::string& name) const { return metrics_.contains(name); }
  double Metric(const std::string& name) const {
    const auto at = metrics_.find(name);
    Check(at != metrics_.end(), "no such metric");
    return at->second;
  }
  int Count(std::string_view part) const {
    int count = 0;
    for (const std::string& line : lines_) count += line.find(part) != std::string::npos ? 1 : 0;
    return count;
  }
  bool HasLine(std::string_view part) const { return Count(part) > 0; }
  double progress() const { return last_progress_; }

 private:
  std::vector<std::string> lines_;
  std::map<std::string, double> metrics_;
  double progress_ = 0;
  double last_progress_ = 0;
  uint64_t rows_ = 0;
  std::string stop_line_;
  std::atomic<bool> stop_{false};
};

// Keeps every checkpoint that is saved, as a machine that dies right behind it would leave it.
class Keeper final : public TrainingObserver {
 public:
  void OnLogLine(std::string_view line) override { log_ += std::string(line) + "\n"; }
  void OnMetric(std::string_view name, double value) override { metrics_[std::string(name)] = value; }
  void OnProgress(double fraction, uint64_t rows) override {
    Check(fraction >= fraction_ && rows >= rows_, "progress went back");
    fraction_ = fraction;
    rows_ = rows;
  }
  void OnCheckpoint(const std::filesystem::path& file) override {
    const auto bytes = ReadFile(file, 100 << 20);
    Check(bytes.ok());
    checkpoints_.push_back(*bytes);
  }
  bool StopRequested() const override { return false; }

  std::vector<std::string> checkpoints_;
  std::string log_;
  std::map<std::string, double> metrics_;

 private:
  double fraction_ = 0;
  uint64_t rows_ = 0;
};

// The artifact's files, one behind the other.
inline std::string ArtifactBytes(const std::filesystem::path& model_dir) {
  std::string all;
  for (const char* name : {"model.json", "model.safetensors", "schema.json", "xgboost-model", "xgboost-model-0",
                           "xgboost-model-1", "xgboost-model-2", "xgboost-model-3"}) {
    if (std::filesystem::exists(model_dir / name)) all += *ReadFile(model_dir / name, 10 << 20);
  }
  return all;
}

}  // namespace argosy::algorithms
