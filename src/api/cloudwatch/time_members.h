// Which members of CloudWatch's answers are times; JSON writes them as numbers like others.
#pragma once

#include <string_view>

namespace argosy::api::cloudwatch {

inline bool IsTimeMember(std::string_view name) {
  return name.ends_with("Timestamp") || name.ends_with("Timestamps");
}

}  // namespace argosy::api::cloudwatch
