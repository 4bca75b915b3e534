// Trainings on several hosts, which are threads here and speak over real sockets.
#include "algorithms/hosts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "algorithms/checkpoints.h"
#include "algorithms/test_observer.h"
#include "algorithms/test_table.h"
#include "base/files.h"
#include "base/json.h"
#include "collective/test_hosts.h"
#include "data/test_files.h"

namespace argosy::algorithms {
namespace {

using testing::HasSubstr;

struct HostsCase {
  const char* name;
  const char* algorithm;
  Hyperparameters hyperparameters;
  const char* content_type;
  size_t rows;
  const char* metric;
};

// What a host of a training came to.
struct Outcome {
  Status status;
  std::string artifact;
  TestObserver observer;
  collective::Traffic traffic;
};

class HostsTest : public testing::TestWithParam<HostsCase> {
 protected:
  TrainingRequest Request(const HostsCase& it) const {
    TrainingRequest request;
    request.hyperparameters = it.hyperparameters;
    request.scratch_dir = directory_.path();
    request.seed = 5;
    const char* prefix = it.hyperparameters.contains("argosy_categorical") ? "w" : "";
    request.channels = {{"train", it.content_type, "", {LabelledTable(it.rows, prefix)}}};
    const char* other = it.algorithm == std::string("linear-learner") ? "validation" : "test";
    request.channels.push_back({other, it.content_type, "", {LabelledTable(5000, prefix)}});
    return request;
  }

  void TrainOne(const HostsCase& it, TrainingRequest request, collective::Group& group, Outcome& outcome) const {
    request.group = &group;
    request.model_dir = directory_.path() / ("model-" + std::to_string(group.rank()));
    Check(RemoveTree(request.model_dir).ok());
    std::filesystem::create_directories(request.model_dir);
    outcome.status = FindAlgorithm(it.algorithm)->Train(request, outcome.observer);
    outcome.traffic = group.traffic();
    outcome.artifact = ArtifactBytes(request.model_dir);
  }

  std::vector<Outcome> Train(const HostsCase& it, const TrainingRequest& request, size_t hosts) const {
    std::vector<Outcome> outcomes(hosts);
    if (hosts == 1) {
      TrainOne(it, request, collective::Alone(), outcomes[0]);
    } else {
      collective::RunHosts(hosts,
                           [&](collective::Group& group) { TrainOne(it, request, group, outcomes[group.rank()]); });
    }
    return outcomes;
  }

  const data::TestDirectory directory_;
};

TEST_P(HostsTest, TwoAndFourHostsTrainTheSameModelAsOne) {
  const HostsCase& it = GetParam();
  const TrainingRequest request = Request(it);
  const std::vector<Outcome> alone = Train(it, request, 1);
  ASSERT_TRUE(alone[0].status.ok()) << alone[0].status.error().message();
  for (const size_t hosts : {2U, 4U}) {
    const std::vector<Outcome> outcomes = Train(it, request, hosts);
    for (const Outcome& outcome : outcomes) {
      ASSERT_TRUE(outcome.status.ok()) << outcome.status.error().message();
      EXPECT_EQ(outcome.artifact, alone[0].artifact) << hosts << " hosts";
      EXPECT_TRUE(outcome.observer.HasLine("channel 'train': read "));
      EXPECT_GT(outcome.traffic.rounds, 3U);
    }
  }
}

TEST_P(HostsTest, ThreeHostsTrainOneAsGood) {
  const HostsCase& it = GetParam();
  const TrainingRequest request = Request(it);
  const double alone = Train(it, request, 1)[0].observer.Metric(it.metric);
  const std::vector<Outcome> outcomes = Train(it, request, 3);
  for (const Outcome& outcome : outcomes) {
    ASSERT_TRUE(outcome.status.ok()) << outcome.status.error().message();
    EXPECT_EQ(outcome.artifact, outcomes[0].artifact);
    EXPECT_NEAR(outcome.observer.Metric(it.metric), alone, 0.02 * std::abs(alone));
  }
}

TEST_P(HostsTest, AnInterruptedTrainingGoesOnToTheSameModel) {
  const HostsCase& it = GetParam();
  TrainingRequest request = Request(it);
  request.hyperparameters["argosy_checkpoint_seconds"] = "0";
  const std::string expected = Train(it, request, 2)[0].artifact;

  const auto train = [&](Keeper& head) {
    std::string artifact;
    collective::RunHosts(2, [&](collective::Group& group) {
      TrainingRequest mine = request;
      Keeper other;
      mine.group = &group;
      mine.model_dir = directory_.path() / ("model-" + std::to_string(group.rank()));
      std::filesystem::create_directories(mine.model_dir);
      if (group.rank() == 0) mine.checkpoint_dir = directory_.path();
      const Status trained = FindAlgorithm(it.algorithm)->Train(mine, group.rank() == 0 ? head : other);
      EXPECT_TRUE(trained.ok()) << trained.error().message();
      if (group.rank() == 0) artifact = ArtifactBytes(mine.model_dir);
    });
    return artifact;
  };
  Keeper first;
  EXPECT_EQ(train(first), expected);
  ASSERT_GE(first.checkpoints_.size(), 2U);
  ASSERT_TRUE(
      WriteFileAtomically(directory_.path() / kCheckpointFile, first.checkpoints_[first.checkpoints_.size() / 2]).ok());
  Keeper second;
  EXPECT_EQ(train(second), expected);
  EXPECT_THAT(second.log_, HasSubstr("resuming from the checkpoint"));
  EXPECT_LT(second.checkpoints_.size(), first.checkpoints_.size());
}

TEST_P(HostsTest, AHostThatIsLostIsAnErrorOnTheOthersNotAModel) {
  const HostsCase& it = GetParam();
  TrainingRequest request = Request(it);
  std::vector<Outcome> outcomes(2);
  collective::RunHosts(2, [&](collective::Group& group) {
    if (group.rank() == 1) {
      // It comes to read and then leaves.
      ASSERT_TRUE(group.AllGather("").ok());
      return;
    }
    TrainOne(it, request, group, outcomes[0]);
  });
  ASSERT_FALSE(outcomes[0].status.ok());
  EXPECT_EQ(outcomes[0].status.error().code(), ErrorCode::kUnavailable);
  EXPECT_EQ(outcomes[0].artifact, "");
}

INSTANTIATE_TEST_SUITE_P(
    All, HostsTest,
    testing::Values(
        HostsCase{"Linear",
                  "linear-learner",
                  {{"predictor_type", "binary_classifier"}, {"epochs", "2"}, {"argosy_categorical", "auto"}},
                  "text/csv",
                  70'000,
                  "validation:objective_loss"},
        HostsCase{
            "LinearModels",
            "linear-learner",
            {{"predictor_type", "multiclass_classifier"}, {"num_classes", "3"}, {"epochs", "2"}, {"num_models", "3"}},
            "text/csv",
            70'000,
            "validation:objective_loss"},
        HostsCase{"KMeans",
                  "kmeans",
                  {{"feature_dim", "4"}, {"k", "5"}, {"mini_batch_size", "2000"}, {"argosy_lloyd_passes", "3"}},
                  "text/csv;label_size=1",
                  300'000,
                  "test:msd"},
        HostsCase{"Pca",
                  "pca",
                  {{"feature_dim", "4"}, {"num_components", "2"}, {"mini_batch_size", "100"}},
                  "text/csv;label_size=1",
                  700'000,
                  "train:explained_variance_ratio"},
        HostsCase{"PcaRandomized",
                  "pca",
                  {{"feature_dim", "4"},
                   {"num_components", "2"},
                   {"mini_batch_size", "100"},
                   {"algorithm_mode", "randomized"},
                   {"extra_components", "1"}},
                  "text/csv;label_size=1",
                  300'000,
                  "train:explained_variance_ratio"}),
    [](const auto& info) { return info.param.name; });

using HostsOfLinearTest = HostsTest;

TEST_F(HostsOfLinearTest, OfFewRowsEachHostHasAllAndTheModelIsTheSame) {
  const HostsCase small{"Small", "linear-learner", {{"predictor_type", "regressor"}, {"epochs", "3"}}, "text/csv", 3000,
                        ""};
  const TrainingRequest request = Request(small);
  const std::string expected = Train(small, request, 1)[0].artifact;
  for (const Outcome& outcome : Train(small, request, 3)) EXPECT_EQ(outcome.artifact, expected);
}

// So few rows that not every host has a block of them.
TEST_F(HostsOfLinearTest, AHandfulOfRowsIsTrainedOnToo) {
  const HostsCase cases[] = {
      {"Linear", "linear-learner", {{"predictor_type", "regressor"}, {"epochs", "2"}}, "text/csv", 40, ""},
      {"KMeans", "kmeans", {{"feature_dim", "4"}, {"k", "3"}}, "text/csv;label_size=1", 40, ""},
      {"Pca",
       "pca",
       {{"feature_dim", "4"}, {"num_components", "2"}, {"mini_batch_size", "10"}},
       "text/csv;label_size=1",
       40,
       ""},
  };
  for (const HostsCase& it : cases) {
    TrainingRequest request = Request(it);
    request.channels.pop_back();
    const std::string expected = Train(it, request, 1)[0].artifact;
    for (const size_t hosts : {2U, 4U}) {
      for (const Outcome& outcome : Train(it, request, hosts)) {
        ASSERT_TRUE(outcome.status.ok()) << it.name << ": " << outcome.status.error().message();
        EXPECT_EQ(outcome.artifact, expected) << it.name;
      }
    }
  }
}

TEST_F(HostsOfLinearTest, AStopIsForAllAtTheSameRound) {
  const HostsCase it{"Stop",     "linear-learner", {{"predictor_type", "regressor"}, {"epochs", "500"}},
                     "text/csv", 40'000,           ""};
  const TrainingRequest request = Request(it);
  std::vector<Outcome> outcomes(2);
  collective::RunHosts(2, [&](collective::Group& group) {
    Outcome& outcome = outcomes[group.rank()];
    if (group.rank() == 1) outcome.observer.StopAfterLine("epoch=2,");
    TrainOne(it, request, group, outcome);
  });
  for (const Outcome& outcome : outcomes) {
    ASSERT_TRUE(outcome.status.ok());
    EXPECT_EQ(outcome.artifact, outcomes[0].artifact);
    EXPECT_THAT(outcome.artifact, HasSubstr("\"epochs\": 4"));
  }
}

}  // namespace
}  // namespace argosy::algorithms
