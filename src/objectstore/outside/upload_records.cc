#include "objectstore/outside/upload_records.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/json.h"
#include "base/side_by_side.h"
#include "objectstore/checksum.h"
#include "objectstore/json_texts.h"
#include "objectstore/outside/object_transfer.h"
#include "objectstore/outside/s3_xml.h"

namespace argosy::objectstore {
namespace {

constexpr size_t kReadersAtOnce = 8;

std::string RecordsPrefix(const Location& location, std::string_view bucket) {
  return location.prefix + ".argosy-uploads/" + std::string(bucket) + "/";
}

std::string RecordKey(const Location& location, std::string_view bucket, std::string_view upload_id) {
  return RecordsPrefix(location, bucket) + PercentEncode(upload_id);
}

}  // namespace

std::string ObjectKey(const Location& location, std::string_view bucket, std::string_view key) {
  return location.prefix + std::string(bucket) + "/" + std::string(key);
}

std::string BucketMarkerKey(const Location& location, std::string_view bucket) {
  return location.prefix + ".argosy-buckets/" + std::string(bucket);
}

Result<ListPage> ListPageOutside(S3Client& client, std::map<std::string, std::string> query) {
  S3Request request;
  request.query = std::move(query);
  request.query["list-type"] = "2";
  request.query["encoding-type"] = "url";
  const Result<http::ClientResponse> answer = client.Send(request);
  if (!answer.ok()) return answer.error();
  return ParseListing(answer->body);
}

Result<std::vector<ObjectInfo>> ListOutside(S3Client& client, const std::string& prefix, size_t keys_max) {
  std::vector<ObjectInfo> out;
  std::map<std::string, std::string> query{{"prefix", prefix}};
  for (;;) {
    Result<ListPage> page = ListPageOutside(client, query);
    if (!page.ok()) return page.error();
    std::ranges::move(page->objects, std::back_inserter(out));
    if (out.size() > keys_max) {
      return Invalid("more than " + std::to_string(keys_max) + " names below " + prefix + " outside");
    }
    if (page->next_token.empty()) return out;
    query["continuation-token"] = page->next_token;
  }
}

std::string BucketTagsKey(const Location& location, std::string_view bucket) {
  return location.prefix + ".argosy-bucket-tags/" + std::string(bucket);
}

Result<std::string> GetSmallOutside(S3Client& client, const std::string& key) {
  S3Request request;
  request.key = key;
  Result<http::ClientResponse> answer = client.Send(request);
  if (!answer.ok()) return answer.error();
  return std::move(answer->body);
}

Status PutSmallOutside(S3Client& client, const std::string& key, std::string bytes) {
  S3Request request;
  request.method = "PUT";
  request.key = key;
  request.headers = {{"content-md5", ToBase64(*FromHex(Md5Hex(bytes)))}};
  request.body = std::move(bytes);
  const Result<http::ClientResponse> answer = client.Send(request);
  return answer.ok() ? Status() : answer.error();
}

Status DeleteOutside(S3Client& client, const std::string& key) {
  S3Request request;
  request.method = "DELETE";
  request.key = key;
  const Result<http::ClientResponse> answer = client.Send(request);
  return answer.ok() || answer.error().code() == ErrorCode::kNotFound ? Status() : answer.error();
}

Status UploadRecords::Write(std::string_view bucket, const UploadInfo& info) {
  Json json{{"key", info.key},
            {"upload_id", info.upload_id},
            {"initiated_ns", ToUnixNanos(info.initiated)},
            {"content_type", info.options.attributes.content_type},
            {"headers", info.options.attributes.headers},
            {"metadata", info.options.attributes.metadata},
            {"tags", info.options.tags}};
  if (info.options.checksum_algorithm) {
    json["checksum_algorithm"] = ChecksumName(*info.options.checksum_algorithm);
    json["checksum_type"] = ChecksumTypeName(info.options.checksum_type);
  }
  return PutSmallOutside(*client_, RecordKey(client_->location(), bucket, info.upload_id), DumpJson(json));
}

Result<UploadInfo> UploadRecords::Read(const std::string& record_key) {
  const Result<std::string> text = GetSmallOutside(*client_, record_key);
  if (!text.ok()) return text.error();
  const Result<Json> json = ParseJson(*text);
  if (!json.ok() || !json->is_object()) return Error(ErrorCode::kCorrupt, record_key + " is no record of an upload");
  UploadInfo info;
  info.key = TextAt(*json, "key");
  info.upload_id = TextAt(*json, "upload_id");
  if (info.key.empty() || info.upload_id.empty()) {
    return Error(ErrorCode::kCorrupt, record_key + " names no key and upload");
  }
  const auto initiated = json->find("initiated_ns");
  if (initiated != json->end() && initiated->is_number_integer()) {
    info.initiated = FromUnixNanos(initiated->get<int64_t>());
  }
  info.options.attributes.content_type = TextAt(*json, "content_type");
  info.options.attributes.headers = TextsAt(*json, "headers");
  info.options.attributes.metadata = TextsAt(*json, "metadata");
  info.options.tags = TextsAt(*json, "tags");
  info.options.checksum_algorithm = ParseChecksumName(TextAt(*json, "checksum_algorithm"));
  info.options.checksum_type = ParseChecksumTypeName(TextAt(*json, "checksum_type")).value_or(ChecksumType::kComposite);
  return info;
}

Result<UploadInfo> UploadRecords::Find(std::string_view bucket, std::string_view key, std::string_view upload_id) {
  const Error missing(ErrorCode::kNotFound, "there is no upload " + std::string(upload_id) + " of this object");
  if (upload_id.empty() || upload_id.size() > kKeyBytesMax / 2) return missing;
  Result<UploadInfo> info = Read(RecordKey(client_->location(), bucket, upload_id));
  if (!info.ok()) return info.error().code() == ErrorCode::kInvalidArgument ? missing : info.error();
  if (info->key != key || info->upload_id != upload_id) return missing;
  return info;
}

Status UploadRecords::Remove(std::string_view bucket, std::string_view upload_id) {
  return DeleteOutside(*client_, RecordKey(client_->location(), bucket, upload_id));
}

Result<std::vector<UploadInfo>> UploadRecords::List(std::string_view bucket, ThreadPool& pool) {
  const Result<std::vector<ObjectInfo>> records =
      ListOutside(*client_, RecordsPrefix(client_->location(), bucket), kUploadsMax);
  if (!records.ok()) return records.error();
  std::vector<UploadInfo> out(records->size());
  const Status read = RunSideBySide(pool, records->size(), kReadersAtOnce, [&](size_t i) -> Status {
    Result<UploadInfo> info = Read((*records)[i].key);
    if (info.ok()) out[i] = std::move(*info);
    // One that has just ended leaves its place empty.
    return info.ok() || info.error().code() == ErrorCode::kNotFound ? Status() : info.error();
  });
  if (!read.ok()) return read.error();
  std::erase_if(out, [](const UploadInfo& info) { return info.key.empty(); });
  std::ranges::sort(out, [](const UploadInfo& a, const UploadInfo& b) {
    return std::tie(a.key, a.initiated, a.upload_id) < std::tie(b.key, b.initiated, b.upload_id);
  });
  return out;
}

Result<std::vector<UploadRecords::Old>> UploadRecords::ListOld(Time before) {
  const std::string prefix = RecordsPrefix(client_->location(), "");
  const std::string all = prefix.substr(0, prefix.size() - 1);  // without the slash behind the bucket
  const Result<std::vector<ObjectInfo>> records = ListOutside(*client_, all, kUploadsMax);
  if (!records.ok()) return records.error();
  std::vector<Old> out;
  for (const ObjectInfo& record : *records) {
    if (record.last_modified >= before) continue;
    Result<UploadInfo> info = Read(record.key);
    if (!info.ok() && info.error().code() == ErrorCode::kNotFound) continue;  // it has just ended
    if (!info.ok()) return info.error();
    const std::string rest = record.key.substr(all.size());
    out.push_back({rest.substr(0, rest.find('/')), std::move(*info)});
  }
  return out;
}

}  // namespace argosy::objectstore
