// Archives from outside: whatever the bytes are, unpacking ends, and writes nowhere but under its target.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "agent/archive.h"
#include "base/files.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace argosy;
  static const std::filesystem::path root = [] {
    char name[] = "/tmp/argosy-fuzz-XXXXXX";
    Check(mkdtemp(name) != nullptr);
    return std::filesystem::path(name);
  }();
  const std::filesystem::path target = root / "target";
  std::filesystem::remove_all(target);
  std::filesystem::create_directories(target);
  const UniqueFd file(memfd_create("archive", MFD_CLOEXEC));
  Check(WriteAll(file.get(), {reinterpret_cast<const char*>(data), size}).ok());
  lseek(file.get(), 0, SEEK_SET);
  (void)agent::UnpackArchive(file.get(), target, {.bytes_max = 1 << 20, .entries_max = 100, .depth_max = 8});
  size_t beside = 0;
  for (const auto& entry : std::filesystem::directory_iterator(root)) beside += entry.path() == target ? 0 : 1;
  Check(beside == 0, "an archive wrote beside its target");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(target)) {
    Check(!entry.is_symlink(), "an archive made a link");
  }
  return 0;
}
