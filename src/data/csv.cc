#include "data/csv.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"

namespace argosy::data {

CsvField ReadCsvField(const char* p, const char* end, std::string& scratch) {
  p = SkipCsvSpaces(p, end);
  if (p == end || *p != '"') {
    const void* comma = p == end ? nullptr : std::memchr(p, ',', static_cast<size_t>(end - p));
    const char* next = comma == nullptr ? end : static_cast<const char*>(comma);
    const char* last = next;
    while (last != p && (last[-1] == ' ' || last[-1] == '\t')) --last;
    return {next, std::string_view(p, static_cast<size_t>(last - p))};
  }
  const char* begin = ++p;
  bool doubled = false;
  for (; p != end; ++p) {
    if (*p != '"') continue;
    if (p + 1 != end && p[1] == '"') {
      doubled = true;
      ++p;
      continue;
    }
    const char* next = SkipCsvSpaces(p + 1, end);
    if (next != end && *next != ',') return {nullptr, {}};
    if (!doubled) return {next, std::string_view(begin, static_cast<size_t>(p - begin))};
    scratch.clear();
    for (const char* q = begin; q != p; ++q) {
      scratch.push_back(*q);
      if (*q == '"') ++q;
    }
    return {next, scratch};
  }
  return {nullptr, {}};
}

CsvLine ReadCsvLine(const char* p, const char* end) {
  const void* newline = p == end ? nullptr : std::memchr(p, '\n', static_cast<size_t>(end - p));
  const char* stop = newline == nullptr ? end : static_cast<const char*>(newline);
  const char* next = newline == nullptr ? end : stop + 1;
  if (stop != p && stop[-1] == '\r') --stop;
  return {stop, next};
}

std::optional<std::vector<std::string>> SplitCsvLine(std::string_view line) {
  std::vector<std::string> fields;
  std::string scratch;
  const char* p = line.data();
  const char* const end = p + line.size();
  while (true) {
    const CsvField field = ReadCsvField(p, end, scratch);
    if (field.next == nullptr) return std::nullopt;
    fields.emplace_back(field.text);
    if (field.next == end) return fields;
    p = field.next + 1;
  }
}

std::optional<size_t> CountCsvFields(std::string_view line) {
  if (line.find('"') == std::string_view::npos) return 1 + static_cast<size_t>(std::ranges::count(line, ','));
  const char* p = line.data();
  const char* const end = p + line.size();
  std::string scratch;
  for (size_t count = 1;; ++count) {
    const CsvField field = ReadCsvField(p, end, scratch);
    if (field.next == nullptr) return std::nullopt;
    if (field.next == end) return count;
    p = field.next + 1;
  }
}

bool IsMissingText(std::string_view text) {
  if (text.empty() || text == "?") return true;
  constexpr std::string_view kWords[] = {"na", "n/a", "nan", "null", "none"};
  return text.size() <= 4 &&
         std::ranges::any_of(kWords, [&](std::string_view word) { return EqualsIgnoreCase(text, word); });
}

bool IsMissingLabel(std::string_view text) {
  return IsMissingText(text) && !EqualsIgnoreCase(text, "none");
}

std::string EncodingFault(std::string_view start) {
  using std::string_view_literals::operator""sv;
  const auto zeros = [&](size_t first) {
    return start.size() >= 4 && start[first] == '\0' && start[first + 2] == '\0' && start[1 - first] != '\0';
  };
  std::string_view encoding;
  if (start.starts_with("\xff\xfe\0\0"sv) || start.starts_with("\0\0\xfe\xff"sv)) {
    encoding = "UTF-32";
  } else if (start.starts_with("\xff\xfe") || start.starts_with("\xfe\xff")) {
    encoding = "UTF-16";
  } else if (zeros(1)) {
    encoding = "UTF-16LE";
  } else if (zeros(0)) {
    encoding = "UTF-16BE";
  } else {
    return "";
  }
  return "the text is " + std::string(encoding) + ", and only UTF-8 is read: save it as UTF-8, or `iconv -f " +
         std::string(encoding) + " -t UTF-8 old.csv > new.csv`";
}

std::string QuoteCsvField(std::string_view text) {
  const bool spaced =
      !text.empty() && (text.front() == ' ' || text.front() == '\t' || text.back() == ' ' || text.back() == '\t');
  if (!spaced && text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted += '"';
}

std::string CsvExcerpt(std::string_view text) {
  constexpr size_t kBytesMax = 40;
  std::string excerpt(text.substr(0, kBytesMax));
  for (char& c : excerpt) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  // Not in the middle of a UTF-8 character.
  while (text.size() > kBytesMax && !excerpt.empty() &&
         (static_cast<unsigned char>(text[excerpt.size()]) & 0xc0) == 0x80) {
    excerpt.pop_back();
  }
  if (text.size() > kBytesMax) excerpt += "…";
  return excerpt;
}

}  // namespace argosy::data
