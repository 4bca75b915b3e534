#include "auth/sigv4.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "auth/canonical_request.h"
#include "auth/hmac.h"
#include "auth/presigned.h"

namespace argosy::auth {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view kTerminator = "aws4_request";
constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";
constexpr std::string_view kPayloadHeader = "x-amz-content-sha256";
constexpr size_t kSignatureSize = 64;
constexpr size_t kAccessKeyIdMax = 128;  // as IAM's
// Of region and service name: real ones are below 30 characters; they are kept in the cache.
constexpr size_t kScopePartMax = 64;
// Derived keys kept: one for each access key, day, region and service in use. Only a right signature adds one.
constexpr size_t kSigningKeysMax = 1024;

bool IsDigits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

int Number(std::string_view digits) {
  int n = 0;
  for (const char c : digits) n = n * 10 + (c - '0');
  return n;
}

std::optional<Time> MakeTime(int year, int month, int day, int hour, int minute, int second) {
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  return Time(std::chrono::sys_days(date)) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second);
}

// 20240501T123456Z
std::optional<Time> ParseAmzDate(std::string_view text) {
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
  if (!IsDigits(text.substr(0, 8)) || !IsDigits(text.substr(9, 6))) return std::nullopt;
  return MakeTime(Number(text.substr(0, 4)), Number(text.substr(4, 2)), Number(text.substr(6, 2)),
                  Number(text.substr(9, 2)), Number(text.substr(11, 2)), Number(text.substr(13, 2)));
}

// Wed, 01 May 2024 12:34:56 GMT
std::optional<Time> ParseHttpDate(std::string_view text) {
  static constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() != 29 || text.substr(3, 2) != ", " || text[19] != ':' || text[22] != ':' ||
      text.substr(25) != " GMT") {
    return std::nullopt;
  }
  const size_t month = kMonths.find(text.substr(8, 3));
  if (month == std::string_view::npos || month % 3 != 0) return std::nullopt;
  for (const auto& [at, size] : {std::pair<size_t, size_t>{5, 2}, {12, 4}, {17, 2}, {20, 2}, {23, 2}}) {
    if (!IsDigits(text.substr(at, size))) return std::nullopt;
  }
  return MakeTime(Number(text.substr(12, 4)), static_cast<int>(month / 3) + 1, Number(text.substr(5, 2)),
                  Number(text.substr(17, 2)), Number(text.substr(20, 2)), Number(text.substr(23, 2)));
}

bool ListHas(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    const size_t end = std::min(list.find(';'), list.size());
    if (NameIs(name, list.substr(0, end))) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

bool IsAmzHeader(std::string_view name) {
  return name.size() > 6 && NameIs(name.substr(0, 6), "x-amz-");
}

// What the check itself needs of the headers, found in one pass.
struct SigningHeaders {
  std::string_view amz_date;
  std::string_view date;
  std::string_view token;
  std::string_view unsigned_amz;  // name of one that should be signed and is not
};

// `open`: a header that need not be signed; empty: none.
SigningHeaders FindSigningHeaders(const http::RequestView& request, std::string_view signed_headers,
                                  std::string_view open = {}) {
  SigningHeaders found;
  for (const http::HeaderView& header : request.headers) {
    if (header.name.size() == 4 && NameIs(header.name, "date")) found.date = header.value;
    if (!IsAmzHeader(header.name)) continue;
    if (NameIs(header.name, "x-amz-date")) found.amz_date = header.value;
    if (NameIs(header.name, "x-amz-security-token")) found.token = header.value;
    if (!NameIs(header.name, open) && !ListHas(signed_headers, header.name)) found.unsigned_amz = header.name;
  }
  return found;
}

bool EqualInConstantTime(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

HmacKey SigningKey(std::string_view secret, std::string_view date, std::string_view region, std::string_view service) {
  const Sha256Digest for_date = HmacKey("AWS4" + std::string(secret)).Sign(date);
  const Sha256Digest for_region = HmacKey(AsBytes(for_date)).Sign(region);
  const Sha256Digest for_service = HmacKey(AsBytes(for_region)).Sign(service);
  return HmacKey(AsBytes(HmacKey(AsBytes(for_service)).Sign(kTerminator)));
}

void WriteStringToSign(std::string& out, std::string_view amz_date, std::string_view scope,
                       std::string_view canonical) {
  out.assign(kAlgorithm);
  out.push_back('\n');
  out.append(amz_date);
  out.push_back('\n');
  out.append(scope);
  out.push_back('\n');
  out.append(AsText(ToHexDigest(FastSha256(canonical))));
}

AuthError Malformed(std::string message) {
  return {AuthFailure::kMalformed, std::move(message)};
}

AuthError BadToken(std::string_view sent) {
  return {AuthFailure::kBadToken, sent.empty() ? "This access key needs its session token in X-Amz-Security-Token."
                                               : "The security token included in the request is invalid."};
}

// Why the store has no credential for the request.
AuthError NoCredential(AuthFailure failure, std::string_view token) {
  switch (failure) {
    case AuthFailure::kBadToken:
      return BadToken(token);
    case AuthFailure::kExpiredToken:
      return {failure, "The security token included in the request is expired: its session is over."};
    default:
      return {AuthFailure::kUnknownKey, "The access key id in the request does not exist here."};
  }
}

// The principal for as long as anybody holds it, whatever becomes of the key.
Verdict Believed(const std::shared_ptr<const Credential>& credential) {
  return std::shared_ptr<const Principal>(credential, &credential->principal);
}

AuthError BadSignature() {
  return {AuthFailure::kBadSignature,
          "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
          "Key and signing method."};
}

// What a signature is checked against, besides the request itself.
struct SignedParts {
  std::string_view query;
  std::string_view payload_hash;
  std::string_view amz_date;
  std::string_view token;
  std::string_view unsigned_header;  // an x-amz-… header that should be signed and is not
};

std::string_view TakeUntil(std::string_view& text, char separator) {
  const size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

// Key and scope; gives what is wrong with them.
std::optional<std::string> ReadCredential(std::string_view credential, AuthorizationView& out) {
  out.access_key_id = TakeUntil(credential, '/');
  out.scope = credential;
  out.date = TakeUntil(credential, '/');
  out.region = TakeUntil(credential, '/');
  out.service = TakeUntil(credential, '/');
  if (out.access_key_id.empty() || out.access_key_id.size() > kAccessKeyIdMax || out.region.empty() ||
      out.region.size() > kScopePartMax || out.service.empty() || out.service.size() > kScopePartMax ||
      credential.find('/') != std::string_view::npos) {
    return "Credential must be <access key id>/<YYYYMMDD>/<region>/<service>/aws4_request.";
  }
  if (credential != kTerminator) return "Credential must end in 'aws4_request'.";
  if (out.date.size() != 8 || !IsDigits(out.date)) return "Date in Credential scope must be YYYYMMDD.";
  return std::nullopt;
}

}  // namespace

std::variant<AuthorizationView, AuthError> ParseAuthorization(const http::RequestView& request) {
  const std::string_view header = request.Header("authorization");
  if (header.empty()) return AuthError{AuthFailure::kMissing, "The request has no Authorization header."};
  if (!header.starts_with(kAlgorithm) || header.size() == kAlgorithm.size() || header[kAlgorithm.size()] != ' ') {
    return Malformed("The Authorization header does not begin with AWS4-HMAC-SHA256, the only algorithm supported.");
  }
  AuthorizationView out;
  std::string_view credential;
  std::string_view rest = header.substr(kAlgorithm.size() + 1);
  while (!rest.empty()) {
    std::string_view part = Trim(TakeUntil(rest, ','));
    const std::string_view name = TakeUntil(part, '=');
    std::string_view* const place = name == "Credential"      ? &credential
                                    : name == "SignedHeaders" ? &out.signed_headers
                                    : name == "Signature"     ? &out.signature
                                                              : nullptr;
    if (place == nullptr)
      return Malformed("The Authorization header has a part that is not Credential, SignedHeaders or Signature.");
    if (!place->empty()) return Malformed("The Authorization header gives '" + std::string(name) + "' twice.");
    *place = part;
  }
  if (credential.empty()) return Malformed("Authorization header requires 'Credential' parameter.");
  if (out.signature.empty()) return Malformed("Authorization header requires 'Signature' parameter.");
  if (out.signed_headers.empty()) return Malformed("Authorization header requires 'SignedHeaders' parameter.");

  if (std::optional<std::string> fault = ReadCredential(credential, out)) return Malformed(std::move(*fault));
  if (out.signature.size() != kSignatureSize) return Malformed("Signature must be 64 hexadecimal digits.");
  return out;
}

struct Verifier::Impl {
  struct Entry {
    std::shared_ptr<const Credential> credential;  // kept, so that no other ever lies at its address
    std::string scope;
    HmacKey key;
  };

  const CredentialStore* credentials;
  const Clock* clock;
  Canonicalizer canonicalizer;
  std::string string_to_sign;
  std::unordered_map<std::string, Entry> keys;
  const Entry* last = nullptr;  // most requests come with the key of the one before

  const HmacKey* FindKey(const std::shared_ptr<const Credential>& credential, std::string_view scope) {
    if (last != nullptr && last->credential == credential && last->scope == scope) return &last->key;
    const auto it = keys.find(CacheName(*credential, scope));
    if (it == keys.end() || it->second.credential != credential) return nullptr;
    last = &it->second;
    return &last->key;
  }

  void Keep(const std::shared_ptr<const Credential>& credential, std::string_view scope, const HmacKey& key) {
    if (keys.size() >= kSigningKeysMax) {
      last = nullptr;
      keys.clear();
    }
    last =
        &keys.insert_or_assign(CacheName(*credential, scope), Entry{credential, std::string(scope), key}).first->second;
  }

  // `malformed`: what a request is that does not sign its host.
  Verdict Check(const http::RequestView& request, const std::shared_ptr<const Credential>& credential,
                const AuthorizationView& authorization, const SignedParts& signed_parts, AuthFailure malformed);
  Verdict CheckV4(const http::RequestView& request);
  Verdict CheckV2(const http::RequestView& request) const;

  static std::string CacheName(const Credential& credential, std::string_view scope) {
    return credential.access_key_id + "/" + std::string(scope);
  }
};

Verifier::Verifier(const CredentialStore* credentials, const Clock* clock)
    : impl_(std::make_unique<Impl>(Impl{.credentials = credentials, .clock = clock})) {}

Verifier::~Verifier() = default;

Verdict Verifier::Verify(const http::RequestView& request, const AuthorizationView& authorization,
                         std::string_view payload_hash) {
  const SigningHeaders headers = FindSigningHeaders(request, authorization.signed_headers);
  const KeyLookup found = impl_->credentials->Find(authorization.access_key_id, headers.token);
  if (found.credential == nullptr) return NoCredential(found.failure, headers.token);
  std::string_view amz_date = headers.amz_date;
  std::optional<Time> signed_at;
  std::string written_date;
  if (!amz_date.empty()) {
    signed_at = ParseAmzDate(amz_date);
    if (!signed_at) return Malformed("X-Amz-Date must be YYYYMMDD'T'HHMMSS'Z'.");
  } else {
    const std::string_view date = headers.date;
    if (date.empty())
      return Malformed("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.");
    signed_at = ParseHttpDate(date);
    if (!signed_at) signed_at = ParseAmzDate(date);
    if (!signed_at) return Malformed("The Date header is not an HTTP date.");
    written_date = FormatAmzDate(*signed_at);
    amz_date = written_date;
  }
  if (authorization.date != amz_date.substr(0, 8)) {
    return AuthError{AuthFailure::kBadSignature, "Credential should be scoped to correct date: the scope says " +
                                                     std::string(authorization.date) + ", the request's date is " +
                                                     std::string(amz_date.substr(0, 8)) + "."};
  }
  const Time now = impl_->clock->Now();
  if (*signed_at < now - kSkewMax) {
    return AuthError{AuthFailure::kSkewed, "Signature expired: " + std::string(amz_date) + " is now earlier than " +
                                               FormatAmzDate(now - kSkewMax) + " (" + FormatAmzDate(now) +
                                               " - 15 min.)"};
  }
  if (*signed_at > now + kSkewMax) {
    return AuthError{AuthFailure::kSkewed, "Signature not yet current: " + std::string(amz_date) +
                                               " is still later than " + FormatAmzDate(now + kSkewMax) + " (" +
                                               FormatAmzDate(now) + " + 15 min.)"};
  }

  return impl_->Check(request, found.credential, authorization,
                      {.query = request.query,
                       .payload_hash = payload_hash,
                       .amz_date = amz_date,
                       .token = headers.token,
                       .unsigned_header = headers.unsigned_amz},
                      AuthFailure::kMalformed);
}

std::unique_ptr<ChunkSignatures> Verifier::ChunksOf(const http::RequestView& request,
                                                    const AuthorizationView& authorization) {
  const std::shared_ptr<const Credential> credential =
      impl_->credentials->Find(authorization.access_key_id, request.Header("x-amz-security-token")).credential;
  if (credential == nullptr) return nullptr;
  const HmacKey* const kept = impl_->FindKey(credential, authorization.scope);
  const HmacKey key = kept != nullptr ? *kept
                                      : SigningKey(credential->secret_access_key, authorization.date,
                                                   authorization.region, authorization.service);
  std::string amz_date(request.Header("x-amz-date"));
  if (amz_date.empty()) {
    const std::optional<Time> signed_at = ParseHttpDate(request.Header("date"));
    amz_date = signed_at ? FormatAmzDate(*signed_at) : std::string(request.Header("date"));
  }
  return std::make_unique<ChunkSignatures>(key, amz_date, authorization.scope, authorization.signature);
}

Verdict Verifier::VerifyPresigned(const http::RequestView& request) {
  return PresigningOf(request.query) == Presigning::kV4 ? impl_->CheckV4(request) : impl_->CheckV2(request);
}

Verdict Verifier::Impl::CheckV4(const http::RequestView& request) {
  std::variant<PresignedV4, AuthError> read = ReadPresignedV4(request.query);
  if (auto* error = std::get_if<AuthError>(&read)) return std::move(*error);
  const PresignedV4& url = std::get<PresignedV4>(read);
  AuthorizationView authorization;
  if (std::optional<std::string> fault = ReadCredential(url.credential, authorization)) {
    return AuthError{AuthFailure::kMalformedQuery, std::move(*fault)};
  }
  if (authorization.service != "s3") {
    return AuthError{AuthFailure::kMalformedQuery, "X-Amz-Credential must be for the service s3."};
  }
  authorization.signed_headers = url.signed_headers;
  authorization.signature = url.signature;
  const std::optional<Time> signed_at = ParseAmzDate(url.amz_date);
  if (!signed_at) return AuthError{AuthFailure::kMalformedQuery, "X-Amz-Date must be YYYYMMDD'T'HHMMSS'Z'."};
  if (authorization.date != std::string_view(url.amz_date).substr(0, 8)) {
    return AuthError{AuthFailure::kMalformedQuery, "The date in X-Amz-Credential must be that of X-Amz-Date."};
  }
  const KeyLookup found = credentials->Find(authorization.access_key_id, url.token);
  if (found.credential == nullptr) return NoCredential(found.failure, url.token);
  const Time now = clock->Now();
  if (now < *signed_at - kSkewMax) return AuthError{AuthFailure::kExpired, "Request is not valid yet"};
  if (now > *signed_at + std::chrono::seconds(url.seconds)) {
    return AuthError{AuthFailure::kExpired, "Request has expired"};
  }
  // What says which bytes will come may be added to a URL that leaves them open.
  const SigningHeaders headers = FindSigningHeaders(request, authorization.signed_headers, kPayloadHeader);
  const bool hash_signed = ListHas(url.signed_headers, kPayloadHeader);
  return Check(request, found.credential, authorization,
               {.query = url.query,
                .payload_hash = !url.payload_hash.empty() ? url.payload_hash
                                : hash_signed             ? request.Header(kPayloadHeader)
                                                          : kUnsignedPayload,
                .amz_date = url.amz_date,
                .token = url.token,
                .unsigned_header = headers.unsigned_amz},
               AuthFailure::kMalformedQuery);
}

Verdict Verifier::Impl::CheckV2(const http::RequestView& request) const {
  const std::variant<PresignedV2, AuthError> read = ReadPresignedV2(request.query);
  if (const auto* error = std::get_if<AuthError>(&read)) return *error;
  const PresignedV2& url = std::get<PresignedV2>(read);
  const KeyLookup found = credentials->Find(url.access_key_id, url.token);
  if (found.credential == nullptr) return NoCredential(found.failure, url.token);
  if (clock->Now() > Time(std::chrono::seconds(url.expires))) {
    return AuthError{AuthFailure::kExpired, "Request has expired"};
  }
  if (!EqualInConstantTime(url.token, found.credential->session_token)) return BadToken(url.token);
  if (!EqualInConstantTime(SignatureV2(request, url.expires, found.credential->secret_access_key), url.signature)) {
    return BadSignature();
  }
  return Believed(found.credential);
}

Verdict Verifier::Impl::Check(const http::RequestView& request, const std::shared_ptr<const Credential>& credential,
                              const AuthorizationView& authorization, const SignedParts& signed_parts,
                              AuthFailure malformed) {
  if (!ListHas(authorization.signed_headers, "host")) {
    return AuthError{malformed, "'Host' must be a 'SignedHeader' in the AWS Authorization."};
  }
  if (!signed_parts.unsigned_header.empty()) {
    return AuthError{AuthFailure::kBadSignature, "The header '" + ToLower(signed_parts.unsigned_header) +
                                                     "' is present in the request but not among its SignedHeaders."};
  }
  if (!EqualInConstantTime(signed_parts.token, credential->session_token)) {
    return BadToken(signed_parts.token);
  }

  const HmacKey* key = FindKey(credential, authorization.scope);
  HmacKey derived;
  if (key == nullptr) {
    derived =
        SigningKey(credential->secret_access_key, authorization.date, authorization.region, authorization.service);
  }
  const HmacKey& signing = key == nullptr ? derived : *key;
  const CanonicalParts parts{.method = request.method,
                             .service = authorization.service,
                             .path = request.path,
                             .query = signed_parts.query,
                             .headers = request.headers,
                             .signed_headers = authorization.signed_headers,
                             .payload_hash = signed_parts.payload_hash};
  for (const Reading reading : {Reading::kAsSent, Reading::kReencoded}) {
    WriteStringToSign(string_to_sign, signed_parts.amz_date, authorization.scope, canonicalizer.Write(parts, reading));
    if (EqualInConstantTime(AsText(ToHexDigest(signing.Sign(string_to_sign))), authorization.signature)) {
      if (key == nullptr) Keep(credential, authorization.scope, derived);
      return Believed(credential);
    }
  }
  return BadSignature();
}

std::vector<std::pair<std::string, std::string>> Sign(const Credential& credential, std::string_view region,
                                                      std::string_view service, std::string_view method,
                                                      std::string_view path, std::string_view query,
                                                      std::vector<std::pair<std::string, std::string>> headers,
                                                      std::string_view payload_hash, Time now) {
  // What a proxy or the transport may add to or change is left unsigned.
  static constexpr std::string_view kUnsigned[] = {"authorization", "connection", "expect", "transfer-encoding",
                                                   "user-agent"};
  const std::string amz_date = FormatAmzDate(now);
  std::vector<std::pair<std::string, std::string>> added{{"x-amz-date", amz_date}};
  if (!credential.session_token.empty()) added.emplace_back("x-amz-security-token", credential.session_token);
  headers.insert(headers.end(), added.begin(), added.end());

  std::vector<http::HeaderView> views;
  std::vector<std::string> names;
  for (const auto& [name, value] : headers) {
    const std::string lower = ToLower(name);
    if (std::find(std::begin(kUnsigned), std::end(kUnsigned), lower) != std::end(kUnsigned)) continue;
    views.push_back({name, value});
    names.push_back(lower);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::string signed_headers;
  for (const std::string& name : names) {
    if (!signed_headers.empty()) signed_headers.push_back(';');
    signed_headers.append(name);
  }

  const std::string_view date = std::string_view(amz_date).substr(0, 8);
  std::string scope(date);
  scope.append("/").append(region).append("/").append(service).append("/").append(kTerminator);
  Canonicalizer canonicalizer;
  std::string text;
  WriteStringToSign(text, amz_date, scope,
                    canonicalizer.Write({.method = method,
                                         .service = service,
                                         .path = path,
                                         .query = query,
                                         .headers = views,
                                         .signed_headers = signed_headers,
                                         .payload_hash = payload_hash},
                                        Reading::kAsSent));
  const Sha256Digest signature = SigningKey(credential.secret_access_key, date, region, service).Sign(text);
  std::string authorization(kAlgorithm);
  authorization.append(" Credential=").append(credential.access_key_id).append("/").append(scope);
  authorization.append(", SignedHeaders=").append(signed_headers);
  authorization.append(", Signature=").append(AsText(ToHexDigest(signature)));
  added.emplace_back("authorization", std::move(authorization));
  return added;
}

}  // namespace argosy::auth
