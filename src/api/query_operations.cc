#include "api/query_operations.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "api/query_encoding.h"
#include "api/request_body.h"

namespace argosy::api {
namespace {

// An operation that answers nothing has no result.
http::Response XmlAnswer(const std::string& name, const std::string& json, std::string_view xml_namespace,
                         std::string_view request_id) {
  std::string body = "<" + name + "Response xmlns=\"" + std::string(xml_namespace) + "\">";
  const Result<Json> answer = json.empty() ? Result<Json>(Json::object()) : ParseJson(json);
  Check(answer.ok(), "an operation answered with what is not JSON");
  if (!json.empty()) body += "<" + name + "Result>" + XmlOfJson(*answer) + "</" + name + "Result>";
  body += "<ResponseMetadata><RequestId>" + std::string(request_id) + "</RequestId></ResponseMetadata></" + name +
          "Response>\n";
  http::Response response;
  response.Set("Content-Type", "text/xml");
  response.body = std::move(body);
  return response;
}

}  // namespace

void AnswerForm(const JsonService& operations, const FormProtocol& protocol, std::shared_ptr<http::Exchange> exchange,
                const auth::Principal& principal, std::string_view request_id) {
  const http::RequestView& request = exchange->request();
  const auto refuse = [&](const ServiceError& error) {
    exchange->Respond(QueryErrorResponse(error, protocol.xml_namespace, request_id));
  };
  const Result<std::string> body = DecodedBody(request);
  if (!body.ok()) return refuse({400, "SerializationException", body.error().message()});
  const std::optional<Form> form = ParseForm(body->empty() ? request.query : *body, protocol.fields_max);
  if (!form) return refuse({400, "MalformedQueryString", "The form holds a broken escape or too many fields."});
  const auto action = form->find("Action");
  if (action == form->end()) return refuse({400, "MissingAction", "The form has no field Action."});
  const Operation* const operation = operations.Find(action->second);
  if (operation == nullptr) {
    return refuse({400, "InvalidAction",
                   "Argosy does not have the action '" + action->second.substr(0, 128) + "' of " +
                       std::string(protocol.name) + "."});
  }
  const Json input = JsonOfForm(*form, operation->input);
  operations.RunDecoded(
      *operation, DumpJson(input), principal, request_id,
      [exchange, operation, xml_namespace = protocol.xml_namespace, id = std::string(request_id)](Answer answer) {
        const auto* error = std::get_if<ServiceError>(&answer);
        exchange->Respond(error != nullptr
                              ? QueryErrorResponse(*error, xml_namespace, id)
                              : XmlAnswer(operation->name, std::get<std::string>(answer), xml_namespace, id));
      });
}

QueryOperations::QueryOperations(FormProtocol protocol, std::vector<Operation> operations, ThreadPool* pool)
    : protocol_(protocol),
      operations_({.name = std::string(protocol.name),
                   .target_prefix = "",
                   .action_prefix = std::string(protocol.action_prefix),
                   .invalid_code = "ValidationError",
                   .denied_status = 403,
                   .denied_code = "AccessDenied"},
                  std::move(operations), pool) {}

http::BodyPlan QueryOperations::OnHead(const http::RequestView& /*head*/, SignedHead /*signed_head*/,
                                       std::string_view /*request_id*/) {
  return http::BufferBody{kFormBytesMax};
}

http::Response QueryOperations::OnTooLarge(const http::RequestView& /*head*/, size_t size_max,
                                           std::string_view request_id) {
  return FormTooLarge(size_max, protocol_.xml_namespace, request_id);
}

void QueryOperations::OnRequest(std::shared_ptr<http::Exchange> exchange, std::shared_ptr<http::BodySink> /*sink*/,
                                const auth::Principal& principal, std::string_view request_id) {
  AnswerForm(operations_, protocol_, std::move(exchange), principal, request_id);
}

}  // namespace argosy::api
