// The start of a CSV file, plain or gzip, as text that can be read like a whole file.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace argosy::main {

// The whole lines in `file`, which holds only the first bytes of a longer one: decompressed as far as it goes, without
// the line that the cut went through. At most 64 MiB. An error only when nothing can be read.
Result<std::string> WholeLinesOfStart(const std::filesystem::path& file);

}  // namespace argosy::main
