#include "algorithms/checkpoints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "algorithms/test_observer.h"
#include "algorithms/test_table.h"
#include "base/bytes.h"
#include "base/files.h"
#include "data/test_files.h"

namespace argosy::algorithms {
namespace {

using testing::HasSubstr;

struct ResumeCase {
  const char* name;
  const char* algorithm;
  Hyperparameters hyperparameters;
  const char* content_type;
  size_t rows;
};

const ResumeCase kLinear = {"LinearBinary",
                            "linear-learner",
                            {{"predictor_type", "binary_classifier"}, {"epochs", "3"}, {"mini_batch_size", "200"}},
                            "text/csv",
                            30'000};

class Trainings {
 protected:
  explicit Trainings(const ResumeCase& it) : algorithm_(*FindAlgorithm(it.algorithm)) {
    request_.hyperparameters = it.hyperparameters;
    request_.hyperparameters["argosy_checkpoint_seconds"] = "0";
    request_.scratch_dir = directory_.path();
    request_.seed = 5;
    request_.threads = 2;
    const auto file = LabelledTable(it.rows);
    request_.channels = {{"train", it.content_type, "", {file}}};
    if (request_.hyperparameters.contains("epochs") && it.algorithm == std::string("linear-learner")) {
      request_.channels.push_back({"validation", it.content_type, "", {LabelledTable(2000)}});
    }
  }

  // The artifact's files, one behind the other.
  std::string Train(TrainingObserver& observer) {
    request_.model_dir = directory_.path() / "model";
    Check(RemoveTree(request_.model_dir).ok());
    std::filesystem::create_directories(request_.model_dir);
    const Status trained = algorithm_.Train(request_, observer);
    if (!trained.ok()) return "failed: " + trained.error().message();
    return ArtifactBytes(request_.model_dir);
  }
  void SetCheckpoint(const std::string& bytes) {
    request_.checkpoint_dir = directory_.path() / "checkpoints";
    std::filesystem::create_directories(request_.checkpoint_dir);
    Check(WriteFileAtomically(request_.checkpoint_dir / kCheckpointFile, bytes).ok());
  }

  const data::TestDirectory directory_;
  const Algorithm& algorithm_;
  TrainingRequest request_;
};

class ResumeTest : public Trainings, public testing::TestWithParam<ResumeCase> {
 protected:
  ResumeTest() : Trainings(GetParam()) {}
};

TEST_P(ResumeTest, FromAnyCheckpointTheSameArtifactIsMade) {
  Keeper alone;
  const std::string expected = Train(alone);
  ASSERT_THAT(expected, HasSubstr("\"format\""));
  EXPECT_TRUE(alone.checkpoints_.empty());

  SetCheckpoint("");
  std::filesystem::remove(request_.checkpoint_dir / kCheckpointFile);
  Keeper saved;
  EXPECT_EQ(Train(saved), expected) << "saving changes nothing";
  ASSERT_GE(saved.checkpoints_.size(), 3U);

  const size_t stride = std::max<size_t>(1, saved.checkpoints_.size() / 4);
  for (size_t i = 0; i < saved.checkpoints_.size(); i += stride) {
    SetCheckpoint(saved.checkpoints_[i]);
    request_.threads = 1 + i % 3;
    Keeper resumed;
    EXPECT_EQ(Train(resumed), expected) << i;
    EXPECT_THAT(resumed.log_, HasSubstr("resuming from")) << i;
    EXPECT_EQ(resumed.metrics_, alone.metrics_) << i;
    // What was done before is not done again.
    EXPECT_EQ(resumed.checkpoints_.size(), saved.checkpoints_.size() - i - 1) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, ResumeTest,
    testing::Values(
        kLinear,
        ResumeCase{"LinearModels",
                   "linear-learner",
                   {{"predictor_type", "binary_classifier"},
                    {"epochs", "3"},
                    {"num_models", "4"},
                    {"optimizer", "sgd"},
                    {"positive_example_weight_mult", "auto"},
                    {"early_stopping_tolerance", "0.2"},
                    {"early_stopping_patience", "1"},
                    {"mini_batch_size", "200"}},
                   "text/csv",
                   30'000},
        ResumeCase{
            "LinearRegressor",
            "linear-learner",
            {{"predictor_type", "regressor"}, {"epochs", "2"}, {"optimizer", "rmsprop"}, {"mini_batch_size", "200"}},
            "text/csv",
            20'000},
        ResumeCase{"KMeans",
                   "kmeans",
                   {{"feature_dim", "4"},
                    {"k", "7"},
                    {"epochs", "2"},
                    {"mini_batch_size", "20000"},
                    {"argosy_lloyd_passes", "3"},
                    {"local_lloyd_tol", "0"}},
                   "text/csv;label_size=1",
                   300'000},
        ResumeCase{"Pca",
                   "pca",
                   {{"feature_dim", "4"}, {"num_components", "2"}, {"mini_batch_size", "100"}},
                   "text/csv;label_size=1",
                   700'000},
        ResumeCase{"PcaRandomized",
                   "pca",
                   {{"feature_dim", "4"},
                    {"num_components", "2"},
                    {"mini_batch_size", "100"},
                    {"algorithm_mode", "randomized"},
                    {"extra_components", "1"}},
                   "text/csv;label_size=1",
                   700'000},
        ResumeCase{"XGBoost",
                   "xgboost",
                   {{"num_round", "12"},
                    {"objective", "binary:logistic"},
                    {"nthread", "1"},
                    {"tree_method", "hist"},
                    {"early_stopping_rounds", "8"}},
                   "text/csv",
                   3'000},
        ResumeCase{"XGBoostFolds",
                   "xgboost",
                   {{"num_round", "3"},
                    {"objective", "binary:logistic"},
                    {"nthread", "1"},
                    {"tree_method", "hist"},
                    {"_kfold", "3"}},
                   "text/csv",
                   3'000},
        ResumeCase{"XGBoostExact",
                   "xgboost",
                   {{"num_round", "12"}, {"objective", "reg:squarederror"}, {"nthread", "2"}, {"max_depth", "3"}},
                   "text/csv",
                   3'000}),
    [](const auto& info) { return info.param.name; });

class CheckpointsTest : public Trainings, public testing::Test {
 protected:
  CheckpointsTest() : Trainings(kLinear) {}
};

TEST_F(CheckpointsTest, ForeignAndDamagedCheckpointsAreSaidAndNotUsed) {
  Keeper alone;
  const std::string expected = Train(alone);
  SetCheckpoint("");
  std::filesystem::remove(request_.checkpoint_dir / kCheckpointFile);
  Keeper saved;
  Train(saved);
  ASSERT_FALSE(saved.checkpoints_.empty());
  std::string damaged = saved.checkpoints_[0];
  damaged[damaged.size() / 2] ^= 1;
  for (const std::string& bytes : {damaged, std::string(), std::string("x"), saved.checkpoints_[0].substr(0, 100)}) {
    SetCheckpoint(bytes);
    Keeper keeper;
    EXPECT_EQ(Train(keeper), expected);
    EXPECT_THAT(keeper.log_, HasSubstr("the checkpoint is damaged"));
  }
  SetCheckpoint(saved.checkpoints_[0]);
  request_.seed = 6;
  Keeper foreign;
  Train(foreign);
  EXPECT_THAT(foreign.log_, HasSubstr("other hyperparameters or data"));
  request_.seed = 5;
  request_.channels[0].files.push_back(LabelledTable(2000));
  SetCheckpoint(saved.checkpoints_[0]);
  Keeper more;
  Train(more);
  EXPECT_THAT(more.log_, HasSubstr("other hyperparameters or data"));
}

TEST_F(CheckpointsTest, OtherDataOfTheSameNameAndSizeBeginsAnew) {
  const std::filesystem::path old = request_.channels[0].files[0].path;
  SetCheckpoint("");
  std::filesystem::remove(request_.checkpoint_dir / kCheckpointFile);
  Keeper saved;
  Train(saved);
  ASSERT_FALSE(saved.checkpoints_.empty());
  const data::TestDirectory elsewhere;
  std::string flipped = *ReadFile(old, 10 << 20);
  for (size_t at = 0; at < flipped.size(); at = flipped.find('\n', at) + 1)
    flipped[at] = flipped[at] == '0' ? '1' : '0';
  request_.channels[0].files[0] = elsewhere.Write(old.filename().string(), flipped);
  ASSERT_EQ(std::filesystem::file_size(request_.channels[0].files[0].path), std::filesystem::file_size(old));
  Keeper alone;
  request_.checkpoint_dir.clear();
  const std::string expected = Train(alone);
  SetCheckpoint(saved.checkpoints_.back());
  Keeper other;
  EXPECT_EQ(Train(other), expected);
  EXPECT_THAT(other.log_, HasSubstr("other hyperparameters or data"));
}

TEST_F(CheckpointsTest, AnotherModelToGoOnFromBeginsAnew) {
  const data::TestDirectory models;
  const std::filesystem::path first = models.path() / "first";
  const std::filesystem::path second = models.path() / "second";
  for (const auto& model : {first, second}) {
    Keeper keeper;
    request_.seed = model == first ? 7 : 8;
    Train(keeper);
    std::filesystem::copy(request_.model_dir, model);
  }
  for (const char* file : {"model.json", "schema.json"}) {  // so that their weights alone differ
    std::filesystem::copy(first / file, second / file, std::filesystem::copy_options::overwrite_existing);
  }
  request_.seed = 5;
  request_.initial_model = first;
  SetCheckpoint("");
  std::filesystem::remove(request_.checkpoint_dir / kCheckpointFile);
  Keeper saved;
  Train(saved);
  ASSERT_FALSE(saved.checkpoints_.empty());
  SetCheckpoint(saved.checkpoints_.back());
  Keeper same;
  Train(same);
  EXPECT_THAT(same.log_, HasSubstr("resuming from"));
  SetCheckpoint(saved.checkpoints_.back());
  request_.initial_model = second;
  Keeper other;
  Train(other);
  EXPECT_THAT(other.log_, HasSubstr("other hyperparameters or data"));
}

class Silent final : public TrainingObserver {
 public:
  void OnLogLine(std::string_view) override {}
  void OnMetric(std::string_view, double) override {}
  void OnProgress(double fraction, uint64_t) override { Check(fraction >= 0 && fraction <= 1, "progress of no sense"); }
  bool StopRequested() const override { return false; }
};

// Of what a small training saves first one word after the other becomes another, and the checksum right again.
class UnfitCheckpointTest : public Trainings, public testing::TestWithParam<ResumeCase> {
 protected:
  UnfitCheckpointTest() : Trainings(GetParam()) {}

  static std::string Resealed(std::string bytes) {
    bytes.resize(bytes.size() - sizeof(uint32_t));
    const uint32_t crc = Crc32(0, bytes);
    return bytes + std::string(reinterpret_cast<const char*>(&crc), sizeof crc);
  }
};

TEST_P(UnfitCheckpointTest, IsGoneOnFromOrRefused) {
  SetCheckpoint("");
  Keeper alone;
  ASSERT_THAT(Train(alone), HasSubstr("\"format\""));
  ASSERT_FALSE(alone.checkpoints_.empty());
  const std::string& good = alone.checkpoints_[0];
  const size_t belongs_to = good.find('\0') + 1;
  size_t refused = 0;
  for (size_t at = belongs_to + 16; at + 8 <= std::min<size_t>(good.size(), belongs_to + 400); at += 8) {
    for (const uint64_t word : {uint64_t{0}, uint64_t{3}, uint64_t{1} << 63}) {
      std::string bytes = good;
      bytes.replace(at, sizeof word, reinterpret_cast<const char*>(&word), sizeof word);
      SetCheckpoint(Resealed(std::move(bytes)));
      Silent silent;
      const std::string trained = Train(silent);
      EXPECT_THAT(trained, testing::AnyOf(HasSubstr("\"format\""), HasSubstr("failed: "))) << at << " " << word;
      refused += trained.find("the checkpoint holds what this training does not save") != std::string::npos ? 1 : 0;
    }
  }
  EXPECT_GT(refused, 0U);
}

INSTANTIATE_TEST_SUITE_P(
    All, UnfitCheckpointTest,
    testing::Values(
        ResumeCase{"Linear",
                   "linear-learner",
                   {{"predictor_type", "regressor"}, {"epochs", "2"}, {"mini_batch_size", "20"}},
                   "text/csv",
                   40},
        ResumeCase{"KMeans",
                   "kmeans",
                   {{"feature_dim", "4"}, {"k", "2"}, {"epochs", "2"}, {"mini_batch_size", "20"}},
                   "text/csv;label_size=1",
                   40},
        ResumeCase{"Pca",
                   "pca",
                   {{"feature_dim", "4"}, {"num_components", "2"}, {"mini_batch_size", "20"}},
                   "text/csv;label_size=1",
                   40},
        ResumeCase{"PcaRandomized",
                   "pca",
                   {{"feature_dim", "4"},
                    {"num_components", "2"},
                    {"mini_batch_size", "20"},
                    {"algorithm_mode", "randomized"}},
                   "text/csv;label_size=1",
                   40},
        ResumeCase{"XGBoost",
                   "xgboost",
                   {{"num_round", "3"}, {"nthread", "1"}, {"early_stopping_rounds", "2"}},
                   "text/csv",
                   40},
        ResumeCase{"XGBoostFolds", "xgboost", {{"num_round", "2"}, {"nthread", "1"}, {"_kfold", "2"}}, "text/csv", 40}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace argosy::algorithms
