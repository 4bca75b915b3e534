#include <cstddef>
#include <cstdint>
#include <string>

#include "api/s3/xml.h"
#include "base/result.h"

namespace {

void Try(std::string_view body) {
  using namespace argosy::api::s3;
  if (const auto parts = ParseCompleteMultipartUpload(body)) {
    argosy::Check(!parts->empty() && parts->size() <= kCompletePartsMax, "bound on parts");
    for (const CompletePart& part : *parts) {
      argosy::Check(part.number >= 1 && part.number <= 10'000 && !part.etag.empty(), "a part of no upload");
    }
  }
  if (const auto request = ParseDelete(body)) {
    argosy::Check(!request->entries.empty() && request->entries.size() <= kDeleteKeysMax, "bound on keys");
  }
  if (const auto tags = ParseTagging(body)) argosy::Check(tags->size() <= kTaggingTagsMax, "bound on tags");
  (void)ParseCreateBucketConfiguration(body);
}

}  // namespace

// As it comes, and as the inside of the documents, where chance would hardly lead.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string body(reinterpret_cast<const char*>(data), size);
  Try(body);
  Try("<Delete>" + body + "</Delete>");
  Try("<Delete><Object><Key>" + body + "</Key></Object></Delete>");
  Try("<Tagging><TagSet><Tag>" + body + "</Tag></TagSet></Tagging>");
  Try("<CompleteMultipartUpload>" + body + "</CompleteMultipartUpload>");
  Try("<CompleteMultipartUpload><Part><PartNumber>" + body +
      "</PartNumber><ETag>e</ETag></Part></CompleteMultipartUpload>");
  return 0;
}
