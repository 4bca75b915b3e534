// What a training does with each hyperparameter and channel: every one of them must make a difference that can be seen
// in the artifact or in what is published.
#include "algorithms/linear/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "algorithms/test_observer.h"
#include "base/random.h"
#include "data/test_files.h"

namespace argosy::algorithms::linear {
namespace {

using testing::HasSubstr;

// Two features, one of them with a few huge values; a fifth of the labels are 1, and some of them wrong.
std::string BinaryRows(size_t rows, uint64_t seed, bool flipped = false) {
  SeededRandom random(seed);
  std::string text;
  for (size_t i = 0; i < rows; ++i) {
    const double a = 5 + random.Normal();
    const double b = random.Below(20) == 0 ? 300 * random.Uniform() : random.Normal();
    const bool positive = (a - 5 + 0.5 * random.Normal() > 0.8) != flipped;
    text += std::string(positive ? "1," : "0,") + std::to_string(a) + "," + std::to_string(b) + "\n";
  }
  return text;
}

std::string NumberRows(size_t rows, uint64_t seed) {
  SeededRandom random(seed);
  std::string text;
  for (size_t i = 0; i < rows; ++i) {
    const double a = 5 + random.Normal();
    const double noise = random.Below(10) == 0 ? 30 * random.Uniform() : random.Normal();
    text +=
        std::to_string(100 + 3 * a + noise) + "," + std::to_string(a) + "," + std::to_string(random.Uniform()) + "\n";
  }
  return text;
}

std::string ClassRows(size_t rows, uint64_t seed) {
  SeededRandom random(seed);
  std::string text;
  for (size_t i = 0; i < rows; ++i) {
    const uint64_t kind = random.Below(8) < 6 ? 0 : 1 + random.Below(3);
    text += std::to_string(kind) + "," + std::to_string(static_cast<double>(kind % 2) + random.Normal()) + "," +
            std::to_string(static_cast<double>(kind / 2) + random.Normal()) + "\n";
  }
  return text;
}

// All of a training that anybody could see but its log.
struct Outcome {
  std::vector<double> weights, biases, mean, scale;
  double threshold = 0;
  double clip = 0;
  std::vector<double> metrics;

  bool operator==(const Outcome&) const = default;
};

class Trainings {
 public:
  void Set(const std::string& channel, const std::string& text) {
    const auto file = directory_.Write(channel + std::to_string(files_++), text);
    request_.channels.push_back({channel, "text/csv", "", {file}});
  }
  TrainingRequest& request() { return request_; }
  TestObserver& observer() { return *observer_; }

  Result<LinearModel> Train(const Hyperparameters& hyperparameters) {
    request_.hyperparameters = hyperparameters;
    request_.scratch_dir = directory_.path();
    request_.threads = 2;
    observer_ = std::make_unique<TestObserver>();
    const auto settings = ParseLinearSettings(hyperparameters, 0);
    if (!settings) return settings.error();
    return TrainLinearModel(request_, *settings, *observer_);
  }
  Outcome See(const Hyperparameters& hyperparameters) {
    const auto model = Train(hyperparameters);
    if (!model) {
      ADD_FAILURE() << model.error().message();
      return {};
    }
    Outcome outcome{model->weights, model->biases, model->mean, model->scale, model->threshold, model->clip, {}};
    for (const char* name : {"test:objective_loss", "test:binary_f_beta", "test:multiclass_top_k_accuracy"}) {
      outcome.metrics.push_back(observer_->HasMetric(name) ? observer_->Metric(name) : 0);
    }
    return outcome;
  }

 private:
  data::TestDirectory directory_;
  TrainingRequest request_;
  std::unique_ptr<TestObserver> observer_;
  int files_ = 0;
};

struct Effect {
  const char* name;
  const char* value;
  Hyperparameters base;  // besides predictor_type and a few short epochs
};

void PrintTo(const Effect& effect, std::ostream* out) {
  *out << effect.name << "=" << effect.value;
}

class HyperparameterEffect : public testing::TestWithParam<Effect> {
 protected:
  void Expect(const std::string& predictor, std::string (*rows)(size_t, uint64_t)) {
    Trainings trainings;
    trainings.Set("train", rows(400, 1));
    trainings.Set("test", rows(200, 2));
    Hyperparameters hyperparameters = {{"predictor_type", predictor}, {"epochs", "3"}, {"mini_batch_size", "20"}};
    if (predictor == "multiclass_classifier") hyperparameters["num_classes"] = "4";
    for (const auto& [name, value] : GetParam().base) hyperparameters[name] = value;
    const Outcome before = trainings.See(hyperparameters);
    EXPECT_EQ(trainings.See(hyperparameters), before);
    hyperparameters[GetParam().name] = GetParam().value;
    EXPECT_FALSE(trainings.See(hyperparameters) == before);
  }
};

class BinaryEffect : public HyperparameterEffect {};
TEST_P(BinaryEffect, IsSeen) {
  Expect("binary_classifier", [](size_t rows, uint64_t seed) { return BinaryRows(rows, seed); });
}
INSTANTIATE_TEST_SUITE_P(
    Each, BinaryEffect,
    testing::Values(
        Effect{"learning_rate", "0.5", {}}, Effect{"l1", "0.05", {}}, Effect{"wd", "0.5", {}},
        Effect{"beta_1", "0.5", {}}, Effect{"beta_2", "0.5", {}}, Effect{"optimizer", "sgd", {}},
        Effect{"optimizer", "rmsprop", {}}, Effect{"momentum", "0.1", {{"optimizer", "sgd"}}},
        Effect{"use_lr_scheduler", "false", {}}, Effect{"lr_scheduler_step", "5", {}},
        Effect{"lr_scheduler_factor", "0.5", {{"lr_scheduler_step", "5"}}},
        Effect{"lr_scheduler_minimum_lr", "0.009", {{"lr_scheduler_step", "1"}, {"lr_scheduler_factor", "0.5"}}},
        Effect{"bias_lr_mult", "10", {}}, Effect{"bias_wd_mult", "1", {{"wd", "0.5"}}},
        Effect{"loss", "hinge_loss", {}}, Effect{"margin", "3", {{"loss", "hinge_loss"}}},
        Effect{"positive_example_weight_mult", "5", {}}, Effect{"positive_example_weight_mult", "balanced", {}},
        Effect{"positive_example_weight_mult",
               "auto",
               {{"binary_classifier_model_selection_criteria", "f_beta"}, {"f_beta", "5"}, {"epochs", "1"}}},
        Effect{"normalize_data", "false", {{"argosy_clip", "off"}}}, Effect{"unbias_data", "false", {}},
        Effect{"use_bias", "false", {}}, Effect{"init_method", "normal", {}}, Effect{"init_scale", "1", {}},
        Effect{"init_sigma", "1", {{"init_method", "normal"}}}, Effect{"init_bias", "2", {}},
        Effect{"num_point_for_scaler", "10", {}}, Effect{"argosy_clip", "0.5", {}}, Effect{"argosy_clip", "off", {}},
        Effect{"argosy_seed", "9", {}}, Effect{"epochs", "1", {}}, Effect{"mini_batch_size", "40", {}},
        Effect{"num_models", "5", {{"epochs", "1"}}}, Effect{"num_calibration_samples", "7", {}},
        Effect{"early_stopping_tolerance", "0.9", {{"epochs", "20"}, {"early_stopping_patience", "1"}}},
        Effect{"early_stopping_patience", "1", {{"epochs", "20"}, {"early_stopping_tolerance", "0.3"}}},
        Effect{"binary_classifier_model_selection_criteria", "loss_function", {}},
        Effect{"f_beta", "5", {{"binary_classifier_model_selection_criteria", "f_beta"}}},
        Effect{"target_recall", "0.99", {{"binary_classifier_model_selection_criteria", "precision_at_target_recall"}}},
        Effect{"target_precision",
               "0.99",
               {{"binary_classifier_model_selection_criteria", "recall_at_target_precision"}}}));

class RegressorEffect : public HyperparameterEffect {};
TEST_P(RegressorEffect, IsSeen) {
  Expect("regressor", NumberRows);
}
INSTANTIATE_TEST_SUITE_P(Each, RegressorEffect,
                         testing::Values(Effect{"loss", "absolute_loss", {}},
                                         Effect{
                                             "loss_insensitivity", "0.5", {{"loss", "eps_insensitive_absolute_loss"}}},
                                         Effect{"huber_delta", "0.1", {{"loss", "huber_loss"}}},
                                         Effect{"quantile", "0.9", {{"loss", "quantile_loss"}}},
                                         Effect{"normalize_label", "false", {}}, Effect{"unbias_label", "false", {}},
                                         Effect{"unbias_data", "false", {}}, Effect{"argosy_clip", "0.5", {}}));

class MulticlassEffect : public HyperparameterEffect {};
TEST_P(MulticlassEffect, IsSeen) {
  Expect("multiclass_classifier", ClassRows);
}
INSTANTIATE_TEST_SUITE_P(Each, MulticlassEffect,
                         testing::Values(Effect{"accuracy_top_k", "2", {}},
                                         Effect{"balance_multiclass_weights", "true", {}}));

TEST(LinearTrainer, TheBestEpochByTheValidationChannelIsKept) {
  // Labels of the validation are the opposite: every epoch makes its loss worse, so the first is the best.
  Hyperparameters hyperparameters = {
      {"predictor_type", "binary_classifier"}, {"mini_batch_size", "20"}, {"use_lr_scheduler", "false"},
      {"early_stopping_patience", "100"},      {"epochs", "1"},           {"learning_rate", "0.01"}};
  Trainings one, many;
  one.Set("train", BinaryRows(400, 1));
  many.Set("train", BinaryRows(400, 1));
  many.Set("validation", BinaryRows(200, 2, true));
  const auto first = one.Train(hyperparameters);
  hyperparameters["epochs"] = "8";
  const auto kept = many.Train(hyperparameters);
  ASSERT_TRUE(first.ok() && kept.ok());
  EXPECT_EQ(kept->weights, first->weights);
  EXPECT_EQ(kept->biases, first->biases);
}

TEST(LinearTrainer, TheValidationChannelChoosesAmongModels) {
  const Hyperparameters hyperparameters = {{"predictor_type", "binary_classifier"},
                                           {"mini_batch_size", "20"},
                                           {"num_models", "3"},
                                           {"epochs", "5"},
                                           {"binary_classifier_model_selection_criteria", "loss_function"}};
  const auto rate_of = [&](Trainings& trainings) {
    const auto model = trainings.Train(hyperparameters);
    EXPECT_TRUE(model.ok());
    const std::string mark = "learning_rate=";
    return std::stod(model->training_json.substr(model->training_json.find(mark) + mark.size()));
  };
  Trainings alike, opposite;
  alike.Set("train", BinaryRows(400, 1));
  alike.Set("validation", BinaryRows(400, 3));
  opposite.Set("train", BinaryRows(400, 1));
  opposite.Set("validation", BinaryRows(400, 3, true));
  EXPECT_GT(rate_of(alike), rate_of(opposite));  // what has learned least is the least wrong there
}

TEST(LinearTrainer, TheThresholdMeetsTheTargetAndIsKept) {
  Trainings trainings;
  trainings.Set("train", BinaryRows(2000, 1));
  trainings.Set("test", BinaryRows(2000, 2));
  const auto model = trainings.Train({{"predictor_type", "binary_classifier"},
                                      {"binary_classifier_model_selection_criteria", "precision_at_target_recall"},
                                      {"target_recall", "0.97"}});
  ASSERT_TRUE(model.ok());
  EXPECT_LT(model->threshold, 0);  // rare positives are to be found
  EXPECT_NEAR(trainings.observer().Metric("test:recall"), 0.97, 0.03);
}

TEST(LinearTrainer, ClassifiersClipAtTheGuidesValueAndRegressorsDoNot) {
  Trainings classifier, regressor;
  classifier.Set("train", BinaryRows(200, 1));
  regressor.Set("train", NumberRows(200, 1));
  EXPECT_EQ(classifier.Train({{"predictor_type", "binary_classifier"}})->clip, 2.5);
  EXPECT_EQ(regressor.Train({{"predictor_type", "regressor"}})->clip, 0);
  EXPECT_EQ(classifier.Train({{"predictor_type", "binary_classifier"}, {"normalize_data", "false"}})->clip, 0);
}

TEST(LinearTrainer, CategoriesOfOtherChannelsThatTrainingLacksAreToldAndCountAsNone) {
  const Hyperparameters hyperparameters = {
      {"predictor_type", "binary_classifier"}, {"argosy_categorical", "0"}, {"epochs", "5"}, {"argosy_label", "1"}};
  Trainings trainings;
  std::string train, test;
  for (int i = 0; i < 200; ++i) train += std::string(i % 2 ? "a,1" : "b,0") + "," + std::to_string(i % 7) + "\n";
  for (int i = 0; i < 50; ++i) test += "never seen,1," + std::to_string(i % 7) + "\n";
  trainings.Set("train", train);
  trainings.Set("test", test);
  ASSERT_TRUE(trainings.Train(hyperparameters).ok());
  EXPECT_TRUE(trainings.observer().HasLine("channel 'test': 50 categorical fields hold a category"));
  EXPECT_TRUE(std::isfinite(trainings.observer().Metric("test:objective_loss")));
}

TEST(LinearTrainer, WhatIsSaidToBePackedMustBe) {
  Trainings trainings;
  trainings.Set("train", BinaryRows(50, 1));
  trainings.request().channels[0].compression = "Gzip";
  const auto model = trainings.Train({{"predictor_type", "binary_classifier"}});
  ASSERT_FALSE(model.ok());
  EXPECT_THAT(model.error().message(), HasSubstr("cannot decompress"));
  trainings.request().channels[0].compression = "zip";
  EXPECT_THAT(trainings.Train({{"predictor_type", "binary_classifier"}}).error().message(), HasSubstr("None or Gzip"));
}

}  // namespace
}  // namespace argosy::algorithms::linear
