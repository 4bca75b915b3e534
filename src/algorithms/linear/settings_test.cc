#include "algorithms/linear/settings.h"

#include <gtest/gtest.h>

#include <set>

namespace argosy::algorithms::linear {
namespace {

std::string ErrorOf(Hyperparameters given) {
  given.try_emplace("predictor_type", "binary_classifier");
  const auto settings = ParseLinearSettings(given, 0);
  return settings.ok() ? "" : settings.error().message();
}

// Every hyperparameter SageMaker documents is declared, and what is ours says so by its name.
TEST(LinearSettingsTest, DeclarationHasSageMakersNames) {
  std::set<std::string_view> declared;
  for (const HyperparameterSpec& spec : LinearHyperparameters()) declared.insert(spec.name);
  const std::set<std::string_view> documented = {"predictor_type",
                                                 "num_classes",
                                                 "accuracy_top_k",
                                                 "balance_multiclass_weights",
                                                 "beta_1",
                                                 "beta_2",
                                                 "bias_lr_mult",
                                                 "bias_wd_mult",
                                                 "binary_classifier_model_selection_criteria",
                                                 "early_stopping_patience",
                                                 "early_stopping_tolerance",
                                                 "epochs",
                                                 "f_beta",
                                                 "feature_dim",
                                                 "huber_delta",
                                                 "init_bias",
                                                 "init_method",
                                                 "init_scale",
                                                 "init_sigma",
                                                 "l1",
                                                 "wd",
                                                 "learning_rate",
                                                 "loss",
                                                 "loss_insensitivity",
                                                 "lr_scheduler_factor",
                                                 "lr_scheduler_minimum_lr",
                                                 "lr_scheduler_step",
                                                 "margin",
                                                 "mini_batch_size",
                                                 "momentum",
                                                 "normalize_data",
                                                 "normalize_label",
                                                 "num_calibration_samples",
                                                 "num_models",
                                                 "num_point_for_scaler",
                                                 "optimizer",
                                                 "positive_example_weight_mult",
                                                 "quantile",
                                                 "target_precision",
                                                 "target_recall",
                                                 "unbias_data",
                                                 "unbias_label",
                                                 "use_bias",
                                                 "use_lr_scheduler"};
  for (const std::string_view name : documented) EXPECT_TRUE(declared.contains(name)) << name;
  for (const std::string_view name : declared) {
    EXPECT_TRUE(documented.contains(name) || name.starts_with("argosy_")) << name;
  }
}

TEST(LinearSettingsTest, DefaultsAreSageMakers) {
  const auto settings = ParseLinearSettings({{"predictor_type", "regressor"}}, 42);
  ASSERT_TRUE(settings.ok());
  EXPECT_EQ(settings->epochs, 15);
  EXPECT_EQ(settings->early_stopping_patience, 3);
  EXPECT_EQ(settings->early_stopping_tolerance, 0.001);
  EXPECT_EQ(settings->optimizer.kind, OptimizerKind::kAdam);
  EXPECT_EQ(settings->loss.kind, LossKind::kSquared);
  EXPECT_TRUE(settings->normalize_data);
  EXPECT_TRUE(settings->unbias_data);
  EXPECT_TRUE(settings->normalize_label);
  EXPECT_TRUE(settings->use_bias);
  EXPECT_EQ(settings->seed, 42U);
  EXPECT_EQ(ParseLinearSettings({{"predictor_type", "regressor"}, {"argosy_seed", "7"}}, 42)->seed, 7U);
}

TEST(LinearSettingsTest, ContradictionsAreRefusedByName) {
  EXPECT_NE(ErrorOf({{"loss", "squared_loss"}}).find("Hyperparameter loss"), std::string::npos);
  EXPECT_NE(ErrorOf({{"predictor_type", "regressor"}, {"loss", "logistic"}}), "");
  EXPECT_NE(ErrorOf({{"predictor_type", "multiclass_classifier"}}).find("num_classes"), std::string::npos);
  EXPECT_NE(ErrorOf({{"num_classes", "4"}}), "");
  EXPECT_NE(ErrorOf({{"normalize_label", "true"}}), "");
  EXPECT_NE(ErrorOf({{"use_bias", "false"}, {"unbias_data", "true"}}), "");
  EXPECT_NE(ErrorOf({{"balance_multiclass_weights", "true"}}), "");
  EXPECT_NE(ErrorOf({{"predictor_type", "regressor"}, {"positive_example_weight_mult", "2"}}), "");
  EXPECT_NE(ErrorOf({{"predictor_type", "regressor"}, {"argosy_label_map", "auto"}}), "");
  EXPECT_NE(ErrorOf({{"argosy_label_map", "a=0,b=1,c=2"}}), "");
  EXPECT_NE(ErrorOf({{"argosy_clip", "2"}, {"normalize_data", "false"}}), "");
  EXPECT_NE(ErrorOf({{"num_models", "26"}}).find("at most 25"), std::string::npos);
  EXPECT_EQ(ErrorOf({{"predictor_type", "multiclass_classifier"}, {"argosy_label_map", "auto"}}), "");
  EXPECT_EQ(ErrorOf({{"argosy_label_map", "normal.=0,*=1"}, {"argosy_label", "-1"}}), "");
}

TEST(LinearSettingsTest, SynonymsOfTheSdk) {
  const auto f1 = ParseLinearSettings(
      {{"predictor_type", "binary_classifier"}, {"binary_classifier_model_selection_criteria", "f1"}, {"f_beta", "3"}},
      0);
  EXPECT_EQ(f1->criterion, SelectionCriterion::kFBeta);
  EXPECT_EQ(f1->f_beta, 1);
}

}  // namespace
}  // namespace argosy::algorithms::linear
