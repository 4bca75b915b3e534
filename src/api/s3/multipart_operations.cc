#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "api/s3/operations.h"
#include "api/s3/payload.h"
#include "api/s3/range.h"
#include "api/s3/tags.h"
#include "api/s3/xml.h"
#include "base/bytes.h"
#include "http/http_date.h"
#include "objectstore/checksum.h"

namespace argosy::api::s3 {
namespace {

using objectstore::ChecksumAlgorithm;
using objectstore::ChecksumType;
using objectstore::PartInfo;

constexpr uint64_t kPartBytesMin = 5 << 20;  // of all parts but the last, as S3
constexpr size_t kCopyPiece = 1 << 20;

std::string ChecksumElement(ChecksumAlgorithm algorithm) {
  return "Checksum" + std::string(objectstore::ChecksumName(algorithm));
}

S3Error InvalidPart(int number) {
  return {
      400,
      "InvalidPart",
      "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified "
      "entity tag may not match the part's entity tag.",
      {{"PartNumber", std::to_string(number)}}};
}

// The parts that the client names, compared with those that are there.
std::optional<S3Error> CheckParts(const std::vector<CompletePart>& named, const std::vector<PartInfo>& present) {
  for (size_t i = 1; i < named.size(); ++i) {
    if (named[i].number <= named[i - 1].number) {
      return S3Error{400, "InvalidPartOrder",
                     "The list of parts was not in ascending order. Parts must be ordered by part number."};
    }
  }
  for (size_t i = 0; i < named.size(); ++i) {
    const auto at = std::ranges::lower_bound(present, named[i].number, {}, &PartInfo::number);
    if (at == present.end() || at->number != named[i].number || !EqualsIgnoreCase(at->etag, named[i].etag)) {
      return InvalidPart(named[i].number);
    }
    for (const auto& [name, value] : named[i].checksums) {
      const bool same_kind = at->checksum && EqualsIgnoreCase(objectstore::ChecksumName(at->checksum->algorithm), name);
      if (same_kind && at->checksum->value != value) return InvalidPart(named[i].number);
    }
    if (i + 1 < named.size() && at->size < kPartBytesMin) {
      return S3Error{400,
                     "EntityTooSmall",
                     "Your proposed upload is smaller than the minimum allowed size",
                     {{"PartNumber", std::to_string(named[i].number)},
                      {"ProposedSize", std::to_string(at->size)},
                      {"MinSizeAllowed", std::to_string(kPartBytesMin)},
                      {"ETag", at->etag}}};
    }
  }
  return std::nullopt;
}

// Algorithm and type of a checksum that comes along with the list of parts must be those that the upload began with.
std::optional<S3Error> CheckChecksumKind(const Request& request, const objectstore::UploadOptions& options) {
  for (const auto& [name, value] : request.HeadersFrom("x-amz-checksum-")) {
    if (name == "type") {
      if (options.checksum_algorithm && value == objectstore::ChecksumTypeName(options.checksum_type)) continue;
      return InvalidRequest("The upload was not begun with x-amz-checksum-type: " + value + ".");
    }
    const std::optional<ChecksumAlgorithm> algorithm = objectstore::ParseChecksumName(name);
    if (!algorithm) return NotImplemented("the header x-amz-checksum-" + name);
    if (algorithm != options.checksum_algorithm) {
      return InvalidRequest("The upload was not begun with x-amz-checksum-algorithm: " +
                            std::string(objectstore::ChecksumName(*algorithm)) + ".");
    }
  }
  return std::nullopt;
}

// x-amz-mp-object-size and the whole object's checksum, when the client sends them along.
std::optional<S3Error> CheckWhole(const Request& request, const objectstore::UploadOptions& options,
                                  const std::vector<CompletePart>& named, const std::vector<PartInfo>& present) {
  uint64_t size = 0;
  std::vector<objectstore::PartChecksum> checksums;
  for (const CompletePart& part : named) {
    const auto at = std::ranges::lower_bound(present, part.number, {}, &PartInfo::number);
    size += at->size;
    if (at->checksum) checksums.push_back({at->checksum->value, at->size});
  }
  if (request.HasHeader("x-amz-mp-object-size")) {
    const std::optional<int64_t> said = ParseInt(request.Header("x-amz-mp-object-size"));
    if (!said || *said < 0 || static_cast<uint64_t>(*said) != size) {
      return InvalidRequest("The provided 'x-amz-mp-object-size' header does not match what was computed.");
    }
  }
  if (std::optional<S3Error> wrong = CheckChecksumKind(request, options)) return wrong;
  if (!options.checksum_algorithm || checksums.size() != named.size()) return std::nullopt;
  std::string_view said = request.Header(ChecksumHeader(*options.checksum_algorithm));
  if (said.empty()) return std::nullopt;
  const std::optional<objectstore::Checksum> whole =
      objectstore::CombineChecksums(*options.checksum_algorithm, options.checksum_type, checksums);
  if (!whole || whole->value == said ||
      (whole->type == ChecksumType::kComposite && whole->value.substr(0, whole->value.find('-')) == said)) {
    return std::nullopt;
  }
  return BadDigest(objectstore::ChecksumName(*options.checksum_algorithm));
}

// The size of a part to be copied: x-amz-copy-source-range must lie within the source.
std::variant<ByteRange, S3Error> ReadCopyRange(const Request& request, uint64_t size) {
  const std::string_view header = request.Header("x-amz-copy-source-range");
  if (header.empty()) return ByteRange{0, size};
  const Range range = ParseRange(header, size);
  const auto* bytes = std::get_if<ByteRange>(&range);
  const size_t dash = header.rfind('-');
  const std::optional<int64_t> last = dash == std::string_view::npos ? std::nullopt : ParseInt(header.substr(dash + 1));
  if (bytes == nullptr || !last || bytes->first + bytes->length != static_cast<uint64_t>(*last) + 1) {
    return InvalidArgument("x-amz-copy-source-range", header,
                           "Range specified is not valid for source object of size: " + std::to_string(size));
  }
  return *bytes;
}

void WriteChecksum(XmlWriter& xml, const std::optional<objectstore::Checksum>& checksum) {
  if (checksum) xml.Text(ChecksumElement(checksum->algorithm), checksum->value);
}

}  // namespace

std::variant<int, S3Error> ReadPartNumber(const Request& request) {
  const std::optional<int64_t> number = ParseInt(request.Parameter("partNumber"));
  if (!number || *number < 1 || *number > objectstore::kPartNumberMax) {
    return InvalidArgument("partNumber", request.Parameter("partNumber"),
                           "Part number must be an integer between 1 and 10000, inclusive");
  }
  return static_cast<int>(*number);
}

Answer Operations::CreateMultipartUpload(const Request& request) const {
  objectstore::UploadOptions options;
  std::variant<objectstore::Attributes, S3Error> attributes = ReadAttributes(request);
  if (auto* error = std::get_if<S3Error>(&attributes)) return std::move(*error);
  options.attributes = std::get<objectstore::Attributes>(std::move(attributes));
  std::variant<objectstore::Tags, S3Error> tags = ReadTagHeader(request.Header("x-amz-tagging"));
  if (auto* error = std::get_if<S3Error>(&tags)) return std::move(*error);
  options.tags = std::get<objectstore::Tags>(std::move(tags));
  std::variant<std::optional<ChecksumAlgorithm>, S3Error> algorithm = ReadChecksumAlgorithm(request);
  if (auto* error = std::get_if<S3Error>(&algorithm)) return std::move(*error);
  options.checksum_algorithm = std::get<std::optional<ChecksumAlgorithm>>(algorithm);
  if (options.checksum_algorithm == ChecksumAlgorithm::kCrc64Nvme) options.checksum_type = ChecksumType::kFullObject;
  const std::string_view type = request.Header("x-amz-checksum-type");
  if (!type.empty()) {
    const std::optional<ChecksumType> parsed = objectstore::ParseChecksumTypeName(type);
    if (!parsed || !options.checksum_algorithm) {
      return InvalidRequest(
          "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.");
    }
    const bool possible = *parsed == ChecksumType::kFullObject
                              ? objectstore::CanCombine(*options.checksum_algorithm)
                              : *options.checksum_algorithm != ChecksumAlgorithm::kCrc64Nvme;
    if (!possible) {
      return InvalidRequest("The " + std::string(type) + " checksum type cannot be used with the " +
                            ToLower(objectstore::ChecksumName(*options.checksum_algorithm)) + " checksum algorithm.");
    }
    options.checksum_type = *parsed;
  }
  Result<std::string> id = store_->CreateUpload(request.bucket, request.key, options);
  if (!id.ok()) return ToS3Error(*store_, request, id.error(), Missing::kKey);
  XmlWriter xml("InitiateMultipartUploadResult", XmlNamespace::kS3);
  xml.Text("Bucket", request.bucket);
  xml.Text("Key", request.key);
  xml.Text("UploadId", *id);
  http::Response response = XmlResponse(xml.Finish());
  if (options.checksum_algorithm) {
    response.Set("x-amz-checksum-algorithm", std::string(objectstore::ChecksumName(*options.checksum_algorithm)));
    response.Set("x-amz-checksum-type", std::string(objectstore::ChecksumTypeName(options.checksum_type)));
  }
  return response;
}

Answer Operations::UploadPartCopy(const Request& request) const {
  std::variant<int, S3Error> number = ReadPartNumber(request);
  if (auto* error = std::get_if<S3Error>(&number)) return std::move(*error);
  std::variant<CopySource, S3Error> source = ReadCopySource(request);
  if (auto* error = std::get_if<S3Error>(&source)) return std::move(*error);
  const std::string_view upload_id = request.Parameter("uploadId");
  Result<objectstore::UploadInfo> upload = store_->FindUpload(request.bucket, request.key, upload_id);
  if (!upload.ok()) return ToS3Error(*store_, request, upload.error(), Missing::kUpload);
  std::variant<objectstore::OpenObject, S3Error> opened =
      OpenCopySource(*store_, request, std::get<CopySource>(source));
  if (auto* error = std::get_if<S3Error>(&opened)) return std::move(*error);
  const auto& object = std::get<objectstore::OpenObject>(opened);
  std::variant<ByteRange, S3Error> range = ReadCopyRange(request, object.info.size);
  if (auto* error = std::get_if<S3Error>(&range)) return std::move(*error);
  const auto [first, length] = std::get<ByteRange>(range);
  if (length > kPutBytesMax)
    return S3Error{400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size"};

  Result<std::unique_ptr<objectstore::ObjectWriter>> writer =
      store_->StartPart(request.bucket, request.key, upload_id, std::get<int>(number));
  if (!writer.ok()) return ToS3Error(*store_, request, writer.error(), Missing::kUpload);
  if (const Status there = objectstore::Fetch(object, first, length); !there.ok()) return FromStoreError(there.error());
  PayloadHasher hasher(Expectation{.algorithm = upload->options.checksum_algorithm});
  std::string buffer(static_cast<size_t>(std::min<uint64_t>(length, kCopyPiece)), '\0');
  for (uint64_t done = 0; done < length;) {
    const auto wanted = static_cast<size_t>(std::min<uint64_t>(length - done, buffer.size()));
    const ssize_t n = pread(object.file->get(), buffer.data(), wanted, static_cast<off_t>(first + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return FromStoreError(ErrnoError("reading the source of a copy", n < 0 ? errno : EIO));
    const std::string_view piece(buffer.data(), static_cast<size_t>(n));
    hasher.Update(piece);
    const Status appended = (*writer)->Append(piece);
    if (!appended.ok()) return FromStoreError(appended.error());
    done += piece.size();
  }
  if (upload->options.checksum_algorithm) {
    (*writer)->SetChecksum({*upload->options.checksum_algorithm, ChecksumType::kFullObject, hasher.Finish().checksum});
  }
  Result<objectstore::ObjectInfo> part = (*writer)->Commit();
  if (!part.ok()) return ToS3Error(*store_, request, part.error(), Missing::kUpload);
  XmlWriter xml("CopyPartResult", XmlNamespace::kS3);
  xml.Text("LastModified", FormatIso8601(part->last_modified));
  xml.Text("ETag", Quoted(part->etag));
  WriteChecksum(xml, part->checksum);
  return XmlResponse(xml.Finish());
}

Answer Operations::CompleteMultipartUpload(const Request& request) const {
  const std::optional<std::vector<CompletePart>> named = ParseCompleteMultipartUpload(request.body);
  if (!named) return MalformedXml();
  std::variant<objectstore::Precondition, S3Error> precondition = ReadPrecondition(request);
  if (auto* error = std::get_if<S3Error>(&precondition)) return std::move(*error);
  const std::string_view upload_id = request.Parameter("uploadId");
  std::vector<objectstore::CompletedPart> parts;
  for (const CompletePart& part : *named) parts.push_back({.number = part.number, .etag = part.etag});
  Result<objectstore::UploadInfo> upload = store_->FindUpload(request.bucket, request.key, upload_id);
  if (upload.ok()) {
    Result<std::vector<PartInfo>> present = store_->ListParts(request.bucket, request.key, upload_id);
    if (!present.ok()) return ToS3Error(*store_, request, present.error(), Missing::kUpload);
    if (std::optional<S3Error> wrong = CheckParts(*named, *present)) return std::move(*wrong);
    if (std::optional<S3Error> wrong = CheckWhole(request, upload->options, *named, *present)) return std::move(*wrong);
  } else if (upload.error().code() != ErrorCode::kNotFound) {
    return FromStoreError(upload.error());
  }
  // An upload that is gone is the store's to judge: this may be the same request once more.
  Result<objectstore::ObjectInfo> object = store_->CompleteUpload(
      request.bucket, request.key, upload_id, parts, std::get<objectstore::Precondition>(std::move(precondition)));
  if (!object.ok()) {
    if (object.error().code() == ErrorCode::kInvalidArgument) {
      return S3Error{400, "InvalidPart", object.error().message()};
    }
    return ToS3Error(*store_, request, object.error(), Missing::kUpload);
  }
  XmlWriter xml("CompleteMultipartUploadResult", XmlNamespace::kS3);
  xml.Text("Location", "/" + request.bucket + "/" + PercentEncode(request.key, "/"));
  xml.Text("Bucket", request.bucket);
  xml.Text("Key", request.key);
  xml.Text("ETag", Quoted(object->etag));
  if (object->checksum) {
    WriteChecksum(xml, object->checksum);
    xml.Text("ChecksumType", objectstore::ChecksumTypeName(object->checksum->type));
  }
  return XmlResponse(xml.Finish());
}

Answer Operations::AbortMultipartUpload(const Request& request) const {
  const std::string_view upload_id = request.Parameter("uploadId");
  const std::string_view initiated = request.Header("x-amz-if-match-initiated-time");
  if (!initiated.empty()) {
    const std::optional<Time> said = http::ParseHttpDate(initiated);
    if (!said) {
      return InvalidArgument("x-amz-if-match-initiated-time", initiated,
                             "The time must be written as in 'Sun, 06 Nov 1994 08:49:37 GMT'.");
    }
    const Result<objectstore::UploadInfo> upload = store_->FindUpload(request.bucket, request.key, upload_id);
    if (!upload.ok()) return ToS3Error(*store_, request, upload.error(), Missing::kUpload);
    if (std::chrono::floor<std::chrono::seconds>(upload->initiated) != *said) {
      return PreconditionFailed("x-amz-if-match-initiated-time");
    }
  }
  const Status aborted = store_->AbortUpload(request.bucket, request.key, upload_id);
  if (!aborted.ok()) return ToS3Error(*store_, request, aborted.error(), Missing::kUpload);
  http::Response response;
  response.status = 204;
  return response;
}

Answer Operations::ListParts(const Request& request) const {
  constexpr size_t kPartsMax = 1000;  // on one page, as S3
  const std::variant<NameEncoding, S3Error> encoding = ReadNameEncoding(request);
  if (const auto* error = std::get_if<S3Error>(&encoding)) return *error;
  const std::variant<size_t, S3Error> max = ReadCount(request, "max-parts", kPartsMax);
  if (const auto* error = std::get_if<S3Error>(&max)) return *error;
  const std::variant<size_t, S3Error> marker = ReadCount(request, "part-number-marker", INT32_MAX);
  if (const auto* error = std::get_if<S3Error>(&marker)) return *error;
  const size_t after = request.Parameter("part-number-marker").empty() ? 0 : std::get<size_t>(marker);
  const std::string_view upload_id = request.Parameter("uploadId");
  Result<objectstore::UploadInfo> upload = store_->FindUpload(request.bucket, request.key, upload_id);
  if (!upload.ok()) return ToS3Error(*store_, request, upload.error(), Missing::kUpload);
  Result<std::vector<PartInfo>> parts = store_->ListParts(request.bucket, request.key, upload_id);
  if (!parts.ok()) return ToS3Error(*store_, request, parts.error(), Missing::kUpload);
  auto from =
      std::ranges::find_if(*parts, [&](const PartInfo& part) { return static_cast<size_t>(part.number) > after; });
  const auto left = static_cast<size_t>(parts->end() - from);
  const auto end = from + static_cast<std::ptrdiff_t>(std::min(left, std::get<size_t>(max)));
  const bool truncated = end != parts->end() && end != from;
  XmlWriter xml("ListPartsResult", XmlNamespace::kS3);
  xml.Text("Bucket", request.bucket);
  xml.Text("Key", EncodeName(request.key, std::get<NameEncoding>(encoding)));
  xml.Text("UploadId", upload_id);
  xml.Number("PartNumberMarker", static_cast<int64_t>(after));
  if (truncated) xml.Number("NextPartNumberMarker", (end - 1)->number);
  xml.Number("MaxParts", static_cast<int64_t>(std::get<size_t>(max)));
  xml.Truth("IsTruncated", truncated);
  xml.Text("StorageClass", "STANDARD");
  if (upload->options.checksum_algorithm) {
    xml.Text("ChecksumAlgorithm", objectstore::ChecksumName(*upload->options.checksum_algorithm));
    xml.Text("ChecksumType", objectstore::ChecksumTypeName(upload->options.checksum_type));
  }
  for (; from != end; ++from) {
    xml.Open("Part");
    xml.Number("PartNumber", from->number);
    xml.Text("LastModified", FormatIso8601(from->last_modified));
    xml.Text("ETag", Quoted(from->etag));
    xml.Text("Size", std::to_string(from->size));
    WriteChecksum(xml, from->checksum);
    xml.Close();
  }
  return XmlResponse(xml.Finish());
}

}  // namespace argosy::api::s3
