#include "objectstore/outside/object_transfer.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/bytes.h"
#include "http/http_date.h"
#include "objectstore/checksum.h"
#include "objectstore/outside/s3_xml.h"

namespace argosy::objectstore {
namespace {

constexpr size_t kHashPiece = 1 << 20;
constexpr std::array<std::string_view, 5> kKeptHeaders = {"cache-control", "content-disposition", "content-encoding",
                                                          "content-language", "expires"};
constexpr std::string_view kMetadataPrefix = "x-amz-meta-";
constexpr std::array<ChecksumAlgorithm, 5> kAlgorithms = {ChecksumAlgorithm::kCrc32, ChecksumAlgorithm::kCrc32c,
                                                          ChecksumAlgorithm::kCrc64Nvme, ChecksumAlgorithm::kSha1,
                                                          ChecksumAlgorithm::kSha256};

// Where the outside keeps ETags that are no MD5 (encrypted with a key of its owner's) there is nothing to compare.
Status CompareEtag(const http::ClientResponse& response, std::string_view md5) {
  const std::string etag = Unquoted(response.Header("etag"));
  if (etag.empty()) return Error(ErrorCode::kCorrupt, "the outside object store's answer to a PUT has no ETag");
  if (response.Header("x-amz-server-side-encryption").starts_with("aws:kms") || !IsMd5Etag(etag)) return {};
  if (ToLower(etag) == ToHex(md5)) return {};
  return Error(ErrorCode::kCorrupt,
               "the outside object store has the ETag " + etag + " for bytes with the MD5 " + ToHex(md5));
}

void AddPrecondition(Headers& headers, const Precondition& precondition) {
  if (precondition.must_not_exist) headers.emplace_back("if-none-match", "*");
  if (!precondition.etag.empty()) headers.emplace_back("if-match", "\"" + precondition.etag + "\"");
}

}  // namespace

std::string ChecksumHeaderName(ChecksumAlgorithm algorithm) {
  return "x-amz-checksum-" + ToLower(ChecksumName(algorithm));
}

Headers HeadersOf(const Attributes& attributes) {
  Headers out;
  if (!attributes.content_type.empty()) out.emplace_back("content-type", attributes.content_type);
  for (const auto& header : attributes.headers) out.push_back(header);
  for (const auto& [name, value] : attributes.metadata) out.emplace_back(std::string(kMetadataPrefix) + name, value);
  return out;
}

bool IsMd5Etag(std::string_view etag) {
  return etag.size() == 32 && FromHex(etag).has_value();
}

std::string TaggingHeader(const Tags& tags) {
  std::string out;
  for (const auto& [name, value] : tags) {
    if (!out.empty()) out += '&';
    out.append(PercentEncode(name)).append("=").append(PercentEncode(value));
  }
  return out;
}

uint64_t PartBytesFor(uint64_t size) {
  return std::max(kPartBytes, (size + kPartNumberMax - 1) / kPartNumberMax);
}

std::string EtagOfParts(const std::vector<PartInfo>& parts) {
  Md5Hasher over;
  for (const PartInfo& part : parts) {
    const std::optional<std::string> md5 = FromHex(part.etag);
    if (!md5 || md5->size() != 16) return "";
    over.Update(*md5);
  }
  return ToHex(over.Digest()) + "-" + std::to_string(parts.size());
}

Result<std::string> EtagOfFile(int fd, uint64_t size) {
  const uint64_t part_bytes = size > kOnePutBytesMax ? PartBytesFor(size) : size;
  std::vector<PartInfo> parts;
  for (uint64_t offset = 0; offset < size || parts.empty(); offset += part_bytes) {
    const Result<PieceDigests> digests = HashPiece(fd, offset, std::min(part_bytes, size - offset), {});
    if (!digests.ok()) return digests.error();
    if (size <= kOnePutBytesMax) return ToHex(digests->md5);
    parts.push_back({.number = static_cast<int>(parts.size()) + 1, .etag = ToHex(digests->md5)});
  }
  return EtagOfParts(parts);
}

Result<PieceDigests> HashPiece(int fd, uint64_t offset, uint64_t length, std::optional<ChecksumAlgorithm> algorithm) {
  Md5Hasher md5;
  const std::unique_ptr<ChecksumHasher> checksum = algorithm ? NewChecksumHasher(*algorithm) : nullptr;
  std::string buffer(static_cast<size_t>(std::min<uint64_t>(length, kHashPiece)), '\0');
  for (uint64_t done = 0; done < length;) {
    const auto want = static_cast<size_t>(std::min<uint64_t>(buffer.size(), length - done));
    const ssize_t n = pread(fd, buffer.data(), want, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return ErrnoError("reading the file to be sent", n < 0 ? errno : EIO);
    const std::string_view piece(buffer.data(), static_cast<size_t>(n));
    md5.Update(piece);
    if (checksum) checksum->Update(piece);
    done += piece.size();
  }
  return PieceDigests{md5.Digest(), checksum ? ToBase64(checksum->Finish()) : ""};
}

Result<ObjectInfo> PutWhole(S3Client& client, const Outgoing& object) {
  if (object.size > kPutBytesMaxOutside) {
    return Invalid("the object goes to the outside object store in one PUT, which takes at most 5 GiB");
  }
  S3Request request;
  request.method = "PUT";
  request.key = object.key;
  request.headers = HeadersOf(object.attributes);
  if (!object.tags.empty()) request.headers.emplace_back("x-amz-tagging", TaggingHeader(object.tags));
  request.headers.emplace_back("content-md5", ToBase64(object.md5));
  if (object.checksum) {
    request.headers.emplace_back(ChecksumHeaderName(object.checksum->algorithm), object.checksum->value);
  }
  AddPrecondition(request.headers, object.precondition);
  request.body = http::BodyFile{.path = object.file, .offset = 0, .length = object.size};
  request.check = [&](const http::ClientResponse& response) { return CompareEtag(response, object.md5); };
  const bool conditional = object.precondition.must_not_exist || !object.precondition.etag.empty();
  if (conditional) request.repeat = Repeat::kKnowingly;
  int attempts = 0;
  request.on_attempt = [&] { ++attempts; };
  const Result<http::ClientResponse> answer = client.Send(request);
  ObjectInfo info;
  if (answer.ok()) {
    info.etag = Unquoted(answer->Header("etag"));
  } else {
    // What forbids the write now may be this very write, whose first answer was lost.
    if (answer.error().code() != ErrorCode::kConflict || attempts == 1) return answer.error();
    const Result<ObjectInfo> there = HeadObject(client, object.key);
    if (!there.ok() || there->etag != ToHex(object.md5)) return answer.error();
    info.etag = there->etag;
  }
  info.key = object.key;
  info.size = object.size;
  info.attributes = object.attributes;
  info.checksum = object.checksum;
  info.tags = object.tags;
  return info;
}

Result<PartInfo> PutPart(S3Client& client, const std::string& key, const std::string& upload_id, PartInfo part,
                         http::BodyFile body, std::string md5) {
  S3Request request;
  request.method = "PUT";
  request.key = key;
  request.query = {{"partNumber", std::to_string(part.number)}, {"uploadId", upload_id}};
  request.headers = {{"content-md5", ToBase64(md5)}};
  if (part.checksum) {
    request.headers.emplace_back(ChecksumHeaderName(part.checksum->algorithm), part.checksum->value);
  }
  body.length = part.size;
  request.body = std::move(body);
  request.check = [&](const http::ClientResponse& response) { return CompareEtag(response, md5); };
  const Result<http::ClientResponse> answer = client.Send(request);
  if (!answer.ok()) return answer.error();
  part.etag = Unquoted(answer->Header("etag"));
  return part;
}

Result<std::string> CreateUploadOutside(S3Client& client, const std::string& key, const UploadOptions& options) {
  S3Request request;
  request.method = "POST";
  request.key = key;
  request.query = {{"uploads", ""}};
  request.headers = HeadersOf(options.attributes);
  request.repeat = Repeat::kOnlyWhenNotTaken;
  if (!options.tags.empty()) request.headers.emplace_back("x-amz-tagging", TaggingHeader(options.tags));
  if (options.checksum_algorithm) {
    request.headers.emplace_back("x-amz-checksum-algorithm", ChecksumName(*options.checksum_algorithm));
    request.headers.emplace_back("x-amz-checksum-type", ChecksumTypeName(options.checksum_type));
  }
  const Result<http::ClientResponse> answer = client.Send(request);
  if (!answer.ok()) return answer.error();
  return ParseField(answer->body, "InitiateMultipartUploadResult", "UploadId");
}

Result<ObjectInfo> CompleteUploadOutside(S3Client& client, const std::string& key, const std::string& upload_id,
                                         const std::vector<PartInfo>& parts, const Precondition& precondition,
                                         const std::optional<Checksum>& whole) {
  S3Request request;
  request.method = "POST";
  request.key = key;
  request.query = {{"uploadId", upload_id}};
  request.body = CompleteDocument(parts);
  if (whole) {
    request.headers = {{ChecksumHeaderName(whole->algorithm), whole->value},
                       {"x-amz-checksum-type", std::string(ChecksumTypeName(whole->type))}};
  }
  request.headers.emplace_back("content-type", "application/xml");
  AddPrecondition(request.headers, precondition);
  const std::string expected = EtagOfParts(parts);
  request.repeat = Repeat::kKnowingly;
  int attempts = 0;
  request.on_attempt = [&] { ++attempts; };
  const Result<http::ClientResponse> answer = client.Send(request);
  if (answer.ok()) {
    const Result<std::string> etag = ParseField(answer->body, "CompleteMultipartUploadResult", "ETag");
    if (!etag.ok()) return etag.error();
    ObjectInfo info;
    info.key = key;
    info.etag = Unquoted(*etag);
    return info;
  }
  const ErrorCode code = answer.error().code();
  // Perhaps done although the answer was lost: then the upload is gone, or the object is what the precondition forbids.
  const bool perhaps_done = code == ErrorCode::kNotFound || (code == ErrorCode::kConflict && attempts > 1);
  if (!perhaps_done || expected.empty()) return answer.error();
  Result<ObjectInfo> there = HeadObject(client, key);
  return there.ok() && there->etag == expected ? there : answer.error();
}

Status AbortUploadOutside(S3Client& client, const std::string& key, const std::string& upload_id) {
  S3Request request;
  request.method = "DELETE";
  request.key = key;
  request.query = {{"uploadId", upload_id}};
  const Result<http::ClientResponse> answer = client.Send(request);
  return answer.ok() || answer.error().code() == ErrorCode::kNotFound ? Status() : answer.error();
}

Result<ObjectInfo> HeadObject(S3Client& client, const std::string& key) {
  S3Request request;
  request.method = "HEAD";
  request.key = key;
  request.headers = {{"x-amz-checksum-mode", "ENABLED"}};
  const Result<http::ClientResponse> answer = client.Send(request);
  if (!answer.ok()) return answer.error();
  const http::ClientResponse& response = *answer;
  ObjectInfo info;
  info.key = key;
  const std::optional<int64_t> size = ParseInt(response.Header("content-length"));
  info.etag = Unquoted(response.Header("etag"));
  if (!size || *size < 0 || info.etag.empty()) {
    return Error(ErrorCode::kIo, "the outside object store tells neither length nor ETag of " + key);
  }
  info.size = static_cast<uint64_t>(*size);
  info.last_modified = http::ParseHttpDate(response.Header("last-modified")).value_or(Time());
  info.attributes.content_type = std::string(response.Header("content-type"));
  for (const std::string_view name : kKeptHeaders) {
    const std::string_view value = response.Header(name);
    if (!value.empty()) info.attributes.headers[std::string(name)] = std::string(value);
  }
  for (const auto& [name, value] : response.headers) {
    const std::string lower = ToLower(name);
    if (lower.starts_with(kMetadataPrefix)) info.attributes.metadata[lower.substr(kMetadataPrefix.size())] = value;
  }
  for (const ChecksumAlgorithm algorithm : kAlgorithms) {
    const std::string_view value = response.Header(ChecksumHeaderName(algorithm));
    if (value.empty()) continue;
    const bool composite = value.find('-') != std::string_view::npos;
    info.checksum =
        Checksum{algorithm, composite ? ChecksumType::kComposite : ChecksumType::kFullObject, std::string(value)};
  }
  if (const std::optional<int64_t> tags = ParseInt(response.Header("x-amz-tagging-count")); tags && *tags > 0) {
    S3Request ask;
    ask.key = key;
    ask.query = {{"tagging", ""}};
    const Result<http::ClientResponse> told = client.Send(ask);
    if (!told.ok()) return told.error();
    Result<Tags> parsed = ParseTagging(told->body);
    if (!parsed.ok()) return parsed.error();
    info.tags = std::move(*parsed);
  }
  return info;
}

Status SetTagsOutside(S3Client& client, const std::string& key, const Tags& tags) {
  S3Request request;
  request.method = tags.empty() ? "DELETE" : "PUT";
  request.key = key;
  request.query = {{"tagging", ""}};
  if (!tags.empty()) {
    std::string document = TaggingDocument(tags);
    request.headers = {{"content-md5", ToBase64(*FromHex(Md5Hex(document)))}, {"content-type", "application/xml"}};
    request.body = std::move(document);
  }
  const Result<http::ClientResponse> answer = client.Send(request);
  return answer.ok() ? Status() : answer.error();
}

}  // namespace argosy::objectstore
