// Only for tests: kernels that choose at run time by the machine's instruction sets.
#pragma once

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <cstdint>
#include <vector>

#include "base/result.h"

namespace argosy {

// Runs `test` once for each instruction set that kernels are compiled for and this machine has: the best alone would be
// chosen otherwise, and the others fail only elsewhere.
template <class Test>
void ForEachVectorTarget(const Test& test) {
  const std::vector<int64_t> targets = hwy::SupportedAndGeneratedTargets();
  ASSERT_FALSE(targets.empty());
  for (const int64_t target : targets) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    Check(hwy::SupportedTargets() == target, "another target was chosen");
    SCOPED_TRACE(hwy::TargetName(target));
    test();
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace argosy
