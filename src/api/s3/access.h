// What each operation needs of whoever asks for it: the one table, beside auth/access.h.
#pragma once

#include <optional>

#include "api/s3/request.h"
#include "api/s3/s3_error.h"
#include "auth/access.h"

namespace argosy::api::s3 {

// Nothing when the request may be carried out; keys that its body names (DeleteObjects) are asked for one by one.
std::optional<S3Error> CheckAccess(const Request& request, const auth::Principal& principal);

// Whether every operation that needs `action` ("s3:PutObject") would be carried out for the principal on what the ARN
// `resource` names (arn:aws:s3:::BUCKET, arn:aws:s3:::BUCKET/KEY, or "*"). Nothing when no operation needs it.
std::optional<bool> MayDoAction(const auth::Principal& principal, std::string_view action, std::string_view resource);

S3Error AccessDenied(const auth::Principal& principal, std::string_view action);

}  // namespace argosy::api::s3
