// For the tests of this folder: Application Auto Scaling over a real catalog that has one endpoint.
#pragma once

#include "api/autoscaling/autoscaling_service.h"
#include "api/catalog_fixture.h"
#include "api/changes.h"
#include "catalog/scaling.h"

namespace argosy::api {

inline constexpr const char* kTargetId = "endpoint/e/variant/AllTraffic";

class AutoscalingTest : public CatalogServiceTest {
 protected:
  AutoscalingTest() : CatalogServiceTest("AnyScaleFrontendService") {
    service_ = MakeAutoscalingService({interposed_.get(), pool_.get(), &clock_, &random_}, "us-east-1");
    MakeEndpoint("e", {"AllTraffic", "Second"});
  }

  void MakeEndpoint(const std::string& name, const std::vector<std::string>& variants) {
    EndpointState state;
    state.status = "InService";
    state.current.emplace();
    for (const std::string& variant : variants) state.current->variants.push_back(Plan(variant));
    catalog::Resource r;
    r.kind = Kind::kEndpoint;
    r.name = name;
    r.uid = name + "-uid";
    r.created = r.modified = clock_.Now();
    r.status = state.status;
    r.spec = "{}";
    r.state = state.ToJson();
    catalog::Transaction transaction;
    transaction.inserts.push_back({std::move(r)});
    Commit(std::move(transaction));
  }

  static catalog::VariantPlan Plan(const std::string& variant) {
    return {.variant = {variant}, .model = {.request_json = R"({"ModelName":"m"})"}};
  }

  // A request about a variant, with `more`.
  static Json OfVariant(const std::string& resource_id, const Json& more = Json::object()) {
    Json request = {{"ServiceNamespace", "sagemaker"},
                    {"ResourceId", resource_id},
                    {"ScalableDimension", "sagemaker:variant:DesiredInstanceCount"}};
    request.update(more);
    return request;
  }
  static Json Of(const Json& more = Json::object()) { return OfVariant(kTargetId, more); }
  // One without a variant.
  static Json All(const Json& more = Json::object()) {
    Json request = {{"ServiceNamespace", "sagemaker"}};
    request.update(more);
    return request;
  }
  // Follows a metric of its own.
  static Json Policy(const std::string& name, double target = 100) {
    return Of({{"PolicyName", name},
               {"PolicyType", "TargetTrackingScaling"},
               {"TargetTrackingScalingPolicyConfiguration",
                {{"TargetValue", target},
                 {"CustomizedMetricSpecification",
                  {{"MetricName", name}, {"Namespace", "Queues"}, {"Statistic", "Average"}}}}}});
  }
  static Json Action(const std::string& name, const Json& more = Json::object()) {
    Json request = Of({{"ScheduledActionName", name},
                       {"Schedule", "cron(0 9 ? * MON-FRI *)"},
                       {"Timezone", "Europe/Vienna"},
                       {"ScalableTargetAction", {{"MinCapacity", 2}, {"MaxCapacity", 6}}}});
    request.update(more);
    return request;
  }
  // Its ARN.
  std::string Register(const std::string& resource_id = kTargetId) {
    return Good("RegisterScalableTarget", OfVariant(resource_id, {{"MinCapacity", 1}, {"MaxCapacity", 4}}))
        .value("ScalableTargetARN", "");
  }

  size_t Count(Kind kind) {
    catalog::Query query;
    query.kind = kind;
    return store_->List(query)->resources.size();
  }
  catalog::Resource Target() { return store_->Get(Kind::kScalableTarget, kTargetId).value(); }
  // Somebody else writes the target.
  void TouchTarget() { Write(Target(), "", Target().state); }
};

}  // namespace argosy::api
