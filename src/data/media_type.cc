#include "data/media_type.h"

#include "base/bytes.h"

namespace argosy::data {

Result<MediaType> ParseMediaType(std::string_view text) {
  MediaType media;
  size_t semicolon = text.find(';');
  media.type = ToLower(Trim(text.substr(0, semicolon)));
  if (media.type.empty()) return Error(ErrorCode::kInvalidArgument, "'" + std::string(text) + "' is no content type");
  while (semicolon != std::string_view::npos) {
    text.remove_prefix(semicolon + 1);
    semicolon = text.find(';');
    const std::string_view parameter = Trim(text.substr(0, semicolon));
    if (parameter.empty()) continue;
    const size_t equals = parameter.find('=');
    const std::string_view name = Trim(parameter.substr(0, equals));
    std::string_view value = equals == std::string_view::npos ? "" : Trim(parameter.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    if (name.empty()) {
      return Error(ErrorCode::kInvalidArgument, "a parameter of content type '" + media.type + "' has no name");
    }
    media.parameters[ToLower(name)] = std::string(value);
  }
  return media;
}

}  // namespace argosy::data
