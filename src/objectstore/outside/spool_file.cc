#include "objectstore/outside/spool_file.h"

#include <fcntl.h>
#include <unistd.h>

namespace argosy::objectstore {

Result<std::shared_ptr<SpoolFile>> SpoolFile::Make(std::filesystem::path path) {
  Result<UniqueFd> file = OpenFile(path, O_RDWR | O_CREAT | O_EXCL, 0600);
  if (!file.ok()) return file.error().Wrap("making room for an object");
  return std::make_shared<SpoolFile>(std::move(path), std::move(*file));
}

SpoolFile::~SpoolFile() {
  unlink(path_.c_str());
}

Status SpoolFile::Append(std::string_view piece) {
  const Status written = WriteAll(file_.get(), piece);
  if (!written.ok()) return written.error().Wrap("writing an object");
  size_ += piece.size();
  return {};
}

void SpoolFile::Drop(uint64_t offset, uint64_t length) const {
  // Where the file system cannot, the room comes back with the file's end.
  (void)fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                  static_cast<off_t>(length));
}

}  // namespace argosy::objectstore
