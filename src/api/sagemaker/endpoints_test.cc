#include "api/sagemaker/sagemaker_fixture.h"

namespace argosy::api {
namespace {

TEST_F(SageMakerTest, ModelsComeAndGo) {
  EXPECT_EQ(Good("CreateModel", ModelRequest("m"))["ModelArn"], std::string(kArnBase) + "model/m");
  Bad("CreateModel", ModelRequest("m"), "ValidationException",
      "Cannot create already existing model \"" + std::string(kArnBase) + "model/m\".");
  const Json model = Good("DescribeModel", {{"ModelName", "m"}});
  EXPECT_EQ(model["PrimaryContainer"], ModelRequest("m")["PrimaryContainer"]);
  EXPECT_EQ(model["EnableNetworkIsolation"], false);
  EXPECT_TRUE(model["CreationTime"].is_number());
  EXPECT_EQ(Good("ListModels", Json::object())["Models"][0]["ModelName"], "m");
  Good("DeleteModel", {{"ModelName", "m"}});
  for (const char* operation : {"DescribeModel", "DeleteModel"}) {
    Bad(operation, {{"ModelName", "m"}}, "ValidationException",
        "Could not find model \"" + std::string(kArnBase) + "model/m\".");
  }
}

TEST_F(SageMakerTest, ModelsThatCannotBeServedAreRefused) {
  struct Case {
    const char* pointer;
    Json value;
    const char* message;
  };
  const Case cases[] = {
      {"/PrimaryContainer", nullptr, "needs PrimaryContainer"},
      {"/PrimaryContainer/Image", "x/pytorch-inference:2", "must be that of a built-in algorithm (linear-learner)"},
      {"/PrimaryContainer/Mode", "MultiModel", "primaryContainer.mode"},
      {"/PrimaryContainer/ModelPackageName", "p", "model packages"},
      {"/PrimaryContainer/ModelDataSource", {{"S3DataSource", {{"S3Uri", "s3://b/"}}}}, "uncompressed models"},
      {"/PrimaryContainer/ModelDataUrl", nullptr, "needs a ModelDataUrl"},
      {"/Containers", Json::array({ModelRequest("m")["PrimaryContainer"]}), "not both"},
  };
  for (const Case& c : cases) {
    Json request = ModelRequest("m");
    request[Json::json_pointer(c.pointer)] = c.value;
    Bad("CreateModel", request, "ValidationException", c.message);
  }
  Json pipeline = ModelRequest("m");
  const Json container = pipeline["PrimaryContainer"];
  pipeline.erase("PrimaryContainer");
  pipeline["Containers"] = Json::array({container, container});
  Bad("CreateModel", pipeline, "ValidationException", "several containers");
  pipeline["Containers"] = Json::array({container});
  Good("CreateModel", pipeline);
}

TEST_F(SageMakerTest, EndpointConfigsNeedTheirModels) {
  Bad("CreateEndpointConfig", ConfigRequest("c", "none"), "ValidationException",
      "Could not find model \"" + std::string(kArnBase) + "model/none\".");
  Good("CreateModel", ModelRequest("m"));
  EXPECT_EQ(Good("CreateEndpointConfig", ConfigRequest("c", "m"))["EndpointConfigArn"],
            std::string(kArnBase) + "endpoint-config/c");
  Bad("CreateEndpointConfig", ConfigRequest("c", "m"), "ValidationException",
      "Cannot create already existing endpoint configuration");
  const Json config = Good("DescribeEndpointConfig", {{"EndpointConfigName", "c"}});
  EXPECT_EQ(config["ProductionVariants"], ConfigRequest("c", "m")["ProductionVariants"]);
  EXPECT_EQ(config["EndpointConfigArn"], std::string(kArnBase) + "endpoint-config/c");
  EXPECT_EQ(Good("ListEndpointConfigs", Json::object())["EndpointConfigs"][0]["EndpointConfigName"], "c");
  Good("DeleteEndpointConfig", {{"EndpointConfigName", "c"}});
  Bad("DescribeEndpointConfig", {{"EndpointConfigName", "c"}}, "ValidationException",
      "Could not find endpoint configuration");
}

TEST_F(SageMakerTest, EndpointOptionsThatAreNotHereAreNamed) {
  Good("CreateModel", ModelRequest("m"));
  struct Case {
    const char* pointer;
    Json value;
    const char* message;
  };
  const Case cases[] = {
      {"/ProductionVariants/0/ServerlessConfig",
       {{"MemorySizeInMB", 2048}, {"MaxConcurrency", 2}},
       "serverless endpoints"},
      {"/ProductionVariants/0/AcceleratorType", "ml.eia1.medium", "elastic inference"},
      {"/ProductionVariants/0/ManagedInstanceScaling", {{"Status", "ENABLED"}}, "managed instance scaling"},
      {"/ProductionVariants/0/RoutingConfig", {{"RoutingStrategy", "PREFIX_AWARE"}}, "routingStrategy"},
      {"/ProductionVariants/0/InstanceType", "ml.x.y", "enum value set"},
      {"/ProductionVariants/0/InstanceType", nullptr, "needs InstanceType"},
      {"/ProductionVariants/0/InitialVariantWeight", 0, "must be greater than 0"},
      {"/ProductionVariants/1", ConfigRequest("c", "m")["ProductionVariants"][0], "Duplicate variant name"},
      {"/AsyncInferenceConfig", {{"OutputConfig", {{"S3OutputPath", "s3://b/"}}}}, "asynchronous endpoints"},
      {"/ShadowProductionVariants", Json::array({1}), "shadow variants"},
      {"/ExplainerConfig", {{"ClarifyExplainerConfig", {{"x", 1}}}}, "explainers"},
      {"/DataCaptureConfig",
       {{"EnableCapture", true},
        {"InitialSamplingPercentage", 100},
        {"DestinationS3Uri", "s3://b/c"},
        {"KmsKeyId", "key"},
        {"CaptureOptions", Json::array({{{"CaptureMode", "Input"}}})}},
       "'dataCaptureConfig.kmsKeyId'"},
      {"/DataCaptureConfig",
       {{"EnableCapture", true},
        {"InitialSamplingPercentage", 100},
        {"DestinationS3Uri", "https://b/c"},
        {"CaptureOptions", Json::array({{{"CaptureMode", "Input"}}})}},
       "must be s3://bucket/prefix; it is 'https://b/c'"},
  };
  for (const Case& c : cases) {
    Json request = ConfigRequest("c", "m");
    request[Json::json_pointer(c.pointer)] = c.value;
    Bad("CreateEndpointConfig", request, "ValidationException", c.message);
  }
}

TEST_F(SageMakerTest, AnEndpointTakesItsConfigAndModelsAlong) {
  MakeEndpoint("e");
  const auto state = EndpointState::FromJson(store_->Get(Kind::kEndpoint, "e")->state).value();
  EXPECT_EQ(state.status, "Creating");
  EXPECT_EQ(state.requested_config, "e-config");
  ASSERT_EQ(state.requested_variants.size(), 1u);
  EXPECT_EQ(state.requested_variants[0].model.model_data_url, "s3://data/out/j/output/model.tar.gz");
  EXPECT_EQ(state.requested_variants[0].variant.instance_type, "ml.m5.large");

  Json endpoint = Good("DescribeEndpoint", {{"EndpointName", "e"}});
  EXPECT_EQ(endpoint["EndpointStatus"], "Creating");
  EXPECT_EQ(endpoint["EndpointConfigName"], "e-config");
  EXPECT_EQ(endpoint["PendingDeploymentSummary"]["EndpointConfigName"], "e-config");

  BringUp("e");
  endpoint = Good("DescribeEndpoint", {{"EndpointName", "e"}});
  EXPECT_EQ(endpoint["EndpointStatus"], "InService");
  EXPECT_FALSE(endpoint.contains("PendingDeploymentSummary"));
  ASSERT_EQ(endpoint["ProductionVariants"].size(), 1u);
  const Json& variant = endpoint["ProductionVariants"][0];
  EXPECT_EQ(variant["VariantName"], "AllTraffic");
  EXPECT_EQ(variant["CurrentWeight"], 1.0);
  EXPECT_EQ(variant["DesiredWeight"], 1.0);
  EXPECT_EQ(variant["CurrentInstanceCount"], 1);
  EXPECT_EQ(variant["DesiredInstanceCount"], 1);
  EXPECT_EQ(variant["DeployedImages"][0]["SpecifiedImage"], kImage);

  // The SDK deletes the config first, then the endpoint, which must live until then.
  Good("DeleteModel", {{"ModelName", "e-model"}});
  Good("DeleteEndpointConfig", {{"EndpointConfigName", "e-config"}});
  EXPECT_EQ(Good("DescribeEndpoint", {{"EndpointName", "e"}})["EndpointStatus"], "InService");
  EXPECT_EQ(Good("DescribeEndpoint", {{"EndpointName", "e"}})["EndpointConfigName"], "e-config");
  EXPECT_EQ(Good("ListEndpoints", {{"StatusEquals", "InService"}})["Endpoints"][0]["EndpointName"], "e");
  EXPECT_TRUE(Good("ListEndpoints", {{"StatusEquals", "Failed"}})["Endpoints"].empty());
}

TEST_F(SageMakerTest, EndpointsAreCreatedOnceAndFromWhatExists) {
  Bad("CreateEndpoint", {{"EndpointName", "e"}, {"EndpointConfigName", "none"}}, "ValidationException",
      "Could not find endpoint configuration \"" + std::string(kArnBase) + "endpoint-config/none\".");
  MakeEndpoint("e");
  Bad("CreateEndpoint", {{"EndpointName", "e"}, {"EndpointConfigName", "e-config"}}, "ValidationException",
      "Cannot create already existing endpoint \"" + std::string(kArnBase) + "endpoint/e\".");
  Good("DeleteModel", {{"ModelName", "e-model"}});
  Bad("CreateEndpoint", {{"EndpointName", "f"}, {"EndpointConfigName", "e-config"}}, "ValidationException",
      "Could not find model");
  for (const char* operation : {"DescribeEndpoint", "DeleteEndpoint"}) {
    Bad(operation, {{"EndpointName", "none"}}, "ValidationException",
        "Could not find endpoint \"" + std::string(kArnBase) + "endpoint/none\".");
  }
}

TEST_F(SageMakerTest, AnUpdateAsksForANewFleetAndKeepsTheOldOneShown) {
  MakeEndpoint("e");
  Good("CreateModel", ModelRequest("m2"));
  Json config = ConfigRequest("c2", "m2");
  config["ProductionVariants"][0]["InitialInstanceCount"] = 3;
  config["ProductionVariants"][0]["InitialVariantWeight"] = 5;
  Good("CreateEndpointConfig", config);
  const Json update = {{"EndpointName", "e"}, {"EndpointConfigName", "c2"}};
  Bad("UpdateEndpoint", update, "ValidationException", "Cannot update in-progress endpoint");
  BringUp("e");
  Bad("UpdateEndpoint", {{"EndpointName", "e"}, {"EndpointConfigName", "none"}}, "ValidationException",
      "Could not find endpoint configuration");
  EXPECT_EQ(Good("UpdateEndpoint", update)["EndpointArn"], std::string(kArnBase) + "endpoint/e");
  const auto state = EndpointState::FromJson(store_->Get(Kind::kEndpoint, "e")->state).value();
  EXPECT_EQ(state.status, "Updating");
  EXPECT_EQ(state.requested_config, "c2");
  EXPECT_EQ(state.requested_variants[0].variant.initial_instance_count, 3u);
  ASSERT_TRUE(state.current.has_value());
  const Json endpoint = Good("DescribeEndpoint", {{"EndpointName", "e"}});
  EXPECT_EQ(endpoint["EndpointStatus"], "Updating");
  EXPECT_EQ(endpoint["EndpointConfigName"], "e-config");
  EXPECT_EQ(endpoint["PendingDeploymentSummary"]["EndpointConfigName"], "c2");
  Bad("UpdateEndpoint", update, "ValidationException", "Cannot update in-progress endpoint");
}

TEST_F(SageMakerTest, AnUpdateMayRetainCountsAndWeights) {
  MakeEndpoint("e");
  BringUp("e");
  Json config = ConfigRequest("c2", "e-model");
  config["ProductionVariants"][0]["InitialInstanceCount"] = 3;
  config["ProductionVariants"][0]["InitialVariantWeight"] = 5;
  Good("CreateEndpointConfig", config);
  Good("UpdateEndpoint",
       {{"EndpointName", "e"},
        {"EndpointConfigName", "c2"},
        {"RetainAllVariantProperties", true},
        {"ExcludeRetainedVariantProperties", Json::array({{{"VariantPropertyType", "DesiredWeight"}}})}});
  const auto state = EndpointState::FromJson(store_->Get(Kind::kEndpoint, "e")->state).value();
  EXPECT_EQ(state.requested_variants[0].variant.initial_instance_count, 1u);
  EXPECT_EQ(state.requested_variants[0].variant.initial_weight, 5.0);
}

TEST_F(SageMakerTest, CapacitiesAreAskedForAndShownAsDesiredUntilTheyAreThere) {
  MakeEndpoint("e");
  const auto ask = [](const Json& variant) {
    return Json{{"EndpointName", "e"}, {"DesiredWeightsAndCapacities", Json::array({variant})}};
  };
  const Json three = {{"VariantName", "AllTraffic"}, {"DesiredInstanceCount", 3}, {"DesiredWeight", 2}};
  Bad("UpdateEndpointWeightsAndCapacities", ask(three), "ValidationException", "Cannot update in-progress endpoint");
  BringUp("e");
  EXPECT_EQ(Good("UpdateEndpointWeightsAndCapacities", ask(three))["EndpointArn"],
            std::string(kArnBase) + "endpoint/e");
  const Json endpoint = Good("DescribeEndpoint", {{"EndpointName", "e"}});
  EXPECT_EQ(endpoint["EndpointStatus"], "Updating");
  EXPECT_FALSE(endpoint.contains("PendingDeploymentSummary"));
  const Json& variant = endpoint["ProductionVariants"][0];
  EXPECT_EQ(variant["DesiredInstanceCount"], 3);
  EXPECT_EQ(variant["CurrentInstanceCount"], 1);
  EXPECT_EQ(variant["DesiredWeight"], 2.0);
  EXPECT_EQ(variant["CurrentWeight"], 1.0);
  Bad("UpdateEndpointWeightsAndCapacities", ask(three), "ValidationException", "Cannot update in-progress endpoint");
  Bad("UpdateEndpoint", {{"EndpointName", "e"}, {"EndpointConfigName", "e-config"}}, "ValidationException",
      "Cannot update in-progress endpoint");
}

TEST_F(SageMakerTest, CapacitiesThatCannotBeAreRefused) {
  MakeEndpoint("e");
  BringUp("e");
  const Json good = {{"VariantName", "AllTraffic"}, {"DesiredInstanceCount", 2}};
  const auto refused = [this](const Json& variants, const std::string& message) {
    Bad("UpdateEndpointWeightsAndCapacities", {{"EndpointName", "e"}, {"DesiredWeightsAndCapacities", variants}},
        "ValidationException", message);
  };
  refused(Json::array(), "greater than or equal to 1");
  refused(Json::array({good, good}), "Duplicate variant name 'AllTraffic'");
  refused(Json::array({{{"VariantName", "Other"}, {"DesiredInstanceCount", 2}}}),
          "The variant name(s) \"Other\" is/are not present");
  refused(Json::array({{{"VariantName", "AllTraffic"}, {"DesiredInstanceCount", -1}}}), "greater than or equal to 0");
  Bad("UpdateEndpointWeightsAndCapacities",
      {{"EndpointName", "e"},
       {"DesiredWeightsAndCapacities",
        Json::array({{{"VariantName", "AllTraffic"}, {"DesiredInstanceCount", 1'000'000'000}}})}},
      "ResourceLimitExceeded", "1000000000 instances together, and at most 8 run here at once");
  refused(Json::array({{{"VariantName", "AllTraffic"}, {"DesiredWeight", 0}}}), "must be greater than 0");
  refused(Json::array({{{"VariantName", "AllTraffic"}, {"ServerlessUpdateConfig", {{"MaxConcurrency", 1}}}}}),
          "serverless endpoints");
  Bad("UpdateEndpointWeightsAndCapacities",
      {{"EndpointName", "none"}, {"DesiredWeightsAndCapacities", Json::array({good})}}, "ValidationException",
      "Could not find endpoint");
}

TEST_F(SageMakerTest, WhatIsWrongWithADeploymentIsSaid) {
  MakeEndpoint("e");
  BringUp("e");
  Json request = {{"EndpointName", "e"}, {"EndpointConfigName", "e-config"}};
  const Json half = {{"Type", "CAPACITY_PERCENT"}, {"Value", 50}};
  request["DeploymentConfig"]["RollingUpdatePolicy"] = {
      {"WaitIntervalInSeconds", 0}, {"MaximumBatchSize", half}, {"RollbackMaximumBatchSize", half}};
  Bad("UpdateEndpoint", request, "ValidationException", "rolling back in batches");
  request["DeploymentConfig"] = {
      {"BlueGreenUpdatePolicy", {{"TrafficRoutingConfiguration", {{"Type", "CANARY"}, {"WaitIntervalInSeconds", 0}}}}}};
  Bad("UpdateEndpoint", request, "ValidationException", "CanarySize is required");
  request["DeploymentConfig"]["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]["Type"] = "ALL_AT_ONCE";
  request["DeploymentConfig"]["AutoRollbackConfiguration"] = {{"Alarms", Json::array({{{"AlarmName", "a"}}})}};
  Bad("UpdateEndpoint", request, "ValidationException", "no alarm named 'a'");
  request["DeploymentConfig"].erase("AutoRollbackConfiguration");
  Good("UpdateEndpoint", request);
}

TEST_F(SageMakerTest, AStepOfMoreThanHalfTheNewFleetIsRefused) {
  MakeEndpoint("e");
  BringUp("e");
  Json config = ConfigRequest("four", "e-model");
  config["ProductionVariants"][0]["InitialInstanceCount"] = 4;
  Good("CreateEndpointConfig", config);
  const auto rolling = [](int batch) {
    return Json{{"RollingUpdatePolicy",
                 {{"WaitIntervalInSeconds", 0}, {"MaximumBatchSize", {{"Type", "INSTANCE_COUNT"}, {"Value", batch}}}}}};
  };
  Json request = {{"EndpointName", "e"}, {"EndpointConfigName", "four"}, {"DeploymentConfig", rolling(3)}};
  const char* const sentence =
      "DeploymentConfig: MaximumBatchSize of type INSTANCE_COUNT must be between 5 and 50 % of";
  Bad("UpdateEndpoint", request, "ValidationException", sentence);
  request["EndpointName"] = "other";
  Bad("CreateEndpoint", request, "ValidationException", sentence);
  request["EndpointName"] = "e";
  request["DeploymentConfig"] = rolling(2);
  Good("UpdateEndpoint", request);
  // Kept for the next update, it is held to that one's fleet.
  BringUp("e");
  Bad("UpdateEndpoint", {{"EndpointName", "e"}, {"EndpointConfigName", "e-config"}, {"RetainDeploymentConfig", true}},
      "ValidationException", sentence);
}

TEST_F(SageMakerTest, DeletingAsksTheControllerOnceWhateverTheEndpointDoes) {
  MakeEndpoint("coming-up");
  Good("DeleteEndpoint", {{"EndpointName", "coming-up"}});
  Bad("DeleteEndpoint", {{"EndpointName", "coming-up"}}, "ValidationException", "Cannot update in-progress endpoint");
  MakeEndpoint("e");
  BringUp("e");
  Good("DeleteEndpoint", {{"EndpointName", "e"}});
  const catalog::Resource resource = store_->Get(Kind::kEndpoint, "e").value();
  EXPECT_EQ(resource.status, "Deleting");
  EXPECT_TRUE(EndpointState::FromJson(resource.state)->delete_requested);
  EXPECT_EQ(Good("DescribeEndpoint", {{"EndpointName", "e"}})["EndpointStatus"], "Deleting");

  MakeEndpoint("f");
  ChangeEndpoint("f", [](EndpointState& state) {
    state.status = "Failed";
    state.failure_reason = "The model could not be loaded";
    state.requested_config.clear();
    state.requested_variants.clear();
  });
  EXPECT_EQ(Good("DescribeEndpoint", {{"EndpointName", "f"}})["FailureReason"], "The model could not be loaded");
  EXPECT_EQ(Good("DescribeEndpoint", {{"EndpointName", "f"}})["EndpointConfigName"], "f-config");
  Bad("UpdateEndpoint", {{"EndpointName", "f"}, {"EndpointConfigName", "f-config"}}, "ValidationException",
      "failed endpoint");
  Good("DeleteEndpoint", {{"EndpointName", "f"}});
}

}  // namespace
}  // namespace argosy::api
