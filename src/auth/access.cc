#include "auth/access.h"

#include <algorithm>

namespace argosy::auth {
namespace {

bool HasDotPart(std::string_view key) {
  while (!key.empty()) {
    const size_t end = std::min(key.find('/'), key.size());
    const std::string_view part = key.substr(0, end);
    if (part == "." || part == "..") return true;
    key.remove_prefix(std::min(end + 1, key.size()));
  }
  return false;
}

}  // namespace

bool May(const Principal& principal, Access access) {
  switch (principal.kind) {
    case PrincipalKind::kOwner:
      return true;
    case PrincipalKind::kMember:
      return access != Access::kManage;
    case PrincipalKind::kReader:
      return access == Access::kIdentify || access == Access::kRead;
    case PrincipalKind::kJob:
      return access == Access::kIdentify;
  }
  return false;
}

bool IsWithin(const DataGrant& grant, DataUse use, std::string_view bucket, std::string_view key) {
  return grant.bucket == bucket && key.starts_with(grant.key_prefix) &&
         (use == DataUse::kRead || grant.use == DataGrant::Use::kReadWrite);
}

bool MayReach(const Principal& principal, DataUse use, std::string_view bucket, std::string_view key) {
  switch (principal.kind) {
    case PrincipalKind::kOwner:
    case PrincipalKind::kMember:
      return true;
    case PrincipalKind::kReader:
      return use == DataUse::kRead;
    case PrincipalKind::kJob:
      break;
  }
  if (HasDotPart(key)) return false;
  return std::any_of(principal.grants.begin(), principal.grants.end(),
                     [&](const DataGrant& grant) { return IsWithin(grant, use, bucket, key); });
}

bool MaySee(const Principal& principal, std::string_view bucket) {
  if (principal.kind != PrincipalKind::kJob) return true;
  return std::any_of(principal.grants.begin(), principal.grants.end(),
                     [&](const DataGrant& grant) { return grant.bucket == bucket; });
}

std::optional<ObjectName> ObjectOfArn(std::string_view arn) {
  constexpr std::string_view kPrefix = "arn:aws:s3:::";
  if (arn == "*") return ObjectName();
  if (!arn.starts_with(kPrefix) || arn.size() == kPrefix.size()) return std::nullopt;
  arn.remove_prefix(kPrefix.size());
  const size_t slash = std::min(arn.find('/'), arn.size());
  return ObjectName{std::string(arn.substr(0, slash)), std::string(arn.substr(std::min(slash + 1, arn.size())))};
}

std::string DenialOf(const Principal& principal, std::string_view action) {
  std::string text = "User: " + principal.arn + " is not authorized to perform: " + std::string(action) + ", since ";
  switch (principal.kind) {
    case PrincipalKind::kReader:
      return text + "a reader may look, and change nothing";
    case PrincipalKind::kJob:
      return text + "a job's session reaches the data of its job and nothing else";
    default:
      return text + "only the owner manages users, teams and keys";
  }
}

}  // namespace argosy::auth
