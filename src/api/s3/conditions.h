// The conditional headers of reads (RFC 9110, section 13).
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"

namespace argosy::api::s3 {

struct Conditions {
  std::string_view if_match;  // empty: not sent
  std::string_view if_none_match;
  std::string_view if_modified_since;
  std::string_view if_unmodified_since;
};

enum class ConditionOutcome { kProceed, kNotModified, kFailed };

// `etag` without quotes. Dates that are none are overlooked, as the RFC asks.
ConditionOutcome Evaluate(const Conditions& conditions, std::string_view etag, Time last_modified);

// Without the quotes that an ETag is sent in, where it has them.
std::string Unquoted(std::string_view etag);

// Whether a list such as `"a", W/"b"` or `*` names the ETag.
bool NamesEtag(std::string_view list, std::string_view etag);

}  // namespace argosy::api::s3
