#include "algorithms/xgboost/xgboost.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "algorithms/test_observer.h"
#include "algorithms/xgboost/metrics.h"
#include "algorithms/xgboost/settings.h"
#include "algorithms/xgboost/xgboost_model.h"
#include "base/files.h"
#include "base/json.h"
#include "base/random.h"
#include "data/recordio.h"
#include "data/test_files.h"

namespace argosy::algorithms::xgboost {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Row {
  float label;
  std::vector<float> features;
};

// Label 1 when the first two of four features agree in sign.
std::vector<Row> Rows(size_t count, uint64_t seed) {
  SeededRandom random(seed);
  std::vector<Row> rows;
  for (size_t r = 0; r < count; ++r) {
    Row row{0, {}};
    for (int c = 0; c < 4; ++c)
      row.features.push_back(static_cast<float>(std::round(random.Normal() * 100) / 10 + 0.05));
    row.label = row.features[0] * row.features[1] > 0 ? 1.0F : 0.0F;
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string Csv(const std::vector<Row>& rows) {
  std::string text;
  for (const Row& row : rows) {
    text += std::to_string(static_cast<int>(row.label));
    for (const float value : row.features) text += "," + std::to_string(value);
    text += "\n";
  }
  return text;
}

std::string Libsvm(const std::vector<Row>& rows) {
  std::string text;
  for (const Row& row : rows) {
    text += std::to_string(static_cast<int>(row.label));
    for (size_t c = 0; c < row.features.size(); ++c) {
      text += " " + std::to_string(c) + ":" + std::to_string(row.features[c]);
    }
    text += "\n";
  }
  return text;
}

std::string Records(const std::vector<Row>& rows) {
  std::string bytes;
  for (const Row& row : rows) data::AppendDataRecord(row.features, {&row.label, 1}, bytes);
  return bytes;
}

class XGBoostTest : public testing::Test {
 protected:
  XGBoostTest() {
    request_.model_dir = directory_.path() / "model";
    request_.scratch_dir = directory_.path();
    request_.threads = 2;
    std::filesystem::create_directories(request_.model_dir);
    request_.hyperparameters = {{"num_round", "8"}, {"max_depth", "3"}, {"objective", "binary:logistic"}};
    SetTrain(Csv(Rows(500, 1)));
  }
  void SetTrain(const std::string& bytes, const std::string& type = "text/csv") {
    request_.channels = {{"train", type, "", {directory_.Write("train", bytes)}}};
  }
  void SetValidation(const std::string& bytes, const std::string& type = "text/csv") {
    request_.channels.push_back({"validation", type, "", {directory_.Write("validation", bytes)}});
  }
  std::string Fault() {
    const Status trained = algorithm_.Train(request_, observer_);
    if (!trained.ok()) EXPECT_EQ(trained.error().code(), ErrorCode::kInvalidArgument);
    return trained.ok() ? "" : trained.error().message();
  }
  std::string Booster() const { return *ReadFile(request_.model_dir / kBoosterFile, 10 << 20); }
  Json ModelJson() const { return *ParseJson(*ReadFile(request_.model_dir / "model.json", 1 << 20)); }
  std::string Predict(const std::string& type, const std::string& accept, const std::string& body) {
    const auto predictor = algorithm_.Load(request_.model_dir);
    Check(predictor.ok(), predictor.ok() ? "" : predictor.error().message());
    const auto result = (*predictor)->Predict(type, accept, body);
    if (const auto* error = std::get_if<model::PredictionError>(&result)) {
      return std::to_string(error->status) + " " + error->message;
    }
    return std::get<model::Prediction>(result).body;
  }

  const data::TestDirectory directory_;
  TrainingRequest request_;
  TestObserver observer_;
  const XGBoost algorithm_;
};

TEST_F(XGBoostTest, LearnsWhatNoLineDividesAndLogsEachRound) {
  SetValidation(Csv(Rows(200, 2)));
  request_.hyperparameters["num_round"] = "20";
  request_.hyperparameters["eval_metric"] = "['error', 'auc', 'accuracy']";
  ASSERT_EQ(Fault(), "");
  EXPECT_GT(observer_.Metric("validation:accuracy"), 0.9);
  EXPECT_NEAR(observer_.Metric("validation:accuracy"), 1 - observer_.Metric("validation:error"), 1e-5);
  EXPECT_GT(observer_.Metric("train:auc"), 0.97);
  EXPECT_EQ(observer_.Count("[19]\ttrain-error:"), 1);
  EXPECT_EQ(observer_.Count("\tvalidation-accuracy:"), 20);
  EXPECT_EQ(observer_.progress(), 1);
  EXPECT_EQ(ModelJson()["training"]["rounds"], 20);
}

TEST_F(XGBoostTest, AllFormatsOfOneTableGiveOneModel) {
  const std::vector<Row> rows = Rows(700, 3);
  for (const char* method : {"exact", "hist"}) {
    request_.hyperparameters["tree_method"] = method;
    SetTrain(Csv(rows));
    ASSERT_EQ(Fault(), "");
    const std::string expected = Booster();
    for (const auto& [bytes, type] : {std::pair{Libsvm(rows), "text/libsvm"},
                                      {Libsvm(rows), "text/x-libsvm"},
                                      {Records(rows), "application/x-recordio-protobuf"},
                                      {data::GzipBytes(Libsvm(rows)), "text/libsvm"},
                                      {Libsvm(rows), ""},
                                      {Records(rows), ""},
                                      {Csv(rows), ""}}) {
      SetTrain(bytes, type);
      ASSERT_EQ(Fault(), "") << type;
      EXPECT_EQ(Booster(), expected) << type << " " << method;
    }
  }
}

TEST_F(XGBoostTest, WeightsOfCsvAndLibsvmAreTheSame) {
  const std::vector<Row> rows = Rows(300, 4);
  std::string csv;
  std::string libsvm;
  size_t i = 0;
  for (const Row& row : rows) {
    const std::string weight = std::to_string(i++ % 5);
    csv += Csv({row}).insert(1, "," + weight);
    libsvm += Libsvm({row}).insert(1, ":" + weight);
  }
  SetTrain(libsvm, "text/libsvm");
  ASSERT_EQ(Fault(), "");
  const std::string expected = Booster();
  SetTrain(csv);
  request_.hyperparameters["csv_weights"] = "1";
  ASSERT_EQ(Fault(), "");
  EXPECT_EQ(Booster(), expected);
  SetTrain(Csv(rows));
  request_.hyperparameters.erase("csv_weights");
  ASSERT_EQ(Fault(), "");
  EXPECT_NE(Booster(), expected);
  request_.hyperparameters["csv_weights"] = "1";
  EXPECT_THAT(Fault(), HasSubstr("csv_weights: the weight of row"));
}

TEST_F(XGBoostTest, AnEmptyFieldIsMissingAsWhatASparseRowDoesNotName) {
  std::string csv;
  std::string libsvm;
  size_t i = 0;
  for (Row& row : Rows(400, 5)) {
    std::string line = std::to_string(static_cast<int>(row.label));
    std::string sparse = line;
    for (size_t c = 0; c < row.features.size(); ++c) {
      const bool missing = ++i % 7 == 0;
      const std::string value = std::to_string(row.features[c]);
      line += "," + (missing ? (i % 2 == 0 ? "" : "NaN") : value);
      if (!missing) sparse += " " + std::to_string(c) + ":" + value;
    }
    csv += line + "\n";
    libsvm += sparse + "\n";
  }
  SetTrain(csv);
  ASSERT_EQ(Fault(), "");
  const std::string expected = Booster();
  const std::string row = Predict("text/csv", "", "1,,2,3\n");
  EXPECT_EQ(Predict("text/libsvm", "", "0:1 2:2 3:3\n"), row);
  EXPECT_EQ(Predict("text/csv", "", "1,nan,2,3\n"), row);
  EXPECT_EQ(Predict("application/json", "text/csv", R"({"instances":[{"features":[1,null,2,3]}]})"), row);
  EXPECT_EQ(Predict("application/json", "text/csv",
                    R"({"instances":[{"data":{"features":{"keys":[0,2,3],"shape":[4],"values":[1,2,3]}}}]})"),
            row);
  SetTrain(libsvm, "text/libsvm");
  ASSERT_EQ(Fault(), "");
  EXPECT_EQ(Booster(), expected);
}

TEST_F(XGBoostTest, AnswersInAllFormatsCsvFirst) {
  ASSERT_EQ(Fault(), "");
  const std::string csv = Predict("text/csv", "", "5,5,1,1\n5,-5,1,1\n");
  const size_t newline = csv.find('\n');
  ASSERT_NE(newline, std::string::npos);
  EXPECT_GT(std::stod(csv), 0.5);
  EXPECT_LT(std::stod(csv.substr(newline)), 0.5);
  EXPECT_THAT(Predict("text/csv", "application/json", "5,5,1,1"), HasSubstr(R"({"predictions":[{"score":0.)"));
  EXPECT_THAT(Predict("text/csv", "application/jsonlines", "5,5,1,1"), HasSubstr(R"({"score":0.)"));
  EXPECT_FALSE(Predict("text/csv", "application/x-recordio-protobuf", "5,5,1,1").empty());
  EXPECT_THAT(Predict("text/csv", "", "5,5,1"), HasSubstr("400 line 1: the row has 3 columns where 4 are expected"));
  EXPECT_THAT(Predict("text/libsvm", "", "4:1"), HasSubstr("400 line 1: it names column 4"));
  EXPECT_THAT(Predict("text/libsvm", "", "x"), HasSubstr("400 line 1: 'x' is no label"));
  EXPECT_THAT(Predict("text/plain", "", "x"), HasSubstr("415"));
  EXPECT_THAT(Predict("text/csv", "image/png", "5,5,1,1"), HasSubstr("406"));
}

TEST_F(XGBoostTest, ClassesAreScoredOrNamed) {
  std::string text;
  for (const Row& row : Rows(600, 6)) {
    text += std::to_string((row.features[0] > 0 ? 2 : 0) + (row.features[1] > 0 ? 1 : 0)) + Csv({row}).substr(1);
  }
  SetTrain(text);
  request_.hyperparameters["objective"] = "multi:softmax";
  EXPECT_THAT(Fault(), HasSubstr("'num_class' is a required property"));
  request_.hyperparameters["num_class"] = "4";
  ASSERT_EQ(Fault(), "");
  EXPECT_EQ(Predict("text/csv", "", "5,-5,0,0\n-5,5,0,0\n"), "2\n1\n");
  request_.hyperparameters["objective"] = "multi:softprob";
  request_.hyperparameters["eval_metric"] = "f1_macro,merror";
  ASSERT_EQ(Fault(), "");
  const std::string row = Predict("text/csv", "application/json", "5,-5,0,0");
  EXPECT_THAT(row, HasSubstr(R"("score":[0.)"));
  EXPECT_EQ(std::count(row.begin(), row.end(), ','), 3);
  EXPECT_GT(observer_.Metric("train:f1_macro"), 0.9);
  request_.hyperparameters["num_class"] = "3";
  EXPECT_THAT(Fault(), HasSubstr("label '3' is not an integer between 0 and 2"));
}

TEST_F(XGBoostTest, TextColumnsAndLabelsAreNumbered) {
  std::string text = "colour,size,verdict\n";
  for (int i = 0; i < 300; ++i) {
    const char* colour = i % 3 == 0 ? "red" : i % 3 == 1 ? "green" : "blue";
    text += std::string(colour) + "," + std::to_string(i % 7) + "," + (i % 3 == 1 ? "good" : "bad") + "\n";
  }
  SetTrain(text);
  request_.hyperparameters.merge(Hyperparameters{{"argosy_header", "auto"},
                                                 {"argosy_label", "verdict"},
                                                 {"argosy_label_map", "auto"},
                                                 {"argosy_categorical", "auto"}});
  ASSERT_EQ(Fault(), "");
  EXPECT_GT(std::stod(Predict("text/csv", "", "green,3")), 0.5);
  EXPECT_LT(std::stod(Predict("text/csv", "", "red,3")), 0.5);
  EXPECT_EQ(Predict("text/csv", "", "red,3,good"), Predict("text/csv", "", "red,3"));
  EXPECT_EQ(Predict("text/csv; header=present", "", "colour,size\nred,3"), Predict("text/csv", "", "red,3"));
  EXPECT_EQ(Predict("text/csv; header=present", "", "size,colour\n3,red"),
            "400 line 1: 'size' stands where 'colour' is expected");
  EXPECT_EQ(Predict("application/json", "text/csv", R"({"instances":[{"features":["red",3]}]})"),
            Predict("text/csv", "", "red,3"));
  const auto predictor = algorithm_.Load(request_.model_dir);
  std::string out;
  EXPECT_TRUE((*predictor)->PredictCsvRow("violet,3", out));
  EXPECT_EQ((*predictor)->unseen_categories(), 1U);
}

TEST_F(XGBoostTest, EndsEarlyAndKeepsTheBestRound) {
  std::string noise;
  SeededRandom random(9);
  for (Row& row : Rows(200, 10)) {
    row.label = random.Uniform() < 0.5 ? 0.0F : 1.0F;
    noise += Csv({row});
  }
  SetValidation(noise);
  request_.hyperparameters["num_round"] = "200";
  request_.hyperparameters["early_stopping_rounds"] = "5";
  ASSERT_EQ(Fault(), "");
  const Json training = ModelJson()["training"];
  const int best = training["best_round"];
  EXPECT_EQ(training["rounds"], best + 6);
  EXPECT_EQ(observer_.Count("early stopping: validation-logloss is best in round " + std::to_string(best)), 1);
  const Json model = *ParseJson(Booster());
  EXPECT_EQ(model["learner"]["gradient_booster"]["model"]["trees"].size(), static_cast<size_t>(best + 1));
  EXPECT_EQ(model["learner"]["attributes"]["best_iteration"], std::to_string(best));
}

TEST_F(XGBoostTest, AStoppedTrainingKeepsItsRounds) {
  request_.hyperparameters["num_round"] = "100000";
  observer_.StopAfterLine("[3]");
  ASSERT_EQ(Fault(), "");
  EXPECT_EQ(ModelJson()["training"]["rounds"], 4);
  TestObserver stopped;
  stopped.StopNow();
  const Status none = algorithm_.Train(request_, stopped);
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code(), ErrorCode::kCancelled);
}

TEST_F(XGBoostTest, GroupsRankWithin) {
  std::string text;
  for (int q = 0; q < 40; ++q) {
    for (int i = 0; i < 5; ++i) {
      text += std::to_string(i) + " qid:" + std::to_string(q) + " 0:" + std::to_string(i + 10 * (q % 3)) + "\n";
    }
  }
  SetTrain(text, "text/libsvm");
  request_.hyperparameters = {{"num_round", "20"}, {"objective", "rank:pairwise"}, {"eval_metric", "ndcg@3"}};
  ASSERT_EQ(Fault(), "");
  EXPECT_GT(observer_.Metric("train:ndcg@3"), 0.7);
  const std::string grouped = Booster();
  std::string ungrouped = text;
  for (size_t at; (at = ungrouped.find("qid:")) != std::string::npos;)
    ungrouped.erase(at, ungrouped.find(' ', at) - at);
  SetTrain(ungrouped, "text/libsvm");
  ASSERT_EQ(Fault(), "");
  EXPECT_NE(Booster(), grouped);
  SetTrain("1 qid:1 0:1\n0 qid:1 0:2\n1 qid:2 0:1\n0 qid:1 0:2\n", "text/libsvm");
  EXPECT_THAT(Fault(), testing::HasSubstr("qid:1 comes again in row 4: the rows of a group must stand together"));
}

TEST_F(XGBoostTest, ParametersReachTheLibrary) {
  ASSERT_EQ(Fault(), "");
  const std::string plain = Booster();
  for (const auto& [name, value] : Hyperparameters{{"eta", "0.1"},
                                                   {"learning_rate", "0.1"},
                                                   {"gamma", "5"},
                                                   {"max_depth", "2"},
                                                   {"min_child_weight", "50"},
                                                   {"max_delta_step", "0.1"},
                                                   {"subsample", "0.5"},
                                                   {"colsample_bytree", "0.5"},
                                                   {"colsample_bylevel", "0.5"},
                                                   {"colsample_bynode", "0.5"},
                                                   {"lambda", "20"},
                                                   {"reg_lambda", "20"},
                                                   {"alpha", "10"},
                                                   {"reg_alpha", "10"},
                                                   {"base_score", "0.1"},
                                                   {"scale_pos_weight", "5"},
                                                   {"num_parallel_tree", "2"},
                                                   {"booster", "dart"},
                                                   {"monotone_constraints", "(1,1,0,0)"},
                                                   {"interaction_constraints", "[[0,2],[1,3]]"},
                                                   {"tree_method", "approx"},
                                                   {"objective", "reg:squarederror"}}) {
    const Hyperparameters before = request_.hyperparameters;
    request_.hyperparameters[name] = value;
    ASSERT_EQ(Fault(), "") << name;
    EXPECT_NE(Booster(), plain) << name;
    request_.hyperparameters = before;
  }
  // Those that only some methods have.
  request_.hyperparameters["tree_method"] = "hist";
  ASSERT_EQ(Fault(), "");
  const std::string hist = Booster();
  for (const auto& [name, value] :
       Hyperparameters{{"max_bin", "4"}, {"grow_policy", "lossguide"}, {"max_leaves", "3"}}) {
    const Hyperparameters before = request_.hyperparameters;
    request_.hyperparameters[name] = value;
    ASSERT_EQ(Fault(), "") << name;
    EXPECT_NE(Booster(), hist) << name;
    request_.hyperparameters = before;
  }
}

TEST_F(XGBoostTest, WhatIsWrongIsSaid) {
  const auto with = [&](Hyperparameters changed) {
    const Hyperparameters before = request_.hyperparameters;
    for (auto& [name, value] : changed) request_.hyperparameters[name] = value;
    const std::string fault = Fault();
    request_.hyperparameters = before;
    return fault;
  };
  EXPECT_THAT(with({{"eta", "2"}}), HasSubstr("Hyperparameter eta: '2' is not valid"));
  EXPECT_THAT(with({{"objective", "binary:sigmoid"}}), HasSubstr("Hyperparameter objective: 'binary:sigmoid'"));
  EXPECT_THAT(with({{"tree_method", "gpu_hist"}}), HasSubstr("has no GPU"));
  EXPECT_THAT(with({{"num_class", "2"}}), HasSubstr("only multi:softmax and multi:softprob have it"));
  EXPECT_THAT(with({{"eval_metric", "rmsee"}}), HasSubstr("'rmsee' is not valid: there is no such metric"));
  EXPECT_THAT(with({{"eval_metric", "r2"}}), HasSubstr("objective binary:logistic does not have it"));
  const std::string depth = with({{"tree_method", "auto"}, {"max_depth", "0"}});
  EXPECT_THAT(depth, HasSubstr("Hyperparameters objective=binary:logistic, max_depth=0 do not go with this data: "));
  EXPECT_THAT(depth, HasSubstr("XGBoost: exact tree method doesn't support unlimited depth."));
  request_.hyperparameters.erase("num_round");
  EXPECT_THAT(Fault(), HasSubstr("num_round"));
  request_.hyperparameters["num_round"] = "2";
  SetTrain("3,1\n0,2\n");
  EXPECT_THAT(Fault(), HasSubstr("label '3' of row 1 is not a number from 0 to 1"));
  SetTrain("1 0:1\n");
  EXPECT_THAT(Fault(), HasSubstr("Unable to read data channel 'train'. Requested content-type is 'text/csv'"));
  SetTrain("1,1\n", "text/tsv");
  EXPECT_THAT(Fault(),
              HasSubstr("use text/libsvm, text/csv, application/jsonlines, application/x-recordio-protobuf or"));
  SetTrain("1,1\n", "text/csv;label_size=0");
  EXPECT_THAT(Fault(), HasSubstr("label_size=1"));
  SetTrain(Csv(Rows(10, 1)));
  SetValidation("1,2\n");
  EXPECT_THAT(Fault(), HasSubstr("columns"));
  SetTrain(Csv(Rows(10, 1)));
  SetValidation(Libsvm(Rows(10, 1)), "text/libsvm");
  EXPECT_THAT(Fault(), HasSubstr("channel 'validation': its format differs"));
  SetTrain("1\n0\n", "text/libsvm");
  EXPECT_THAT(Fault(), HasSubstr("no row has a value"));
  request_.channels.push_back({"test", "text/csv", "", request_.channels[0].files});
  EXPECT_THAT(Fault(), HasSubstr("channel 'test' is not known"));
}

TEST_F(XGBoostTest, SageMakersOwnArtifactIsRead) {
  ASSERT_EQ(Fault(), "");
  const std::string before = Predict("text/csv", "", "1,2,3,4");
  std::filesystem::remove(request_.model_dir / "model.json");
  EXPECT_EQ(Predict("text/csv", "", "1,2,3,4"), before);
  const auto found = FindAlgorithmOfArtifact(request_.model_dir);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ((*found)->name(), "xgboost");
}

TEST(ClassMetrics, AreScikitLearns) {
  // sklearn.metrics on the same labels.
  const std::vector<float> labels = {0, 1, 2, 2, 1, 0, 0, 1};
  const std::vector<float> guesses = {0, 2, 2, 2, 1, 0, 1, 1};
  const auto of = [&](const char* name) { return ClassMetric(name, labels, guesses, 3); };
  EXPECT_DOUBLE_EQ(of("accuracy"), 0.75);
  EXPECT_NEAR(of("balanced_accuracy"), 0.7777778, 1e-7);
  EXPECT_NEAR(of("precision_macro"), 0.7777778, 1e-7);
  EXPECT_NEAR(of("recall_macro"), 0.7777778, 1e-7);
  EXPECT_NEAR(of("f1_macro"), 0.7555556, 1e-7);
  EXPECT_NEAR(of("f1"), 0.7555556, 1e-7);
  EXPECT_DOUBLE_EQ(of("precision_micro"), 0.75);
  EXPECT_DOUBLE_EQ(of("recall_micro"), 0.75);
  const std::vector<float> two = {0, 1, 1, 1, 0, 0, 0, 1};
  const std::vector<float> answers = {0, 1, 1, 0, 1, 1, 0, 1};
  EXPECT_DOUBLE_EQ(ClassMetric("precision", two, answers, 2), 0.6);
  EXPECT_DOUBLE_EQ(ClassMetric("recall", two, answers, 2), 0.75);
  EXPECT_NEAR(ClassMetric("f1_binary", two, answers, 2), 2.0 / 3, 1e-12);
  const std::vector<float> numbers = {1, 2, 3, 4};
  const std::vector<float> near = {1.5, 2, 2.5, 4};
  EXPECT_DOUBLE_EQ(ClassMetric("mse", numbers, near, 2), 0.125);
  EXPECT_DOUBLE_EQ(ClassMetric("r2", numbers, near, 2), 0.9);
}

}  // namespace
}  // namespace argosy::algorithms::xgboost
