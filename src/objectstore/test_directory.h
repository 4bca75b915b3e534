// Only for the tests of this and higher folders.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/result.h"

namespace argosy::objectstore {

// A new empty directory, in memory where there is such a place: thousands of fsyncs on a busy disk would take minutes
// and show nothing more. Whoever makes it removes it.
inline std::filesystem::path MakeTestDirectory() {
  const std::filesystem::path parent =
      access("/dev/shm", W_OK) == 0 ? std::filesystem::path("/dev/shm") : std::filesystem::temp_directory_path();
  std::string name = (parent / "objectstore.XXXXXX").string();
  Check(mkdtemp(name.data()) != nullptr, "mkdtemp");
  return name;
}

}  // namespace argosy::objectstore
