#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "objectstore/outside/s3_xml.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace argosy::objectstore;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)ParseError(text);
  (void)IsError(text);
  const argosy::Result<ListPage> page = ParseListing(text);
  if (page.ok()) {
    for (const ObjectInfo& info : page->objects) argosy::Check(info.etag.find('"') == std::string::npos, "a quote");
  }
  const argosy::Result<PartsPage> parts = ParseParts(text);
  if (parts.ok()) (void)CompleteDocument(parts->parts);
  const argosy::Result<Tags> tags = ParseTagging(text);
  if (tags.ok()) (void)TaggingDocument(*tags);
  (void)ParseField(text, "CompleteMultipartUploadResult", "ETag");
  return 0;
}
