#include "main/job_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace argosy::main {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

Json Described() {
  return Json::parse(R"({"TrainingJobName":"j","TrainingJobStatus":"Completed","SecondaryStatus":"Completed",
    "ModelArtifacts":{"S3ModelArtifacts":"s3://b/j/output/model.tar.gz"},
    "ResourceConfig":{"InstanceType":"ml.m5.large","InstanceCount":2},"CreationTime":100.0,"TrainingStartTime":100.5,
    "TrainingEndTime":103.2,"BillableTimeInSeconds":36,
    "SecondaryStatusTransitions":[{"Status":"Starting","StatusMessage":"a"},{"Status":"Completed","StatusMessage":"b"}],
    "FinalMetricDataList":[{"MetricName":"train:objective_loss","Value":0.25,"Timestamp":1}]})");
}

TEST(JobView, ReadsWhatDescribeAnswers) {
  const JobView job = ReadJob(Described());
  EXPECT_TRUE(job.ended());
  EXPECT_EQ(job.message, "b");
  EXPECT_EQ(job.billable_seconds, 36);
  EXPECT_THAT(job.metrics, ElementsAre(Pair("train:objective_loss", 0.25)));
  const std::string end = RenderJobEnd(job, 100);
  EXPECT_THAT(end, HasSubstr("0.25"));
  EXPECT_THAT(end, HasSubstr("36 s of 2 × ml.m5.large, $"));
  EXPECT_THAT(end, HasSubstr("3.2 s"));
  EXPECT_GT(JobJson(Described())["ArgosyCostInDollars"].get<double>(), 0.0);
}

TEST(JobView, AJobThatFailedHasNoArtifact) {
  Json described = Described();
  described["TrainingJobStatus"] = "Failed";
  described["FailureReason"] = "ClientError: no rows";
  EXPECT_EQ(ReadJob(described).artifact, "");
  const std::string end = RenderJobEnd(ReadJob(described), 100);
  EXPECT_THAT(end, HasSubstr("ClientError: no rows"));
  EXPECT_THAT(end, Not(HasSubstr("s3://")));
}

TEST(JobView, AnAnswerOfAnotherShapeIsReadAsEmpty) {
  EXPECT_EQ(ReadJob(Json::parse(R"([1])")).status, "");
  EXPECT_EQ(ReadJob(Json::parse(R"({"ResourceConfig":3,"BillableTimeInSeconds":"x","FinalMetricDataList":{}})")).name,
            "");
}

TEST(JobView, CostIsThePriceOfTheSecondsBilled) {
  JobView job;
  job.instance_type = "ml.m5.large";
  job.billable_seconds = 3600;
  job.instance_count = 1;
  const auto hour = JobCost(job);
  ASSERT_TRUE(hour);
  job.instance_count = 3;
  EXPECT_EQ(*JobCost(job), *hour * 3);
  job.instance_type = "ml.unheard.of";
  EXPECT_FALSE(JobCost(job));
}

TEST(LogLines, QualityMetricsAreFoundByName) {
  EXPECT_THAT(
      MetricsInLogLine("[2024] INFO #quality_metric: host=algo-1, epoch=3, train binary_objective <loss>=0.125"),
      ElementsAre(Pair("epoch", 3.0), Pair("train loss", 0.125)));
  EXPECT_THAT(MetricsInLogLine("#quality_metric: host=algo-1, validation multiclass_accuracy <score>=0.9"),
              ElementsAre(Pair("validation multiclass_accuracy", 0.9)));
  EXPECT_THAT(MetricsInLogLine("epoch=3, train <loss>=1"), IsEmpty());
  EXPECT_THAT(MetricsInLogLine("#quality_metric: nonsense <loss>=abc, =, x"), IsEmpty());
}

}  // namespace
}  // namespace argosy::main
