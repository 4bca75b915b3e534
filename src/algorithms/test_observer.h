// Only for tests: keeps what a training reports.
#pragma once

#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "algorithms/algorithm.h"

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

}  // namespace argosy::algorithms
