#include "algorithms/pca/pca.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "algorithms/matrix.h"
#include "algorithms/pca/pca_model.h"
#include "algorithms/pca/pca_state.h"
#include "algorithms/pca/spectrum.h"
#include "algorithms/state.h"
#include "algorithms/test_observer.h"
#include "base/files.h"
#include "base/random.h"
#include "data/recordio.h"
#include "data/test_files.h"

namespace argosy::algorithms::pca {
namespace {

using testing::HasSubstr;

// Rows that spread along (1, 1, 0, …) by 10, along (1, -1, 0, …) by 3, and by 0.1 elsewhere, far from the origin.
std::vector<std::vector<float>> Ellipsoid(size_t columns, size_t rows, uint64_t seed) {
  SeededRandom random(seed);
  std::vector<std::vector<float>> table;
  for (size_t r = 0; r < rows; ++r) {
    const double along = 10 * random.Normal() / std::sqrt(2.0);
    const double across = 3 * random.Normal() / std::sqrt(2.0);
    std::vector<float> row = {static_cast<float>(500 + along + across), static_cast<float>(-300 + along - across)};
    while (row.size() < columns) row.push_back(static_cast<float>(0.1 * random.Normal()));
    table.push_back(std::move(row));
  }
  return table;
}

std::string Csv(const std::vector<std::vector<float>>& table) {
  std::string text;
  for (const auto& row : table) {
    for (size_t j = 0; j < row.size(); ++j) {
      char number[40];
      std::snprintf(number, sizeof number, "%s%.9g", j == 0 ? "" : ",", static_cast<double>(row[j]));
      text += number;
    }
    text += '\n';
  }
  return text;
}

class PcaTest : public testing::TestWithParam<const char*> {
 protected:
  PcaTest() {
    request_.model_dir = directory_.path() / "model";
    request_.scratch_dir = directory_.path();
    request_.threads = 2;
    std::filesystem::create_directories(request_.model_dir);
    request_.hyperparameters = {{"mini_batch_size", "100"}, {"num_components", "2"}, {"algorithm_mode", GetParam()}};
  }
  void SetTrain(const std::vector<std::vector<float>>& table) {
    request_.hyperparameters["feature_dim"] = std::to_string(table[0].size());
    request_.channels = {{"train", "text/csv;label_size=0", "", {directory_.Write("train", Csv(table))}}};
  }
  std::string Fault() {
    const Status trained = algorithm_.Train(request_, observer_);
    return trained.ok() ? "" : trained.error().message();
  }
  std::string Weights() const { return *ReadFile(request_.model_dir / "model.safetensors", 1 << 20); }
  std::string Predict(const std::string& type, const std::string& accept, const std::string& body) {
    const auto predictor = algorithm_.Load(request_.model_dir);
    if (!predictor.ok()) return predictor.error().message();
    const auto answer = (*predictor)->Predict(type, accept, body);
    if (const auto* error = std::get_if<model::PredictionError>(&answer)) {
      return std::to_string(error->status) + " " + error->message;
    }
    return std::get<model::Prediction>(answer).body;
  }

  data::TestDirectory directory_;
  Pca algorithm_;
  TrainingRequest request_;
  TestObserver observer_;
};

TEST_P(PcaTest, FindsTheAxesOfAnEllipsoid) {
  for (const size_t columns : {2U, 5U, 300U}) {
    constexpr size_t kRows = 4000;
    SetTrain(Ellipsoid(columns, kRows, 1));
    ASSERT_EQ(Fault(), "");
    const auto model = LoadPcaModel(request_.model_dir);
    ASSERT_TRUE(model.ok());
    ASSERT_EQ(model->components, 2U);
    // Ascending: the longest axis is the last.
    EXPECT_NEAR(model->singular_values[1], 10 * std::sqrt(kRows), 15);
    EXPECT_NEAR(model->singular_values[0], 3 * std::sqrt(kRows), 5);
    EXPECT_NEAR(model->v[1], std::sqrt(0.5), 0.02);
    EXPECT_NEAR(model->v[3], std::sqrt(0.5), 0.02);
    EXPECT_NEAR(model->v[0] * model->v[2], -0.5, 0.02);
    EXPECT_NEAR(model->mean[0], 500, 1);
    EXPECT_NEAR(model->mean[1], -300, 1);
    const double rest = 0.01 * static_cast<double>(columns - 2);
    EXPECT_NEAR(observer_.Metric("train:explained_variance_ratio"), 109 / (109 + rest), 0.005);
    EXPECT_EQ(observer_.progress(), 1.0);
  }
}

TEST_P(PcaTest, NamesAndANamedColumnAreNotLookedAt) {
  const auto table = Ellipsoid(3, 500, 4);
  SetTrain(table);
  ASSERT_EQ(Fault(), "");
  const std::string plain = Weights();
  std::string text = "a,b,c,kind\n";
  std::istringstream rows(Csv(table));
  for (std::string row; std::getline(rows, row);) text += row + ",some text\n";
  request_.channels = {{"train", "text/csv", "", {directory_.Write("train", text)}}};
  request_.hyperparameters["argosy_header"] = "true";
  request_.hyperparameters["argosy_label"] = "kind";
  ASSERT_EQ(Fault(), "");
  EXPECT_EQ(Weights(), plain);
}

TEST_P(PcaTest, TheArtifactDoesNotDependOnThreads) {
  SetTrain(Ellipsoid(40, 20'000, 2));
  request_.threads = 1;
  ASSERT_EQ(Fault(), "");
  const std::string alone = Weights();
  request_.threads = 4;
  ASSERT_EQ(Fault(), "");
  EXPECT_EQ(Weights(), alone);
}

TEST_P(PcaTest, RecordsAndTextGiveOneModel) {
  const auto table = Ellipsoid(6, 300, 3);
  SetTrain(table);
  ASSERT_EQ(Fault(), "");
  const std::string text = Weights();
  std::string records;
  for (const auto& row : table) data::AppendDataRecord(row, {}, records);
  request_.channels = {{"train", "", "", {directory_.Write("records", records)}}};
  ASSERT_EQ(Fault(), "");
  EXPECT_EQ(Weights(), text);
}

TEST_P(PcaTest, WithoutSubtractMeanTheFirstAxisIsTheMeans) {
  SetTrain(Ellipsoid(5, 2000, 4));
  request_.hyperparameters["subtract_mean"] = "false";
  ASSERT_EQ(Fault(), "");
  const auto model = LoadPcaModel(request_.model_dir);
  ASSERT_TRUE(model.ok());
  EXPECT_EQ(model->mean[0], 0);
  EXPECT_NEAR(std::abs(model->v[1]), 500 / std::hypot(500, 300), 0.01);
  EXPECT_NEAR(std::abs(model->v[3]), 300 / std::hypot(500, 300), 0.01);
}

TEST_P(PcaTest, RowsThatAreAllAlikeHaveNoSpread) {
  SetTrain(std::vector<std::vector<float>>(40, {1, 2, 3}));
  ASSERT_EQ(Fault(), "");
  const auto model = LoadPcaModel(request_.model_dir);
  ASSERT_TRUE(model.ok());
  EXPECT_NEAR(model->singular_values[1], 0, 1e-3);
}

TEST_P(PcaTest, AnswersInEveryFormat) {
  SetTrain({{4, 0, 0}, {-4, 0, 0}, {0, 2, 0}, {0, -2, 0}, {0, 0, 1}, {0, 0, -1}});
  ASSERT_EQ(Fault(), "");
  EXPECT_EQ(Predict("text/csv", "text/csv", "3,5,7\n"), "5,3\n");
  EXPECT_EQ(Predict("application/json", "", R"({"instances":[{"features":[3,5,7]},{"features":[0,0,0]}]})"),
            R"({"projections":[{"projection":[5,3]},{"projection":[0,0]}]})");
  EXPECT_EQ(Predict("application/jsonlines", "application/jsonlines", R"({"features":[3,5,7]})"),
            "{\"projection\":[5,3]}\n");
  std::string record;
  data::AppendDataRecord(std::vector<float>{3, 5, 7}, {}, record);
  const std::vector<float> projection = {5, 3};
  const data::NamedValues values[] = {{"projection", projection}};
  std::string expected;
  data::AppendLabelRecord(values, expected);
  EXPECT_EQ(Predict("application/x-recordio-protobuf", "application/x-recordio-protobuf", record), expected);
  EXPECT_EQ(Predict("text/csv", "", "3,5"), "400 line 1: the row has 2 columns where 3 are expected");
}

TEST_P(PcaTest, WhatTheUserMustMendIsSaidSo) {
  SetTrain(Ellipsoid(3, 20, 5));
  request_.hyperparameters["num_components"] = "4";
  EXPECT_THAT(Fault(), HasSubstr("num_components: '4' is not valid: there are only 3 features"));
  request_.hyperparameters["num_components"] = "2";
  request_.hyperparameters["feature_dim"] = "7";
  EXPECT_THAT(Fault(), HasSubstr("the data has 3 feature columns"));
  request_.hyperparameters.erase("mini_batch_size");
  EXPECT_THAT(Fault(), HasSubstr("mini_batch_size"));
}

TEST_P(PcaTest, StopBeforeThereIsAModelIsCancelled) {
  SetTrain(Ellipsoid(3, 20, 5));
  observer_.StopNow();
  EXPECT_EQ(algorithm_.Train(request_, observer_).error().code(), ErrorCode::kCancelled);
}

INSTANTIATE_TEST_SUITE_P(Modes, PcaTest, testing::Values("regular", "randomized"));

TEST(PcaModel, DamagedArtifactsAreRefused) {
  const data::TestDirectory directory;
  const PcaModel model{2, 1, {0, 0}, {1, 0}, {3}, 5, 9, "{}"};
  ASSERT_TRUE(SavePcaModel(model, directory.path()).ok());
  const std::string weights = *ReadFile(directory.path() / "model.safetensors", 1 << 20);
  const std::string json = *ReadFile(directory.path() / "model.json", 1 << 20);
  EXPECT_TRUE(ParsePcaModel(weights, json).ok());
  EXPECT_EQ(ParsePcaModel(weights.substr(0, 40), json).error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(ParsePcaModel(weights, R"({"format":"argosy-kmeans","version":1})").error().code(), ErrorCode::kCorrupt);
}

TEST(PcaState, MergeAddsAndBytesComeBack) {
  RowBatch batch;
  batch.rows = 3;
  for (size_t i = 0; i < 3 * kLane; ++i) batch.numeric.push_back(static_cast<float>(i % 7));
  PcaState whole(kLane, nullptr, 0), a(kLane, nullptr, 0), b(kLane, nullptr, 0);
  whole.Update(batch);
  whole.Update(batch);
  a.Update(batch);
  b.Update(batch);
  for (PcaState* state : {&whole, &a, &b}) state->Flush();
  a.Merge(b);
  EXPECT_EQ(a.Save(), whole.Save());
  PcaState loaded(kLane, nullptr, 0);
  ASSERT_TRUE(loaded.Load(whole.Save()).ok());
  EXPECT_EQ(loaded.Save(), whole.Save());
  EXPECT_EQ(loaded.Finalize().rows, 6U);
  EXPECT_FALSE(loaded.Load(whole.Save().substr(1)).ok());
}

// A matrix of known eigenvalues 1 / (1 + i): large enough for the iteration.
TEST(Spectrum, TheIterationFindsWhatTheDirectSolutionDoes) {
  constexpr size_t kSize = 400;
  constexpr size_t kWanted = 20;
  SeededRandom random(1);
  std::vector<double> basis(kSize * kSize);
  for (double& value : basis) value = random.Normal();
  Orthonormalize(basis, kSize, kSize, 2);
  std::vector<double> scaled(kSize * kSize), transposed(kSize * kSize), matrix(kSize * kSize);
  for (size_t i = 0; i < kSize; ++i) {
    for (size_t j = 0; j < kSize; ++j) {
      scaled[i * kSize + j] = basis[i * kSize + j] / (1.0 + static_cast<double>(j));
      transposed[j * kSize + i] = basis[i * kSize + j];
    }
  }
  Multiply(scaled.data(), kSize, kSize, transposed.data(), kSize, matrix.data());
  const Spectrum found = LargestEigenvectors(matrix, kSize, kWanted, 3);
  for (size_t c = 0; c < kWanted; ++c) {
    EXPECT_NEAR(found.values[c], 1.0 / (1.0 + static_cast<double>(c)), 1e-8);
    double along = 0;
    for (size_t i = 0; i < kSize; ++i) along += found.vectors[i * kWanted + c] * basis[i * kSize + c];
    EXPECT_NEAR(std::abs(along), 1, 1e-4);
  }
}

}  // namespace
}  // namespace argosy::algorithms::pca
