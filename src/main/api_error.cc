#include "main/api_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>

#include "base/bytes.h"
#include "main/json_access.h"

namespace argosy::main {
namespace {

struct Refusal {
  std::string code;
  std::string message;
};

Refusal ReadRefusal(const ApiReply& reply) {
  Refusal refusal;
  if (const Result<Json> json = ParseJson(reply.body); json.ok()) {
    refusal.code = TextAt(*json, "__type");
    if (refusal.code.empty()) refusal.code = TextAt(*json, "Code");
    refusal.message = TextAt(*json, "message");
    if (refusal.message.empty()) refusal.message = TextAt(*json, "Message");
    const std::string original = TextAt(*json, "OriginalMessage");
    if (!original.empty()) refusal.message = original;
  } else {
    pugi::xml_document xml;
    if (xml.load_buffer(reply.body.data(), reply.body.size())) {
      // S3's, or the query protocol's.
      const pugi::xml_node outer = xml.child("ErrorResponse");
      const pugi::xml_node error = outer.empty() ? xml.child("Error") : outer.child("Error");
      refusal.code = error.child("Code").text().get();
      refusal.message = error.child("Message").text().get();
    }
  }
  if (refusal.code.empty()) refusal.code = reply.Header("x-amzn-errortype");
  refusal.code = refusal.code.substr(refusal.code.rfind('#') + 1);  // "com.amazonaws…#Code"
  refusal.code = refusal.code.substr(0, refusal.code.find(':'));
  if (refusal.message.empty()) refusal.message = fmt::format("the server answered with status {}", reply.status);
  return refusal;
}

size_t CommonPrefix(std::string_view a, std::string_view b) {
  return static_cast<size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

// "Value 'x' … enum value set: [150 values]" with those that begin most like x, for somebody who reads it.
std::string ShortenValueSet(const std::string& message) {
  constexpr size_t kShown = 12;
  constexpr std::string_view kSet = "enum value set: [";
  const size_t set = message.find(kSet);
  const size_t end = message.find(']', set);
  const size_t quote = message.find("Value '");
  if (set == std::string::npos || end == std::string::npos || quote > set) return message;
  const std::string value = message.substr(quote + 7, message.find('\'', quote + 7) - quote - 7);
  std::multimap<size_t, std::string_view, std::greater<>> nearest;  // by how much they have in common with it
  std::string_view rest = std::string_view(message).substr(set + kSet.size(), end - set - kSet.size());
  while (!rest.empty()) {
    const size_t comma = std::min(rest.find(", "), rest.size());
    nearest.emplace(CommonPrefix(rest.substr(0, comma), value), rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 2, rest.size()));
  }
  if (nearest.size() <= kShown) return message;
  std::string shown = message.substr(0, set + kSet.size());
  size_t left = kShown;
  for (auto it = nearest.begin(); left > 0; ++it, --left) shown += std::string(it->second) + ", ";
  return shown + fmt::format("… {} in all", nearest.size()) + message.substr(end);
}

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

ErrorCode CodeOf(int status, const Refusal& refusal) {
  if (status == 404 || Contains(refusal.code, "NotFound") || Contains(refusal.code, "NoSuch") ||
      Contains(refusal.message, "Could not find") || Contains(refusal.message, "not found")) {
    return ErrorCode::kNotFound;
  }
  if (refusal.code == "ResourceInUse" || Contains(refusal.code, "AlreadyOwned") ||
      Contains(refusal.code, "AlreadyExists") || Contains(refusal.message, "already exist")) {
    return ErrorCode::kAlreadyExists;
  }
  if (status == 403) return ErrorCode::kPermissionDenied;
  if (status == 429 || status == 503) return ErrorCode::kResourceExhausted;
  return status >= 500 ? ErrorCode::kInternal : ErrorCode::kInvalidArgument;
}

}  // namespace

std::string ApiReply::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (EqualsIgnoreCase(key, name)) return value;
  }
  return "";
}

Error ServiceRefusal(const ApiReply& reply) {
  Refusal refusal = ReadRefusal(reply);
  refusal.message = ShortenValueSet(refusal.message);
  const std::string text =
      refusal.code.empty() ? refusal.message : fmt::format("{} ({})", refusal.message, refusal.code);
  return Error(CodeOf(reply.status, refusal), text);
}

}  // namespace argosy::main
