// One line of the spool format (docs/formats/log_store.md): "<unix nanos> <message>\n", in the message \n and
// \\ escaped.
#pragma once

#include <string>
#include <string_view>

#include "observe/log_store.h"

namespace argosy::observe {

// With its newline.
std::string FormatSpoolLine(const LogEvent& event);

// `line` without its newline. A line that does not begin with a time is taken as it is, at `fallback`: damaged logs
// stay readable.
LogEvent ParseSpoolLine(std::string_view line, Time fallback);

}  // namespace argosy::observe
