// Responses as bytes.
#pragma once

#include <string>
#include <string_view>

#include "http/message.h"
#include "http/parser.h"

namespace argosy::http {

std::string_view ReasonPhrase(int status);

// True when a response of that status has no body and no Content-Length (RFC 9110 section 6.4.1).
bool StatusHasNoBody(int status);

uint64_t BodySize(const Response& response);

enum class BodyEnd { kLength, kChunked, kClose };

// What the transport adds to a response.
struct ResponseFrame {
  HttpVersion version = HttpVersion::k11;  // of the request
  Persistence persistence = Persistence::kKeepAlive;
  BodyEnd body_end = BodyEnd::kLength;
  std::string_view date_line;  // "Date: …\r\n", or empty
};

// Appends status line and headers, blank line included, to `out`. Line breaks and NUL in names and values become
// blanks: no header can add another. Content-Length, Date, Connection and Transfer-Encoding among the response's own
// are left out.
void AppendResponseHead(std::string& out, const Response& response, const ResponseFrame& frame);

// A small plain-text answer, for what the transport itself refuses.
Response PlainResponse(int status, std::string_view text);

}  // namespace argosy::http
