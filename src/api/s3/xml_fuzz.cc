#include <cstddef>
#include <cstdint>

#include "api/s3/xml.h"
#include "base/result.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace argosy::api::s3;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  if (const auto parts = ParseCompleteMultipartUpload(body)) {
    argosy::Check(!parts->empty() && parts->size() <= kCompletePartsMax, "bound on parts");
  }
  if (const auto request = ParseDelete(body)) {
    argosy::Check(!request->keys.empty() && request->keys.size() <= kDeleteKeysMax, "bound on keys");
  }
  (void)IsCreateBucketConfiguration(body);
  return 0;
}
