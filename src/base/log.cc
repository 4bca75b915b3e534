#include "base/log.h"

#include <unistd.h>

#include <atomic>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/files.h"
#include "base/json.h"

namespace argosy {
namespace {

std::atomic<LogLevel> least_level{LogLevel::kInfo};
std::atomic<LogFormat> log_format{isatty(STDERR_FILENO) != 0 ? LogFormat::kLogfmt : LogFormat::kJson};

std::string_view LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

std::string LogfmtValue(std::string_view value) {
  const bool plain = !value.empty() && value.find_first_of(" =\"\\\n\r\t") == std::string_view::npos;
  return plain ? std::string(value) : DumpJson(Json(value));
}

}  // namespace

std::string FormatLogLine(LogFormat format, std::string_view timestamp, LogLevel level, std::string_view event,
                          std::initializer_list<LogField> fields) {
  if (format == LogFormat::kJson) {
    nlohmann::ordered_json line;
    line["time"] = timestamp;
    line["level"] = LevelName(level);
    line["event"] = event;
    for (const auto& [key, value] : fields) line[std::string(key)] = value;
    return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  }
  std::string line(timestamp);
  line.append(" ").append(LevelName(level)).append(" ").append(LogfmtValue(event));
  for (const auto& [key, value] : fields) line.append(" ").append(key).append("=").append(LogfmtValue(value));
  return line;
}

void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  if (level < least_level.load(std::memory_order_relaxed)) return;
  std::string line = FormatLogLine(log_format.load(), FormatIso8601(SystemClock().Now()), level, event, fields);
  line.push_back('\n');
  (void)WriteAll(STDERR_FILENO, line);
}

void SetLogLevel(LogLevel least) {
  least_level = least;
}
void SetLogFormat(LogFormat format) {
  log_format = format;
}

}  // namespace argosy
