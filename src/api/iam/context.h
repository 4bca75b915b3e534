// What every operation of IAM needs.
#pragma once

#include "api/iam/iam_service.h"

namespace argosy::api::iam {

struct Context {
  IamDeps deps;

  Time Now() const { return deps.clock->Now(); }
};

}  // namespace argosy::api::iam
