// An operation of a JSON service, declared once: its name, what it takes, who may ask for it, where it
// runs, what it does. Parsing,
// validation, AWS's error messages, the list of supported operations and docs/guides/api.md follow from the
// declaration.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "api/service_error.h"
#include "api/shape.h"
#include "auth/access.h"
#include "base/json.h"

namespace argosy::api {

// One valid request. Everything in it is good only while the handler runs; what the answer needs later is copied.
struct Call {
  const Json& input;
  std::string_view body;  // the request as sent
  const auth::Principal& principal;
  std::string_view request_id;
};

// The JSON text of the result ("" for operations that answer nothing), or the error.
using Answer = std::variant<std::string, ServiceError>;
// Called exactly once, from any thread.
using Reply = std::function<void(Answer)>;

enum class RunOn {
  kLoop,  // the handler never waits: parses, hands on, answers from a callback
  kPool,  // the handler reads the catalog or files
};

struct Operation {
  std::string name;
  std::string summary;  // one sentence for the guide
  auth::Access access = auth::Access::kChange;
  Shape input;
  RunOn run_on = RunOn::kPool;
  std::function<void(const Call&, Reply)> handle;
};

// A service's chapter of the guide (Markdown): every operation with every member it knows.
std::string DescribeOperations(std::string_view service, const std::vector<Operation>& operations);

}  // namespace argosy::api
