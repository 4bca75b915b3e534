#include "data/file_parts.h"

#include <algorithm>
#include <numeric>

namespace argosy::data {
namespace {

Result<std::vector<FilePart>> PartsOfHost(const std::vector<InputFile>& files, Framing framing, Compression compression,
                                          size_t rank, size_t hosts) {
  std::vector<uint64_t> sizes;
  uint64_t total = 0;
  for (const auto& file : files) {
    std::error_code error;
    sizes.push_back(std::filesystem::file_size(file.path, error));
    if (error) return ErrnoError("looking at '" + file.name + "'", error.value());
    total += sizes.back();
  }
  const uint64_t begin = total / hosts * rank + total % hosts * rank / hosts;
  const uint64_t end = total / hosts * (rank + 1) + total % hosts * (rank + 1) / hosts;
  std::vector<FilePart> parts;
  uint64_t at = 0;  // where the file begins
  for (size_t i = 0; i < files.size(); at += sizes[i++]) {
    if (at + sizes[i] <= begin || at >= end) continue;
    bool whole = framing != Framing::kLines;
    if (!whole) {
      auto compressed = IsCompressed(files[i], compression);
      if (!compressed) return compressed.error();
      whole = *compressed;
    }
    if (whole) {
      if (at >= begin) parts.push_back({.file = i});
      continue;
    }
    parts.push_back(
        {.file = i, .begin = begin > at ? begin - at : 0, .end = end >= at + sizes[i] ? FilePart::kEnd : end - at});
  }
  return parts;
}

}  // namespace

Result<std::vector<FilePart>> PartsHere(const TableFiles& table, const collective::Group& group) {
  return PartsOfHost(table.files, FramingOf(table.format), table.compression, table.own ? 0 : group.rank(),
                     table.own ? 1 : group.size());
}

std::string NameFor(const TableFiles& table, const RecordBlock& block, const ReadOptions& read) {
  std::string name = table.files[block.file].name;
  if (block.part_begin > 0 && read.bad != nullptr && read.bad->max() > 0) {
    name += " from byte " + std::to_string(block.part_begin) + " on";
  }
  return name;
}

Status CheckLeftOut(const ReadOptions& read) {
  if (read.bad == nullptr || read.bad->max() == 0) return {};
  auto counts = collective::AllGatherValues<uint64_t>(*read.group, read.bad->count());
  if (!counts) return counts.error();
  const uint64_t all = std::accumulate(counts->begin(), counts->end(), uint64_t{0});
  if (all <= read.bad->max()) return {};
  return Error(ErrorCode::kInvalidArgument, std::to_string(all) + " records of all hosts cannot be read, " +
                                                std::to_string(read.bad->max()) + " may be left out");
}

}  // namespace argosy::data
