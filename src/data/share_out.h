// The rows that the hosts of a group have read, given to those whose shards they belong to.
//
// All rows, in the order of the hosts, make up the same blocks as on one host. Blocks fall to hosts in order; how many
// to each depends on the number of hosts alone (HostShare), not on who happened to read how much: what a host lacks the
// others send it.
#pragma once

#include <filesystem>
#include <memory>

#include "collective/group.h"
#include "data/row_blocks.h"

namespace argosy::data {

struct SharedRows {
  std::unique_ptr<const RowBlocks> rows;
  collective::Group* group = nullptr;  // who share them: Alone() where every host has all
};

// `rows_per_host_min`: with fewer every host gets all of them. What comes from others is kept as RowStore does.
// Nothing in `rows` when nobody has any. kUnavailable when a host is lost.
Result<SharedRows> ShareOut(std::unique_ptr<RowStore> store, Translations translations, collective::Group& group,
                            uint64_t rows_per_host_min, size_t memory_bytes_max,
                            const std::filesystem::path& scratch_dir);

}  // namespace argosy::data
