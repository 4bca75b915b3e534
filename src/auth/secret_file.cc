#include "auth/secret_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/files.h"

namespace argosy::auth {
namespace {

constexpr size_t kFileSizeMax = 64 * 1024;  // a credentials file is a few lines

}  // namespace

Result<std::string> ReadOrCreateSecretFile(const std::filesystem::path& file, const std::string& what,
                                           const std::function<std::string()>& make) {
  Result<UniqueFd> fd = OpenFile(file, O_RDONLY | O_NOFOLLOW);
  if (!fd) {
    if (fd.error().code() != ErrorCode::kNotFound) return fd.error().Wrap(what);
    std::string text = make();
    if (Status status = WriteFileDurably(file, text, 0600); !status) return status.error().Wrap("making " + what);
    return text;
  }
  struct stat info{};
  if (fstat(fd->get(), &info) != 0) return ErrnoError(what + " " + file.string(), errno);
  if ((info.st_mode & 077) != 0) {
    return Error(ErrorCode::kPermissionDenied, what + " " + file.string() +
                                                   " can be read or written by others: run `chmod 600 " +
                                                   file.string() + "`, and make a new key if it may have been seen");
  }
  Result<std::string> text = ReadFile(file, kFileSizeMax);
  if (!text) return text.error().Wrap(what);
  return text;
}

}  // namespace argosy::auth
