// One line of comma-separated text, field by field.
//
// RFC 4180 with three differences: spaces and tabs around a field are dropped; a line may end in LF or CRLF; a quoted
// field ends on the line it began on, so that every line end divides records and a file can be cut anywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace argosy::data {

inline constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";  // before a file's or body's first line: dropped

struct CsvField {
  const char* next;       // at the comma or the end of the line behind the field; null when its quotes are broken
  std::string_view text;  // without quotes and surrounding spaces; in the line, or in `scratch` when it had "" inside
};

// `p` stands at the first character of a field, `end` at the end of the line (no CR or LF before it). `scratch` is
// memory to work in.
CsvField ReadCsvField(const char* p, const char* end, std::string& scratch);

inline const char* SkipCsvSpaces(const char* p, const char* end) {
  while (p != end && (*p == ' ' || *p == '\t')) ++p;
  return p;
}

// The line that starts at `p` without its line end, and where the next one starts.
struct CsvLine {
  const char* end;   // of the text, before CR LF
  const char* next;  // start of the next line, or the end of the text
};
CsvLine ReadCsvLine(const char* p, const char* end);

// All fields of one line; nothing when its quotes are broken.
std::optional<std::vector<std::string>> SplitCsvLine(std::string_view line);

// How many fields a line has; nothing when its quotes are broken.
std::optional<size_t> CountCsvFields(std::string_view line);

// Whether a field of a numeric column says that its value is missing: nothing, `?`, or what pandas and R write there.
bool IsMissingText(std::string_view text);

// The same of a label. `none` is a class there: people write it where nothing happened.
bool IsMissingLabel(std::string_view text);

// What is wrong with a text that begins so, of which only UTF-8 can be read; empty: nothing. UTF-16 and UTF-32, which
// spreadsheets write as "Unicode text", are told by their marks, or by the zeros beside the first letters.
std::string EncodingFault(std::string_view start);

// `text` as a field: quoted when it has to be.
std::string QuoteCsvField(std::string_view text);

// For messages: at most 40 bytes of `text`, control characters shown as '?'.
std::string CsvExcerpt(std::string_view text);

}  // namespace argosy::data
