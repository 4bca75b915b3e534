// A service that speaks AWS's JSON protocol: POST / with `X-Amz-Target: <prefix>.<Operation>`.
//
// Threads: OnHead and OnRequest on any loop. Operations that never wait and whose body is small are parsed and run on
// the loop; all others on the pool.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "api/operation.h"
#include "api/service.h"
#include "base/thread_pool.h"

namespace argosy::api {

inline constexpr std::string_view kJson10 = "application/x-amz-json-1.0";
inline constexpr std::string_view kJson11 = "application/x-amz-json-1.1";

struct JsonServiceOptions {
  std::string name;           // "SageMaker", as messages call it
  std::string target_prefix;  // "SageMaker", "Logs_20140328"
  std::string action_prefix;  // "sagemaker", as permissions are called
  // What the service calls a request that breaks a constraint.
  std::string invalid_code = "ValidationException";
  // And one of somebody who may not ask for it.
  int denied_status = 400;
  std::string denied_code = "AccessDeniedException";
  std::string content_type = std::string(kJson11);
  // Of services that spoke the query protocol before: the names of the errors' shapes, by the codes they had there. A
  // client gets both: the shape in the body, the code in x-amzn-query-error.
  std::map<std::string, std::string, std::less<>> query_error_shapes = {};
};

class JsonService : public Service {
 public:
  // `pool` outlives the service and all its requests.
  JsonService(JsonServiceOptions options, std::vector<Operation> operations, ThreadPool* pool);

  http::BodyPlan OnHead(const http::RequestView& head, SignedHead signed_head, std::string_view request_id) override;
  void OnRequest(std::shared_ptr<http::Exchange> exchange, std::shared_ptr<http::BodySink> sink,
                 const auth::Principal& principal, std::string_view request_id) override;
  http::Response OnTooLarge(const http::RequestView& head, size_t size_max, std::string_view request_id) override;

  std::optional<bool> MayDo(const auth::Principal& principal, std::string_view action,
                            std::string_view resource) const override;

  const std::vector<Operation>& operations() const { return operations_; }
  const Operation* Find(std::string_view name) const;  // null when there is none

  http::Response ToResponse(Answer answer) const;

  // For requests that came in another encoding: checks the input and runs the operation where it belongs. `body` is
  // what handlers take for the request as sent.
  void RunDecoded(const Operation& operation, std::string body, const auth::Principal& principal,
                  std::string_view request_id, Reply reply) const;

 private:
  void Run(const Operation& operation, std::string_view body, const auth::Principal& principal,
           std::string_view request_id, Reply reply) const;
  const Operation* FindTarget(std::string_view target) const;
  Answer Unknown(std::string_view target) const;

  JsonServiceOptions options_;
  std::vector<Operation> operations_;
  std::unordered_map<std::string_view, const Operation*> by_name_;
  ThreadPool* pool_;
};

// The response of an error in this protocol: {"__type": code, "message": message}.
http::Response JsonErrorResponse(const ServiceError& error, std::string_view content_type = kJson11);

}  // namespace argosy::api
