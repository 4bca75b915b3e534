// The store of another process of this machine, for reading, whichever kind it is.
#pragma once

#include <filesystem>
#include <memory>

#include "base/clock.h"
#include "base/random.h"
#include "objectstore/object_store.h"

namespace argosy::objectstore {

// `dir` is where the store has what it keeps on this machine. Works whether the writer lives or not. Clock and random
// must outlive the reader and be safe to use from many threads.
Result<std::unique_ptr<ObjectReader>> AttachStore(const std::filesystem::path& dir, const Clock* clock, Random* random);

}  // namespace argosy::objectstore
