// Object keys as paths of ordinary files, and back.
//
// The key is cut at each '/'. The last component names the file, the others directories.
//   - '%', control characters and DEL are written %XX (upper-case hex); everything else stands as it is.
//   - A directory's name ends in '%': `a` is the file a, `a/b` the file a%/b. A file's name never ends so.
//   - A component longer than kPieceBytesMax after escaping is cut between characters; each piece but the last is a
//     directory whose name ends in '%+'.
//   - An empty last component (key `a/`) is the file '%-'. The file names . and .. are %2E and %2E.
//
// So every key has exactly one path, no two keys share one, no path leaves its bucket, and none is both file and
// directory.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace argosy::objectstore {

// File systems allow 255 bytes a name; some room is left for the marks and for layered file systems.
inline constexpr size_t kPieceBytesMax = 240;

// A relative path. `key` is valid (ValidateKey).
std::string KeyToPath(std::string_view key);

// Nothing when no key has this path.
std::optional<std::string> PathToKey(std::string_view path);

}  // namespace argosy::objectstore
