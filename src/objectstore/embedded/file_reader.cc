#include "objectstore/embedded/file_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/bytes.h"
#include "objectstore/embedded/key_path.h"

namespace argosy::objectstore {

Error NoSuchKey(std::string_view bucket, std::string_view key) {
  return Error(ErrorCode::kNotFound, "there is no object s3://" + std::string(bucket) + "/" + std::string(key));
}

std::string FileReader::PathOf(std::string_view bucket, std::string_view key) {
  return std::string(bucket) + "/" + KeyToPath(key);
}

Status FileReader::HeadBucket(std::string_view bucket) const {
  struct stat stat;
  if (IsValidBucketName(bucket)) {
    if (fstatat(root_fd_, std::string(bucket).c_str(), &stat, AT_SYMLINK_NOFOLLOW) == 0) {
      if (S_ISDIR(stat.st_mode)) return {};
    } else if (errno != ENOENT) {
      return ErrnoError("looking for the bucket " + std::string(bucket), errno);
    }
  }
  return Error(ErrorCode::kNotFound, "there is no bucket '" + std::string(bucket) + "'");
}

Result<Found> FileReader::Look(std::string_view bucket, std::string_view key) const {
  const Status valid = ValidateKey(key);
  if (!valid.ok()) return valid.error();
  if (!IsValidBucketName(bucket)) return HeadBucket(bucket).error();
  Found found;
  // Not blocking: something that is no object (a pipe put there by hand) must not hold the caller.
  UniqueFd fd(openat(root_fd_, PathOf(bucket, key).c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (fd.valid()) {
    struct stat stat;
    if (fstat(fd.get(), &stat) != 0) return ErrnoError("looking at an object", errno);
    if (S_ISREG(stat.st_mode)) {
      found.identity = IdentityOf(stat);
      found.file = std::move(fd);
    }
  } else if (errno == ENOENT || errno == ENOTDIR) {
    const Status bucket_there = HeadBucket(bucket);
    if (!bucket_there.ok()) return bucket_there.error();
  } else if (errno != ELOOP) {  // a symbolic link is no object
    return ErrnoError("opening s3://" + std::string(bucket) + "/" + std::string(key), errno);
  }
  Result<std::optional<IndexRow>> row = index_->Find(bucket, key);
  if (!row.ok()) return row.error();
  found.row = std::move(*row);
  const bool agrees = found.file ? found.row && found.row->identity == found.identity : !found.row;
  found.agreement = agrees ? Agreement::kAgrees : Agreement::kDisagrees;
  return found;
}

Result<Record> FileReader::RecordOf(const Found& found) const {
  if (found.row && found.row->identity == found.identity) return DecodeDetails(found.row->details, found.row->etag);
  return RecordOfFile(found.file->get(), found.identity);
}

Result<OpenObject> FileReader::Open(Found found, std::string_view bucket, std::string_view key) const {
  if (!found.file) return NoSuchKey(bucket, key);
  Result<Record> record = RecordOf(found);
  if (!record.ok()) return record.error();
  return OpenObject{.file = std::make_shared<UniqueFd>(std::move(*found.file)),
                    .info = ToObjectInfo(key, found.identity, *record)};
}

Result<ListPage> FileReader::List(const ListRequest& request) const {
  const Status bucket_there = HeadBucket(request.bucket);
  if (!bucket_there.ok()) return bucket_there.error();
  std::string from;
  if (!request.token.empty()) {
    std::optional<std::string> decoded = FromBase64(request.token);
    if (!decoded || decoded->size() > kKeyBytesMax + 1) {
      return Error(ErrorCode::kInvalidArgument, "The continuation token provided is incorrect");
    }
    from = std::move(*decoded);
  } else if (!request.start_after.empty()) {
    from = request.start_after + '\0';
  }
  const size_t max = std::min(request.max_keys, kPageKeysMax);
  if (max == 0) return ListPage();
  Result<IndexPage> page = index_->List(request.bucket, request.prefix, request.delimiter, std::move(from), max);
  if (!page.ok()) return page.error();
  ListPage out;
  out.objects.reserve(page->entries.size());
  for (IndexPage::Entry& entry : page->entries) {
    ObjectInfo info;
    info.key = std::move(entry.key);
    info.size = entry.row.identity.size;
    info.etag = std::move(entry.row.etag);
    info.last_modified = FromUnixNanos(entry.row.identity.mtime_ns);
    out.objects.push_back(std::move(info));
  }
  out.common_prefixes = std::move(page->common_prefixes);
  if (page->next) out.next_token = ToBase64(*page->next);
  return out;
}

Result<std::filesystem::path> FileReader::LocalPath(std::string_view bucket, std::string_view key) const {
  Result<Found> found = Look(bucket, key);
  if (!found.ok()) return found.error();
  if (!found->file) return NoSuchKey(bucket, key);
  return root_ / PathOf(bucket, key);
}

}  // namespace argosy::objectstore
