// The values of one metric by periods, and how periods of several lengths are put together. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "observe/distribution.h"

namespace argosy::observe {

// By the period's start, in Unix seconds.
using Periods = std::map<int64_t, Distribution>;

// The greatest multiple of `length` that is not above `second`.
int64_t StartOfPeriod(int64_t second, int64_t length);

void AddTo(Periods& periods, int64_t start, const Distribution& values);

// `coarse`, with the finer parts in place of each of its periods that `fine` knows as well: those where as many values
// are found in the `length` seconds from its start.
Periods Refine(Periods coarse, const Periods& fine, int64_t length);

// Put together by multiples of `length`.
Periods Gather(const Periods& periods, int64_t length);

// The buckets of a distribution in few bytes (docs/formats/metrics.md).
std::string EncodeBuckets(const Distribution& values);
// kCorrupt when the bytes are none, or do not ascend.
Result<std::vector<Distribution::Bucket>> DecodeBuckets(std::string_view bytes);

}  // namespace argosy::observe
