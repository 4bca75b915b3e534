// For the tests of this folder: the SageMaker API over a real catalog, called as the front door would.
#pragma once

#include "api/catalog_fixture.h"
#include "api/sagemaker/sagemaker_service.h"
#include "catalog/training_job.h"

namespace argosy::api {

using catalog::TrainingJobState;

inline constexpr const char* kImage = "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1";
inline constexpr const char* kArnBase = "arn:aws:sagemaker:us-east-1:000000000000:";

class SageMakerTest : public CatalogServiceTest {
 protected:
  SageMakerTest() : CatalogServiceTest("SageMaker") {
    SageMakerOptions options;
    options.region = "us-east-1";
    options.instance_types = {"ml.m5.large", "ml.c5.xlarge"};
    options.instances_max = 8;
    options.is_builtin_image = [](std::string_view image) {
      return image.find("linear-learner") != std::string_view::npos;
    };
    options.builtin_names = {"linear-learner"};
    options.builtin_metrics = [](const std::string& image, const std::map<std::string, std::string>& given) {
      return std::vector<catalog::MetricDefinition>{
          {image.substr(image.rfind('/') + 1) + std::to_string(given.size()), "is=(.*)"}};
    };
    service_ = MakeSageMakerService(std::move(options), {interposed_.get(), pool_.get(), &clock_, &random_});
  }

  // As the SDK v2 sends it.
  static Json JobRequest(const std::string& name) {
    return Json{{"TrainingJobName", name},
                {"RoleArn", "arn:aws:iam::000000000000:role/argosy"},
                {"AlgorithmSpecification",
                 {{"TrainingImage", kImage},
                  {"TrainingInputMode", "File"},
                  {"MetricDefinitions", Json::array({{{"Name", "loss"}, {"Regex", "loss=([0-9.]+)"}}})}}},
                {"InputDataConfig", Json::array({{{"ChannelName", "train"},
                                                  {"ContentType", "text/csv"},
                                                  {"DataSource",
                                                   {{"S3DataSource",
                                                     {{"S3DataType", "S3Prefix"},
                                                      {"S3Uri", "s3://data/t"},
                                                      {"S3DataDistributionType", "FullyReplicated"}}}}}}})},
                {"OutputDataConfig", {{"S3OutputPath", "s3://data/out/"}}},
                {"ResourceConfig", {{"InstanceType", "ml.m5.large"}, {"InstanceCount", 1}, {"VolumeSizeInGB", 30}}},
                {"StoppingCondition", {{"MaxRuntimeInSeconds", 86400}}},
                {"HyperParameters", {{"predictor_type", "regressor"}, {"epochs", "3"}}},
                {"Tags", Json::array({{{"Key", "team"}, {"Value", "a"}}})},
                {"DebugHookConfig", {{"S3OutputPath", "s3://data/out/"}, {"CollectionConfigurations", Json::array()}}},
                {"ProfilerConfig", {{"S3OutputPath", "s3://data/out/"}, {"DisableProfiler", false}}}};
  }
  static Json ModelRequest(const std::string& name) {
    return Json{
        {"ModelName", name},
        {"ExecutionRoleArn", "arn:aws:iam::000000000000:role/argosy"},
        {"PrimaryContainer",
         {{"Image", kImage}, {"ModelDataUrl", "s3://data/out/j/output/model.tar.gz"}, {"Environment", Json::object()}}},
        {"Tags", Json::array()}};
  }
  static Json ConfigRequest(const std::string& name, const std::string& model) {
    return Json{{"EndpointConfigName", name},
                {"ProductionVariants", Json::array({{{"VariantName", "AllTraffic"},
                                                     {"ModelName", model},
                                                     {"InitialInstanceCount", 1},
                                                     {"InstanceType", "ml.m5.large"},
                                                     {"InitialVariantWeight", 1.0}}})}};
  }

  // What a controller would do.
  void ChangeJob(const std::string& name, const std::function<void(TrainingJobState&)>& change) {
    catalog::Resource resource = store_->Get(Kind::kTrainingJob, name).value();
    TrainingJobState state = TrainingJobState::FromJson(resource.state).value();
    change(state);
    Write(resource, state.status, state.ToJson());
  }
  // What the endpoint controller makes of a request.
  void BringUp(const std::string& name) {
    ChangeEndpoint(name, [&](EndpointState& state) {
      state.status = "InService";
      state.current = catalog::Fleet{state.requested_config, state.requested_variants, {}};
      for (const catalog::VariantPlan& plan : state.requested_variants) {
        for (uint32_t i = 0; i < plan.variant.initial_instance_count; ++i) {
          state.current->instances.push_back({"i-" + std::to_string(i), plan.variant.variant_name, 1, clock_.Now()});
        }
      }
      state.requested_config.clear();
      state.requested_variants.clear();
    });
  }
  void MakeEndpoint(const std::string& name) {
    Good("CreateModel", ModelRequest(name + "-model"));
    Good("CreateEndpointConfig", ConfigRequest(name + "-config", name + "-model"));
    Good("CreateEndpoint", {{"EndpointName", name}, {"EndpointConfigName", name + "-config"}});
  }
};

}  // namespace argosy::api
