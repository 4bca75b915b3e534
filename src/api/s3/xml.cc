#include "api/s3/xml.h"

#include <algorithm>
#include <charconv>
#include <pugixml.hpp>
#include <sstream>

#include "api/s3/conditions.h"
#include "base/bytes.h"

namespace argosy::api::s3 {
namespace {

constexpr char kS3Namespace[] = "http://s3.amazonaws.com/doc/2006-03-01/";

class StringSink final : public pugi::xml_writer {
 public:
  explicit StringSink(std::string* out) : out_(out) {}
  void write(const void* data, size_t size) override { out_->append(static_cast<const char*>(data), size); }

 private:
  std::string* out_;
};

// The name without a prefix: some clients bind the namespace to one.
std::string_view LocalName(const pugi::xml_node& node) {
  const std::string_view name = node.name();
  const size_t colon = name.rfind(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

// Whether the text after an ampersand refers to a character: one of XML's five names, or a number but 0, which would
// cut a key short.
bool IsReference(std::string_view text) {
  constexpr size_t kReferenceBytesMax = 10;  // &#x10ffff; and a leading zero
  const size_t end = text.substr(0, kReferenceBytesMax).find(';');
  if (end == std::string_view::npos) return false;
  std::string_view name = text.substr(0, end);
  if (!name.starts_with('#')) {
    constexpr std::string_view kNames[] = {"amp", "lt", "gt", "quot", "apos"};
    return std::ranges::find(kNames, name) != std::end(kNames);
  }
  name.remove_prefix(1);
  const int base = name.starts_with('x') ? 16 : 10;
  if (base == 16) name.remove_prefix(1);
  uint32_t number = 0;
  const auto [at, error] = std::from_chars(name.data(), name.data() + name.size(), number, base);
  return error == std::errc() && at == name.data() + name.size() && number != 0;
}

// The parser leaves references that it does not know as they stand, which would name another key.
bool HasOnlyKnownReferences(std::string_view body) {
  constexpr std::pair<std::string_view, std::string_view> kVerbatim[] = {{"<![CDATA[", "]]>"}, {"<!--", "-->"}};
  for (size_t at = body.find_first_of("&<"); at != std::string_view::npos; at = body.find_first_of("&<", at + 1)) {
    const std::string_view rest = body.substr(at);
    if (rest.front() == '&' && !IsReference(rest.substr(1))) return false;
    for (const auto& [begin, end] : kVerbatim) {
      if (!rest.starts_with(begin)) continue;
      const size_t length = rest.find(end, begin.size());
      if (length == std::string_view::npos) return false;
      at += length;
    }
  }
  return true;
}

bool Parse(pugi::xml_document& document, std::string_view body, std::string_view root) {
  if (body.find('\0') != std::string_view::npos || !HasOnlyKnownReferences(body)) return false;
  // Keys may be or end in blanks, so text of blanks alone counts where it is an element's only content. A DOCTYPE is
  // asked for to be refused.
  const unsigned options =
      pugi::parse_escapes | pugi::parse_cdata | pugi::parse_eol | pugi::parse_ws_pcdata_single | pugi::parse_doctype;
  const pugi::xml_parse_result parsed = document.load_buffer(body.data(), body.size(), options, pugi::encoding_utf8);
  const auto is_doctype = [](const pugi::xml_node& node) { return node.type() == pugi::node_doctype; };
  return parsed && !document.find_child(is_doctype) && LocalName(document.document_element()) == root;
}

}  // namespace

struct XmlWriter::Document {
  pugi::xml_document document;
  pugi::xml_node at;
};

XmlWriter::XmlWriter(std::string_view root, XmlNamespace name_space) : document_(std::make_unique<Document>()) {
  document_->at = document_->document.append_child(std::string(root).c_str());
  if (name_space == XmlNamespace::kS3) document_->at.append_attribute("xmlns") = kS3Namespace;
}

XmlWriter::~XmlWriter() = default;

void XmlWriter::Text(std::string_view name, std::string_view text) {
  pugi::xml_node child = document_->at.append_child(std::string(name).c_str());
  if (!text.empty()) child.append_child(pugi::node_pcdata).set_value(std::string(text).c_str());
}

void XmlWriter::Content(std::string_view text) {
  document_->at.append_child(pugi::node_pcdata).set_value(std::string(text).c_str());
}

void XmlWriter::Open(std::string_view name, Attributes attributes) {
  document_->at = document_->at.append_child(std::string(name).c_str());
  for (const auto& [attribute, value] : attributes) document_->at.append_attribute(attribute) = value;
}

void XmlWriter::Close() {
  document_->at = document_->at.parent();
}

std::string XmlWriter::Finish() {
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  StringSink sink(&out);
  document_->document.save(sink, "", pugi::format_raw | pugi::format_no_declaration, pugi::encoding_utf8);
  return out;
}

std::optional<std::vector<CompletePart>> ParseCompleteMultipartUpload(std::string_view body) {
  pugi::xml_document document;
  if (!Parse(document, body, "CompleteMultipartUpload")) return std::nullopt;
  std::vector<CompletePart> parts;
  for (const pugi::xml_node& node : document.document_element().children()) {
    if (LocalName(node) != "Part") continue;
    if (parts.size() == kCompletePartsMax) return std::nullopt;
    CompletePart part;
    for (const pugi::xml_node& field : node.children()) {
      const std::string_view name = LocalName(field);
      constexpr std::string_view kChecksum = "Checksum";
      if (name == "PartNumber") {
        const std::optional<int64_t> number = ParseInt(Trim(field.child_value()));
        if (!number || *number < 1 || *number > static_cast<int64_t>(kCompletePartsMax)) return std::nullopt;
        part.number = static_cast<int>(*number);
      } else if (name == "ETag") {
        part.etag = Unquoted(field.child_value());
      } else if (name.starts_with(kChecksum)) {
        part.checksums.emplace_back(name.substr(kChecksum.size()), Trim(field.child_value()));
      }
    }
    if (part.number == 0 || part.etag.empty()) return std::nullopt;
    parts.push_back(std::move(part));
  }
  if (parts.empty()) return std::nullopt;
  return parts;
}

std::optional<DeleteRequest> ParseDelete(std::string_view body) {
  pugi::xml_document document;
  if (!Parse(document, body, "Delete")) return std::nullopt;
  DeleteRequest request;
  for (const pugi::xml_node& node : document.document_element().children()) {
    const std::string_view name = LocalName(node);
    if (name == "Quiet") request.quiet = Trim(node.child_value()) == "true";
    if (name != "Object") continue;
    if (request.entries.size() == kDeleteKeysMax) return std::nullopt;
    DeleteEntry entry;
    for (const pugi::xml_node& field : node.children()) {
      const std::string_view field_name = LocalName(field);
      if (field_name == "Key") entry.key = field.child_value();
      if (field_name == "ETag") entry.etag = Unquoted(field.child_value());
      if (field_name == "Size") entry.size = Trim(field.child_value());
      if (field_name == "LastModifiedTime") entry.last_modified = Trim(field.child_value());
      if (field_name == "VersionId" && Trim(field.child_value()) != "null") request.versions = true;
    }
    if (entry.key.empty()) return std::nullopt;
    request.entries.push_back(std::move(entry));
  }
  if (request.entries.empty()) return std::nullopt;
  return request;
}

std::optional<std::vector<std::pair<std::string, std::string>>> ParseTagging(std::string_view body) {
  pugi::xml_document document;
  if (!Parse(document, body, "Tagging")) return std::nullopt;
  std::vector<std::pair<std::string, std::string>> tags;
  for (const pugi::xml_node& set : document.document_element().children()) {
    if (LocalName(set) != "TagSet") continue;
    for (const pugi::xml_node& node : set.children()) {
      if (LocalName(node) != "Tag" || tags.size() == kTaggingTagsMax) return std::nullopt;
      std::optional<std::string> name;
      std::optional<std::string> value;
      for (const pugi::xml_node& field : node.children()) {
        if (LocalName(field) == "Key") name = field.child_value();
        if (LocalName(field) == "Value") value = field.child_value();
      }
      if (!name || !value) return std::nullopt;
      tags.emplace_back(std::move(*name), std::move(*value));
    }
  }
  return tags;
}

std::optional<std::vector<std::string>> ParseCreateBucketConfiguration(std::string_view body) {
  std::vector<std::string> names;
  if (Trim(body).empty()) return names;
  pugi::xml_document document;
  if (!Parse(document, body, "CreateBucketConfiguration")) return std::nullopt;
  for (const pugi::xml_node& node : document.document_element().children()) {
    if (node.type() == pugi::node_element) names.emplace_back(LocalName(node));
  }
  return names;
}

}  // namespace argosy::api::s3
