#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "api/autoscaling/common.h"
#include "catalog/alarm.h"
#include "catalog/json_fields.h"
#include "catalog/visit.h"

namespace argosy::api::autoscaling {
namespace {

using catalog::ArrayField;
using catalog::Kind;
using catalog::ObjectField;
using catalog::TextField;

constexpr size_t kPoliciesMax = 50;  // of one target; the service's
constexpr size_t kStepsMax = 20;     // of one policy; the service's
constexpr const char* kTracking = "TargetTrackingScalingPolicyConfiguration";
constexpr const char* kStep = "StepScalingPolicyConfiguration";
constexpr const char* kPredictive = "PredictiveScalingPolicyConfiguration";

Shape TrackingShape() {
  return Structure({
      Required("TargetValue", Double()),
      Optional("PredefinedMetricSpecification",
               Structure({
                   Required("PredefinedMetricType", String())
                       .Only({"SageMakerVariantInvocationsPerInstance",
                              "SageMakerVariantConcurrentRequestsPerModelHighResolution"}),
                   Optional("ResourceLabel", TextShape(1023)).Refused("resource labels"),
               })),
      Optional("CustomizedMetricSpecification",
               Structure({
                   Optional("MetricName", String()),
                   Optional("Namespace", String()),
                   Optional("Dimensions",
                            List(Structure({Required("Name", String()), Required("Value", String())})).Length(0, 30)),
                   Optional("Statistic", Enum({"Average", "Minimum", "Maximum", "SampleCount", "Sum"})),
                   Optional("Unit", String()),
                   Optional("Metrics", Document()).Refused("metric math"),
               })),
      Optional("ScaleOutCooldown", Integer().AtLeast(0)),
      Optional("ScaleInCooldown", Integer().AtLeast(0)),
      Optional("DisableScaleIn", Boolean()),
  });
}

Shape StepShape() {
  return Structure({
      Optional("AdjustmentType", Enum({"ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity"})),
      Optional("StepAdjustments", List(Structure({
                                           Optional("MetricIntervalLowerBound", Double()),
                                           Optional("MetricIntervalUpperBound", Double()),
                                           Required("ScalingAdjustment", Integer()),
                                       }))
                                      .Length(0, kStepsMax)),
      Optional("MinAdjustmentMagnitude", Integer().AtLeast(0)),
      Optional("Cooldown", Integer().AtLeast(0)),
      Optional("MetricAggregationType", Enum({"Average", "Minimum", "Maximum"})).Echoed(),
  });
}

// AWS's shape; AWS itself has predictive scaling for ECS only, so the metric's name is ours.
Shape PredictiveShape() {
  const auto refused = [](const char* name) {
    return Optional(name, Document())
        .Refused(
            "another metric than "
            "PredefinedMetricPairSpecification's");
  };
  return Structure({
      Required(
          "MetricSpecifications",
          List(Structure({
                   Required("TargetValue", Double()),
                   Optional("PredefinedMetricPairSpecification",
                            Structure({
                                Required("PredefinedMetricType", TextShape(128)).Only({"SageMakerVariantInvocations"}),
                                Optional("ResourceLabel", TextShape(1023)).Refused("resource labels"),
                            })),
                   refused("PredefinedScalingMetricSpecification"),
                   refused("PredefinedLoadMetricSpecification"),
                   refused("CustomizedScalingMetricSpecification"),
                   refused("CustomizedLoadMetricSpecification"),
                   refused("CustomizedCapacityMetricSpecification"),
               }))
              .Length(1, 1)),
      Optional("Mode", Enum({"ForecastOnly", "ForecastAndScale"})).Only({"ForecastAndScale"}),
      Optional("SchedulingBufferTime", Integer().Range(0, 3600)),
      Optional("MaxCapacityBreachBehavior", Enum({"HonorMaxCapacity", "IncreaseMaxCapacity"}))
          .Only({"HonorMaxCapacity"}),
      Optional("MaxCapacityBuffer", Integer().Range(0, 100)).Echoed(),
  });
}

Shape PutInput() {
  return TargetShape({
      Required("PolicyName", TextShape(256)),
      Optional("PolicyType", Enum({"StepScaling", "TargetTrackingScaling", "PredictiveScaling"})),
      Optional(kStep, StepShape()),
      Optional(kTracking, TrackingShape()),
      Optional(kPredictive, PredictiveShape()),
  });
}

std::optional<ServiceError> CheckTracking(const Json& tracking) {
  const double target = catalog::NumberField(tracking, "TargetValue");
  if (!(target > 0) || !std::isfinite(target)) {
    return ValidationError("TargetValue must be greater than 0: it is " + DumpJson(Json(target)) + ".");
  }
  const Json& custom = ObjectField(tracking, "CustomizedMetricSpecification");
  const bool predefined = !ObjectField(tracking, "PredefinedMetricSpecification").empty();
  if (predefined == !custom.empty()) {
    return ValidationError(
        "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must be given.");
  }
  if (predefined) return std::nullopt;
  for (const char* member : {"MetricName", "Namespace", "Statistic"}) {
    if (TextField(custom, member).empty()) {
      return ValidationError(std::string("CustomizedMetricSpecification needs ") + member + ".");
    }
  }
  return std::nullopt;
}

// The steps must cover a range without gap or overlap; at its ends a bound may be left out.
std::optional<ServiceError> CheckStep(const Json& step) {
  if (TextField(step, "AdjustmentType").empty()) return ValidationError("StepScaling needs an AdjustmentType.");
  const Json& list = ArrayField(step, "StepAdjustments");
  if (list.empty()) return ValidationError("StepScaling needs at least one step adjustment in StepAdjustments.");
  struct Interval {
    double lower, upper;
  };
  constexpr double kEndless = std::numeric_limits<double>::infinity();
  std::vector<Interval> intervals;
  for (const Json& item : list) {
    intervals.push_back({catalog::NumberField(item, "MetricIntervalLowerBound", -kEndless),
                         catalog::NumberField(item, "MetricIntervalUpperBound", kEndless)});
    const Interval& interval = intervals.back();
    if (!(interval.lower < interval.upper)) {
      return ValidationError("The lower bound of a step adjustment must be less than its upper bound.");
    }
    if (list.size() > 1 && interval.lower == -kEndless && interval.upper == kEndless) {
      return ValidationError("A step adjustment among several must have at least one bound.");
    }
  }
  std::sort(intervals.begin(), intervals.end(), [](const Interval& a, const Interval& b) { return a.lower < b.lower; });
  for (size_t i = 1; i < intervals.size(); ++i) {
    if (intervals[i].lower != intervals[i - 1].upper) {
      return ValidationError("Step adjustment intervals must not overlap or leave a gap: one ends at " +
                             std::to_string(intervals[i - 1].upper) + ", the next begins at " +
                             std::to_string(intervals[i].lower) + ".");
    }
  }
  if (step.contains("MinAdjustmentMagnitude") && TextField(step, "AdjustmentType") != "PercentChangeInCapacity") {
    return ValidationError("MinAdjustmentMagnitude is only for the AdjustmentType PercentChangeInCapacity.");
  }
  return std::nullopt;
}

std::optional<ServiceError> CheckPredictive(const Json& predictive) {
  const Json& metric = ArrayField(predictive, "MetricSpecifications")[0];
  if (!(catalog::NumberField(metric, "TargetValue") > 0)) return ValidationError("TargetValue must be greater than 0.");
  if (ObjectField(metric, "PredefinedMetricPairSpecification").empty()) {
    return ValidationError("MetricSpecifications needs a PredefinedMetricPairSpecification.");
  }
  if (TextField(predictive, "Mode") != "ForecastAndScale") {
    return ValidationError(
        "Argosy has no Mode 'ForecastOnly', which is also what leaving Mode out means: give "
        "'ForecastAndScale'.");
  }
  return std::nullopt;
}

std::optional<ServiceError> CheckPolicy(const Json& input) {
  const std::string type = TextField(input, "PolicyType", "StepScaling");
  const char* const wanted = type == "TargetTrackingScaling" ? kTracking
                             : type == "PredictiveScaling"   ? kPredictive
                                                             : kStep;
  for (const char* member : {kTracking, kStep, kPredictive}) {
    const bool given = !ObjectField(input, member).empty();
    if (given == (member == wanted)) continue;
    return ValidationError("A policy of type " + type + " needs " + wanted + " and no other configuration.");
  }
  const Json& configuration = ObjectField(input, wanted);
  return wanted == kTracking     ? CheckTracking(configuration)
         : wanted == kPredictive ? CheckPredictive(configuration)
                                 : CheckStep(configuration);
}

Json AlarmJson(const Common& common, const std::string& name) {
  return {{"AlarmName", name}, {"AlarmARN", common.Arn("cloudwatch", "alarm:" + name)}};
}

// CloudWatch's alarms by the policies among their AlarmActions; read when the first of them is asked for.
class AlarmsByPolicy {
 public:
  explicit AlarmsByPolicy(const Common& common) : common_(common) {}

  // Alarms of the policy; none when they could not be read, which status() then says.
  Json Of(const std::string& policy_arn) {
    if (!read_) {
      read_ = true;
      status_ = Read();
    }
    const auto named = alarms_.find(policy_arn);
    return named == alarms_.end() ? Json::array() : named->second;
  }
  const Status& status() const { return status_; }

 private:
  Status Read();

  const Common& common_;
  std::map<std::string, Json> alarms_;
  Status status_;
  bool read_ = false;
};

Status AlarmsByPolicy::Read() {
  Status parsed;
  const Status read =
      catalog::Visit(*common_.deps.catalog,
                     {.kind = Kind::kAlarm, .sort_by = catalog::SortBy::kName, .order = catalog::SortOrder::kAscending},
                     [&](const catalog::Resource& resource) {
                       const Result<catalog::AlarmSpec> spec = catalog::AlarmSpec::FromRequestJson(resource.spec);
                       if (!spec.ok()) {
                         parsed = spec.error();
                         return false;
                       }
                       const std::set<std::string> actions(spec->alarm_actions.begin(), spec->alarm_actions.end());
                       for (const std::string& action : actions) {
                         if (catalog::IsScalingPolicyArn(action))
                           alarms_[action].push_back(AlarmJson(common_, resource.name));
                       }
                       return true;
                     });
  return read.ok() ? parsed : read;
}

// A step policy has the alarms that name it. The two of a target tracking policy are its own: activities name them,
// CloudWatch does not list them.
Json AlarmsOf(const Common& common, const Json& spec, const std::string& uid, AlarmsByPolicy& known) {
  if (TextField(spec, "PolicyType") == "StepScaling") return known.Of(TextField(spec, "PolicyARN"));
  Json alarms = Json::array();
  if (TextField(spec, "PolicyType") != "TargetTrackingScaling") return alarms;
  for (const char* side : {"High", "Low"}) {
    if (side == std::string_view("Low") && catalog::FlagField(ObjectField(spec, kTracking), "DisableScaleIn")) continue;
    alarms.push_back(
        AlarmJson(common, "TargetTracking-" + TextField(spec, "ResourceId") + "-Alarm" + side + "-" + uid));
  }
  return alarms;
}

// Two policies that follow one metric to two targets would undo each other's changes.
std::optional<ServiceError> CheckMetricIsFree(const std::vector<catalog::Resource>& policies,
                                              const std::string& full_name, const Json& input) {
  const Json& tracking = ObjectField(input, kTracking);
  if (tracking.empty()) return std::nullopt;
  for (const catalog::Resource& policy : policies) {
    const Json other = SpecOf(policy);
    if (policy.name == full_name || ObjectField(other, kTracking).empty()) continue;
    const auto same = [&](const char* member) {
      return ObjectField(tracking, member) == ObjectField(ObjectField(other, kTracking), member);
    };
    if (same("PredefinedMetricSpecification") && same("CustomizedMetricSpecification")) {
      return ValidationError("Only one TargetTrackingScaling policy of a target may have a given metric: policy '" +
                             TextField(other, "PolicyName") + "' has it already.");
    }
  }
  return std::nullopt;
}

std::variant<Decision, ServiceError> Put(const Common& common, const Json& input, const std::string& principal) {
  if (auto error = CheckPolicy(input)) return std::move(*error);
  std::variant<catalog::Resource, ServiceError> target = FindTarget(common, input);
  if (auto* error = std::get_if<ServiceError>(&target)) return std::move(*error);
  const catalog::Resource& owner = std::get<0>(target);
  const std::string name = TextField(input, "PolicyName");
  const std::string full_name = catalog::PolicyResourceName(owner.name, name);
  const Result<catalog::Resource> known = common.deps.catalog->Get(Kind::kScalingPolicy, full_name);
  if (!known.ok() && known.error().code() != ErrorCode::kNotFound) return FromError(known.error());
  const Result<std::vector<catalog::Resource>> policies = ListAll(common, Kind::kScalingPolicy, owner.uid);
  if (!policies.ok()) return FromError(policies.error());
  if (!known.ok() && policies->size() >= kPoliciesMax) {
    return ServiceError{400, "LimitExceededException",
                        "A scalable target has at most " + std::to_string(kPoliciesMax) + " scaling policies."};
  }
  if (auto error = CheckMetricIsFree(*policies, full_name, input)) return std::move(*error);
  const Time now = common.Now();
  const std::string uid = known.ok() ? known->uid : NewUid(*common.deps.random, now);
  Json spec = input;
  spec["PolicyType"] = TextField(input, "PolicyType", "StepScaling");
  spec["PolicyARN"] =
      common.Arn("autoscaling", "scalingPolicy:" + uid + ":resource/sagemaker/" + owner.name + ":policyName/" + name);
  AlarmsByPolicy alarms(common);
  Decision decision;
  decision.answer = DumpJson(Json{{"PolicyARN", spec["PolicyARN"]}, {"Alarms", AlarmsOf(common, spec, uid, alarms)}});
  if (!alarms.status().ok()) return FromError(alarms.status().error());
  if (known.ok()) {
    decision.transaction.updates.push_back(
        {.uid = uid, .version = known->version, .spec = DumpJson(spec), .modified = now});
    return decision;
  }
  catalog::Resource r;
  r.kind = Kind::kScalingPolicy;
  r.name = full_name;
  r.uid = uid;
  r.created = r.modified = now;
  r.principal = principal;
  r.owner = owner.uid;
  r.spec = DumpJson(spec);
  r.state = "{}";
  decision.transaction.inserts.push_back({std::move(r)});
  HoldTarget(owner, decision.transaction);
  return decision;
}

std::variant<Decision, ServiceError> Delete(const Common& common, const Json& input) {
  const std::string resource_id = TextField(input, "ResourceId");
  if (auto error = CheckResourceId(resource_id)) return std::move(*error);
  const std::string name = TextField(input, "PolicyName");
  const Result<catalog::Resource> known =
      common.deps.catalog->Get(Kind::kScalingPolicy, catalog::PolicyResourceName(resource_id, name));
  if (!known.ok()) {
    if (known.error().code() != ErrorCode::kNotFound) return FromError(known.error());
    return ServiceError{400, "ObjectNotFoundException",
                        "No scaling policy found for service namespace: sagemaker, resource ID: " + resource_id +
                            ", scalable dimension: " + std::string(catalog::kScalingDimension) +
                            ", policy name: " + name};
  }
  Decision decision;
  decision.answer = "{}";
  decision.transaction.removes.push_back({known->uid});
  return decision;
}

Json DescribeOne(const Common& common, const catalog::Resource& resource, AlarmsByPolicy& alarms) {
  const Json spec = SpecOf(resource);
  Json json = Picked(spec, {"PolicyARN", "PolicyName", "ServiceNamespace", "ResourceId", "ScalableDimension",
                            "PolicyType", kTracking, kStep, kPredictive});
  json["Alarms"] = AlarmsOf(common, spec, resource.uid, alarms);
  json["CreationTime"] = ToUnixSeconds(resource.created);
  return json;
}

Answer Describe(const Common& common, const Json& input) {
  AlarmsByPolicy alarms(common);
  Answer answer =
      ListOfTarget(common, input, {Kind::kScalingPolicy, "ScalingPolicies", "PolicyNames", "PolicyName"},
                   [&](const catalog::Resource& resource) { return DescribeOne(common, resource, alarms); });
  if (!alarms.status().ok()) return FromError(alarms.status().error());
  return answer;
}

}  // namespace

std::vector<Operation> PolicyOperations(std::shared_ptr<const Common> common) {
  std::vector<Operation> operations;
  operations.push_back(
      {.name = "PutScalingPolicy",
       .summary = "Creates or replaces a policy: target tracking, step scaling (by alarms), or "
                  "predictive scaling.",
       .input = PutInput(),
       .handle = [common](const Call& call, Reply reply) {
         Change(
             common,
             [common, input = call.input, principal = call.principal.arn] { return Put(*common, input, principal); },
             std::move(reply));
       }});
  operations.push_back({.name = "DescribeScalingPolicies",
                        .summary = "The policies, of one target or of all, in pages.",
                        .access = auth::Access::kRead,
                        .input = ListShape({Optional("ResourceId", TextShape()),
                                            Optional("PolicyNames", List(TextShape()).Length(0, 50))}),
                        .handle = [common](const Call& call, Reply reply) { reply(Describe(*common, call.input)); }});
  operations.push_back(
      {.name = "DeleteScalingPolicy",
       .summary = "Deletes a policy; the instance count stays as it is.",
       .input = TargetShape({Required("PolicyName", TextShape())}),
       .handle = [common](const Call& call, Reply reply) {
         Change(common, [common, input = call.input] { return Delete(*common, input); }, std::move(reply));
       }});
  return operations;
}

}  // namespace argosy::api::autoscaling
