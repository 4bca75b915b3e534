// Presigned URLs: requests that carry their signature in the query, good for a time of their own.
//
// Version 4 is what the SDKs make when told so; version 2 is what boto3 and the aws CLI make wherever an endpoint URL
// is given and no signature version is. Only for S3. Sources: Amazon S3 API Reference, "Authenticating Requests: Using
// Query Parameters (AWS Signature Version 4)"; Amazon S3 User Guide, "Signing and authenticating REST requests".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "auth/sigv4.h"
#include "http/message.h"

namespace argosy::auth {

inline constexpr int64_t kPresignedSecondsMax = 7 * 24 * 3600;  // of version 4, as S3

enum class Presigning { kNone, kV2, kV4 };
Presigning PresigningOf(std::string_view query);

// Whether a parameter of a presigned URL is a header, signed there in place of one of the request: by lower-case name.
// Who reads the request and who checks its signature must agree on these, and on their values: form-decoded.
bool IsHeaderInQuery(std::string_view lower_name);

// All values decoded.
struct PresignedV4 {
  std::string credential;  // key/date/region/service/aws4_request
  std::string amz_date;
  int64_t seconds = 0;  // good for so many
  std::string signed_headers;
  std::string signature;
  std::string token;
  std::string payload_hash;  // empty: not said
  std::string query;         // what was signed: the query as sent but for the signature
};
std::variant<PresignedV4, AuthError> ReadPresignedV4(std::string_view query);

struct PresignedV2 {
  std::string access_key_id;
  int64_t expires = 0;  // Unix seconds
  std::string signature;
  std::string token;
};
std::variant<PresignedV2, AuthError> ReadPresignedV2(std::string_view query);

// Base64 of the HMAC-SHA-1 that version 2 asks for. A header that such a URL carries in its query counts where the
// request does not have it. A bucket's path is signed with a slash at its end, whether it is sent with one or not.
std::string SignatureV2(const http::RequestView& request, int64_t expires, std::string_view secret_access_key);

}  // namespace argosy::auth
