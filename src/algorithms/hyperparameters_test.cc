#include "algorithms/hyperparameters.h"

#include <gtest/gtest.h>

#include "base/files.h"

namespace argosy::algorithms {
namespace {

std::vector<HyperparameterSpec> Specs() {
  return {
      {.name = "kind", .type = HyperparameterType::kChoice, .words = {"a", "b"}, .required = true, .doc = "Which."},
      {.name = "rate",
       .type = HyperparameterType::kFloat,
       .min = 0,
       .max = 1,
       .min_bound = HyperparameterSpec::Bound::kExclusive,
       .words = {"auto"},
       .default_value = "auto",
       .doc = "How fast."},
      {.name = "count", .type = HyperparameterType::kInteger, .min = 1, .default_value = "3", .doc = "How many."},
      {.name = "flag",
       .type = HyperparameterType::kChoice,
       .words = {"true", "false"},
       .default_value = "false",
       .doc = "Whether."},
  };
}

std::string ErrorOf(const Hyperparameters& given) {
  const auto specs = Specs();
  const auto parsed = ParseHyperparameters(specs, given);
  return parsed.ok() ? "" : parsed.error().message();
}

TEST(HyperparametersTest, DefaultsAreFilledIn) {
  const auto specs = Specs();
  const auto parsed = ParseHyperparameters(specs, {{"kind", "b"}, {"count", " 7 "}, {"flag", "True"}});
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->Text("kind"), "b");
  EXPECT_EQ(parsed->Integer("count"), 7);
  EXPECT_TRUE(parsed->IsTrue("flag"));
  EXPECT_EQ(parsed->Float("rate"), std::nullopt);
  EXPECT_FALSE(parsed->IsGiven("rate"));
  EXPECT_TRUE(parsed->IsGiven("count"));
}

TEST(HyperparametersTest, WholeNumbersMayComeAsFloats) {
  const auto specs = Specs();
  EXPECT_EQ(ParseHyperparameters(specs, {{"kind", "a"}, {"count", "10.0"}})->Integer("count"), 10);
}

TEST(HyperparametersTest, FaultsNameHyperparameterValueAndRule) {
  EXPECT_EQ(ErrorOf({{"kind", "a"}, {"odd", "1"}}), "Additional properties are not allowed ('odd' was unexpected)");
  EXPECT_EQ(ErrorOf({}), "Hyperparameter kind: 'kind' is a required property: it must be one of a, b");
  EXPECT_EQ(ErrorOf({{"kind", "c"}}), "Hyperparameter kind: 'c' is not valid: it must be one of a, b");
  EXPECT_EQ(ErrorOf({{"kind", "a"}, {"rate", "0"}}),
            "Hyperparameter rate: '0' is not valid: it must be a float > 0 and ≤ 1, or auto");
  for (const char* bad : {"0", "2.5", "x", "", "1e30"}) {
    EXPECT_EQ(ErrorOf({{"kind", "a"}, {"count", bad}}),
              "Hyperparameter count: '" + std::string(bad) + "' is not valid: it must be an integer ≥ 1");
  }
  for (const char* bad : {"nan", "inf", "1.5", "-1"}) EXPECT_NE(ErrorOf({{"kind", "a"}, {"rate", bad}}), "") << bad;
}

TEST(HyperparametersTest, WhatTheTunerAddsIsLetBe) {
  EXPECT_EQ(ErrorOf({{"kind", "a"}, {"_tuning_objective_metric", "validation:objective_loss"}}), "");
}

TEST(HyperparametersTest, TableIsRenderedFromTheDeclaration) {
  const auto specs = Specs();
  EXPECT_EQ(RenderHyperparameterTable(std::span(specs).subspan(0, 2)),
            "| name | value | default | meaning |\n|---|---|---|---|\n"
            "| `kind` | one of a, b | required | Which. |\n"
            "| `rate` | a float > 0 and ≤ 1, or auto | auto | How fast. |\n");
}

// The reference in docs/guides holds the table of the declarations, word for word.
TEST(HyperparametersTest, GuideAgreesWithTheDeclarations) {
  for (const Algorithm* algorithm : AllAlgorithms()) {
    const std::string name = std::string(algorithm->name());
    const auto guide = ReadFile(ARGOSY_SOURCE_DIR "/docs/guides/" + name + ".md", 1 << 20);
    ASSERT_TRUE(guide.ok()) << guide.error().message();
    const std::string table = algorithm->HyperparameterTable();
    EXPECT_NE(guide->find(table), std::string::npos) << "docs/guides/" << name << ".md should hold:\n" << table;
  }
}

TEST(RegistryTest, ImagesAreKnownByRepositoryName) {
  for (const char* image : {"linear-learner", "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1",
                            "664544806723.dkr.ecr.eu-central-1.amazonaws.com/linear-learner:latest",
                            "localhost:5000/a/linear-learner", "x/linear-learner@sha256:0123"}) {
    ASSERT_NE(FindAlgorithm(image), nullptr) << image;
    EXPECT_EQ(FindAlgorithm(image)->name(), "linear-learner");
  }
  for (const char* image : {"", "linear-learner2", "x/linear-learner/y:1", "xgb:1"}) {
    EXPECT_EQ(FindAlgorithm(image), nullptr) << image;
  }
  for (const char* image : {"811284229777.dkr.ecr.us-east-1.amazonaws.com/xgboost:1",
                            "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"}) {
    ASSERT_NE(FindAlgorithm(image), nullptr) << image;
    EXPECT_EQ(FindAlgorithm(image)->name(), "xgboost");
  }
  EXPECT_FALSE(AllAlgorithms().empty());
}

}  // namespace
}  // namespace argosy::algorithms
