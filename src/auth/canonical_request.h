// The text of a request that a signature stands for.
//
// Source: AWS General Reference, "Create a canonical request", and botocore/auth.py for what the page leaves open.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/message.h"

namespace argosy::auth {

// How path and query are read. Most clients sign what they send. Some send characters bare that the rule wants
// percent-encoded, and sign the encoded form; both bind the same request.
enum class Reading { kAsSent, kReencoded };

struct CanonicalParts {
  std::string_view method;
  std::string_view service;  // s3: the path is taken as it is; others: without dot segments and doubled slashes, then
                             // encoded once more
  std::string_view path;     // percent-encoded, as sent
  std::string_view query;    // as sent
  std::span<const http::HeaderView> headers;
  std::string_view signed_headers;  // lower case, separated by ';'
  std::string_view payload_hash;
};

// Whether two header names are the same. The sizes tell most apart without a call.
inline bool NameIs(std::string_view name, std::string_view other) {
  return name.size() == other.size() && EqualsIgnoreCase(name, other);
}

class Canonicalizer {
 public:
  // Good until the next call; the memory is used again.
  std::string_view Write(const CanonicalParts& parts, Reading reading);

 private:
  void WritePath(std::string_view service, std::string_view path, Reading reading);
  void WriteQuery(std::string_view query, Reading reading);
  void WriteHeaders(const CanonicalParts& parts);

  std::string text_;
  std::vector<std::pair<std::string_view, std::string_view>> pairs_;
};

}  // namespace argosy::auth
