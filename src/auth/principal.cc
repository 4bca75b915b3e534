#include "auth/principal.h"

namespace argosy::auth {

std::string UserArn(std::string_view team, std::string_view name) {
  std::string arn = "arn:aws:iam::" + std::string(kAccountId) + ":user/";
  if (!team.empty()) arn += std::string(team) + "/";
  return arn + std::string(name);
}

Maker MakerOf(std::string_view arn) {
  const size_t slash = arn.find('/');
  if (slash == std::string_view::npos) return {};
  const std::string_view path = arn.substr(slash + 1);
  const size_t last = path.rfind('/');
  if (last == std::string_view::npos) return {std::string(path), ""};
  // A session is a role's and has no team.
  const bool user = arn.substr(0, slash).ends_with(":user");
  return {std::string(path.substr(last + 1)), user ? std::string(path.substr(0, last)) : std::string()};
}

}  // namespace argosy::auth
