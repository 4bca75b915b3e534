// Signatures of the chunks of an aws-chunked body: each stands for its chunk and for the signature before it, the first
// for the request's.
//
// Source: Amazon S3 API Reference, "Signature Calculations for the Authorization Header: Transferring Payload in
// Multiple Chunks", and the same with trailing headers.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "auth/hmac.h"

namespace argosy::auth {

// Belongs to one body; not thread-safe.
class ChunkSignatures {
 public:
  // `key`: the request's signing key; `seed`: its signature.
  ChunkSignatures(const HmacKey& key, std::string_view amz_date, std::string_view scope, std::string_view seed);
  ~ChunkSignatures();
  ChunkSignatures(const ChunkSignatures&) = delete;
  ChunkSignatures& operator=(const ChunkSignatures&) = delete;

  // Data of the chunk at hand.
  void Update(std::string_view data);
  // Ends the chunk: whether this is its signature.
  bool EndChunk(std::string_view signature);
  // `trailers`: "name:value\n" for each, as sent but for blanks. After the last chunk.
  bool EndTrailers(std::string_view trailers, std::string_view signature);

 private:
  bool Is(std::string_view text, std::string_view signature);

  struct Hash;
  const HmacKey key_;
  const std::string date_and_scope_;  // "date\nscope\n"
  std::string previous_;
  std::unique_ptr<Hash> hash_;
};

}  // namespace argosy::auth
