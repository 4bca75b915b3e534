// Lines of a damaged log, and what is written of them again.
#include <cstdlib>

#include "observe/spool_line.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace argosy;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (text.find('\n') != std::string_view::npos) return 0;
  const observe::LogEvent event = observe::ParseSpoolLine(text, Time{});
  if (event.message.size() > size) abort();
  const std::string line = observe::FormatSpoolLine(event);
  const observe::LogEvent again = observe::ParseSpoolLine(std::string_view(line).substr(0, line.size() - 1), Time{});
  if (again.message != event.message || again.timestamp != event.timestamp) abort();
  return 0;
}
