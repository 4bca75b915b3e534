// For the tests of this folder: the SageMaker API over a real catalog, called as the front door would.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <nlohmann/json.hpp>

#include "api/fake_exchange.h"
#include "api/sagemaker/sagemaker_service.h"
#include "catalog/endpoint.h"
#include "catalog/sqlite_catalog.h"
#include "catalog/training_job.h"

namespace argosy::api {

using catalog::EndpointState;
using catalog::Kind;
using catalog::TrainingJobState;

inline constexpr const char* kImage = "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1";
inline constexpr const char* kArnBase = "arn:aws:sagemaker:us-east-1:000000000000:";

// Advances by itself, so that no two resources are made at the same time.
class TickingClock : public Clock {
 public:
  Time Now() const override { return Time(std::chrono::seconds(1'700'000'000 + ticks_.fetch_add(1))); }
  Duration Monotonic() const override { return Now().time_since_epoch(); }

 private:
  mutable std::atomic<int64_t> ticks_{0};
};

// Lets a test come between the reading and the writing of a change.
class InterposedCatalog : public catalog::Catalog {
 public:
  explicit InterposedCatalog(catalog::Catalog* inner) : inner_(inner) {}
  void Commit(catalog::Transaction transaction, Callback<catalog::Change> done) override {
    if (before_commit) std::exchange(before_commit, nullptr)();
    inner_->Commit(std::move(transaction), std::move(done));
  }
  Result<catalog::Resource> Get(Kind kind, std::string_view name) override { return inner_->Get(kind, name); }
  Result<catalog::Resource> GetByUid(std::string_view uid) override { return inner_->GetByUid(uid); }
  Result<catalog::Page> List(const catalog::Query& query) override { return inner_->List(query); }
  void SetChangeListener(std::function<void(const catalog::Change&)> listener) override {
    inner_->SetChangeListener(std::move(listener));
  }
  std::function<void()> before_commit;

 private:
  catalog::Catalog* inner_;
};

class SageMakerTest : public testing::Test {
 protected:
  SageMakerTest() {
    directory_ =
        std::filesystem::temp_directory_path() / ("argosy-sagemaker-test-" + std::to_string(getpid()) + "-" +
                                                  testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
    store_ = std::move(catalog::SqliteCatalog::Open(directory_.string())).value();
    interposed_ = std::make_unique<InterposedCatalog>(store_.get());
    pool_ = std::make_unique<ThreadPool>("test", 2, 100);
    SageMakerOptions options;
    options.region = "us-east-1";
    options.instance_types = {"ml.m5.large", "ml.c5.xlarge"};
    options.is_builtin_image = [](std::string_view image) {
      return image.find("linear-learner") != std::string_view::npos;
    };
    options.builtin_names = {"linear-learner"};
    service_ = MakeSageMakerService(std::move(options), {interposed_.get(), pool_.get(), &clock_, &random_});
  }
  ~SageMakerTest() override {
    service_.reset();
    pool_.reset();
    store_.reset();
    std::filesystem::remove_all(directory_);
  }

  struct Outcome {
    int status;
    Json json;
    std::string code() const { return json.is_object() ? json.value("__type", "") : ""; }
    std::string message() const { return json.is_object() ? json.value("message", "") : ""; }
  };
  Outcome Ask(const std::string& operation, const Json& request) {
    auto exchange = std::make_shared<FakeExchange>(
        "POST", "/", FakeExchange::Headers{{"X-Amz-Target", "SageMaker." + operation}}, request.dump());
    service_->OnRequest(exchange, nullptr, kPrincipal, "id");
    const http::Response& response = exchange->Wait();
    const std::string& body = BodyOf(response);
    return {response.status, body.empty() ? Json() : Json::parse(body)};
  }
  Json Good(const std::string& operation, const Json& request) {
    const Outcome outcome = Ask(operation, request);
    EXPECT_EQ(outcome.status, 200) << operation << " " << outcome.json.dump();
    return outcome.json;
  }
  void Bad(const std::string& operation, const Json& request, const std::string& code, const std::string& message) {
    const Outcome outcome = Ask(operation, request);
    EXPECT_EQ(outcome.status, 400) << operation;
    EXPECT_EQ(outcome.code(), code) << operation << " " << outcome.json.dump();
    EXPECT_NE(outcome.message().find(message), std::string::npos) << outcome.message() << "\n  has no  " << message;
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
  void ChangeEndpoint(const std::string& name, const std::function<void(EndpointState&)>& change) {
    catalog::Resource resource = store_->Get(Kind::kEndpoint, name).value();
    EndpointState state = EndpointState::FromJson(resource.state).value();
    change(state);
    Write(resource, state.status, state.ToJson());
  }
  void Write(const catalog::Resource& resource, const std::string& status, const std::string& state) {
    catalog::Transaction transaction;
    catalog::Transaction::Update update;
    update.uid = resource.uid;
    update.version = resource.version;
    update.status = status;
    update.state = state;
    update.modified = clock_.Now();
    transaction.updates.push_back(std::move(update));
    std::promise<bool> done;
    store_->Commit(std::move(transaction), [&](const Result<catalog::Change>& change) { done.set_value(change.ok()); });
    ASSERT_TRUE(done.get_future().get());
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

  std::filesystem::path directory_;
  TickingClock clock_;
  SystemRandom random_;
  std::unique_ptr<catalog::SqliteCatalog> store_;
  std::unique_ptr<InterposedCatalog> interposed_;
  std::unique_ptr<ThreadPool> pool_;
  std::unique_ptr<JsonService> service_;
};

}  // namespace argosy::api
