#include "algorithms/guess.h"

#include <gtest/gtest.h>

#include "data/test_files.h"

namespace argosy::algorithms {
namespace {

class GuessTest : public ::testing::Test {
 protected:
  Hyperparameters Of(const std::string& text, Hyperparameters given = {}) {
    auto guess = InferLinearHyperparameters(directory_.Write("t.csv", text), {std::move(given)});
    if (!guess.ok()) {
      ADD_FAILURE() << guess.error().message();
      return {};
    }
    EXPECT_FALSE(guess->sentences.empty());
    return guess->hyperparameters;
  }
  // `count` rows made from a pattern in which # is the row's number and %n its number modulo n.
  static std::string Rows(int count, const std::string& pattern) {
    std::string text;
    for (int i = 0; i < count; ++i) {
      for (size_t p = 0; p < pattern.size(); ++p) {
        if (pattern[p] == '#') {
          text += std::to_string(i) + ".5";
        } else if (pattern[p] == '%') {
          text += std::to_string(i % (pattern[++p] - '0'));
        } else {
          text += pattern[p];
        }
      }
      text += '\n';
    }
    return text;
  }
  data::TestDirectory directory_;
};

TEST_F(GuessTest, SageMakersShape) {
  EXPECT_EQ(Of(Rows(100, "%2,#,#")), (Hyperparameters{{"predictor_type", "binary_classifier"}, {"feature_dim", "2"}}));
  EXPECT_EQ(Of(Rows(100, "%5,#,#")),
            (Hyperparameters{{"predictor_type", "multiclass_classifier"}, {"num_classes", "5"}, {"feature_dim", "2"}}));
  EXPECT_EQ(Of(Rows(100, "#,#,1")), (Hyperparameters{{"predictor_type", "regressor"}, {"feature_dim", "2"}}));
}

TEST_F(GuessTest, HeaderTextLabelAndCategories) {
  EXPECT_EQ(Of("size,colour,kind\n" + Rows(100, "#,c%3,k%2")), (Hyperparameters{{"argosy_header", "true"},
                                                                                {"argosy_label", "2"},
                                                                                {"predictor_type", "binary_classifier"},
                                                                                {"argosy_label_map", "auto"},
                                                                                {"argosy_categorical", "1"},
                                                                                {"feature_dim", "2"}}));
  EXPECT_EQ(Of("size,target,x\n" + Rows(100, "#,#,#"))["argosy_label"], "1");
}

TEST_F(GuessTest, EmptyFieldsStandForTheMean) {
  EXPECT_EQ(Of(Rows(100, "%2,#,") + "1,1,1\n")["argosy_missing"], "mean");
}

TEST_F(GuessTest, WhatStandsForMissingValuesIsNoText) {
  const Hyperparameters guessed = Of("y,a,b\n" + Rows(60, "%2,#,%7") + "1,NA,?\n0,nan,null\n");
  EXPECT_EQ(guessed.at("argosy_missing"), "mean");
  EXPECT_FALSE(guessed.contains("argosy_categorical"));
  EXPECT_EQ(guessed.at("predictor_type"), "binary_classifier");
  EXPECT_EQ(Of(Rows(60, "#,c%3") + "1,none\n")["predictor_type"], "multiclass_classifier") << "but a text among texts";
}

TEST_F(GuessTest, AnotherSeparatorIsNamed) {
  const auto fault = [&](const std::string& text) {
    return InferLinearHyperparameters(directory_.Write("t.csv", text), {}).error().message();
  };
  EXPECT_NE(fault("a;b\n1;2\n").find("not by semicolons"), std::string::npos);
  EXPECT_NE(fault("a\tb\n1\t2\n").find("not by tabs"), std::string::npos);
}

TEST_F(GuessTest, LabelSeenOnlyAtTheEndOfTheFileCounts) {
  EXPECT_EQ(Of(Rows(100'000, "#,a") + "1,b\n")["predictor_type"], "binary_classifier");
}

TEST_F(GuessTest, WhatIsGivenIsNotGuessed) {
  const Hyperparameters guessed = Of(Rows(100, "#,k%3"), {{"argosy_label_map", "k0=0,*=1"}});
  EXPECT_EQ(guessed.at("predictor_type"), "binary_classifier");
  EXPECT_FALSE(guessed.contains("argosy_label_map"));
  EXPECT_FALSE(Of(Rows(100, "%2,#"), {{"predictor_type", "regressor"}}).contains("predictor_type"));
}

TEST_F(GuessTest, XGBoostIsToldInItsOwnWords) {
  const auto of = [&](const std::string& text, Hyperparameters given = {}) {
    auto guess = InferHyperparameters("xgboost", directory_.Write("x.csv", text), {std::move(given)});
    EXPECT_TRUE(guess.ok());
    return guess.ok() ? std::move(*guess) : Guess();
  };
  const Guess text = of("size,colour,kind\n" + Rows(100, "#,c%3,k%3") + ",c1,k1\n");
  EXPECT_EQ(text.hyperparameters, (Hyperparameters{{"argosy_header", "true"},
                                                   {"argosy_label", "2"},
                                                   {"objective", "multi:softmax"},
                                                   {"argosy_label_map", "auto"},
                                                   {"argosy_categorical", "1"},
                                                   {"num_round", "100"}}));
  EXPECT_EQ(text.content_type, "text/csv");
  EXPECT_EQ(of(Rows(100, "%2,#")).hyperparameters,
            (Hyperparameters{{"objective", "binary:logistic"}, {"num_round", "100"}}));
  EXPECT_EQ(of(Rows(100, "%5,#")).hyperparameters.at("num_class"), "5");
  EXPECT_EQ(of(Rows(100, "#,1")).hyperparameters.at("objective"), "reg:squarederror");
  const Guess given = of(Rows(100, "%5,#"), {{"objective", "count:poisson"}, {"num_round", "3"}});
  EXPECT_TRUE(given.hyperparameters.empty());
  const Guess sparse = of("1 0:2 4:3\n0 1:1\n");
  EXPECT_EQ(sparse.content_type, "text/libsvm");
  EXPECT_EQ(sparse.hyperparameters, (Hyperparameters{{"num_round", "100"}}));
}

TEST_F(GuessTest, NothingSensibleIsAnError) {
  for (const char* text : {"", "\n\n", "1\n2\n", "a,b\n1\n", "a,b\n", "1,2\n", ",1\n,2\n"}) {
    EXPECT_FALSE(InferLinearHyperparameters(directory_.Write("t.csv", text), {}).ok()) << text;
  }
}

TEST_F(GuessTest, OtherAlgorithmsAreToldTheWidth) {
  const auto file = directory_.Write("wide.csv", "1,2,3\n4,5,6\n");
  const auto kmeans = InferHyperparameters("kmeans", file, {});
  ASSERT_TRUE(kmeans.ok());
  EXPECT_EQ(kmeans->hyperparameters, (Hyperparameters{{"feature_dim", "3"}}));
  EXPECT_EQ(kmeans->sentences.size(), 1U);
  EXPECT_TRUE(InferHyperparameters("kmeans", file, {.given = {{"feature_dim", "2"}}})->hyperparameters.empty());
  EXPECT_EQ(InferHyperparameters("pca", file, {})->hyperparameters.at("mini_batch_size"), "500");
  EXPECT_TRUE(InferHyperparameters("of-mine", file, {})->hyperparameters.empty());
}

}  // namespace
}  // namespace argosy::algorithms
