#include "api/s3/aws_chunked.h"

#include <algorithm>
#include <charconv>

#include "base/bytes.h"

namespace argosy::api::s3 {
namespace {

constexpr size_t kLineBytesMax = 4096;  // a chunk's head or one trailer; real ones have about a hundred bytes
constexpr std::string_view kSignatureParameter = ";chunk-signature=";
constexpr std::string_view kTrailerSignature = "x-amz-trailer-signature";
constexpr uint64_t kChunkBytesMax = uint64_t{5} << 30;  // the largest body S3 takes in one request

Error Broken(std::string_view why) {
  return Error(ErrorCode::kInvalidArgument, "the aws-chunked body is broken: " + std::string(why));
}

}  // namespace

Status AwsChunkedDecoder::TakeLine() {
  if (!line_.empty() && line_.back() == '\r') line_.pop_back();
  const std::string line = std::exchange(line_, {});
  switch (state_) {
    case State::kSize: {
      const std::string_view digits = std::string_view(line).substr(0, line.find(';'));
      uint64_t size = 0;
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), size, 16);
      if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() || size > kChunkBytesMax) {
        return Broken("a chunk's length is not one");
      }
      const size_t signature = line.find(kSignatureParameter);
      signature_ = signature == std::string::npos ? "" : line.substr(signature + kSignatureParameter.size());
      left_ = size;
      state_ = size == 0 ? State::kTrailer : State::kData;
      return size == 0 ? EndChunk() : Status();
    }
    case State::kDataEnd:
      if (!line.empty()) return Broken("a chunk is longer than it says");
      state_ = State::kSize;
      return EndChunk();
    case State::kTrailer:
      if (!line.empty()) return TakeTrailer(line);
      state_ = State::kDone;
      return EndBody();
    case State::kData:
    case State::kDone:
      break;
  }
  return Broken("bytes after its end");
}

Status AwsChunkedDecoder::TakeTrailer(std::string_view line) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return Broken("a trailer is not one");
  const std::string name = ToLower(Trim(line.substr(0, colon)));
  const bool of_signature = signed_trailers_ && name == kTrailerSignature;
  if (!of_signature && (announced_.empty() || name != announced_)) {
    return Broken("it has a trailer that was not announced in x-amz-trailer");
  }
  std::optional<std::string>& held = of_signature ? trailer_signature_ : trailer_;
  if (held) return Broken("the trailer '" + name + "' comes twice");
  held = std::string(Trim(line.substr(colon + 1)));
  return {};
}

Status AwsChunkedDecoder::EndChunk() {
  if (signatures_ == nullptr || signatures_->EndChunk(signature_)) return {};
  return Error(ErrorCode::kPermissionDenied, "the signature of a chunk is missing or wrong");
}

Status AwsChunkedDecoder::EndBody() {
  if (signatures_ == nullptr || !signed_trailers_) return {};
  const std::string text = trailer_ ? announced_ + ":" + *trailer_ + "\n" : std::string();
  if (signatures_->EndTrailers(text, trailer_signature_.value_or(""))) return {};
  return Error(ErrorCode::kPermissionDenied, "the signature of the trailers is missing or wrong");
}

Status AwsChunkedDecoder::Feed(std::string_view piece, const std::function<Status(std::string_view data)>& take) {
  while (!piece.empty()) {
    if (state_ == State::kDone) return Broken("bytes after its end");
    if (state_ == State::kData) {
      const size_t n = static_cast<size_t>(std::min<uint64_t>(left_, piece.size()));
      if (signatures_ != nullptr) signatures_->Update(piece.substr(0, n));
      const Status taken = take(piece.substr(0, n));
      if (!taken.ok()) return taken;
      piece.remove_prefix(n);
      left_ -= n;
      if (left_ == 0) state_ = State::kDataEnd;
      continue;
    }
    const size_t newline = piece.find('\n');
    const std::string_view part = piece.substr(0, newline);
    if (line_.size() + part.size() > kLineBytesMax) return Broken("a line is too long");
    line_ += part;
    if (newline == std::string_view::npos) return {};
    piece.remove_prefix(newline + 1);
    const Status taken = TakeLine();
    if (!taken.ok()) return taken;
  }
  return {};
}

}  // namespace argosy::api::s3
