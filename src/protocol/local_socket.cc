#include "protocol/local_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

namespace argosy::protocol {
namespace {

constexpr int kBacklog = 1024;  // every agent of a machine may come back at once after a restart

Result<UniqueFd> OpenParent(const std::filesystem::path& path) {
  return OpenFile(path.has_parent_path() ? path.parent_path() : std::filesystem::path("."), O_PATH | O_DIRECTORY);
}

sockaddr_un AddressIn(const UniqueFd& directory, const std::string& name) {
  Check(name.size() <= kSocketNameBytesMax, "a socket's file name is too long");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", directory.get(), name.c_str());
  return address;
}

const sockaddr* Generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

}  // namespace

Result<UniqueFd> ListenLocal(const std::filesystem::path& path) {
  const Result<UniqueFd> directory = OpenParent(path);
  if (!directory.ok()) return directory.error();
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return ErrnoError("making a socket", errno);
  const std::string name = path.filename().string();
  const std::string aside = "." + name + "." + std::to_string(getpid());
  const sockaddr_un address = AddressIn(*directory, aside);
  unlinkat(directory->get(), aside.c_str(), 0);
  if (bind(fd.get(), Generic(address), sizeof address) != 0) return ErrnoError("binding " + path.string(), errno);
  if (chmod(address.sun_path, 0600) != 0 || listen(fd.get(), kBacklog) != 0 ||
      renameat(directory->get(), aside.c_str(), directory->get(), name.c_str()) != 0) {
    const Error error = ErrnoError("listening at " + path.string(), errno);
    unlinkat(directory->get(), aside.c_str(), 0);
    return error;
  }
  return fd;
}

Result<UniqueFd> ConnectLocal(const std::filesystem::path& path) {
  const Result<UniqueFd> directory = OpenParent(path);
  if (!directory.ok()) return directory.error();
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return ErrnoError("making a socket", errno);
  const sockaddr_un address = AddressIn(*directory, path.filename().string());
  if (connect(fd.get(), Generic(address), sizeof address) != 0) {
    const int error = errno;
    if (error == ECONNREFUSED || error == EAGAIN) {
      return Error(ErrorCode::kUnavailable, "nobody answers at " + path.string());
    }
    return ErrnoError("connecting to " + path.string(), error);
  }
  return fd;
}

std::optional<UniqueFd> AcceptLocal(int listener) {
  for (;;) {
    UniqueFd fd(accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd.valid()) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      return std::nullopt;
    }
    ucred peer{};
    socklen_t size = sizeof peer;
    if (getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) continue;
    if (peer.uid != geteuid() && peer.uid != 0) continue;
    return fd;
  }
}

}  // namespace argosy::protocol
