// _kfold and _num_cv_round.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "algorithms/test_observer.h"
#include "algorithms/xgboost/folds.h"
#include "algorithms/xgboost/xgboost.h"
#include "algorithms/xgboost/xgboost_model.h"
#include "base/files.h"
#include "base/json.h"
#include "base/random.h"
#include "data/test_files.h"

namespace argosy::algorithms::xgboost {
namespace {

using testing::HasSubstr;

// How many rows of each label each fold holds out.
std::vector<std::map<float, int>> CountsOf(std::span<const float> labels, std::span<const int> fold_of_row, int folds) {
  std::vector<std::map<float, int>> counts(static_cast<size_t>(folds));
  for (size_t r = 0; r < labels.size(); ++r) ++counts[static_cast<size_t>(fold_of_row[r])][labels[r]];
  return counts;
}

TEST(Folds, AreEvenOverAllAndInEachClass) {
  std::vector<float> labels;
  for (int r = 0; r < 103; ++r) labels.push_back(r % 10 == 0 ? 1.0F : 0.0F);  // 11 and 92
  SeededRandom random(3);
  const std::vector<int> dealt = DealFolds(labels, true, 5, random);
  for (const auto& counts : CountsOf(labels, dealt, 5)) {
    EXPECT_GE(counts.at(1), 2);
    EXPECT_LE(counts.at(1), 3);
    EXPECT_GE(counts.at(0) + counts.at(1), 20);
    EXPECT_LE(counts.at(0) + counts.at(1), 21);
  }
  SeededRandom same(3), other(4);
  EXPECT_EQ(DealFolds(labels, true, 5, same), dealt);
  EXPECT_NE(DealFolds(labels, true, 5, other), dealt);
}

TEST(Folds, EachRowIsHeldOutOnce) {
  const std::vector<float> labels(20, 0.5F);
  SeededRandom random(3);
  const std::vector<int> dealt = DealFolds(labels, false, 3, random);
  std::vector<int> all;
  for (int fold = 0; fold < 3; ++fold) {
    const std::vector<int> in = RowsOfFold(dealt, fold, true);
    EXPECT_EQ(in.size() + RowsOfFold(dealt, fold, false).size(), labels.size());
    all.insert(all.end(), in.begin(), in.end());
  }
  std::ranges::sort(all);
  for (size_t r = 0; r < labels.size(); ++r) EXPECT_EQ(all[r], static_cast<int>(r));
}

// The label of three classes is the number of features above 0.
std::string LabelledRows(int rows, int classes, uint64_t seed) {
  SeededRandom random(seed);
  std::string text;
  for (int r = 0; r < rows; ++r) {
    const double a = random.Normal() + 0.3 * random.Normal();
    const double b = random.Normal();
    const int label = classes == 3 ? (a > 0) + (b > 0) : (a + b > 0);
    text += std::to_string(label) + "," + std::to_string(a) + "," + std::to_string(b) + "\n";
  }
  return text;
}

class CrossValidationTest : public testing::Test {
 protected:
  CrossValidationTest() {
    request_.model_dir = directory_.path() / "model";
    request_.scratch_dir = directory_.path();
    request_.threads = 2;
    std::filesystem::create_directories(request_.model_dir);
    request_.hyperparameters = {{"num_round", "6"},
                                {"max_depth", "3"},
                                {"objective", "binary:logistic"},
                                {"eval_metric", "error"},
                                {"_kfold", "4"}};
    request_.channels = {{"train", "text/csv", "", {directory_.Write("train", LabelledRows(400, 2, 1))}}};
  }
  std::string Fault() {
    const Status trained = algorithm_.Train(request_, observer_);
    return trained.ok() ? "" : trained.error().message();
  }
  // What each model says of rows of two features, and what the artifact does.
  std::vector<std::vector<float>> Alone(std::span<const float> rows, size_t count) {
    std::vector<std::vector<float>> all;
    for (const std::filesystem::path& file : BoosterFiles(request_.model_dir)) {
      const auto model = TreeModel::Parse(*ReadFile(file, 10 << 20));
      Check(model.ok());
      std::vector<float> values(count * model->outputs());
      model->Predict(rows, count, values);
      all.push_back(std::move(values));
    }
    return all;
  }
  std::vector<float> Together(std::string_view csv) {
    const auto predictor = algorithm_.Load(request_.model_dir);
    Check(predictor.ok(), predictor.ok() ? "" : predictor.error().message());
    const auto result = (*predictor)->Predict("text/csv", "application/jsonlines", csv);
    std::vector<float> values;
    std::string text = std::get<model::Prediction>(result).body;
    for (size_t at = 0; at < text.size();) {
      const size_t end = text.find('\n', at);
      const Json line = *ParseJson(text.substr(at, end - at));
      if (line.at("score").is_array()) {
        for (const Json& value : line.at("score")) values.push_back(value.get<float>());
      } else {
        values.push_back(line.at("score").get<float>());
      }
      at = end + 1;
    }
    return values;
  }

  const data::TestDirectory directory_;
  TrainingRequest request_;
  TestObserver observer_;
  const XGBoost algorithm_;
};

TEST_F(CrossValidationTest, TrainsAModelForEachFoldAndAnswersWithTheirMean) {
  ASSERT_EQ(Fault(), "");
  ASSERT_EQ(BoosterFiles(request_.model_dir).size(), 4U);
  EXPECT_EQ(observer_.Count("fold "), 4);
  EXPECT_EQ(observer_.Count("[5]\ttrain-error:"), 4) << "all rounds of each";
  EXPECT_TRUE(observer_.HasLine("mean of 4 models: [6]\ttrain-error:"));
  EXPECT_EQ(observer_.progress(), 1);
  const std::vector<float> rows = {1, 1, -1, -1, 0.2F, -0.1F};
  const auto alone = Alone(rows, 3);
  const std::vector<float> together = Together("1,1\n-1,-1\n0.2,-0.1\n");
  ASSERT_EQ(together.size(), 3U);
  EXPECT_NE(alone[0], alone[1]) << "they have seen other rows";
  for (size_t row = 0; row < 3; ++row) {
    double sum = 0;
    for (const auto& values : alone) sum += values[row];
    EXPECT_NEAR(together[row], sum / 4, 1e-6);
  }
  const Json json = *ParseJson(*ReadFile(request_.model_dir / "model.json", 1 << 20));
  EXPECT_EQ(json["training"]["rows"], 400);
  EXPECT_EQ(json["files"].size(), 4U);
}

TEST_F(CrossValidationTest, MetricsAreTheMeansOfTheModels) {
  Keeper keeper;
  ASSERT_TRUE(algorithm_.Train(request_, keeper).ok());
  double sum = 0;
  int found = 0;
  for (size_t at = keeper.log_.find("[5]\t"); at != std::string::npos; at = keeper.log_.find("[5]\t", at + 1)) {
    const size_t value = keeper.log_.find("validation-error:", at);
    sum += std::stod(keeper.log_.substr(value + 17));
    ++found;
  }
  ASSERT_EQ(found, 4);
  EXPECT_NEAR(keeper.metrics_.at("validation:error"), sum / 4, 1e-5);
}

TEST_F(CrossValidationTest, RowsAreDealtAnewEachRound) {
  request_.hyperparameters["_num_cv_round"] = "3";
  request_.hyperparameters["_kfold"] = "2";
  ASSERT_EQ(Fault(), "");
  ASSERT_EQ(BoosterFiles(request_.model_dir).size(), 6U);
  std::set<std::string> models;
  for (const auto& file : BoosterFiles(request_.model_dir)) models.insert(*ReadFile(file, 10 << 20));
  EXPECT_EQ(models.size(), 6U);
}

TEST_F(CrossValidationTest, RowsOfValidationAreDealtToo) {
  request_.channels.push_back(
      {"validation", "text/csv", "", {directory_.Write("validation", LabelledRows(101, 2, 2))}});
  ASSERT_EQ(Fault(), "");
  EXPECT_TRUE(observer_.HasLine("501 rows of train"));
  request_.channels[1].content_type = "text/libsvm";
  EXPECT_THAT(Fault(), HasSubstr("the same content type"));
}

TEST_F(CrossValidationTest, ClassesAreVotedOnAndProbabilitiesAveraged) {
  request_.channels[0].files = {directory_.Write("three", LabelledRows(400, 3, 5))};
  request_.hyperparameters["objective"] = "multi:softmax";
  request_.hyperparameters["num_class"] = "3";
  request_.hyperparameters["eval_metric"] = "merror";
  request_.hyperparameters["num_round"] = "1";
  request_.hyperparameters["_kfold"] = "3";
  ASSERT_EQ(Fault(), "");
  std::vector<float> rows;
  std::string csv;
  for (int i = 0; i < 40; ++i) {  // across the borders, where models differ
    rows.insert(rows.end(), {0.02F * static_cast<float>(i - 20), 0.02F * static_cast<float>(20 - i)});
    csv += std::to_string(rows[rows.size() - 2]) + "," + std::to_string(rows.back()) + "\n";
  }
  const auto alone = Alone(rows, 40);
  const std::vector<float> together = Together(csv);
  for (size_t row = 0; row < 40; ++row) {
    std::map<float, int> votes;
    for (const auto& values : alone) ++votes[values[row]];
    for (const auto& [label, number] : votes) EXPECT_LE(number, votes.at(together[row])) << row;
  }
  request_.hyperparameters["objective"] = "multi:softprob";
  std::filesystem::remove_all(request_.model_dir);
  std::filesystem::create_directories(request_.model_dir);
  ASSERT_EQ(Fault(), "");
  const std::vector<float> scores = Together("0.5,0.5\n");
  ASSERT_EQ(scores.size(), 3U);
  EXPECT_NEAR(scores[0] + scores[1] + scores[2], 1, 1e-5);
}

TEST_F(CrossValidationTest, AStoppedOneKeepsTheModelsItHas) {
  observer_.StopAfterLine("fold 3 of 4");
  ASSERT_EQ(Fault(), "");
  EXPECT_EQ(BoosterFiles(request_.model_dir).size(), 2U);
}

TEST_F(CrossValidationTest, WhatCannotBeIsSaid) {
  const auto with = [&](const std::map<std::string, std::string>& more) {
    Hyperparameters all = request_.hyperparameters;
    for (const auto& [name, value] : more) all[name] = value;
    const Status valid = algorithm_.Validate(all);
    return valid.ok() ? "" : valid.error().message();
  };
  EXPECT_THAT(with({{"_kfold", "1"}}), HasSubstr("_kfold"));
  EXPECT_THAT(with({{"objective", "rank:ndcg"}, {"eval_metric", "ndcg"}}), HasSubstr("query group"));
  request_.hyperparameters.erase("_kfold");
  EXPECT_THAT(with({{"_num_cv_round", "2"}}), HasSubstr("needs _kfold"));
  request_.hyperparameters["_kfold"] = "500";
  EXPECT_THAT(Fault(), HasSubstr("400 rows cannot be dealt into 500 folds"));
  request_.initial_model = request_.model_dir;
  EXPECT_THAT(Fault(), HasSubstr("channel 'model'"));
}

}  // namespace
}  // namespace argosy::algorithms::xgboost
