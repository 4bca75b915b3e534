#include "model/images.h"

#include <gtest/gtest.h>

namespace argosy::model {
namespace {

TEST(Images, ARepositoryIsWhatStandsBetweenRegistryAndTag) {
  EXPECT_EQ(RepositoryOfImage("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"),
            "sagemaker-scikit-learn");
  EXPECT_EQ(RepositoryOfImage("argosy/program"), "argosy/program");
  EXPECT_EQ(RepositoryOfImage("localhost/argosy/program:7"), "argosy/program");
  EXPECT_EQ(RepositoryOfImage("registry:5000/argosy/program@sha256:12"), "argosy/program");
  EXPECT_EQ(RepositoryOfImage("kmeans:1"), "kmeans");
}

TEST(Images, FrameworksAreServedByPythonAndProgramsByThemselves) {
  EXPECT_EQ(ServerOfImage("1.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3", Script::kNone),
            ImageServer::kPython);
  EXPECT_EQ(ServerOfImage("1.dkr.ecr.eu-west-1.amazonaws.com/pytorch-inference:2.0.1-cpu-py310", Script::kNone),
            ImageServer::kPython);
  EXPECT_EQ(ServerOfImage("1.dkr.ecr.eu-west-1.amazonaws.com/argosy/program:1", Script::kNone), ImageServer::kProgram);
  EXPECT_EQ(ServerOfImage("1.dkr.ecr.eu-west-1.amazonaws.com/kmeans:1", Script::kGiven), ImageServer::kNone);
  EXPECT_EQ(ServerOfImage("mine/program", Script::kGiven), ImageServer::kNone);
}

TEST(Images, AnXGBoostImageIsServedByPythonOnlyForAScript) {
  EXPECT_EQ(ServerOfImage("r.example/sagemaker-xgboost:1.7-1", Script::kNone), ImageServer::kNone);
  EXPECT_EQ(ServerOfImage("r.example/sagemaker-xgboost:1.7-1", Script::kGiven), ImageServer::kPython);
}

}  // namespace
}  // namespace argosy::model
