#include "auth/chunk_signatures.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

namespace argosy::auth {

struct ChunkSignatures::Hash {
  Hash() { Restart(); }
  ~Hash() { EVP_MD_CTX_free(context); }
  Hash(const Hash&) = delete;
  Hash& operator=(const Hash&) = delete;
  void Restart() { EVP_DigestInit_ex(context, EVP_sha256(), nullptr); }

  EVP_MD_CTX* const context = EVP_MD_CTX_new();
};

ChunkSignatures::ChunkSignatures(const HmacKey& key, std::string_view amz_date, std::string_view scope,
                                 std::string_view seed)
    : key_(key),
      date_and_scope_(std::string(amz_date) + "\n" + std::string(scope) + "\n"),
      previous_(seed),
      hash_(std::make_unique<Hash>()) {}

ChunkSignatures::~ChunkSignatures() = default;

void ChunkSignatures::Update(std::string_view data) {
  EVP_DigestUpdate(hash_->context, data.data(), data.size());
}

bool ChunkSignatures::EndChunk(std::string_view signature) {
  Sha256Digest digest;
  EVP_DigestFinal_ex(hash_->context, digest.data(), nullptr);
  hash_->Restart();
  std::string text = "AWS4-HMAC-SHA256-PAYLOAD\n" + date_and_scope_ + previous_ + "\n";
  text.append(AsText(ToHexDigest(FastSha256("")))).append("\n").append(AsText(ToHexDigest(digest)));
  return Is(text, signature);
}

bool ChunkSignatures::EndTrailers(std::string_view trailers, std::string_view signature) {
  std::string text = "AWS4-HMAC-SHA256-TRAILER\n" + date_and_scope_ + previous_ + "\n";
  text.append(AsText(ToHexDigest(FastSha256(trailers))));
  return Is(text, signature);
}

bool ChunkSignatures::Is(std::string_view text, std::string_view signature) {
  const HexDigest expected = ToHexDigest(key_.Sign(text));
  previous_ = AsText(expected);
  return signature.size() == expected.size() && CRYPTO_memcmp(signature.data(), expected.data(), expected.size()) == 0;
}

}  // namespace argosy::auth
