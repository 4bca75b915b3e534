// What the operations of Application Auto Scaling share: how targets are named and found, and how changes are
// committed.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "api/autoscaling/autoscaling_service.h"
#include "api/changes.h"
#include "api/operation.h"
#include "catalog/scaling.h"

namespace argosy::api::autoscaling {

inline constexpr size_t kListMax = 50;  // of one page; the service's

struct Common {
  AutoscalingDeps deps;
  std::string region;

  Time Now() const { return deps.clock->Now(); }
  // arn:aws:<service>:<region>:<account>:<rest>
  std::string Arn(std::string_view service, std::string_view rest) const;
};

std::vector<Operation> TargetOperations(std::shared_ptr<const Common> common);
std::vector<Operation> PolicyOperations(std::shared_ptr<const Common> common);
std::vector<Operation> ScheduleOperations(std::shared_ptr<const Common> common);
std::vector<Operation> ActivityOperations(std::shared_ptr<const Common> common);
std::vector<Operation> TagOperations(std::shared_ptr<const Common> common);

// ServiceNamespace, ResourceId and ScalableDimension, of which only SageMaker's variants are had, then `more`.
Shape TargetShape(std::vector<Member> more);
// The same for lists: ResourceId and dimension may be left out; with MaxResults and NextToken.
Shape ListShape(std::vector<Member> more);
Shape TextShape(int64_t most = 1600);
Shape TagMapShape();

// Nothing when the ResourceId is one of an endpoint's variant.
std::optional<ServiceError> CheckResourceId(std::string_view resource_id);
ServiceError NoTarget(std::string_view resource_id);
// The target of a request's ResourceId, which must be registered.
std::variant<catalog::Resource, ServiceError> FindTarget(const Common& common, const Json& input);
// A transaction that gives the target something of its own: it must not be deregistered, nor be given another, between
// what was read of it and the commit.
void HoldTarget(const catalog::Resource& target, catalog::Transaction& transaction);
// All that belongs to a target, by kind.
Result<std::vector<catalog::Resource>> ListAll(const Common& common, catalog::Kind kind, const std::string& owner);

// What to do, given the catalog as it is now; ConcurrentUpdateException when others came between each time. On a pool
// thread.
using Decide = std::function<std::variant<Decision, ServiceError>()>;
void Change(const std::shared_ptr<const Common>& common, Decide decide, Reply reply);

// A page of a list: {"<member>": [describe(resource), …], "NextToken": …}. `describe` leaves out what it gives null
// for.
Answer ListAnswer(const Common& common, const Json& input, catalog::Query query, const char* member,
                  const std::function<Json(const catalog::Resource&)>& describe);

// What belongs to targets: of the request's ResourceId or of all, those whose `name` is among the request's
// `asked_names`, or all.
struct TargetList {
  catalog::Kind kind;
  const char* member;       // of the answer
  const char* asked_names;  // of the request
  const char* name;         // of what `describe` gives
};
Answer ListOfTarget(const Common& common, const Json& input, const TargetList& list,
                    const std::function<Json(const catalog::Resource&)>& describe);

// Whether a count was sent.
bool HasCount(const Json& json, const char* name);
// The members of a stored request that answers give back, where they were sent.
Json Picked(const Json& sent, std::initializer_list<const char*> members);
Json SpecOf(const catalog::Resource& resource);

}  // namespace argosy::api::autoscaling
