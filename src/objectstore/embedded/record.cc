#include "objectstore/embedded/record.h"

#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/bytes.h"
#include "base/json.h"
#include "objectstore/checksum.h"
#include "objectstore/json_texts.h"

namespace argosy::objectstore {
namespace {

constexpr size_t kXattrBytesMax = 64 * 1024;  // Linux's bound on one attribute
constexpr size_t kReadPiece = 1 << 20;

Json DetailsToJson(const Record& record) {
  Json json = Json::object();
  if (!record.attributes.content_type.empty()) json["content_type"] = record.attributes.content_type;
  if (!record.attributes.headers.empty()) json["headers"] = record.attributes.headers;
  if (!record.attributes.metadata.empty()) json["metadata"] = record.attributes.metadata;
  if (!record.tags.empty()) json["tags"] = record.tags;
  if (record.checksum) {
    json["checksum"] = {{"algorithm", ChecksumName(record.checksum->algorithm)},
                        {"type", ChecksumTypeName(record.checksum->type)},
                        {"value", record.checksum->value}};
  }
  return json;
}

Record DetailsFromJson(const Json& json, std::string etag) {
  Record record;
  record.etag = std::move(etag);
  record.attributes.content_type = TextAt(json, "content_type");
  record.attributes.headers = TextsAt(json, "headers");
  record.attributes.metadata = TextsAt(json, "metadata");
  record.tags = TextsAt(json, "tags");
  if (const auto at = json.find("checksum"); at != json.end() && at->is_object()) {
    const std::optional<ChecksumAlgorithm> algorithm = ParseChecksumName(TextAt(*at, "algorithm"));
    const std::optional<ChecksumType> type = ParseChecksumTypeName(TextAt(*at, "type"));
    if (algorithm && type) record.checksum = Checksum{*algorithm, *type, TextAt(*at, "value")};
  }
  return record;
}

}  // namespace

FileIdentity IdentityOf(const struct stat& stat) {
  return {.inode = stat.st_ino,
          .size = static_cast<uint64_t>(stat.st_size),
          .mtime_ns = static_cast<int64_t>(stat.st_mtim.tv_sec) * 1'000'000'000 + stat.st_mtim.tv_nsec};
}

std::string EncodeDetails(const Record& record) {
  const Json json = DetailsToJson(record);
  return json.empty() ? std::string() : DumpJson(json);
}

Result<Record> DecodeDetails(std::string_view details, std::string etag) {
  if (details.empty()) return Record{.etag = std::move(etag)};
  Result<Json> json = ParseJson(details);
  if (!json.ok() || !json->is_object()) return Error(ErrorCode::kCorrupt, "an object's record is not JSON");
  return DetailsFromJson(*json, std::move(etag));
}

ObjectInfo ToObjectInfo(std::string_view key, const FileIdentity& identity, const Record& record) {
  return {.key = std::string(key),
          .size = identity.size,
          .etag = record.etag,
          .last_modified = FromUnixNanos(identity.mtime_ns),
          .attributes = record.attributes,
          .checksum = record.checksum,
          .tags = record.tags};
}

Result<XattrKept> WriteRecordXattr(int fd, const FileIdentity& identity, const Record& record) {
  Json json = DetailsToJson(record);
  json["etag"] = record.etag;
  json["size"] = identity.size;
  json["mtime_ns"] = identity.mtime_ns;
  const std::string text = DumpJson(json);
  if (fsetxattr(fd, kRecordXattr, text.data(), text.size(), 0) == 0) return XattrKept::kYes;
  // ENOSPC is also what ext4 says when the attribute does not fit into its block: the data's own fsync tells a full
  // disk.
  if (errno == ENOTSUP || errno == ENOSPC || errno == E2BIG || errno == ERANGE || errno == EPERM) {
    fremovexattr(fd, kRecordXattr);
    return XattrKept::kNo;
  }
  return ErrnoError("setting an extended attribute", errno);
}

std::optional<Record> ReadRecordXattr(int fd, const FileIdentity& identity) {
  std::string text(1024, '\0');
  ssize_t n = fgetxattr(fd, kRecordXattr, text.data(), text.size());
  if (n < 0 && errno == ERANGE) {
    text.resize(kXattrBytesMax);
    n = fgetxattr(fd, kRecordXattr, text.data(), text.size());
  }
  if (n < 0) return std::nullopt;
  text.resize(static_cast<size_t>(n));
  Result<Json> json = ParseJson(text);
  if (!json.ok() || !json->is_object()) return std::nullopt;
  const auto size = json->find("size");
  const auto mtime = json->find("mtime_ns");
  if (size == json->end() || !size->is_number_unsigned() || size->get<uint64_t>() != identity.size) return std::nullopt;
  if (mtime == json->end() || !mtime->is_number_integer() || mtime->get<int64_t>() != identity.mtime_ns) {
    return std::nullopt;
  }
  std::string etag = TextAt(*json, "etag");
  if (etag.empty()) return std::nullopt;
  return DetailsFromJson(*json, std::move(etag));
}

namespace {

Status ReadWholeFile(int fd, const std::function<void(std::string_view piece)>& take) {
  std::vector<char> buffer(kReadPiece);
  off_t at = 0;
  for (;;) {
    const ssize_t n = pread(fd, buffer.data(), buffer.size(), at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoError("reading an object", errno);
    if (n == 0) return {};
    take(std::string_view(buffer.data(), static_cast<size_t>(n)));
    at += n;
  }
}

}  // namespace

Result<std::string> HashFileMd5(int fd) {
  Md5Hasher hasher;
  const Status read = ReadWholeFile(fd, [&](std::string_view piece) { hasher.Update(piece); });
  return read.ok() ? Result<std::string>(hasher.Digest()) : read.error();
}

Result<Checksum> HashFileChecksum(int fd, ChecksumAlgorithm algorithm) {
  const std::unique_ptr<ChecksumHasher> hasher = NewChecksumHasher(algorithm);
  const Status read = ReadWholeFile(fd, [&](std::string_view piece) { hasher->Update(piece); });
  if (!read.ok()) return read.error();
  return Checksum{.algorithm = algorithm, .type = ChecksumType::kFullObject, .value = ToBase64(hasher->Finish())};
}

Result<Record> RecordOfFile(int fd, const FileIdentity& identity) {
  std::optional<Record> kept = ReadRecordXattr(fd, identity);
  if (kept) return std::move(*kept);
  Result<std::string> md5 = HashFileMd5(fd);
  if (!md5.ok()) return md5.error();
  return Record{.etag = ToHex(*md5)};
}

}  // namespace argosy::objectstore
