// The body framing of `x-amz-content-sha256: STREAMING-…`: chunks with their length in hex before them, and perhaps
// their signature (`;chunk-signature=<hex>`); a chunk of length 0; then trailing headers, and perhaps
// x-amz-trailer-signature. Source: Amazon S3 User Guide, "Checking object integrity"; signatures as in
// auth/chunk_signatures.h.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "auth/chunk_signatures.h"
#include "base/result.h"

namespace argosy::api::s3 {

// Fed with pieces cut anywhere. Holds no more than one line.
class AwsChunkedDecoder {
 public:
  // Without `signatures` those of chunks are not looked at. `signed_trailers`: there are trailers and their signature;
  // else signed chunks have none.
  explicit AwsChunkedDecoder(std::unique_ptr<auth::ChunkSignatures> signatures = nullptr, bool signed_trailers = false)
      : signatures_(std::move(signatures)), signed_trailers_(signed_trailers) {}

  // Gives the data of `piece` to `take`, whose error it passes on; kInvalidArgument when the framing is broken,
  // kPermissionDenied when a signature is wrong. Data is given before its chunk's signature is known to be right.
  Status Feed(std::string_view piece, const std::function<Status(std::string_view data)>& take);
  bool finished() const { return state_ == State::kDone; }
  const std::map<std::string, std::string>& trailers() const { return trailers_; }  // lower-case names

 private:
  enum class State { kSize, kData, kDataEnd, kTrailer, kDone };
  Status TakeLine();
  Status TakeTrailer(std::string_view line);
  Status EndChunk();
  Status EndBody();

  const std::unique_ptr<auth::ChunkSignatures> signatures_;
  const bool signed_trailers_;
  std::string signature_;     // of the chunk
  std::string trailer_text_;  // as signed
  State state_ = State::kSize;
  std::string line_;
  uint64_t left_ = 0;  // of the chunk
  std::map<std::string, std::string> trailers_;
};

}  // namespace argosy::api::s3
