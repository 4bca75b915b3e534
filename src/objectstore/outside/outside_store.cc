#include "objectstore/outside/outside_store.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>
#include <set>
#include <shared_mutex>

#include "base/bytes.h"
#include "base/files.h"
#include "base/log.h"
#include "base/thread_pool.h"
#include "objectstore/embedded/staging.h"
#include "objectstore/json_texts.h"
#include "objectstore/outside/object_transfer.h"
#include "objectstore/outside/outside_reader.h"
#include "objectstore/outside/s3_xml.h"
#include "objectstore/outside/upload_records.h"

namespace argosy::objectstore {
namespace {

constexpr size_t kKeyLocks = 1024;   // locks that order the writes of one key; far more than threads that write at once
constexpr size_t kThreads = 16;      // ranges and parts under way: what fills a link to a store that is not next door
constexpr size_t kQueueMax = 65536;  // kRangesAhead for each connection that the server takes
constexpr size_t kBucketsMax = 100'000;                     // listed in one answer
constexpr auto kBucketPatience = std::chrono::seconds(10);  // for writes under way when a bucket is to be deleted

// A put or a part: staged here, sent at the commit.
class StagedWriter : public ObjectWriter {
 public:
  explicit StagedWriter(std::unique_ptr<StagedFile> staged) : staged_(std::move(staged)) {}

  Status Append(std::string_view piece) override { return staged_->Append(piece); }
  uint64_t size() const override { return staged_->size(); }
  std::string Md5() const override { return staged_->Md5(); }
  void SetChecksum(Checksum checksum) override { checksum_ = std::move(checksum); }

 protected:
  const std::unique_ptr<StagedFile> staged_;
  std::optional<Checksum> checksum_;
};

class OutsideObjects final : public ObjectStore {
 public:
  OutsideObjects(UniqueFd lock, std::unique_ptr<StagingArea> staging, std::unique_ptr<ObjectCache> cache,
                 Location location, Patience patience, const Clock* clock, Random* random)
      : clock_(clock),
        lock_(std::move(lock)),
        staging_(std::move(staging)),
        cache_(std::move(cache)),
        client_(std::move(location), std::move(patience), clock, random),
        pool_("outside", kThreads, kQueueMax),
        reader_(&client_, &pool_, cache_.get()),
        records_(&client_) {}

  // That the bucket is there and can be listed and written.
  Status Try();

  Status HeadBucket(std::string_view bucket) override { return EnsureBucket(bucket); }
  Result<ObjectInfo> Head(std::string_view bucket, std::string_view key) override { return reader_.Head(bucket, key); }
  Result<OpenObject> Open(std::string_view bucket, std::string_view key) override { return reader_.Open(bucket, key); }
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

  // `object` without its key outside. On an error whose outcome outside is not known the object is the old or the new.
  Result<ObjectInfo> Commit(std::string_view bucket, std::string_view key, Outgoing object);
  Result<PartInfo> CommitPart(std::string_view bucket, std::string_view key, std::string_view upload_id, PartInfo part,
                              const std::filesystem::path& file, std::string md5);
  std::filesystem::path PathOf(const StagedFile& staged) const { return staging_->PathOf(staged.name()); }

 private:
  std::string Outside(std::string_view bucket, std::string_view key) const {
    return ObjectKey(client_.location(), bucket, key);
  }
  std::mutex& StripeOf(std::string_view bucket, std::string_view key) {
    const size_t hash = std::hash<std::string_view>()(bucket) * 31 + std::hash<std::string_view>()(key);
    return stripes_[hash % kKeyLocks];
  }
  // Asks the outside once for each bucket: only this store makes and removes them.
  Status EnsureBucket(std::string_view bucket);
  void ForgetBucket(std::string_view bucket);
  Status ValidatePlace(std::string_view bucket, std::string_view key);
  Status CheckPrecondition(std::string_view bucket, std::string_view key, const Precondition& precondition) const;
  Result<ObjectInfo> CompleteThere(std::string_view bucket, std::string_view key, std::string_view upload_id,
                                   const std::vector<CompletedPart>& parts, const Precondition& precondition);

  const Clock* const clock_;
  const UniqueFd lock_;
  const std::unique_ptr<StagingArea> staging_;
  const std::unique_ptr<ObjectCache> cache_;
  S3Client client_;
  ThreadPool pool_;
  OutsideReader reader_;
  UploadRecords records_;
  std::array<std::mutex, kKeyLocks> stripes_;
  std::mutex making_mutex_;                // a bucket comes or goes
  std::shared_timed_mutex buckets_mutex_;  // exclusive: a bucket goes; shared: something is put into one
  std::mutex known_mutex_;
  uint64_t deletions_ = 0;                    // guarded by known_mutex_
  std::set<std::string, std::less<>> known_;  // buckets that are there; guarded by known_mutex_
};

class OutsidePutWriter final : public StagedWriter {
 public:
  OutsidePutWriter(OutsideObjects* store, std::string bucket, std::string key, PutOptions options,
                   std::unique_ptr<StagedFile> staged)
      : StagedWriter(std::move(staged)),
        store_(store),
        bucket_(std::move(bucket)),
        key_(std::move(key)),
        options_(std::move(options)) {}

  Result<ObjectInfo> Commit() override {
    Outgoing object{.file = store_->PathOf(*staged_),
                    .size = staged_->size(),
                    .md5 = staged_->Md5(),
                    .attributes = std::move(options_.attributes),
                    .tags = std::move(options_.tags),
                    .checksum = std::move(checksum_),
                    .precondition = std::move(options_.precondition)};
    return store_->Commit(bucket_, key_, std::move(object));
  }

 private:
  OutsideObjects* const store_;
  const std::string bucket_;
  const std::string key_;
  PutOptions options_;
};

class OutsidePartWriter final : public StagedWriter {
 public:
  OutsidePartWriter(OutsideObjects* store, std::string bucket, std::string key, std::string upload_id, int number,
                    std::unique_ptr<StagedFile> staged)
      : StagedWriter(std::move(staged)),
        store_(store),
        bucket_(std::move(bucket)),
        key_(std::move(key)),
        upload_id_(std::move(upload_id)),
        number_(number) {}

  Result<ObjectInfo> Commit() override {
    const PartInfo part{.number = number_, .size = staged_->size(), .checksum = std::move(checksum_)};
    Result<PartInfo> put =
        store_->CommitPart(bucket_, key_, upload_id_, part, store_->PathOf(*staged_), staged_->Md5());
    if (!put.ok()) return put.error();
    ObjectInfo info;
    info.size = put->size;
    info.etag = put->etag;
    info.last_modified = put->last_modified;
    info.checksum = std::move(put->checksum);
    return info;
  }

 private:
  OutsideObjects* const store_;
  const std::string bucket_;
  const std::string key_;
  const std::string upload_id_;
  const int number_;
};

Status OutsideObjects::Try() {
  const std::string probe = client_.location().prefix + ".argosy-probe";
  Result<ListPage> listed = ListPageOutside(client_, {{"prefix", client_.location().prefix}, {"max-keys", "1"}});
  if (!listed.ok()) return listed.error().Wrap("listing " + client_.location().ToString());
  if (Status written = PutSmallOutside(client_, probe, "argosy was here\n"); !written.ok()) {
    return written.error().Wrap("writing to " + client_.location().ToString());
  }
  if (Status removed = DeleteOutside(client_, probe); !removed.ok()) {
    return removed.error().Wrap("deleting from " + client_.location().ToString());
  }
  return {};
}

// --- buckets ---

Status OutsideObjects::EnsureBucket(std::string_view bucket) {
  uint64_t deletions = 0;
  {
    const std::lock_guard lock(known_mutex_);
    if (known_.contains(bucket)) return {};
    deletions = deletions_;
  }
  Status there = reader_.HeadBucket(bucket);
  if (!there.ok()) return there;
  const std::lock_guard lock(known_mutex_);
  if (deletions == deletions_) known_.emplace(bucket);  // else what was seen may be gone already
  return {};
}

void OutsideObjects::ForgetBucket(std::string_view bucket) {
  const std::lock_guard lock(known_mutex_);
  ++deletions_;
  if (const auto at = known_.find(bucket); at != known_.end()) known_.erase(at);
}

Status OutsideObjects::CreateBucket(std::string_view bucket) {
  if (!IsValidBucketName(bucket)) return InvalidBucketName(bucket);
  const std::lock_guard making(making_mutex_);
  Status there = reader_.HeadBucket(bucket);
  if (there.ok()) return Error(ErrorCode::kAlreadyExists, "the bucket '" + std::string(bucket) + "' exists already");
  if (there.error().code() != ErrorCode::kNotFound) return there;
  return PutSmallOutside(client_, BucketMarkerKey(client_.location(), bucket), "");
}

Status OutsideObjects::DeleteBucket(std::string_view bucket) {
  const std::lock_guard making(making_mutex_);
  const std::unique_lock lock(buckets_mutex_, kBucketPatience);
  if (!lock.owns_lock()) {
    return Error(ErrorCode::kUnavailable, "objects are being written at this moment: the bucket cannot be deleted");
  }
  if (Status there = reader_.HeadBucket(bucket); !there.ok()) return there;
  const Result<ListPage> page = ListPageOutside(client_, {{"prefix", Outside(bucket, "")}, {"max-keys", "1"}});
  if (!page.ok()) return page.error();
  if (!page->objects.empty())
    return Error(ErrorCode::kConflict, "the bucket '" + std::string(bucket) + "' is not empty");
  const Result<std::vector<UploadInfo>> uploads = records_.List(bucket, pool_);
  if (!uploads.ok()) return uploads.error();
  for (const UploadInfo& upload : *uploads) {
    Status gone = AbortUploadOutside(client_, Outside(bucket, upload.key), upload.upload_id);
    if (gone.ok()) gone = records_.Remove(bucket, upload.upload_id);
    if (!gone.ok()) return gone;
  }
  Status deleted = DeleteOutside(client_, BucketTagsKey(client_.location(), bucket));
  if (deleted.ok()) deleted = DeleteOutside(client_, BucketMarkerKey(client_.location(), bucket));
  ForgetBucket(bucket);
  return deleted;
}

Result<std::vector<BucketInfo>> OutsideObjects::ListBuckets() {
  const std::string prefix = BucketMarkerKey(client_.location(), "");
  const Result<std::vector<ObjectInfo>> markers = ListOutside(client_, prefix, kBucketsMax);
  if (!markers.ok()) return markers.error();
  std::vector<BucketInfo> out;
  for (const ObjectInfo& marker : *markers) {
    std::string name = marker.key.substr(prefix.size());
    if (IsValidBucketName(name)) out.push_back({.name = std::move(name), .created = marker.last_modified});
  }
  return out;
}

// --- objects ---

Status OutsideObjects::ValidatePlace(std::string_view bucket, std::string_view key) {
  Status there = EnsureBucket(bucket);
  if (!there.ok()) return there;
  if (Status valid = ValidateKey(key); !valid.ok()) return valid;
  const size_t size = Outside(bucket, key).size();
  if (size <= kKeyBytesMax) return {};
  return Invalid("the key is " + std::to_string(size - kKeyBytesMax) + " bytes too long: with the prefix " +
                 Outside(bucket, "") + " it must not have more than " + std::to_string(kKeyBytesMax));
}

Result<std::unique_ptr<ObjectWriter>> OutsideObjects::StartPut(std::string_view bucket, std::string_view key,
                                                               PutOptions options) {
  const Status valid = ValidatePlace(bucket, key);
  if (!valid.ok()) return valid.error();
  Result<std::unique_ptr<StagedFile>> staged = staging_->NewFile();
  if (!staged.ok()) return staged.error();
  return std::unique_ptr<ObjectWriter>(std::make_unique<OutsidePutWriter>(this, std::string(bucket), std::string(key),
                                                                          std::move(options), std::move(*staged)));
}

Status OutsideObjects::CheckPrecondition(std::string_view bucket, std::string_view key,
                                         const Precondition& precondition) const {
  if (!precondition.must_not_exist && precondition.etag.empty()) return {};
  const Result<ObjectInfo> there = reader_.Head(bucket, key);
  if (!there.ok() && there.error().code() != ErrorCode::kNotFound) return there.error();
  if (precondition.must_not_exist) {
    return there.ok() ? Error(ErrorCode::kConflict, "the object exists already") : Status();
  }
  if (!there.ok()) return there.error();
  if (there->etag == precondition.etag) return {};
  return Error(ErrorCode::kConflict, "the object's ETag is " + there->etag);
}

Result<ObjectInfo> OutsideObjects::Commit(std::string_view bucket, std::string_view key, Outgoing object) {
  const std::shared_lock in_bucket(buckets_mutex_);
  if (const Status there = EnsureBucket(bucket); !there.ok()) return there.error();
  const std::lock_guard lock(StripeOf(bucket, key));
  if (const Status holds = CheckPrecondition(bucket, key, object.precondition); !holds.ok()) return holds.error();
  reader_.FinishReadersOf(bucket, key);
  object.key = Outside(bucket, key);
  Result<ObjectInfo> made = PutObject(client_, pool_, object);
  if (!made.ok()) return made;
  made->key = std::string(key);
  made->last_modified = clock_->Now();  // the outside has its own, a moment off; nobody is told this one
  return made;
}

Status OutsideObjects::Delete(std::string_view bucket, std::string_view key) {
  if (const Status valid = ValidateKey(key); !valid.ok()) return valid;
  if (const Status there = EnsureBucket(bucket); !there.ok()) return there;
  const std::lock_guard lock(StripeOf(bucket, key));
  reader_.FinishReadersOf(bucket, key);
  Status deleted = DeleteOutside(client_, Outside(bucket, key));
  // A name that the outside cannot have is not there.
  return !deleted.ok() && deleted.error().code() == ErrorCode::kInvalidArgument ? Status() : deleted;
}

Result<ObjectInfo> OutsideObjects::Copy(std::string_view source_bucket, std::string_view source_key,
                                        std::string_view bucket, std::string_view key, CopyOptions options) {
  const Result<ObjectInfo> source = reader_.Head(source_bucket, source_key);
  if (!source.ok()) return source.error();
  if (!options.source_etag.empty() && source->etag != options.source_etag) {
    return Error(ErrorCode::kConflict, "the source's ETag is " + source->etag);
  }
  const std::shared_lock in_bucket(buckets_mutex_);
  if (const Status valid = ValidatePlace(bucket, key); !valid.ok()) return valid.error();
  const std::lock_guard lock(StripeOf(bucket, key));
  reader_.FinishReadersOf(bucket, key);
  S3Request request;
  request.method = "PUT";
  request.key = Outside(bucket, key);
  if (options.attributes) request.headers = HeadersOf(*options.attributes);
  request.headers.emplace_back("x-amz-tagging-directive", options.tags ? "REPLACE" : "COPY");
  if (options.tags) request.headers.emplace_back("x-amz-tagging", TaggingHeader(*options.tags));
  request.headers.emplace_back("x-amz-metadata-directive", options.attributes ? "REPLACE" : "COPY");
  request.headers.emplace_back("x-amz-copy-source", "/" + client_.location().bucket + "/" +
                                                        PercentEncode(Outside(source_bucket, source_key), "/"));
  request.headers.emplace_back("x-amz-copy-source-if-match", "\"" + source->etag + "\"");
  const Result<http::ClientResponse> answer = client_.Send(request);
  if (!answer.ok()) return answer.error();
  return reader_.Head(bucket, key);
}

Result<ObjectInfo> OutsideObjects::PublishFile(const std::filesystem::path& source, std::string_view bucket,
                                               std::string_view key, Attributes attributes) {
  if (const Status valid = ValidatePlace(bucket, key); !valid.ok()) return valid.error();
  Result<UniqueFd> file = OpenFile(source, O_RDONLY);
  if (!file.ok()) return file.error();
  struct stat stat;
  if (fstat(file->get(), &stat) != 0) return ErrnoError("looking at " + source.string(), errno);
  Outgoing object{.key = Outside(bucket, key),
                  .file = source,
                  .size = static_cast<uint64_t>(stat.st_size),
                  .attributes = std::move(attributes)};
  Result<std::string> etag = EtagOfFile(file->get(), object.size);
  if (!etag.ok()) return etag.error();
  // Asked for again, perhaps because an answer got lost: what is there already stays.
  Result<ObjectInfo> there = reader_.Head(bucket, key);
  if (there.ok() && there->size == object.size && there->etag == *etag) return there;
  if (!there.ok() && there.error().code() != ErrorCode::kNotFound) return there;
  if (object.size <= kOnePutBytesMax) object.md5 = *FromHex(*etag);
  return Commit(bucket, key, std::move(object));
}

// --- tags ---

Status OutsideObjects::SetTags(std::string_view bucket, std::string_view key, Tags tags) {
  if (Status valid = ValidatePlace(bucket, key); !valid.ok()) return valid;
  const std::lock_guard lock(StripeOf(bucket, key));
  // Taking tags away from what is not there is no error everywhere.
  if (Result<ObjectInfo> there = reader_.Head(bucket, key); !there.ok()) return there.error();
  return SetTagsOutside(client_, Outside(bucket, key), tags);
}

Status OutsideObjects::SetBucketTags(std::string_view bucket, Tags tags) {
  const std::lock_guard making(making_mutex_);
  if (Status there = EnsureBucket(bucket); !there.ok()) return there;
  const std::string key = BucketTagsKey(client_.location(), bucket);
  return tags.empty() ? DeleteOutside(client_, key) : PutSmallOutside(client_, key, DumpTexts(tags));
}

Result<Tags> OutsideObjects::BucketTags(std::string_view bucket) {
  if (Status there = EnsureBucket(bucket); !there.ok()) return there.error();
  const Result<std::string> text = GetSmallOutside(client_, BucketTagsKey(client_.location(), bucket));
  if (text.ok()) return ParseTexts(*text);
  if (text.error().code() == ErrorCode::kNotFound) return Tags();
  return text.error();
}

// --- uploads in parts ---

Result<std::string> OutsideObjects::CreateUpload(std::string_view bucket, std::string_view key, UploadOptions options) {
  const std::shared_lock in_bucket(buckets_mutex_);
  if (const Status valid = ValidatePlace(bucket, key); !valid.ok()) return valid.error();
  Result<std::string> id = CreateUploadOutside(client_, Outside(bucket, key), options);
  if (!id.ok()) return id;
  const Status written = records_.Write(
      bucket, {.key = std::string(key), .upload_id = *id, .initiated = clock_->Now(), .options = std::move(options)});
  if (written.ok()) return id;
  (void)AbortUploadOutside(client_, Outside(bucket, key), *id);  // nobody knows of it; it costs the outside nothing yet
  return written.error();
}

Result<UploadInfo> OutsideObjects::FindUpload(std::string_view bucket, std::string_view key,
                                              std::string_view upload_id) {
  if (const Status there = EnsureBucket(bucket); !there.ok()) return there.error();
  return records_.Find(bucket, key, upload_id);
}

Result<std::unique_ptr<ObjectWriter>> OutsideObjects::StartPart(std::string_view bucket, std::string_view key,
                                                                std::string_view upload_id, int part_number) {
  if (part_number < 1 || part_number > kPartNumberMax) {
    return Invalid("part number " + std::to_string(part_number) + " is not from 1 to " +
                   std::to_string(kPartNumberMax));
  }
  const Result<UploadInfo> upload = FindUpload(bucket, key, upload_id);
  if (!upload.ok()) return upload.error();
  Result<std::unique_ptr<StagedFile>> staged = staging_->NewFile();
  if (!staged.ok()) return staged.error();
  return std::unique_ptr<ObjectWriter>(std::make_unique<OutsidePartWriter>(
      this, std::string(bucket), std::string(key), std::string(upload_id), part_number, std::move(*staged)));
}

Result<PartInfo> OutsideObjects::CommitPart(std::string_view bucket, std::string_view key, std::string_view upload_id,
                                            PartInfo part, const std::filesystem::path& file, std::string md5) {
  Result<PartInfo> put =
      PutPart(client_, Outside(bucket, key), std::string(upload_id), std::move(part), {.path = file}, std::move(md5));
  if (put.ok()) put->last_modified = clock_->Now();
  return put;
}

Result<std::vector<PartInfo>> OutsideObjects::ListParts(std::string_view bucket, std::string_view key,
                                                        std::string_view upload_id) {
  std::vector<PartInfo> out;
  S3Request request;
  request.key = Outside(bucket, key);
  request.query = {{"uploadId", std::string(upload_id)}};
  for (;;) {
    const Result<http::ClientResponse> answer = client_.Send(request);
    if (!answer.ok()) return answer.error();
    Result<PartsPage> page = ParseParts(answer->body);
    if (!page.ok()) return page.error();
    std::ranges::move(page->parts, std::back_inserter(out));
    if (page->next.empty()) return out;
    if (out.size() > kPartNumberMax)
      return Error(ErrorCode::kCorrupt, "the outside lists more parts than there can be");
    request.query["part-number-marker"] = page->next;
  }
}

Result<ObjectInfo> OutsideObjects::CompleteUpload(std::string_view bucket, std::string_view key,
                                                  std::string_view upload_id, const std::vector<CompletedPart>& parts,
                                                  Precondition precondition) {
  if (parts.empty()) return Invalid("an upload is completed with at least one part");
  const std::shared_lock in_bucket(buckets_mutex_);
  const std::lock_guard lock(StripeOf(bucket, key));
  Result<UploadInfo> upload = FindUpload(bucket, key, upload_id);
  Result<ObjectInfo> made =
      upload.ok() ? CompleteThere(bucket, key, upload_id, parts, precondition) : Result<ObjectInfo>(upload.error());
  if (!made.ok() && made.error().code() == ErrorCode::kNotFound) {
    // Asked again, perhaps because the answer got lost: the object tells whether this very list made it.
    std::vector<PartInfo> named;
    for (const CompletedPart& part : parts) named.push_back({.number = part.number, .etag = ToLower(part.etag)});
    const Result<ObjectInfo> there = reader_.Head(bucket, key);
    if (!there.ok() || there->etag != EtagOfParts(named)) return made;
    made = there;
  }
  if (!made.ok()) return made;
  if (const Status removed = records_.Remove(bucket, upload_id); !removed.ok()) return removed.error();
  return reader_.Head(bucket, key);
}

Result<ObjectInfo> OutsideObjects::CompleteThere(std::string_view bucket, std::string_view key,
                                                 std::string_view upload_id, const std::vector<CompletedPart>& parts,
                                                 const Precondition& precondition) {
  const Result<std::vector<PartInfo>> present = ListParts(bucket, key, upload_id);
  if (!present.ok()) return present.error();
  std::vector<PartInfo> chosen;
  for (const CompletedPart& part : parts) {
    if (!chosen.empty() && part.number <= chosen.back().number) return Invalid("the parts are not in rising order");
    const auto at = std::ranges::lower_bound(*present, part.number, {}, &PartInfo::number);
    if (at == present->end() || at->number != part.number || !EqualsIgnoreCase(at->etag, part.etag)) {
      return Invalid("part " + std::to_string(part.number) + " has not been uploaded with the ETag " + part.etag);
    }
    chosen.push_back(*at);
  }
  if (const Status holds = CheckPrecondition(bucket, key, precondition); !holds.ok()) return holds.error();
  reader_.FinishReadersOf(bucket, key);
  return CompleteUploadOutside(client_, Outside(bucket, key), std::string(upload_id), chosen, precondition, {});
}

Status OutsideObjects::AbortUpload(std::string_view bucket, std::string_view key, std::string_view upload_id) {
  const std::lock_guard lock(StripeOf(bucket, key));
  const Result<UploadInfo> upload = FindUpload(bucket, key, upload_id);
  if (!upload.ok()) return upload.error();
  const Status aborted = AbortUploadOutside(client_, Outside(bucket, key), std::string(upload_id));
  return aborted.ok() ? records_.Remove(bucket, upload_id) : aborted;
}

Result<std::vector<UploadInfo>> OutsideObjects::ListUploads(std::string_view bucket) {
  if (const Status there = EnsureBucket(bucket); !there.ok()) return there.error();
  return records_.List(bucket, pool_);
}

Result<size_t> OutsideObjects::ExpireUploads(Time before) {
  const Result<std::vector<UploadRecords::Old>> old = records_.ListOld(before);
  if (!old.ok()) return old.error();
  size_t expired = 0;
  for (const auto& [bucket, upload] : *old) {
    const Result<std::vector<PartInfo>> parts = ListParts(bucket, upload.key, upload.upload_id);
    if (!parts.ok() && parts.error().code() != ErrorCode::kNotFound) return parts.error();
    const bool goes_on =
        parts.ok() && std::ranges::any_of(*parts, [&](const PartInfo& part) { return part.last_modified >= before; });
    if (goes_on) continue;
    const Status aborted = AbortUpload(bucket, upload.key, upload.upload_id);
    if (!aborted.ok() && aborted.error().code() != ErrorCode::kNotFound) return aborted.error();
    ++expired;
  }
  return expired;
}

// Another process's view.
class AttachedOutside final : public ObjectReader {
 public:
  AttachedOutside(std::unique_ptr<ObjectCache> cache, Location location, const Clock* clock, Random* random)
      : cache_(std::move(cache)),
        client_(std::move(location), {}, clock, random),
        pool_("outside", kRangesAhead, kQueueMax),
        reader_(&client_, &pool_, cache_.get()) {}

  Status HeadBucket(std::string_view bucket) override { return reader_.HeadBucket(bucket); }
  Result<ObjectInfo> Head(std::string_view bucket, std::string_view key) override { return reader_.Head(bucket, key); }
  Result<OpenObject> Open(std::string_view bucket, std::string_view key) override { return reader_.Open(bucket, key); }
  Result<ListPage> List(const ListRequest& request) override { return reader_.List(request); }
  Result<std::filesystem::path> LocalPath(std::string_view bucket, std::string_view key) override {
    return reader_.LocalPath(bucket, key);
  }

 private:
  const std::unique_ptr<ObjectCache> cache_;
  S3Client client_;
  ThreadPool pool_;
  OutsideReader reader_;
};

}  // namespace

Result<std::unique_ptr<ObjectStore>> OutsideStore::Open(const std::filesystem::path& given, OutsideOptions options,
                                                        const Clock* clock, Random* random) {
  const std::filesystem::path dir = std::filesystem::absolute(given);
  if (Status made = MakeDirectories(dir); !made.ok()) return made.error();
  Result<std::optional<UniqueFd>> lock = TryLockFile(dir / "lock");
  if (!lock.ok()) return lock.error();
  if (!*lock) return Error(ErrorCode::kConflict, dir.string() + " is in use by another process");
  Result<std::unique_ptr<StagingArea>> staging = StagingArea::Open(dir / "staging");
  if (!staging.ok()) return staging.error();
  Result<std::unique_ptr<ObjectCache>> cache = ObjectCache::Open(dir / "cache", options.cache_bytes_max, clock);
  if (!cache.ok()) return cache.error();
  if (Status written = WriteLocation(dir, options.location, options.cache_bytes_max); !written.ok()) {
    return written.error();
  }
  auto store =
      std::make_unique<OutsideObjects>(std::move(**lock), std::move(*staging), std::move(*cache),
                                       std::move(options.location), std::move(options.patience), clock, random);
  if (Status usable = store->Try(); !usable.ok()) return usable.error();
  return std::unique_ptr<ObjectStore>(std::move(store));
}

Result<std::unique_ptr<ObjectReader>> OutsideStore::Attach(const std::filesystem::path& given, const Clock* clock,
                                                           Random* random) {
  const std::filesystem::path dir = std::filesystem::absolute(given);
  Result<Attachment> found = ReadLocation(dir);
  if (!found.ok()) return found.error();
  Result<std::unique_ptr<ObjectCache>> cache = ObjectCache::Open(dir / "cache", found->cache_bytes_max, clock);
  if (!cache.ok()) return cache.error();
  return std::unique_ptr<ObjectReader>(
      std::make_unique<AttachedOutside>(std::move(*cache), std::move(found->location), clock, random));
}

}  // namespace argosy::objectstore
