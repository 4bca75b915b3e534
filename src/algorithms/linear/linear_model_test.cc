#include "algorithms/linear/linear_model.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "algorithms/artifact_files.h"
#include "base/files.h"
#include "base/json.h"
#include "data/test_files.h"
#include "model/safetensors.h"

namespace argosy::algorithms::linear {
namespace {

LinearModel Example() {
  LinearModel model;
  model.predictor = PredictorType::kBinaryClassifier;
  model.loss = LossKind::kLogistic;
  model.threshold = 0.25;
  model.clip = 3;
  model.raw_rows = true;
  model.weights = {1, 2, 3};
  model.biases = {4};
  model.mean = {5};
  model.scale = {6};
  model.fill = {7};
  model.schema.columns = {{"", data::ColumnKind::kNumeric, {}}, {"", data::ColumnKind::kCategorical, {"a", "b"}}};
  model.schema.label = *data::ParseLabelMap("n=0,*=1");
  model.training_json = R"({"rows": 3})";
  return model;
}

class LinearModelTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(SaveLinearModel(Example(), directory_.path()).ok());
    weights_ = ReadFile(directory_.path() / kWeightsFile, 1 << 20).value();
    json_ = ParseJson(ReadFile(directory_.path() / kModelFile, 1 << 20).value()).value();
    schema_ = ReadFile(directory_.path() / kSchemaFile, 1 << 20).value();
  }
  data::TestDirectory directory_;
  std::string weights_;
  Json json_;
  std::string schema_;
};

TEST_F(LinearModelTest, ArtifactGivesTheModelBack) {
  const auto loaded = LoadLinearModel(directory_.path());
  ASSERT_TRUE(loaded.ok()) << loaded.error().message();
  const LinearModel expected = Example();
  EXPECT_EQ(loaded->weights, expected.weights);
  EXPECT_EQ(loaded->biases, expected.biases);
  EXPECT_EQ(loaded->mean, expected.mean);
  EXPECT_EQ(loaded->scale, expected.scale);
  EXPECT_EQ(loaded->fill, expected.fill);
  EXPECT_EQ(loaded->schema, expected.schema);
  EXPECT_EQ(loaded->threshold, 0.25);
  EXPECT_EQ(loaded->clip, 3);
  EXPECT_TRUE(loaded->raw_rows);
  EXPECT_EQ(json_["training"]["rows"], 3);
}

TEST_F(LinearModelTest, AbsentFileIsNotFound) {
  std::filesystem::remove(directory_.path() / kSchemaFile);
  EXPECT_EQ(LoadLinearModel(directory_.path()).error().code(), ErrorCode::kNotFound);
}

TEST_F(LinearModelTest, EveryTornWeightsFileIsCorrupt) {
  for (size_t length = 0; length < weights_.size(); ++length) {
    const auto model = ParseLinearModel(weights_.substr(0, length), DumpJson(json_), schema_);
    ASSERT_FALSE(model.ok()) << length;
    EXPECT_EQ(model.error().code(), ErrorCode::kCorrupt);
  }
}

TEST_F(LinearModelTest, WhatDoesNotAgreeIsCorrupt) {
  const std::pair<const char*, const char*> kEdits[] = {
      {"/version", "2"},
      {"/format", "\"x\""},
      {"/predictor_type", "\"regressor\""},
      {"/loss", "\"softmax_loss\""},
      {"/loss", "\"odd\""},
      {"/outputs", "2"},
      {"/outputs", "0"},
      {"/outputs", "-1"},
      {"/outputs", "99999999999"},
      {"/clip", "-1"},
      {"/threshold", "\"high\""},
      {"/raw_rows", "1"},
      {"/predictor_type", "7"},
  };
  for (const auto& [place, value] : kEdits) {
    Json json = json_;
    json[Json::json_pointer(place)] = *ParseJson(value);
    const auto model = ParseLinearModel(weights_, DumpJson(json), schema_);
    ASSERT_FALSE(model.ok()) << place << " = " << value;
    EXPECT_EQ(model.error().code(), ErrorCode::kCorrupt);
  }
  for (const char* removed : {"weight", "bias", "mean", "scale", "fill"}) {
    auto tensors = *model::ReadSafetensors(weights_);
    tensors.erase(removed);
    EXPECT_FALSE(ParseLinearModel(model::WriteSafetensors(tensors), DumpJson(json_), schema_).ok()) << removed;
  }
  auto tensors = *model::ReadSafetensors(weights_);
  tensors["bias"].values[0] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(ParseLinearModel(model::WriteSafetensors(tensors), DumpJson(json_), schema_).ok());
}

}  // namespace
}  // namespace argosy::algorithms::linear
