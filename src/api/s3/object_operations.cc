#include <algorithm>
#include <array>

#include "api/s3/access.h"
#include "api/s3/conditions.h"
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

using objectstore::ObjectInfo;

// A query parameter of GET that stands in for a header of the answer.
struct Override {
  std::string_view parameter;
  std::string_view header;
};
constexpr std::array<Override, 6> kOverrides = {{{"response-content-type", "content-type"},
                                                 {"response-content-language", "content-language"},
                                                 {"response-expires", "expires"},
                                                 {"response-cache-control", "cache-control"},
                                                 {"response-content-disposition", "content-disposition"},
                                                 {"response-content-encoding", "content-encoding"}}};

constexpr uint64_t kBegunBytes = 64 * 1024;

// Whether a value can stand in a header: anything else could add headers of its own.
bool IsHeaderText(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// Of an upload in parts their number, which is all that is remembered of them; of another object 0.
int64_t PartsOf(const ObjectInfo& object) {
  const size_t dash = object.etag.find('-');
  return dash == std::string::npos ? 0 : ParseInt(std::string_view(object.etag).substr(dash + 1)).value_or(0);
}

// Whether ?partNumber names what the object is as a whole: its one part.
std::optional<S3Error> CheckPartAsked(const Request& request, const ObjectInfo& object) {
  const std::variant<int, S3Error> number = ReadPartNumber(request);
  if (const auto* error = std::get_if<S3Error>(&number)) return *error;
  if (request.HasHeader("range")) {
    return InvalidRequest("Cannot specify both Range header and partNumber query parameter");
  }
  const int64_t parts = std::max<int64_t>(PartsOf(object), 1);
  if (std::get<int>(number) > parts) {
    return S3Error{
        416,
        "InvalidPartNumber",
        "The requested partnumber is not satisfiable",
        {{"PartNumberRequested", std::to_string(std::get<int>(number))}, {"ActualPartCount", std::to_string(parts)}}};
  }
  if (parts == 1) return std::nullopt;
  return NotImplemented("'?partNumber' of an object that was uploaded in several parts (a Range is)");
}

void SetObjectHeaders(http::Response& response, const Request& request, const ObjectInfo& object) {
  std::map<std::string, std::string> headers = object.attributes.headers;
  headers["content-type"] = object.attributes.content_type.empty() ? std::string(objectstore::kDefaultContentType)
                                                                   : object.attributes.content_type;
  for (const Override& one : kOverrides) {
    const std::string_view value = request.Parameter(one.parameter);
    if (!value.empty() && IsHeaderText(value)) headers[std::string(one.header)] = std::string(value);
  }
  for (const auto& [name, value] : headers) response.Set(name, value);
  for (const auto& [name, value] : object.attributes.metadata) response.Set("x-amz-meta-" + name, value);
  response.Set("ETag", Quoted(object.etag));
  response.Set("Last-Modified", FormatHttpDate(object.last_modified));
  response.Set("Accept-Ranges", "bytes");
  if (!object.tags.empty()) response.Set("x-amz-tagging-count", std::to_string(object.tags.size()));
}

}  // namespace

http::Response PutAnswer(Operation operation, const ObjectInfo& object) {
  http::Response response;
  response.Set("ETag", Quoted(object.etag));
  if (object.checksum) {
    response.Set(ChecksumHeader(object.checksum->algorithm), object.checksum->value);
    if (operation == Operation::kPutObject) {
      response.Set("x-amz-checksum-type", std::string(objectstore::ChecksumTypeName(object.checksum->type)));
    }
  }
  return response;
}

std::variant<objectstore::Precondition, S3Error> ReadPrecondition(const Request& request) {
  objectstore::Precondition out;
  const std::string_view none_match = request.Header("if-none-match");
  if (!none_match.empty()) {
    if (none_match != "*") return NotImplemented("If-None-Match with an ETag on a write (only *)");
    out.must_not_exist = true;
  }
  out.etag = Unquoted(request.Header("if-match"));
  if (out.etag == "*") return NotImplemented("If-Match: * on a write (only an ETag)");
  return out;
}

std::variant<objectstore::Precondition, S3Error> ReadDeletePrecondition(std::string_view etag, std::string_view size,
                                                                        std::string_view last_modified) {
  objectstore::Precondition out{.etag = std::string(etag)};
  if (!size.empty()) {
    const std::optional<int64_t> bytes = ParseInt(size);
    if (!bytes || *bytes < 0) return InvalidArgument("Size", size, "The size must be a whole number of bytes.");
    out.size = static_cast<uint64_t>(*bytes);
  }
  if (!last_modified.empty()) {
    out.last_modified = http::ParseHttpDate(last_modified);
    if (!out.last_modified) {
      return InvalidArgument("LastModifiedTime", last_modified,
                             "The time must be written as in 'Sun, 06 Nov 1994 08:49:37 GMT'.");
    }
  }
  return out;
}

Answer Operations::GetObject(const Request& request) const {
  Result<objectstore::OpenObject> object = store_->Open(request.bucket, request.key);
  if (!object.ok()) return ToS3Error(*store_, request, object.error(), Missing::kKey);
  const ObjectInfo& info = object->info;
  const Conditions conditions{.if_match = request.Header("if-match"),
                              .if_none_match = request.Header("if-none-match"),
                              .if_modified_since = request.Header("if-modified-since"),
                              .if_unmodified_since = request.Header("if-unmodified-since")};
  switch (Evaluate(conditions, info.etag, info.last_modified)) {
    case ConditionOutcome::kProceed:
      break;
    case ConditionOutcome::kFailed:
      return PreconditionFailed(conditions.if_match.empty() ? "If-Unmodified-Since" : "If-Match");
    case ConditionOutcome::kNotModified: {
      http::Response response;
      response.status = 304;
      response.Set("ETag", Quoted(info.etag));
      response.Set("Last-Modified", FormatHttpDate(info.last_modified));
      return response;
    }
  }
  Range range = ParseRange(request.Header("range"), info.size);
  const std::string_view if_range = request.Header("if-range");
  if (!if_range.empty() && !NamesEtag(if_range, info.etag)) range = WholeObject{};
  const bool of_part = request.HasParameter("partNumber");
  if (of_part) {
    if (std::optional<S3Error> refused = CheckPartAsked(request, info)) return std::move(*refused);
    if (info.size > 0) range = ByteRange{0, info.size};
  }
  if (std::holds_alternative<NotSatisfiable>(range)) {
    return S3Error{
        416,
        "InvalidRange",
        "The requested range is not satisfiable",
        {{"RangeRequested", std::string(request.Header("range"))}, {"ActualObjectSize", std::to_string(info.size)}}};
  }
  http::Response response;
  SetObjectHeaders(response, request, info);
  uint64_t first = 0;
  uint64_t length = info.size;
  if (const auto* part = std::get_if<ByteRange>(&range)) {
    first = part->first;
    length = part->length;
    response.status = 206;
    response.Set("Content-Range", "bytes " + std::to_string(first) + "-" + std::to_string(first + length - 1) + "/" +
                                      std::to_string(info.size));
  }
  if (of_part && PartsOf(info) > 0) response.Set("x-amz-mp-parts-count", std::to_string(PartsOf(info)));
  // Only with the whole: clients compare it with the bytes they get.
  const bool whole = of_part || !std::holds_alternative<ByteRange>(range);
  if (whole && info.checksum && EqualsIgnoreCase(request.Header("x-amz-checksum-mode"), "ENABLED")) {
    response.Set(ChecksumHeader(info.checksum->algorithm), info.checksum->value);
    response.Set("x-amz-checksum-type", std::string(objectstore::ChecksumTypeName(info.checksum->type)));
  }
  if (length == 0) return response;
  // The first bytes of a store elsewhere are waited for here, where its being away can still be answered.
  if (object->arriving && request.operation == Operation::kGetObject) {
    const Status begun = object->arriving->Fetch(first, std::min(length, kBegunBytes));
    if (!begun.ok()) return ToS3Error(*store_, request, begun.error(), Missing::kKey);
  }
  response.body =
      http::FileRange{.file = object->file, .offset = first, .length = length, .arriving = std::move(object->arriving)};
  return response;
}

Answer Operations::GetObjectAttributes(const Request& request) const {
  const std::string_view asked = request.Header("x-amz-object-attributes");
  if (Trim(asked).empty()) {
    return InvalidArgument("x-amz-object-attributes", asked, "The x-amz-object-attributes header is required.");
  }
  bool wants[5] = {};
  constexpr std::string_view kAttributes[] = {"ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"};
  for (std::string_view rest = asked; !rest.empty();) {
    const size_t end = std::min(rest.find(','), rest.size());
    const std::string_view name = Trim(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const auto* const at = std::ranges::find(kAttributes, name);
    if (at == std::end(kAttributes)) {
      return InvalidArgument("x-amz-object-attributes", name, "Invalid attribute name specified.");
    }
    wants[at - std::begin(kAttributes)] = true;
  }
  const Result<ObjectInfo> object = store_->Head(request.bucket, request.key);
  if (!object.ok()) return ToS3Error(*store_, request, object.error(), Missing::kKey);
  XmlWriter xml("GetObjectAttributesResponse", XmlNamespace::kS3);
  if (wants[0]) xml.Text("ETag", object->etag);
  if (wants[1] && object->checksum) {
    xml.Open("Checksum");
    xml.Text("Checksum" + std::string(objectstore::ChecksumName(object->checksum->algorithm)), object->checksum->value);
    xml.Text("ChecksumType", objectstore::ChecksumTypeName(object->checksum->type));
    xml.Close();
  }
  if (const int64_t parts = PartsOf(*object); wants[2] && parts > 0) {
    xml.Open("ObjectParts");
    xml.Number("PartsCount", parts);
    xml.Close();
  }
  if (wants[3]) xml.Text("StorageClass", "STANDARD");
  if (wants[4]) xml.Text("ObjectSize", std::to_string(object->size));
  http::Response response = XmlResponse(xml.Finish());
  response.Set("Last-Modified", FormatHttpDate(object->last_modified));
  return response;
}

std::variant<CopySource, S3Error> ReadCopySource(const Request& request) {
  std::string_view header = request.Header("x-amz-copy-source");
  const size_t question = std::min(header.find('?'), header.size());
  constexpr std::string_view kVersion = "?versionId=";
  const std::string_view query = header.substr(question);
  std::optional<std::string> decoded = PercentDecode(header.substr(0, question));
  const S3Error invalid = InvalidArgument("x-amz-copy-source", header,
                                          "Copy Source must mention the source bucket and key: sourcebucket/sourcekey");
  if (!decoded || (!query.empty() && !query.starts_with(kVersion))) return invalid;
  std::string_view path = *decoded;
  if (path.starts_with('/')) path.remove_prefix(1);
  const size_t slash = path.find('/');
  if (slash == std::string_view::npos) return invalid;
  CopySource source{.bucket = std::string(path.substr(0, slash)), .key = std::string(path.substr(slash + 1))};
  if (!objectstore::IsValidBucketName(source.bucket) || !objectstore::ValidateKey(source.key).ok()) return invalid;
  if (!query.empty() && query.substr(kVersion.size()) != kOnlyVersion) {
    return NoSuchVersion(source.key, query.substr(kVersion.size()));
  }
  return source;
}

std::variant<objectstore::OpenObject, S3Error> OpenCopySource(objectstore::ObjectStore& store, const Request& request,
                                                              const CopySource& source) {
  Result<objectstore::OpenObject> object = store.Open(source.bucket, source.key);
  if (!object.ok()) {
    if (object.error().code() != ErrorCode::kNotFound) return FromStoreError(object.error());
    if (!store.HeadBucket(source.bucket).ok()) return NoSuchBucket(source.bucket);
    return NoSuchKey(source.key);
  }
  const Conditions conditions{.if_match = request.Header("x-amz-copy-source-if-match"),
                              .if_none_match = request.Header("x-amz-copy-source-if-none-match"),
                              .if_modified_since = request.Header("x-amz-copy-source-if-modified-since"),
                              .if_unmodified_since = request.Header("x-amz-copy-source-if-unmodified-since")};
  if (Evaluate(conditions, object->info.etag, object->info.last_modified) != ConditionOutcome::kProceed) {
    return PreconditionFailed("x-amz-copy-source-If-Match");
  }
  return std::move(*object);
}

Answer Operations::CopyObject(const Request& request) const {
  std::variant<CopySource, S3Error> read_source = ReadCopySource(request);
  if (auto* error = std::get_if<S3Error>(&read_source)) return std::move(*error);
  const auto& source = std::get<CopySource>(read_source);
  objectstore::CopyOptions options;
  const std::string_view directive = request.Header("x-amz-metadata-directive");
  if (directive == "REPLACE") {
    std::variant<objectstore::Attributes, S3Error> attributes = ReadAttributes(request);
    if (auto* error = std::get_if<S3Error>(&attributes)) return std::move(*error);
    options.attributes = std::get<objectstore::Attributes>(std::move(attributes));
  } else if (!directive.empty() && directive != "COPY") {
    return InvalidArgument("x-amz-metadata-directive", directive, "Unknown metadata directive.");
  } else if (source.bucket == request.bucket && source.key == request.key) {
    return InvalidRequest(
        "This copy request is illegal because it is trying to copy an object to itself without changing the object's "
        "metadata, storage class, website redirect location or encryption attributes.");
  }
  const std::string_view tagging = request.Header("x-amz-tagging-directive");
  if (tagging == "REPLACE") {
    std::variant<objectstore::Tags, S3Error> tags = ReadTagHeader(request.Header("x-amz-tagging"));
    if (auto* error = std::get_if<S3Error>(&tags)) return std::move(*error);
    options.tags = std::get<objectstore::Tags>(std::move(tags));
  } else if (!tagging.empty() && tagging != "COPY") {
    return InvalidArgument("x-amz-tagging-directive", tagging, "Unknown tagging directive.");
  }
  std::variant<std::optional<objectstore::ChecksumAlgorithm>, S3Error> algorithm = ReadChecksumAlgorithm(request);
  if (auto* error = std::get_if<S3Error>(&algorithm)) return std::move(*error);
  options.checksum_algorithm = std::get<std::optional<objectstore::ChecksumAlgorithm>>(algorithm);
  std::variant<objectstore::Precondition, S3Error> precondition = ReadPrecondition(request);
  if (auto* error = std::get_if<S3Error>(&precondition)) return std::move(*error);
  options.precondition = std::get<objectstore::Precondition>(std::move(precondition));
  std::variant<objectstore::OpenObject, S3Error> opened = OpenCopySource(*store_, request, source);
  if (auto* error = std::get_if<S3Error>(&opened)) return std::move(*error);
  const ObjectInfo& info = std::get<objectstore::OpenObject>(opened).info;
  if (info.size > kPutBytesMax) {
    return InvalidRequest("The specified copy source is larger than the maximum allowable size for a copy source: " +
                          std::to_string(kPutBytesMax));
  }
  options.source_etag = info.etag;
  Result<ObjectInfo> copy = store_->Copy(source.bucket, source.key, request.bucket, request.key, std::move(options));
  if (!copy.ok()) {
    const bool source_gone = copy.error().code() == ErrorCode::kNotFound && store_->HeadBucket(request.bucket).ok() &&
                             !store_->Head(source.bucket, source.key).ok();
    if (source_gone) return NoSuchKey(source.key);
    return ToS3Error(*store_, request, copy.error(), Missing::kKey);
  }
  XmlWriter xml("CopyObjectResult", XmlNamespace::kS3);
  xml.Text("LastModified", FormatIso8601(copy->last_modified));
  xml.Text("ETag", Quoted(copy->etag));
  if (copy->checksum) {
    xml.Text("Checksum" + std::string(objectstore::ChecksumName(copy->checksum->algorithm)), copy->checksum->value);
    xml.Text("ChecksumType", objectstore::ChecksumTypeName(copy->checksum->type));
  }
  return XmlResponse(xml.Finish());
}

Answer Operations::DeleteObject(const Request& request) const {
  const std::variant<objectstore::Precondition, S3Error> precondition =
      ReadDeletePrecondition(Unquoted(request.Header("if-match")), request.Header("x-amz-if-match-size"),
                             request.Header("x-amz-if-match-last-modified-time"));
  if (const auto* error = std::get_if<S3Error>(&precondition)) return *error;
  const Status deleted =
      store_->DeleteIf(request.bucket, request.key, std::get<objectstore::Precondition>(precondition));
  if (!deleted.ok()) return ToS3Error(*store_, request, deleted.error(), Missing::kKey);
  http::Response response;
  response.status = 204;
  return response;
}

Answer Operations::DeleteObjects(const Request& request) const {
  if (std::optional<S3Error> wrong = CheckDocument(request)) return std::move(*wrong);
  const std::optional<DeleteRequest> asked = ParseDelete(request.body);
  if (!asked) return MalformedXml();
  if (asked->versions) return NotImplemented("VersionId in POST ?delete");
  const Status there = store_->HeadBucket(request.bucket);
  if (!there.ok()) return ToS3Error(*store_, request, there.error(), Missing::kKey);
  XmlWriter xml("DeleteResult", XmlNamespace::kS3);
  for (const DeleteEntry& entry : asked->entries) {
    const std::optional<S3Error> error = DeleteOne(request, entry);
    if (!error && asked->quiet) continue;
    xml.Open(error ? "Error" : "Deleted");
    xml.Text("Key", entry.key);
    if (error) {
      xml.Text("Code", error->code);
      xml.Text("Message", error->message);
    }
    xml.Close();
  }
  return XmlResponse(xml.Finish());
}

std::optional<S3Error> Operations::DeleteOne(const Request& request, const DeleteEntry& entry) const {
  if (!MayReach(*request.asker, auth::DataUse::kWrite, request.bucket, entry.key)) {
    return AccessDenied(*request.asker, "s3:DeleteObject");
  }
  std::variant<objectstore::Precondition, S3Error> precondition =
      ReadDeletePrecondition(entry.etag, entry.size, entry.last_modified);
  if (auto* error = std::get_if<S3Error>(&precondition)) return std::move(*error);
  const Status deleted = store_->DeleteIf(request.bucket, entry.key, std::get<objectstore::Precondition>(precondition));
  if (deleted.ok()) return std::nullopt;
  if (deleted.error().code() == ErrorCode::kNotFound) return NoSuchKey(entry.key);
  return ToS3Error(*store_, request, deleted.error(), Missing::kKey);
}

}  // namespace argosy::api::s3
