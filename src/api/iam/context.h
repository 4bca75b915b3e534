// What every operation of IAM needs.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "api/changes.h"
#include "api/iam/iam_service.h"
#include "catalog/user.h"

namespace argosy::api::iam {

struct Context {
  IamDeps deps;

  Time Now() const { return deps.clock->Now(); }
};

// IAM's quotas, where it has them; keys a user: IAM's 2 are too few to give each machine its own.
inline constexpr size_t kUsersMax = 5000;
inline constexpr size_t kTeamsMax = 300;
inline constexpr size_t kKeysPerUserMax = 8;

ServiceError NoSuchEntity(std::string_view what, std::string_view name);
ServiceError AlreadyExists(std::string_view what, std::string_view name);
ServiceError LimitExceeded(std::string message);
ServiceError DeleteConflict(std::string message);

// Members that several operations share.
Shape UserNameShape();
Shape GroupNameShape();
Shape KeyIdShape();
Member MarkerMember();
Member MaxItemsMember();

// Nothing when one more of that name can be made: not when there are `most`, nor when one has the name in whatever
// letter case, by which IAM does not tell names apart. `what`: as messages call it.
std::optional<ServiceError> CheckNewName(const Context& context, catalog::Kind kind, std::string_view what,
                                         std::string_view name, size_t most);

// As IAM writes times.
std::string Iso(Time time);

// {"User": …}'s inside.
Json UserJson(const catalog::Resource& user);

// The member of that name; without it who asks.
std::string UserNameOf(const Call& call);

// One page: {"<list_member>": […], "IsTruncated": …, "Marker": …}, of what `keep` takes.
Answer ListAnswer(const Context& context, catalog::Query query, const Json& input, const char* list_member,
                  const std::function<Json(const catalog::Resource&)>& show,
                  const std::function<bool(const catalog::Resource&)>& keep = nullptr);

// The user, or what to answer where there is none.
std::variant<catalog::Resource, ServiceError> FindUser(const Context& context, const std::string& name);

// What to do with the user as it is now; what is decided is retried when another writer comes between. On a pool
// thread.
using DecideUser = std::function<Proposal(const catalog::Resource& user, catalog::UserSpec spec)>;
void ChangeUser(const std::shared_ptr<const Context>& context, std::string name, DecideUser decide, Reply reply);
// The change of nothing but its time, so that others who change the user at once are told.
catalog::Transaction::Update TouchUser(const catalog::Resource& user, Time now);

}  // namespace argosy::api::iam
