#include "http/response_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace argosy::http {
namespace {

using State = ResponseParser::State;

struct Got {
  State state = State::kMore;
  ResponseHead head;
  std::string body;
  std::string rest;
  std::string reason;
  bool reusable = false;
};

// What comes of bytes that arrive in pieces, and of the end of the stream behind them.
Got Read(std::string_view bytes, size_t piece = 1) {
  ResponseParser parser;
  Got got;
  std::string buffer;
  for (;;) {
    const ResponseParser::Step step = parser.Next(buffer);
    got.state = step.state;
    got.body.append(step.data);
    buffer.erase(0, step.consumed);
    if (step.state == State::kHead) got.head = parser.head();
    if (step.state == State::kMore) {
      if (bytes.empty()) {
        got.state = parser.Closed();
        break;
      }
      buffer.append(bytes.substr(0, piece));
      bytes.remove_prefix(std::min(piece, bytes.size()));
    }
    if (step.state == State::kDone || step.state == State::kMalformed) break;
  }
  got.rest = buffer + std::string(bytes);
  got.reason = parser.reason();
  got.reusable = parser.reusable();
  return got;
}

TEST(ResponseParser, ABodyOfAnnouncedLengthLeavesWhatFollows) {
  for (const size_t piece : {1, 7, 1000}) {
    const Got got = Read("HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\ncontent-length: 5\r\n\r\nhello!", piece);
    EXPECT_EQ(got.state, State::kDone);
    EXPECT_EQ(got.head.status, 200);
    EXPECT_EQ(got.head.Header("content-type"), "text/csv");
    EXPECT_EQ(got.body, "hello");
    EXPECT_EQ(got.rest, "!");
    EXPECT_TRUE(got.reusable);
  }
}

TEST(ResponseParser, ChunksAreOneBody) {
  for (const size_t piece : {1, 3, 1000}) {
    const Got got =
        Read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1;x=y\r\nd\r\n0\r\n\r\n", piece);
    EXPECT_EQ(got.state, State::kDone);
    EXPECT_EQ(got.body, "abcd");
    EXPECT_TRUE(got.reusable);
  }
}

TEST(ResponseParser, WithoutALengthTheBodyEndsWithTheConnection) {
  const Got got = Read("HTTP/1.0 200 OK\n\nall of it");
  EXPECT_EQ(got.state, State::kDone);
  EXPECT_EQ(got.body, "all of it");
  EXPECT_FALSE(got.reusable);
}

TEST(ResponseParser, AStatusWithoutABodyHasNone) {
  const Got got = Read("HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_EQ(got.state, State::kDone);
  EXPECT_EQ(got.body, "");
}

TEST(ResponseParser, InterimAnswersArePassedOver) {
  const Got got = Read("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_EQ(got.head.status, 201);
  EXPECT_EQ(got.body, "ok");
}

TEST(ResponseParser, AConnectionThatIsToCloseIsNotUsedAgain) {
  EXPECT_FALSE(Read("HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 0\r\n\r\n").reusable);
  EXPECT_FALSE(Read("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").reusable);
  EXPECT_TRUE(Read("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n").reusable);
}

TEST(ResponseParser, ATornAnswerIsNone) {
  for (const char* torn : {"", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"}) {
    EXPECT_EQ(Read(torn).state, State::kMalformed) << torn;
  }
}

TEST(ResponseParser, WhatLeavesOpenWhereTheBodyEndsIsRefused) {
  for (const char* bad :
       {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "HTTP/1.1 99 Odd\r\n\r\n",
        "HTTP/1.1 200 OK\r\n folded: line\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n", "SSH-2.0-OpenSSH\r\n", "HTTP/2 200\r\n\r\n"}) {
    const Got got = Read(bad);
    EXPECT_EQ(got.state, State::kMalformed) << bad;
    EXPECT_FALSE(got.reason.empty()) << bad;
  }
}

TEST(ResponseParser, AHeadOverItsBoundIsRefused) {
  const std::string endless = "HTTP/1.1 200 OK\r\nX: " + std::string(kResponseHeadBytesMax, 'x');
  EXPECT_THAT(Read(endless, 1000).reason, testing::HasSubstr("larger than 64 KiB"));
  std::string interim;
  while (interim.size() <= kResponseHeadBytesMax) interim += "HTTP/1.1 102 Processing\r\n\r\n";
  EXPECT_EQ(Read(interim, 1000).state, State::kMalformed);
  std::string many = "HTTP/1.1 200 OK\r\n";
  for (size_t i = 0; i <= kHeaderCountMax; ++i) many += "X: y\r\n";
  EXPECT_EQ(Read(many + "\r\n", 1000).reason, "the answer has too many headers");
}

}  // namespace
}  // namespace argosy::http
