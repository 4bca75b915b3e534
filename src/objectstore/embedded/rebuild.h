// Making the index true when the store opens: from its intents after a crash, from all files when it is new.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "objectstore/embedded/index.h"

namespace argosy::objectstore {

// By name; only what can be a bucket.
Result<std::vector<std::string>> ListBucketNames(int root_fd);

// Before the writer's thread starts. Costs nothing when the last process ended in order; a look at each file that was
// being written when it did not; a look at every file when the index is new.
Status MakeIndexTrue(IndexWriter& index, int root_fd);

}  // namespace argosy::objectstore
