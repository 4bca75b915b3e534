// One table, whatever it is written in, gives one artifact.
#include <gtest/gtest.h>

#include <cmath>

#include "algorithms/test_observer.h"
#include "base/files.h"
#include "base/random.h"
#include "data/recordio.h"
#include "data/test_files.h"

namespace argosy::algorithms {
namespace {

struct Written {
  std::string csv;
  std::string json;
  std::string records;
};

Written Table(size_t rows) {
  SeededRandom random(21);
  Written out;
  for (size_t r = 0; r < rows; ++r) {
    std::vector<float> values;
    for (int c = 0; c < 5; ++c) values.push_back(static_cast<float>(std::round(random.Normal() * 1000)) / 8);
    const float label = values[0] + values[1] > 0 ? 1.0F : 0.0F;
    std::string row;
    for (const float value : values) {
      std::array<char, 32> text;
      std::snprintf(text.data(), text.size(), ",%.9g", static_cast<double>(value));
      row += text.data();
    }
    const std::string first = std::to_string(static_cast<int>(label));
    out.csv += first + row + "\n";
    out.json += "{\"label\": " + first + ", \"features\": [" + row.substr(1) + "]}\n";
    data::AppendDataRecord(values, {&label, 1}, out.records);
  }
  return out;
}

struct FormatsCase {
  const char* algorithm;
  Hyperparameters hyperparameters;
};

class FormatsTest : public testing::TestWithParam<FormatsCase> {};

TEST_P(FormatsTest, GiveOneArtifact) {
  const data::TestDirectory files;
  const Written table = Table(12'000);
  const bool supervised =
      GetParam().hyperparameters.contains("predictor_type") || GetParam().hyperparameters.contains("num_round");
  const std::string size = supervised ? "" : ";label_size=1";
  std::string expected;
  int run = 0;
  for (const auto& [bytes, type, threads] : {std::tuple{table.csv, "text/csv" + size, 2U},
                                             {table.csv, "text/csv" + size, 1U},
                                             {data::GzipBytes(table.csv), "text/csv" + size, 3U},
                                             {table.json, std::string("application/jsonlines"), 2U},
                                             {table.json, std::string(), 2U},
                                             {table.records, std::string("application/x-recordio-protobuf"), 2U}}) {
    TrainingRequest request;
    request.hyperparameters = GetParam().hyperparameters;
    request.threads = threads;
    request.scratch_dir = files.path();
    request.memory_bytes = run % 2 == 0 ? 0 : 1 << 20;  // rows in memory, and most of them in the scratch file
    request.model_dir = files.path() / ("model-" + std::to_string(run));
    std::filesystem::create_directories(request.model_dir);
    request.channels = {{"train", type, "", {files.Write("data-" + std::to_string(run), bytes)}}};
    TestObserver observer;
    const Status trained = FindAlgorithm(GetParam().algorithm)->Train(request, observer);
    ASSERT_TRUE(trained.ok()) << run << ": " << trained.error().message();
    std::string artifact;
    for (const char* name : {"model.json", "model.safetensors", "schema.json", "xgboost-model"}) {
      const auto part = ReadFile(request.model_dir / name, 10 << 20);
      if (part.ok()) artifact += *part;
    }
    if (run == 0) expected = artifact;
    EXPECT_EQ(artifact, expected) << run;
    ++run;
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, FormatsTest,
    testing::Values(
        FormatsCase{"linear-learner",
                    {{"predictor_type", "binary_classifier"}, {"epochs", "2"}, {"mini_batch_size", "100"}}},
        FormatsCase{"kmeans", {{"feature_dim", "5"}, {"k", "4"}}},
        FormatsCase{"pca", {{"feature_dim", "5"}, {"num_components", "2"}, {"mini_batch_size", "100"}}},
        FormatsCase{"xgboost",
                    {{"num_round", "3"}, {"objective", "binary:logistic"}, {"tree_method", "hist"}, {"nthread", "1"}}}),
    [](const auto& info) {
      std::string name = info.param.algorithm;
      std::erase(name, '-');
      return name;
    });

}  // namespace
}  // namespace argosy::algorithms
