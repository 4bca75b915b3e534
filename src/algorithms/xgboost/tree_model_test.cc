#include "algorithms/xgboost/tree_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "algorithms/xgboost/library.h"
#include "base/json.h"
#include "base/random.h"

namespace argosy::algorithms::xgboost {
namespace {

using testing::HasSubstr;

constexpr size_t kRows = 400;
constexpr size_t kColumns = 6;

struct Table {
  std::vector<float> values;  // one in ten is missing
  std::vector<float> labels;
};

Table MakeTable(size_t classes, uint64_t seed) {
  SeededRandom random(seed);
  Table table;
  for (size_t r = 0; r < kRows; ++r) {
    float sum = 0;
    for (size_t c = 0; c < kColumns; ++c) {
      const float value = static_cast<float>(random.Normal());
      if (c < 3) sum += value;
      table.values.push_back(random.Uniform() < 0.1 ? std::numeric_limits<float>::quiet_NaN() : value);
    }
    const float label = classes > 0 ? std::floor(std::abs(sum) * 1.5F) : std::abs(sum) + 0.1F;
    table.labels.push_back(classes > 0 ? std::min(label, static_cast<float>(classes - 1)) : label);
  }
  return table;
}

struct Case {
  const char* objective;
  const char* booster;
  size_t classes = 0;
  const char* base_score = nullptr;
};

class AsTheLibraryTest : public testing::TestWithParam<Case> {};

TEST_P(AsTheLibraryTest, Predicts) {
  ASSERT_TRUE(LoadLibrary().ok());
  const Case& it = GetParam();
  const Table table = MakeTable(it.classes, 7);
  auto matrix = DMatrix::Dense(table.values, kRows, kColumns, 2);
  ASSERT_TRUE(matrix.ok());
  ASSERT_TRUE(matrix->Set("label", table.labels).ok());
  for (const char* bound : {"label_lower_bound", "label_upper_bound"}) {
    ASSERT_TRUE(matrix->Set(bound, table.labels).ok());
  }
  const DMatrix* const matrices[] = {&*matrix};
  auto booster = Booster::Create(matrices);
  ASSERT_TRUE(booster.ok());
  ASSERT_TRUE(booster->Set("objective", it.objective).ok());
  ASSERT_TRUE(booster->Set("booster", it.booster).ok());
  ASSERT_TRUE(booster->Set("rate_drop", "0.3").ok());
  ASSERT_TRUE(booster->Set("verbosity", "0").ok());
  if (it.classes > 2) ASSERT_TRUE(booster->Set("num_class", std::to_string(it.classes)).ok());
  if (it.base_score != nullptr) ASSERT_TRUE(booster->Set("base_score", it.base_score).ok());
  for (int round = 0; round < 12; ++round) {
    const Status updated = booster->Update(round, *matrix);
    ASSERT_TRUE(updated.ok()) << updated.error().message();
  }
  const auto bytes = booster->SaveModel();
  ASSERT_TRUE(bytes.ok());
  // The one that was trained still leaves out what its last round dropped (dart).
  auto loaded = Booster::Create(matrices);
  ASSERT_TRUE(loaded.ok() && loaded->LoadModel(*bytes).ok());
  const auto expected = loaded->Predict(*matrix);
  ASSERT_TRUE(expected.ok());
  const auto model = TreeModel::Parse(*bytes);
  ASSERT_TRUE(model.ok()) << model.error().message();
  EXPECT_EQ(model->features(), kColumns);
  ASSERT_EQ(model->outputs() * kRows, expected->size());
  std::vector<float> values(expected->size());
  model->Predict(table.values, kRows, values);
  for (size_t i = 0; i < values.size(); ++i) {
    ASSERT_NEAR(values[i], (*expected)[i], 2e-6 * std::max(1.0F, std::abs((*expected)[i]))) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(All, AsTheLibraryTest,
                         testing::Values(Case{"reg:squarederror", "gbtree"},
                                         Case{"reg:squarederror", "gbtree", 0, "3.5"}, Case{"reg:squarederror", "dart"},
                                         Case{"reg:squarederror", "gblinear"}, Case{"reg:squaredlogerror", "gbtree"},
                                         Case{"reg:pseudohubererror", "gbtree"}, Case{"reg:absoluteerror", "gbtree"},
                                         Case{"reg:gamma", "gbtree"}, Case{"reg:tweedie", "gbtree"},
                                         Case{"reg:logistic", "gbtree", 2}, Case{"binary:logistic", "gbtree", 2},
                                         Case{"binary:logistic", "gbtree", 2, "0.2"},
                                         Case{"binary:logitraw", "gbtree", 2}, Case{"binary:hinge", "gbtree", 2},
                                         Case{"binary:logistic", "gblinear", 2}, Case{"multi:softmax", "gbtree", 4},
                                         Case{"multi:softprob", "gbtree", 4}, Case{"multi:softprob", "dart", 4},
                                         Case{"multi:softprob", "gblinear", 4}, Case{"count:poisson", "gbtree"},
                                         Case{"rank:pairwise", "gbtree"}, Case{"survival:cox", "gbtree"},
                                         Case{"survival:aft", "gbtree"}),
                         [](const auto& info) {
                           std::string name = std::string(info.param.objective) + "_" + info.param.booster;
                           if (info.param.base_score != nullptr) name += "_base";
                           std::replace(name.begin(), name.end(), ':', '_');
                           return name;
                         });

// One split: below 5 (or missing) 1.5, else -2; after base_score 0.5.
Json Small() {
  return Json::parse(R"({
    "learner": {
      "learner_model_param": {"base_score": "5E-1", "num_class": "0", "num_feature": "2"},
      "objective": {"name": "reg:squarederror"},
      "gradient_booster": {"name": "gbtree", "model": {
        "tree_info": [0],
        "trees": [{"left_children": [1, -1, -1], "right_children": [2, -1, -1], "split_indices": [1, 0, 0],
                   "split_conditions": [5.0, 1.5, -2.0], "default_left": [1, 0, 0], "split_type": [0, 0, 0]}]}}}})");
}

TEST(TreeModel, WalksItsTrees) {
  const auto model = TreeModel::Parse(Small().dump());
  ASSERT_TRUE(model.ok()) << model.error().message();
  const std::array<float, 6> rows = {0, 4.9F, 0, 5, 0, std::numeric_limits<float>::quiet_NaN()};
  std::array<float, 3> values{};
  model->Predict(rows, 3, values);
  EXPECT_THAT(values, testing::ElementsAre(2.0F, -1.5F, 2.0F));
}

// As XGBoost writes it from 3.1 on.
TEST(TreeModel, EachClassMayHaveABaseScoreOfItsOwn) {
  Json json = Small();
  json["learner"]["learner_model_param"]["num_class"] = "3";
  json["learner"]["learner_model_param"]["base_score"] = "[1E0,-5E-1,2E0]";
  json["learner"]["objective"]["name"] = "multi:softprob";
  json["learner"]["gradient_booster"]["model"]["tree_info"] = {1};
  const auto model = TreeModel::Parse(json.dump());
  ASSERT_TRUE(model.ok()) << model.error().message();
  const std::array<float, 4> rows = {0, 4, 0, 6};
  std::array<float, 6> values{};
  model->Predict(rows, 2, values);
  const float first = std::exp(1.0F) + std::exp(1.0F) + std::exp(2.0F);
  const float second = std::exp(1.0F) + std::exp(-2.5F) + std::exp(2.0F);
  EXPECT_THAT(values, testing::Pointwise(testing::FloatNear(1e-6F),
                                         {std::exp(1.0F) / first, std::exp(1.0F) / first, std::exp(2.0F) / first,
                                          std::exp(1.0F) / second, std::exp(-2.5F) / second, std::exp(2.0F) / second}));
  json["learner"]["learner_model_param"]["base_score"] = "[1E0,2E0]";
  EXPECT_THAT(TreeModel::Parse(json.dump()).error().message(), HasSubstr("one number for each class"));
}

TEST(TreeModel, RefusesWhatIsNoModel) {
  const auto fault = [](const Json& json) {
    const auto model = TreeModel::Parse(json.dump());
    return model.ok() ? std::string("accepted") : model.error().message();
  };
  EXPECT_EQ(TreeModel::Parse("binf").error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(TreeModel::Parse("").error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(TreeModel::Parse("{}").error().code(), ErrorCode::kCorrupt);
  const std::string tree = "/learner/gradient_booster/model/trees/0";
  for (const auto& [place, value, message] : std::vector<std::tuple<std::string, Json, std::string>>{
           {"/learner/learner_model_param/num_feature", "0", "no features"},
           {"/learner/learner_model_param/num_feature", "x", "'x' is not a number"},
           {"/learner/learner_model_param/num_feature", "1", "no feature"},
           {"/learner/learner_model_param/num_target", "3", "several targets"},
           {"/learner/learner_model_param/num_class", "1e99", "out of range"},
           {"/learner/objective/name", "reg_squared", "'reg_squared' is not known"},
           {"/learner/gradient_booster/name", "forest", "'forest' is not known"},
           {"/learner/gradient_booster/model/tree_info/0", 1, "of no class"},
           {"/learner/gradient_booster/model/tree_info", Json::array(), "not listed"},
           {tree + "/left_children/0", 0, "no tree"},
           {tree + "/left_children/0", 3, "no tree"},
           {tree + "/right_children/0", 1, "no tree"},
           {tree + "/right_children/0", -1, "no tree"},
           {tree + "/left_children", {1, -1}, "differ in length"},
           {tree + "/split_indices/0", 2, "no feature"},
           {tree + "/split_indices/0", -1, "no feature"},
           {tree + "/split_conditions/0", "5", "number"},
           {tree + "/split_type", Json::array({1, 0, 0}), "categories"},
           {tree + "/sum_hessian", Json::array({1}), "differ in length"},
           {tree + "/parents", Json::array({0, 0, 3}), "no node"},
           {tree + "/tree_param", Json::object({{"num_nodes", "4"}}), "not as many nodes"},
           {"/learner/gradient_booster/model/gbtree_model_param", Json::object({{"num_trees", "6"}}),
            "not as many trees"},
       }) {
    Json json = Small();
    json[Json::json_pointer(place)] = value;
    EXPECT_THAT(fault(json), HasSubstr(message)) << place;
  }
  // A circle beside the tree is never walked, one reached from it is refused.
  Json circle = Small();
  circle["learner"]["gradient_booster"]["model"]["trees"][0]["left_children"] = {1, 1, -1};
  circle["learner"]["gradient_booster"]["model"]["trees"][0]["right_children"] = {2, 2, -1};
  EXPECT_THAT(fault(circle), HasSubstr("no tree"));
  Json logistic = Small();
  logistic["learner"]["objective"]["name"] = "binary:logistic";
  logistic["learner"]["learner_model_param"]["base_score"] = "1";
  EXPECT_THAT(fault(logistic), HasSubstr("no probability"));
}

TEST(TreeModel, UbjsonThatClaimsMoreThanItHoldsIsRefused) {
  const std::string begin(
      "{i\x01"
      "a",
      4);
  EXPECT_FALSE(TreeModel::Parse(begin + std::string(200'000, '[')).ok());
  EXPECT_FALSE(TreeModel::Parse(begin + std::string("[$T#l\x7f\xff\xff\xff", 9)).ok());
  EXPECT_FALSE(TreeModel::Parse(begin + "Si\x7f").ok());
  EXPECT_FALSE(TreeModel::Parse(begin + "i\x01}").ok());  // whole, and no model
}

}  // namespace
}  // namespace argosy::algorithms::xgboost
