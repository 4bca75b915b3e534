// Unix sockets known by a path, however long the path is.
//
// The kernel takes 107 bytes of socket path; a data directory may have any name. Both calls go through the directory's
// descriptor (/proc/self/fd/N/name), so only the last component must be short.
#pragma once

#include <filesystem>

#include "base/files.h"
#include "base/result.h"

namespace argosy::protocol {

inline constexpr size_t kSocketNameBytesMax = 48;  // of the last component

// A listening, non-blocking stream socket at `path`, mode 0600. It is bound aside and renamed to its place when it
// listens already: who sees the path can connect, and a leftover of a dead process is replaced.
Result<UniqueFd> ListenLocal(const std::filesystem::path& path);

// A connected, non-blocking stream socket. kNotFound or kUnavailable when nobody listens there (now).
Result<UniqueFd> ConnectLocal(const std::filesystem::path& path);

// The next waiting connection, non-blocking; nothing when none waits. Peers of another user (but root) are turned away.
std::optional<UniqueFd> AcceptLocal(int listener);

}  // namespace argosy::protocol
