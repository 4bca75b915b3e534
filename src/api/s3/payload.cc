#include "api/s3/payload.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"

namespace argosy::api::s3 {
namespace {

using objectstore::ChecksumAlgorithm;

constexpr std::string_view kChecksumPrefix = "x-amz-checksum-";
constexpr size_t kMetadataBytesMax = 2048;  // names and values together, as S3

// Headers of that prefix which are no checksum.
constexpr std::array<std::string_view, 3> kNoChecksums = {"algorithm", "type", "mode"};

size_t EncodedSize(ChecksumAlgorithm algorithm) {
  return ToBase64(objectstore::NewChecksumHasher(algorithm)->Finish()).size();
}

// "Content-Encoding: gzip,aws-chunked" describes the transfer in its last token; the rest is the object's own.
std::string WithoutAwsChunked(std::string_view value) {
  std::string out;
  while (!value.empty()) {
    const size_t comma = std::min(value.find(','), value.size());
    const std::string_view token = Trim(value.substr(0, comma));
    value.remove_prefix(std::min(comma + 1, value.size()));
    if (token.empty() || EqualsIgnoreCase(token, "aws-chunked")) continue;
    if (!out.empty()) out += ",";
    out += token;
  }
  return out;
}

}  // namespace

std::string ChecksumHeader(ChecksumAlgorithm algorithm) {
  return std::string(kChecksumPrefix) + ToLower(objectstore::ChecksumName(algorithm));
}

std::variant<Expectation, S3Error> ReadExpectation(const Request& request) {
  Expectation out;
  const std::string_view hash = request.Header("x-amz-content-sha256");
  if (hash == "STREAMING-UNSIGNED-PAYLOAD-TRAILER") {
    out.framing = Framing::kAwsChunked;
  } else if (hash == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" || hash == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER") {
    out.framing = Framing::kAwsChunked;
    out.signed_chunks = true;
    out.signed_trailers = hash.ends_with("-TRAILER");
  } else if (hash.starts_with("STREAMING-")) {
    return NotImplemented("x-amz-content-sha256: " + std::string(hash));
  } else if (!hash.empty() && hash != "UNSIGNED-PAYLOAD") {
    const std::optional<std::string> raw = FromHex(hash);
    if (!raw || raw->size() != 32) {
      return InvalidArgument(
          "x-amz-content-sha256", hash,
          "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
          "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.");
    }
    out.sha256_hex = ToLower(hash);
  }
  if (request.HasHeader("content-md5")) {
    std::optional<std::string> md5 = FromBase64(request.Header("content-md5"));
    if (!md5 || md5->size() != 16) return S3Error{400, "InvalidDigest", "The Content-MD5 you specified was invalid."};
    out.md5 = std::move(*md5);
  }
  for (const auto& [name, value] : request.HeadersFrom(kChecksumPrefix)) {
    if (std::ranges::find(kNoChecksums, name) != kNoChecksums.end()) continue;
    const std::optional<ChecksumAlgorithm> algorithm = objectstore::ParseChecksumName(name);
    if (!algorithm) return NotImplemented("the header x-amz-checksum-" + name);
    if (out.algorithm) {
      return InvalidRequest("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.");
    }
    if (!FromBase64(value) || value.size() != EncodedSize(*algorithm)) {
      return InvalidRequest("Value for x-amz-checksum-" + name + " header is invalid.");
    }
    out.algorithm = algorithm;
    out.checksum = value;
  }
  const std::string_view trailer = request.Header("x-amz-trailer");
  if (!trailer.empty()) {
    const std::string name = ToLower(Trim(trailer));
    if (!name.starts_with(kChecksumPrefix) || out.framing != Framing::kAwsChunked) {
      return NotImplemented("x-amz-trailer: " + std::string(trailer));
    }
    const std::optional<ChecksumAlgorithm> algorithm =
        objectstore::ParseChecksumName(std::string_view(name).substr(kChecksumPrefix.size()));
    if (!algorithm) return NotImplemented("x-amz-trailer: " + std::string(trailer));
    if (out.algorithm) {
      return InvalidRequest("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.");
    }
    out.algorithm = algorithm;
    out.checksum_in_trailer = true;
  }
  const std::string_view named = request.Header("x-amz-sdk-checksum-algorithm");
  if (!named.empty() && !objectstore::ParseChecksumName(named)) {
    return NotImplemented("x-amz-sdk-checksum-algorithm: " + std::string(named));
  }
  if (!named.empty() && objectstore::ParseChecksumName(named) != out.algorithm) {
    return InvalidRequest(
        "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were "
        "found.");
  }
  if (request.HasHeader("x-amz-decoded-content-length")) {
    const std::optional<int64_t> length = ParseInt(request.Header("x-amz-decoded-content-length"));
    if (!length || *length < 0) {
      return InvalidArgument("x-amz-decoded-content-length", request.Header("x-amz-decoded-content-length"),
                             "The value must be a whole number.");
    }
    if (out.framing == Framing::kAwsChunked) out.decoded_length = static_cast<uint64_t>(*length);
  }
  return out;
}

std::variant<std::optional<ChecksumAlgorithm>, S3Error> ReadChecksumAlgorithm(const Request& request) {
  const std::string_view name = request.Header("x-amz-checksum-algorithm");
  if (name.empty()) return std::nullopt;
  const std::optional<ChecksumAlgorithm> algorithm = objectstore::ParseChecksumName(name);
  if (!algorithm) return NotImplemented("x-amz-checksum-algorithm: " + std::string(name));
  return algorithm;
}

std::variant<objectstore::Attributes, S3Error> ReadAttributes(const Request& request) {
  constexpr std::string_view kKept[] = {"cache-control", "content-disposition", "content-language", "expires"};
  objectstore::Attributes out;
  out.content_type = std::string(request.Header("content-type"));
  for (const std::string_view name : kKept) {
    if (request.HasHeader(name)) out.headers[std::string(name)] = std::string(request.Header(name));
  }
  std::string encoding = WithoutAwsChunked(request.Header("content-encoding"));
  if (!encoding.empty()) out.headers["content-encoding"] = std::move(encoding);
  out.metadata = request.HeadersFrom("x-amz-meta-");
  size_t bytes = 0;
  for (const auto& [name, value] : out.metadata) bytes += name.size() + value.size();
  if (bytes > kMetadataBytesMax) {
    return S3Error{400,
                   "MetadataTooLarge",
                   "Your metadata headers exceed the maximum allowed metadata size",
                   {{"Size", std::to_string(bytes)}, {"MaxSizeAllowed", std::to_string(kMetadataBytesMax)}}};
  }
  auto check = [](const std::string& name, const std::string& value) {
    return IsValidUtf8(name) && IsValidUtf8(value);
  };
  bool valid = IsValidUtf8(out.content_type);
  for (const auto& [name, value] : out.headers) valid = valid && check(name, value);
  for (const auto& [name, value] : out.metadata) valid = valid && check(name, value);
  if (!valid) return InvalidRequest("The headers kept with an object must be UTF-8.");
  return out;
}

PayloadHasher::PayloadHasher(const Expectation& expectation) {
  if (expectation.sha256_hex) sha256_ = objectstore::NewChecksumHasher(ChecksumAlgorithm::kSha256);
  if (expectation.algorithm) checksum_ = objectstore::NewChecksumHasher(*expectation.algorithm);
}

void PayloadHasher::Update(std::string_view piece) {
  if (sha256_) sha256_->Update(piece);
  if (checksum_) checksum_->Update(piece);
}

PayloadHasher::Digests PayloadHasher::Finish() {
  Digests out;
  if (sha256_) out.sha256_hex = ToHex(sha256_->Finish());
  if (checksum_) out.checksum = ToBase64(checksum_->Finish());
  return out;
}

std::optional<S3Error> Compare(const Expectation& expectation, const PayloadHasher::Digests& digests,
                               std::string_view md5) {
  if (expectation.sha256_hex && *expectation.sha256_hex != digests.sha256_hex) {
    return S3Error{
        400,
        "XAmzContentSHA256Mismatch",
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
        {{"ClientComputedContentSHA256", *expectation.sha256_hex}, {"S3ComputedContentSHA256", digests.sha256_hex}}};
  }
  if (expectation.md5 && *expectation.md5 != md5) {
    S3Error error = BadDigest("Content-MD5");
    error.details = {{"ExpectedDigest", ToBase64(*expectation.md5)}, {"CalculatedDigest", ToBase64(md5)}};
    return error;
  }
  if (!expectation.checksum.empty() && expectation.checksum != digests.checksum) {
    return BadDigest(objectstore::ChecksumName(*expectation.algorithm));
  }
  return std::nullopt;
}

std::optional<S3Error> CheckDocument(const Request& request) {
  std::variant<Expectation, S3Error> expectation = ReadExpectation(request);
  if (auto* error = std::get_if<S3Error>(&expectation)) return std::move(*error);
  const auto& expected = std::get<Expectation>(expectation);
  if (expected.framing == Framing::kAwsChunked) return NotImplemented("an aws-chunked body of this operation");
  PayloadHasher hasher(expected);
  hasher.Update(request.body);
  objectstore::Md5Hasher md5;
  md5.Update(request.body);
  return Compare(expected, hasher.Finish(), md5.Digest());
}

}  // namespace argosy::api::s3
