#include "objectstore/object_store.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/bytes.h"

namespace argosy::objectstore {
namespace {

bool LooksLikeIpv4(std::string_view text) {
  int fields = 0;
  size_t at = 0;
  while (at <= text.size()) {
    const size_t dot = std::min(text.find('.', at), text.size());
    const std::string_view field = text.substr(at, dot - at);
    if (field.empty() || field.size() > 3) return false;
    if (!std::ranges::all_of(field, [](char c) { return c >= '0' && c <= '9'; })) return false;
    ++fields;
    at = dot + 1;
  }
  return fields == 4;
}

}  // namespace

Status CheckPrecondition(const Precondition& precondition, const ObjectInfo* present) {
  if (present == nullptr) {
    return precondition.etag.empty() ? Status() : Error(ErrorCode::kNotFound, "there is no object of this key");
  }
  const auto conflict = [](std::string why) { return Error(ErrorCode::kConflict, std::move(why)); };
  if (precondition.must_not_exist) return conflict("the object exists already");
  if (!precondition.etag.empty() && precondition.etag != "*" && precondition.etag != present->etag) {
    return conflict("the object's ETag is " + present->etag);
  }
  if (precondition.size && *precondition.size != present->size) {
    return conflict("the object's size is " + std::to_string(present->size));
  }
  const auto seconds = [](Time time) { return std::chrono::floor<std::chrono::seconds>(time); };
  if (precondition.last_modified && seconds(*precondition.last_modified) != seconds(present->last_modified)) {
    return conflict("the object was modified at another time");
  }
  return {};
}

bool IsValidBucketName(std::string_view bucket) {
  if (bucket.size() < 3 || bucket.size() > 63) return false;
  auto is_alnum = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (!is_alnum(bucket.front()) || !is_alnum(bucket.back())) return false;
  for (size_t i = 0; i < bucket.size(); ++i) {
    const char c = bucket[i];
    if (!is_alnum(c) && c != '-' && c != '.') return false;
    if (c == '.' && bucket[i - 1] == '.') return false;
  }
  return !LooksLikeIpv4(bucket);
}

Error InvalidBucketName(std::string_view bucket) {
  return Invalid("'" + std::string(bucket.substr(0, 80)) + "' is no bucket name: " + std::string(kBucketNameRule));
}

Status ValidateKey(std::string_view key) {
  if (key.empty()) return Error(ErrorCode::kInvalidArgument, "an object key must not be empty");
  if (key.size() > kKeyBytesMax) {
    return Error(ErrorCode::kInvalidArgument, "an object key of " + std::to_string(key.size()) +
                                                  " bytes is longer than " + std::to_string(kKeyBytesMax) + " bytes");
  }
  if (key.find('\0') != std::string_view::npos) {
    return Error(ErrorCode::kInvalidArgument, "an object key must not contain a NUL byte");
  }
  if (!IsValidUtf8(key)) return Error(ErrorCode::kInvalidArgument, "an object key must be UTF-8");
  return {};
}

Result<S3Uri> ParseS3Uri(std::string_view uri) {
  constexpr std::string_view kScheme = "s3://";
  auto refuse = [&](std::string_view why) {
    return Error(ErrorCode::kInvalidArgument,
                 "'" + std::string(uri) + "' is no S3 URI (s3://bucket/key): " + std::string(why));
  };
  if (!uri.starts_with(kScheme)) return refuse("it does not begin with s3://");
  const std::string_view rest = uri.substr(kScheme.size());
  const size_t slash = rest.find('/');
  S3Uri out;
  out.bucket = std::string(rest.substr(0, slash));
  if (slash != std::string_view::npos) out.key = std::string(rest.substr(slash + 1));
  if (!IsValidBucketName(out.bucket)) return refuse(InvalidBucketName(out.bucket).message());
  if (!out.key.empty()) {
    const Status valid = ValidateKey(out.key);
    if (!valid.ok()) return refuse(valid.error().message());
  }
  return out;
}

Result<ObjectInfo> PutBytes(ObjectStore& store, std::string_view bucket, std::string_view key, std::string_view bytes,
                            std::string_view content_type) {
  PutOptions options;
  options.attributes.content_type = std::string(content_type);
  Result<std::unique_ptr<ObjectWriter>> writer = store.StartPut(bucket, key, std::move(options));
  if (!writer.ok()) return writer.error();
  const Status written = (*writer)->Append(bytes);
  if (!written.ok()) return written.error();
  return (*writer)->Commit();
}

Result<std::string> ReadBytes(ObjectReader& reader, std::string_view bucket, std::string_view key, size_t size_max) {
  Result<OpenObject> object = reader.Open(bucket, key);
  if (!object.ok()) return object.error();
  if (object->info.size > size_max) {
    return Error(ErrorCode::kInvalidArgument, "s3://" + std::string(bucket) + "/" + std::string(key) + " has " +
                                                  std::to_string(object->info.size) + " bytes; at most " +
                                                  std::to_string(size_max) + " are allowed here");
  }
  if (Status fetched = Fetch(*object, 0, object->info.size); !fetched.ok()) return fetched.error();
  std::string out(object->info.size, '\0');
  size_t at = 0;
  while (at < out.size()) {
    const ssize_t n = pread(object->file->get(), out.data() + at, out.size() - at, static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoError("reading s3://" + std::string(bucket) + "/" + std::string(key), errno);
    if (n == 0) return Error(ErrorCode::kCorrupt, "the object became shorter while it was read");
    at += static_cast<size_t>(n);
  }
  return out;
}

Result<std::vector<ObjectInfo>> ListAll(ObjectReader& reader, std::string_view bucket, std::string_view prefix,
                                        size_t keys_max) {
  ListRequest request;
  request.bucket = std::string(bucket);
  request.prefix = std::string(prefix);
  std::vector<ObjectInfo> out;
  for (;;) {
    Result<ListPage> page = reader.List(request);
    if (!page.ok()) return page.error();
    if (out.size() + page->objects.size() > keys_max) {
      return Error(ErrorCode::kInvalidArgument, "s3://" + request.bucket + "/" + request.prefix + " holds more than " +
                                                    std::to_string(keys_max) + " objects");
    }
    std::ranges::move(page->objects, std::back_inserter(out));
    if (page->next_token.empty()) return out;
    request.token = std::move(page->next_token);
  }
}

}  // namespace argosy::objectstore
