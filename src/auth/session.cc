#include "auth/session.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <optional>

#include "auth/secret_file.h"
#include "base/bytes.h"

namespace argosy::auth {
namespace {

constexpr std::string_view kVersion = "1";
constexpr size_t kSecretBytes = 32;
constexpr int64_t kSessionMillisMax = 9'000'000'000'000;  // the year 2255: a Time holds no more
constexpr size_t kIdTail = 16;                            // after ASIA
constexpr size_t kSecretTextSize = 40;                    // as AWS's

bool IsPlainId(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

std::string WriteClaims(const SessionClaims& claims) {
  return std::string(kVersion) + "\n" + claims.instance_id + "\n" + claims.owner_uid + "\n" +
         std::to_string(ToUnixMillis(claims.expires));
}

std::optional<SessionClaims> ReadClaims(std::string_view text) {
  std::array<std::string_view, 4> lines;
  for (std::string_view& line : lines) {
    const size_t end = std::min(text.find('\n'), text.size());
    line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  const std::optional<int64_t> millis = ParseInt(lines[3]);
  if (!text.empty() || lines[0] != kVersion || !IsPlainId(lines[1]) || !IsPlainId(lines[2]) || !millis || *millis < 0 ||
      *millis > kSessionMillisMax) {
    return std::nullopt;
  }
  return SessionClaims{std::string(lines[1]), std::string(lines[2]), FromUnixMillis(*millis)};
}

}  // namespace

SessionKey::SessionKey(std::string_view secret) : key_(secret) {}

Credential SessionKey::Issue(const SessionClaims& claims) const {
  Check(IsPlainId(claims.instance_id) && IsPlainId(claims.owner_uid), "a session's ids are plain");
  const std::string text = WriteClaims(claims);
  // Each use of the key says which it is, so that no value can stand for another.
  const Sha256Digest id = key_.Sign("id\n" + text);
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  Credential credential;
  credential.access_key_id = "ASIA";
  for (size_t i = 0; i < kIdTail; ++i) credential.access_key_id.push_back(kAlphabet[id[i] % kAlphabet.size()]);
  credential.secret_access_key = ToBase64(AsBytes(key_.Sign("secret\n" + text))).substr(0, kSecretTextSize);
  credential.session_token = TokenOf(text);
  return credential;
}

std::variant<SessionClaims, AuthFailure> SessionKey::Read(std::string_view token, Time now) const {
  if (token.size() > kTokenBytesMax) return AuthFailure::kBadToken;
  const std::optional<std::string> text = FromBase64(token.substr(0, token.find('.')));
  if (!text) return AuthFailure::kBadToken;
  // The very text that would have been issued: base64 has more than one way to write the same bytes.
  const std::string right = TokenOf(*text);
  if (token.size() != right.size() || CRYPTO_memcmp(token.data(), right.data(), right.size()) != 0) {
    return AuthFailure::kBadToken;
  }
  std::optional<SessionClaims> claims = ReadClaims(*text);
  if (!claims) return AuthFailure::kBadToken;
  if (claims->expires <= now) return AuthFailure::kExpiredToken;
  return std::move(*claims);
}

std::string SessionKey::TokenOf(std::string_view claims) const {
  const std::string text(claims);
  return ToBase64(text) + "." + ToBase64(AsBytes(key_.Sign("token\n" + text)));
}

Result<SessionKey> LoadOrCreateSessionKey(const std::filesystem::path& file, Random& random) {
  Result<std::string> text = ReadOrCreateSecretFile(file, "the key of sessions", [&random] {
    std::string bytes;
    while (bytes.size() < kSecretBytes) bytes.push_back(static_cast<char>(random.Below(256)));
    return ToHex(bytes) + "\n";
  });
  if (!text.ok()) return text.error();
  const std::optional<std::string> secret = FromHex(Trim(*text));
  if (!secret || secret->size() < kSecretBytes) {
    return Error(ErrorCode::kInvalidArgument, "the key of sessions " + file.string() + " must be at least " +
                                                  std::to_string(kSecretBytes) +
                                                  " bytes in hex; remove the file, and another is made");
  }
  return SessionKey(*secret);
}

}  // namespace argosy::auth
