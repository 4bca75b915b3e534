// Holds a request against its declared shape and words what is wrong as AWS does.
#pragma once

#include <optional>
#include <string_view>

#include "api/service_error.h"
#include "api/shape.h"
#include "base/json.h"

namespace argosy::api {

// Nothing when `input` may be acted on. Otherwise, in this order:
//   SerializationException   a value is of another type than declared
//   ValidationException      "n validation errors detected: Value '…' at 'path' failed to satisfy constraint: …; Value
//   …" ValidationException      a member asks for what Argosy does not have; `operation` is named with it
// Members that are not declared are let be: newer clients send them.
std::optional<ServiceError> Validate(const Shape& shape, const Json& input, std::string_view operation);

// How many constraint errors one answer lists; a hostile request could otherwise make it as long as itself many times.
inline constexpr size_t kErrorsListedMax = 20;

}  // namespace argosy::api
