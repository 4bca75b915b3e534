// The program's own log: one line an event, an unchanging sentence plus fields. logfmt on a terminal, JSON otherwise.
//
//   Log(LogLevel::kInfo, "training job started", {{"job", name}, {"attempt", std::to_string(n)}});
//
// Thread-safe. Lines go to standard error.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace argosy {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
enum class LogFormat { kLogfmt, kJson };

using LogField = std::pair<std::string_view, std::string>;

void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

void SetLogLevel(LogLevel least);
void SetLogFormat(LogFormat format);

// One line as it would be written, without its newline (for tests). `timestamp` is ISO 8601.
std::string FormatLogLine(LogFormat format, std::string_view timestamp, LogLevel level, std::string_view event,
                          std::initializer_list<LogField> fields);

}  // namespace argosy
