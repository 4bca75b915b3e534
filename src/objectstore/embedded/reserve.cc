#include "objectstore/embedded/reserve.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/files.h"

namespace argosy::objectstore {

Reserve::Reserve(std::filesystem::path path) : path_(std::move(path)), held_(access(path_.c_str(), F_OK) == 0) {}

void Reserve::Hold() {
  if (held_) return;
  const Result<UniqueFd> file = OpenFile(path_, O_WRONLY | O_CREAT, 0600);
  held_ = file.ok() && posix_fallocate(file->get(), 0, kBytes) == 0;
  if (!held_) unlink(path_.c_str());  // part of it may have been taken
}

bool Reserve::Release() {
  if (!held_) return false;
  held_ = false;
  return unlink(path_.c_str()) == 0;
}

}  // namespace argosy::objectstore
