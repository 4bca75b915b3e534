// Any bytes as sparse rows: they must end in rows that fit together or in an error that changes nothing.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "data/libsvm.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace argosy::data;
  if (size == 0) return 0;
  const LibsvmLabel label = (bytes[0] & 1) != 0 ? LibsvmLabel::kOptional : LibsvmLabel::kRequired;
  std::string_view text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  SparseRows rows;
  size_t count = 0;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const auto appended = AppendLibsvmRow(text.substr(0, end), label, rows);
    if (appended && *appended) ++count;
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    argosy::Check(rows.rows() == count);
    argosy::Check(rows.weights.empty() || rows.weights.size() == count);
    argosy::Check(rows.groups.empty() || rows.groups.size() == count);
    argosy::Check(rows.columns.size() == rows.values.size());
    argosy::Check(rows.begins.empty() || (rows.begins.size() == count + 1 && rows.begins.back() == rows.values.size()));
  }
  for (const uint32_t column : rows.columns) argosy::Check(column < rows.width);
  return 0;
}
