// The linear learner as an agent uses it: channels in, artifact out, artifact loaded, rows answered.
#include "algorithms/linear/linear_learner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "algorithms/artifact_files.h"
#include "algorithms/linear/linear_model.h"
#include "algorithms/test_observer.h"
#include "base/files.h"
#include "base/json.h"
#include "base/random.h"
#include "data/test_files.h"

namespace argosy::algorithms::linear {
namespace {

using data::GzipBytes;
using data::TestDirectory;

// y = 1 where 2a - b + noise > 0, as label-first CSV.
std::string BinaryTable(size_t rows, uint64_t seed, double noise = 0.3) {
  SeededRandom random(seed);
  std::string text;
  for (size_t i = 0; i < rows; ++i) {
    const double a = random.Normal() * 10 + 50;
    const double b = random.Normal();
    const bool positive = 2 * (a - 50) / 10 - b + noise * random.Normal() > 0;
    text += std::string(positive ? "1" : "0") + "," + std::to_string(a) + "," + std::to_string(b) + "\n";
  }
  return text;
}

// y = 3 + 2a - 5b + noise.
std::string RegressionTable(size_t rows, uint64_t seed) {
  SeededRandom random(seed);
  std::string text;
  for (size_t i = 0; i < rows; ++i) {
    const double a = random.Normal() * 4 + 100;
    const double b = random.Uniform();
    text += std::to_string(3 + 2 * a - 5 * b + 0.1 * random.Normal()) + "," + std::to_string(a) + "," +
            std::to_string(b) + "\n";
  }
  return text;
}

class LinearLearnerTest : public ::testing::Test {
 protected:
  LinearLearnerTest() {
    request_.model_dir = directory_.path() / "model";
    request_.scratch_dir = directory_.path();
    std::filesystem::create_directory(request_.model_dir);
    request_.threads = 2;
  }

  void AddChannel(const std::string& name, const std::string& text, const std::string& content_type = "text/csv") {
    const auto file = directory_.Write(name + std::to_string(request_.channels.size()), text);
    request_.channels.push_back({name, content_type, "", {file}});
  }

  Status Train() { return learner_.Train(request_, observer_); }

  std::string ArtifactBytes() {
    std::string bytes;
    for (const char* name : {kWeightsFile, kModelFile, kSchemaFile}) {
      bytes += ReadFile(request_.model_dir / name, 1 << 26).value();
    }
    return bytes;
  }

  Json Ask(const std::string& rows, const std::string& content_type = "text/csv") {
    auto predictor = learner_.Load(request_.model_dir);
    if (!predictor.ok()) {
      ADD_FAILURE() << predictor.error().message();
      return {};
    }
    const auto answer = (*predictor)->Predict(content_type, "application/json", rows);
    if (const auto* error = std::get_if<model::PredictionError>(&answer)) {
      ADD_FAILURE() << error->status << " " << error->message;
      return {};
    }
    return ParseJson(std::get<model::Prediction>(answer).body).value()["predictions"];
  }

  std::string TrainError() {
    const Status trained = Train();
    EXPECT_FALSE(trained.ok());
    if (trained.ok()) return "";
    EXPECT_EQ(trained.error().code(), ErrorCode::kInvalidArgument);
    EXPECT_TRUE(std::filesystem::is_empty(request_.model_dir));
    return trained.error().message();
  }

  TestDirectory directory_;
  LinearLearner learner_;
  TrainingRequest request_;
  TestObserver observer_;
};

TEST_F(LinearLearnerTest, LearnsABoundaryAndPublishesSageMakersMetrics) {
  request_.hyperparameters = {{"predictor_type", "binary_classifier"}};
  AddChannel("train", BinaryTable(4000, 1));
  AddChannel("validation", BinaryTable(1000, 2));
  AddChannel("test", BinaryTable(1000, 3));
  const Status trained = Train();
  ASSERT_TRUE(trained.ok()) << trained.error().message();
  for (const char* channel : {"validation:", "test:"}) {
    EXPECT_GT(observer_.Metric(channel + std::string("binary_classification_accuracy")), 0.94);
    EXPECT_GT(observer_.Metric(channel + std::string("roc_auc_score")), 0.98);
    for (const char* name : {"objective_loss", "binary_f_beta", "precision", "recall"}) {
      EXPECT_TRUE(observer_.HasMetric(channel + std::string(name))) << name;
    }
  }
  EXPECT_LT(observer_.Metric("train:objective_loss"), 0.2);
  EXPECT_TRUE(
      observer_.HasLine("#quality_metric: host=algo-1, epoch=0, train "
                        "binary_classification_cross_entropy_objective <loss>="));
  EXPECT_TRUE(observer_.HasLine("#quality_metric: host=algo-1, test binary_classification_accuracy <score>="));
  EXPECT_TRUE(observer_.HasLine("#progress_metric: host=algo-1, completed "));
  EXPECT_EQ(observer_.progress(), 1);
  const Json answers = Ask("80,0\n20,0\n");
  EXPECT_EQ(answers[0]["predicted_label"], 1);
  EXPECT_EQ(answers[1]["predicted_label"], 0);
  EXPECT_GT(answers[0]["score"].get<double>(), 0.95);
  EXPECT_LT(answers[1]["score"].get<double>(), 0.05);
}

TEST_F(LinearLearnerTest, ArtifactBytesDoNotDependOnThreadsNorOnWhereRowsAreKept) {
  // Enough rows for several virtual shards and blocks; categories and text labels, whose numbering threads could
  // disturb.
  SeededRandom random(9);
  std::string text = "kind,x,y,colour\n";
  for (int i = 0; i < 70'000; ++i) {
    const double x = random.Normal();
    const uint64_t colour = random.Below(20);
    text += std::string(x + static_cast<double>(colour) / 10 > 1 ? "yes" : "no") + "," + std::to_string(x) + "," +
            std::to_string(random.Uniform()) + ",c" + std::to_string(colour) + "\n";
  }
  AddChannel("train", text);
  request_.hyperparameters = {
      {"predictor_type", "binary_classifier"}, {"argosy_header", "auto"}, {"argosy_label_map", "auto"},
      {"argosy_categorical", "auto"},          {"epochs", "2"},           {"num_models", "2"}};
  request_.threads = 1;
  ASSERT_TRUE(Train().ok());
  EXPECT_TRUE(observer_.HasLine("virtual shards")) << "no line tells the shards";
  const std::string expected = ArtifactBytes();
  for (const unsigned threads : {2U, 3U, 8U}) {
    request_.threads = threads;
    request_.memory_bytes = threads == 3 ? 1 << 20 : 0;  // rows spill to the scratch directory
    ASSERT_TRUE(Train().ok());
    EXPECT_EQ(ArtifactBytes(), expected) << threads << " threads";
  }
  request_.hyperparameters["argosy_seed"] = "5";
  ASSERT_TRUE(Train().ok());
  EXPECT_NE(ArtifactBytes(), expected) << "the seed has no effect";
}

TEST_F(LinearLearnerTest, RegressionFindsTheLeastSquaresLine) {
  request_.hyperparameters = {{"predictor_type", "regressor"}};
  AddChannel("train", RegressionTable(20'000, 1));
  AddChannel("validation", RegressionTable(5'000, 2));
  ASSERT_TRUE(Train().ok());
  // The noise has deviation 0.1, which no model can undercut.
  EXPECT_LT(observer_.Metric("validation:rmse"), 0.101);
  EXPECT_NEAR(observer_.Metric("validation:mse"), 0.01, 3e-4);
  EXPECT_TRUE(observer_.HasMetric("validation:absolute_loss"));
  EXPECT_TRUE(observer_.HasLine("train mse_objective <loss>="));
  EXPECT_NEAR(Ask("100,0.5\n")[0]["score"].get<double>(), 200.5, 0.05);
  EXPECT_FALSE(Ask("100,0.5\n")[0].contains("predicted_label"));
}

TEST_F(LinearLearnerTest, QuantileLossEstimatesTheQuantile) {
  SeededRandom random(3);
  std::string text;
  for (int i = 0; i < 20'000; ++i) {
    const double x = random.Uniform();
    text += std::to_string(x + random.Uniform() * 10) + "," + std::to_string(x) + "\n";
  }
  AddChannel("train", text);
  request_.hyperparameters = {{"predictor_type", "regressor"}, {"loss", "quantile_loss"}, {"quantile", "0.9"}};
  ASSERT_TRUE(Train().ok());
  EXPECT_NEAR(Ask("0.5\n")[0]["score"].get<double>(), 9.5, 0.15);
}

TEST_F(LinearLearnerTest, EveryRegressionLossFindsTheLine) {
  for (const char* loss :
       {"absolute_loss", "huber_loss", "eps_insensitive_squared_loss", "eps_insensitive_absolute_loss"}) {
    request_.channels.clear();
    AddChannel("train", RegressionTable(10'000, 1));
    request_.hyperparameters = {{"predictor_type", "regressor"}, {"loss", loss}};
    ASSERT_TRUE(Train().ok()) << loss;
    EXPECT_NEAR(Ask("100,0.5\n")[0]["score"].get<double>(), 200.5, 0.15) << loss;
  }
}

TEST_F(LinearLearnerTest, MulticlassWithTextLabels) {
  SeededRandom random(6);
  std::string text;
  for (int i = 0; i < 6000; ++i) {
    const double x = random.Uniform() * 3;
    text += std::to_string(x) + "," + std::to_string((x - 1.5) * (x - 1.5)) + "," +
            (x < 1   ? "low"
             : x < 2 ? "mid"
                     : "top") +
            "\r\n";
  }
  AddChannel("train", text);
  AddChannel("test", text);
  request_.hyperparameters = {
      {"predictor_type", "multiclass_classifier"}, {"argosy_label_map", "auto"}, {"argosy_label", "-1"}};
  ASSERT_TRUE(Train().ok());
  EXPECT_GT(observer_.Metric("test:multiclass_accuracy"), 0.95);
  for (const char* name : {"multiclass_top_k_accuracy", "dcg", "macro_f_beta", "macro_precision", "macro_recall"}) {
    EXPECT_TRUE(observer_.HasMetric("test:" + std::string(name))) << name;
  }
  const Json answers = Ask("0.2,1.69\n1.5,0\n2.8,1.69,top\n");  // the last one raw, with its label
  EXPECT_EQ(answers[0]["predicted_label"], "low");
  EXPECT_EQ(answers[1]["predicted_label"], "mid");
  EXPECT_EQ(answers[2]["predicted_label"], "top");
  EXPECT_EQ(answers[0]["score"].size(), 3U);
}

TEST_F(LinearLearnerTest, GzipByMagicOrByDeclarationGivesTheSameModel) {
  request_.hyperparameters = {{"predictor_type", "binary_classifier"}, {"epochs", "2"}};
  const std::string text = BinaryTable(3000, 1);
  AddChannel("train", text);
  ASSERT_TRUE(Train().ok());
  const std::string plain = ArtifactBytes();
  request_.channels.clear();
  AddChannel("train", GzipBytes(text));
  ASSERT_TRUE(Train().ok());
  EXPECT_EQ(ArtifactBytes(), plain);
  request_.channels[0].compression = "Gzip";
  ASSERT_TRUE(Train().ok());
  EXPECT_EQ(ArtifactBytes(), plain);
}

TEST_F(LinearLearnerTest, CategoriesAreEncodedAndUnseenOnesCounted) {
  std::string text;
  SeededRandom random(2);
  for (int i = 0; i < 4000; ++i) {
    const uint64_t c = random.Below(3);
    text +=
        std::to_string(c == 1 ? 5.0 : 1.0) + ",c" + std::to_string(c) + "," + std::to_string(random.Normal()) + "\n";
  }
  AddChannel("train", text);
  request_.hyperparameters = {{"predictor_type", "regressor"}, {"argosy_categorical", "auto"}};
  ASSERT_TRUE(Train().ok());
  auto predictor = learner_.Load(request_.model_dir);
  ASSERT_TRUE(predictor.ok()) << predictor.error().message();
  const Json answers = Ask("c1,0\nc0,0\n");
  EXPECT_NEAR(answers[0]["score"].get<double>(), 5, 0.1);
  EXPECT_NEAR(answers[1]["score"].get<double>(), 1, 0.1);
  std::string out;
  EXPECT_TRUE((*predictor)->PredictCsvRow("odd,0", out));
  EXPECT_EQ((*predictor)->unseen_categories(), 1U);
}

TEST_F(LinearLearnerTest, MissingValuesStandForTheMeanWhenAsked) {
  std::string text = RegressionTable(5000, 1);
  text += "203,,0.5\n";
  AddChannel("train", text);
  request_.hyperparameters = {{"predictor_type", "regressor"}};
  EXPECT_NE(TrainError().find("line 5001: column 2: the value is missing"), std::string::npos);
  request_.hyperparameters["argosy_missing"] = "mean";
  ASSERT_TRUE(Train().ok());
  const Json answers = Ask(",0.5\n100,0.5\n");
  EXPECT_NEAR(answers[0]["score"].get<double>(), answers[1]["score"].get<double>(), 1);
}

TEST_F(LinearLearnerTest, HeavierPositivesAreFoundMoreOften) {
  const auto recall = [&](const char* weight) {
    request_.channels.clear();
    AddChannel("train", BinaryTable(4000, 1, 4));
    AddChannel("test", BinaryTable(2000, 2, 4));
    request_.hyperparameters = {{"predictor_type", "binary_classifier"},
                                {"positive_example_weight_mult", weight},
                                {"binary_classifier_model_selection_criteria", "loss_function"}};
    EXPECT_TRUE(Train().ok());
    return observer_.Metric("test:recall");
  };
  const double plain = recall("1.0");
  EXPECT_GT(recall("5"), plain + 0.1);
  EXPECT_NEAR(recall("balanced"), plain, 0.1);  // the classes are of equal size
  EXPECT_GE(recall("auto"), 0);
}

TEST_F(LinearLearnerTest, BalancedClassesWeighTheSame) {
  SeededRandom random(2);
  std::string text;
  for (int i = 0; i < 6000; ++i) {
    const int k = i % 50 == 0 ? 2 : i % 2;
    text += std::to_string(k) + "," + std::to_string(k + random.Normal()) + "," + std::to_string(random.Normal() + k) +
            "\n";
  }
  const auto recall = [&](const char* balance) {
    request_.channels.clear();
    AddChannel("train", text);
    AddChannel("test", text);
    request_.hyperparameters = {
        {"predictor_type", "multiclass_classifier"}, {"num_classes", "3"}, {"balance_multiclass_weights", balance}};
    EXPECT_TRUE(Train().ok());
    return observer_.Metric("test:macro_recall");
  };
  EXPECT_GT(recall("true"), recall("false") + 0.05);
}

TEST_F(LinearLearnerTest, EarlyStoppingEndsATrainingThatNoLongerImproves) {
  AddChannel("train", BinaryTable(3000, 1));
  request_.hyperparameters = {{"predictor_type", "binary_classifier"},
                              {"epochs", "200"},
                              {"early_stopping_patience", "2"},
                              {"early_stopping_tolerance", "0.05"}};
  ASSERT_TRUE(Train().ok());
  EXPECT_LT(observer_.Count("#progress_metric"), 100);
}

TEST_F(LinearLearnerTest, StopFinishesTheModelAsItStands) {
  AddChannel("train", BinaryTable(20'000, 1));
  request_.hyperparameters = {
      {"predictor_type", "binary_classifier"}, {"epochs", "1000000"}, {"early_stopping_patience", "1000000"}};
  observer_.StopAfterLine("epoch=1, train");
  const Status trained = Train();
  ASSERT_TRUE(trained.ok()) << trained.error().message();
  EXPECT_TRUE(learner_.Load(request_.model_dir).ok());
}

TEST_F(LinearLearnerTest, StopBeforeThereIsAModelIsCancelled) {
  AddChannel("train", BinaryTable(100, 1));
  request_.hyperparameters = {{"predictor_type", "binary_classifier"}};
  observer_.StopNow();
  const Status trained = Train();
  ASSERT_FALSE(trained.ok());
  EXPECT_EQ(trained.error().code(), ErrorCode::kCancelled);
  EXPECT_TRUE(std::filesystem::is_empty(request_.model_dir));
}

TEST_F(LinearLearnerTest, SeveralModelsAreTriedAndTheBestKept) {
  AddChannel("train", BinaryTable(3000, 1));
  request_.hyperparameters = {{"predictor_type", "binary_classifier"}, {"num_models", "4"}};
  ASSERT_TRUE(Train().ok());
  EXPECT_EQ(observer_.Count("model: learning_rate="), 4);
  EXPECT_EQ(observer_.Count("model chosen: "), 1);
}

TEST_F(LinearLearnerTest, WhatTheUserMustMendIsSaidSo) {
  request_.hyperparameters = {{"predictor_type", "binary_classifier"}};
  EXPECT_EQ(TrainError(), "channel 'train' is required");
  AddChannel("train", BinaryTable(100, 1));
  AddChannel("odd", "");
  EXPECT_NE(TrainError().find("channel 'odd' is not known"), std::string::npos);
  request_.channels.resize(1);
  request_.channels[0].content_type = "application/x-image";
  EXPECT_NE(TrainError().find("'application/x-image' is not read"), std::string::npos);
  request_.channels[0].content_type = "text/csv;label_size=0";
  EXPECT_NE(TrainError().find("label_size=1"), std::string::npos);
  request_.channels[0].content_type = "text/csv;label_size=1";
  request_.hyperparameters["feature_dim"] = "7";
  EXPECT_EQ(TrainError(), "Hyperparameter feature_dim: '7' is not valid: the data has 2 feature columns");
  request_.hyperparameters.erase("feature_dim");
  request_.channels.clear();
  AddChannel("train", "2,1,1\n");
  EXPECT_NE(TrainError().find("Unable to read data channel 'train'. Requested content-type is 'text/csv'."),
            std::string::npos);
  request_.channels.clear();
  AddChannel("train", "");
  EXPECT_NE(TrainError().find("has no rows"), std::string::npos);
  request_.hyperparameters["epochs"] = "0";
  EXPECT_NE(TrainError().find("Hyperparameter epochs: '0' is not valid"), std::string::npos);
  EXPECT_FALSE(learner_.Validate(request_.hyperparameters).ok());
}

TEST_F(LinearLearnerTest, DivergenceIsAnErrorNotAModelOfNaN) {
  AddChannel("train", "1e30,1e30\n-1e30,-1e29\n1e20,1e37\n");
  request_.hyperparameters = {{"predictor_type", "regressor"}, {"normalize_data", "false"},
                              {"normalize_label", "false"},    {"optimizer", "sgd"},
                              {"learning_rate", "1e10"},       {"epochs", "50"},
                              {"use_lr_scheduler", "false"},   {"mini_batch_size", "1"}};
  EXPECT_NE(TrainError().find("diverged"), std::string::npos);
}

TEST_F(LinearLearnerTest, TinyAndConstantDataTrain) {
  for (const char* text : {"1,5\n", "0,5\n1,5\n", "0,0,0\n0,0,0\n", "1,1e38,1\n0,-1e38,1\n"}) {
    request_.channels.clear();
    AddChannel("train", text);
    request_.hyperparameters = {{"predictor_type", "binary_classifier"}};
    const Status trained = Train();
    EXPECT_TRUE(trained.ok()) << text << ": " << (trained.ok() ? "" : trained.error().message());
    EXPECT_TRUE(learner_.Load(request_.model_dir).ok()) << text;
  }
}

}  // namespace
}  // namespace argosy::algorithms::linear
