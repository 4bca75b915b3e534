#include "main/header_line.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "data/csv.h"
#include "data/table_probe.h"

namespace argosy::main {
namespace {

constexpr size_t kLinesSeen = 100;  // as many as training looks at for a header

using Fields = std::vector<std::string>;

}  // namespace

size_t HeaderBytes(std::string_view text, const data::TableSchema* schema) {
  std::vector<Fields> lines;
  size_t first_bytes = 0;
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p != end && lines.size() < kLinesSeen) {
    const data::CsvLine line = data::ReadCsvLine(p, end);
    const std::string_view row(p, static_cast<size_t>(line.end - p));
    p = line.next;
    if (Trim(row).empty()) continue;
    std::optional<Fields> fields = data::SplitCsvLine(row);
    if (!fields) return 0;
    if (lines.empty()) first_bytes = static_cast<size_t>(p - text.data());
    lines.push_back(std::move(*fields));
  }
  if (lines.empty()) return 0;
  if (schema != nullptr && schema->header) return data::NamesFault(*schema, lines.front()).empty() ? first_bytes : 0;
  const bool number = std::any_of(lines.front().begin(), lines.front().end(), data::IsNumber);
  return !number && data::LooksLikeHeader(lines) ? first_bytes : 0;
}

}  // namespace argosy::main
