#include "agent/program/program_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace argosy::agent {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class ProgramPlanTest : public testing::Test {
 protected:
  ProgramPlanTest() {
    model_.image = "1.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3";
    context_.model = &model_;
    context_.paths = {"/opt/ml/model", "/opt/ml/model/code", "/tmp", "/opt/argosy/shim"};
    context_.cpus = 8;
    context_.interpreter = "/usr/bin/python3";
    context_.region = "eu-west-1";
    context_.port = 4711;
    context_.own_environment = {{"PATH", "/bin:/own"},
                                {"LANG", "C.UTF-8"},
                                {"AWS_SECRET_ACCESS_KEY", "secret"},
                                {"ARGOSY_SECRET_ACCESS_KEY", "secret"},
                                {"HOME", "/root"}};
  }
  catalog::ModelSpec model_;
  ProgramContext context_;
};

TEST_F(ProgramPlanTest, AScriptIsRunByTheShim) {
  model_.environment = {{"SAGEMAKER_PROGRAM", "serve_it.py"}, {"LEVEL", "5"}};
  const Result<ProgramPlan> plan = PlanProgram(context_);
  ASSERT_TRUE(plan.ok());
  EXPECT_THAT(plan->arguments, testing::ElementsAre("/usr/bin/python3", "-u", "-m", "argosy_serving", "--model-dir",
                                                    "/opt/ml/model", "--code-dir", "/opt/ml/model/code", "--image",
                                                    "sagemaker-scikit-learn", "--program", "serve_it.py"));
  EXPECT_EQ(plan->processes, 8u);
  EXPECT_EQ(plan->directory, "/opt/ml/model/code");
  EXPECT_THAT(plan->environment, Contains("LEVEL=5"));
  EXPECT_THAT(plan->environment, Contains("PYTHONPATH=/opt/argosy/shim:/opt/ml/model/code"));
  EXPECT_THAT(plan->environment, Contains("OMP_NUM_THREADS=1"));
  EXPECT_THAT(plan->environment, Contains("PATH=/bin:/own"));
}

TEST_F(ProgramPlanTest, NothingOfTheAgentsEnvironmentPassesThatAProgramDoesNotNeed) {
  const Result<ProgramPlan> plan = PlanProgram(context_);
  ASSERT_TRUE(plan.ok());
  EXPECT_THAT(plan->environment, Not(Contains(HasSubstr("secret"))));
  EXPECT_THAT(plan->environment, Contains("HOME=/tmp"));
}

TEST_F(ProgramPlanTest, AProgramSignsWithItsSession) {
  context_.session = protocol::Session{
      .access_key_id = "ASIAX", .secret_access_key = "s", .token = "t", .endpoint = "http://127.0.0.1:9000"};
  EXPECT_THAT(PlanProgram(context_)->environment,
              testing::IsSupersetOf({"AWS_ACCESS_KEY_ID=ASIAX", "AWS_SECRET_ACCESS_KEY=s", "AWS_SESSION_TOKEN=t",
                                     "AWS_ENDPOINT_URL=http://127.0.0.1:9000"}));
  // Keys of the user's own, with which our token would be wrong.
  model_.environment = {{"AWS_ACCESS_KEY_ID", "AKIAY"}, {"AWS_SECRET_ACCESS_KEY", "own"}};
  const std::vector<std::string> own = PlanProgram(context_)->environment;
  EXPECT_THAT(own, Contains("AWS_ACCESS_KEY_ID=AKIAY"));
  EXPECT_THAT(own, Not(Contains(HasSubstr("AWS_SESSION_TOKEN"))));
  EXPECT_THAT(own, Not(Contains(HasSubstr("AWS_ENDPOINT_URL"))));
}

TEST_F(ProgramPlanTest, AProgramIsToldItsPortAndStartedAsAContainerIs) {
  model_.image = "argosy/program";
  model_.environment = {{"ARGOSY_MAX_CONCURRENT_REQUESTS", "3"}};
  const Result<ProgramPlan> plan = PlanProgram(context_);
  ASSERT_TRUE(plan.ok());
  EXPECT_THAT(plan->arguments, testing::ElementsAre("/opt/ml/model/serve", "serve"));
  EXPECT_THAT(plan->environment, Contains("SAGEMAKER_BIND_TO_PORT=4711"));
  EXPECT_EQ(plan->concurrent_max, 3u);
  model_.environment.clear();
  EXPECT_EQ(PlanProgram(context_)->concurrent_max, 8u);
}

TEST_F(ProgramPlanTest, ACountThatIsNoneIsRefusedByName) {
  for (const char* bad : {"0", "-1", "two", "65", "1.5"}) {
    model_.environment = {{"SAGEMAKER_MODEL_SERVER_WORKERS", bad}};
    const Result<ProgramPlan> plan = PlanProgram(context_);
    ASSERT_FALSE(plan.ok()) << bad;
    EXPECT_THAT(plan.error().message(), StartsWith("SAGEMAKER_MODEL_SERVER_WORKERS in the model's Environment is"));
  }
}

TEST_F(ProgramPlanTest, OnlySoManyWorkersAsFit) {
  constexpr uint64_t kGiB = 1ULL << 30;
  EXPECT_EQ(WorkersThatFit(8, 0, kGiB), 8u);
  EXPECT_EQ(WorkersThatFit(8, kGiB, 0), 8u);
  EXPECT_EQ(WorkersThatFit(8, kGiB, 16 * kGiB), 4u);
  EXPECT_EQ(WorkersThatFit(8, 100 * kGiB, 16 * kGiB), 1u);
  EXPECT_EQ(WorkersThatFit(1000, 0, 0), kWorkersMax);
}

TEST_F(ProgramPlanTest, OnlyAnArchiveInTheStoreIsFetched) {
  EXPECT_EQ(SubmitArchive(model_), std::nullopt);
  model_.environment = {{"SAGEMAKER_SUBMIT_DIRECTORY", "/opt/ml/model/code"}};
  EXPECT_EQ(SubmitArchive(model_), std::nullopt);
  model_.environment = {{"SAGEMAKER_SUBMIT_DIRECTORY", "s3://b/sourcedir.tar.gz"}};
  EXPECT_EQ(SubmitArchive(model_), "s3://b/sourcedir.tar.gz");
}

}  // namespace
}  // namespace argosy::agent
