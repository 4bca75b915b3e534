// SageMaker's runtime: POST /endpoints/{name}/invocations, the path that serving is measured on.
//
// A request is handed to the router on the loop it came in on, and answered on that loop, without a lock and with three
// allocations. Errors are the real service's: ValidationError for what the caller must mend, ModelError (424) for what
// the model answered, ServiceUnavailable (503, Retry-After) past the bounds. POST …/invocations-response-stream answers
// by events as the model's answer comes (event_stream.h), no faster than the client takes them. The asynchronous form
// is refused by name, and so are headers whose neglect would change the answer.
#pragma once

#include <memory>
#include <string>

#include "api/service.h"
#include "base/clock.h"
#include "serving/router.h"

namespace argosy::api {

struct RuntimeOptions {
  std::string region;
  std::string account;
};

// Registered as a service that writes x-amzn-RequestId itself. `router` and `clock` outlive it; every request comes in
// on one of the router's loops.
std::unique_ptr<Service> MakeRuntimeService(serving::Router* router, const Clock* clock, RuntimeOptions options);

}  // namespace argosy::api
