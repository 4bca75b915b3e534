// A disk of the simulated world, given to SQLite as a VFS: writes since the last sync may be lost, wholly or by
// sectors, when the power goes; it can be full.
//
// Everything is in memory. Single-threaded.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"

namespace argosy::testing {

class SimDisk {
 public:
  // `name` becomes the VFS's; must be unique among living disks.
  SimDisk(std::string name, Random* random);
  ~SimDisk();
  SimDisk(const SimDisk&) = delete;
  SimDisk& operator=(const SimDisk&) = delete;

  const std::string& name() const { return name_; }

  // From now on every write and sync fails and changes nothing: the power is gone, the program does not know yet.
  void CutPower() { powered_ = false; }
  // As above, but only when `operations` more writes and syncs have been done: in the midst of a commit.
  void CutPowerAfter(uint64_t operations) { cut_after_ = operations; }
  bool powered() const { return powered_; }

  // kUnsyncedLost: what was not synced is lost, each sector by the toss of a coin. Then the power is back.
  enum class Loss { kNothing, kUnsyncedLost };
  void Restart(Loss loss);

  // The `nth` sync from now on, and no other, fails and keeps nothing.
  void FailSync(uint64_t nth) { fail_sync_ = nth; }

  void set_full(bool full) { full_ = full; }  // NOLINT: a switch of the world, not of a function

  struct Write {
    uint64_t offset = 0;
    std::string before;  // what the write covered
    std::string after;
    uint64_t size_before = 0;
    bool truncate = false;
  };
  struct File {
    std::string content;
    std::vector<Write> unsynced;
  };

  // For the VFS.
  File* Open(const std::string& path);
  bool Exists(const std::string& path) const { return files_.contains(path); }
  void Remove(const std::string& path);
  enum class Fate { kDone, kNoPower, kFull };
  Fate Put(File* file, uint64_t offset, std::string_view bytes);
  Fate Truncate(File* file, uint64_t size);
  Fate Sync(File* file);

 private:
  struct Vfs;
  bool UsePower();

  std::string name_;
  Random* random_;
  bool powered_ = true;
  bool full_ = false;
  uint64_t cut_after_ = 0;  // 0 = not set
  uint64_t fail_sync_ = 0;  // 0 = not set
  std::map<std::string, std::unique_ptr<File>> files_;
  std::unique_ptr<Vfs> vfs_;
};

}  // namespace argosy::testing
