// AWS Signature Version 4, both ways: checking what clients signed, and signing what we send.
//
// Source: AWS General Reference, "Signature Version 4 signing process". S3 signs the path as sent; every other service
// percent-encodes the sent path once more.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "auth/chunk_signatures.h"
#include "auth/principal.h"
#include "base/clock.h"
#include "http/message.h"

namespace argosy::auth {

inline constexpr auto kSkewMax = std::chrono::minutes(15);

// The parts of `Authorization: AWS4-HMAC-SHA256 Credential=K/date/region/service/aws4_request, SignedHeaders=…,
// Signature=…`. Views into the header.
struct AuthorizationView {
  std::string_view access_key_id;
  std::string_view date;  // YYYYMMDD
  std::string_view region;
  std::string_view service;  // s3, sagemaker, logs, …
  std::string_view scope;    // date/region/service/aws4_request
  std::string_view signed_headers;
  std::string_view signature;  // 64 hex digits
};

struct AuthError {
  AuthFailure failure;
  std::string message;  // a sentence: which part, which rule
};

// kMissing when there is no Authorization header.
std::variant<AuthorizationView, AuthError> ParseAuthorization(const http::RequestView& request);

using Verdict = std::variant<std::shared_ptr<const Principal>, AuthError>;

// Checks signatures. Keeps derived signing keys (bounded), never verdicts. One per event loop; not thread-safe.
class Verifier {
 public:
  Verifier(const CredentialStore* credentials, const Clock* clock);
  ~Verifier();

  // `payload_hash`: what the canonical request ends in: the hex SHA-256 of the body, or the value of
  // x-amz-content-sha256 where the service sends it (the caller then checks the body against it).
  Verdict Verify(const http::RequestView& request, const AuthorizationView& authorization,
                 std::string_view payload_hash);

  // For the chunks of the body of a request that Verify has just believed; null when its key has gone since.
  std::unique_ptr<ChunkSignatures> ChunksOf(const http::RequestView& request, const AuthorizationView& authorization);

  // Of a request whose query has its signature (auth/presigned.h).
  Verdict VerifyPresigned(const http::RequestView& request);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The headers to add to a request: host is expected among `headers`; gives x-amz-date, authorization (and
// x-amz-security-token when the credential has one). `path` is percent-encoded as it will be sent.
std::vector<std::pair<std::string, std::string>> Sign(const Credential& credential, std::string_view region,
                                                      std::string_view service, std::string_view method,
                                                      std::string_view path, std::string_view query,
                                                      std::vector<std::pair<std::string, std::string>> headers,
                                                      std::string_view payload_hash, Time now);

}  // namespace argosy::auth
