// Any bytes as a table: probe and parser must end in rows or in an error.
#include <cstddef>
#include <cstdint>
#include <string>

#include "data/table_parser.h"
#include "data/table_probe.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace argosy::data;
  if (size == 0) return 0;
  const uint8_t choice = bytes[0];
  RecordBlock block;
  block.bytes.assign(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  ProbeOptions options;
  options.header = (choice & 1) != 0 ? HeaderOption::kAuto : HeaderOption::kNo;
  options.categorical_auto = (choice & 2) != 0;
  options.label = (choice & 4) != 0 ? "-1" : "0";
  options.label_kind = (choice & 8) != 0 ? LabelKind::kText : LabelKind::kNumber;
  options.missing = (choice & 16) != 0 ? MissingValues::kMean : MissingValues::kRefuse;
  const auto probed = ProbeTable(block.bytes, "fuzz", options);
  if (!probed) return 0;
  CategoryDictionary dictionary(probed->layout.shape().categorical + 1);
  TableParser parser(probed->layout, dictionary, UnknownCategories::kAdd);
  RowBlock rows;
  const auto first = probed->header ? TableParser::FirstLine::kNames : TableParser::FirstLine::kData;
  if (!parser.Parse(block, "fuzz", first, rows)) return 0;
  const RowShape shape = probed->layout.shape();
  argosy::Check(rows.numeric.size() == rows.rows * shape.numeric);
  argosy::Check(rows.categories.size() == rows.rows * shape.categorical);
  argosy::Check(rows.labels.size() == rows.rows);
  return 0;
}
