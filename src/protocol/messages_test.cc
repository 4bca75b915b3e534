#include "protocol/messages.h"

#include <gtest/gtest.h>

#include <limits>

namespace argosy::protocol {
namespace {

Assignment TrainingAssignment() {
  Assignment out;
  out.instance_id = "i-1";
  out.owner_uid = "0123456789abcdef0123456789abcdef";
  out.attempt = 3;
  out.name = "job";
  out.arn = "arn:aws:sagemaker:us-east-1:000000000000:training-job/job";
  out.instance_type = "ml.m5.large";
  out.memory_bytes = 8ULL << 30;
  out.cpus = 2;
  out.region = "us-east-1";
  out.objects_dir = "/data/objects";
  out.log_group = "/aws/sagemaker/TrainingJobs";
  out.log_stream = "job/algo-1-1";
  out.python = "/usr/bin/python3";
  return out;
}

TEST(Assignment, SurvivesTheWayThroughJson) {
  const Assignment sent = TrainingAssignment();
  const Result<Assignment> got = Assignment::FromJson(sent.ToJson());
  ASSERT_TRUE(got.ok()) << got.error().message();
  EXPECT_EQ(got->ToJson(), sent.ToJson());
  EXPECT_EQ(got->attempt, 3U);
  EXPECT_EQ(got->memory_bytes, 8ULL << 30);
  EXPECT_EQ(got->log_stream, "job/algo-1-1");
  EXPECT_EQ(got->python, "/usr/bin/python3");
}

TEST(Assignment, CarriesTheJobsRequestAsSent) {
  constexpr std::string_view kRequest =
      R"({"TrainingJobName":"job","RoleArn":"arn:aws:iam::000000000000:role/r",)"
      R"("AlgorithmSpecification":{"TrainingImage":"linear-learner:1","TrainingInputMode":"File"},)"
      R"("HyperParameters":{"epochs":"3"},"OutputDataConfig":{"S3OutputPath":"s3://b/out"},)"
      R"("ResourceConfig":{"InstanceType":"ml.m5.large","InstanceCount":1,"VolumeSizeInGB":1},)"
      R"("StoppingCondition":{"MaxRuntimeInSeconds":60}})";
  Result<catalog::TrainingJobSpec> spec = catalog::TrainingJobSpec::FromRequestJson(kRequest);
  ASSERT_TRUE(spec.ok()) << spec.error().message();
  Assignment sent = TrainingAssignment();
  sent.training = *spec;
  const Result<Assignment> got = Assignment::FromJson(sent.ToJson());
  ASSERT_TRUE(got.ok()) << got.error().message();
  ASSERT_TRUE(got->training.has_value());
  EXPECT_EQ(got->training->training_image, "linear-learner:1");
  EXPECT_EQ(got->training->hyperparameters.at("epochs"), "3");
}

TEST(Assignment, CarriesTheSession) {
  Assignment sent = TrainingAssignment();
  EXPECT_FALSE(Assignment::FromJson(sent.ToJson())->session.has_value());
  sent.session = Session{.access_key_id = "ASIAX",
                         .secret_access_key = "s",
                         .token = "t",
                         .endpoint = "http://127.0.0.1:9000",
                         .reach = {{"b", "p/", auth::DataGrant::Use::kReadWrite}}};
  const Result<Assignment> got = Assignment::FromJson(sent.ToJson());
  ASSERT_TRUE(got.ok()) << got.error().message();
  ASSERT_TRUE(got->session.has_value());
  EXPECT_EQ(got->ToJson(), sent.ToJson());
  EXPECT_EQ(got->session->token, "t");
  ASSERT_EQ(got->session->reach.size(), 1U);
  EXPECT_EQ(got->session->reach[0].use, auth::DataGrant::Use::kReadWrite);
}

TEST(Assignment, OfANewerVersionIsRefused) {
  Assignment sent = TrainingAssignment();
  sent.version = kVersion + 1;
  EXPECT_FALSE(Assignment::FromJson(sent.ToJson()).ok());
}

TEST(Assignment, SaysWhichMemberIsWrong) {
  const Result<Assignment> got = Assignment::FromJson(R"({"version":1,"role":"training","instance_id":7})");
  ASSERT_FALSE(got.ok());
  EXPECT_NE(got.error().message().find("instance_id"), std::string::npos);
}

TEST(Report, SurvivesTheWayThroughJson) {
  Report sent;
  sent.instance_id = "i-1";
  sent.owner_uid = "u";
  sent.attempt = 2;
  sent.sequence = 17;
  sent.phase = AgentPhase::kFinished;
  sent.phase_times = {{AgentPhase::kStarting, FromUnixNanos(5)}, {AgentPhase::kTraining, FromUnixNanos(9)}};
  sent.metrics = {{"train:loss", 0.25, FromUnixNanos(11)}};
  sent.progress = 0.5;
  sent.progress_text = "epoch 3 of 15";
  sent.heartbeat = FromUnixNanos(1'700'000'000'123'456'789);
  sent.outcome = AgentOutcome{OutcomeKind::kFailed, 1, "AlgorithmError: x, exit code: 1", "", "", FromUnixNanos(13)};
  const Result<Report> got = Report::FromJson(sent.ToJson());
  ASSERT_TRUE(got.ok()) << got.error().message();
  EXPECT_EQ(got->ToJson(), sent.ToJson());
  EXPECT_EQ(got->outcome->failure_reason, "AlgorithmError: x, exit code: 1");
  EXPECT_EQ(got->heartbeat, sent.heartbeat);
}

TEST(Report, LeavesOutMetricsThatAreNoNumbers) {
  Report sent;
  sent.metrics = {{"bad", std::numeric_limits<double>::quiet_NaN(), Time{}}, {"good", 1.5, Time{}}};
  const Result<Report> got = Report::FromJson(sent.ToJson());
  ASSERT_TRUE(got.ok()) << got.error().message();
  ASSERT_EQ(got->metrics.size(), 1U);
  EXPECT_EQ(got->metrics[0].name, "good");
}

TEST(Report, OfAnUnknownPhaseIsRefused) {
  Report sent;
  std::string json = sent.ToJson();
  json.replace(json.find("\"starting\""), 10, "\"dreaming\"");
  EXPECT_FALSE(Report::FromJson(json).ok());
}

}  // namespace
}  // namespace argosy::protocol
