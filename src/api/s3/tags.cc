#include "api/s3/tags.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/s3/xml.h"
#include "base/bytes.h"

namespace argosy::api::s3 {
namespace {

constexpr size_t kNameCharactersMax = 128;
constexpr size_t kValueCharactersMax = 256;

S3Error InvalidTag(std::string_view message) {
  return {400, "InvalidTag", std::string(message)};
}

size_t Characters(std::string_view utf8) {
  return static_cast<size_t>(
      std::ranges::count_if(utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

// Letters, digits and blanks of any script, and + - = . _ : / @.
bool IsTagText(std::string_view text) {
  static constexpr std::string_view kSigns = " +-=._:/@";
  return IsValidUtf8(text) && std::ranges::all_of(text, [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return byte >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  kSigns.find(c) != std::string_view::npos;
         });
}

std::variant<objectstore::Tags, S3Error> Checked(std::vector<std::pair<std::string, std::string>> pairs,
                                                 size_t count_max) {
  objectstore::Tags tags;
  if (pairs.size() > count_max) {
    return S3Error{400, "BadRequest",
                   (count_max == kObjectTagsMax ? "Object" : "Bucket") + std::string(" tags cannot be greater than ") +
                       std::to_string(count_max)};
  }
  for (auto& [name, value] : pairs) {
    if (name.empty() || Characters(name) > kNameCharactersMax || !IsTagText(name)) {
      return InvalidTag("The TagKey you have provided is invalid");
    }
    if (Characters(value) > kValueCharactersMax || !IsTagText(value)) {
      return InvalidTag("The TagValue you have provided is invalid");
    }
    if (name.starts_with("aws:")) return InvalidTag("System tags cannot be added/updated by requester");
    if (!tags.try_emplace(std::move(name), std::move(value)).second) {
      return InvalidTag("Cannot provide multiple Tags with the same key");
    }
  }
  return tags;
}

}  // namespace

std::variant<objectstore::Tags, S3Error> ReadTagHeader(std::string_view header) {
  std::vector<std::pair<std::string, std::string>> pairs;
  while (!header.empty()) {
    const size_t end = std::min(header.find('&'), header.size());
    const std::string_view pair = header.substr(0, end);
    header.remove_prefix(std::min(end + 1, header.size()));
    const size_t equals = std::min(pair.find('='), pair.size());
    std::optional<std::string> name = FormDecode(pair.substr(0, equals));
    std::optional<std::string> value = FormDecode(pair.substr(std::min(equals + 1, pair.size())));
    if (!name || !value) {
      return InvalidArgument("x-amz-tagging", pair,
                             "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query "
                             "parameters without tag name duplicates.");
    }
    pairs.emplace_back(std::move(*name), std::move(*value));
  }
  return Checked(std::move(pairs), kObjectTagsMax);
}

std::variant<objectstore::Tags, S3Error> ReadTagDocument(std::string_view body, size_t count_max) {
  std::optional<std::vector<std::pair<std::string, std::string>>> pairs = ParseTagging(body);
  if (!pairs) return MalformedXml();
  return Checked(std::move(*pairs), count_max);
}

}  // namespace argosy::api::s3
