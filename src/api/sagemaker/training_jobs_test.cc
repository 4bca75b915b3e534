#include "api/sagemaker/sagemaker_fixture.h"

namespace argosy::api {
namespace {

TEST_F(SageMakerTest, AJobIsInTheCatalogOnceItsCreationIsAnswered) {
  const Json answer = Good("CreateTrainingJob", JobRequest("job-1"));
  EXPECT_EQ(answer, Json({{"TrainingJobArn", std::string(kArnBase) + "training-job/job-1"}}));
  const catalog::Resource resource = store_->Get(Kind::kTrainingJob, "job-1").value();
  EXPECT_EQ(resource.uid.size(), 32u);
  EXPECT_EQ(resource.status, "InProgress");
  EXPECT_EQ(resource.principal, kPrincipal.arn);
  EXPECT_EQ(resource.tags, (catalog::Tags{{"team", "a"}}));
  const auto spec = catalog::TrainingJobSpec::FromRequestJson(resource.spec).value();
  EXPECT_EQ(spec.training_image, kImage);
  EXPECT_EQ(spec.channels.at(0).s3_uri, "s3://data/t");
  const TrainingJobState state = TrainingJobState::FromJson(resource.state).value();
  EXPECT_EQ(state.secondary_status, "Starting");
  ASSERT_EQ(state.transitions.size(), 1u);
  EXPECT_EQ(state.transitions[0].message, "Starting the training job");
}

TEST_F(SageMakerTest, DescribeGivesBackWhatWasSent) {
  const Json request = JobRequest("job-1");
  Good("CreateTrainingJob", request);
  const Json job = Good("DescribeTrainingJob", {{"TrainingJobName", "job-1"}});
  for (const auto& [member, value] : request.items()) {
    if (member == "Tags" || member == "OutputDataConfig" || member == "AlgorithmSpecification") continue;
    EXPECT_EQ(job.at(member), value) << member;
  }
  EXPECT_FALSE(job.contains("Tags"));
  EXPECT_EQ(job["AlgorithmSpecification"]["MetricDefinitions"], request["AlgorithmSpecification"]["MetricDefinitions"]);
  EXPECT_EQ(job["TrainingJobArn"], std::string(kArnBase) + "training-job/job-1");
  EXPECT_EQ(job["TrainingJobStatus"], "InProgress");
  EXPECT_EQ(job["EnableManagedSpotTraining"], false);
  EXPECT_EQ(job["ModelArtifacts"]["S3ModelArtifacts"], "s3://data/out/job-1/output/model.tar.gz");
  EXPECT_FALSE(job.contains("TrainingEndTime"));
  EXPECT_FALSE(job.contains("FailureReason"));
}

TEST_F(SageMakerTest, ABuiltInWithoutMetricDefinitionsIsDescribedWithItsOwn) {
  Json request = JobRequest("job-1");
  request["AlgorithmSpecification"].erase("MetricDefinitions");
  request["HyperParameters"] = {{"epochs", "3"}};
  Good("CreateTrainingJob", request);
  const Json job = Good("DescribeTrainingJob", {{"TrainingJobName", "job-1"}});
  EXPECT_EQ(job["AlgorithmSpecification"]["MetricDefinitions"],
            Json::array({{{"Name", "linear-learner:11"}, {"Regex", "is=(.*)"}}}));
}

TEST_F(SageMakerTest, DescribeHasTheMembersThatClientsIndexWithoutAsking) {
  Json request = JobRequest("job-1");
  request.erase("StoppingCondition");
  request.erase("HyperParameters");
  Good("CreateTrainingJob", request);
  const Json job = Good("DescribeTrainingJob", {{"TrainingJobName", "job-1"}});
  EXPECT_EQ(job["OutputDataConfig"]["KmsKeyId"], "");
  EXPECT_EQ(job["StoppingCondition"]["MaxRuntimeInSeconds"], 86400);
  EXPECT_EQ(job["HyperParameters"], Json::object());
  EXPECT_TRUE(job["LastModifiedTime"].is_number());
  ASSERT_EQ(job["SecondaryStatusTransitions"].size(), 1u);
  for (const Json& transition : job["SecondaryStatusTransitions"]) {
    EXPECT_TRUE(transition["StatusMessage"].is_string());
    EXPECT_TRUE(transition["StartTime"].is_number());
  }
}

TEST_F(SageMakerTest, DescribeTellsHowAJobEnded) {
  Good("CreateTrainingJob", JobRequest("job-1"));
  const Time start = clock_.Now();
  ChangeJob("job-1", [&](TrainingJobState& state) {
    state.Enter("Downloading", start, "Downloading input data");
    state.Enter("Training", start + std::chrono::seconds(2), "Training");
    state.training_start = start;
    state.training_end = start + std::chrono::milliseconds(61'200);
    state.billable_nanos = 60'000'000'001;
    state.status = "Failed";
    state.Enter("Failed", start + std::chrono::seconds(62), "Training job failed");
    state.failure_reason = "ClientError: no data";
    state.final_metrics.push_back({"loss", 0.25, start});
  });
  const Json job = Good("DescribeTrainingJob", {{"TrainingJobName", "job-1"}});
  EXPECT_EQ(job["TrainingJobStatus"], "Failed");
  EXPECT_EQ(job["SecondaryStatus"], "Failed");
  EXPECT_EQ(job["FailureReason"], "ClientError: no data");
  EXPECT_EQ(job["TrainingTimeInSeconds"], 62);
  EXPECT_EQ(job["BillableTimeInSeconds"], 61);
  EXPECT_EQ(job["FinalMetricDataList"][0]["MetricName"], "loss");
  EXPECT_EQ(job["FinalMetricDataList"][0]["Value"], 0.25);
  ASSERT_EQ(job["SecondaryStatusTransitions"].size(), 4u);
  EXPECT_EQ(job["SecondaryStatusTransitions"][1]["Status"], "Downloading");
  EXPECT_DOUBLE_EQ(job["SecondaryStatusTransitions"][1]["EndTime"].get<double>() -
                       job["SecondaryStatusTransitions"][1]["StartTime"].get<double>(),
                   2.0);
}

TEST_F(SageMakerTest, CreationIsRefusedAsTheServiceRefusesIt) {
  struct Case {
    const char* pointer;
    Json value;
    const char* message;
  };
  const Case cases[] = {
      {"/TrainingJobName", "my_job", "Value 'my_job' at 'trainingJobName' failed to satisfy constraint"},
      {"/RoleArn", "SageMakerRole",
       "Value 'SageMakerRole' at 'roleArn' failed to satisfy constraint: Member must satisfy regular"},
      {"/AlgorithmSpecification/TrainingImage", "1.dkr.ecr/xgboost:1", "must be one of: linear-learner"},
      {"/AlgorithmSpecification/TrainingInputMode", "Slow", "'algorithmSpecification.trainingInputMode'"},
      {"/AlgorithmSpecification/ContainerEntrypoint", Json::array({"/bin/bash"}), "containerEntrypoint"},
      {"/ResourceConfig/InstanceType", "ml.m5.huge", "Member must satisfy enum value set: [ml.m5.large, ml.c5.xlarge]"},
      {"/ResourceConfig/InstanceCount", 17,
       "'resourceConfig.instanceCount' in CreateTrainingJob: training on more than 16 hosts"},
      {"/ResourceConfig/InstanceGroups", Json::array({1}), "resourceConfig.instanceGroups"},
      {"/EnableManagedSpotTraining", true, "'enableManagedSpotTraining' in CreateTrainingJob: managed spot training"},
      {"/StoppingCondition/MaxWaitTimeInSeconds", 90000, "stoppingCondition.maxWaitTimeInSeconds"},
      {"/InputDataConfig/0/InputMode", "Slow", "'inputDataConfig.1.member.inputMode'"},
      {"/InputDataConfig/0/RecordWrapperType", "RecordIO", "recordWrapperType"},
      {"/InputDataConfig/0/DataSource/S3DataSource/S3DataType", "AugmentedManifestFile", "s3DataType"},
      {"/InputDataConfig/0/DataSource/S3DataSource/S3Uri", "https://b/c", "must begin with s3://"},
      {"/InputDataConfig/1", JobRequest("x")["InputDataConfig"][0], "Duplicate channel name 'train'"},
      {"/InputDataConfig", Json::array(), "Member must have length greater than or equal to 1"},
      {"/OutputDataConfig/S3OutputPath", "/tmp/out", "Value '/tmp/out' at 'outputDataConfig.s3OutputPath'"},
      {"/OutputDataConfig", nullptr,
       "Value null at 'outputDataConfig' failed to satisfy constraint: Member must not be null"},
      {"/DebugRuleConfigurations", Json::array({{{"RuleConfigurationName", "r"}}}), "debugger rules"},
      {"/Tags", Json::array({{{"Key", "a"}, {"Value", "1"}}, {{"Key", "a"}, {"Value", "2"}}}), "Duplicate tag keys"},
  };
  for (const Case& c : cases) {
    Json request = JobRequest("job-1");
    request[Json::json_pointer(c.pointer)] = c.value;
    Bad("CreateTrainingJob", request, "ValidationException", c.message);
  }
  EXPECT_FALSE(store_->Get(Kind::kTrainingJob, "job-1").ok());
}

TEST_F(SageMakerTest, WhatFirstPartyEstimatorsAndNewerClientsSendIsAccepted) {
  Json request = JobRequest("job-1");
  Json& channel = request["InputDataConfig"][0];
  channel.erase("ContentType");
  channel["DataSource"]["S3DataSource"]["S3DataType"] = "ManifestFile";
  channel["DataSource"]["S3DataSource"]["S3DataDistributionType"] = "ShardedByS3Key";
  channel["InputMode"] = "Pipe";
  request["Tags"] = Json::array();
  request["AlgorithmSpecification"]["EnableSageMakerMetricsTimeSeries"] = true;
  request["EnableManagedSpotTraining"] = false;
  request["VpcConfig"] = {{"SecurityGroupIds", {"sg-1"}}, {"Subnets", {"subnet-1"}}};
  request["NotYetInvented"] = {{"Option", 7}};
  Good("CreateTrainingJob", request);
  const Json job = Good("DescribeTrainingJob", {{"TrainingJobName", "job-1"}});
  EXPECT_EQ(job["NotYetInvented"], request["NotYetInvented"]);
  EXPECT_EQ(job["VpcConfig"], request["VpcConfig"]);
  EXPECT_FALSE(job["InputDataConfig"][0].contains("ContentType"));
}

TEST_F(SageMakerTest, AJobNameIsTakenOnce) {
  Good("CreateTrainingJob", JobRequest("job-1"));
  Bad("CreateTrainingJob", JobRequest("job-1"), "ResourceInUse",
      "already exists (" + std::string(kArnBase) + "training-job/job-1)");
}

TEST_F(SageMakerTest, MissingJobsAreNotFoundInTheServicesWords) {
  for (const char* operation : {"DescribeTrainingJob", "StopTrainingJob", "DeleteTrainingJob"}) {
    Bad(operation, {{"TrainingJobName", "none"}}, "ValidationException", "Requested resource not found.");
  }
}

TEST_F(SageMakerTest, StoppingAsksTheController) {
  Good("CreateTrainingJob", JobRequest("job-1"));
  EXPECT_TRUE(Good("StopTrainingJob", {{"TrainingJobName", "job-1"}}).is_null());
  const catalog::Resource resource = store_->Get(Kind::kTrainingJob, "job-1").value();
  EXPECT_EQ(resource.status, "Stopping");
  EXPECT_TRUE(TrainingJobState::FromJson(resource.state)->stop_requested);
  EXPECT_EQ(Good("DescribeTrainingJob", {{"TrainingJobName", "job-1"}})["SecondaryStatus"], "Stopping");
  Good("StopTrainingJob", {{"TrainingJobName", "job-1"}});
  EXPECT_EQ(store_->Get(Kind::kTrainingJob, "job-1")->version, resource.version) << "asking again changes nothing";

  ChangeJob("job-1", [](TrainingJobState& state) { state.status = "Stopped"; });
  Bad("StopTrainingJob", {{"TrainingJobName", "job-1"}}, "ValidationException",
      "The request was rejected because the training job is in status Stopped.");
}

TEST_F(SageMakerTest, AStopThatMeetsTheControllersWriteIsTriedAgain) {
  Good("CreateTrainingJob", JobRequest("job-1"));
  interposed_->before_commit = [&] { ChangeJob("job-1", [&](TrainingJobState& state) { state.attempt = 7; }); };
  Good("StopTrainingJob", {{"TrainingJobName", "job-1"}});
  const auto state = TrainingJobState::FromJson(store_->Get(Kind::kTrainingJob, "job-1")->state).value();
  EXPECT_TRUE(state.stop_requested);
  EXPECT_EQ(state.attempt, 7u) << "the controller's write is not lost";
}

TEST_F(SageMakerTest, AStopThatMeetsTheEndOfTheJobSaysSo) {
  Good("CreateTrainingJob", JobRequest("job-1"));
  interposed_->before_commit = [&] { ChangeJob("job-1", [](TrainingJobState& state) { state.status = "Completed"; }); };
  Bad("StopTrainingJob", {{"TrainingJobName", "job-1"}}, "ValidationException", "is in status Completed.");
}

TEST_F(SageMakerTest, OnlyEndedJobsAreDeletedAndTheirNamesAreFree) {
  Good("CreateTrainingJob", JobRequest("job-1"));
  Bad("DeleteTrainingJob", {{"TrainingJobName", "job-1"}}, "ResourceInUse", "is in status InProgress");
  ChangeJob("job-1", [](TrainingJobState& state) { state.status = "Completed"; });
  Good("DeleteTrainingJob", {{"TrainingJobName", "job-1"}});
  Good("CreateTrainingJob", JobRequest("job-1"));
}

TEST_F(SageMakerTest, ListsFilterSortAndPage) {
  for (const char* name : {"alpha-1", "beta-1", "alpha-2", "gamma-1", "alpha-3"})
    Good("CreateTrainingJob", JobRequest(name));
  ChangeJob("beta-1", [](TrainingJobState& state) { state.status = "Failed"; });
  const auto names = [&](const Json& request) {
    std::string joined;
    const Json answer = Good("ListTrainingJobs", request);
    for (const Json& job : answer["TrainingJobSummaries"]) {
      joined += job["TrainingJobName"].get<std::string>() + " ";
      EXPECT_TRUE(job["CreationTime"].is_number());
      EXPECT_TRUE(job["LastModifiedTime"].is_number());
      EXPECT_TRUE(job["TrainingJobArn"].is_string());
      EXPECT_TRUE(job["TrainingJobStatus"].is_string());
    }
    return joined;
  };
  EXPECT_EQ(names({{"SortOrder", "Ascending"}}), "alpha-1 beta-1 alpha-2 gamma-1 alpha-3 ");
  EXPECT_EQ(names({{"SortBy", "CreationTime"}, {"SortOrder", "Descending"}}),
            "alpha-3 gamma-1 alpha-2 beta-1 alpha-1 ");
  EXPECT_EQ(names({{"SortBy", "Name"}, {"SortOrder", "Descending"}, {"NameContains", "alpha"}}),
            "alpha-3 alpha-2 alpha-1 ");
  EXPECT_EQ(names({{"StatusEquals", "Failed"}}), "beta-1 ");
  const double third = Good("DescribeTrainingJob", {{"TrainingJobName", "alpha-2"}})["CreationTime"].get<double>();
  EXPECT_EQ(names({{"CreationTimeAfter", third + 0.5}, {"SortOrder", "Ascending"}}), "gamma-1 alpha-3 ");
  EXPECT_EQ(names({{"CreationTimeBefore", third - 0.5}, {"SortOrder", "Ascending"}}), "alpha-1 beta-1 ");
  EXPECT_EQ(names({{"LastModifiedTimeAfter", third + 2.5}, {"SortOrder", "Ascending"}}), "beta-1 ");

  EXPECT_EQ(names({{"CreationTimeAfter", 1e300}}), "");
  EXPECT_EQ(names({{"CreationTimeAfter", -1e300}, {"CreationTimeBefore", 1e300}, {"NameContains", "beta"}}), "beta-1 ");

  Json request = {{"MaxResults", 2}, {"SortBy", "Name"}, {"SortOrder", "Ascending"}};
  std::string all;
  int pages = 0;
  while (true) {
    const Json page = Good("ListTrainingJobs", request);
    for (const Json& job : page["TrainingJobSummaries"]) all += job["TrainingJobName"].get<std::string>() + " ";
    ++pages;
    if (!page.contains("NextToken")) break;
    request["NextToken"] = page["NextToken"];
  }
  EXPECT_EQ(all, "alpha-1 alpha-2 alpha-3 beta-1 gamma-1 ");
  EXPECT_EQ(pages, 3);
  Bad("ListTrainingJobs", {{"NextToken", "forged"}}, "ValidationException", "Invalid pagination token");
  Bad("ListTrainingJobs", {{"MaxResults", 101}}, "ValidationException",
      "Member must have value less than or equal to 100");
  Bad("ListTrainingJobs", {{"StatusEquals", "Done"}}, "ValidationException", "Member must satisfy enum value set");
}

TEST_F(SageMakerTest, TagsBelongToAnArn) {
  Good("CreateTrainingJob", JobRequest("job-1"));
  const std::string arn = std::string(kArnBase) + "training-job/job-1";
  EXPECT_EQ(Good("ListTags", {{"ResourceArn", arn}})["Tags"], Json::array({{{"Key", "team"}, {"Value", "a"}}}));
  const double modified = Good("DescribeTrainingJob", {{"TrainingJobName", "job-1"}})["LastModifiedTime"].get<double>();
  Good("AddTags", {{"ResourceArn", arn},
                   {"Tags", Json::array({{{"Key", "team"}, {"Value", "b"}}, {{"Key", "x"}, {"Value", ""}}})}});
  EXPECT_EQ(Good("ListTags", {{"ResourceArn", arn}, {"MaxResults", 50}})["Tags"],
            Json::array({{{"Key", "team"}, {"Value", "b"}}, {{"Key", "x"}, {"Value", ""}}}));
  EXPECT_EQ(Good("DeleteTags", {{"ResourceArn", arn}, {"TagKeys", {"team", "unknown"}}}), Json::object());
  EXPECT_EQ(Good("ListTags", {{"ResourceArn", arn}})["Tags"], Json::array({{{"Key", "x"}, {"Value", ""}}}));
  EXPECT_EQ(Good("DescribeTrainingJob", {{"TrainingJobName", "job-1"}})["LastModifiedTime"].get<double>(), modified);

  Json many = Json::array();
  for (int i = 0; i < 50; ++i) many.push_back({{"Key", "k" + std::to_string(i)}, {"Value", ""}});
  Bad("AddTags", {{"ResourceArn", arn}, {"Tags", many}}, "ValidationException", "at most 50 tags; this would be 51");
  for (const std::string& other : {std::string(kArnBase) + "training-job/none", std::string(kArnBase) + "elephant/e",
                                   std::string("arn:aws:sagemaker:us-east-1:111111111111:training-job/job-1")}) {
    Bad("ListTags", {{"ResourceArn", other}}, "ValidationException", "Could not find resource \"" + other + "\".");
  }
}

TEST_F(SageMakerTest, OperationsThatAreNotHereAreNamed) {
  for (const char* operation : {"CreateTransformJob", "CreateHyperParameterTuningJob", "UpdateInferenceComponent"}) {
    Bad(operation, Json::object(), "UnknownOperationException", operation);
  }
}

TEST_F(SageMakerTest, ARunningJobsProfilingIsUpdatedAndNothingElse) {
  Good("CreateTrainingJob", JobRequest("job-1"));
  const Json before = Good("DescribeTrainingJob", {{"TrainingJobName", "job-1"}});
  const Json answer = Good("UpdateTrainingJob", {{"TrainingJobName", "job-1"},
                                                 {"ProfilerConfig", {{"DisableProfiler", true}}},
                                                 {"ResourceConfig", {{"KeepAlivePeriodInSeconds", 600}}}});
  EXPECT_EQ(answer["TrainingJobArn"], std::string(kArnBase) + "training-job/job-1");
  Json after = Good("DescribeTrainingJob", {{"TrainingJobName", "job-1"}});
  EXPECT_EQ(after["ProfilerConfig"], Json({{"S3OutputPath", "s3://data/out/"}, {"DisableProfiler", true}}));
  EXPECT_EQ(after["ResourceConfig"]["KeepAlivePeriodInSeconds"], 600);
  EXPECT_EQ(after["ResourceConfig"]["InstanceType"], "ml.m5.large");
  EXPECT_GT(after["LastModifiedTime"], before["LastModifiedTime"]);
  for (const char* changed : {"ProfilerConfig", "ResourceConfig", "LastModifiedTime"}) after[changed] = before[changed];
  EXPECT_EQ(after, before);
  EXPECT_TRUE(catalog::TrainingJobSpec::FromRequestJson(store_->Get(Kind::kTrainingJob, "job-1")->spec).ok());
}

TEST_F(SageMakerTest, AnUpdateThatDoesNotApplyIsRefused) {
  Good("CreateTrainingJob", JobRequest("job-1"));
  const Json debug = {{"TrainingJobName", "job-1"}, {"RemoteDebugConfig", {{"EnableRemoteDebug", true}}}};
  Bad("UpdateTrainingJob", {{"TrainingJobName", "job-1"}}, "ValidationException", "needs at least one of");
  Bad("UpdateTrainingJob", {{"TrainingJobName", "job-1"}, {"ProfilerConfig", nullptr}}, "ValidationException",
      "needs at least one of");
  Bad("UpdateTrainingJob", {{"TrainingJobName", "job-1"}, {"ResourceConfig", Json::object()}}, "ValidationException",
      "keepAlivePeriodInSeconds");
  Bad("UpdateTrainingJob", debug, "ValidationException", "it is in Starting");
  ChangeJob("job-1", [](TrainingJobState& state) { state.secondary_status = "Training"; });
  Good("UpdateTrainingJob", debug);
  ChangeJob("job-1", [](TrainingJobState& state) { state.status = state.secondary_status = "Completed"; });
  Bad("UpdateTrainingJob", debug, "ValidationException", "the training job is in status Completed.");
  Bad("UpdateTrainingJob", {{"TrainingJobName", "none"}, {"ProfilerConfig", Json::object()}}, "ValidationException",
      "Requested resource not found.");
}

}  // namespace
}  // namespace argosy::api
