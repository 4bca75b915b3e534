// The body framing of `x-amz-content-sha256: STREAMING-…`: chunks with their length in hex before them, and perhaps
// their signature (`;chunk-signature=<hex>`); a chunk of length 0; then trailing headers, and perhaps
// x-amz-trailer-signature. Source: Amazon S3 User Guide, "Checking object integrity"; signatures as in
// auth/chunk_signatures.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "auth/chunk_signatures.h"
#include "base/result.h"

namespace argosy::api::s3 {

// Fed with pieces cut anywhere. Holds no more than one line and one trailer.
class AwsChunkedDecoder {
 public:
  // Without `signatures` those of chunks are not looked at. `signed_trailers`: the trailers have a signature of their
  // own. `announced`: the lower-case name of the one trailer that may come, once; empty: none.
  explicit AwsChunkedDecoder(std::unique_ptr<auth::ChunkSignatures> signatures = nullptr, bool signed_trailers = false,
                             std::string announced = {})
      : signatures_(std::move(signatures)), signed_trailers_(signed_trailers), announced_(std::move(announced)) {}

  // Gives the data of `piece` to `take`, whose error it passes on; kInvalidArgument when the framing is broken,
  // kPermissionDenied when a signature is wrong. Data is given before its chunk's signature is known to be right.
  Status Feed(std::string_view piece, const std::function<Status(std::string_view data)>& take);
  bool finished() const { return state_ == State::kDone; }
  const std::optional<std::string>& trailer() const { return trailer_; }  // the announced one's value

 private:
  enum class State { kSize, kData, kDataEnd, kTrailer, kDone };
  Status TakeLine();
  Status TakeTrailer(std::string_view line);
  Status EndChunk();
  Status EndBody();

  const std::unique_ptr<auth::ChunkSignatures> signatures_;
  const bool signed_trailers_;
  const std::string announced_;
  std::string signature_;  // of the chunk
  State state_ = State::kSize;
  std::string line_;
  uint64_t left_ = 0;  // of the chunk
  std::optional<std::string> trailer_;
  std::optional<std::string> trailer_signature_;
};

}  // namespace argosy::api::s3
