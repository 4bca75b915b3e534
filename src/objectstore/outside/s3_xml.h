// The documents of S3 as a client reads and writes them. Names come percent-encoded, as encoding-type=url asks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "objectstore/object_store.h"

namespace argosy::objectstore {

struct S3ErrorText {
  std::string code;
  std::string message;
};
// Empty when the document is no <Error>.
S3ErrorText ParseError(std::string_view xml);
bool IsError(std::string_view xml);

// All kCorrupt when the document is something else. Keys are as they lie outside.
Result<ListPage> ParseListing(std::string_view xml);

struct PartsPage {
  std::vector<PartInfo> parts;
  std::string next;  // marker; empty on the last page
};
Result<PartsPage> ParseParts(std::string_view xml);

// The text of one child of the document's root: UploadId, ETag, LastModified.
Result<std::string> ParseField(std::string_view xml, const char* root, const char* name);

Result<Tags> ParseTagging(std::string_view xml);
std::string TaggingDocument(const Tags& tags);

std::string CompleteDocument(const std::vector<PartInfo>& parts);

}  // namespace argosy::objectstore
