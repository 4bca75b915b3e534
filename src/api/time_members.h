// Which numbers of CloudWatch's answers are times, where another encoding than JSON writes times otherwise.
#pragma once

#include <string_view>

namespace argosy::api {

inline bool IsTimeMember(std::string_view name) {
  return name.ends_with("Timestamp") || name.ends_with("Timestamps");
}

}  // namespace argosy::api
