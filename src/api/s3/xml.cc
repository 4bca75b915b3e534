#include "api/s3/xml.h"

#include <pugixml.hpp>
#include <sstream>

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

bool Parse(pugi::xml_document& document, std::string_view body, std::string_view root) {
  // Keys may be or end in blanks, so text of blanks alone counts where it is an element's only content.
  const unsigned options = pugi::parse_escapes | pugi::parse_cdata | pugi::parse_eol | pugi::parse_ws_pcdata_single;
  const pugi::xml_parse_result parsed = document.load_buffer(body.data(), body.size(), options, pugi::encoding_utf8);
  return parsed && LocalName(document.document_element()) == root;
}

std::string Unquoted(std::string_view etag) {
  etag = Trim(etag);
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
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
    if (request.keys.size() == kDeleteKeysMax) return std::nullopt;
    std::optional<std::string> key;
    for (const pugi::xml_node& field : node.children()) {
      if (LocalName(field) == "Key") key = field.child_value();
      if (LocalName(field) == "VersionId" && Trim(field.child_value()) != "null") request.versions = true;
    }
    if (!key || key->empty()) return std::nullopt;
    request.keys.push_back(std::move(*key));
  }
  if (request.keys.empty()) return std::nullopt;
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

bool IsCreateBucketConfiguration(std::string_view body) {
  if (Trim(body).empty()) return true;
  pugi::xml_document document;
  return Parse(document, body, "CreateBucketConfiguration");
}

}  // namespace argosy::api::s3
