#include "algorithms/guess.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/test_files.h"

namespace argosy::algorithms {
namespace {

using testing::HasSubstr;

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
  std::string Fault(const std::string& text, Hyperparameters given = {},
                    const std::string& algorithm = "linear-learner") {
    const auto guess = InferHyperparameters(algorithm, directory_.Write("t.csv", text), {.given = std::move(given)});
    return guess.ok() ? "" : guess.error().message();
  }
  data::TestDirectory directory_;
};

// 20 rows below a header, of which one is as given.
std::string Flowers(const std::string& odd) {
  std::string text = "petal,sepal,species\n";
  for (int i = 0; i < 19; ++i) text += std::to_string(i) + ".5,3.25," + (i % 2 == 0 ? "setosa\n" : "virginica\n");
  return text + odd + "\n";
}

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

TEST_F(GuessTest, AnOddValueAmongNumbersIsAnErrorWithItsPlace) {
  EXPECT_EQ(Fault(Flowers("1.5,x16,setosa")),
            "'t.csv': line 21, column 2 ('sepal'): 'x16' is not a number, and 19 others of the column are; mend it, or "
            "--set argosy_bad_records_max=N leaves up to N such rows out, or --set argosy_categorical=sepal takes the "
            "column for categories");
  EXPECT_THAT(Fault(Flowers("inf,-INF,setosa")),
              HasSubstr("line 21, column 1 ('petal'): 'inf' is not a finite number, and 19 others of the column are (2 "
                        "values are odd)"));
  EXPECT_THAT(Fault(Flowers("1,1e300,setosa")), HasSubstr("'1e300' is too large"));
  EXPECT_THAT(Fault(Rows(30, "%2,#,c%3,#") + "1,1.5,c1,~\n"),
              HasSubstr("line 31, column 4: '~' is not a number, and 30 others of the column are; mend it, or --set "
                        "argosy_bad_records_max=N leaves up to N such rows out, or --set argosy_categorical=2,3"));
  EXPECT_EQ(Fault(Flowers("1,x16,setosa"), {}, "xgboost"), Fault(Flowers("1,x16,setosa"))) << "for trees, too";
}

TEST_F(GuessTest, ACategoricalColumnIsWhatTheUserSays) {
  const std::string text = Flowers("1.5,x16,setosa");
  EXPECT_FALSE(Of(text, {{"argosy_categorical", "sepal"}}).contains("argosy_categorical"));
  EXPECT_THAT(Fault(text, {{"argosy_categorical", "petal"}}), HasSubstr("argosy_categorical=petal,sepal takes"));
  EXPECT_THAT(Fault(text, {{"argosy_categorical", "auto"}}), HasSubstr("'x16' is not a number"));
  EXPECT_THAT(Fault(text, {{"argosy_categorical", "leaf"}}), HasSubstr("has no column 'leaf'"));
  const std::string colours = Rows(30, "%2,#,c%3,k%2");
  EXPECT_THAT(
      Fault(colours, {{"argosy_label", "0"}, {"argosy_categorical", "2"}}),
      HasSubstr("line 1, column 4: 'k0' is not a number (30 values are odd); --set argosy_categorical=2,3 takes"));
}

TEST_F(GuessTest, AHeaderStaysAHeader) {
  std::string text = "a,b,y\n" + Rows(30, "#,#,%2");
  EXPECT_THAT(Fault(text + "x,y,z\n"), HasSubstr("line 32, column 1 ('a'): 'x' is not a number"));
  EXPECT_EQ(Of(text + "x,y,z\n", {{"argosy_bad_records_max", "1"}})["argosy_header"], "true");
  // Where no column tells, the label's name does.
  EXPECT_EQ(Of("colour,kind\n" + Rows(30, "c%3,k%2"), {{"argosy_label", "kind"}})["argosy_header"], "true");
  EXPECT_FALSE(Of("colour,kind\n" + Rows(30, "c%3,k%2"), {{"argosy_label", "1"}}).contains("argosy_header"));
}

TEST_F(GuessTest, ColumnsCalledByNumbersAreNotTakenForOthers) {
  const Hyperparameters guessed = Of("1,2,3,kind\n" + Rows(30, "#,c%3,#,k%2"));
  EXPECT_EQ(guessed.at("argosy_header"), "true");
  EXPECT_EQ(guessed.at("argosy_label"), "kind") << "3 is the name of another";
  EXPECT_EQ(guessed.at("argosy_categorical"), "2") << "1 is, too";
  EXPECT_EQ(Of("0,1,kind\n" + Rows(30, "#,#,k%3"))["argosy_label"], "2");
}

TEST_F(GuessTest, AMissingLabelIsAnErrorWithItsPlace) {
  EXPECT_EQ(Fault(Flowers("1.5,3,")),
            "'t.csv': line 21, column 3 ('species'): the label is missing; mend it, or --set argosy_bad_records_max=N "
            "leaves up to N such rows out");
  EXPECT_THAT(Fault(Flowers("1.5,3,NaN\n1,2,")),
              HasSubstr("line 21, column 3 ('species'): 'NaN': the label is missing (2"));
  EXPECT_THAT(Fault(Rows(30, "#,#,#") + "1.5,2,\n", {{"argosy_label", "-1"}}),
              HasSubstr("line 31, column 3: the label is missing"))
      << "of a regression";
  EXPECT_EQ(Of(Flowers("1.5,3,NA"), {{"argosy_label_map", "NA=a,setosa=a,virginica=b"}})["predictor_type"],
            "binary_classifier")
      << "the map names it";
  EXPECT_THAT(Fault(Flowers("1.5,3,NA"), {{"argosy_label_map", "setosa=a,*=b"}}), HasSubstr("the label is missing"));
}

TEST_F(GuessTest, AnOddLabelAmongNumbersIsNoClass) {
  const std::string text = Rows(30, "%3,#") + "x2,1\n";
  EXPECT_THAT(Fault(text), HasSubstr("line 31, column 1: label 'x2' is not a number, and 30 others of the column are"));
  EXPECT_THAT(Fault(text), HasSubstr("--set argosy_label_map=auto takes each text for a class"));
  EXPECT_EQ(Of(text, {{"argosy_label_map", "auto"}})["predictor_type"], "multiclass_classifier");
  EXPECT_THAT(Fault(Rows(30, "k%3,#"), {{"argosy_label", "0"}, {"predictor_type", "regressor"}}),
              HasSubstr("label 'k0' is not a number"));
}

TEST_F(GuessTest, BadRowsThatMayBeLeftOutAreNotCounted) {
  const std::string text = Flowers("1.5,x16,setosa") + "1,2\n1,\"2,setosa\n1,2,\n1,2,setosa\n";
  const Hyperparameters clean = Of(Flowers("1.5,3,setosa"));
  Hyperparameters bad = Of(text, {{"argosy_bad_records_max", "4"}});
  EXPECT_EQ(bad, clean);
  EXPECT_EQ(Fault(text, {{"argosy_bad_records_max", "2"}}),
            "'t.csv': more than 2 records (argosy_bad_records_max) cannot be read, the first: line 21, column 2 "
            "('sepal'): 'x16' is not a number, and 21 others of the column are");
  EXPECT_EQ(Of(Rows(30, "%3,#") + "x2,1\n", {{"argosy_bad_records_max", "1"}})["num_classes"], "3");
  const auto told =
      InferLinearHyperparameters(directory_.Write("t.csv", text), {.given = {{"argosy_bad_records_max", "4"}}});
  EXPECT_THAT(told->sentences.back(),
              HasSubstr("left out, at most 4 (argosy_bad_records_max); one is line 21, column 2"));
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

TEST_F(GuessTest, ATableWithoutLabelsMayHaveNamesAndAColumnToLeaveOut) {
  const auto of = [&](const std::string& text, Hyperparameters given) {
    const auto guess = InferHyperparameters("kmeans", directory_.Write("t.csv", text), {.given = std::move(given)});
    EXPECT_TRUE(guess.ok()) << guess.error().message();
    return guess.ok() ? guess->hyperparameters : Hyperparameters();
  };
  EXPECT_EQ(of("a,b\n" + Rows(30, "#,%3"), {}), (Hyperparameters{{"argosy_header", "true"}, {"feature_dim", "2"}}));
  const std::string flowers = Flowers("1.5,3,setosa");
  EXPECT_EQ(of(flowers, {{"argosy_label", "species"}}),
            (Hyperparameters{{"argosy_header", "true"}, {"feature_dim", "2"}}));
  EXPECT_EQ(of("species,a,b\n" + Rows(9, "k%2,#,%3"), {{"feature_dim", "2"}}),
            (Hyperparameters{{"argosy_header", "true"}}))
      << "SageMaker's rule: one column more, the first";
  EXPECT_TRUE(of("{\"a\": 1, \"b\": 2}\n", {{"feature_dim", "2"}}).empty()) << "JSON lines need no guess";
  EXPECT_EQ(of("a\n1\n2\n", {}), (Hyperparameters{{"argosy_header", "true"}, {"feature_dim", "1"}}));
  EXPECT_EQ(Fault(flowers, {}, "kmeans"),
            "'t.csv': line 2, column 3 ('species'): 'setosa' is not a number; kmeans takes numbers only (20 values are "
            "odd); --label species leaves the column out");
  EXPECT_THAT(Fault("a,b\n" + Rows(30, "k%2,k%3"), {}, "pca"), HasSubstr("take the columns of text out of the file"));
  EXPECT_THAT(Fault("a,b\n" + Rows(30, "#,%3") + "1,x\n", {}, "pca"),
              HasSubstr("line 32, column 2 ('b'): 'x' is not a number, and 30 others of the column are; pca takes"));
  EXPECT_THAT(Fault("a,b\n" + Rows(30, "#,%3") + "1,\n", {}, "pca"),
              HasSubstr("line 32, column 2 ('b'): the value is missing; pca needs all of them; mend it"));
  EXPECT_THAT(Fault("a;b\n1;2\n", {}, "pca"), HasSubstr("not by semicolons"));
}

}  // namespace
}  // namespace argosy::algorithms
