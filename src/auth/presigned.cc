#include "auth/presigned.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace argosy::auth {
namespace {

// Parameters that belong to the resource that version 2 signs, sorted; of them only those the SDKs sign.
constexpr auto kSignedParameters = std::to_array<std::string_view>({"accelerate",
                                                                    "acl",
                                                                    "analytics",
                                                                    "cors",
                                                                    "delete",
                                                                    "inventory",
                                                                    "lifecycle",
                                                                    "location",
                                                                    "logging",
                                                                    "metrics",
                                                                    "notification",
                                                                    "object-lock",
                                                                    "partNumber",
                                                                    "policy",
                                                                    "replication",
                                                                    "requestPayment",
                                                                    "response-cache-control",
                                                                    "response-content-disposition",
                                                                    "response-content-encoding",
                                                                    "response-content-language",
                                                                    "response-content-type",
                                                                    "response-expires",
                                                                    "restore",
                                                                    "select",
                                                                    "select-type",
                                                                    "storageClass",
                                                                    "tagging",
                                                                    "torrent",
                                                                    "uploadId",
                                                                    "uploads",
                                                                    "versionId",
                                                                    "versioning",
                                                                    "versions",
                                                                    "website"});

AuthError MalformedUrl(std::string message) {
  return {AuthFailure::kMalformedQuery, std::move(message)};
}

// All as sent.
using TakeParameter = std::function<void(std::string_view pair, std::string_view name, std::string_view value)>;

void ForEachParameter(std::string_view query, const TakeParameter& take) {
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const size_t equals = std::min(pair.find('='), pair.size());
    take(pair, pair.substr(0, equals), pair.substr(std::min(equals + 1, pair.size())));
  }
}

// The values of `wanted`, decoded. Each at most once, and decodable.
std::variant<std::map<std::string_view, std::string>, AuthError> ReadValues(std::string_view query,
                                                                            std::span<const std::string_view> wanted) {
  std::map<std::string_view, std::string> values;
  std::optional<AuthError> fault;
  ForEachParameter(query, [&](std::string_view, std::string_view name, std::string_view value) {
    const auto known = std::ranges::find(wanted, name);
    if (known == wanted.end()) return;
    std::optional<std::string> decoded = PercentDecode(value);
    if (!decoded) {
      fault = MalformedUrl("The query parameter " + std::string(name) + " cannot be decoded.");
    } else if (!values.emplace(*known, std::move(*decoded)).second) {
      fault = MalformedUrl("The query parameter " + std::string(name) + " is given twice.");
    }
  });
  if (fault) return std::move(*fault);
  return values;
}

// x-amz-… headers of the request, and those that are in the query instead, by lower-case name; also content-type and
// content-md5.
std::map<std::string, std::string> SignedHeadersV2(const http::RequestView& request) {
  std::map<std::string, std::string> headers;
  for (const http::HeaderView& header : request.headers) {
    const std::string name = ToLower(header.name);
    if (!IsHeaderInQuery(name)) continue;
    const auto [it, fresh] = headers.try_emplace(name, Trim(header.value));
    if (!fresh) it->second.append(",").append(Trim(header.value));
  }
  std::map<std::string, std::string> hoisted;
  ForEachParameter(request.query, [&](std::string_view, std::string_view name, std::string_view value) {
    const std::string lower = ToLower(name);
    if (IsHeaderInQuery(lower)) hoisted.try_emplace(lower, FormDecode(value).value_or(std::string(value)));
  });
  headers.merge(hoisted);
  return headers;
}

}  // namespace

bool IsHeaderInQuery(std::string_view lower_name) {
  return lower_name.starts_with("x-amz-") || lower_name == "content-type" || lower_name == "content-md5";
}

Presigning PresigningOf(std::string_view query) {
  Presigning found = Presigning::kNone;
  if (query.empty()) return found;
  ForEachParameter(query, [&](std::string_view, std::string_view name, std::string_view) {
    if (name == "X-Amz-Algorithm" || name == "X-Amz-Signature" || name == "X-Amz-Credential") {
      found = Presigning::kV4;
    } else if (name == "AWSAccessKeyId" && found == Presigning::kNone) {
      found = Presigning::kV2;
    }
  });
  return found;
}

std::variant<PresignedV4, AuthError> ReadPresignedV4(std::string_view query) {
  constexpr std::array<std::string_view, 6> kRequired = {"X-Amz-Algorithm",     "X-Amz-Credential", "X-Amz-Date",
                                                         "X-Amz-SignedHeaders", "X-Amz-Expires",    "X-Amz-Signature"};
  constexpr std::array<std::string_view, 8> kWanted = {kRequired[0],           kRequired[1],          kRequired[2],
                                                       kRequired[3],           kRequired[4],          kRequired[5],
                                                       "X-Amz-Security-Token", "X-Amz-Content-Sha256"};
  auto read = ReadValues(query, kWanted);
  if (auto* error = std::get_if<AuthError>(&read)) return std::move(*error);
  std::map<std::string_view, std::string>& values = std::get<0>(read);
  for (const std::string_view name : kRequired) {
    if (values[name].empty()) {
      return MalformedUrl(
          "A presigned URL needs X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, "
          "X-Amz-SignedHeaders and X-Amz-Expires; it has no " +
          std::string(name) + ".");
    }
  }
  if (values["X-Amz-Algorithm"] != "AWS4-HMAC-SHA256") {
    return MalformedUrl("X-Amz-Algorithm must be AWS4-HMAC-SHA256, the only one supported.");
  }
  PresignedV4 out;
  const std::optional<int64_t> seconds = ParseInt(values["X-Amz-Expires"]);
  if (!seconds || *seconds < 1 || *seconds > kPresignedSecondsMax) {
    return MalformedUrl("X-Amz-Expires must be a number of seconds from 1 to 604800, a week.");
  }
  out.seconds = *seconds;
  out.credential = std::move(values["X-Amz-Credential"]);
  out.amz_date = std::move(values["X-Amz-Date"]);
  out.signed_headers = std::move(values["X-Amz-SignedHeaders"]);
  out.signature = std::move(values["X-Amz-Signature"]);
  out.token = std::move(values["X-Amz-Security-Token"]);
  out.payload_hash = std::move(values["X-Amz-Content-Sha256"]);
  ForEachParameter(query, [&](std::string_view pair, std::string_view name, std::string_view) {
    if (name == "X-Amz-Signature") return;
    if (!out.query.empty()) out.query.push_back('&');
    out.query.append(pair);
  });
  return out;
}

std::variant<PresignedV2, AuthError> ReadPresignedV2(std::string_view query) {
  constexpr std::array<std::string_view, 4> kWanted = {"AWSAccessKeyId", "Expires", "Signature",
                                                       "x-amz-security-token"};
  auto read = ReadValues(query, kWanted);
  if (auto* error = std::get_if<AuthError>(&read)) return std::move(*error);
  std::map<std::string_view, std::string>& values = std::get<0>(read);
  const std::optional<int64_t> expires = ParseInt(values["Expires"]);
  if (!expires || values["Signature"].empty() || values["AWSAccessKeyId"].empty()) {
    return MalformedUrl("Query-string authentication needs the parameters Signature, Expires and AWSAccessKeyId.");
  }
  return PresignedV2{std::move(values["AWSAccessKeyId"]), *expires, std::move(values["Signature"]),
                     std::move(values["x-amz-security-token"])};
}

std::string SignatureV2(const http::RequestView& request, int64_t expires, std::string_view secret_access_key) {
  std::map<std::string, std::string> headers = SignedHeadersV2(request);
  std::string text(request.method);
  text.append("\n").append(headers["content-md5"]);
  text.append("\n").append(headers["content-type"]);
  text.append("\n").append(std::to_string(expires)).append("\n");
  for (const auto& [name, value] : headers) {
    if (name.starts_with("x-amz-")) text.append(name).append(":").append(value).append("\n");
  }
  text.append(request.path);
  if (request.path.size() > 1 && request.path.find('/', 1) == std::string_view::npos) text.push_back('/');
  std::vector<std::pair<std::string_view, std::string>> parameters;
  ForEachParameter(request.query, [&](std::string_view pair, std::string_view name, std::string_view value) {
    if (!std::ranges::binary_search(kSignedParameters, name)) return;
    std::string written(name);
    if (pair.size() > name.size()) written.append("=").append(FormDecode(value).value_or(std::string(value)));
    parameters.emplace_back(name, std::move(written));
  });
  std::ranges::sort(parameters);
  char separator = '?';
  for (const auto& [name, written] : parameters) {
    text.push_back(std::exchange(separator, '&'));
    text.append(written);
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  HMAC(EVP_sha1(), secret_access_key.data(), static_cast<int>(secret_access_key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
  return ToBase64({reinterpret_cast<const char*>(digest.data()), size});
}

}  // namespace argosy::auth
