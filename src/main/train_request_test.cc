#include "main/train_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace argosy::main {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Pair;

TEST(TrainRequest, FlagsBecomeHyperparameters) {
  TrainArgs args;
  args.set = {"epochs=5", "argosy_categorical=auto,3"};
  args.label = "species";
  args.type = "multiclass";
  const auto given = GivenHyperparameters(args);
  ASSERT_TRUE(given.ok());
  EXPECT_THAT(*given, Contains(Pair("epochs", "5")));
  EXPECT_THAT(*given, Contains(Pair("argosy_categorical", "auto,3")));
  EXPECT_THAT(*given, Contains(Pair("argosy_label", "species")));
  EXPECT_THAT(*given, Contains(Pair("predictor_type", "multiclass_classifier")));
}

TEST(TrainRequest, WhatLabelsMeanIsNothingToAlgorithmsWithoutThem) {
  for (const char* algorithm : {"kmeans", "pca"}) {
    TrainArgs args;
    args.algorithm = algorithm;
    args.label = "species";
    EXPECT_THAT(*GivenHyperparameters(args), Contains(Pair("argosy_label", "species")));
    args.type = "binary";
    EXPECT_THAT(GivenHyperparameters(args).error().message(), HasSubstr("--type binary: " + args.algorithm));
    args.type = "";
    args.negative = "no";
    EXPECT_THAT(GivenHyperparameters(args).error().message(), HasSubstr("--negative no: "));
  }
}

TEST(TrainRequest, TheNamedSideOfABinaryLabelIsTheRightClass) {
  TrainArgs args;
  args.positive = "yes, \"sir\"";
  EXPECT_THAT(*GivenHyperparameters(args),
              Contains(Pair("argosy_label_map", R"({"*":"other","yes, \"sir\"":"yes, \"sir\""})")));
  args.positive = "";
  args.negative = "normal.";
  EXPECT_THAT(*GivenHyperparameters(args), Contains(Pair("argosy_label_map", R"({"normal.":"normal.","*":"other"})")));
  EXPECT_THAT(*GivenHyperparameters(args), Contains(Pair("predictor_type", "binary_classifier")));
}

TEST(TrainRequest, WhatIsSaidTwiceIsRefused) {
  TrainArgs args;
  args.set = {"epochs"};
  EXPECT_THAT(GivenHyperparameters(args).error().message(), HasSubstr("KEY=VALUE"));
  args.set = {"a=1", "a=2"};
  EXPECT_THAT(GivenHyperparameters(args).error().message(), HasSubstr("twice"));
  args.set = {"argosy_label=1"};
  args.label = "2";
  EXPECT_THAT(GivenHyperparameters(args).error().message(), HasSubstr("--label"));
  args.set = {};
  args.positive = "a";
  args.negative = "b";
  EXPECT_FALSE(GivenHyperparameters(args).ok());
}

TEST(TrainRequest, IsWhatSageMakerTakes) {
  TrainArgs args;
  args.max_runtime_seconds = 60;
  TrainingRequestParts parts{
      "job-1", {{"epochs", "5"}}, {{"train", "s3://b/t/"}, {"test", "s3://b/e/"}}, "s3://b/out", "s3://b/checkpoints"};
  const Json request = TrainingRequest(args, parts, "eu-west-1");
  EXPECT_EQ(request["TrainingJobName"], "job-1");
  EXPECT_EQ(request["AlgorithmSpecification"]["TrainingImage"],
            "382416733822.dkr.ecr.eu-west-1.amazonaws.com/linear-learner:1");
  EXPECT_EQ(request["HyperParameters"]["epochs"], "5");
  EXPECT_EQ(request["InputDataConfig"].size(), 2u);
  EXPECT_EQ(request["InputDataConfig"][1]["DataSource"]["S3DataSource"]["S3Uri"], "s3://b/e/");
  EXPECT_EQ(request["InputDataConfig"][0]["ContentType"], "text/csv");
  EXPECT_EQ(request["CheckpointConfig"]["S3Uri"], "s3://b/checkpoints");
  EXPECT_EQ(request["StoppingCondition"]["MaxRuntimeInSeconds"], 60);
}

TEST(TrainRequest, AJobIsCalledAfterItsData) {
  EXPECT_EQ(JobStem({"data/kddcup.data_10_percent.gz"}), "kddcup.data_10_percent");
  EXPECT_EQ(JobStem({"a/iris.csv", "b.csv"}), "iris");
  EXPECT_EQ(JobStem({"s3://bucket/prefix/digits/"}), "digits");
}

}  // namespace
}  // namespace argosy::main
