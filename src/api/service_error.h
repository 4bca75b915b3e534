// An error as a service words it: what clients match on and people read.
#pragma once

#include <string>

#include "base/result.h"

namespace argosy::api {

struct ServiceError {
  int status = 400;
  std::string code;  // "ValidationException", "ResourceInUse", …
  std::string message;
};

inline ServiceError ValidationError(std::string message) {
  return ServiceError{400, "ValidationException", std::move(message)};
}

// For what the caller did not cause or cannot mend: bounds reached (clients retry ThrottlingException), I/O, faults of
// ours.
ServiceError FromError(const Error& error);

}  // namespace argosy::api
