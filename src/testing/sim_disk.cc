#include "testing/sim_disk.h"

#include <sqlite3.h>

#include <cstring>
#include <new>

#include "base/result.h"

namespace argosy::testing {
namespace {

constexpr uint64_t kSector = 512;

// What SQLite keeps for an open file; it allocates szOsFile bytes for it.
struct VfsFile {
  sqlite3_file base;
  SimDisk* disk;
  SimDisk::File* file;
};

VfsFile* Self(sqlite3_file* file) {
  return reinterpret_cast<VfsFile*>(file);
}

int ToSqlite(SimDisk::Fate fate, int io_error) {
  switch (fate) {
    case SimDisk::Fate::kDone:
      return SQLITE_OK;
    case SimDisk::Fate::kFull:
      return SQLITE_FULL;
    case SimDisk::Fate::kNoPower:
      return io_error;
  }
  return io_error;
}

int Close(sqlite3_file*) {
  return SQLITE_OK;
}

int Read(sqlite3_file* file, void* out, int amount, sqlite3_int64 offset) {
  const std::string& content = Self(file)->file->content;
  const auto from = static_cast<uint64_t>(offset);
  const auto wanted = static_cast<uint64_t>(amount);
  const uint64_t there = from >= content.size() ? 0 : std::min<uint64_t>(wanted, content.size() - from);
  if (there > 0) std::memcpy(out, content.data() + from, there);
  if (there == wanted) return SQLITE_OK;
  std::memset(static_cast<char*>(out) + there, 0, wanted - there);
  return SQLITE_IOERR_SHORT_READ;
}

int WriteFile(sqlite3_file* file, const void* bytes, int amount, sqlite3_int64 offset) {
  const std::string_view data(static_cast<const char*>(bytes), static_cast<size_t>(amount));
  return ToSqlite(Self(file)->disk->Put(Self(file)->file, static_cast<uint64_t>(offset), data), SQLITE_IOERR_WRITE);
}

int TruncateFile(sqlite3_file* file, sqlite3_int64 size) {
  return ToSqlite(Self(file)->disk->Truncate(Self(file)->file, static_cast<uint64_t>(size)), SQLITE_IOERR_TRUNCATE);
}

int SyncFile(sqlite3_file* file, int) {
  return ToSqlite(Self(file)->disk->Sync(Self(file)->file), SQLITE_IOERR_FSYNC);
}

int FileSize(sqlite3_file* file, sqlite3_int64* size) {
  *size = static_cast<sqlite3_int64>(Self(file)->file->content.size());
  return SQLITE_OK;
}

int Lock(sqlite3_file*, int) {
  return SQLITE_OK;
}
int Unlock(sqlite3_file*, int) {
  return SQLITE_OK;
}
int CheckReservedLock(sqlite3_file*, int* out) {
  *out = 0;
  return SQLITE_OK;
}
int FileControl(sqlite3_file*, int, void*) {
  return SQLITE_NOTFOUND;
}
int SectorSize(sqlite3_file*) {
  return static_cast<int>(kSector);
}
int DeviceCharacteristics(sqlite3_file*) {
  return 0;
}

constexpr sqlite3_io_methods kMethods = {1,
                                         Close,
                                         Read,
                                         WriteFile,
                                         TruncateFile,
                                         SyncFile,
                                         FileSize,
                                         Lock,
                                         Unlock,
                                         CheckReservedLock,
                                         FileControl,
                                         SectorSize,
                                         DeviceCharacteristics,
                                         nullptr,
                                         nullptr,
                                         nullptr,
                                         nullptr,
                                         nullptr,
                                         nullptr};

SimDisk* DiskOf(sqlite3_vfs* vfs) {
  return static_cast<SimDisk*>(vfs->pAppData);
}

int OpenFile(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out_flags) {
  VfsFile* self = new (file) VfsFile{};
  if (!DiskOf(vfs)->powered()) return SQLITE_CANTOPEN;
  self->base.pMethods = &kMethods;
  self->disk = DiskOf(vfs);
  self->file = DiskOf(vfs)->Open(path == nullptr ? "temporary" : path);
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

int DeleteFile(sqlite3_vfs* vfs, const char* path, int) {
  if (!DiskOf(vfs)->powered()) return SQLITE_IOERR_DELETE;
  DiskOf(vfs)->Remove(path);
  return SQLITE_OK;
}

int Access(sqlite3_vfs* vfs, const char* path, int, int* out) {
  *out = DiskOf(vfs)->Exists(path) ? 1 : 0;
  return SQLITE_OK;
}

int FullPath(sqlite3_vfs*, const char* path, int size, char* out) {
  sqlite3_snprintf(size, out, "%s", path);
  return SQLITE_OK;
}

int Randomness(sqlite3_vfs*, int size, char* out) {
  std::memset(out, 7, static_cast<size_t>(size));
  return size;
}
int Sleep(sqlite3_vfs*, int micros) {
  return micros;
}
int CurrentTime(sqlite3_vfs*, double* out) {
  *out = 2460000.5;
  return SQLITE_OK;
}
int LastError(sqlite3_vfs*, int, char*) {
  return 0;
}

}  // namespace

struct SimDisk::Vfs {
  sqlite3_vfs vfs{};
};

SimDisk::SimDisk(std::string name, Random* random)
    : name_(std::move(name)), random_(random), vfs_(std::make_unique<Vfs>()) {
  sqlite3_vfs& v = vfs_->vfs;
  v.iVersion = 1;
  v.szOsFile = sizeof(VfsFile);
  v.mxPathname = 256;
  v.zName = name_.c_str();
  v.pAppData = this;
  v.xOpen = OpenFile;
  v.xDelete = DeleteFile;
  v.xAccess = Access;
  v.xFullPathname = FullPath;
  v.xRandomness = Randomness;
  v.xSleep = Sleep;
  v.xCurrentTime = CurrentTime;
  v.xGetLastError = LastError;
  Check(sqlite3_vfs_register(&v, 0) == SQLITE_OK, "registering the simulated disk");
}

SimDisk::~SimDisk() {
  sqlite3_vfs_unregister(&vfs_->vfs);
}

SimDisk::File* SimDisk::Open(const std::string& path) {
  std::unique_ptr<File>& file = files_[path];
  if (!file) file = std::make_unique<File>();
  return file.get();
}

void SimDisk::Remove(const std::string& path) {
  files_.erase(path);
}

bool SimDisk::UsePower() {
  if (powered_ && cut_after_ > 0 && --cut_after_ == 0) powered_ = false;
  return powered_;
}

SimDisk::Fate SimDisk::Put(File* file, uint64_t offset, std::string_view bytes) {
  if (!UsePower()) return Fate::kNoPower;
  const uint64_t end = offset + bytes.size();
  if (full_ && end > file->content.size()) return Fate::kFull;
  Write write{.offset = offset, .after = std::string(bytes), .size_before = file->content.size()};
  if (offset < file->content.size()) write.before = file->content.substr(offset, bytes.size());
  if (file->content.size() < end) file->content.resize(end);
  file->content.replace(offset, bytes.size(), bytes);
  file->unsynced.push_back(std::move(write));
  return Fate::kDone;
}

SimDisk::Fate SimDisk::Truncate(File* file, uint64_t size) {
  if (!UsePower()) return Fate::kNoPower;
  if (size >= file->content.size()) return Fate::kDone;
  file->unsynced.push_back(
      {.offset = size, .before = file->content.substr(size), .size_before = file->content.size(), .truncate = true});
  file->content.resize(size);
  return Fate::kDone;
}

SimDisk::Fate SimDisk::Sync(File* file) {
  if (!UsePower()) return Fate::kNoPower;
  if (fail_sync_ > 0 && --fail_sync_ == 0) return Fate::kNoPower;
  file->unsynced.clear();
  return Fate::kDone;
}

void SimDisk::Restart(Loss loss) {
  for (auto& [path, file] : files_) {
    if (loss == Loss::kNothing) continue;
    std::string& content = file->content;
    for (auto write = file->unsynced.rbegin(); write != file->unsynced.rend(); ++write) {
      if (write->truncate) {
        content.append(write->before);
      } else {
        content.replace(write->offset, write->before.size(), write->before);
        content.resize(write->size_before);
      }
    }
    for (const Write& write : file->unsynced) {
      if (write.truncate) {
        if (random_->Below(2) == 0) content.resize(std::min<uint64_t>(content.size(), write.offset));
        continue;
      }
      for (uint64_t at = 0; at < write.after.size(); at += kSector) {
        if (random_->Below(2) == 0) continue;
        const std::string sector = write.after.substr(at, kSector);
        if (content.size() < write.offset + at + sector.size()) content.resize(write.offset + at + sector.size());
        content.replace(write.offset + at, sector.size(), sector);
      }
    }
    file->unsynced.clear();
  }
  powered_ = true;
  cut_after_ = 0;
}

}  // namespace argosy::testing
