#include "objectstore/embedded/object_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>

#include "base/log.h"
#include "objectstore/embedded/layout.h"
#include "objectstore/embedded/rebuild.h"

namespace argosy::objectstore {
namespace {

constexpr int kRenameTries = 64;  // each lost to somebody who removed the directory just then

std::string DirectoryOf(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

}  // namespace

ObjectFiles::ObjectFiles(const Clock* clock, StepHook hook, UniqueFd root, const std::filesystem::path& dir,
                         std::unique_ptr<IndexWriter> writer)
    : clock_(clock),
      hook_(std::move(hook)),
      directories_(std::move(root)),
      index_(dir / kIndexName),
      reader_(directories_.root(), dir / kBucketsName, &index_),
      writer_(std::move(writer)) {}

Status ObjectFiles::MakeBucket(std::string_view bucket) {
  const std::unique_lock lock(buckets_mutex_);
  if (mkdirat(directories_.root(), std::string(bucket).c_str(), 0755) != 0) {
    if (errno != EEXIST) return ErrnoError("making the bucket " + std::string(bucket), errno);
    // Whoever made it may have died before it was durable.
    const Status synced = directories_.Sync("");
    if (!synced.ok()) return synced;
    return Error(ErrorCode::kAlreadyExists, "the bucket '" + std::string(bucket) + "' exists already");
  }
  return directories_.Sync("");
}

Status ObjectFiles::RemoveBucket(std::string_view bucket) {
  const std::unique_lock lock(buckets_mutex_);
  Status done = reader_.HeadBucket(bucket);
  if (done.ok()) done = directories_.RemoveEmptyBucket(bucket);
  if (!done.ok()) return done;
  // Rows without a file can only be those of files that somebody removed by hand.
  for (;;) {
    Result<IndexPage> page = index_.List(bucket, "", "", "", kPageKeysMax);
    if (!page.ok()) return page.error();
    if (page->entries.empty()) return {};
    IndexWriter::Ticket last;
    for (const IndexPage::Entry& entry : page->entries) last = writer_->SetRow(bucket, entry.key, std::nullopt);
    const Status erased = last.get();
    if (!erased.ok()) return erased;
  }
}

Result<std::vector<BucketInfo>> ObjectFiles::ListBuckets() const {
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

Status ObjectFiles::ValidatePlace(std::string_view bucket, std::string_view key) const {
  const Status bucket_there = reader_.HeadBucket(bucket);
  return bucket_there.ok() ? ValidateKey(key) : bucket_there;
}

Result<Found> ObjectFiles::LookAndHeal(std::string_view bucket, std::string_view key) {
  Result<Found> found = reader_.Look(bucket, key);
  if (!found.ok() || found->agreement == Agreement::kAgrees) return found;
  // Perhaps only a write that is just happening. Once none is under way for this key and all rows are in, it is not.
  const std::lock_guard lock(stripes_.Of(bucket, key));
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

Result<OpenObject> ObjectFiles::Open(std::string_view bucket, std::string_view key) {
  Result<Found> found = LookAndHeal(bucket, key);
  return found.ok() ? reader_.Open(std::move(*found), bucket, key) : Result<OpenObject>(found.error());
}

Status ObjectFiles::CheckPlace(std::string_view bucket, std::string_view key, const Precondition& precondition) const {
  if (precondition.IsEmpty()) return {};
  Result<Found> found = reader_.Look(bucket, key);
  if (!found.ok()) return found.error();
  if (!found->file) return CheckPrecondition(precondition, nullptr);
  Result<Record> record = reader_.RecordOf(*found);
  if (!record.ok()) return record.error();
  const ObjectInfo present = ToObjectInfo(key, found->identity, *record);
  return CheckPrecondition(precondition, &present);
}

Status ObjectFiles::RenameInto(const StagedFile& staged, const std::string& path) {
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

Result<ObjectInfo> ObjectFiles::Commit(StagedFile& staged, std::string_view bucket, std::string_view key,
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
    const std::lock_guard lock(stripes_.Of(bucket, key));
    done = CheckPlace(bucket, key, precondition);
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

Status ObjectFiles::Delete(std::string_view bucket, std::string_view key, const Precondition& precondition) {
  const Status valid = ValidatePlace(bucket, key);
  if (!valid.ok()) return valid;
  Result<Found> found = LookAndHeal(bucket, key);
  if (!found.ok()) return found.error();
  if (!found->file) return CheckPrecondition(precondition, nullptr);
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
    const std::lock_guard lock(stripes_.Of(bucket, key));
    done = CheckPlace(bucket, key, precondition);
    if (done.ok()) done = At("unlink");
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

Status ObjectFiles::SetTags(std::string_view bucket, std::string_view key, Tags tags) {
  if (Status valid = ValidatePlace(bucket, key); !valid.ok()) return valid;
  if (Result<Found> healed = LookAndHeal(bucket, key); !healed.ok()) return healed.error();
  IndexWriter::Ticket listed;
  {
    const std::shared_lock bucket_stays(buckets_mutex_);
    const std::lock_guard lock(stripes_.Of(bucket, key));
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

}  // namespace argosy::objectstore
