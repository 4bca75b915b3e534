#include "algorithms/kmeans/kmeans.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "algorithms/kmeans/kmeans_model.h"
#include "algorithms/kmeans/kmeans_state.h"
#include "algorithms/state.h"
#include "algorithms/test_observer.h"
#include "base/files.h"
#include "base/json.h"
#include "base/random.h"
#include "data/recordio.h"
#include "data/test_files.h"

namespace argosy::algorithms::kmeans {
namespace {

using testing::HasSubstr;

constexpr size_t kDim = 6;

// Rows around as many corners, far from each other, on top of a large offset.
std::vector<std::vector<float>> Clusters(size_t clusters, size_t rows, uint64_t seed) {
  SeededRandom random(seed);
  std::vector<std::vector<float>> table;
  for (size_t r = 0; r < rows; ++r) {
    std::vector<float> row;
    for (size_t j = 0; j < kDim; ++j) {
      const double corner = (r % clusters) >> (j % 3) & 1 ? 10 : -10;
      row.push_back(static_cast<float>(1000 + corner + random.Normal()));
    }
    table.push_back(std::move(row));
  }
  return table;
}

std::string Csv(const std::vector<std::vector<float>>& table, const std::string& label = "") {
  std::string text;
  for (const auto& row : table) {
    text += label;
    for (size_t j = 0; j < row.size(); ++j) {
      char number[40];
      std::snprintf(number, sizeof number, "%s%.9g", j == 0 ? "" : ",", static_cast<double>(row[j]));
      text += number;
    }
    text += '\n';
  }
  return text;
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

class KMeansTest : public testing::Test {
 protected:
  KMeansTest() {
    request_.hyperparameters = {{"feature_dim", std::to_string(kDim)}, {"k", "8"}, {"mini_batch_size", "500"}};
    request_.model_dir = directory_.path() / "model";
    request_.scratch_dir = directory_.path();
    request_.threads = 2;
    std::filesystem::create_directories(request_.model_dir);
  }
  void SetTrain(const std::string& bytes, const std::string& content_type = "text/csv;label_size=0") {
    request_.channels = {{"train", content_type, "", {directory_.Write("train", bytes)}}};
  }
  std::string Fault() {
    const Status trained = algorithm_.Train(request_, observer_);
    return trained.ok() ? "" : trained.error().message();
  }
  std::string Artifact() const {
    return *ReadFile(request_.model_dir / "model.safetensors", 1 << 20) +
           *ReadFile(request_.model_dir / "model.json", 1 << 20);
  }
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
  KMeans algorithm_;
  TrainingRequest request_;
  TestObserver observer_;
};

TEST_F(KMeansTest, FindsClustersThatAreThere) {
  SetTrain(Csv(Clusters(8, 8000, 1)));
  ASSERT_EQ(Fault(), "");
  // Six standard normal numbers a row.
  EXPECT_NEAR(observer_.Metric("train:msd"), 6, 0.2);
  EXPECT_TRUE(observer_.HasLine("train msd <loss>="));
  EXPECT_EQ(observer_.progress(), 1.0);
  const auto model = LoadKMeansModel(request_.model_dir);
  ASSERT_TRUE(model.ok());
  ASSERT_EQ(model->centers.size(), 8 * kDim);
  for (const double value : model->centers) EXPECT_NEAR(std::abs(value - 1000), 10, 0.3);
}

TEST_F(KMeansTest, TheWayOfTheFirstCentresIsTheUsers) {
  SetTrain(Csv(Clusters(8, 4000, 2)));
  for (const char* init : {"random", "kmeans++"}) {
    for (const char* factor : {"1", "4"}) {
      request_.hyperparameters["init_method"] = init;
      request_.hyperparameters["extra_center_factor"] = factor;
      ASSERT_EQ(Fault(), "");
      // A random draw of exactly k may end in a poor fit; all others find the corners.
      if (std::string(init) == "kmeans++" || std::string(factor) == "4") {
        EXPECT_NEAR(observer_.Metric("train:msd"), 6, 0.3) << init << factor;
      }
    }
  }
}

// Two clusters and rows so far away that each is worth a centre, though the draw of the first ones does not meet them.
TEST_F(KMeansTest, ACentreGoesToWhatIsFar) {
  auto table = Clusters(2, 8000, 4);
  table[100].assign(kDim, 1300);
  table[5000].assign(kDim, 600);
  SetTrain(Csv(table));
  request_.hyperparameters["k"] = "4";
  request_.hyperparameters["extra_center_factor"] = "1";
  ASSERT_EQ(Fault(), "");
  EXPECT_NEAR(observer_.Metric("train:msd"), 6, 0.3);
}

TEST_F(KMeansTest, TheArtifactDoesNotDependOnThreadsOrFormat) {
  const auto table = Clusters(5, 20'000, 3);
  SetTrain(Csv(table));
  request_.threads = 1;
  ASSERT_EQ(Fault(), "");
  const std::string alone = Artifact();
  request_.threads = 4;
  ASSERT_EQ(Fault(), "");
  EXPECT_EQ(Artifact(), alone);
  request_.hyperparameters["argosy_seed"] = "7";
  ASSERT_EQ(Fault(), "");
  EXPECT_NE(Artifact(), alone);
}

TEST_F(KMeansTest, RecordsAndTextGiveOneModel) {
  const auto table = Clusters(3, 900, 4);
  request_.hyperparameters["k"] = "3";
  SetTrain(Csv(table));
  ASSERT_EQ(Fault(), "");
  const std::string text = *ReadFile(request_.model_dir / "model.safetensors", 1 << 20);
  std::string records;
  for (const auto& row : table) data::AppendDataRecord(row, {}, records);
  for (const char* content_type : {"application/x-recordio-protobuf", ""}) {
    SetTrain(records, content_type);
    ASSERT_EQ(Fault(), "") << content_type;
    EXPECT_EQ(*ReadFile(request_.model_dir / "model.safetensors", 1 << 20), text);
  }
}

TEST_F(KMeansTest, ALabelIsNotLookedAt) {
  const auto table = Clusters(3, 600, 5);
  SetTrain(Csv(table));
  ASSERT_EQ(Fault(), "");
  const std::string plain = *ReadFile(request_.model_dir / "model.safetensors", 1 << 20);
  for (const char* content_type : {"text/csv", "text/csv;label_size=1"}) {
    SetTrain(Csv(table, "some text,"), content_type);
    ASSERT_EQ(Fault(), "") << content_type;
    EXPECT_EQ(*ReadFile(request_.model_dir / "model.safetensors", 1 << 20), plain);
  }
  SetTrain(Csv(table), "text/csv");  // as wide as feature_dim: there is none
  ASSERT_EQ(Fault(), "");
  EXPECT_EQ(*ReadFile(request_.model_dir / "model.safetensors", 1 << 20), plain);
}

TEST_F(KMeansTest, NamesAndANamedColumnAreNotLookedAt) {
  const auto table = Clusters(3, 600, 5);
  SetTrain(Csv(table));
  ASSERT_EQ(Fault(), "");
  const auto centers = [&] { return *ReadFile(request_.model_dir / "model.safetensors", 1 << 20); };
  const std::string plain = centers();
  const std::string names = "a,b,c,d,e,f";
  for (const char* header : {"true", "auto"}) {
    request_.hyperparameters["argosy_header"] = header;
    SetTrain("kind," + names + "\n" + Csv(table, "some text,"), "text/csv");
    ASSERT_EQ(Fault(), "") << header;
    EXPECT_EQ(centers(), plain);
  }
  std::string last = names + ",kind\n";  // the label behind the features
  for (const std::string& line : Lines(Csv(table))) last += line + ",some text\n";
  SetTrain(last, "text/csv");
  request_.channels.push_back({"test", "text/csv", "", {directory_.Write("test", last)}});
  for (const char* label : {"kind", "-1", "6"}) {
    request_.hyperparameters["argosy_label"] = label;
    ASSERT_EQ(Fault(), "") << label;
    EXPECT_EQ(centers(), plain);
    EXPECT_GT(observer_.Metric("test:msd"), 0);
  }
  request_.hyperparameters["argosy_label"] = "sort";
  EXPECT_THAT(Fault(), HasSubstr("argosy_label: the table has no column 'sort'"));
}

TEST_F(KMeansTest, TheTestChannelIsMeasured) {
  SetTrain(Csv(Clusters(8, 4000, 6)));
  request_.channels.push_back(
      {"test", "text/csv;label_size=0", "", {directory_.Write("test", Csv(Clusters(8, 800, 7)))}});
  request_.hyperparameters["eval_metrics"] = R"(["msd","ssd"])";
  ASSERT_EQ(Fault(), "");
  EXPECT_NEAR(observer_.Metric("test:msd"), 6, 0.4);
  EXPECT_NEAR(observer_.Metric("test:ssd"), 800 * observer_.Metric("test:msd"), 1);
}

TEST_F(KMeansTest, FewDistinctRowsAreNoTrouble) {
  request_.hyperparameters["k"] = "4";
  SetTrain(Csv(std::vector<std::vector<float>>(50, std::vector<float>(kDim, 3.0F))));
  ASSERT_EQ(Fault(), "");
  EXPECT_EQ(observer_.Metric("train:msd"), 0);
}

TEST_F(KMeansTest, AStopKeepsTheCentresAsTheyStand) {
  SetTrain(Csv(Clusters(8, 20'000, 8)));
  observer_.StopAfterLine("epoch=0");
  ASSERT_EQ(Fault(), "");
  EXPECT_TRUE(LoadKMeansModel(request_.model_dir).ok());
}

TEST_F(KMeansTest, WhatTheUserMustMendIsSaidSo) {
  SetTrain(Csv(Clusters(2, 50, 9)));
  request_.hyperparameters["k"] = "51";
  EXPECT_THAT(Fault(), HasSubstr("k: '51' is not valid: the data has only 50 rows"));
  request_.hyperparameters["k"] = "2";
  request_.hyperparameters["feature_dim"] = "9";
  EXPECT_THAT(Fault(), HasSubstr("the data has 6 feature columns"));
  request_.hyperparameters["feature_dim"] = "6";
  request_.hyperparameters["eval_metrics"] = R"(["mse"])";
  EXPECT_THAT(Fault(), HasSubstr("eval_metrics"));
  request_.hyperparameters.erase("eval_metrics");
  request_.hyperparameters["clusters"] = "2";
  EXPECT_THAT(Fault(), HasSubstr("clusters"));
  request_.hyperparameters.erase("clusters");
  request_.channels.push_back({"validation", "text/csv", "", request_.channels[0].files});
  EXPECT_THAT(Fault(), HasSubstr("channel 'validation' is not known: kmeans has train and test"));
  request_.channels.pop_back();
  SetTrain("1,2,3,4,5,x\n");
  EXPECT_THAT(Fault(), HasSubstr("line 1: column 6"));
  request_.channels.clear();
  EXPECT_THAT(Fault(), HasSubstr("channel 'train' is required"));
}

TEST_F(KMeansTest, AnswersInEveryFormat) {
  SetTrain("0,0,0,0,0,0\n0,0,0,0,0,0\n10,0,0,0,0,0\n10,0,0,0,0,0\n");
  request_.hyperparameters["k"] = "2";
  ASSERT_EQ(Fault(), "");
  const std::string zero = Predict("text/csv", "text/csv", "0,0,0,0,0,0").substr(0, 1);
  const std::string ten = zero == "0" ? "1" : "0";
  EXPECT_EQ(Predict("text/csv", "text/csv", "0,0,0,0,0,3\n10,4,0,0,0,0\n"), zero + ",3\n" + ten + ",4\n");
  EXPECT_EQ(Predict("text/csv;label_size=1", "text/csv", "x,0,0,0,0,0,3"), zero + ",3\n");
  EXPECT_EQ(Predict("application/json", "", R"({"instances":[{"features":[0,0,0,0,0,3]}]})"),
            R"({"predictions":[{"closest_cluster":)" + zero + R"(,"distance_to_cluster":3}]})");
  EXPECT_EQ(Predict("application/jsonlines", "application/jsonlines",
                    R"({"data":{"features":{"keys":[5],"shape":[6],"values":[3]}}})"),
            R"({"closest_cluster":)" + zero + R"(,"distance_to_cluster":3})" + "\n");
  std::string records;
  data::AppendDataRecord(std::vector<float>{10, 4, 0, 0, 0, 0}, {}, records);
  std::string expected;
  const std::vector<float> cluster = {std::stof(ten)};
  const std::vector<float> distance = {4};
  const data::NamedValues values[] = {{"closest_cluster", cluster}, {"distance_to_cluster", distance}};
  data::AppendLabelRecord(values, expected);
  EXPECT_EQ(Predict("application/x-recordio-protobuf", "application/x-recordio-protobuf", records), expected);
}

TEST_F(KMeansTest, RequestsThatDoNotFitAreRefusedWithTheContainersStatus) {
  SetTrain(Csv(Clusters(2, 50, 9)));
  ASSERT_EQ(Fault(), "");
  EXPECT_EQ(Predict("text/csv", "", "1,2,3"), "400 line 1: the row has 3 columns where 6 are expected");
  EXPECT_EQ(Predict("text/csv", "", "1,2,3,4,5,6\n1,2,3,4,5,x"), "400 line 2: column 6: the value is not a number");
  EXPECT_EQ(Predict("text/csv", "", "1,2,3,4,,6"), "400 line 1: column 5: the value is missing");
  EXPECT_EQ(Predict("text/csv", "", ""), "400 the body has no rows");
  EXPECT_EQ(Predict("application/x-recordio-protobuf", "", "1,2,3,4,5,6").substr(0, 30),
            "400 the body is not RecordIO: ");
  EXPECT_EQ(Predict("image/png", "", "").substr(0, 4), "415 ");
  EXPECT_EQ(Predict("text/csv", "image/png", "1,2,3,4,5,6").substr(0, 4), "406 ");
}

TEST_F(KMeansTest, DamagedArtifactsAreRefused) {
  SetTrain(Csv(Clusters(2, 50, 9)));
  ASSERT_EQ(Fault(), "");
  const std::string weights = *ReadFile(request_.model_dir / "model.safetensors", 1 << 20);
  const std::string json = *ReadFile(request_.model_dir / "model.json", 1 << 20);
  EXPECT_TRUE(ParseKMeansModel(weights, json).ok());
  EXPECT_EQ(ParseKMeansModel(weights.substr(0, weights.size() / 2), json).error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(ParseKMeansModel(weights, "{}").error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(ParseKMeansModel(weights, "[1]").error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(ParseKMeansModel(weights, R"({"format":"argosy-kmeans","version":2})").error().code(), ErrorCode::kCorrupt);
}

TEST(KMeansState, MergeIsExactAndBytesComeBack) {
  const std::vector<float> points(4 * kLane, 1.0F);
  const PackedCenters centers(points, 4, kLane);
  const auto batch_of = [](float value) {
    RowBatch batch;
    batch.rows = 3;
    batch.numeric.assign(3 * kLane, value);
    return batch;
  };
  KMeansState whole(centers), a(centers), b(centers);
  whole.Update(batch_of(1));
  whole.Update(batch_of(2));
  a.Update(batch_of(1));
  b.Update(batch_of(2));
  a.Merge(b);
  EXPECT_EQ(a.Save(), whole.Save());
  KMeansState loaded(centers);
  ASSERT_TRUE(loaded.Load(whole.Save()).ok());
  EXPECT_EQ(loaded.Save(), whole.Save());
  EXPECT_EQ(loaded.Finalize().rows, 6U);
  EXPECT_EQ(loaded.Finalize().farthest_distance, static_cast<float>(kLane));
  std::string torn = whole.Save();
  torn[20] ^= 1;
  EXPECT_FALSE(loaded.Load(torn).ok());
}

}  // namespace
}  // namespace argosy::algorithms::kmeans
