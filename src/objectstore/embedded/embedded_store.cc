#include "objectstore/embedded/embedded_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>
#include <shared_mutex>

#include "base/bytes.h"
#include "base/log.h"
#include "objectstore/checksum.h"
#include "objectstore/embedded/bucket_tags.h"
#include "objectstore/embedded/directories.h"
#include "objectstore/embedded/file_reader.h"
#include "objectstore/embedded/index.h"
#include "objectstore/embedded/layout.h"
#include "objectstore/embedded/rebuild.h"
#include "objectstore/embedded/staging.h"
#include "objectstore/embedded/uploads.h"

namespace argosy::objectstore {
namespace {

constexpr size_t kStripes = 1024;  // locks that order the writes of one key; far more than threads that write at once
constexpr int kRenameTries = 64;   // each lost to somebody who removed the directory just then

std::string DirectoryOf(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

class Store final : public ObjectStore {
 public:
  Store(const Clock* clock, StepHook hook, UniqueFd lock, std::unique_ptr<StagingArea> staging,
        std::unique_ptr<Uploads> uploads, UniqueFd root, const std::filesystem::path& dir,
        std::unique_ptr<IndexWriter> writer)
      : clock_(clock),
        hook_(std::move(hook)),
        lock_(std::move(lock)),
        staging_(std::move(staging)),
        uploads_(std::move(uploads)),
        bucket_tags_(dir / kBucketTagsName),
        directories_(std::move(root)),
        index_(dir / kIndexName),
        reader_(directories_.root(), dir / kBucketsName, &index_),
        writer_(std::move(writer)) {}

  Status HeadBucket(std::string_view bucket) override { return reader_.HeadBucket(bucket); }
  Result<ObjectInfo> Head(std::string_view bucket, std::string_view key) override;
  Result<OpenObject> Open(std::string_view bucket, std::string_view key) override;
  Result<ListPage> List(const ListRequest& request) override { return reader_.List(request); }
  Result<std::filesystem::path> LocalPath(std::string_view bucket, std::string_view key) override {
    return reader_.LocalPath(bucket, key);
  }

  Status CreateBucket(std::string_view bucket) override;
  Status DeleteBucket(std::string_view bucket) override;
  Result<std::vector<BucketInfo>> ListBuckets() override;

  Result<std::unique_ptr<ObjectWriter>> StartPut(std::string_view bucket, std::string_view key,
                                                 PutOptions options) override;
  Status Delete(std::string_view bucket, std::string_view key) override;
  Result<ObjectInfo> Copy(std::string_view source_bucket, std::string_view source_key, std::string_view bucket,
                          std::string_view key, CopyOptions options) override;
  Result<ObjectInfo> PublishFile(const std::filesystem::path& source, std::string_view bucket, std::string_view key,
                                 Attributes attributes) override;

  Status SetTags(std::string_view bucket, std::string_view key, Tags tags) override;
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

  // Makes the staged file the object; on any error before the rename nothing has happened.
  Result<ObjectInfo> Commit(StagedFile& staged, std::string_view bucket, std::string_view key, const Record& record,
                            const Precondition& precondition);

 private:
  Status At(std::string_view step) const { return hook_ ? hook_(step) : Status(); }
  std::mutex& StripeOf(std::string_view bucket, std::string_view key) {
    const size_t hash = std::hash<std::string_view>()(bucket) * 31 + std::hash<std::string_view>()(key);
    return stripes_[hash % kStripes];
  }
  Status ValidatePlace(std::string_view bucket, std::string_view key) const;
  Status CheckPrecondition(std::string_view bucket, std::string_view key, const Precondition& precondition) const;
  Status RenameInto(const StagedFile& staged, const std::string& path);
  // A look whose index row fits the file: a row that does not is made anew first.
  Result<Found> LookAndHeal(std::string_view bucket, std::string_view key);

  const Clock* const clock_;
  const StepHook hook_;
  const UniqueFd lock_;
  const std::unique_ptr<StagingArea> staging_;
  const std::unique_ptr<Uploads> uploads_;
  const BucketTagFiles bucket_tags_;
  Directories directories_;
  IndexReader index_;
  const FileReader reader_;
  std::shared_mutex buckets_mutex_;  // exclusive: a bucket comes or goes; shared: a file is put into one
  std::array<std::mutex, kStripes> stripes_;
  std::array<std::mutex, kStripes> upload_stripes_;
  const std::unique_ptr<IndexWriter> writer_;  // last, so that its thread ends first
};

class PutWriter final : public ObjectWriter {
 public:
  PutWriter(Store* store, std::string bucket, std::string key, PutOptions options, std::unique_ptr<StagedFile> staged)
      : store_(store),
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
    return store_->Commit(*staged_, bucket_, key_, record_, precondition_);
  }

 private:
  Store* const store_;
  const std::string bucket_;
  const std::string key_;
  const Precondition precondition_;
  Record record_;
  const std::unique_ptr<StagedFile> staged_;
};

Status Store::ValidatePlace(std::string_view bucket, std::string_view key) const {
  const Status bucket_there = reader_.HeadBucket(bucket);
  return bucket_there.ok() ? ValidateKey(key) : bucket_there;
}

Result<Found> Store::LookAndHeal(std::string_view bucket, std::string_view key) {
  Result<Found> found = reader_.Look(bucket, key);
  if (!found.ok() || found->agreement == Agreement::kAgrees) return found;
  // Perhaps only a write that is just happening. Once none is under way for this key and all rows are in, it is not.
  const std::lock_guard lock(StripeOf(bucket, key));
  const Status settled = writer_->Barrier().get();
  if (!settled.ok()) return settled.error();
  found = reader_.Look(bucket, key);
  if (!found.ok() || found->agreement == Agreement::kAgrees) return found;
  std::optional<IndexRow> row;
  if (found->file) {
    Result<Record> record = reader_.RecordOf(*found);
    if (!record.ok()) return record.error();
    row = IndexRow{found->identity, record->etag, EncodeDetails(*record)};
  }
  Log(LogLevel::kInfo, "object index row made anew from the file",
      {{"bucket", std::string(bucket)}, {"key", std::string(key)}});
  const Status set = writer_->SetRow(bucket, key, row).get();
  if (!set.ok()) return set.error();
  found->row = std::move(row);
  return found;
}

Result<ObjectInfo> Store::Head(std::string_view bucket, std::string_view key) {
  Result<Found> found = LookAndHeal(bucket, key);
  if (!found.ok()) return found.error();
  if (!found->file) return NoSuchKey(bucket, key);
  Result<Record> record = reader_.RecordOf(*found);
  if (!record.ok()) return record.error();
  return ToObjectInfo(key, found->identity, *record);
}

Result<OpenObject> Store::Open(std::string_view bucket, std::string_view key) {
  Result<Found> found = LookAndHeal(bucket, key);
  if (!found.ok()) return found.error();
  if (!found->file) return NoSuchKey(bucket, key);
  Result<Record> record = reader_.RecordOf(*found);
  if (!record.ok()) return record.error();
  return OpenObject{.file = std::make_shared<UniqueFd>(std::move(*found->file)),
                    .info = ToObjectInfo(key, found->identity, *record)};
}

Status Store::CreateBucket(std::string_view bucket) {
  if (!IsValidBucketName(bucket)) return InvalidBucketName(bucket);
  const std::unique_lock lock(buckets_mutex_);
  // Of one that was deleted just when the server ended.
  if (!reader_.HeadBucket(bucket).ok()) {
    if (Status cleared = bucket_tags_.Write(bucket, {}); !cleared.ok()) return cleared;
  }
  if (mkdirat(directories_.root(), std::string(bucket).c_str(), 0755) != 0) {
    if (errno != EEXIST) return ErrnoError("making the bucket " + std::string(bucket), errno);
    // Whoever made it may have died before it was durable.
    const Status synced = directories_.Sync("");
    if (!synced.ok()) return synced;
    return Error(ErrorCode::kAlreadyExists, "the bucket '" + std::string(bucket) + "' exists already");
  }
  return directories_.Sync("");
}

Status Store::DeleteBucket(std::string_view bucket) {
  const std::unique_lock lock(buckets_mutex_);
  Status done = reader_.HeadBucket(bucket);
  if (done.ok()) done = directories_.RemoveEmptyBucket(bucket);
  if (!done.ok()) return done;
  // Rows without a file can only be those of files that somebody removed by hand.
  for (;;) {
    Result<IndexPage> page = index_.List(bucket, "", "", "", kPageKeysMax);
    if (!page.ok()) return page.error();
    if (page->entries.empty()) break;
    IndexWriter::Ticket last;
    for (const IndexPage::Entry& entry : page->entries) last = writer_->SetRow(bucket, entry.key, std::nullopt);
    const Status erased = last.get();
    if (!erased.ok()) return erased;
  }
  if (Status cleared = bucket_tags_.Write(bucket, {}); !cleared.ok()) return cleared;
  return uploads_->RemoveAllOf(bucket);
}

Status Store::SetBucketTags(std::string_view bucket, Tags tags) {
  const std::unique_lock lock(buckets_mutex_);
  if (Status there = reader_.HeadBucket(bucket); !there.ok()) return there;
  return bucket_tags_.Write(bucket, tags);
}

Result<Tags> Store::BucketTags(std::string_view bucket) {
  const std::shared_lock lock(buckets_mutex_);
  if (Status there = reader_.HeadBucket(bucket); !there.ok()) return there.error();
  return bucket_tags_.Read(bucket);
}

Result<std::vector<BucketInfo>> Store::ListBuckets() {
  Result<std::vector<std::string>> names = ListBucketNames(directories_.root());
  if (!names.ok()) return names.error();
  std::vector<BucketInfo> out;
  for (std::string& name : *names) {
    struct statx stat;
    if (statx(directories_.root(), name.c_str(), AT_SYMLINK_NOFOLLOW, STATX_BTIME | STATX_MTIME, &stat) != 0) continue;
    const statx_timestamp& at = (stat.stx_mask & STATX_BTIME) != 0 ? stat.stx_btime : stat.stx_mtime;
    out.push_back({.name = std::move(name), .created = FromUnixNanos(at.tv_sec * 1'000'000'000 + at.tv_nsec)});
  }
  return out;
}

Result<std::unique_ptr<ObjectWriter>> Store::StartPut(std::string_view bucket, std::string_view key,
                                                      PutOptions options) {
  const Status valid = ValidatePlace(bucket, key);
  if (!valid.ok()) return valid.error();
  Result<std::unique_ptr<StagedFile>> staged = staging_->NewFile();
  if (!staged.ok()) return staged.error();
  return std::unique_ptr<ObjectWriter>(
      std::make_unique<PutWriter>(this, std::string(bucket), std::string(key), std::move(options), std::move(*staged)));
}

Status Store::CheckPrecondition(std::string_view bucket, std::string_view key, const Precondition& precondition) const {
  if (!precondition.must_not_exist && precondition.etag.empty()) return {};
  Result<Found> found = reader_.Look(bucket, key);
  if (!found.ok()) return found.error();
  if (precondition.must_not_exist) {
    return found->file ? Error(ErrorCode::kConflict, "the object exists already") : Status();
  }
  if (!found->file) return NoSuchKey(bucket, key);
  Result<Record> record = reader_.RecordOf(*found);
  if (!record.ok()) return record.error();
  if (record->etag == precondition.etag) return {};
  return Error(ErrorCode::kConflict, "the object's ETag is " + record->etag);
}

Status Store::RenameInto(const StagedFile& staged, const std::string& path) {
  for (int tries = 0; tries < kRenameTries; ++tries) {
    const Status parents = directories_.EnsureParents(path);
    if (!parents.ok()) return parents;
    if (renameat(staged.directory_fd(), staged.name().c_str(), directories_.root(), path.c_str()) == 0) return {};
    if (errno != ENOENT) return ErrnoError("renaming an object into place", errno);
    const Status bucket_there = reader_.HeadBucket(path.substr(0, path.find('/')));
    if (!bucket_there.ok()) return bucket_there;
  }
  return Error(ErrorCode::kUnavailable, "the object's directory is removed again and again");
}

Result<ObjectInfo> Store::Commit(StagedFile& staged, std::string_view bucket, std::string_view key,
                                 const Record& record, const Precondition& precondition) {
  Result<FileIdentity> identity = staged.Seal(clock_->Now(), record);
  if (!identity.ok()) return identity.error();
  IndexRow row{*identity, record.etag, EncodeDetails(record)};

  // The intent is written while the file is.
  Status done = At("intent");
  if (!done.ok()) return done.error();
  IndexWriter::IntentTicket intent = writer_->AddIntent(bucket, key, row);
  done = At("fsync file");
  if (done.ok()) done = SyncWhole(staged.fd(), "an object");
  const Status intended = intent.durable.get();
  if (!intended.ok()) return intended.error();
  auto give_up = [&](const Status& status) {
    writer_->DropIntent(intent.id);
    return status.error();
  };
  if (!done.ok()) return give_up(done);

  const std::string path = FileReader::PathOf(bucket, key);
  IndexWriter::Ticket listed;
  {
    const std::shared_lock bucket_stays(buckets_mutex_);
    const std::lock_guard lock(StripeOf(bucket, key));
    done = CheckPrecondition(bucket, key, precondition);
    if (done.ok()) done = At("rename");
    if (done.ok()) done = RenameInto(staged, path);
    if (!done.ok()) return give_up(done);
    done = At("fsync directory");
    if (done.ok()) done = directories_.Sync(DirectoryOf(path));
    // The file is in its place whether that is durable or not, and the listing says what is. Without the fsync the
    // intent stays, for the next Open to look again.
    listed = writer_->Finish(done.ok() ? intent.id : 0, bucket, key, std::move(row));
  }
  const Status shown = listed.get();
  if (!done.ok()) return done.error();
  done = At("answer");
  if (!done.ok()) return done.error();
  if (!shown.ok()) return shown.error();
  return ToObjectInfo(key, *identity, record);
}

Status Store::Delete(std::string_view bucket, std::string_view key) {
  const Status valid = ValidatePlace(bucket, key);
  if (!valid.ok()) return valid;
  Result<Found> found = LookAndHeal(bucket, key);
  if (!found.ok()) return found.error();
  if (!found->file) return {};
  found->file.reset();  // an open file would keep its room
  Status done = At("intent");
  if (!done.ok()) return done;
  IndexWriter::IntentTicket intent = writer_->AddIntent(bucket, key, std::nullopt);
  done = intent.durable.get();
  if (!done.ok()) return done;
  const std::string path = FileReader::PathOf(bucket, key);
  IndexWriter::Ticket listed;
  {
    const std::shared_lock bucket_stays(buckets_mutex_);
    const std::lock_guard lock(StripeOf(bucket, key));
    done = At("unlink");
    if (done.ok() && unlinkat(directories_.root(), path.c_str(), 0) != 0 && errno != ENOENT) {
      done = ErrnoError("removing an object", errno);
    }
    if (!done.ok()) {
      writer_->DropIntent(intent.id);
      return done;
    }
    done = At("fsync directory");
    if (done.ok()) done = directories_.SyncRemoval(DirectoryOf(path));
    listed = writer_->Finish(done.ok() ? intent.id : 0, bucket, key, std::nullopt);
  }
  directories_.PruneParents(path);
  const Status shown = listed.get();
  return done.ok() ? shown : done;
}

Result<ObjectInfo> Store::Copy(std::string_view source_bucket, std::string_view source_key, std::string_view bucket,
                               std::string_view key, CopyOptions options) {
  Result<OpenObject> source = Open(source_bucket, source_key);
  if (!source.ok()) return source.error();
  if (!options.source_etag.empty() && options.source_etag != source->info.etag) {
    return Error(ErrorCode::kConflict, "the source's ETag is " + source->info.etag);
  }
  const Status valid = ValidatePlace(bucket, key);
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
  Result<std::unique_ptr<StagedFile>> staged = staging_->NewFile();
  if (!staged.ok()) return staged.error();
  const Status copied = (*staged)->AppendFile(source->file->get(), source->info.size);
  if (!copied.ok()) return copied.error();
  return Commit(**staged, bucket, key, record, Precondition());
}

Status Store::SetTags(std::string_view bucket, std::string_view key, Tags tags) {
  if (Status valid = ValidatePlace(bucket, key); !valid.ok()) return valid;
  if (Result<Found> healed = LookAndHeal(bucket, key); !healed.ok()) return healed.error();
  IndexWriter::Ticket listed;
  {
    const std::shared_lock bucket_stays(buckets_mutex_);
    const std::lock_guard lock(StripeOf(bucket, key));
    Result<Found> found = reader_.Look(bucket, key);
    if (!found.ok()) return found.error();
    if (!found->file) return NoSuchKey(bucket, key);
    Result<Record> record = reader_.RecordOf(*found);
    if (!record.ok()) return record.error();
    record->tags = std::move(tags);
    // The file first: should the end come now, the row speaks of the tags from before, as it did to everyone.
    Status done = At("tags: file");
    if (!done.ok()) return done;
    const Result<XattrKept> kept = WriteRecordXattr(found->file->get(), found->identity, *record);
    if (!kept.ok()) return kept.error();
    done = SyncWhole(found->file->get(), "an object's tags");
    if (done.ok()) done = At("tags: intent");
    if (!done.ok()) return done;
    const IndexRow row{found->identity, record->etag, EncodeDetails(*record)};
    IndexWriter::IntentTicket intent = writer_->AddIntent(bucket, key, row);
    done = intent.durable.get();
    if (!done.ok()) return done;
    listed = writer_->Finish(intent.id, bucket, key, row);
  }
  return listed.get();
}

Result<ObjectInfo> Store::PublishFile(const std::filesystem::path& source, std::string_view bucket,
                                      std::string_view key, Attributes attributes) {
  const Status valid = ValidatePlace(bucket, key);
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
  Result<Found> present = LookAndHeal(bucket, key);
  if (!present.ok()) return present.error();
  if (present->file && present->identity.size == static_cast<uint64_t>(stat.st_size)) {
    Result<Record> known = reader_.RecordOf(*present);
    if (known.ok() && known->etag == record.etag && known->attributes == record.attributes) {
      return ToObjectInfo(key, present->identity, *known);
    }
  }
  // A link shares time and attributes with its source, so only a file that has no other name may be linked: one that
  // has may be an object already.
  if (stat.st_nlink == 1) {
    Result<std::unique_ptr<StagedFile>> link = staging_->NewLink(source);
    if (link.ok()) return Commit(**link, bucket, key, record, Precondition());
  }
  Result<std::unique_ptr<StagedFile>> copy = staging_->NewFile();
  if (!copy.ok()) return copy.error();
  const Status copied = (*copy)->AppendFile(file->get(), static_cast<uint64_t>(stat.st_size));
  if (!copied.ok()) return copied.error();
  return Commit(**copy, bucket, key, record, Precondition());
}

Result<std::string> Store::CreateUpload(std::string_view bucket, std::string_view key, UploadOptions options) {
  const Status valid = ValidatePlace(bucket, key);
  if (!valid.ok()) return valid.error();
  return uploads_->Create(bucket, key, options);
}

Result<UploadInfo> Store::FindUpload(std::string_view bucket, std::string_view key, std::string_view upload_id) {
  const Status valid = ValidatePlace(bucket, key);
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

  const std::lock_guard lock(upload_stripes_[std::hash<std::string_view>()(upload_id) % kStripes]);
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
  Result<ObjectInfo> object = Commit(**whole, bucket, key, record, precondition);
  if (!object.ok()) return object;
  const Status removed = uploads_->Remove(upload_id);
  if (!removed.ok()) return removed.error();
  return object;
}

Status Store::AbortUpload(std::string_view bucket, std::string_view key, std::string_view upload_id) {
  const std::lock_guard lock(upload_stripes_[std::hash<std::string_view>()(upload_id) % kStripes]);
  Result<UploadInfo> upload = FindUpload(bucket, key, upload_id);
  if (!upload.ok()) return upload.error();
  return uploads_->Remove(upload_id);
}

Result<std::vector<UploadInfo>> Store::ListUploads(std::string_view bucket) {
  const Status bucket_there = reader_.HeadBucket(bucket);
  if (!bucket_there.ok()) return bucket_there.error();
  return uploads_->List(bucket);
}

Result<size_t> Store::ExpireUploads(Time before) {
  return uploads_->Expire(before, [this](const std::string& upload_id) {
    const std::lock_guard lock(upload_stripes_[std::hash<std::string_view>()(upload_id) % kStripes]);
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
