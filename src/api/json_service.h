// A service that speaks AWS's JSON 1.1 protocol: POST / with `X-Amz-Target: <prefix>.<Operation>`.
//
// Threads: OnHead and OnRequest on any loop. Operations that never wait and whose body is small are parsed and run on
// the loop; all others on the pool.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "api/operation.h"
#include "api/service.h"
#include "base/thread_pool.h"

namespace argosy::api {

struct JsonServiceOptions {
  std::string name;           // "SageMaker", as messages call it
  std::string target_prefix;  // "SageMaker", "Logs_20140328"
  // What the service calls a request that breaks a constraint.
  std::string invalid_code = "ValidationException";
};

class JsonService : public Service {
 public:
  // `pool` outlives the service and all its requests.
  JsonService(JsonServiceOptions options, std::vector<Operation> operations, ThreadPool* pool);

  http::BodyPlan OnHead(const http::RequestView& head, const auth::Principal* principal,
                        std::string_view request_id) override;
  void OnRequest(std::shared_ptr<http::Exchange> exchange, std::shared_ptr<http::BodySink> sink,
                 const auth::Principal& principal, std::string_view request_id) override;
  http::Response OnTooLarge(const http::RequestView& head, size_t size_max, std::string_view request_id) override;

  const std::vector<Operation>& operations() const { return operations_; }

 private:
  void Run(const Operation& operation, const std::shared_ptr<http::Exchange>& exchange,
           const auth::Principal& principal, std::string_view request_id) const;
  Answer Unknown(std::string_view target) const;

  JsonServiceOptions options_;
  std::vector<Operation> operations_;
  std::unordered_map<std::string_view, const Operation*> by_name_;
  ThreadPool* pool_;
};

// The response of an error in this protocol: {"__type": code, "message": message}.
http::Response JsonErrorResponse(const ServiceError& error);

}  // namespace argosy::api
