#include "api/query_service.h"

#include <algorithm>
#include <utility>

#include "auth/access.h"
#include "base/bytes.h"

namespace argosy::api {
namespace {

http::Response XmlResponse(int status, std::string body) {
  http::Response response;
  response.status = status;
  response.Set("Content-Type", "text/xml");
  response.body = std::move(body);
  return response;
}

}  // namespace

std::optional<Form> ParseForm(std::string_view text, size_t fields_max) {
  Form form;
  size_t fields = 0;
  while (!text.empty()) {
    const size_t end = text.find('&');
    std::string_view field = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (field.empty()) continue;
    if (++fields > fields_max) return std::nullopt;
    const size_t equals = field.find('=');
    std::optional<std::string> key = FormDecode(field.substr(0, equals));
    std::optional<std::string> value =
        FormDecode(equals == std::string_view::npos ? std::string_view() : field.substr(equals + 1));
    if (!key || !value) return std::nullopt;
    form.insert_or_assign(std::move(*key), std::move(*value));
  }
  return form;
}

std::string EscapeXml(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&apos;";
        break;
      case '\t':
      case '\n':
        out += c;
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
    }
  }
  return out;
}

http::Response QueryErrorResponse(const ServiceError& error, std::string_view xml_namespace,
                                  std::string_view request_id) {
  return XmlResponse(error.status, "<ErrorResponse xmlns=\"" + std::string(xml_namespace) + "\"><Error><Type>" +
                                       (error.status >= 500 ? "Receiver" : "Sender") + "</Type><Code>" +
                                       EscapeXml(error.code) + "</Code><Message>" + EscapeXml(error.message) +
                                       "</Message></Error><RequestId>" + std::string(request_id) +
                                       "</RequestId></ErrorResponse>\n");
}

http::Response FormTooLarge(size_t size_max, std::string_view xml_namespace, std::string_view request_id) {
  return QueryErrorResponse(
      {413, "RequestEntityTooLarge", "The request body is larger than " + std::to_string(size_max) + " bytes."},
      xml_namespace, request_id);
}

QueryService::QueryService(std::string name, std::string xml_namespace, std::vector<QueryAction> actions)
    : name_(std::move(name)), xml_namespace_(std::move(xml_namespace)), actions_(std::move(actions)) {}

http::BodyPlan QueryService::OnHead(const http::RequestView& /*head*/, SignedHead /*signed_head*/,
                                    std::string_view /*request_id*/) {
  return http::BufferBody{kFormBytesMax};
}

http::Response QueryService::OnTooLarge(const http::RequestView& /*head*/, size_t size_max,
                                        std::string_view request_id) {
  return FormTooLarge(size_max, xml_namespace_, request_id);
}

void QueryService::OnRequest(std::shared_ptr<http::Exchange> exchange, std::shared_ptr<http::BodySink> /*sink*/,
                             const auth::Principal& principal, std::string_view request_id) {
  const http::RequestView& request = exchange->request();
  const std::optional<Form> form = ParseForm(request.body.empty() ? request.query : request.body);
  if (!form) {
    return exchange->Respond(
        QueryErrorResponse({400, "MalformedQueryString", "The form holds a broken escape or too many fields."},
                           xml_namespace_, request_id));
  }
  const auto field = form->find("Action");
  if (field == form->end()) {
    return exchange->Respond(
        QueryErrorResponse({400, "MissingAction", "The form has no field Action."}, xml_namespace_, request_id));
  }
  const auto action = std::find_if(actions_.begin(), actions_.end(),
                                   [&](const QueryAction& candidate) { return candidate.name == field->second; });
  if (action == actions_.end()) {
    return exchange->Respond(
        QueryErrorResponse({400, "InvalidAction",
                            "Argosy does not have the action '" + field->second.substr(0, 128) + "' of " + name_ + "."},
                           xml_namespace_, request_id));
  }
  std::variant<std::string, ServiceError> result = action->handle(*form, principal);
  if (const auto* error = std::get_if<ServiceError>(&result)) {
    return exchange->Respond(QueryErrorResponse(*error, xml_namespace_, request_id));
  }
  exchange->Respond(XmlResponse(200, "<" + action->name + "Response xmlns=\"" + xml_namespace_ + "\"><" + action->name +
                                         "Result>" + std::get<std::string>(result) + "</" + action->name +
                                         "Result><ResponseMetadata><RequestId>" + std::string(request_id) +
                                         "</RequestId></ResponseMetadata></" + action->name + "Response>\n"));
}

std::optional<bool> QueryService::MayDo(const auth::Principal& principal, std::string_view action,
                                        std::string_view /*resource*/) const {
  const std::string prefix = ToLower(name_) + ":";
  if (!action.starts_with(prefix)) return std::nullopt;
  action.remove_prefix(prefix.size());
  const bool has =
      std::any_of(actions_.begin(), actions_.end(), [&](const QueryAction& a) { return a.name == action; });
  return has ? std::optional(auth::May(principal, auth::Access::kIdentify)) : std::nullopt;
}

}  // namespace argosy::api
