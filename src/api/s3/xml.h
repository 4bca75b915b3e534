// S3's XML: the documents it answers with, and the few that clients send.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace argosy::api::s3 {

inline constexpr size_t kDeleteKeysMax = 1000;       // as S3
inline constexpr size_t kCompletePartsMax = 10'000;  // as S3

enum class XmlNamespace { kS3, kNone };

// Writes one document, element by element.
class XmlWriter {
 public:
  XmlWriter(std::string_view root, XmlNamespace name_space);
  ~XmlWriter();
  XmlWriter(const XmlWriter&) = delete;
  XmlWriter& operator=(const XmlWriter&) = delete;

  void Text(std::string_view name, std::string_view text);
  void Number(std::string_view name, int64_t number) { Text(name, std::to_string(number)); }
  void Truth(std::string_view name, bool truth) { Text(name, truth ? "true" : "false"); }
  void Content(std::string_view text);  // of the element that is open
  using Attributes = std::initializer_list<std::pair<const char*, const char*>>;
  void Open(std::string_view name, Attributes attributes = {});
  void Close();
  std::string Finish();

 private:
  struct Document;
  std::unique_ptr<Document> document_;
};

struct CompletePart {
  int number = 0;
  std::string etag;                                            // without quotes
  std::vector<std::pair<std::string, std::string>> checksums;  // algorithm's name as S3 writes it, base64
};
// <CompleteMultipartUpload>. Nothing when it is no such document or names more than kCompletePartsMax parts.
std::optional<std::vector<CompletePart>> ParseCompleteMultipartUpload(std::string_view body);

struct DeleteEntry {
  std::string key;
  std::string etag;  // without quotes; the three conditions as they were sent, empty when not
  std::string size;
  std::string last_modified;
};
struct DeleteRequest {
  bool quiet = false;
  std::vector<DeleteEntry> entries;
  bool versions = false;  // whether some entry names a version, but for "null"
};
// <Delete>. Nothing when it is no such document or names no key or more than kDeleteKeysMax.
std::optional<DeleteRequest> ParseDelete(std::string_view body);

// <Tagging>: names and values as they stand. Nothing when it is no such document or has more than kTaggingTagsMax tags.
inline constexpr size_t kTaggingTagsMax = 1000;
std::optional<std::vector<std::pair<std::string, std::string>>> ParseTagging(std::string_view body);

// <CreateBucketConfiguration>, or nothing at all: the names of what it asks for. Nothing when it is no such document.
std::optional<std::vector<std::string>> ParseCreateBucketConfiguration(std::string_view body);

}  // namespace argosy::api::s3
