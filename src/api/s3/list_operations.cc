#include <algorithm>

#include "api/s3/operations.h"
#include "api/s3/xml.h"
#include "base/bytes.h"

namespace argosy::api::s3 {
namespace {

using objectstore::ListPage;
using objectstore::ListRequest;

// Where versions are asked for, each object is the only one of its own, as in a bucket that never had versioning.
enum class As { kObjects, kVersions };

void WriteCommonPrefixes(XmlWriter& xml, const std::vector<std::string>& prefixes, NameEncoding encoding) {
  for (const std::string& prefix : prefixes) {
    xml.Open("CommonPrefixes");
    xml.Text("Prefix", EncodeName(prefix, encoding));
    xml.Close();
  }
}

// What of a key stands for all that share it: up to the first delimiter after the prefix. Empty: it stands for itself.
std::string FoldedPrefix(std::string_view key, std::string_view prefix, std::string_view delimiter) {
  if (delimiter.empty() || !key.starts_with(prefix)) return {};
  const size_t at = key.find(delimiter, prefix.size());
  return at == std::string_view::npos ? std::string() : std::string(key.substr(0, at + delimiter.size()));
}

void WriteObjects(XmlWriter& xml, const ListPage& page, NameEncoding encoding, std::string_view owner,
                  As as = As::kObjects) {
  for (const objectstore::ObjectInfo& object : page.objects) {
    xml.Open(as == As::kObjects ? "Contents" : "Version");
    xml.Text("Key", EncodeName(object.key, encoding));
    if (as == As::kVersions) {
      xml.Text("VersionId", "null");
      xml.Truth("IsLatest", true);
    }
    xml.Text("LastModified", FormatIso8601(object.last_modified));
    xml.Text("ETag", Quoted(object.etag));
    xml.Text("Size", std::to_string(object.size));
    if (!owner.empty()) {
      xml.Open("Owner");
      xml.Text("ID", owner);
      xml.Text("DisplayName", owner);
      xml.Close();
    }
    xml.Text("StorageClass", "STANDARD");
    xml.Close();
  }
  WriteCommonPrefixes(xml, page.common_prefixes, encoding);
}

// The page that begins behind `marker`, a key or common prefix that ended the page before.
struct MarkedList {
  ListRequest list;
  NameEncoding encoding = NameEncoding::kNone;
};
std::variant<MarkedList, S3Error> ReadMarkedList(const Request& request, std::string_view marker) {
  MarkedList out;
  const std::variant<NameEncoding, S3Error> encoding = ReadNameEncoding(request);
  if (const auto* error = std::get_if<S3Error>(&encoding)) return *error;
  out.encoding = std::get<NameEncoding>(encoding);
  const std::variant<size_t, S3Error> max = ReadCount(request, "max-keys", objectstore::kPageKeysMax);
  if (const auto* error = std::get_if<S3Error>(&max)) return *error;
  ListRequest& list = out.list;
  list.bucket = request.bucket;
  list.prefix = std::string(request.Parameter("prefix"));
  list.delimiter = std::string(request.Parameter("delimiter"));
  list.max_keys = std::get<size_t>(max);
  list.start_after = std::string(marker);
  // A common prefix as marker: all that it stands for has been told.
  if (!list.delimiter.empty() && marker.size() > list.prefix.size() && marker.ends_with(list.delimiter)) {
    list.start_after += "\xf4\x8f\xbf\xbf";  // the greatest character
  }
  return out;
}

// The last key or common prefix of a page that is not the last.
std::string NextMarker(const ListPage& page) {
  std::string next = page.objects.empty() ? std::string() : page.objects.back().key;
  return page.common_prefixes.empty() ? next : std::max(next, page.common_prefixes.back());
}

}  // namespace

Answer Operations::ListObjectsV2(const Request& request) const {
  if (request.Parameter("list-type") != "2") {
    return InvalidArgument("list-type", request.Parameter("list-type"), "Invalid List Type specified in Request");
  }
  const std::variant<NameEncoding, S3Error> read_encoding = ReadNameEncoding(request);
  if (const auto* error = std::get_if<S3Error>(&read_encoding)) return *error;
  const NameEncoding encoding = std::get<NameEncoding>(read_encoding);
  const std::variant<size_t, S3Error> max = ReadCount(request, "max-keys", objectstore::kPageKeysMax);
  if (const auto* error = std::get_if<S3Error>(&max)) return *error;
  ListRequest list;
  list.bucket = request.bucket;
  list.prefix = std::string(request.Parameter("prefix"));
  list.delimiter = std::string(request.Parameter("delimiter"));
  list.start_after = std::string(request.Parameter("start-after"));
  list.token = std::string(request.Parameter("continuation-token"));
  list.max_keys = std::get<size_t>(max);
  if (request.HasParameter("continuation-token") && list.token.empty()) {
    return InvalidArgument("continuation-token", "", "The continuation token provided is incorrect");
  }
  Result<ListPage> page = store_->List(list);
  if (!page.ok()) {
    if (page.error().code() == ErrorCode::kInvalidArgument) {
      return InvalidArgument("continuation-token", list.token, page.error().message());
    }
    return ToS3Error(*store_, request, page.error(), Missing::kKey);
  }
  XmlWriter xml("ListBucketResult", XmlNamespace::kS3);
  xml.Text("Name", request.bucket);
  xml.Text("Prefix", EncodeName(list.prefix, encoding));
  if (!list.token.empty()) xml.Text("ContinuationToken", list.token);
  if (!page->next_token.empty()) xml.Text("NextContinuationToken", page->next_token);
  if (!list.start_after.empty()) xml.Text("StartAfter", EncodeName(list.start_after, encoding));
  xml.Number("KeyCount", static_cast<int64_t>(page->objects.size() + page->common_prefixes.size()));
  xml.Number("MaxKeys", static_cast<int64_t>(list.max_keys));
  if (!list.delimiter.empty()) xml.Text("Delimiter", EncodeName(list.delimiter, encoding));
  if (encoding == NameEncoding::kUrl) xml.Text("EncodingType", "url");
  xml.Truth("IsTruncated", !page->next_token.empty());
  WriteObjects(xml, *page, encoding, request.Parameter("fetch-owner") == "true" ? "owner" : "");
  return XmlResponse(xml.Finish());
}

Answer Operations::ListObjectVersions(const Request& request) const {
  const std::string_view marker = request.Parameter("key-marker");
  std::variant<MarkedList, S3Error> read = ReadMarkedList(request, marker);
  if (auto* error = std::get_if<S3Error>(&read)) return std::move(*error);
  const auto& [list, encoding] = std::get<MarkedList>(read);
  Result<ListPage> page = store_->List(list);
  if (!page.ok()) return ToS3Error(*store_, request, page.error(), Missing::kKey);
  XmlWriter xml("ListVersionsResult", XmlNamespace::kS3);
  xml.Text("Name", request.bucket);
  xml.Text("Prefix", EncodeName(list.prefix, encoding));
  xml.Text("KeyMarker", EncodeName(marker, encoding));
  xml.Text("VersionIdMarker", request.Parameter("version-id-marker"));
  if (!page->next_token.empty()) {
    xml.Text("NextKeyMarker", EncodeName(NextMarker(*page), encoding));
    xml.Text("NextVersionIdMarker", "null");
  }
  xml.Number("MaxKeys", static_cast<int64_t>(list.max_keys));
  if (!list.delimiter.empty()) xml.Text("Delimiter", EncodeName(list.delimiter, encoding));
  if (encoding == NameEncoding::kUrl) xml.Text("EncodingType", "url");
  xml.Truth("IsTruncated", !page->next_token.empty());
  WriteObjects(xml, *page, encoding, "owner", As::kVersions);
  return XmlResponse(xml.Finish());
}

Answer Operations::ListObjects(const Request& request) const {
  const std::string_view marker = request.Parameter("marker");
  std::variant<MarkedList, S3Error> read = ReadMarkedList(request, marker);
  if (auto* error = std::get_if<S3Error>(&read)) return std::move(*error);
  const auto& [list, encoding] = std::get<MarkedList>(read);
  Result<ListPage> page = store_->List(list);
  if (!page.ok()) return ToS3Error(*store_, request, page.error(), Missing::kKey);
  const bool truncated = !page->next_token.empty();
  XmlWriter xml("ListBucketResult", XmlNamespace::kS3);
  xml.Text("Name", request.bucket);
  xml.Text("Prefix", EncodeName(list.prefix, encoding));
  xml.Text("Marker", EncodeName(marker, encoding));
  if (truncated && !list.delimiter.empty()) {
    xml.Text("NextMarker", EncodeName(NextMarker(*page), encoding));
  }
  xml.Number("MaxKeys", static_cast<int64_t>(list.max_keys));
  if (!list.delimiter.empty()) xml.Text("Delimiter", EncodeName(list.delimiter, encoding));
  if (encoding == NameEncoding::kUrl) xml.Text("EncodingType", "url");
  xml.Truth("IsTruncated", truncated);
  WriteObjects(xml, *page, encoding, "owner");
  return XmlResponse(xml.Finish());
}

Answer Operations::ListMultipartUploads(const Request& request) const {
  constexpr size_t kUploadsMax = 1000;  // on one page, as S3
  const std::variant<NameEncoding, S3Error> read_encoding = ReadNameEncoding(request);
  if (const auto* error = std::get_if<S3Error>(&read_encoding)) return *error;
  const NameEncoding encoding = std::get<NameEncoding>(read_encoding);
  const std::variant<size_t, S3Error> max = ReadCount(request, "max-uploads", kUploadsMax);
  if (const auto* error = std::get_if<S3Error>(&max)) return *error;
  Result<std::vector<objectstore::UploadInfo>> uploads = store_->ListUploads(request.bucket);
  if (!uploads.ok()) return ToS3Error(*store_, request, uploads.error(), Missing::kKey);
  const std::string_view prefix = request.Parameter("prefix");
  const std::string_view delimiter = request.Parameter("delimiter");
  const std::string_view key_marker = request.Parameter("key-marker");
  const std::string_view id_marker = request.Parameter("upload-id-marker");
  // A common prefix as marker: all that it stands for has been told.
  const bool folded_marker = !FoldedPrefix(key_marker, prefix, delimiter).empty() && key_marker.ends_with(delimiter);
  // After the marked upload itself, wherever it stands among those of its key; without an id, after the whole key.
  bool past = key_marker.empty();
  std::vector<const objectstore::UploadInfo*> chosen;
  std::vector<std::string> folded;
  std::pair<std::string, std::string> next;
  bool truncated = false;
  for (const objectstore::UploadInfo& upload : *uploads) {
    if (!past) {
      if (folded_marker && upload.key.starts_with(key_marker)) continue;
      if (upload.key == key_marker && upload.upload_id == id_marker) {
        past = true;
        continue;
      }
      if (upload.key <= key_marker) continue;
      past = true;
    }
    if (!upload.key.starts_with(prefix)) continue;
    std::string fold = FoldedPrefix(upload.key, prefix, delimiter);
    if (!fold.empty() && !folded.empty() && folded.back() == fold) continue;
    if (chosen.size() + folded.size() == std::get<size_t>(max)) {
      truncated = true;
      break;
    }
    if (fold.empty()) {
      next = {upload.key, upload.upload_id};
      chosen.push_back(&upload);
    } else {
      next = {fold, ""};
      folded.push_back(std::move(fold));
    }
  }
  XmlWriter xml("ListMultipartUploadsResult", XmlNamespace::kS3);
  xml.Text("Bucket", request.bucket);
  xml.Text("KeyMarker", EncodeName(key_marker, encoding));
  xml.Text("UploadIdMarker", id_marker);
  if (truncated && !next.first.empty()) {
    xml.Text("NextKeyMarker", EncodeName(next.first, encoding));
    xml.Text("NextUploadIdMarker", next.second);
  }
  if (!prefix.empty()) xml.Text("Prefix", EncodeName(prefix, encoding));
  if (!delimiter.empty()) xml.Text("Delimiter", EncodeName(delimiter, encoding));
  if (encoding == NameEncoding::kUrl) xml.Text("EncodingType", "url");
  xml.Number("MaxUploads", static_cast<int64_t>(std::get<size_t>(max)));
  xml.Truth("IsTruncated", truncated);
  for (const objectstore::UploadInfo* upload : chosen) {
    xml.Open("Upload");
    xml.Text("Key", EncodeName(upload->key, encoding));
    xml.Text("UploadId", upload->upload_id);
    xml.Text("StorageClass", "STANDARD");
    xml.Text("Initiated", FormatIso8601(upload->initiated));
    xml.Close();
  }
  WriteCommonPrefixes(xml, folded, encoding);
  return XmlResponse(xml.Finish());
}

}  // namespace argosy::api::s3
