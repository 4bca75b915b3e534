#include "objectstore/mounted/folder_reader.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/bytes.h"
#include "objectstore/checksum.h"
#include "objectstore/embedded/file_reader.h"

namespace argosy::objectstore {
namespace {

constexpr size_t kKeptEntriesMin = 1000;  // smaller folders are read again as fast
constexpr char kBeyond = '\xff';          // greater than any byte of UTF-8

struct CloseFolder {
  void operator()(DIR* stream) const { closedir(stream); }
};

enum class Links { kNone, kBelow };

// Of what lies below `root`, without ever leaving it.
UniqueFd OpenBelow(int root, const std::string& path, int flags, Links links) {
  open_how how{};
  how.flags = static_cast<uint64_t>(flags | O_CLOEXEC | ((flags & O_PATH) == 0 ? O_NONBLOCK : 0));
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | (links == Links::kNone ? RESOLVE_NO_SYMLINKS : 0);
  return UniqueFd(static_cast<int>(syscall(SYS_openat2, root, path.c_str(), &how, sizeof how)));
}

std::string ParentOf(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? "." : std::string(path.substr(0, slash));
}

// A key that names a file by its one plain path.
bool IsPlainPath(std::string_view key) {
  while (true) {
    const size_t end = std::min(key.find('/'), key.size());
    const std::string_view part = key.substr(0, end);
    if (part.empty() || part == "." || part == "..") return false;
    if (end == key.size()) return true;
    key.remove_prefix(end + 1);
  }
}

ObjectInfo InfoOf(std::string_view key, const FileIdentity& identity) {
  Md5Hasher hasher;
  hasher.Update(fmt::format("{} {} {}", identity.inode, identity.size, identity.mtime_ns));
  return ToObjectInfo(key, identity, {.etag = ToHex(hasher.Digest()) + "-1"});
}

}  // namespace

// One page: all keys below the folder in their order, as far as they are wanted.
class FolderReader::Walk {
 public:
  Walk(FolderReader* reader, const ListRequest& request, std::string from)
      : reader_(reader), request_(request), from_(std::move(from)), max_(std::min(request.max_keys, kPageKeysMax)) {}

  Result<ListPage> Run() {
    // Of a prefix with folders in it, those alone are looked at.
    const size_t slash = request_.prefix.rfind('/');
    const std::string top = slash == std::string::npos ? "" : request_.prefix.substr(0, slash + 1);
    if (max_ == 0 || (!top.empty() && !IsPlainPath(std::string_view(top).substr(0, slash)))) return ListPage();
    if (Status done = Folder(top); !done.ok()) return done.error();
    if (full_) page_.next_token = ToBase64(from_);
    return std::move(page_);
  }

 private:
  // Whether some key that begins with `prefix` may be wanted.
  bool MayHold(std::string_view prefix) const {
    const bool fits = prefix.starts_with(request_.prefix) || std::string_view(request_.prefix).starts_with(prefix);
    return fits && (prefix >= from_ || from_.starts_with(prefix));
  }

  Status Folder(const std::string& directory) {
    const Result<std::shared_ptr<const Entries>> entries = reader_->ReadEntries(directory);
    if (!entries.ok()) return entries.error();
    for (const Entry& entry : **entries) {
      const std::string key = directory + entry.name;
      if (key.size() > kKeyBytesMax || !MayHold(key)) continue;
      if (entry.name.ends_with('/')) {
        if (Status done = Folder(key); !done.ok()) return done;
      } else if (key >= from_) {
        Take(key, entry.identity);
      }
      if (full_) return {};
    }
    return {};
  }

  void Take(const std::string& key, const FileIdentity& identity) {
    if (page_.objects.size() + page_.common_prefixes.size() == max_) {
      full_ = true;
      return;
    }
    const size_t at =
        request_.delimiter.empty() ? std::string::npos : key.find(request_.delimiter, request_.prefix.size());
    if (at == std::string::npos) {
      page_.objects.push_back(InfoOf(key, identity));
      from_ = key + '\0';
    } else {
      page_.common_prefixes.push_back(key.substr(0, at + request_.delimiter.size()));
      from_ = page_.common_prefixes.back() + kBeyond;
    }
  }

  FolderReader* const reader_;
  const ListRequest& request_;
  std::string from_;  // the least key that is still wanted
  const size_t max_;
  ListPage page_;
  bool full_ = false;
};

Result<std::unique_ptr<FolderReader>> FolderReader::Open(const std::filesystem::path& folder) {
  Result<UniqueFd> root = OpenFile(folder, O_RDONLY | O_DIRECTORY);
  if (!root.ok()) return root.error();
  return std::unique_ptr<FolderReader>(new FolderReader(folder, std::move(*root)));
}

Status FolderReader::HeadBucket(std::string_view) {
  return {};
}

Result<OpenObject> FolderReader::Open(std::string_view bucket, std::string_view key) {
  if (Status valid = ValidateKey(key); !valid.ok()) return valid.error();
  if (!IsPlainPath(key)) return NoSuchKey(bucket, key);
  const auto failed = [&]() -> Error {
    if (errno == EACCES) return ErrnoError("opening s3://" + std::string(bucket) + "/" + std::string(key), errno);
    // Not there, behind a link, a link that leads out, or a socket: no object in any case.
    constexpr int kNoObject[] = {ENOENT, ENOTDIR, ELOOP, EXDEV, ENAMETOOLONG, ENXIO};
    if (std::ranges::find(kNoObject, errno) != std::end(kNoObject)) return NoSuchKey(bucket, key);
    return ErrnoError("opening s3://" + std::string(bucket) + "/" + std::string(key), errno);
  };
  const UniqueFd parent = OpenBelow(root_.get(), ParentOf(key), O_PATH | O_DIRECTORY, Links::kNone);
  if (!parent.valid()) return failed();
  UniqueFd file = OpenBelow(root_.get(), std::string(key), O_RDONLY, Links::kBelow);
  if (!file.valid()) return failed();
  struct stat stat;
  if (fstat(file.get(), &stat) != 0) return ErrnoError("looking at an object", errno);
  if (!S_ISREG(stat.st_mode)) return NoSuchKey(bucket, key);
  return OpenObject{.file = std::make_shared<UniqueFd>(std::move(file)), .info = InfoOf(key, IdentityOf(stat))};
}

Result<ObjectInfo> FolderReader::Head(std::string_view bucket, std::string_view key) {
  Result<OpenObject> object = Open(bucket, key);
  if (!object.ok()) return object.error();
  return std::move(object->info);
}

Result<std::filesystem::path> FolderReader::LocalPath(std::string_view bucket, std::string_view key) {
  if (const Result<OpenObject> object = Open(bucket, key); !object.ok()) return object.error();
  return folder_ / std::string(key);
}

Result<ListPage> FolderReader::List(const ListRequest& request) {
  std::string from = request.start_after.empty() ? "" : request.start_after + '\0';
  if (!request.token.empty()) {
    std::optional<std::string> decoded = FromBase64(request.token);
    if (!decoded || decoded->size() > kKeyBytesMax + 1) {
      return Error(ErrorCode::kInvalidArgument, "The continuation token provided is incorrect");
    }
    from = std::move(*decoded);
  }
  return Walk(this, request, std::move(from)).Run();
}

Result<std::shared_ptr<const FolderReader::Entries>> FolderReader::ReadEntries(const std::string& directory) {
  const std::string path = directory.empty() ? "." : directory;
  const UniqueFd fd = OpenBelow(root_.get(), path, O_RDONLY | O_DIRECTORY, Links::kNone);
  if (!fd.valid()) {
    // Removed meanwhile, closed to us, or no folder at all: nothing in it is to be shown.
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == EACCES || errno == ENAMETOOLONG) {
      return std::make_shared<const Entries>();
    }
    return ErrnoError("reading the folder " + (folder_ / directory).string(), errno);
  }
  struct stat stat;
  if (fstat(fd.get(), &stat) != 0) return ErrnoError("looking at a folder", errno);
  const FileIdentity identity = IdentityOf(stat);
  {
    const std::lock_guard lock(mutex_);
    if (kept_ != nullptr && kept_directory_ == directory && kept_identity_ == identity) return kept_;
  }
  Result<std::shared_ptr<const Entries>> entries = ReadAnew(fd, directory);
  if (entries.ok() && (*entries)->size() >= kKeptEntriesMin) {
    const std::lock_guard lock(mutex_);
    kept_directory_ = directory;
    kept_identity_ = identity;
    kept_ = *entries;
  }
  return entries;
}

Result<std::shared_ptr<const FolderReader::Entries>> FolderReader::ReadAnew(const UniqueFd& fd,
                                                                            const std::string& directory) const {
  const int own = dup(fd.get());
  const std::unique_ptr<DIR, CloseFolder> stream(own < 0 ? nullptr : fdopendir(own));
  if (stream == nullptr) return ErrnoError("reading the folder " + (folder_ / directory).string(), errno);
  Entries entries;
  while (const dirent* entry = readdir(stream.get())) {
    std::string name = entry->d_name;
    if (name == "." || name == ".." || !ValidateKey(name).ok()) continue;
    struct stat stat;
    if (fstatat(fd.get(), name.c_str(), &stat, AT_SYMLINK_NOFOLLOW) != 0) continue;  // gone meanwhile
    if (S_ISDIR(stat.st_mode)) {
      entries.push_back({.name = name + "/", .identity = {}});
      continue;
    }
    if (S_ISLNK(stat.st_mode)) {
      const UniqueFd behind = OpenBelow(root_.get(), directory + name, O_PATH, Links::kBelow);
      if (!behind.valid() || fstat(behind.get(), &stat) != 0) continue;
    }
    if (S_ISREG(stat.st_mode)) entries.push_back({.name = std::move(name), .identity = IdentityOf(stat)});
  }
  std::ranges::sort(entries, {}, &Entry::name);
  return std::make_shared<const Entries>(std::move(entries));
}

}  // namespace argosy::objectstore
