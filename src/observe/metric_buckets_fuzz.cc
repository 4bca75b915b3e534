// The buckets of a period from a file of metrics: whatever the bytes, refused or read, and read they come back the
// same.
#include "observe/metric_periods.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace argosy;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Result<std::vector<observe::Distribution::Bucket>> buckets = observe::DecodeBuckets(bytes);
  if (!buckets.ok()) return 0;
  const auto values = observe::Distribution::FromParts(0, 0, 0, *buckets);
  const auto again = observe::DecodeBuckets(observe::EncodeBuckets(values));
  Check(again.ok() && *again == *buckets, "buckets that were read come back the same");
  (void)values.Percentile(50);
  return 0;
}
