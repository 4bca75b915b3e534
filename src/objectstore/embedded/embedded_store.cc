#include "objectstore/embedded/embedded_store.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <shared_mutex>

#include "base/bytes.h"
#include "objectstore/checksum.h"
#include "objectstore/embedded/bucket_tags.h"
#include "objectstore/embedded/index.h"
#include "objectstore/embedded/layout.h"
#include "objectstore/embedded/object_files.h"
#include "objectstore/embedded/rebuild.h"
#include "objectstore/embedded/staging.h"
#include "objectstore/embedded/uploads.h"
#include "objectstore/stripes.h"

namespace argosy::objectstore {
namespace {

class Store final : public ObjectStore {
 public:
  Store(const Clock* clock, StepHook hook, UniqueFd lock, std::unique_ptr<StagingArea> staging,
        std::unique_ptr<Uploads> uploads, UniqueFd root, const std::filesystem::path& dir,
        std::unique_ptr<IndexWriter> writer)
      : lock_(std::move(lock)),
        staging_(std::move(staging)),
        uploads_(std::move(uploads)),
        bucket_tags_(dir / kBucketTagsName),
        files_(clock, std::move(hook), std::move(root), dir, std::move(writer)) {}

  Status HeadBucket(std::string_view bucket) override { return files_.reader().HeadBucket(bucket); }
  Result<ObjectInfo> Head(std::string_view bucket, std::string_view key) override;
  Result<OpenObject> Open(std::string_view bucket, std::string_view key) override { return files_.Open(bucket, key); }
  Result<ListPage> List(const ListRequest& request) override { return files_.reader().List(request); }
  Result<std::filesystem::path> LocalPath(std::string_view bucket, std::string_view key) override {
    return files_.reader().LocalPath(bucket, key);
  }

  Status CreateBucket(std::string_view bucket) override;
  Status DeleteBucket(std::string_view bucket) override;
  Result<std::vector<BucketInfo>> ListBuckets() override { return files_.ListBuckets(); }

  Result<std::unique_ptr<ObjectWriter>> StartPut(std::string_view bucket, std::string_view key,
                                                 PutOptions options) override;
  Status DeleteIf(std::string_view bucket, std::string_view key, const Precondition& precondition) override {
    return files_.Delete(bucket, key, precondition);
  }
  Result<ObjectInfo> Copy(std::string_view source_bucket, std::string_view source_key, std::string_view bucket,
                          std::string_view key, CopyOptions options) override;
  Result<ObjectInfo> PublishFile(const std::filesystem::path& source, std::string_view bucket, std::string_view key,
                                 Attributes attributes) override;

  Status SetTags(std::string_view bucket, std::string_view key, Tags tags) override {
    return files_.SetTags(bucket, key, std::move(tags));
  }
  Status SetBucketTags(std::string_view bucket, Tags tags) override;
  Result<Tags> BucketTags(std::string_view bucket) override;

  Result<std::string> CreateUpload(std::string_view bucket, std::string_view key, UploadOptions options) override;
  Result<UploadInfo> FindUpload(std::string_view bucket, std::string_view key, std::string_view upload_id) override;
  Result<std::unique_ptr<ObjectWriter>> StartPart(std::string_view bucket, std::string_view key,
                                                  std::string_view upload_id, int part_number) override;
  Result<std::vector<PartInfo>> ListParts(std::string_view bucket, std::string_view key,
                                          std::string_view upload_id) override;
  Result<ObjectInfo> CompleteUpload(std::string_view bucket, std::string_view key, std::string_view upload_id,
                                    const std::vector<CompletedPart>& parts, Precondition precondition) override;
  Status AbortUpload(std::string_view bucket, std::string_view key, std::string_view upload_id) override;
  Result<std::vector<UploadInfo>> ListUploads(std::string_view bucket) override;
  Result<size_t> ExpireUploads(Time before) override;

 private:
  const UniqueFd lock_;
  const std::unique_ptr<StagingArea> staging_;
  const std::unique_ptr<Uploads> uploads_;
  const BucketTagFiles bucket_tags_;
  std::shared_mutex buckets_mutex_;  // exclusive: a bucket comes or goes, or its tags change
  Stripes upload_stripes_;
  ObjectFiles files_;
};

class PutWriter final : public ObjectWriter {
 public:
  PutWriter(ObjectFiles* files, std::string bucket, std::string key, PutOptions options,
            std::unique_ptr<StagedFile> staged)
      : files_(files),
        bucket_(std::move(bucket)),
        key_(std::move(key)),
        precondition_(std::move(options.precondition)),
        record_{.attributes = std::move(options.attributes), .tags = std::move(options.tags)},
        staged_(std::move(staged)) {}

  Status Append(std::string_view piece) override { return staged_->Append(piece); }
  uint64_t size() const override { return staged_->size(); }
  std::string Md5() const override { return staged_->Md5(); }
  void SetChecksum(Checksum checksum) override { record_.checksum = std::move(checksum); }
  Result<ObjectInfo> Commit() override {
    record_.etag = ToHex(staged_->Md5());
    return files_->Commit(*staged_, bucket_, key_, record_, precondition_);
  }

 private:
  ObjectFiles* const files_;
  const std::string bucket_;
  const std::string key_;
  const Precondition precondition_;
  Record record_;
  const std::unique_ptr<StagedFile> staged_;
};

Result<ObjectInfo> Store::Head(std::string_view bucket, std::string_view key) {
  Result<OpenObject> object = Open(bucket, key);
  return object.ok() ? std::move(object->info) : Result<ObjectInfo>(object.error());
}

Status Store::CreateBucket(std::string_view bucket) {
  if (!IsValidBucketName(bucket)) return InvalidBucketName(bucket);
  const std::unique_lock lock(buckets_mutex_);
  // Of one that was deleted just when the server ended.
  if (!files_.reader().HeadBucket(bucket).ok()) {
    if (Status cleared = bucket_tags_.Write(bucket, {}); !cleared.ok()) return cleared;
  }
  return files_.MakeBucket(bucket);
}

Status Store::DeleteBucket(std::string_view bucket) {
  const std::unique_lock lock(buckets_mutex_);
  if (Status removed = files_.RemoveBucket(bucket); !removed.ok()) return removed;
  if (Status cleared = bucket_tags_.Write(bucket, {}); !cleared.ok()) return cleared;
  return uploads_->RemoveAllOf(bucket);
}

Status Store::SetBucketTags(std::string_view bucket, Tags tags) {
  const std::unique_lock lock(buckets_mutex_);
  if (Status there = files_.reader().HeadBucket(bucket); !there.ok()) return there;
  return bucket_tags_.Write(bucket, tags);
}

Result<Tags> Store::BucketTags(std::string_view bucket) {
  const std::shared_lock lock(buckets_mutex_);
  if (Status there = files_.reader().HeadBucket(bucket); !there.ok()) return there.error();
  return bucket_tags_.Read(bucket);
}

Result<std::unique_ptr<ObjectWriter>> Store::StartPut(std::string_view bucket, std::string_view key,
                                                      PutOptions options) {
  const Status valid = files_.ValidatePlace(bucket, key);
  if (!valid.ok()) return valid.error();
  Result<std::unique_ptr<StagedFile>> staged = staging_->NewFile();
  if (!staged.ok()) return staged.error();
  return std::unique_ptr<ObjectWriter>(std::make_unique<PutWriter>(&files_, std::string(bucket), std::string(key),
                                                                   std::move(options), std::move(*staged)));
}

Result<ObjectInfo> Store::Copy(std::string_view source_bucket, std::string_view source_key, std::string_view bucket,
                               std::string_view key, CopyOptions options) {
  Result<OpenObject> source = Open(source_bucket, source_key);
  if (!source.ok()) return source.error();
  if (!options.source_etag.empty() && options.source_etag != source->info.etag) {
    return Error(ErrorCode::kConflict, "the source's ETag is " + source->info.etag);
  }
  const Status valid = files_.ValidatePlace(bucket, key);
  if (!valid.ok()) return valid.error();
  Record record{.etag = source->info.etag,
                .attributes = options.attributes ? std::move(*options.attributes) : source->info.attributes,
                .checksum = source->info.checksum,
                .tags = options.tags ? std::move(*options.tags) : source->info.tags};
  if (record.etag.find('-') != std::string::npos) {
    // The copy is one piece: its ETag is that of its bytes.
    Result<std::string> md5 = HashFileMd5(source->file->get());
    if (!md5.ok()) return md5.error();
    record.etag = ToHex(*md5);
    if (record.checksum && record.checksum->type == ChecksumType::kComposite) record.checksum.reset();
  }
  if (options.checksum_algorithm && (!record.checksum || record.checksum->algorithm != *options.checksum_algorithm)) {
    Result<Checksum> checksum = HashFileChecksum(source->file->get(), *options.checksum_algorithm);
    if (!checksum.ok()) return checksum.error();
    record.checksum = std::move(*checksum);
  }
  Result<std::unique_ptr<StagedFile>> staged = staging_->NewFile();
  if (!staged.ok()) return staged.error();
  const Status copied = (*staged)->AppendFile(source->file->get(), source->info.size);
  if (!copied.ok()) return copied.error();
  return files_.Commit(**staged, bucket, key, record, options.precondition);
}

Result<ObjectInfo> Store::PublishFile(const std::filesystem::path& source, std::string_view bucket,
                                      std::string_view key, Attributes attributes) {
  const Status valid = files_.ValidatePlace(bucket, key);
  if (!valid.ok()) return valid.error();
  Result<UniqueFd> file = OpenFile(source, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!file.ok()) return file.error();
  struct stat stat;
  if (fstat(file->get(), &stat) != 0) return ErrnoError("looking at " + source.string(), errno);
  if (!S_ISREG(stat.st_mode)) {
    return Error(ErrorCode::kInvalidArgument, source.string() + " is no ordinary file and cannot be published");
  }
  Result<std::string> md5 = HashFileMd5(file->get());
  if (!md5.ok()) return md5.error();
  const Record record{.etag = ToHex(*md5), .attributes = std::move(attributes)};
  Result<ObjectInfo> present = Head(bucket, key);
  const bool is_told = present.ok() || present.error().code() == ErrorCode::kNotFound ||
                       present.error().code() == ErrorCode::kCorrupt;  // what is damaged is written anew
  if (!is_told) return present;
  if (present.ok() && present->size == static_cast<uint64_t>(stat.st_size) && present->etag == record.etag &&
      present->attributes == record.attributes) {
    return present;
  }
  // A link shares time and attributes with its source, so only a file that has no other name may be linked: one that
  // has may be an object already.
  if (stat.st_nlink == 1) {
    Result<std::unique_ptr<StagedFile>> link = staging_->NewLink(source);
    if (link.ok()) return files_.Commit(**link, bucket, key, record, Precondition());
  }
  Result<std::unique_ptr<StagedFile>> copy = staging_->NewFile();
  if (!copy.ok()) return copy.error();
  const Status copied = (*copy)->AppendFile(file->get(), static_cast<uint64_t>(stat.st_size));
  if (!copied.ok()) return copied.error();
  return files_.Commit(**copy, bucket, key, record, Precondition());
}

Result<std::string> Store::CreateUpload(std::string_view bucket, std::string_view key, UploadOptions options) {
  const Status valid = files_.ValidatePlace(bucket, key);
  if (!valid.ok()) return valid.error();
  return uploads_->Create(bucket, key, options);
}

Result<UploadInfo> Store::FindUpload(std::string_view bucket, std::string_view key, std::string_view upload_id) {
  const Status valid = files_.ValidatePlace(bucket, key);
  if (!valid.ok()) return valid.error();
  return uploads_->Find(bucket, key, upload_id);
}

Result<std::unique_ptr<ObjectWriter>> Store::StartPart(std::string_view bucket, std::string_view key,
                                                       std::string_view upload_id, int part_number) {
  Result<UploadInfo> upload = FindUpload(bucket, key, upload_id);
  if (!upload.ok()) return upload.error();
  if (part_number < 1 || part_number > kPartNumberMax) {
    return Error(ErrorCode::kInvalidArgument,
                 "part number " + std::to_string(part_number) + " is not among 1 to " + std::to_string(kPartNumberMax));
  }
  return uploads_->StartPart(upload_id, part_number);
}

Result<std::vector<PartInfo>> Store::ListParts(std::string_view bucket, std::string_view key,
                                               std::string_view upload_id) {
  Result<UploadInfo> upload = FindUpload(bucket, key, upload_id);
  if (!upload.ok()) return upload.error();
  return uploads_->ListParts(upload_id);
}

Result<ObjectInfo> Store::CompleteUpload(std::string_view bucket, std::string_view key, std::string_view upload_id,
                                         const std::vector<CompletedPart>& parts, Precondition precondition) {
  if (parts.empty()) return Error(ErrorCode::kInvalidArgument, "an upload needs at least one part");
  Md5Hasher over_parts;
  for (const CompletedPart& part : parts) {
    const std::optional<std::string> md5 = FromHex(part.etag);
    if (!md5 || md5->size() != 16) {
      return Error(ErrorCode::kInvalidArgument, "part " + std::to_string(part.number) + " has no ETag of this upload");
    }
    over_parts.Update(*md5);
  }
  Record record{.etag = ToHex(over_parts.Digest()) + "-" + std::to_string(parts.size())};

  const std::lock_guard lock(upload_stripes_.Of(upload_id));
  Result<UploadInfo> upload = FindUpload(bucket, key, upload_id);
  if (!upload.ok()) {
    if (upload.error().code() != ErrorCode::kNotFound) return upload.error();
    // Asked again, perhaps because the answer got lost: the object tells whether this very list made it.
    Result<ObjectInfo> made = Head(bucket, key);
    if (made.ok() && made->etag == record.etag) return made;
    return upload.error();
  }
  Result<std::vector<PartInfo>> present = uploads_->ListParts(upload_id);
  if (!present.ok()) return present.error();
  Result<std::unique_ptr<StagedFile>> whole = staging_->NewFile();
  if (!whole.ok()) return whole.error();
  std::vector<PartChecksum> checksums;
  int before = 0;
  for (const CompletedPart& part : parts) {
    if (part.number <= before) return Error(ErrorCode::kInvalidArgument, "the parts are not in rising order");
    before = part.number;
    const auto at = std::ranges::lower_bound(*present, part.number, {}, &PartInfo::number);
    if (at == present->end() || at->number != part.number || at->etag != ToLower(part.etag)) {
      return Error(ErrorCode::kInvalidArgument,
                   "part " + std::to_string(part.number) + " has not been uploaded with the ETag " + part.etag);
    }
    const Status appended = uploads_->AppendPart(upload_id, *at, **whole);
    if (!appended.ok()) return appended.error();
    if (at->checksum) checksums.push_back({at->checksum->value, at->size});
  }
  const UploadOptions& options = upload->options;
  if (options.checksum_algorithm && checksums.size() == parts.size()) {
    record.checksum = CombineChecksums(*options.checksum_algorithm, options.checksum_type, checksums);
  }
  record.attributes = options.attributes;
  record.tags = options.tags;
  Result<ObjectInfo> object = files_.Commit(**whole, bucket, key, record, precondition);
  if (!object.ok()) return object;
  const Status removed = uploads_->Remove(upload_id);
  if (!removed.ok()) return removed.error();
  return object;
}

Status Store::AbortUpload(std::string_view bucket, std::string_view key, std::string_view upload_id) {
  const std::lock_guard lock(upload_stripes_.Of(upload_id));
  Result<UploadInfo> upload = FindUpload(bucket, key, upload_id);
  if (!upload.ok()) return upload.error();
  return uploads_->Remove(upload_id);
}

Result<std::vector<UploadInfo>> Store::ListUploads(std::string_view bucket) {
  const Status bucket_there = files_.reader().HeadBucket(bucket);
  if (!bucket_there.ok()) return bucket_there.error();
  return uploads_->List(bucket);
}

Result<size_t> Store::ExpireUploads(Time before) {
  return uploads_->Expire(before, [this](const std::string& upload_id) {
    const std::lock_guard lock(upload_stripes_.Of(upload_id));
    return uploads_->Remove(upload_id);
  });
}

}  // namespace

Result<std::unique_ptr<ObjectStore>> EmbeddedStore::Open(const std::filesystem::path& given, const Clock* clock,
                                                         Random* random, StepHook hook) {
  const std::filesystem::path dir = std::filesystem::absolute(given);
  Status done = MakeDirectories(dir / kBucketsName);
  if (!done.ok()) return done.error();
  Result<std::optional<UniqueFd>> lock = TryLockFile(dir / "lock");
  if (!lock.ok()) return lock.error();
  if (!*lock) {
    return Error(ErrorCode::kConflict, "the object store in " + dir.string() + " is in use by another process");
  }
  Result<UniqueFd> root = OpenFile(dir / kBucketsName, O_RDONLY | O_DIRECTORY);
  if (!root.ok()) return root.error();
  Result<std::unique_ptr<StagingArea>> staging = StagingArea::Open(dir / "staging");
  if (!staging.ok()) return staging.error();
  Result<std::unique_ptr<Uploads>> uploads = Uploads::Open(dir / "uploads", staging->get(), clock, random, hook);
  if (!uploads.ok()) return uploads.error();
  done = MakeDirectories(dir / kBucketTagsName);
  if (done.ok()) done = SyncDirectory(dir);
  if (done.ok()) done = SyncDirectory(dir.parent_path());
  if (!done.ok()) return done.error();
  Result<std::unique_ptr<IndexWriter>> writer = IndexWriter::Open(dir / kIndexName);
  if (!writer.ok()) return writer.error();
  done = MakeIndexTrue(**writer, root->get());
  if (!done.ok()) return done.error();
  (*writer)->Start();
  return std::unique_ptr<ObjectStore>(std::make_unique<Store>(clock, std::move(hook), std::move(**lock),
                                                              std::move(*staging), std::move(*uploads),
                                                              std::move(*root), dir, std::move(*writer)));
}

}  // namespace argosy::objectstore
