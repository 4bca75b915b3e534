#include "objectstore/outside/s3_xml.h"

#include <fmt/format.h>

#include <pugixml.hpp>
#include <sstream>

#include "base/bytes.h"
#include "objectstore/checksum.h"

namespace argosy::objectstore {
namespace {

// A document's root, when it has that name.
class Document {
 public:
  Document(std::string_view xml, const char* root) {
    if (document_.load_buffer(xml.data(), xml.size())) root_ = document_.child(root);
  }
  bool ok() const { return static_cast<bool>(root_); }
  pugi::xml_node root() const { return root_; }
  std::string Text(const char* name) const { return root_.child_value(name); }

 private:
  pugi::xml_document document_;
  pugi::xml_node root_;
};

Error Strange(std::string_view what) {
  return Error(ErrorCode::kCorrupt, "the outside object store answered with something that is no " + std::string(what));
}

std::string ETagOf(pugi::xml_node node) {
  std::string etag(node.child_value("ETag"));
  std::erase(etag, '"');
  return etag;
}

Time TimeOf(pugi::xml_node node, const char* name) {
  return ParseIso8601(node.child_value(name)).value_or(Time());
}

std::optional<Checksum> ChecksumOf(pugi::xml_node node) {
  for (const ChecksumAlgorithm algorithm :
       {ChecksumAlgorithm::kCrc32, ChecksumAlgorithm::kCrc32c, ChecksumAlgorithm::kCrc64Nvme, ChecksumAlgorithm::kSha1,
        ChecksumAlgorithm::kSha256}) {
    const std::string value = node.child_value(("Checksum" + std::string(ChecksumName(algorithm))).c_str());
    if (!value.empty()) return Checksum{algorithm, ChecksumType::kFullObject, value};
  }
  return std::nullopt;
}

}  // namespace

S3ErrorText ParseError(std::string_view xml) {
  const Document document(xml, "Error");
  if (!document.ok()) return {};
  return {document.Text("Code"), document.Text("Message")};
}

bool IsError(std::string_view xml) {
  // Answers that are no documents are not parsed only to see that.
  return xml.size() < (64 << 10) && xml.find("<Error>") != std::string_view::npos && !ParseError(xml).code.empty();
}

Result<ListPage> ParseListing(std::string_view xml) {
  const Document document(xml, "ListBucketResult");
  if (!document.ok()) return Strange("ListBucketResult");
  ListPage out;
  for (const pugi::xml_node& node : document.root().children("Contents")) {
    ObjectInfo info;
    std::optional<std::string> key = FormDecode(node.child_value("Key"));
    const std::optional<int64_t> size = ParseInt(node.child_value("Size"));
    if (!key || !size || *size < 0) return Strange("list of objects");
    info.key = std::move(*key);
    info.size = static_cast<uint64_t>(*size);
    info.etag = ETagOf(node);
    info.last_modified = TimeOf(node, "LastModified");
    out.objects.push_back(std::move(info));
  }
  for (const pugi::xml_node& node : document.root().children("CommonPrefixes")) {
    std::optional<std::string> prefix = FormDecode(node.child_value("Prefix"));
    if (!prefix) return Strange("list of prefixes");
    out.common_prefixes.push_back(std::move(*prefix));
  }
  if (document.Text("IsTruncated") == "true") {
    out.next_token = document.Text("NextContinuationToken");
    if (out.next_token.empty()) return Strange("page of a list: it names no next one");
  }
  return out;
}

Result<PartsPage> ParseParts(std::string_view xml) {
  const Document document(xml, "ListPartsResult");
  if (!document.ok()) return Strange("ListPartsResult");
  PartsPage out;
  for (const pugi::xml_node& node : document.root().children("Part")) {
    const std::optional<int64_t> number = ParseInt(node.child_value("PartNumber"));
    const std::optional<int64_t> size = ParseInt(node.child_value("Size"));
    if (!number || *number < 1 || *number > kPartNumberMax || !size || *size < 0) return Strange("list of parts");
    PartInfo part;
    part.number = static_cast<int>(*number);
    part.size = static_cast<uint64_t>(*size);
    part.etag = ETagOf(node);
    part.last_modified = TimeOf(node, "LastModified");
    part.checksum = ChecksumOf(node);
    out.parts.push_back(std::move(part));
  }
  if (document.Text("IsTruncated") == "true") out.next = document.Text("NextPartNumberMarker");
  return out;
}

Result<std::string> ParseField(std::string_view xml, const char* root, const char* name) {
  const Document document(xml, root);
  if (!document.ok()) return Strange(root);
  std::string text = document.Text(name);
  if (text.empty()) return Strange(std::string(root) + " with " + name);
  return text;
}

Result<Tags> ParseTagging(std::string_view xml) {
  const Document document(xml, "Tagging");
  if (!document.ok()) return Strange("Tagging");
  Tags out;
  for (const pugi::xml_node& node : document.root().child("TagSet").children("Tag")) {
    out[node.child_value("Key")] = node.child_value("Value");
  }
  return out;
}

std::string TaggingDocument(const Tags& tags) {
  pugi::xml_document document;
  pugi::xml_node set = document.append_child("Tagging").append_child("TagSet");
  for (const auto& [name, value] : tags) {
    pugi::xml_node tag = set.append_child("Tag");
    tag.append_child("Key").text().set(name.c_str());
    tag.append_child("Value").text().set(value.c_str());
  }
  std::ostringstream out;
  document.save(out, "", pugi::format_raw);
  return out.str();
}

std::string CompleteDocument(const std::vector<PartInfo>& parts) {
  std::string out = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  for (const PartInfo& part : parts) {
    out += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>&quot;{}&quot;</ETag>", part.number, part.etag);
    if (part.checksum) {
      const std::string_view name = ChecksumName(part.checksum->algorithm);
      out += fmt::format("<Checksum{0}>{1}</Checksum{0}>", name, part.checksum->value);
    }
    out += "</Part>";
  }
  return out + "</CompleteMultipartUpload>";
}

}  // namespace argosy::objectstore
