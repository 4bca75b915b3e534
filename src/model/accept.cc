#include "model/accept.h"

#include "base/bytes.h"

namespace argosy::model {
namespace {

// "text/*" and "*/*" match what they should, besides the same type.
bool Matches(std::string_view range, std::string_view type) {
  if (range == "*/*" || range == "*" || EqualsIgnoreCase(range, type)) return true;
  return range.ends_with("/*") && type.size() > range.size() - 1 &&
         EqualsIgnoreCase(range.substr(0, range.size() - 1), type.substr(0, range.size() - 1));
}

// The q parameter, 1 when absent or broken.
double WeightOf(std::string_view parameters) {
  while (!parameters.empty()) {
    const size_t semicolon = parameters.find(';');
    const std::string_view parameter = Trim(parameters.substr(0, semicolon));
    if (parameter.starts_with("q=") || parameter.starts_with("Q=")) {
      return ParseDouble(parameter.substr(2)).value_or(1);
    }
    if (semicolon == std::string_view::npos) break;
    parameters.remove_prefix(semicolon + 1);
  }
  return 1;
}

}  // namespace

std::optional<std::string_view> ChooseContentType(std::string_view accept, std::span<const std::string_view> offered) {
  if (Trim(accept).empty()) return offered.front();
  std::optional<std::string_view> best;
  double best_weight = 0;
  while (!accept.empty()) {
    const size_t comma = accept.find(',');
    const std::string_view entry = accept.substr(0, comma);
    accept = comma == std::string_view::npos ? std::string_view() : accept.substr(comma + 1);
    const size_t semicolon = entry.find(';');
    const std::string_view range = Trim(entry.substr(0, semicolon));
    const double weight = semicolon == std::string_view::npos ? 1 : WeightOf(entry.substr(semicolon + 1));
    if (range.empty() || !(weight > best_weight)) continue;
    for (const std::string_view type : offered) {
      if (!Matches(range, type)) continue;
      best = type;
      best_weight = weight;
      break;
    }
  }
  return best;
}

}  // namespace argosy::model
