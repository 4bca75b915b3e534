#include "objectstore/outside/object_cache.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "base/bytes.h"

namespace argosy::objectstore {
namespace {

struct Entry {
  std::filesystem::path path;
  uint64_t size = 0;
  int64_t used_ns = 0;
};

timespec ToTimespec(Time at) {
  const auto nanos = at.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(nanos);
  return {.tv_sec = seconds.count(), .tv_nsec = (nanos - seconds).count()};
}

}  // namespace

PartialFile::~PartialFile() {
  unlink(path_.c_str());
}

Result<std::unique_ptr<ObjectCache>> ObjectCache::Open(std::filesystem::path dir, uint64_t bytes_max,
                                                       const Clock* clock) {
  for (const char* part : {"whole", "partial"}) {
    if (Status made = MakeDirectories(dir / part); !made.ok()) return made.error();
  }
  std::unique_ptr<ObjectCache> cache(new ObjectCache(std::move(dir), bytes_max, clock));
  cache->SweepPartials();
  return cache;
}

std::string ObjectCache::NameOf(std::string_view key, std::string_view etag, uint64_t size) {
  return Sha256Hex(std::string(key) + "\n" + std::string(etag) + "\n" + std::to_string(size));
}

void ObjectCache::SweepPartials() const {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(dir_ / "partial", error)) {
    const std::string name = entry.path().filename().string();  // <pid>-<number>
    const std::optional<int64_t> pid = ParseInt(name.substr(0, name.find('-')));
    const bool lives = pid && *pid != getpid() && kill(static_cast<pid_t>(*pid), 0) == 0;
    if (!lives) unlink(entry.path().c_str());
  }
}

std::optional<UniqueFd> ObjectCache::Find(const std::string& name, uint64_t size) {
  UniqueFd file(open(PathOf(name).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  struct stat stat;
  if (!file.valid() || fstat(file.get(), &stat) != 0) return std::nullopt;
  if (!S_ISREG(stat.st_mode) || static_cast<uint64_t>(stat.st_size) != size) return std::nullopt;
  const timespec now = ToTimespec(clock_->Now());
  const timespec times[2] = {now, now};
  (void)futimens(file.get(), times);  // by its owner; another user's file just looks older than it is
  return file;
}

Result<std::unique_ptr<PartialFile>> ObjectCache::NewPartial() {
  std::filesystem::path path = dir_ / "partial" / (std::to_string(getpid()) + "-" + std::to_string(next_++));
  Result<UniqueFd> file = OpenFile(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (!file.ok()) return file.error().Wrap("making room for an object");
  return std::make_unique<PartialFile>(std::move(path), std::make_shared<UniqueFd>(std::move(*file)));
}

Status ObjectCache::Keep(PartialFile& partial, const std::string& name) {
  const timespec now = ToTimespec(clock_->Now());
  const timespec times[2] = {now, now};
  (void)futimens(partial.file()->get(), times);
  if (rename(partial.path().c_str(), PathOf(name).c_str()) != 0) return ErrnoError("keeping an object", errno);
  struct stat stat;
  LetGo(fstat(partial.file()->get(), &stat) == 0 ? static_cast<uint64_t>(stat.st_size) : bytes_max_);
  return {};
}

void ObjectCache::LetGo(uint64_t kept) {
  const std::lock_guard lock(mutex_);
  if (kept_since_look_) {
    *kept_since_look_ += kept;
    if (*kept_since_look_ < bytes_max_ / kLooks) return;
  }
  kept_since_look_ = 0;
  std::vector<Entry> entries;
  uint64_t total = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(dir_ / "whole", error)) {
    struct stat stat;
    if (lstat(entry.path().c_str(), &stat) != 0) continue;
    entries.push_back({entry.path(), static_cast<uint64_t>(stat.st_size),
                       stat.st_mtim.tv_sec * 1'000'000'000 + stat.st_mtim.tv_nsec});
    total += entries.back().size;
  }
  if (total <= bytes_max_) return;
  std::ranges::sort(entries, {}, &Entry::used_ns);
  const int64_t spared = ToUnixNanos(clock_->Now() - kSparedFor);
  for (const Entry& entry : entries) {
    if (total <= bytes_max_ || entry.used_ns > spared) break;
    if (unlink(entry.path.c_str()) == 0) total -= entry.size;
  }
}

}  // namespace argosy::objectstore
