#include "http/http_date.h"

#include <ctime>
#include <string>

#include "base/bytes.h"

namespace argosy::http {

std::optional<Time> ParseHttpDate(std::string_view text) {
  const std::string copy(Trim(text));
  std::tm tm{};
  const char* end = strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &tm);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return Time(std::chrono::seconds(timegm(&tm)));
}

}  // namespace argosy::http
