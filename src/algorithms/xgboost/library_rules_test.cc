#include "algorithms/xgboost/library_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "algorithms/xgboost/settings.h"

namespace argosy::algorithms::xgboost {
namespace {

using testing::HasSubstr;

// What is wrong with one round of these; nothing when they are taken.
std::string FaultOf(Hyperparameters given) {
  given.emplace("num_round", "1");
  const auto settings = ParseXGBoostSettings(std::move(given));
  return settings ? "" : settings.error().message();
}

TEST(LibraryRules, TextThatTheLibraryCannotReadIsRefusedWithItsRule) {
  for (const char* good : {"(1,0,-1)", "(1)", "()", " ( 1, 0 ) "}) {
    EXPECT_EQ(FaultOf({{"monotone_constraints", good}}), "") << good;
  }
  for (const char* bad : {"1,0", "[1,0]", "(2)", "(1,,1)", "(a)", "(1,0", "{\"f0\":1}"}) {
    EXPECT_EQ(FaultOf({{"monotone_constraints", bad}}),
              "Hyperparameter monotone_constraints: '" + std::string(bad) +
                  "' is not valid: it must be a list of -1, 0 and 1 like (1,0,-1)");
  }
  for (const char* good : {"[[0,1],[2,3]]", "[]", "[[0]]"}) {
    EXPECT_EQ(FaultOf({{"interaction_constraints", good}}), "") << good;
  }
  for (const char* bad : {"[0,1]", "x", "[[-1]]", "[[1.5]]", "[[\"f0\"]]", "[[4294967296]]"}) {
    EXPECT_THAT(FaultOf({{"interaction_constraints", bad}}), HasSubstr("like [[0,1],[2,3]]")) << bad;
  }
}

TEST(LibraryRules, UpdatersAreThoseOfTheBoosterAndOfTheProcess) {
  for (const char* good : {"grow_colmaker,prune", "grow_quantile_histmaker", "sync,grow_histmaker"}) {
    EXPECT_EQ(FaultOf({{"updater", good}}), "") << good;
  }
  for (const char* bad :
       {"grow_nothing", "grow_colmaker,", "grow_colmaker,,prune", "shotgun", "prune", "refresh", "sync"}) {
    EXPECT_THAT(FaultOf({{"updater", bad}}),
                HasSubstr("Hyperparameter updater: '" + std::string(bad) + "' is not valid"));
  }
  EXPECT_EQ(FaultOf({{"booster", "gblinear"}, {"updater", "coord_descent"}}), "");
  EXPECT_THAT(FaultOf({{"booster", "gblinear"}, {"updater", "grow_colmaker"}}), HasSubstr("shotgun and coord_descent"));
  EXPECT_EQ(FaultOf({{"process_type", "update"}, {"updater", "refresh,prune"}}), "");
  EXPECT_THAT(FaultOf({{"process_type", "update"}}), HasSubstr("updater must be prune or refresh"));
  EXPECT_THAT(FaultOf({{"process_type", "update"}, {"updater", "refresh,grow_colmaker"}}),
              HasSubstr("which grow no tree"));
}

TEST(LibraryRules, NumbersMustFitSinglePrecision) {
  for (const auto& [name, value] :
       Hyperparameters{{"lambda", "1e300"}, {"eta", "1e-300"}, {"gamma", "1e39"}, {"base_score", "-1e39"}}) {
    EXPECT_EQ(FaultOf({{name, value}}),
              "Hyperparameter " + name + ": '" + value +
                  "' is not valid: it must be 0 or, without its sign, from 1.2e-38 to 3.4e38");
  }
  EXPECT_EQ(FaultOf({{"lambda", "0"}, {"eta", "1e-30"}, {"base_score", "-3e38"}}), "");
}

TEST(LibraryRules, TheVariancePowerLiesBetweenOneAndTwo) {
  for (const char* power : {"1", "2"}) {
    EXPECT_THAT(FaultOf({{"objective", "reg:tweedie"}, {"tweedie_variance_power", power}}),
                HasSubstr("it must be a float > 1 and < 2"));
  }
}

TEST(LibraryRules, ValuesThatDoNotGoTogetherAreRefused) {
  for (const char* objective : {"binary:logistic", "reg:logistic"}) {
    for (const char* score : {"0", "1", "-2", "7"}) {
      EXPECT_EQ(FaultOf({{"objective", objective}, {"base_score", score}}),
                "Hyperparameter base_score: '" + std::string(score) + "' is not valid: objective " + objective +
                    " begins with a probability above 0 and below 1");
    }
    EXPECT_EQ(FaultOf({{"objective", objective}, {"base_score", "0.1"}}), "");
  }
  for (const char* objective : {"count:poisson", "reg:gamma", "reg:tweedie", "survival:cox", "survival:aft"}) {
    EXPECT_THAT(FaultOf({{"objective", objective}, {"base_score", "0"}}), HasSubstr("a number above 0")) << objective;
  }
  EXPECT_THAT(FaultOf({{"objective", "reg:squaredlogerror"}, {"base_score", "-1"}}), HasSubstr("above -1"));
  EXPECT_EQ(FaultOf({{"base_score", "-5"}}), "");
  EXPECT_EQ(
      FaultOf({{"tree_method", "exact"}, {"max_depth", "0"}}),
      "Hyperparameter max_depth: '0' is not valid: trees without a limit need tree_method hist or approx, not exact");
  EXPECT_EQ(FaultOf({{"tree_method", "hist"}, {"max_depth", "0"}}), "");
}

TEST(LibraryRules, MetricsAreThoseOfTheObjectiveWithParametersThatTheLibraryReads) {
  const auto of = [](const char* metric, const char* objective = "binary:logistic") {
    Hyperparameters given = {{"eval_metric", metric}, {"objective", objective}};
    if (std::string_view(objective).starts_with("multi:")) given["num_class"] = "3";
    return FaultOf(std::move(given));
  };
  for (const char* good : {"error", "error@0.7", "auc", "logloss", "map@5", "ndcg@5-", "pre", "tweedie-nloglik@1.5"}) {
    EXPECT_EQ(of(good), "") << good;
  }
  for (const char* good : {"merror", "mlogloss", "auc", "aucpr"}) EXPECT_EQ(of(good, "multi:softprob"), "") << good;
  EXPECT_EQ(of("aft-nloglik", "survival:aft"), "");
  EXPECT_EQ(of("error@x"),
            "Hyperparameter eval_metric: 'error@x' is not valid: behind error@ stands the threshold, a number");
  for (const char* bad : {"tweedie-nloglik", "tweedie-nloglik@2", "tweedie-nloglik@0.9", "tweedie-nloglik@x"}) {
    EXPECT_THAT(of(bad), HasSubstr("at least 1 and below 2")) << bad;
  }
  for (const char* bad : {"ndcg@x", "map@0", "pre@2.5"}) EXPECT_THAT(of(bad), HasSubstr("number of places")) << bad;
  EXPECT_THAT(of("rmse@3"), HasSubstr("rmse has no parameter"));
  EXPECT_THAT(of("merror"), HasSubstr("objective binary:logistic does not have it"));
  EXPECT_THAT(of("rmse", "multi:softmax"), HasSubstr("objective multi:softmax does not have it"));
  EXPECT_THAT(of("aft-nloglik"), HasSubstr("only objective survival:aft has it"));
  EXPECT_THAT(of("gamma-dev"), HasSubstr("there is no such metric"));
}

TEST(LibraryRules, WholeNumbersAreHandedOnAsTheLibraryReadsThem) {
  const auto settings = ParseXGBoostSettings({{"num_round", "2.0"}, {"max_depth", "6.0"}, {"seed", "1e3"}});
  ASSERT_TRUE(settings.ok()) << settings.error().message();
  EXPECT_EQ(settings->rounds, 2);
  EXPECT_THAT(settings->parameters,
              testing::UnorderedElementsAre(testing::Pair("max_depth", "6"), testing::Pair("seed", "1000")));
}

TEST(BlamedOn, NamesWhatTheLibrarySpeaksOfAndTheObjective) {
  const auto settings = ParseXGBoostSettings(
      {{"num_round", "1"}, {"objective", "reg:gamma"}, {"eta", "0.1"}, {"max_depth", "3"}, {"lambda", "2"}});
  ASSERT_TRUE(settings.ok());
  EXPECT_EQ(
      BlamedOn(*settings, Error(ErrorCode::kInvalidArgument, "XGBoost: learning_rate, max_depths")).message(),
      "Hyperparameters objective=reg:gamma, eta=0.1 do not go with this data: XGBoost: learning_rate, max_depths");
  EXPECT_EQ(BlamedOn(*settings, Error(ErrorCode::kUnavailable, "max_depth")).message(), "max_depth");
}

}  // namespace
}  // namespace argosy::algorithms::xgboost
