#define OPENSSL_SUPPRESS_DEPRECATED  // SHA256_CTX: see the header
#include "auth/hmac.h"

#include <openssl/sha.h>

#include <cstring>

namespace argosy::auth {
namespace {

constexpr size_t kBlock = 64;

std::array<uint32_t, 8> StateAfter(std::string_view key, unsigned char pad) {
  unsigned char block[kBlock];
  std::memset(block, pad, kBlock);
  for (size_t i = 0; i < key.size(); ++i) block[i] ^= static_cast<unsigned char>(key[i]);
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, block, kBlock);
  std::array<uint32_t, 8> state;
  std::memcpy(state.data(), context.h, sizeof context.h);
  return state;
}

Sha256Digest FinishFrom(const std::array<uint32_t, 8>& state, const void* bytes, size_t size) {
  SHA256_CTX context;
  std::memcpy(context.h, state.data(), sizeof context.h);
  context.Nl = kBlock * 8;  // bits hashed so far
  context.Nh = 0;
  context.num = 0;
  context.md_len = SHA256_DIGEST_LENGTH;
  SHA256_Update(&context, bytes, size);
  Sha256Digest digest;
  SHA256_Final(digest.data(), &context);
  return digest;
}

}  // namespace

Sha256Digest FastSha256(std::string_view bytes) {
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, bytes.data(), bytes.size());
  Sha256Digest digest;
  SHA256_Final(digest.data(), &context);
  return digest;
}

HexDigest ToHexDigest(const Sha256Digest& digest) {
  static constexpr std::array<std::array<char, 2>, 256> kPairs = [] {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::array<std::array<char, 2>, 256> pairs{};
    for (size_t i = 0; i < pairs.size(); ++i) pairs[i] = {kDigits[i >> 4], kDigits[i & 15]};
    return pairs;
  }();
  HexDigest hex;
  for (size_t i = 0; i < digest.size(); ++i) std::memcpy(&hex[2 * i], kPairs[digest[i]].data(), 2);
  return hex;
}

HmacKey::HmacKey(std::string_view key) {
  Sha256Digest shortened;
  if (key.size() > kBlock) {
    shortened = FastSha256(key);
    key = AsBytes(shortened);
  }
  inner_ = StateAfter(key, 0x36);
  outer_ = StateAfter(key, 0x5c);
}

Sha256Digest HmacKey::Sign(std::string_view message) const {
  const Sha256Digest inner = FinishFrom(inner_, message.data(), message.size());
  return FinishFrom(outer_, inner.data(), inner.size());
}

}  // namespace argosy::auth
