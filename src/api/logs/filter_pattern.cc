#include "api/logs/filter_pattern.h"

#include <algorithm>

#include "base/bytes.h"

namespace argosy::api {
namespace {

bool IsBlank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

Error InvalidPattern(const std::string& why) {
  return Invalid("Invalid filter pattern: " + why);
}

// Cuts one term off the front: a phrase in quotes or all up to the next blank.
Result<std::string> TakeTerm(std::string_view& text) {
  std::string term;
  if (!text.starts_with('"')) {
    while (!text.empty() && !IsBlank(text.front())) {
      if (text.front() == '"') return InvalidPattern("a quote within a term; quote the whole term.");
      term += text.front();
      text.remove_prefix(1);
    }
    return term;
  }
  text.remove_prefix(1);
  while (!text.empty()) {
    char c = text.front();
    text.remove_prefix(1);
    if (c == '"') {
      if (!text.empty() && !IsBlank(text.front())) return InvalidPattern("text right behind a quoted phrase.");
      return term;
    }
    if (c == '\\' && !text.empty() && (text.front() == '"' || text.front() == '\\')) {
      c = text.front();
      text.remove_prefix(1);
    }
    term += c;
  }
  return InvalidPattern("a quote is not closed.");
}

bool Contains(std::string_view message, const std::string& term) {
  return message.find(term) != std::string_view::npos;
}

}  // namespace

Result<FilterPattern> FilterPattern::Parse(std::string_view text) {
  FilterPattern pattern;
  text = Trim(text);
  if (text.starts_with('{')) return InvalidPattern("Argosy does not have JSON patterns ({ $.field = … }).");
  if (text.starts_with('[')) return InvalidPattern("Argosy does not have patterns on columns ([a, b, …]).");
  if (text.starts_with('%')) return InvalidPattern("Argosy does not have regular expressions (%…%).");
  while (true) {
    while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
    if (text.empty()) return pattern;
    std::vector<std::string>* list = &pattern.required_;
    if (text.front() == '?' || text.front() == '-') {
      list = text.front() == '?' ? &pattern.optional_ : &pattern.excluded_;
      text.remove_prefix(1);
    }
    Result<std::string> term = TakeTerm(text);
    if (!term.ok()) return term.error();
    if (term->empty()) return InvalidPattern("an empty term.");
    list->push_back(std::move(*term));
  }
}

bool FilterPattern::Matches(std::string_view message) const {
  const auto contained = [message](const std::string& term) { return Contains(message, term); };
  if (std::any_of(excluded_.begin(), excluded_.end(), contained)) return false;
  if (!required_.empty()) return std::all_of(required_.begin(), required_.end(), contained);
  return optional_.empty() || std::any_of(optional_.begin(), optional_.end(), contained);
}

}  // namespace argosy::api
