// What an algorithm says that it reports, against what a training reports and writes to its log.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "algorithms/test_observer.h"
#include "base/random.h"
#include "data/test_files.h"

namespace argosy::algorithms {
namespace {

using testing::UnorderedElementsAreArray;

struct Case {
  std::string algorithm;
  Hyperparameters hyperparameters;
  std::vector<std::string> channels = {"train", "validation"};
  int classes = 2;
  int least = 0;  // label
};

std::string Table(int rows, const Case& one, uint64_t seed) {
  SeededRandom random(seed);
  std::string text;
  for (int i = 0; i < rows; ++i) {
    const int label = one.least + static_cast<int>(random.Below(static_cast<uint64_t>(one.classes)));
    text += std::to_string(label) + "," + std::to_string(label + random.Normal()) + "," +
            std::to_string(random.Normal()) + "\n";
  }
  return text;
}

std::map<std::string, double> Found(const std::vector<LoggedMetric>& metrics, const std::vector<std::string>& lines) {
  std::map<std::string, double> found;
  for (const LoggedMetric& metric : metrics) {
    const std::regex pattern(metric.regex, std::regex::ECMAScript);
    std::smatch match;
    for (const std::string& line : lines) {
      if (std::regex_search(line, match, pattern)) found[metric.name] = std::stod(match[1].str());
    }
  }
  return found;
}

std::vector<Case> Cases() {
  std::vector<Case> cases = {
      {"kmeans", {{"k", "3"}, {"feature_dim", "3"}}, {"train", "test"}},
      {"pca", {{"num_components", "2"}, {"feature_dim", "3"}, {"mini_batch_size", "50"}}, {"train"}},
      {"linear-learner", {{"predictor_type", "binary_classifier"}}, {"train", "validation", "test"}},
      {"linear-learner", {{"predictor_type", "regressor"}}},
      {"linear-learner", {{"predictor_type", "multiclass_classifier"}, {"num_classes", "3"}}, {"train", "test"}, 3},
      {"xgboost", {{"num_round", "2"}, {"objective", "binary:logistic"}, {"eval_metric", "auc,error@0.7,f1"}}},
      {"xgboost", {{"num_round", "2"}, {"objective", "binary:logistic"}, {"eval_metric", "accuracy"}}, {"train"}},
      {"xgboost", {{"num_round", "2"}, {"objective", "reg:tweedie"}, {"tweedie_variance_power", "1.3"}}},
  };
  for (const char* objective :
       {"reg:squarederror", "reg:logistic", "reg:squaredlogerror", "reg:pseudohubererror", "reg:absoluteerror",
        "reg:tweedie", "binary:logistic", "binary:logitraw", "binary:hinge", "count:poisson", "survival:cox"}) {
    cases.push_back({"xgboost", {{"num_round", "2"}, {"objective", objective}}, {"train"}});
  }
  cases.push_back({"xgboost", {{"num_round", "2"}, {"objective", "reg:gamma"}}, {"train"}, 2, 1});
  cases.push_back({"xgboost",
                   {{"num_round", "2"}, {"objective", "multi:softprob"}, {"num_class", "3"}},
                   {"train", "validation"},
                   3});
  return cases;
}

TEST(LoggedMetrics, AreThoseReportedAndStandInTheLogWithTheSameValues) {
  for (const Case& one : Cases()) {
    const data::TestDirectory directory;
    TrainingRequest request;
    request.hyperparameters = one.hyperparameters;
    request.scratch_dir = directory.path();
    request.model_dir = directory.path() / "model";
    std::filesystem::create_directories(request.model_dir);
    uint64_t seed = 0;
    for (const std::string& channel : one.channels) {
      request.channels.push_back({channel, "text/csv", "", {directory.Write(channel, Table(300, one, ++seed))}});
    }
    Keeper observer;
    const Algorithm* const algorithm = FindAlgorithm(one.algorithm);
    const Status trained = algorithm->Train(request, observer);
    const std::string what = one.algorithm + " " + testing::PrintToString(one.hyperparameters);
    ASSERT_TRUE(trained.ok()) << what << ": " << trained.error().message();
    std::vector<LoggedMetric> metrics = algorithm->Metrics(one.hyperparameters);
    std::erase_if(metrics, [&](const LoggedMetric& metric) {
      const std::string channel = metric.name.substr(0, metric.name.find(':'));
      return std::find(one.channels.begin(), one.channels.end(), channel) == one.channels.end();
    });
    std::vector<std::string> names, reported;
    for (const LoggedMetric& metric : metrics) names.push_back(metric.name);
    for (const auto& [name, value] : observer.metrics_) reported.push_back(name);
    EXPECT_THAT(names, UnorderedElementsAreArray(reported)) << what;
    std::vector<std::string> lines;
    for (size_t at = 0; at < observer.log_.size();) {
      const size_t end = observer.log_.find('\n', at);
      lines.push_back(observer.log_.substr(at, end - at));
      at = end + 1;
    }
    const auto found = Found(metrics, lines);
    for (const auto& [name, value] : observer.metrics_) {
      ASSERT_TRUE(found.contains(name)) << what << " " << name;
      EXPECT_NEAR(found.at(name), value, 1e-6 * std::abs(value) + 1e-5) << what << " " << name;
    }
  }
}

TEST(LoggedMetrics, AreNoneOfHyperparametersThatAreNotValid) {
  EXPECT_TRUE(FindAlgorithm("linear-learner")->Metrics({{"predictor_type", "oracle"}}).empty());
  EXPECT_TRUE(FindAlgorithm("xgboost")->Metrics({}).empty());
}

}  // namespace
}  // namespace argosy::algorithms
