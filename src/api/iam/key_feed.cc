#include "api/iam/key_feed.h"

#include <utility>

#include "base/log.h"
#include "catalog/visit.h"

namespace argosy::api::iam {

using catalog::Kind;

Result<auth::Principal> PrincipalOf(const catalog::Resource& user) {
  Result<catalog::UserSpec> spec = catalog::UserSpec::FromJson(user.spec);
  if (!spec.ok()) return spec.error().Wrap("the user " + user.name);
  return auth::Principal{
      spec->role == catalog::UserRole::kMember ? auth::PrincipalKind::kMember : auth::PrincipalKind::kReader, user.name,
      auth::UserArn(spec->team, user.name), std::move(spec->id), std::move(spec->team)};
}

Status KeyFeed::Load(catalog::Catalog& catalog) {
  for (const Kind kind : {Kind::kUser, Kind::kAccessKey}) {
    const Status read =
        catalog::VisitAll(catalog, {.kind = kind}, [this](const catalog::Resource& resource) { Write(resource); });
    if (!read.ok()) return read;
  }
  return {};
}

void KeyFeed::OnChange(const catalog::Change& change) {
  for (const catalog::Resource& resource : change.written) Write(resource);
  for (const catalog::Resource& resource : change.removed) Remove(resource);
}

void KeyFeed::Write(const catalog::Resource& resource) {
  if (resource.kind == Kind::kUser) {
    Result<auth::Principal> principal = PrincipalOf(resource);
    if (!principal.ok()) {
      Log(LogLevel::kError, "a user cannot be read", {{"error", principal.error().message()}});
      return Remove(resource);
    }
    User& user = users_[resource.uid];
    user.principal = std::move(*principal);
    for (const auto& [id, secret] : user.secrets) ring_->Put({id, secret, "", user.principal});
    return;
  }
  if (resource.kind != Kind::kAccessKey) return;
  const auto user = users_.find(resource.owner);
  const Result<catalog::AccessKeySpec> spec = catalog::AccessKeySpec::FromJson(resource.spec);
  if (user == users_.end() || !spec.ok() || resource.status != catalog::kKeyActive) return Remove(resource);
  user->second.secrets[resource.name] = spec->secret;
  ring_->Put({resource.name, spec->secret, "", user->second.principal});
}

void KeyFeed::Remove(const catalog::Resource& resource) {
  if (resource.kind == Kind::kUser) {
    const auto user = users_.find(resource.uid);
    if (user == users_.end()) return;
    for (const auto& [id, secret] : user->second.secrets) ring_->Remove(id);
    users_.erase(user);
  } else if (resource.kind == Kind::kAccessKey) {
    ring_->Remove(resource.name);
    const auto user = users_.find(resource.owner);
    if (user != users_.end()) user->second.secrets.erase(resource.name);
  }
}

}  // namespace argosy::api::iam
