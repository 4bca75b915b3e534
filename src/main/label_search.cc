#include "main/label_search.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/bytes.h"
#include "data/csv.h"
#include "data/record_reader.h"
#include "data/table_probe.h"

namespace argosy::main {
namespace {

std::string ValueOf(const algorithms::Hyperparameters& hyperparameters, const std::string& name,
                    const std::string& fallback) {
  const auto at = hyperparameters.find(name);
  return at == hyperparameters.end() ? fallback : std::string(Trim(at->second));
}

// The field at `column`, nothing when the line has none.
std::optional<std::string_view> FieldAt(const data::CsvLine& line, const char* p, size_t column, std::string& scratch) {
  for (size_t i = 0;; ++i) {
    const data::CsvField field = data::ReadCsvField(p, line.end, scratch);
    if (field.next == nullptr) return std::nullopt;
    if (i == column) return field.text;
    if (field.next == line.end) return std::nullopt;
    p = field.next + 1;
  }
}

}  // namespace

Result<LabelSearch> FindLabel(const std::vector<data::InputFile>& files,
                              const algorithms::Hyperparameters& hyperparameters, std::string_view label) {
  const bool header = ValueOf(hyperparameters, "argosy_header", "") == "true";
  const std::string option = ValueOf(hyperparameters, "argosy_label", "0");
  LabelSearch search;
  data::RecordReader reader(files, data::Framing::kLines, data::Compression::kAuto);
  std::optional<size_t> column;
  std::optional<size_t> file_begun;
  std::string recycled;
  std::string scratch;
  for (;;) {
    Result<std::optional<data::RecordBlock>> block = reader.Next(std::move(recycled));
    if (!block.ok()) return block.error();
    if (!*block) return search;
    std::string& text = (*block)->bytes;
    const char* p = text.data();
    const char* const end = p + text.size();
    while (p != end) {
      const data::CsvLine line = data::ReadCsvLine(p, end);
      const char* const start = p;
      p = line.next;
      if (data::SkipCsvSpaces(start, line.end) == line.end) continue;
      const bool first = file_begun != (*block)->file;
      file_begun = (*block)->file;
      if (!column) {
        const auto fields = data::SplitCsvLine(std::string_view(start, static_cast<size_t>(line.end - start)));
        if (!fields) return Error(ErrorCode::kInvalidArgument, "the first line has a quote that is not closed");
        const Result<size_t> found =
            data::FindColumn(option, header ? *fields : std::vector<std::string>(), fields->size(), "argosy_label");
        if (!found.ok()) return found.error();
        column = *found;
      }
      if (first && header) continue;
      const std::optional<std::string_view> value = FieldAt(line, start, *column, scratch);
      if (value == label) {
        search.found = true;
        return search;
      }
      if (value && search.others.size() <= kLabelsNamedMax &&
          std::find(search.others.begin(), search.others.end(), *value) == search.others.end()) {
        search.others.emplace_back(*value);
      }
    }
    recycled = std::move(text);
  }
}

std::string NameLabels(const LabelSearch& search) {
  std::string text;
  for (size_t i = 0; i < std::min(search.others.size(), kLabelsNamedMax); ++i) {
    text += fmt::format("{}'{}'", i == 0 ? "" : ", ", data::CsvExcerpt(search.others[i]));
  }
  return search.others.size() > kLabelsNamedMax ? text + " and more" : text;
}

}  // namespace argosy::main
