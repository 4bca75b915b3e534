// IAM: users, their groups (teams here) and access keys, and what clients ask about roles and permissions before they
// train.
#pragma once

#include <memory>
#include <vector>

#include "api/operation.h"
#include "api/service.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/thread_pool.h"
#include "catalog/catalog.h"

namespace argosy::api {

// All outlive the service. `random` is called from several threads (SystemRandom).
struct IamDeps {
  catalog::Catalog* catalog = nullptr;
  ThreadPool* pool = nullptr;
  const Clock* clock = nullptr;
  Random* random = nullptr;
};

std::vector<Operation> IamOperations(IamDeps deps);
std::unique_ptr<Service> MakeIamService(IamDeps deps);

}  // namespace argosy::api
