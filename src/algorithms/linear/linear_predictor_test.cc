#include "algorithms/linear/linear_predictor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/json.h"

namespace argosy::algorithms::linear {
namespace {

using model::Prediction;
using model::PredictionError;

// output = 0.5 + 2 x - y
LinearModel Plain(PredictorType type, LossKind loss) {
  LinearModel model;
  model.predictor = type;
  model.loss = loss;
  model.outputs = 1;
  model.weights = {2, -1};
  model.biases = {0.5};
  model.mean = {0, 0};
  model.scale = {1, 1};
  model.fill = {7, 7};
  model.schema.columns = {{"x", data::ColumnKind::kNumeric, {}}, {"y", data::ColumnKind::kNumeric, {}}};
  return model;
}

// Columns x, protocol, label, y.
LinearModel Raw() {
  LinearModel model = Plain(PredictorType::kBinaryClassifier, LossKind::kLogistic);
  model.schema.columns.insert(model.schema.columns.begin() + 1,
                              {"protocol", data::ColumnKind::kCategorical, {"3", "tcp"}});
  model.schema.label_position = 2;
  model.schema.label = *data::ParseLabelMap("normal.=normal,*=at\"tack");
  model.weights = {2, -1, 10, -20};
  model.raw_rows = true;
  return model;
}

LinearModel ThreeClasses() {
  LinearModel model = Plain(PredictorType::kMulticlassClassifier, LossKind::kSoftmax);
  model.outputs = 3;
  model.weights = {1, 0, 0, 1, 0, 0};
  model.biases = {0, 0, 0};
  return model;
}

std::string Body(const LinearPredictor& predictor, const std::string& content_type, const std::string& accept,
                 const std::string& body) {
  const auto answer = predictor.Predict(content_type, accept, body);
  if (const auto* error = std::get_if<PredictionError>(&answer)) {
    return std::to_string(error->status) + " " + error->message;
  }
  return std::get<Prediction>(answer).body;
}

TEST(LinearPredictorTest, RegressorInEveryFormat) {
  const LinearPredictor predictor(Plain(PredictorType::kRegressor, LossKind::kSquared));
  EXPECT_EQ(Body(predictor, "text/csv", "application/json", "1,0.25\n0,0\n"),
            R"({"predictions":[{"score":2.25},{"score":0.5}]})");
  EXPECT_EQ(Body(predictor, "text/csv", "application/jsonlines", "1,0.25\r\n0,0"),
            "{\"score\":2.25}\n{\"score\":0.5}\n");
  EXPECT_EQ(Body(predictor, "text/csv", "text/csv", "1,0.25\n0,0\n"), "2.25\n0.5\n");
  EXPECT_EQ(Body(predictor, "application/json", "", R"({"instances":[{"features":[1,0.25]},{"features":[0,0]}]})"),
            R"({"predictions":[{"score":2.25},{"score":0.5}]})");
  EXPECT_EQ(
      Body(predictor, "application/json", "text/csv", R"({"instances":[{"data":{"features":{"values":[1,0.25]}}}]})"),
      "2.25\n");
  EXPECT_EQ(Body(predictor, "application/json", "text/csv",
                 R"({"instances":[{"data":{"features":{"keys":[1],"shape":[2],"values":[4]}}}]})"),
            "-3.5\n");
  EXPECT_EQ(Body(predictor, "application/jsonlines", "text/csv", "{\"features\":[1,0.25]}\n\n{\"features\":[0,0]}\n"),
            "2.25\n0.5\n");
  EXPECT_EQ(Body(predictor, "", "", "0,0"), R"({"predictions":[{"score":0.5}]})");
}

TEST(LinearPredictorTest, ReplyNamesItsContentType) {
  const LinearPredictor predictor(Plain(PredictorType::kRegressor, LossKind::kSquared));
  for (const auto& [accept, type] :
       {std::pair{"*/*", "application/json"}, std::pair{"text/*", "text/csv"},
        std::pair{"text/csv;q=0.5, application/jsonlines", "application/jsonlines"},
        std::pair{"application/json; verbose=true", "application/json"}, std::pair{"", "application/json"}}) {
    const auto answer = predictor.Predict("text/csv", accept, "0,0");
    ASSERT_TRUE(std::holds_alternative<Prediction>(answer)) << accept;
    EXPECT_EQ(std::get<Prediction>(answer).content_type, type) << accept;
  }
}

TEST(LinearPredictorTest, BinaryScoresAndThresholds) {
  LinearModel model = Plain(PredictorType::kBinaryClassifier, LossKind::kLogistic);
  model.threshold = 1;
  const LinearPredictor logistic(model);
  EXPECT_EQ(Body(logistic, "text/csv", "text/csv", "0.25,0\n0,0.5\n0.2,0"), "1,0.7310586\n0,0.5\n0,0.7109495\n");
  EXPECT_EQ(Body(logistic, "text/csv", "", "0,0.5"), R"({"predictions":[{"score":0.5,"predicted_label":0}]})");
  model.loss = LossKind::kHinge;
  const LinearPredictor hinge(model);
  EXPECT_EQ(Body(hinge, "text/csv", "text/csv", "1,0"), "1,2.5\n");
}

TEST(LinearPredictorTest, MulticlassScoresAreProbabilities) {
  const LinearPredictor predictor(ThreeClasses());
  const Json answer = *ParseJson(Body(predictor, "text/csv", "", "1,2\n1000,-1000\n"));
  const Json& first = answer["predictions"][0];
  EXPECT_EQ(first["predicted_label"], 1);
  const double sum = std::exp(1.0) + std::exp(2.0) + 1;
  EXPECT_NEAR(first["score"][0].get<double>(), std::exp(1.0) / sum, 1e-6);
  EXPECT_NEAR(first["score"][2].get<double>(), 1 / sum, 1e-6);
  EXPECT_EQ(answer["predictions"][1]["score"], (Json{1, 0, 0}));
  EXPECT_EQ(Body(predictor, "text/csv", "text/csv", "1000,0"), "0,1\n");
}

TEST(LinearPredictorTest, ShiftScaleAndClipAreApplied) {
  LinearModel model = Plain(PredictorType::kRegressor, LossKind::kSquared);
  model.mean = {10, 0};
  model.scale = {0.5, 1};
  model.clip = 3;
  const LinearPredictor predictor(model);
  EXPECT_EQ(Body(predictor, "text/csv", "text/csv", "12,0\n1000,0\n-1000,0\n"), "2.5\n6.5\n-5.5\n");
}

TEST(LinearPredictorTest, RawRowsWithAndWithoutTheLabel) {
  const LinearPredictor predictor(Raw());
  const std::string attack = "\"at\"\"tack\",";
  EXPECT_EQ(Body(predictor, "text/csv", "text/csv", "0,3,0\n"), attack + "0.99997246\n");
  EXPECT_EQ(Body(predictor, "text/csv", "text/csv", "0,3,normal.,0\n"), attack + "0.99997246\n");
  EXPECT_EQ(Body(predictor, "text/csv", "text/csv", "0,\"tcp\",\"a,b\",0"), "normal,3.398268e-09\n");
  EXPECT_EQ(Body(predictor, "text/csv;label_size=1", "text/csv", "0,3,normal.,0"), attack + "0.99997246\n");
  EXPECT_EQ(Body(predictor, "text/csv;header=present", "text/csv", "x,protocol,y\n0,3,0"), attack + "0.99997246\n");
  EXPECT_EQ(Body(predictor, "application/json", "", R"({"instances":[{"features":[0,"tcp",0]}]})"),
            R"({"predictions":[{"score":3.398268e-09,"predicted_label":"normal"}]})");
  EXPECT_EQ(Body(predictor, "application/json", "text/csv", R"({"instances":[{"features":[0,3,"normal.",0]}]})"),
            attack + "0.99997246\n");
  EXPECT_EQ(predictor.unseen_categories(), 0U);
  EXPECT_EQ(Body(predictor, "text/csv", "text/csv", "0,icmp,0"), attack + "0.62245935\n");
  EXPECT_EQ(predictor.unseen_categories(), 1U);
}

TEST(LinearPredictorTest, MissingValuesAreFilledOnlyWhereTheTrainingDidSo) {
  LinearModel model = Plain(PredictorType::kRegressor, LossKind::kSquared);
  EXPECT_EQ(Body(LinearPredictor(model), "text/csv", "text/csv", ",0"), "400 line 1: column 1: the value is missing");
  EXPECT_EQ(Body(LinearPredictor(model), "application/json", "", R"({"instances":[{"features":[null,0]}]})"),
            "400 instance 1: column 1: the value is missing");
  model.schema.missing = data::MissingValues::kMean;
  EXPECT_EQ(Body(LinearPredictor(model), "text/csv", "text/csv", ",0"), "14.5\n");
  EXPECT_EQ(Body(LinearPredictor(model), "application/json", "text/csv", R"({"instances":[{"features":[null,0]}]})"),
            "14.5\n");
}

TEST(LinearPredictorTest, WhatDoesNotFitIsRefusedWithTheContainersStatus) {
  const LinearPredictor plain(Plain(PredictorType::kRegressor, LossKind::kSquared));
  const LinearPredictor raw(Raw());
  EXPECT_EQ(Body(plain, "text/csv", "", "1,2\n1,2,3\n"), "400 line 2: the row has 3 columns where 2 are expected");
  EXPECT_EQ(Body(plain, "text/csv", "", "1\n"), "400 line 1: the row has 1 columns where 2 are expected");
  EXPECT_EQ(Body(raw, "text/csv", "", "1,tcp\n"),
            "400 line 1: the row has 2 columns where 3 (or 4 with the label) are expected");
  EXPECT_EQ(Body(raw, "text/csv;label_size=0", "", "1,tcp,normal.,2\n").substr(0, 4), "400 ");
  EXPECT_EQ(Body(plain, "text/csv", "", "1,abc"), "400 line 1: column 2: the value is not a number");
  EXPECT_EQ(Body(plain, "text/csv", "", "1,nan"), "400 line 1: column 2: the value is missing");
  EXPECT_EQ(Body(plain, "text/csv", "", "1,x"), "400 line 1: column 2: the value is not a number");
  EXPECT_EQ(Body(plain, "text/csv", "", "1,\"2"),
            "400 line 1: column 2: a quote that is not closed, or text behind the closing one");
  EXPECT_EQ(Body(plain, "text/csv", "", ""), "400 the body has no rows");
  EXPECT_EQ(Body(plain, "text/csv;label_size=2", "", "1,2"), "400 label_size may be 0 or 1, not '2'");
  EXPECT_EQ(Body(plain, "application/x-npy", "", "1,2").substr(0, 4), "415 ");
  EXPECT_EQ(Body(plain, "text/csv", "image/png", "1,2").substr(0, 4), "406 ");
  EXPECT_EQ(Body(plain, "text/csv", "application/json;q=0", "1,2").substr(0, 4), "406 ");
  for (const char* body : {"", "{", "[]", "{}", R"({"instances":[]})", R"({"instances":[1]})", R"({"instances":[{}]})",
                           R"({"instances":[{"features":1}]})", R"({"instances":[{"features":[1]}]})",
                           R"({"instances":[{"features":[1,true]}]})", R"({"instances":[{"features":[1,"x"]}]})",
                           R"({"instances":[{"data":{"features":{"keys":[9],"shape":[2],"values":[4]}}}]})",
                           R"({"instances":[{"data":{"features":{"keys":[1],"shape":[99999999999],"values":[4]}}}]})",
                           R"({"instances":[{"data":{"features":{"keys":[1,0],"shape":[2],"values":[4]}}}]})",
                           R"({"instances":[{"data":{"features":{"keys":[1],"values":[4]}}}]})"}) {
    EXPECT_EQ(Body(plain, "application/json", "", body).substr(0, 4), "400 ") << body;
  }
  EXPECT_EQ(Body(plain, "application/jsonlines", "", "{\"features\":[1,2]}\n{\"features\":[1]}").substr(0, 15),
            "400 instance 2:");
}

TEST(LinearPredictorTest, FastPathSaysWhatPredictSays) {
  const LinearPredictor predictor(Raw());
  for (const std::string row : {"0,3,0", "1,tcp,normal.,0.5", "0,odd,0"}) {
    std::string out = "before ";
    ASSERT_TRUE(predictor.PredictCsvRow(row, out));
    EXPECT_EQ(out + "\n", "before " + Body(predictor, "text/csv", "text/csv", row));
  }
  std::string out = "before";
  EXPECT_FALSE(predictor.PredictCsvRow("0,3", out));
  EXPECT_FALSE(predictor.PredictCsvRow("0,3,x", out));
  EXPECT_EQ(out, "before");
}

}  // namespace
}  // namespace argosy::algorithms::linear
