// IAM: users, their groups (teams here) and access keys, and what clients ask about roles and permissions before they
// train.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "api/operation.h"
#include "api/service.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/thread_pool.h"
#include "catalog/catalog.h"

namespace argosy::api {

// Whether the principal may do an action with a resource, as Service::MayDo; of all services.
using MayDo = std::function<std::optional<bool>(const auth::Principal& principal, std::string_view action,
                                                std::string_view resource)>;

// All outlive the service. `random` is called from several threads (SystemRandom).
struct IamDeps {
  catalog::Catalog* catalog = nullptr;
  ThreadPool* pool = nullptr;
  const Clock* clock = nullptr;
  Random* random = nullptr;
  MayDo may_do = nullptr;  // for simulations
};

std::vector<Operation> IamOperations(IamDeps deps);
std::unique_ptr<Service> MakeIamService(IamDeps deps);

}  // namespace argosy::api
