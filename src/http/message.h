// HTTP/1.1 requests and responses as the rest of the program sees them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/arriving_file.h"
#include "base/bytes.h"
#include "base/files.h"

namespace argosy::http {

struct HeaderView {
  std::string_view name;   // as sent
  std::string_view value;  // without surrounding blanks
};

// Where the other end of a connection is: on this machine, spoken to over its loopback interface, or anywhere.
enum class ClientPlace : uint8_t { kLoopback, kElsewhere };

// A request where it lies in its connection's buffer. Views are good until the exchange is answered.
struct RequestView {
  std::string_view method;  // GET, PUT, …
  std::string_view target;  // as sent: path and query
  std::string_view path;    // as sent, still percent-encoded, without the query
  std::string_view query;   // as sent, without '?'
  std::span<const HeaderView> headers;
  std::string_view body;        // whole when the body was buffered, empty when it was streamed
  uint64_t content_length = 0;  // announced, 0 when the body is chunked
  bool chunked = false;
  ClientPlace from = ClientPlace::kElsewhere;

  // The first header of that name, letter case ignored; empty when there is none.
  std::string_view Header(std::string_view name) const {
    const HeaderView* const found = FindHeader(name);
    return found == nullptr ? std::string_view() : found->value;
  }
  bool HasHeader(std::string_view name) const { return FindHeader(name) != nullptr; }

 private:
  const HeaderView* FindHeader(std::string_view name) const {
    for (const HeaderView& header : headers) {
      // Most differ in length or first letter.
      if (header.name.size() == name.size() && ((header.name.front() ^ name.front()) & 0xdf) == 0 &&
          EqualsIgnoreCase(header.name, name)) {
        return &header;
      }
    }
    return nullptr;
  }
};

// Part of an open file, sent without passing through the program's memory.
struct FileRange {
  std::shared_ptr<UniqueFd> file;
  uint64_t offset = 0;
  uint64_t length = 0;
  std::shared_ptr<ArrivingFile> arriving;  // null: the bytes are there; when they fail to come the connection is closed
};

// The server adds Content-Length, Date, Connection. The answer to a HEAD carries headers only: give `body` as for the
// GET (its length is announced, its bytes are not sent; the `file` of a FileRange may then be null).
struct Response {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::variant<std::string, FileRange> body;

  void Set(std::string name, std::string value) { headers.emplace_back(std::move(name), std::move(value)); }
};

}  // namespace argosy::http
