// The body framing of `x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER`: chunks with their length in hex
// before them, a chunk of length 0, then trailing headers. Source: Amazon S3 User Guide, "Checking object integrity",
// unsigned chunked uploads with trailing checksums.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace argosy::api::s3 {

// Fed with pieces cut anywhere. Holds no more than one line.
class AwsChunkedDecoder {
 public:
  // Gives the data of `piece` to `take`, whose error it passes on; kInvalidArgument when the framing is broken.
  Status Feed(std::string_view piece, const std::function<Status(std::string_view data)>& take);
  bool finished() const { return state_ == State::kDone; }
  const std::map<std::string, std::string>& trailers() const { return trailers_; }  // lower-case names

 private:
  enum class State { kSize, kData, kDataEnd, kTrailer, kDone };
  Status TakeLine();

  State state_ = State::kSize;
  std::string line_;
  uint64_t left_ = 0;  // of the chunk
  std::map<std::string, std::string> trailers_;
};

}  // namespace argosy::api::s3
