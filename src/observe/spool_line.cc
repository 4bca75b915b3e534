#include "observe/spool_line.h"

#include <charconv>

namespace argosy::observe {

std::string FormatSpoolLine(const LogEvent& event) {
  std::string line = std::to_string(ToUnixNanos(event.timestamp)) + ' ';
  for (const char c : event.message) {
    if (c == '\n') {
      line += "\\n";
    } else if (c == '\\') {
      line += "\\\\";
    } else {
      line += c;
    }
  }
  line += '\n';
  return line;
}

LogEvent ParseSpoolLine(std::string_view line, Time fallback) {
  LogEvent event{fallback, {}};
  int64_t nanos = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), nanos);
  if (error == std::errc() && end != line.data() + line.size() && *end == ' ') {
    event.timestamp = FromUnixNanos(nanos);
    line.remove_prefix(static_cast<size_t>(end - line.data()) + 1);
  }
  event.message.reserve(line.size());
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\' && i + 1 < line.size() && (line[i + 1] == 'n' || line[i + 1] == '\\')) {
      ++i;
      event.message += line[i] == 'n' ? '\n' : '\\';
    } else {
      event.message += line[i];
    }
  }
  return event;
}

}  // namespace argosy::observe
