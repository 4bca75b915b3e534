#include "data/share_out.h"

#include <algorithm>

#include "data/host_share.h"

namespace argosy::data {
namespace {

constexpr size_t kMessageBytes = 1 << 20;

struct Range {
  uint64_t begin = 0;
  uint64_t end = 0;
  Range And(const Range& other) const { return {std::max(begin, other.begin), std::min(end, other.end)}; }
};

template <class T>
void Write(const std::vector<T>& values, std::string& bytes) {
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

template <class T>
void Read(std::string_view& bytes, size_t count, std::vector<T>& values) {
  values.resize(count);
  bytes.copy(reinterpret_cast<char*>(values.data()), count * sizeof(T));
  bytes.remove_prefix(count * sizeof(T));
}

std::string ToBytes(const RowBlock& block) {
  std::string bytes;
  Write(block.numeric, bytes);
  Write(block.categories, bytes);
  Write(block.labels, bytes);
  return bytes;
}

Result<RowBlock> FromBytes(std::string_view bytes, const RowShape& shape) {
  if (bytes.size() % shape.bytes_per_row() != 0) return Error(ErrorCode::kInternal, "rows of another shape");
  RowBlock block;
  block.rows = bytes.size() / shape.bytes_per_row();
  block.dictionary = kTranslated;
  Read(bytes, block.rows * shape.numeric, block.numeric);
  Read(bytes, block.rows * shape.categorical, block.categories);
  Read(bytes, block.rows, block.labels);
  return block;
}

}  // namespace

Result<SharedRows> ShareOut(std::unique_ptr<RowStore> store, Translations translations, collective::Group& group,
                            uint64_t rows_per_host_min, size_t memory_bytes_max,
                            const std::filesystem::path& scratch_dir) {
  const size_t hosts = group.size();
  auto counts = collective::AllGatherValues<uint64_t>(group, store->row_count());
  if (!counts) return counts.error();
  std::vector<Range> held;
  uint64_t total = 0;
  for (const uint64_t count : *counts) {
    held.push_back({total, total + count});
    total += count;
  }
  if (total == 0) return SharedRows{};
  const RowShape shape = store->shape();
  auto rows = std::make_unique<RowBlocks>(std::move(store), std::move(translations), held[group.rank()].begin, total);
  if (hosts == 1) return SharedRows{std::move(rows), &group};

  const bool everybody = total / hosts < rows_per_host_min;
  std::vector<Range> wanted;
  for (size_t host = 0; host < hosts; ++host) {
    const HostShare share(host, hosts);
    wanted.push_back(everybody ? Range{0, total}
                               : Range{std::min(total, share.First(rows->blocks()) * rows->rows_per_block()),
                                       std::min(total, share.End(rows->blocks()) * rows->rows_per_block())});
  }
  auto before = std::make_unique<RowStore>(shape, memory_bytes_max, scratch_dir);
  auto behind = std::make_unique<RowStore>(shape, memory_bytes_max, scratch_dir);
  const size_t at_once = std::max<size_t>(1, kMessageBytes / shape.bytes_per_row());
  const size_t me = group.rank();
  // All walk through the same list, so that whoever sends is waited for by whoever receives.
  for (size_t from = 0; from < hosts; ++from) {
    for (size_t to = 0; to < hosts; ++to) {
      if (from == to || (me != from && me != to)) continue;
      const Range moved = held[from].And(wanted[to]);
      for (uint64_t at = moved.begin; at < moved.end; at += at_once) {
        if (me == from) {
          RowBlock block;
          if (Status s = rows->Append(at, std::min<uint64_t>(at_once, moved.end - at), block); !s) return s.error();
          if (Status s = group.Send(to, ToBytes(block)); !s) return s.error();
          continue;
        }
        auto bytes = group.Receive(from);
        if (!bytes) return bytes.error();
        auto block = FromBytes(*bytes, shape);
        if (!block) return block.error();
        RowStore& place = from < me ? *before : *behind;
        if (Status s = place.Put(place.pieces(), *block); !s) return s.error();
      }
    }
  }
  rows->AddBefore(std::move(before), wanted[me].begin);
  rows->AddBehind(std::move(behind), std::max(held[me].end, wanted[me].begin));
  return SharedRows{std::move(rows), everybody ? &collective::Alone() : &group};
}

}  // namespace argosy::data
