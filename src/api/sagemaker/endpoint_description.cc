#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "api/sagemaker/context.h"
#include "api/sagemaker/descriptions.h"
#include "catalog/endpoint.h"
#include "catalog/json_fields.h"

namespace argosy::api::sagemaker {
namespace {

using catalog::EndpointState;
using catalog::Fleet;
using catalog::Kind;
using catalog::TextField;
using catalog::VariantPlan;

size_t ReadyCount(const Fleet& fleet, const std::string& variant) {
  return static_cast<size_t>(std::count_if(fleet.instances.begin(), fleet.instances.end(), [&](const auto& instance) {
    return instance.variant_name == variant && instance.ready_at.has_value();
  }));
}

Json VariantsJson(const Fleet& fleet, Time resolved) {
  Json list = Json::array();
  for (const VariantPlan& plan : fleet.variants) {
    Json image = {{"SpecifiedImage", plan.model.image},
                  {"ResolvedImage", plan.model.image},
                  {"ResolutionTime", Seconds(resolved)}};
    list.push_back({{"VariantName", plan.variant.variant_name},
                    {"DeployedImages", Json::array({std::move(image)})},
                    {"CurrentWeight", plan.weight_in_force()},
                    {"DesiredWeight", plan.variant.initial_weight},
                    {"CurrentInstanceCount", ReadyCount(fleet, plan.variant.variant_name)},
                    {"DesiredInstanceCount", plan.variant.initial_instance_count}});
  }
  return list;
}

}  // namespace

Result<Json> DescribeEndpoint(const Context& context, const catalog::Resource& resource) {
  const Result<EndpointState> parsed = EndpointState::FromJson(resource.state);
  if (!parsed.ok()) return parsed.error().Wrap("state of endpoint '" + resource.name + "'");
  const EndpointState& state = *parsed;
  Json json = {{"EndpointName", resource.name},
               {"EndpointArn", context.Arn(Kind::kEndpoint, resource.name)},
               {"EndpointStatus", state.status},
               {"CreationTime", Seconds(resource.created)},
               {"LastModifiedTime", Seconds(resource.modified)},
               {"CreatedBy", CreatedBy(resource)}};
  if (!state.failure_reason.empty()) json["FailureReason"] = state.failure_reason;
  std::optional<Fleet> next = state.next;
  if (!next && !state.requested_config.empty()) next = Fleet{state.requested_config, state.requested_variants, {}};
  if (state.current) {
    if (const Result<Json> sent = ParseJson(state.current->capture_request);
        !state.current->capture_request.empty() && sent.ok()) {
      const bool on = catalog::FlagField(*sent, "EnableCapture");
      json["DataCaptureConfig"] = {{"EnableCapture", on},
                                   {"CaptureStatus", on ? "Started" : "Stopped"},
                                   {"CurrentSamplingPercentage", catalog::IntField(*sent, "InitialSamplingPercentage")},
                                   {"DestinationS3Uri", TextField(*sent, "DestinationS3Uri")},
                                   {"KmsKeyId", TextField(*sent, "KmsKeyId")}};
    }
    json["EndpointConfigName"] = state.current->config_name;
    json["ProductionVariants"] = VariantsJson(*state.current, resource.created);
  } else if (next) {
    json["EndpointConfigName"] = next->config_name;
  } else if (const Result<Json> sent = SentRequest(resource); sent.ok()) {
    json["EndpointConfigName"] = TextField(*sent, "EndpointConfigName");
  }
  if (next && (state.status != "Deleting")) {
    Json variants = VariantsJson(*next, resource.modified);
    const uint32_t share = state.deployment ? state.deployment->share : 0;
    for (Json& variant : variants) {
      const bool ready = variant["CurrentInstanceCount"] == variant["DesiredInstanceCount"];
      Json status = {{"Status", share > 0 ? "Baking" : ready ? "ActivatingTraffic" : "Creating"}};
      if (share > 0) {
        status["StatusMessage"] = std::to_string(share) + " % of the traffic goes to the new fleet.";
        if (state.deployment->stepped_at) status["StartTime"] = Seconds(*state.deployment->stepped_at);
      }
      variant["VariantStatus"] = Json::array({std::move(status)});
    }
    json["PendingDeploymentSummary"] = {{"EndpointConfigName", next->config_name},
                                        {"ProductionVariants", std::move(variants)}};
    if (state.deployment) json["PendingDeploymentSummary"]["StartTime"] = Seconds(state.deployment->began);
  }
  if (const Result<Json> sent = ParseJson(state.deployment_request); !state.deployment_request.empty() && sent.ok()) {
    json["LastDeploymentConfig"] = *sent;
  }
  return json;
}

}  // namespace argosy::api::sagemaker
