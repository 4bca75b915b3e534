// Requests of Application Auto Scaling: whatever comes is answered once, and what is stored can be read again.
#include <nlohmann/json.hpp>

#include "api/autoscaling/autoscaling_service.h"
#include "api/validation.h"
#include "catalog/endpoint.h"
#include "catalog/scaling.h"

namespace {

using namespace argosy;
using catalog::Kind;

constexpr const char* kTarget = "endpoint/e/variant/v";

// Has an endpoint with a registered variant, and of all else what is asked for by a name of even length.
class OneTarget final : public catalog::Catalog {
 public:
  void Commit(catalog::Transaction transaction, Callback<catalog::Change> done) override {
    for (const auto& insert : transaction.inserts) {
      const catalog::Resource& r = insert.resource;
      Check(!r.uid.empty() && !r.name.empty() && !r.owner.empty(), "what is stored has its names");
      if (r.kind == Kind::kScalableTarget) CheckBounds(catalog::ScalableTarget::FromResource(r));
      if (r.kind == Kind::kScalingPolicy) Check(catalog::ScalingPolicy::FromResource(r).ok(), "a policy can be read");
      if (r.kind == Kind::kScheduledAction) Check(catalog::ScheduledAction::FromResource(r).ok(), "an action, too");
    }
    done(catalog::Change{});
  }
  Result<catalog::Resource> Get(Kind kind, std::string_view name) override {
    if (kind == Kind::kEndpoint         ? name != "e"
        : kind == Kind::kScalableTarget ? name != kTarget
                                        : name.size() % 2 == 1) {
      return Error(ErrorCode::kNotFound, "none");
    }
    return Of(kind, name);
  }
  Result<catalog::Resource> GetByUid(std::string_view uid) override {
    if (uid.size() % 2 == 0) return Error(ErrorCode::kNotFound, "none");
    return Of(Kind::kScalableTarget, kTarget);
  }
  Result<catalog::Page> List(const catalog::Query& query) override {
    catalog::Page page;
    page.resources.push_back(Of(query.kind, kTarget));
    return page;
  }
  void SetChangeListener(std::function<void(const catalog::Change&)>) override {}

 private:
  static void CheckBounds(const Result<catalog::ScalableTarget>& target) {
    Check(target.ok() && target->min_capacity <= target->max_capacity, "a target has bounds");
  }
  static catalog::Resource Of(Kind kind, std::string_view name) {
    catalog::Resource r;
    r.kind = kind;
    r.name = name;
    r.uid = r.owner = "uid";
    r.version = 1;
    r.spec = r.state = "{}";
    if (kind == Kind::kEndpoint) {
      catalog::EndpointState state;
      state.requested_variants = {{.variant = {"v"}, .model = {.request_json = R"({"ModelName":"m"})"}}};
      r.state = state.ToJson();
    }
    return r;
  }
};

// All that a request may have, as it is right; the operation takes what it knows.
Json Whole() {
  return Json::parse(R"json({
    "ServiceNamespace": "sagemaker", "ResourceId": "endpoint/e/variant/v",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount", "MinCapacity": 1, "MaxCapacity": 4,
    "RoleARN": "arn", "SuspendedState": {"DynamicScalingInSuspended": true}, "Tags": {"a": "b"}, "TagKeys": ["a"],
    "ResourceARN": "arn:aws:application-autoscaling:us-east-1:000000000000:scalable-target/uid", "MaxResults": 3,
    "PolicyName": "p", "PolicyType": "StepScaling", "PolicyNames": ["p"], "ScheduledActionNames": ["s"],
    "StepScalingPolicyConfiguration": {"AdjustmentType": "ChangeInCapacity", "Cooldown": 60, "StepAdjustments": [
      {"MetricIntervalUpperBound": 0, "ScalingAdjustment": -1}, {"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}]},
    "ScheduledActionName": "s", "Schedule": "rate(5 minutes)", "Timezone": "UTC", "StartTime": 2e9, "EndTime": 3e9,
    "ScalableTargetAction": {"MinCapacity": 1, "MaxCapacity": 2}, "IncludeNotScaledActivities": true})json");
}
// And of a policy of another type.
Json Tracking() {
  return Json::parse(R"({"PolicyType": "TargetTrackingScaling", "StepScalingPolicyConfiguration": null,
    "TargetTrackingScalingPolicyConfiguration": {"TargetValue": 10, "ScaleInCooldown": 5, "DisableScaleIn": false,
      "CustomizedMetricSpecification": {"MetricName": "m", "Namespace": "n", "Statistic": "Sum", "Unit": "None",
        "Dimensions": [{"Name": "a", "Value": "b"}]}}})");
}
Json Predictive() {
  return Json::parse(R"({"PolicyType": "PredictiveScaling", "StepScalingPolicyConfiguration": null,
    "PredictiveScalingPolicyConfiguration": {"Mode": "ForecastAndScale", "SchedulingBufferTime": 60,
      "MetricSpecifications": [{"TargetValue": 1, "PredefinedMetricPairSpecification":
        {"PredefinedMetricType": "SageMakerVariantInvocations"}}]}})");
}

void Leaves(Json& json, std::vector<Json*>& leaves) {
  leaves.push_back(&json);
  if (!json.is_structured()) return;
  for (Json& child : json) Leaves(child, leaves);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  static OneTarget catalog;
  static const ManualClock clock(FromUnixSeconds(1.7e9));
  static SeededRandom random(1);
  static ThreadPool pool("none", 1, 1);
  static const auto operations = api::AutoscalingOperations({&catalog, &pool, &clock, &random}, "us-east-1");
  const api::Operation& operation = operations[data[0] % operations.size()];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  Json input;
  if (data[1] % 4 == 0) {
    const Result<Json> json = ParseJson(bytes);
    if (!json.ok()) return 0;
    input = *json;
  } else {
    static const Json whole = Whole();
    static const Json tracking = Tracking();
    static const Json predictive = Predictive();
    input = whole;
    if (data[1] % 4 == 2) input.update(tracking);
    if (data[1] % 4 == 3) input.update(predictive);
    // Each two bytes put another value in one place.
    for (size_t i = 0; i + 1 < bytes.size() && i < 8; i += 2) {
      static const Json values = Json::parse(
          R"json([null, true, -1, 0, 1, 10000, 1e300, -1e300, 9223372036854775807, "", "v", "cron(0 9 ? * 2#1 *)",
              "at(2199-12-31T23:59:59)", "rate(100000 days)", "America/New_York", [], {}, [1], {"a": {}}])json");
      std::vector<Json*> leaves;
      Leaves(input, leaves);
      *leaves[static_cast<unsigned char>(bytes[i]) % leaves.size()] =
          values[static_cast<unsigned char>(bytes[i + 1]) % values.size()];
    }
  }
  if (const auto error = api::Validate(operation.input, input, operation.name)) {
    Check(!error->message.empty() && error->message.size() < 100'000, "a refusal has its reason");
    return 0;
  }
  int answers = 0;
  static const auth::Principal principal{auth::PrincipalKind::kOwner, "owner", "arn"};
  operation.handle({input, "", principal, "id"}, [&answers](const api::Answer&) { ++answers; });
  Check(answers == 1, "a request is answered once");
  return 0;
}
