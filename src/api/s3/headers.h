// What becomes of a request's headers: each that S3 knows is acted on by the operations that take it, refused by its
// name, or one that changes nothing here. Those that S3 does not know are overlooked, as it does.
#pragma once

#include <optional>

#include "api/s3/request.h"
#include "api/s3/s3_error.h"

namespace argosy::api::s3 {

// Why the request cannot be served: a header that the server does not act on, or an owner who is not the buckets'.
std::optional<S3Error> CheckHeaders(const Request& request);

// Takes away what other operations act on and this one does not: what an operation does not declare it cannot read.
void KeepHeadersOf(Operation operation, Request& request);

}  // namespace argosy::api::s3
