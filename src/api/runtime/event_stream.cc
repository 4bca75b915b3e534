#include "api/runtime/event_stream.h"

#include <initializer_list>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"

namespace argosy::api {
namespace {

constexpr char kTextHeader = 7;
constexpr size_t kPreludeBytes = 12;
constexpr size_t kCrcBytes = 4;

void AppendBig(std::string& out, uint32_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift & 0xff));
}

using HeaderList = std::initializer_list<std::pair<std::string_view, std::string_view>>;

void AppendMessage(std::string& out, HeaderList headers, std::string_view payload) {
  size_t header_bytes = 0;
  for (const auto& [name, value] : headers) header_bytes += 4 + name.size() + value.size();
  const size_t begin = out.size();
  const size_t total = kPreludeBytes + header_bytes + payload.size() + kCrcBytes;
  Check(total <= UINT32_MAX, "an event of more than 4 GiB");
  out.reserve(begin + total);
  AppendBig(out, static_cast<uint32_t>(total), 4);
  AppendBig(out, static_cast<uint32_t>(header_bytes), 4);
  AppendBig(out, Crc32(0, std::string_view(out).substr(begin)), 4);
  for (const auto& [name, value] : headers) {
    AppendBig(out, static_cast<uint32_t>(name.size()), 1);
    out.append(name);
    out.push_back(kTextHeader);
    AppendBig(out, static_cast<uint32_t>(value.size()), 2);
    out.append(value);
  }
  out.append(payload);
  AppendBig(out, Crc32(0, std::string_view(out).substr(begin)), 4);
}

}  // namespace

void AppendPayloadPart(std::string& out, std::string_view bytes) {
  AppendMessage(
      out, {{":event-type", "PayloadPart"}, {":content-type", "application/octet-stream"}, {":message-type", "event"}},
      bytes);
}

void AppendStreamException(std::string& out, std::string_view type, std::string_view payload) {
  AppendMessage(out, {{":exception-type", type}, {":content-type", "application/json"}, {":message-type", "exception"}},
                payload);
}

}  // namespace argosy::api
