#include "objectstore/embedded/uploads.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <tuple>

#include "base/bytes.h"
#include "base/json.h"
#include "base/log.h"
#include "objectstore/json_texts.h"

namespace argosy::objectstore {
namespace {

constexpr char kDescription[] = "upload.json";
constexpr size_t kDescriptionBytesMax = 1 << 20;  // far above what the headers of one request can hold

bool IsUploadId(std::string_view id) {
  return id.size() == 32 &&
         std::ranges::all_of(id, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

Error NoSuchUpload(std::string_view id) {
  return Error(ErrorCode::kNotFound, "there is no upload '" + std::string(id.substr(0, 64)) + "'");
}

std::string PartName(int number) {
  return fmt::format("{:05}", number);
}

}  // namespace

// A part: an object's writer whose place is in the upload's directory.
class Uploads::PartWriter final : public ObjectWriter {
 public:
  PartWriter(const Uploads* uploads, std::filesystem::path dir, int number, std::unique_ptr<StagedFile> staged)
      : uploads_(uploads), dir_(std::move(dir)), number_(number), staged_(std::move(staged)) {}

  Status Append(std::string_view piece) override { return staged_->Append(piece); }
  uint64_t size() const override { return staged_->size(); }
  std::string Md5() const override { return staged_->Md5(); }
  void SetChecksum(Checksum checksum) override { record_.checksum = std::move(checksum); }

  Result<ObjectInfo> Commit() override {
    record_.etag = ToHex(staged_->Md5());
    Result<FileIdentity> identity = staged_->Seal(uploads_->clock_->Now(), record_);
    if (!identity.ok()) return identity.error();
    Status done = uploads_->At("part: fsync file");
    if (done.ok()) done = SyncWhole(staged_->fd(), "a part");
    if (done.ok()) done = uploads_->At("part: rename");
    if (!done.ok()) return done.error();
    const std::string place = (dir_ / PartName(number_)).string();
    if (renameat(staged_->directory_fd(), staged_->name().c_str(), AT_FDCWD, place.c_str()) != 0) {
      if (errno == ENOENT) return NoSuchUpload(dir_.filename().string());  // completed or aborted meanwhile
      return ErrnoError("renaming a part", errno);
    }
    done = uploads_->At("part: fsync directory");
    if (done.ok()) done = SyncDirectory(dir_);
    // Gone meanwhile: then nothing is owed for the part any more.
    if (!done.ok() && done.error().code() == ErrorCode::kNotFound) return NoSuchUpload(dir_.filename().string());
    if (!done.ok()) return done.error();
    return ToObjectInfo("", *identity, record_);
  }

 private:
  const Uploads* const uploads_;
  const std::filesystem::path dir_;
  const int number_;
  const std::unique_ptr<StagedFile> staged_;
  Record record_;
};

Uploads::Uploads(std::filesystem::path dir, StagingArea* staging, const Clock* clock, Random* random, StepHook hook)
    : dir_(std::move(dir)), staging_(staging), clock_(clock), random_(random), hook_(std::move(hook)) {}

Result<std::unique_ptr<Uploads>> Uploads::Open(std::filesystem::path dir, StagingArea* staging, const Clock* clock,
                                               Random* random, StepHook hook) {
  const Status made = MakeDirectories(dir);
  if (!made.ok()) return made.error();
  return std::unique_ptr<Uploads>(new Uploads(std::move(dir), staging, clock, random, std::move(hook)));
}

Result<std::string> Uploads::Create(std::string_view bucket, std::string_view key, const UploadOptions& options) {
  std::string id;
  {
    const std::lock_guard lock(random_mutex_);
    id = NewUid(*random_);
  }
  const Record described{.attributes = options.attributes, .tags = options.tags};
  Json json = {{"bucket", bucket}, {"key", key}, {"initiated_ns", ToUnixNanos(clock_->Now())}};
  const std::string details = EncodeDetails(described);
  if (!details.empty()) json["details"] = details;
  if (options.checksum_algorithm) {
    json["checksum_algorithm"] = ChecksumName(*options.checksum_algorithm);
    json["checksum_type"] = ChecksumTypeName(options.checksum_type);
  }
  const std::filesystem::path aside = staging_->PathOf(staging_->NewName());
  Status done = MakeDirectories(aside);
  if (done.ok()) done = WriteFileDurably(aside / kDescription, DumpJson(json));
  if (done.ok()) done = At("upload: rename");
  if (done.ok() && rename(aside.c_str(), (dir_ / id).c_str()) != 0) done = ErrnoError("renaming an upload", errno);
  if (done.ok()) done = At("upload: fsync directory");
  if (done.ok()) done = SyncDirectory(dir_);
  if (!done.ok()) {
    (void)RemoveTree(aside);
    return done.error().Wrap("creating an upload");
  }
  return id;
}

Result<Uploads::Described> Uploads::Read(const std::string& upload_id) const {
  if (!IsUploadId(upload_id)) return NoSuchUpload(upload_id);
  Result<std::string> text = ReadFile(dir_ / upload_id / kDescription, kDescriptionBytesMax);
  if (!text.ok()) {
    if (text.error().code() == ErrorCode::kNotFound) return NoSuchUpload(upload_id);
    return text.error();
  }
  Result<Json> json = ParseJson(*text);
  const Error corrupt(ErrorCode::kCorrupt, "the description of upload '" + upload_id + "' is damaged");
  if (!json.ok() || !json->is_object()) return corrupt;
  Described out;
  out.bucket = TextAt(*json, "bucket");
  out.info.key = TextAt(*json, "key");
  out.info.upload_id = upload_id;
  const auto initiated = json->find("initiated_ns");
  if (out.bucket.empty() || out.info.key.empty() || initiated == json->end() || !initiated->is_number_integer()) {
    return corrupt;
  }
  out.info.initiated = FromUnixNanos(initiated->get<int64_t>());
  Result<Record> record = DecodeDetails(TextAt(*json, "details"), "");
  if (!record.ok()) return corrupt;
  out.info.options.attributes = std::move(record->attributes);
  out.info.options.tags = std::move(record->tags);
  out.info.options.checksum_algorithm = ParseChecksumName(TextAt(*json, "checksum_algorithm"));
  out.info.options.checksum_type =
      ParseChecksumTypeName(TextAt(*json, "checksum_type")).value_or(ChecksumType::kComposite);
  return out;
}

Result<UploadInfo> Uploads::Find(std::string_view bucket, std::string_view key, std::string_view upload_id) const {
  Result<Described> described = Read(std::string(upload_id));
  if (!described.ok()) return described.error();
  if (described->bucket != bucket || described->info.key != key) return NoSuchUpload(upload_id);
  return std::move(described->info);
}

Result<std::unique_ptr<ObjectWriter>> Uploads::StartPart(std::string_view upload_id, int number) {
  Result<std::unique_ptr<StagedFile>> staged = staging_->NewFile();
  if (!staged.ok()) return staged.error();
  return std::unique_ptr<ObjectWriter>(
      std::make_unique<PartWriter>(this, dir_ / upload_id, number, std::move(*staged)));
}

Result<std::vector<PartInfo>> Uploads::ListParts(std::string_view upload_id) const {
  struct CloseDirectory {
    void operator()(DIR* stream) const { closedir(stream); }
  };
  const std::filesystem::path dir = dir_ / upload_id;
  const std::unique_ptr<DIR, CloseDirectory> stream(opendir(dir.c_str()));
  if (stream == nullptr) {
    if (errno == ENOENT) return NoSuchUpload(upload_id);
    return ErrnoError("reading " + dir.string(), errno);
  }
  std::vector<PartInfo> out;
  while (const dirent* entry = readdir(stream.get())) {
    const std::optional<int64_t> number = ParseInt(entry->d_name);
    if (!number || *number < 1 || *number > kPartNumberMax || PartName(static_cast<int>(*number)) != entry->d_name) {
      continue;
    }
    UniqueFd fd(openat(dirfd(stream.get()), entry->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat stat;
    if (!fd.valid() || fstat(fd.get(), &stat) != 0) return ErrnoError("looking at a part", errno);
    const FileIdentity identity = IdentityOf(stat);
    Result<Record> record = RecordOfFile(fd.get(), identity);
    if (!record.ok()) return record.error();
    out.push_back({.number = static_cast<int>(*number),
                   .size = identity.size,
                   .etag = std::move(record->etag),
                   .last_modified = FromUnixNanos(identity.mtime_ns),
                   .checksum = std::move(record->checksum)});
  }
  std::ranges::sort(out, {}, &PartInfo::number);
  return out;
}

Status Uploads::AppendPart(std::string_view upload_id, const PartInfo& part, StagedFile& whole) const {
  Result<UniqueFd> fd = OpenFile(dir_ / upload_id / PartName(part.number), O_RDONLY);
  if (!fd.ok()) return fd.error();
  struct stat stat;
  if (fstat(fd->get(), &stat) != 0) return ErrnoError("looking at a part", errno);
  // Replaced since it was listed: the ETag that the client named is not this content's any more.
  if (static_cast<uint64_t>(stat.st_size) != part.size ||
      FromUnixNanos(IdentityOf(stat).mtime_ns) != part.last_modified) {
    return Error(ErrorCode::kInvalidArgument, "part " + std::to_string(part.number) + " has just been replaced");
  }
  return whole.AppendFile(fd->get(), part.size);
}

Status Uploads::Remove(std::string_view upload_id) {
  const std::filesystem::path aside = staging_->PathOf(staging_->NewName());
  Status done = At("upload: remove");
  if (!done.ok()) return done;
  if (rename((dir_ / upload_id).c_str(), aside.c_str()) != 0) {
    if (errno == ENOENT) return NoSuchUpload(upload_id);
    return ErrnoError("removing an upload", errno);
  }
  done = SyncDirectory(dir_);
  // What cannot be removed now is swept at the next start.
  const Status removed = RemoveTree(aside);
  if (!removed.ok())
    Log(LogLevel::kWarning, "an upload's parts stay until the next start", {{"reason", removed.error().message()}});
  return done;
}

Result<std::vector<UploadInfo>> Uploads::List(std::string_view bucket) const {
  std::vector<UploadInfo> out;
  std::error_code error;
  for (std::filesystem::directory_iterator at(dir_, error), end; !error && at != end; at.increment(error)) {
    Result<Described> described = Read(at->path().filename().string());
    if (!described.ok() || described->bucket != bucket) continue;
    out.push_back(std::move(described->info));
  }
  if (error) return ErrnoError("reading " + dir_.string(), error.value());
  std::ranges::sort(out, [](const UploadInfo& a, const UploadInfo& b) {
    return std::tie(a.key, a.initiated, a.upload_id) < std::tie(b.key, b.initiated, b.upload_id);
  });
  return out;
}

Result<size_t> Uploads::Expire(Time before, const std::function<Status(const std::string& upload_id)>& abort) {
  std::vector<std::string> old;
  std::error_code error;
  for (std::filesystem::directory_iterator at(dir_, error), end; !error && at != end; at.increment(error)) {
    const std::string id = at->path().filename().string();
    const Result<Described> described = Read(id);
    if (!described.ok() || described->info.initiated >= before) continue;
    const Result<std::vector<PartInfo>> parts = ListParts(id);
    const auto is_new = [&](const PartInfo& part) { return part.last_modified >= before; };
    if (parts.ok() && std::ranges::none_of(*parts, is_new)) old.push_back(id);
  }
  if (error) return ErrnoError("reading " + dir_.string(), error.value());
  size_t aborted = 0;
  for (const std::string& id : old) {
    const Status removed = abort(id);
    if (!removed.ok() && removed.error().code() != ErrorCode::kNotFound) return removed.error();
    if (removed.ok()) ++aborted;
  }
  return aborted;
}

Status Uploads::RemoveAllOf(std::string_view bucket) {
  Result<std::vector<UploadInfo>> uploads = List(bucket);
  if (!uploads.ok()) return uploads.error();
  for (const UploadInfo& upload : *uploads) {
    const Status removed = Remove(upload.upload_id);
    if (!removed.ok() && removed.error().code() != ErrorCode::kNotFound) return removed;
  }
  return {};
}

}  // namespace argosy::objectstore
