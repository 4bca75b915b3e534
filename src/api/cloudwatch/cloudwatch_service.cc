#include "api/cloudwatch/cloudwatch_service.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "api/cloudwatch/cbor.h"
#include "api/cloudwatch/families.h"
#include "api/query_operations.h"
#include "api/request_body.h"

namespace argosy::api {
namespace {

using cloudwatch::Context;

constexpr std::string_view kXmlNamespace = "http://monitoring.amazonaws.com/doc/2010-08-01/";
constexpr std::string_view kCborPath = "/service/GraniteServiceVersion20100801/operation/";
constexpr size_t kBodyBytesMax = size_t{1} << 20;     // of PutMetricData, the service's; all else is small
constexpr size_t kFormFieldsOfData = size_t{20'000};  // a full PutMetricData as a form

// Tells the protocols apart and brings each to the operations.
class CloudWatchService final : public Service {
 public:
  CloudWatchService(CloudWatchDeps deps, std::string region)
      : json_({.name = "CloudWatch",
               .target_prefix = "GraniteServiceVersion20100801",
               .action_prefix = "cloudwatch",
               .invalid_code = "ValidationError",
               .denied_status = 403,
               .denied_code = "AccessDenied",
               .content_type = std::string(kJson10),
               .query_error_shapes = {{"InvalidParameterValue", "InvalidParameterValueException"},
                                      {"InvalidParameterCombination", "InvalidParameterCombinationException"},
                                      {"MissingParameter", "MissingRequiredParameterException"},
                                      {"InvalidNextToken", "InvalidNextToken"},
                                      {"InvalidFormat", "InvalidFormatFault"},
                                      {"LimitExceeded", "LimitExceededFault"},
                                      {"ResourceNotFound", "ResourceNotFound"},
                                      {"ResourceNotFoundException", "ResourceNotFoundException"},
                                      {"InternalServiceError", "InternalServiceFault"}}},
              CloudWatchOperations(deps, std::move(region)), deps.pool) {}

  http::BodyPlan OnHead(const http::RequestView& /*head*/, SignedHead /*signed_head*/,
                        std::string_view /*request_id*/) override {
    return http::BufferBody{kBodyBytesMax};
  }

  void OnRequest(std::shared_ptr<http::Exchange> exchange, std::shared_ptr<http::BodySink> sink,
                 const auth::Principal& principal, std::string_view request_id) override {
    const http::RequestView& request = exchange->request();
    if (!request.Header("x-amz-target").empty()) {
      return json_.OnRequest(std::move(exchange), std::move(sink), principal, request_id);
    }
    if (request.path.starts_with(kCborPath)) return OnCbor(std::move(exchange), principal, request_id);
    AnswerForm(json_, {.name = "CloudWatch", .xml_namespace = kXmlNamespace, .fields_max = kFormFieldsOfData},
               std::move(exchange), principal, request_id);
  }

  http::Response OnTooLarge(const http::RequestView& head, size_t size_max, std::string_view request_id) override {
    if (!head.Header("x-amz-target").empty()) return json_.OnTooLarge(head, size_max, request_id);
    return FormTooLarge(size_max, kXmlNamespace, request_id);
  }

  std::optional<bool> MayDo(const auth::Principal& principal, std::string_view action,
                            std::string_view resource) const override {
    return json_.MayDo(principal, action, resource);
  }

 private:
  // The JSON answer in CBOR.
  static http::Response ToCbor(http::Response response) {
    const auto& text = std::get<std::string>(response.body);
    const Result<Json> json = text.empty() ? Result<Json>(Json::object()) : ParseJson(text);
    Check(json.ok(), "an operation answered with what is not JSON");
    response.body = cloudwatch::CborOfJson(*json);
    std::erase_if(response.headers, [](const auto& header) { return header.first == "Content-Type"; });
    response.Set("Content-Type", "application/cbor");
    response.Set("smithy-protocol", "rpc-v2-cbor");
    return response;
  }

  void OnCbor(std::shared_ptr<http::Exchange> exchange, const auth::Principal& principal,
              std::string_view request_id) const {
    const http::RequestView& request = exchange->request();
    const auto answer = [this, exchange](Answer outcome) {
      exchange->Respond(ToCbor(json_.ToResponse(std::move(outcome))));
    };
    const std::string_view name = request.path.substr(kCborPath.size());
    const Operation* const operation = json_.Find(name);
    if (operation == nullptr) {
      return answer(
          ServiceError{404, "UnknownOperationException",
                       "Argosy does not have the operation '" + std::string(name.substr(0, 128)) + "' of CloudWatch."});
    }
    const Result<std::string> body = DecodedBody(request);
    if (!body.ok()) return answer(ServiceError{400, "SerializationException", body.error().message()});
    const Result<Json> input = body->empty() ? Result<Json>(Json::object()) : cloudwatch::JsonOfCbor(*body);
    if (!input.ok()) return answer(ServiceError{400, "SerializationException", input.error().message()});
    json_.RunDecoded(*operation, DumpJson(*input), principal, request_id, answer);
  }

  JsonService json_;
};

}  // namespace

std::vector<Operation> CloudWatchOperations(CloudWatchDeps deps, std::string region) {
  const auto context = std::make_shared<const Context>(Context{deps, std::move(region)});
  std::vector<Operation> operations;
  for (auto* declare :
       {cloudwatch::PutMetricData, cloudwatch::GetMetricStatistics, cloudwatch::GetMetricData, cloudwatch::ListMetrics,
        cloudwatch::PutMetricAlarm, cloudwatch::DescribeAlarms, cloudwatch::DescribeAlarmsForMetric,
        cloudwatch::DescribeAlarmHistory, cloudwatch::SetAlarmState, cloudwatch::EnableAlarmActions,
        cloudwatch::DisableAlarmActions, cloudwatch::DeleteAlarms, cloudwatch::TagResource, cloudwatch::UntagResource,
        cloudwatch::ListTagsForResource}) {
    operations.push_back(declare(context));
  }
  return operations;
}

std::unique_ptr<Service> MakeCloudWatchService(CloudWatchDeps deps, std::string region) {
  return std::make_unique<CloudWatchService>(deps, std::move(region));
}

}  // namespace argosy::api
