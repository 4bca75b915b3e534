#include "http/response_writer.h"

#include <charconv>

#include "http/handler.h"

namespace argosy::http {
namespace {

void AppendNumber(std::string& out, uint64_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

void AppendClean(std::string& out, std::string_view text) {
  const size_t start = out.size();
  out.append(text);
  for (size_t i = start; i < out.size(); ++i) {
    if (out[i] == '\r' || out[i] == '\n' || out[i] == '\0') out[i] = ' ';
  }
}

bool IsTransportsOwn(std::string_view name) {
  switch (name.size()) {
    case 4:
      return EqualsIgnoreCase(name, "date");
    case 10:
      return EqualsIgnoreCase(name, "connection");
    case 14:
      return EqualsIgnoreCase(name, "content-length");
    case 17:
      return EqualsIgnoreCase(name, "transfer-encoding");
    default:
      return false;
  }
}

}  // namespace

std::string_view ReasonPhrase(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 424:
      return "Failed Dependency";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "Unknown";
  }
}

bool StatusHasNoBody(int status) {
  return status == 204 || status == 304 || status < 200;
}

uint64_t BodySize(const Response& response) {
  if (const auto* text = std::get_if<std::string>(&response.body)) return text->size();
  return std::get<FileRange>(response.body).length;
}

void AppendResponseHead(std::string& out, const Response& response, const ResponseFrame& frame) {
  if (response.status == 200) {
    out.append("HTTP/1.1 200 OK\r\n");
  } else {
    out.append("HTTP/1.1 ");
    AppendNumber(out, static_cast<uint64_t>(response.status));
    out.push_back(' ');
    out.append(ReasonPhrase(response.status));
    out.append("\r\n");
  }
  out.append(frame.date_line);
  for (const auto& [name, value] : response.headers) {
    if (IsTransportsOwn(name)) continue;
    AppendClean(out, name);
    out.append(": ");
    AppendClean(out, value);
    out.append("\r\n");
  }
  if (frame.persistence == Persistence::kClose) {
    out.append("Connection: close\r\n");
  } else if (frame.version == HttpVersion::k10) {
    out.append("Connection: keep-alive\r\n");
  }
  if (frame.body_end == BodyEnd::kChunked) {
    out.append("Transfer-Encoding: chunked\r\n");
  } else if (frame.body_end == BodyEnd::kLength && !StatusHasNoBody(response.status)) {
    out.append("Content-Length: ");
    AppendNumber(out, BodySize(response));
    out.append("\r\n");
  }
  out.append("\r\n");
}

Response PlainResponse(int status, std::string_view text) {
  Response response;
  response.status = status;
  response.Set("Content-Type", "text/plain; charset=utf-8");
  std::string body(text);
  body.push_back('\n');
  response.body = std::move(body);
  return response;
}

Response Handler::OnMalformed(int status, std::string_view text) {
  return PlainResponse(status, text);
}

}  // namespace argosy::http
