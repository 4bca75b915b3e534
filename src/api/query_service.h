// A service that speaks AWS's query protocol and needs nothing but the form (STS): POST / with a form body
// `Action=…&Version=…`, answers in XML.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/service.h"
#include "api/service_error.h"

namespace argosy::api {

// The fields of a form body or query string, decoded. A later field of the same name wins.
using Form = std::map<std::string, std::string, std::less<>>;
// Nothing when an escape is broken or there are more fields than any action has.
inline constexpr size_t kFormFieldsMax = 1000;
std::optional<Form> ParseForm(std::string_view text, size_t fields_max = kFormFieldsMax);

// Text as XML content: what XML cannot hold (most control characters) becomes '?'.
std::string EscapeXml(std::string_view text);

// Forms of STS and IAM are a few hundred bytes; a policy document may take some thousands.
inline constexpr size_t kFormBytesMax = size_t{64} << 10;
http::Response FormTooLarge(size_t size_max, std::string_view xml_namespace, std::string_view request_id);

http::Response QueryErrorResponse(const ServiceError& error, std::string_view xml_namespace,
                                  std::string_view request_id);

struct QueryAction {
  std::string name;
  std::string summary;
  // The inside of <NameResult>, or the error. Never waits.
  std::function<std::variant<std::string, ServiceError>(const Form& form, const auth::Principal& principal)> handle;
};

// Actions run on the loop. All are for everybody.
class QueryService : public Service {
 public:
  QueryService(std::string name, std::string xml_namespace, std::vector<QueryAction> actions);

  http::BodyPlan OnHead(const http::RequestView& head, SignedHead signed_head, std::string_view request_id) override;
  void OnRequest(std::shared_ptr<http::Exchange> exchange, std::shared_ptr<http::BodySink> sink,
                 const auth::Principal& principal, std::string_view request_id) override;
  http::Response OnTooLarge(const http::RequestView& head, size_t size_max, std::string_view request_id) override;
  std::optional<bool> MayDo(const auth::Principal& principal, std::string_view action,
                            std::string_view resource) const override;

  const std::vector<QueryAction>& actions() const { return actions_; }

 private:
  std::string name_;
  std::string xml_namespace_;
  std::vector<QueryAction> actions_;
};

}  // namespace argosy::api
