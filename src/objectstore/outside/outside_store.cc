#include "objectstore/outside/outside_store.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>

#include "base/bytes.h"
#include "base/files.h"
#include "base/thread_pool.h"
#include "objectstore/outside/object_transfer.h"
#include "objectstore/outside/outside_buckets.h"
#include "objectstore/outside/outside_reader.h"
#include "objectstore/outside/outside_uploads.h"
#include "objectstore/outside/outside_writers.h"
#include "objectstore/outside/parts_sender.h"
#include "objectstore/outside/spool_file.h"
#include "objectstore/outside/unfinished_uploads.h"
#include "objectstore/outside/upload_records.h"
#include "objectstore/stripes.h"

namespace argosy::objectstore {
namespace {

constexpr char kStagingName[] = "staging";        // bodies on their way outside
constexpr char kUnfinishedName[] = "unfinished";  // notes of uploads begun for them
constexpr size_t kThreads = 16;      // ranges and parts under way: what fills a link to a store that is not next door
constexpr size_t kQueueMax = 65536;  // kRangesAhead for each connection that the server takes

class OutsideObjects final : public ObjectStore {
 public:
  OutsideObjects(UniqueFd lock, std::filesystem::path dir, std::unique_ptr<ObjectCache> cache, Location location,
                 Patience patience, const Clock* clock, Random* random)
      : clock_(clock),
        lock_(std::move(lock)),
        dir_(std::move(dir)),
        cache_(std::move(cache)),
        client_(std::move(location), std::move(patience), clock, random),
        pool_("outside", kThreads, kQueueMax),
        buckets_(&client_),
        reader_(&client_, &pool_, cache_.get()),
        uploads_(&client_, &pool_) {}

  // That the bucket is there and can be listed and written; aborts what an earlier process has left half sent.
  Status Begin();

  Status HeadBucket(std::string_view bucket) override { return buckets_.Ensure(bucket); }
  Result<ObjectInfo> Head(std::string_view bucket, std::string_view key) override { return reader_.Head(bucket, key); }
  Result<OpenObject> Open(std::string_view bucket, std::string_view key) override { return reader_.Open(bucket, key); }
  Result<ListPage> List(const ListRequest& request) override { return reader_.List(request); }
  Result<std::filesystem::path> LocalPath(std::string_view bucket, std::string_view key) override {
    return reader_.LocalPath(bucket, key);
  }

  Status CreateBucket(std::string_view bucket) override { return buckets_.Create(bucket); }
  Status DeleteBucket(std::string_view bucket) override {
    return buckets_.Delete(bucket, [&] { return uploads_.AbortAllOf(bucket); });
  }
  Result<std::vector<BucketInfo>> ListBuckets() override { return buckets_.List(); }

  Result<std::unique_ptr<ObjectWriter>> StartPut(std::string_view bucket, std::string_view key,
                                                 PutOptions options) override;
  Status DeleteIf(std::string_view bucket, std::string_view key, const Precondition& precondition) override;
  Result<ObjectInfo> Copy(std::string_view source_bucket, std::string_view source_key, std::string_view bucket,
                          std::string_view key, CopyOptions options) override;
  Result<ObjectInfo> PublishFile(const std::filesystem::path& source, std::string_view bucket, std::string_view key,
                                 Attributes attributes) override;

  Status SetTags(std::string_view bucket, std::string_view key, Tags tags) override;
  Status SetBucketTags(std::string_view bucket, Tags tags) override { return buckets_.SetTags(bucket, tags); }
  Result<Tags> BucketTags(std::string_view bucket) override { return buckets_.TagsOf(bucket); }

  Result<std::string> CreateUpload(std::string_view bucket, std::string_view key, UploadOptions options) override;
  Result<UploadInfo> FindUpload(std::string_view bucket, std::string_view key, std::string_view upload_id) override;
  Result<std::unique_ptr<ObjectWriter>> StartPart(std::string_view bucket, std::string_view key,
                                                  std::string_view upload_id, int part_number) override;
  Result<std::vector<PartInfo>> ListParts(std::string_view bucket, std::string_view key,
                                          std::string_view upload_id) override {
    return uploads_.ListParts(bucket, key, upload_id);
  }
  Result<ObjectInfo> CompleteUpload(std::string_view bucket, std::string_view key, std::string_view upload_id,
                                    const std::vector<CompletedPart>& parts, Precondition precondition) override;
  Status AbortUpload(std::string_view bucket, std::string_view key, std::string_view upload_id) override;
  Result<std::vector<UploadInfo>> ListUploads(std::string_view bucket) override;
  Result<size_t> ExpireUploads(Time before) override;
  void Stop() override { client_.Stop(); }

 private:
  // Makes the object with nobody else writing to the key. On an error whose outcome outside is not known the object is
  // the old or the new.
  Result<ObjectInfo> Commit(std::string_view bucket, std::string_view key, const Precondition& precondition,
                            const OutsidePutWriter::Make& make);
  PartsSender::World SenderWorld() { return {&client_, &pool_, unfinished_.get()}; }
  Result<std::shared_ptr<SpoolFile>> NewSpool() {
    return SpoolFile::Make(dir_ / kStagingName / std::to_string(next_++));
  }
  std::string Outside(std::string_view bucket, std::string_view key) const {
    return ObjectKey(client_.location(), bucket, key);
  }
  Status ValidatePlace(std::string_view bucket, std::string_view key);
  Status CheckPlace(std::string_view bucket, std::string_view key, const Precondition& precondition) const;
  Result<ObjectInfo> CompleteThere(std::string_view bucket, std::string_view key, std::string_view upload_id,
                                   const std::vector<CompletedPart>& parts, const Precondition& precondition);

  const Clock* const clock_;
  const UniqueFd lock_;
  const std::filesystem::path dir_;
  std::atomic<uint64_t> next_{1};  // of spool files
  const std::unique_ptr<ObjectCache> cache_;
  S3Client client_;
  std::unique_ptr<UnfinishedUploads> unfinished_;
  ThreadPool pool_;
  OutsideBuckets buckets_;
  OutsideReader reader_;
  OutsideUploads uploads_;
  Stripes stripes_;
};

Status OutsideObjects::Begin() {
  const std::string probe = client_.location().prefix + ".argosy-probe";
  Result<ListPage> listed = ListPageOutside(client_, {{"prefix", client_.location().prefix}, {"max-keys", "1"}});
  if (!listed.ok()) return listed.error().Wrap("listing " + client_.location().ToString());
  if (Status written = PutSmallOutside(client_, probe, "argosy was here\n"); !written.ok()) {
    return written.error().Wrap("writing to " + client_.location().ToString());
  }
  if (Status removed = DeleteOutside(client_, probe); !removed.ok()) {
    return removed.error().Wrap("deleting from " + client_.location().ToString());
  }
  Result<std::unique_ptr<UnfinishedUploads>> unfinished = UnfinishedUploads::Open(dir_ / kUnfinishedName, &client_);
  if (!unfinished.ok()) return unfinished.error();
  unfinished_ = std::move(*unfinished);
  unfinished_->Sweep();
  return {};
}

// --- objects ---

Status OutsideObjects::ValidatePlace(std::string_view bucket, std::string_view key) {
  Status there = buckets_.Ensure(bucket);
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
  Result<std::shared_ptr<SpoolFile>> spool = NewSpool();
  if (!spool.ok()) return spool.error();
  auto commit = [this, bucket = std::string(bucket), key = std::string(key), precondition = options.precondition](
                    const OutsidePutWriter::Make& make) { return Commit(bucket, key, precondition, make); };
  return std::unique_ptr<ObjectWriter>(std::make_unique<OutsidePutWriter>(
      SenderWorld(), Outside(bucket, key), std::move(options), std::move(*spool), std::move(commit)));
}

Status OutsideObjects::CheckPlace(std::string_view bucket, std::string_view key,
                                  const Precondition& precondition) const {
  if (precondition.IsEmpty()) return {};
  const Result<ObjectInfo> there = reader_.Head(bucket, key);
  if (!there.ok() && there.error().code() != ErrorCode::kNotFound) return there.error();
  return CheckPrecondition(precondition, there.ok() ? &*there : nullptr);
}

Result<ObjectInfo> OutsideObjects::Commit(std::string_view bucket, std::string_view key,
                                          const Precondition& precondition, const OutsidePutWriter::Make& make) {
  const auto in_bucket = buckets_.Hold();
  if (const Status there = buckets_.Ensure(bucket); !there.ok()) return there.error();
  const std::lock_guard lock(stripes_.Of(bucket, key));
  if (const Status holds = CheckPlace(bucket, key, precondition); !holds.ok()) return holds.error();
  reader_.FinishReadersOf(bucket, key);
  Result<ObjectInfo> made = make();
  if (!made.ok()) return made;
  made->key = std::string(key);
  made->last_modified = clock_->Now();  // the outside has its own, a moment off; nobody is told this one
  return made;
}

Status OutsideObjects::DeleteIf(std::string_view bucket, std::string_view key, const Precondition& precondition) {
  if (const Status valid = ValidateKey(key); !valid.ok()) return valid;
  if (const Status there = buckets_.Ensure(bucket); !there.ok()) return there;
  const std::lock_guard lock(stripes_.Of(bucket, key));
  if (Status holds = CheckPlace(bucket, key, precondition); !holds.ok()) return holds;
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
  const auto in_bucket = buckets_.Hold();
  if (const Status valid = ValidatePlace(bucket, key); !valid.ok()) return valid.error();
  const std::lock_guard lock(stripes_.Of(bucket, key));
  if (const Status holds = CheckPlace(bucket, key, options.precondition); !holds.ok()) return holds.error();
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
  if (options.checksum_algorithm) {
    request.headers.emplace_back("x-amz-checksum-algorithm", std::string(ChecksumName(*options.checksum_algorithm)));
  }
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
  const auto size = static_cast<uint64_t>(stat.st_size);
  Result<std::string> etag = EtagOfFile(file->get(), size);
  if (!etag.ok()) return etag.error();
  // Asked for again, perhaps because an answer got lost: what is there already stays.
  Result<ObjectInfo> there = reader_.Head(bucket, key);
  if (there.ok() && there->size == size && there->etag == *etag) return there;
  if (!there.ok() && there.error().code() != ErrorCode::kNotFound) return there;
  const std::string outside = Outside(bucket, key);
  if (size <= kOnePutBytesMax) {
    const Outgoing object{
        .key = outside, .file = source, .size = size, .md5 = *FromHex(*etag), .attributes = std::move(attributes)};
    return Commit(bucket, key, {}, [&] { return PutWhole(client_, object); });
  }
  Result<std::unique_ptr<PartsSender>> sender =
      PartsSender::Begin(SenderWorld(), outside, {.attributes = std::move(attributes)});
  if (!sender.ok()) return sender.error();
  const uint64_t part_bytes = PartBytesFor(size);
  Status sent;
  for (uint64_t at = 0; at < size && sent.ok(); at += part_bytes) {
    sent = (*sender)->Send(source, at, std::min(part_bytes, size - at), nullptr);
  }
  if (sent.ok()) sent = (*sender)->AwaitAll();
  if (!sent.ok()) return sent.error();
  return Commit(bucket, key, {}, [&] { return (*sender)->Complete({}, {}); });
}

// --- tags ---

Status OutsideObjects::SetTags(std::string_view bucket, std::string_view key, Tags tags) {
  if (Status valid = ValidatePlace(bucket, key); !valid.ok()) return valid;
  const std::lock_guard lock(stripes_.Of(bucket, key));
  // Taking tags away from what is not there is no error everywhere.
  if (Result<ObjectInfo> there = reader_.Head(bucket, key); !there.ok()) return there.error();
  return SetTagsOutside(client_, Outside(bucket, key), tags);
}

// --- uploads in parts ---

Result<std::string> OutsideObjects::CreateUpload(std::string_view bucket, std::string_view key, UploadOptions options) {
  const auto in_bucket = buckets_.Hold();
  if (const Status valid = ValidatePlace(bucket, key); !valid.ok()) return valid.error();
  return uploads_.Create(bucket, key, std::move(options), clock_->Now());
}

Result<UploadInfo> OutsideObjects::FindUpload(std::string_view bucket, std::string_view key,
                                              std::string_view upload_id) {
  if (const Status there = buckets_.Ensure(bucket); !there.ok()) return there.error();
  return uploads_.Find(bucket, key, upload_id);
}

Result<std::unique_ptr<ObjectWriter>> OutsideObjects::StartPart(std::string_view bucket, std::string_view key,
                                                                std::string_view upload_id, int part_number) {
  if (part_number < 1 || part_number > kPartNumberMax) {
    return Invalid("part number " + std::to_string(part_number) + " is not from 1 to " +
                   std::to_string(kPartNumberMax));
  }
  const Result<UploadInfo> upload = FindUpload(bucket, key, upload_id);
  if (!upload.ok()) return upload.error();
  Result<std::shared_ptr<SpoolFile>> spool = NewSpool();
  if (!spool.ok()) return spool.error();
  auto commit = [this, key = Outside(bucket, key), id = std::string(upload_id)](
                    PartInfo part, const std::filesystem::path& file, std::string md5) {
    Result<PartInfo> put = PutPart(client_, key, id, std::move(part), {.path = file}, std::move(md5));
    if (put.ok()) put->last_modified = clock_->Now();
    return put;
  };
  return std::unique_ptr<ObjectWriter>(
      std::make_unique<OutsidePartWriter>(part_number, std::move(*spool), std::move(commit)));
}

Result<ObjectInfo> OutsideObjects::CompleteUpload(std::string_view bucket, std::string_view key,
                                                  std::string_view upload_id, const std::vector<CompletedPart>& parts,
                                                  Precondition precondition) {
  if (parts.empty()) return Invalid("an upload is completed with at least one part");
  const auto in_bucket = buckets_.Hold();
  const std::lock_guard lock(stripes_.Of(bucket, key));
  Result<ObjectInfo> made = CompleteThere(bucket, key, upload_id, parts, precondition);
  if (!made.ok() && made.error().code() == ErrorCode::kNotFound) {
    // Asked again, perhaps because the answer got lost: the object tells whether this very list made it.
    std::vector<PartInfo> named;
    for (const CompletedPart& part : parts) named.push_back({.number = part.number, .etag = ToLower(part.etag)});
    const Result<ObjectInfo> there = reader_.Head(bucket, key);
    if (!there.ok() || there->etag != EtagOfParts(named)) return made;
    made = there;
  }
  if (!made.ok()) return made;
  if (const Status forgotten = uploads_.Forget(bucket, upload_id); !forgotten.ok()) return forgotten.error();
  return reader_.Head(bucket, key);
}

Result<ObjectInfo> OutsideObjects::CompleteThere(std::string_view bucket, std::string_view key,
                                                 std::string_view upload_id, const std::vector<CompletedPart>& parts,
                                                 const Precondition& precondition) {
  if (const Result<UploadInfo> upload = FindUpload(bucket, key, upload_id); !upload.ok()) return upload.error();
  const Result<std::vector<PartInfo>> chosen = uploads_.Choose(bucket, key, upload_id, parts);
  if (!chosen.ok()) return chosen.error();
  if (const Status holds = CheckPlace(bucket, key, precondition); !holds.ok()) return holds.error();
  reader_.FinishReadersOf(bucket, key);
  return CompleteUploadOutside(client_, Outside(bucket, key), std::string(upload_id), *chosen, precondition, {});
}

Status OutsideObjects::AbortUpload(std::string_view bucket, std::string_view key, std::string_view upload_id) {
  const std::lock_guard lock(stripes_.Of(bucket, key));
  if (const Status there = buckets_.Ensure(bucket); !there.ok()) return there;
  return uploads_.Abort(bucket, key, upload_id);
}

Result<std::vector<UploadInfo>> OutsideObjects::ListUploads(std::string_view bucket) {
  if (const Status there = buckets_.Ensure(bucket); !there.ok()) return there.error();
  return uploads_.List(bucket);
}

Result<size_t> OutsideObjects::ExpireUploads(Time before) {
  unfinished_->Sweep();
  return uploads_.Expire(before, [this](const std::string& bucket, const UploadInfo& upload) {
    return AbortUpload(bucket, upload.key, upload.upload_id);
  });
}

}  // namespace

Result<std::unique_ptr<ObjectStore>> OutsideStore::Open(const std::filesystem::path& given, OutsideOptions options,
                                                        const Clock* clock, Random* random) {
  const std::filesystem::path dir = std::filesystem::absolute(given);
  if (Status made = MakeDirectories(dir); !made.ok()) return made.error();
  Result<std::optional<UniqueFd>> lock = TryLockFile(dir / "lock");
  if (!lock.ok()) return lock.error();
  if (!*lock) return Error(ErrorCode::kConflict, dir.string() + " is in use by another process");
  Status emptied = RemoveTree(dir / kStagingName);
  if (emptied.ok()) emptied = MakeDirectories(dir / kStagingName);
  if (!emptied.ok()) return emptied.error();
  Result<std::unique_ptr<ObjectCache>> cache = ObjectCache::Open(dir / "cache", options.cache_bytes_max, clock);
  if (!cache.ok()) return cache.error();
  if (Status written = WriteLocation(dir, options.location, options.cache_bytes_max); !written.ok()) {
    return written.error();
  }
  auto store = std::make_unique<OutsideObjects>(std::move(**lock), dir, std::move(*cache), std::move(options.location),
                                                std::move(options.patience), clock, random);
  if (Status usable = store->Begin(); !usable.ok()) return usable.error();
  return std::unique_ptr<ObjectStore>(std::move(store));
}

}  // namespace argosy::objectstore
