#include "serving/capture.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/json.h"

namespace argosy::serving {
namespace {

bool Contains(const std::vector<std::string>& types, std::string_view content_type) {
  const std::string_view type = Trim(content_type.substr(0, content_type.find(';')));
  return std::any_of(types.begin(), types.end(), [&](const std::string& one) { return EqualsIgnoreCase(one, type); });
}

Json Side(const CapturePlan& plan, const char* mode, std::string_view content_type, std::string_view body) {
  Json side = {{"mode", mode}};
  if (!content_type.empty()) side["observedContentType"] = content_type;
  // What is no text cannot stand in JSON as it is, whatever it was called.
  const bool text = IsValidUtf8(body);
  const char* const encoding = !text                                     ? "BASE64"
                               : Contains(plan.csv_types, content_type)  ? "CSV"
                               : Contains(plan.json_types, content_type) ? "JSON"
                                                                         : "BASE64";
  side["encoding"] = encoding;
  side["data"] = std::string_view(encoding) == "BASE64" ? ToBase64(body) : std::string(body);
  return side;
}

}  // namespace

std::string CaptureLine(const CapturedRequest& request, std::string_view event_id) {
  const CapturePlan& plan = *request.plan;
  Json data = Json::object();
  if (plan.input) data["endpointInput"] = Side(plan, "INPUT", request.input_type, request.input);
  if (plan.output) data["endpointOutput"] = Side(plan, "OUTPUT", request.output_type, request.output);
  Json event = {{"eventId", event_id}, {"inferenceTime", FormatIso8601(request.at)}};
  if (!request.inference_id.empty()) event["inferenceId"] = request.inference_id;
  if (!request.custom_attributes.empty()) event["customAttributes"] = Json::array({request.custom_attributes});
  return DumpJson(Json{{"captureData", std::move(data)}, {"eventMetadata", std::move(event)}, {"eventVersion", "0"}}) +
         "\n";
}

}  // namespace argosy::serving
