// Declared operations (api/operation.h) behind the query protocol: a form's fields become the JSON that an operation
// takes, its answer becomes XML.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/json_service.h"
#include "api/query_service.h"

namespace argosy::api {

struct FormProtocol {
  std::string_view name;           // of the service, as messages call it
  std::string_view xml_namespace;  // of its answers
  std::string_view action_prefix;  // as permissions are called
  size_t fields_max = kFormFieldsMax;
};

// Answers the form in the exchange's body (or query string). `operations` outlives the request.
void AnswerForm(const JsonService& operations, const FormProtocol& protocol, std::shared_ptr<http::Exchange> exchange,
                const auth::Principal& principal, std::string_view request_id);

// A service that speaks nothing else. Operations run on the pool.
class QueryOperations final : public Service {
 public:
  // What `protocol` views, and `pool`, outlive the service.
  QueryOperations(FormProtocol protocol, std::vector<Operation> operations, ThreadPool* pool);

  http::BodyPlan OnHead(const http::RequestView& head, SignedHead signed_head, std::string_view request_id) override;
  void OnRequest(std::shared_ptr<http::Exchange> exchange, std::shared_ptr<http::BodySink> sink,
                 const auth::Principal& principal, std::string_view request_id) override;
  http::Response OnTooLarge(const http::RequestView& head, size_t size_max, std::string_view request_id) override;
  std::optional<bool> MayDo(const auth::Principal& principal, std::string_view action,
                            std::string_view resource) const override {
    return operations_.MayDo(principal, action, resource);
  }

 private:
  FormProtocol protocol_;
  JsonService operations_;
};

}  // namespace argosy::api
