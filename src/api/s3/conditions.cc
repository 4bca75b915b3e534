#include "api/s3/conditions.h"

#include "base/bytes.h"
#include "http/http_date.h"

namespace argosy::api::s3 {

using http::ParseHttpDate;

std::string Unquoted(std::string_view etag) {
  etag = Trim(etag);
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

bool NamesEtag(std::string_view list, std::string_view etag) {
  while (!list.empty()) {
    const size_t comma = list.find(',');
    std::string_view one = Trim(list.substr(0, comma));
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    if (one == "*") return true;
    if (one.starts_with("W/")) one.remove_prefix(2);
    if (Unquoted(one) == etag) return true;
  }
  return false;
}

ConditionOutcome Evaluate(const Conditions& conditions, std::string_view etag, Time last_modified) {
  const auto modified = std::chrono::floor<std::chrono::seconds>(last_modified);  // what the client was told
  if (!conditions.if_match.empty()) {
    if (!NamesEtag(conditions.if_match, etag)) return ConditionOutcome::kFailed;
  } else if (const std::optional<Time> since = ParseHttpDate(conditions.if_unmodified_since)) {
    if (modified > *since) return ConditionOutcome::kFailed;
  }
  if (!conditions.if_none_match.empty()) {
    if (NamesEtag(conditions.if_none_match, etag)) return ConditionOutcome::kNotModified;
  } else if (const std::optional<Time> since = ParseHttpDate(conditions.if_modified_since)) {
    if (modified <= *since) return ConditionOutcome::kNotModified;
  }
  return ConditionOutcome::kProceed;
}

}  // namespace argosy::api::s3
