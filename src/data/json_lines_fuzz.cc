// Any bytes as JSON lines: they must end in rows that fit the layout, or in an error.
#include <cstddef>
#include <cstdint>
#include <string>

#include "data/json_lines.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace argosy::data;
  if (size == 0) return 0;
  RecordBlock block;
  block.bytes.assign(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  ProbeOptions options;
  options.categorical_auto = (bytes[0] & 1) != 0;
  options.label = (bytes[0] & 2) != 0 ? "a" : "0";
  options.has_label = (bytes[0] & 4) == 0;
  options.label_kind = (bytes[0] & 8) != 0 ? LabelKind::kText : LabelKind::kNumber;
  options.lenient = (bytes[0] & 16) != 0;
  const auto probed = ProbeJsonLines(block.bytes, "fuzz", options);
  if (!probed) return 0;
  const RowShape shape = probed->table.layout.shape();
  CategoryDictionary dictionary(shape.categorical + 1);
  JsonLinesParser parser(probed->table.layout, probed->columns, dictionary, UnknownCategories::kAdd);
  BadRecords bad(1'000'000);
  if (options.lenient) parser.LeaveOut(&bad);
  RowBlock rows;
  if (!parser.Parse(block, "fuzz", rows)) return 0;
  argosy::Check(rows.numeric.size() == rows.rows * shape.numeric);
  argosy::Check(rows.categories.size() == rows.rows * shape.categorical);
  argosy::Check(rows.labels.size() == rows.rows);
  return 0;
}
