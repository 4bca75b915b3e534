#include "http/response_writer.h"

#include <gtest/gtest.h>

namespace argosy::http {
namespace {

std::string Head(const Response& response, const ResponseFrame& frame = {}) {
  std::string out;
  AppendResponseHead(out, response, frame);
  return out;
}

TEST(ResponseWriter, WritesTheWholeHead) {
  Response response;
  response.status = 206;
  response.Set("ETag", "\"abc\"");
  response.body = FileRange{nullptr, 10, 77};
  EXPECT_EQ(Head(response, {.date_line = "Date: now\r\n"}),
            "HTTP/1.1 206 Partial Content\r\nDate: now\r\nETag: \"abc\"\r\nContent-Length: 77\r\n\r\n");
}

TEST(ResponseWriter, SaysHowTheConnectionGoesOn) {
  Response response;
  response.body = std::string("x");
  EXPECT_EQ(Head(response), "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n");
  EXPECT_EQ(Head(response, {.persistence = Persistence::kClose}),
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n");
  EXPECT_EQ(Head(response, {.version = HttpVersion::k10}),
            "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\n");
}

TEST(ResponseWriter, StatusWithoutBodyHasNoLength) {
  Response response;
  response.status = 204;
  EXPECT_EQ(Head(response), "HTTP/1.1 204 No Content\r\n\r\n");
  response.status = 304;
  response.Set("ETag", "x");
  EXPECT_EQ(Head(response), "HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n");
}

TEST(ResponseWriter, KeepsLineBreaksOutOfHeaders) {
  Response response;
  response.Set("a\r\nb", std::string("c\r\n\r\nd\0e", 8));
  EXPECT_EQ(Head(response), "HTTP/1.1 200 OK\r\na  b: c    d e\r\nContent-Length: 0\r\n\r\n");
}

TEST(ResponseWriter, TransportHeadersAreItsOwn) {
  Response response;
  response.Set("content-length", "99");
  response.Set("Date", "then");
  response.Set("CONNECTION", "upgrade");
  response.Set("transfer-encoding", "chunked");
  EXPECT_EQ(Head(response), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}

TEST(ResponseWriter, EveryStatusHasAPhrase) {
  EXPECT_EQ(ReasonPhrase(200), "OK");
  EXPECT_EQ(ReasonPhrase(424), "Failed Dependency");
  EXPECT_EQ(ReasonPhrase(299), "Unknown");
}

}  // namespace
}  // namespace argosy::http
