// The Python package argosy_serving, as the program carries it (python/argosy/serving/ in the source).
#pragma once

#include <filesystem>

#include "base/result.h"

namespace argosy::agent {

// Writes it below `directory`, which is to be on PYTHONPATH.
Status WriteShimFiles(const std::filesystem::path& directory);

}  // namespace argosy::agent
