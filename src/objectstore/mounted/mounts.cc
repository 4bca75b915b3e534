#include "objectstore/mounted/mounts.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/bytes.h"
#include "objectstore/checksum.h"
#include "objectstore/embedded/file_reader.h"
#include "objectstore/json_texts.h"
#include "objectstore/mounted/folder_reader.h"

namespace argosy::objectstore {
namespace {

constexpr char kMountsName[] = "mounts.json";
constexpr size_t kMountsBytesMax = 1 << 20;
constexpr size_t kMountedPiece = 1 << 20;

Error ReadOnly(std::string_view bucket) {
  return Error(ErrorCode::kPermissionDenied,
               "the bucket '" + std::string(bucket) + "' is a mounted folder, which is only read");
}

// Whether `inner` is `outer` or lies below it: by what the directories are, so that links and bind mounts make no
// difference.
bool IsWithin(const std::filesystem::path& inner, const std::filesystem::path& outer) {
  std::error_code error;
  std::filesystem::path at = std::filesystem::canonical(inner, error);
  while (!at.empty()) {
    if (std::filesystem::equivalent(at, outer, error)) return true;
    if (!at.has_relative_path()) return false;
    at = at.parent_path();
  }
  return false;
}

// Every user may read a mounted folder, and the data directory holds the keys and objects of all.
Status RefuseDataDirectory(const Mounts& mounts, const std::filesystem::path& data_dir) {
  for (const auto& [bucket, folder] : mounts) {
    const bool below = IsWithin(folder, data_dir);
    if (!below && !IsWithin(data_dir, folder)) continue;
    return Error(ErrorCode::kInvalidArgument,
                 "the folder " + folder.string() + " of bucket '" + bucket + "' " + (below ? "lies in" : "holds") +
                     " the data directory " + data_dir.string() + ", which nobody may read; mount " +
                     (below ? "another" : "the folders beside it") + ", or name another data directory by --data-dir");
  }
  return {};
}

using Folders = std::map<std::string, std::unique_ptr<FolderReader>, std::less<>>;

Result<Folders> OpenFolders(const Mounts& mounts) {
  Folders folders;
  for (const auto& [bucket, path] : mounts) {
    if (!IsValidBucketName(bucket)) return InvalidBucketName(bucket);
    Result<std::unique_ptr<FolderReader>> folder = FolderReader::Open(path);
    if (!folder.ok()) return folder.error().Wrap("the folder of bucket '" + bucket + "'");
    folders.emplace(bucket, std::move(*folder));
  }
  return folders;
}

// Who answers for a bucket.
ObjectReader& ReaderOf(const Folders& folders, ObjectReader& own, std::string_view bucket) {
  const auto folder = folders.find(bucket);
  return folder == folders.end() ? own : *folder->second;
}

class MountedReader final : public ObjectReader {
 public:
  MountedReader(std::unique_ptr<ObjectReader> own, Folders folders)
      : own_(std::move(own)), folders_(std::move(folders)) {}

  Status HeadBucket(std::string_view bucket) override { return Of(bucket).HeadBucket(bucket); }
  Result<ObjectInfo> Head(std::string_view bucket, std::string_view key) override {
    return Of(bucket).Head(bucket, key);
  }
  Result<OpenObject> Open(std::string_view bucket, std::string_view key) override {
    return Of(bucket).Open(bucket, key);
  }
  Result<ListPage> List(const ListRequest& request) override { return Of(request.bucket).List(request); }
  Result<std::filesystem::path> LocalPath(std::string_view bucket, std::string_view key) override {
    return Of(bucket).LocalPath(bucket, key);
  }

 private:
  ObjectReader& Of(std::string_view bucket) { return ReaderOf(folders_, *own_, bucket); }

  const std::unique_ptr<ObjectReader> own_;
  const Folders folders_;
};

class MountedStore final : public ObjectStore {
 public:
  MountedStore(std::unique_ptr<ObjectStore> own, Folders folders, const Mounts& mounts)
      : own_(std::move(own)), folders_(std::move(folders)), mounts_(mounts) {}

  Status HeadBucket(std::string_view bucket) override { return Of(bucket).HeadBucket(bucket); }
  Result<ObjectInfo> Head(std::string_view bucket, std::string_view key) override {
    return Of(bucket).Head(bucket, key);
  }
  Result<OpenObject> Open(std::string_view bucket, std::string_view key) override {
    return Of(bucket).Open(bucket, key);
  }
  Result<ListPage> List(const ListRequest& request) override { return Of(request.bucket).List(request); }
  Result<std::filesystem::path> LocalPath(std::string_view bucket, std::string_view key) override {
    return Of(bucket).LocalPath(bucket, key);
  }

  Status CreateBucket(std::string_view bucket) override {
    if (IsMounted(bucket)) {
      return Error(ErrorCode::kAlreadyExists, "the bucket '" + std::string(bucket) + "' exists already");
    }
    return own_->CreateBucket(bucket);
  }
  Status DeleteBucket(std::string_view bucket) override {
    return IsMounted(bucket) ? ReadOnly(bucket) : own_->DeleteBucket(bucket);
  }
  Result<std::vector<BucketInfo>> ListBuckets() override;

  Result<std::unique_ptr<ObjectWriter>> StartPut(std::string_view bucket, std::string_view key,
                                                 PutOptions options) override {
    if (IsMounted(bucket)) return ReadOnly(bucket);
    return own_->StartPut(bucket, key, std::move(options));
  }
  Status DeleteIf(std::string_view bucket, std::string_view key, const Precondition& precondition) override {
    return IsMounted(bucket) ? ReadOnly(bucket) : own_->DeleteIf(bucket, key, precondition);
  }
  Result<ObjectInfo> Copy(std::string_view source_bucket, std::string_view source_key, std::string_view bucket,
                          std::string_view key, CopyOptions options) override;
  Status SetTags(std::string_view bucket, std::string_view key, Tags tags) override {
    return IsMounted(bucket) ? ReadOnly(bucket) : own_->SetTags(bucket, key, std::move(tags));
  }
  Status SetBucketTags(std::string_view bucket, Tags tags) override {
    return IsMounted(bucket) ? ReadOnly(bucket) : own_->SetBucketTags(bucket, std::move(tags));
  }
  Result<Tags> BucketTags(std::string_view bucket) override {
    return IsMounted(bucket) ? Tags() : own_->BucketTags(bucket);
  }
  Result<ObjectInfo> PublishFile(const std::filesystem::path& source, std::string_view bucket, std::string_view key,
                                 Attributes attributes) override {
    if (IsMounted(bucket)) return ReadOnly(bucket);
    return own_->PublishFile(source, bucket, key, std::move(attributes));
  }

  Result<std::string> CreateUpload(std::string_view bucket, std::string_view key, UploadOptions options) override {
    if (IsMounted(bucket)) return ReadOnly(bucket);
    return own_->CreateUpload(bucket, key, std::move(options));
  }
  void Stop() override { own_->Stop(); }
  // No mounted bucket has uploads: the store, which has no such bucket, says that they are not there.
  Result<UploadInfo> FindUpload(std::string_view bucket, std::string_view key, std::string_view upload_id) override {
    return own_->FindUpload(bucket, key, upload_id);
  }
  Result<std::unique_ptr<ObjectWriter>> StartPart(std::string_view bucket, std::string_view key,
                                                  std::string_view upload_id, int part_number) override {
    return own_->StartPart(bucket, key, upload_id, part_number);
  }
  Result<std::vector<PartInfo>> ListParts(std::string_view bucket, std::string_view key,
                                          std::string_view upload_id) override {
    return own_->ListParts(bucket, key, upload_id);
  }
  Result<ObjectInfo> CompleteUpload(std::string_view bucket, std::string_view key, std::string_view upload_id,
                                    const std::vector<CompletedPart>& parts, Precondition precondition) override {
    return own_->CompleteUpload(bucket, key, upload_id, parts, std::move(precondition));
  }
  Status AbortUpload(std::string_view bucket, std::string_view key, std::string_view upload_id) override {
    return own_->AbortUpload(bucket, key, upload_id);
  }
  Result<std::vector<UploadInfo>> ListUploads(std::string_view bucket) override {
    return IsMounted(bucket) ? std::vector<UploadInfo>() : own_->ListUploads(bucket);
  }
  Result<size_t> ExpireUploads(Time before) override { return own_->ExpireUploads(before); }

 private:
  bool IsMounted(std::string_view bucket) const { return folders_.contains(bucket); }
  ObjectReader& Of(std::string_view bucket) { return ReaderOf(folders_, *own_, bucket); }

  const std::unique_ptr<ObjectStore> own_;
  const Folders folders_;
  const Mounts mounts_;
};

Result<std::vector<BucketInfo>> MountedStore::ListBuckets() {
  Result<std::vector<BucketInfo>> buckets = own_->ListBuckets();
  if (!buckets.ok()) return buckets;
  for (const auto& [bucket, path] : mounts_) {
    struct stat stat;
    const bool there = ::stat(path.c_str(), &stat) == 0;
    buckets->push_back({.name = bucket, .created = there ? FromUnixNanos(IdentityOf(stat).mtime_ns) : Time()});
  }
  std::ranges::sort(*buckets, {}, &BucketInfo::name);
  return buckets;
}

Result<ObjectInfo> MountedStore::Copy(std::string_view source_bucket, std::string_view source_key,
                                      std::string_view bucket, std::string_view key, CopyOptions options) {
  if (IsMounted(bucket)) return ReadOnly(bucket);
  if (!IsMounted(source_bucket)) {
    return own_->Copy(source_bucket, source_key, bucket, key, std::move(options));
  }
  const Result<OpenObject> source = Of(source_bucket).Open(source_bucket, source_key);
  if (!source.ok()) return source.error();
  if (!options.source_etag.empty() && options.source_etag != source->info.etag) {
    return Error(ErrorCode::kConflict, "the source's ETag is " + source->info.etag);
  }
  PutOptions put{.attributes = options.attributes.value_or(Attributes()),
                 .tags = options.tags.value_or(Tags()),
                 .precondition = std::move(options.precondition),
                 .checksum_algorithm = options.checksum_algorithm};
  Result<std::unique_ptr<ObjectWriter>> writer = own_->StartPut(bucket, key, std::move(put));
  if (!writer.ok()) return writer.error();
  const std::unique_ptr<ChecksumHasher> checksum =
      options.checksum_algorithm ? NewChecksumHasher(*options.checksum_algorithm) : nullptr;
  std::vector<char> piece(kMountedPiece);
  while ((*writer)->size() < source->info.size) {
    const ssize_t n = pread(source->file->get(), piece.data(), piece.size(), static_cast<off_t>((*writer)->size()));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoError("reading a mounted file", errno);
    if (n == 0) return Error(ErrorCode::kConflict, "the file became shorter while it was copied");
    const std::string_view bytes(piece.data(), static_cast<size_t>(n));
    if (Status taken = (*writer)->Append(bytes); !taken.ok()) return taken.error();
    if (checksum != nullptr) checksum->Update(bytes);
  }
  if (checksum != nullptr) {
    (*writer)->SetChecksum({*options.checksum_algorithm, ChecksumType::kFullObject, ToBase64(checksum->Finish())});
  }
  return (*writer)->Commit();
}

std::map<std::string, std::string> PathsOf(const Mounts& mounts) {
  std::map<std::string, std::string> out;
  for (const auto& [bucket, path] : mounts) out[bucket] = path.string();
  return out;
}

}  // namespace

Result<std::unique_ptr<ObjectStore>> MountFolders(std::unique_ptr<ObjectStore> store, const Mounts& mounts,
                                                  const std::filesystem::path& dir,
                                                  const std::filesystem::path& data_dir) {
  Result<Folders> folders = OpenFolders(mounts);
  if (!folders.ok()) return folders.error();
  if (Status apart = RefuseDataDirectory(mounts, data_dir); !apart.ok()) return apart.error();
  for (const auto& [bucket, path] : mounts) {
    if (!store->HeadBucket(bucket).ok()) continue;
    return Error(ErrorCode::kAlreadyExists,
                 "there is a bucket '" + bucket + "' already: mount the folder " + path.string() + " by another name");
  }
  const std::filesystem::path file = dir / kMountsName;
  if (Status written = WriteFileDurably(file, DumpTexts(PathsOf(mounts))); !written.ok()) return written.error();
  if (mounts.empty()) return store;
  return std::unique_ptr<ObjectStore>(std::make_unique<MountedStore>(std::move(store), std::move(*folders), mounts));
}

Result<std::unique_ptr<ObjectReader>> MountFolders(std::unique_ptr<ObjectReader> reader,
                                                   const std::filesystem::path& dir) {
  const Result<std::string> text = ReadFile(dir / kMountsName, kMountsBytesMax);
  if (!text.ok()) {
    if (text.error().code() == ErrorCode::kNotFound) return reader;
    return text.error();
  }
  const Result<std::map<std::string, std::string>> paths = ParseTexts(*text);
  if (!paths.ok()) return paths.error().Wrap("the list of mounted folders is damaged");
  Folders folders;
  for (const auto& [bucket, path] : *paths) {
    // One that has gone since is not there, for those alone who ask for it.
    Result<std::unique_ptr<FolderReader>> folder = FolderReader::Open(path);
    if (folder.ok()) folders.emplace(bucket, std::move(*folder));
  }
  if (folders.empty()) return reader;
  return std::unique_ptr<ObjectReader>(std::make_unique<MountedReader>(std::move(reader), std::move(folders)));
}

}  // namespace argosy::objectstore
