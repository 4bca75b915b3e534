#include "http/parser.h"

#include <gtest/gtest.h>

#include <string>

#include "base/bytes.h"

namespace argosy::http {
namespace {

constexpr std::string_view kTypical =
    "POST /endpoints/a/invocations?x=1&y HTTP/1.1\r\nHost: localhost:9000\r\nAccept-Encoding: identity\r\nX-Empty:\r\n"
    "X-Padded: \t two  words \t \r\nx-utf8: \xc3\xa9\r\nContent-Length: 5\r\n\r\n";

// What a head gives when it comes whole, or "refused <status>", or "incomplete".
std::string Describe(const HeadParser& head, HeadOutcome outcome) {
  if (outcome == HeadOutcome::kIncomplete) return "incomplete";
  if (outcome == HeadOutcome::kRefused) {
    EXPECT_FALSE(head.refusal().reason.empty());
    return "refused " + std::to_string(head.refusal().status);
  }
  const RequestView& request = head.request();
  std::string out = std::string(request.method) + "|" + std::string(request.path) + "|" + std::string(request.query);
  for (const HeaderView& header : request.headers)
    out += "|" + std::string(header.name) + "=" + std::string(header.value);
  return out;
}

std::string Whole(std::string_view text) {
  HeadParser head;
  return Describe(head, head.Parse(text));
}

TEST(HeadParser, ReadsATypicalHead) {
  HeadParser head;
  const std::string text = std::string(kTypical) + "hello";
  ASSERT_EQ(head.Parse(text), HeadOutcome::kComplete);
  EXPECT_EQ(head.size(), kTypical.size());
  const RequestView& request = head.request();
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/endpoints/a/invocations?x=1&y");
  EXPECT_EQ(request.path, "/endpoints/a/invocations");
  EXPECT_EQ(request.query, "x=1&y");
  ASSERT_EQ(request.headers.size(), 6U);
  EXPECT_EQ(request.Header("x-padded"), "two  words");
  EXPECT_EQ(request.Header("X-EMPTY"), "");
  EXPECT_TRUE(request.HasHeader("x-empty"));
  EXPECT_FALSE(request.HasHeader("x-other"));
  EXPECT_EQ(request.content_length, 5U);
  EXPECT_FALSE(request.chunked);
  EXPECT_TRUE(head.has_body());
  EXPECT_FALSE(head.expects_continue());
  EXPECT_EQ(head.persistence(), Persistence::kKeepAlive);
  EXPECT_EQ(head.version(), HttpVersion::k11);
}

TEST(HeadParser, ReadsTheSameHoweverTheBytesCome) {
  const std::string whole = Whole(kTypical);
  for (size_t step = 1; step < kTypical.size(); ++step) {
    HeadParser head;
    size_t seen = 0;
    for (size_t size = step; size < kTypical.size(); size += step) {
      ASSERT_EQ(head.Parse(kTypical.substr(0, size), seen), HeadOutcome::kIncomplete) << step << " " << size;
      seen = size;
    }
    EXPECT_EQ(Describe(head, head.Parse(kTypical, seen)), whole) << step;
  }
}

TEST(HeadParser, EveryCutIsIncomplete) {
  for (size_t size = 0; size < kTypical.size(); ++size)
    EXPECT_EQ(Whole(kTypical.substr(0, size)), "incomplete") << size;
}

TEST(HeadParser, SkipsEmptyLinesBeforeARequest) {
  HeadParser head;
  ASSERT_EQ(head.Parse("\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"), HeadOutcome::kComplete);
  EXPECT_EQ(head.request().path, "/");
  EXPECT_EQ(head.size(), 31U);
}

TEST(HeadParser, ReadsEveryFormOfTarget) {
  const auto target = [](const std::string& begin) {
    HeadParser head;
    const std::string text = begin + " HTTP/1.1\r\nHost: h\r\n\r\n";
    const HeadOutcome outcome = head.Parse(text);
    if (outcome != HeadOutcome::kComplete) return "refused " + std::to_string(head.refusal().status);
    return std::string(head.request().path) + " " + std::string(head.request().query);
  };
  EXPECT_EQ(target("GET /"), "/ ");
  EXPECT_EQ(target("GET /?"), "/ ");
  EXPECT_EQ(target("GET /a%20b/../c?d?e"), "/a%20b/../c d?e");
  EXPECT_EQ(target("GET http://host:1/a?b"), "/a b");
  EXPECT_EQ(target("GET HTTPS://host"), "/ ");
  EXPECT_EQ(target("GET http://host?b"), "/ b");
  EXPECT_EQ(target("OPTIONS *"), "* ");
  EXPECT_EQ(target("GET *"), "refused 400");
  EXPECT_EQ(target("CONNECT host:443"), "refused 400");
  EXPECT_EQ(target("GET ftp://host/"), "refused 400");
  EXPECT_EQ(target("GET a"), "refused 400");
  EXPECT_EQ(target("GET /a#b"), "refused 400");
  EXPECT_EQ(target("GET /a\x7f"), "refused 400");
  EXPECT_EQ(target("GET /a\tb"), "refused 400");
  EXPECT_EQ(target("GET "), "refused 400");
}

TEST(HeadParser, RefusesWhatTwoServersCouldReadDifferently) {
  const auto with = [](const std::string& headers) {
    return Whole("POST / HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n");
  };
  EXPECT_EQ(with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), "refused 400");
  EXPECT_EQ(with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), "refused 400");
  EXPECT_EQ(with("Content-Length: 5\r\nContent-Length: 5\r\n"), "refused 400");
  EXPECT_EQ(with("Content-Length: 5, 5\r\n"), "refused 400");
  EXPECT_EQ(with("Content-Length: +5\r\n"), "refused 400");
  EXPECT_EQ(with("Content-Length: -1\r\n"), "refused 400");
  EXPECT_EQ(with("Content-Length: 0x10\r\n"), "refused 400");
  EXPECT_EQ(with("Content-Length: 5 5\r\n"), "refused 400");
  EXPECT_EQ(with("Content-Length:\r\n"), "refused 400");
  EXPECT_EQ(with("Content-Length: 9999999999999999999\r\n"), "refused 400");
  EXPECT_EQ(with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), "refused 400");
  EXPECT_EQ(with("Transfer-Encoding: chunked, chunked\r\n"), "refused 501");
  EXPECT_EQ(with("Transfer-Encoding: gzip, chunked\r\n"), "refused 501");
  EXPECT_EQ(with("Transfer-Encoding: xchunked\r\n"), "refused 501");
  EXPECT_EQ(with("Transfer-Encoding : chunked\r\n"), "refused 400");
  EXPECT_EQ(with(" Transfer-Encoding: chunked\r\n"), "refused 400");
  EXPECT_EQ(with("X: a\r\n folded\r\n"), "refused 400");
  EXPECT_EQ(with("X: a\r\n\tfolded\r\n"), "refused 400");
  EXPECT_EQ(with("X: a\n"), "refused 400");
  EXPECT_EQ(with("X: a\nY: b\r\n"), "refused 400");
  EXPECT_EQ(with("X: a\rY: b\r\n"), "refused 400");
  EXPECT_EQ(with("X: a\r\r\n"), "refused 400");
  EXPECT_EQ(with(std::string("X: a\0b\r\n", 8)), "refused 400");
  EXPECT_EQ(with("X: a\x01\r\n"), "refused 400");
  EXPECT_EQ(with("X: a\x7f\r\n"), "refused 400");
  EXPECT_EQ(with("X\r\n"), "refused 400");
  EXPECT_EQ(with(": x\r\n"), "refused 400");
  EXPECT_EQ(with("X y: a\r\n"), "refused 400");
  EXPECT_EQ(with("X(y): a\r\n"), "refused 400");
  EXPECT_EQ(with("\xc3\xa9: a\r\n"), "refused 400");
  EXPECT_EQ(with("Host: other\r\n"), "refused 400");
  EXPECT_EQ(Whole("GET / HTTP/1.1\r\n\r\n"), "refused 400");
  EXPECT_EQ(Whole("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), "refused 400");
  EXPECT_EQ(Whole("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), "refused 400");
  EXPECT_EQ(Whole("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), "refused 400");
}

TEST(HeadParser, RefusesBrokenRequestLines) {
  EXPECT_EQ(Whole("GET  / HTTP/1.1\r\nHost: h\r\n\r\n"), "refused 400");
  EXPECT_EQ(Whole("GET /  HTTP/1.1\r\nHost: h\r\n\r\n"), "refused 400");
  EXPECT_EQ(Whole("GET / HTTP/1.1 \r\nHost: h\r\n\r\n"), "refused 400");
  EXPECT_EQ(Whole("GET / HTTP/1.1\nHost: h\n\n"), "refused 400");
  EXPECT_EQ(Whole("GET /\r\nHost: h\r\n\r\n"), "refused 400");
  EXPECT_EQ(Whole("GET / HTTP/1.2\r\nHost: h\r\n\r\n"), "refused 505");
  EXPECT_EQ(Whole("GET / HTTP/11.1\r\nHost: h\r\n\r\n"), "refused 505");
  EXPECT_EQ(Whole("GET / http/1.1\r\nHost: h\r\n\r\n"), "refused 400");
  EXPECT_EQ(Whole(" GET / HTTP/1.1\r\nHost: h\r\n\r\n"), "refused 400");
  EXPECT_EQ(Whole("G@T / HTTP/1.1\r\nHost: h\r\n\r\n"), "refused 400");
  EXPECT_EQ(Whole("\rGET / HTTP/1.1\r\nHost: h\r\n\r\n"), "refused 400");
  EXPECT_EQ(Whole(std::string("\0\0\0", 3)), "refused 400");
}

TEST(HeadParser, LineFeedsAloneNeverEndAHeadThatComesInPieces) {
  HeadParser head;
  const std::string text = "GET / HTTP/1.1\nHost: h\n\n";
  EXPECT_EQ(head.Parse(std::string_view(text).substr(0, 5)), HeadOutcome::kIncomplete);
  EXPECT_EQ(head.Parse(text, 5), HeadOutcome::kRefused);
}

TEST(HeadParser, ControlCharactersAreFoundAtEveryPlace) {
  for (size_t at = 0; at < 40; ++at) {
    for (int c = 0; c < 256; ++c) {
      std::string value(40, 'v');
      value[at] = static_cast<char>(c);
      const std::string got = Whole("GET / HTTP/1.1\r\nHost: h\r\nX: " + value + "\r\n\r\n");
      const bool allowed = c == '\t' || (c >= 0x20 && c != 0x7f);
      EXPECT_EQ(got.starts_with("refused"), !allowed) << at << " " << c;
    }
  }
}

TEST(HeadParser, BoundsTheNumberOfHeaders) {
  std::string text = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (size_t i = 1; i < kHeaderCountMax; ++i) text += "X: 1\r\n";
  EXPECT_TRUE(Whole(text + "\r\n").starts_with("GET|"));
  EXPECT_EQ(Whole(text + "X: 1\r\n\r\n"), "refused 431");
}

TEST(HeadParser, KnowsWhetherTheConnectionStays) {
  const auto stays = [](const std::string& text) {
    HeadParser head;
    EXPECT_EQ(head.Parse(text), HeadOutcome::kComplete) << text;
    return head.persistence() == Persistence::kKeepAlive;
  };
  EXPECT_TRUE(stays("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
  EXPECT_FALSE(stays("GET / HTTP/1.1\r\nHost: h\r\nConnection: Close\r\n\r\n"));
  EXPECT_FALSE(stays("GET / HTTP/1.1\r\nHost: h\r\nConnection: te, close\r\n\r\n"));
  EXPECT_FALSE(stays("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_TRUE(stays("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"));
  EXPECT_FALSE(stays("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n"));
}

TEST(HeadParser, KnowsExpectations) {
  const auto expects = [](const std::string& text) {
    HeadParser head;
    EXPECT_EQ(head.Parse(text), HeadOutcome::kComplete) << text;
    return head.expects_continue();
  };
  EXPECT_TRUE(expects("PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n"));
  EXPECT_FALSE(expects("PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"));
  EXPECT_EQ(Whole("PUT / HTTP/1.1\r\nHost: h\r\nExpect: 200-ok\r\n\r\n"), "refused 417");
}

TEST(HeadParser, CanBeUsedAgain) {
  HeadParser head;
  ASSERT_EQ(head.Parse("PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\nConnection: "
                       "close\r\n\r\n"),
            HeadOutcome::kComplete);
  ASSERT_EQ(head.Parse("GET /x HTTP/1.1\r\nHost: h\r\n\r\n"), HeadOutcome::kComplete);
  EXPECT_FALSE(head.has_body());
  EXPECT_FALSE(head.expects_continue());
  EXPECT_EQ(head.persistence(), Persistence::kKeepAlive);
  EXPECT_EQ(head.request().query, "");
}

TEST(EqualsIgnoreCase, FoldsLettersOnlyAtEveryPlaceAndLength) {
  const auto lower = [](int c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; };
  for (int x = 0; x < 256; ++x) {
    for (int y = 0; y < 256; ++y) {
      for (const size_t size : {1U, 8U, 11U}) {
        std::string a(size, 'q');
        std::string b(size, 'Q');
        a[size / 2] = static_cast<char>(x);
        b[size / 2] = static_cast<char>(y);
        ASSERT_EQ(EqualsIgnoreCase(a, b), lower(x) == lower(y)) << x << " " << y << " " << size;
      }
    }
  }
  EXPECT_FALSE(EqualsIgnoreCase("content-length", "content-lengt"));
}

// The body that the pieces give, or the state that ended them.
struct Unchunked {
  std::string body;
  ChunkedDecoder::State state = ChunkedDecoder::State::kMore;
  size_t consumed = 0;
};

Unchunked Decode(std::string_view text, size_t step) {
  ChunkedDecoder decoder;
  Unchunked out;
  for (size_t at = 0; at < text.size(); at += step) {
    std::string_view rest = text.substr(at, step);
    while (!rest.empty()) {
      const ChunkedDecoder::Step got = decoder.Next(rest);
      out.consumed += got.consumed;
      rest.remove_prefix(got.consumed);
      out.body += got.data;
      out.state = got.state;
      if (got.state == ChunkedDecoder::State::kDone || got.state == ChunkedDecoder::State::kMalformed) return out;
    }
  }
  return out;
}

TEST(ChunkedDecoder, GivesTheBodyHoweverItIsCut) {
  const std::string text = "5\r\nhello\r\n0000A;a=b;c=\"d\"\r\n0123456789\r\nff\r\n" + std::string(255, 'x') +
                           "\r\n0;last\r\nA: b\r\nC:\td\r\n\r\n";
  const std::string more = text + "GET / HTTP/1.1";
  for (size_t step = 1; step <= more.size(); ++step) {
    const Unchunked out = Decode(more, step);
    EXPECT_EQ(out.state, ChunkedDecoder::State::kDone) << step;
    EXPECT_EQ(out.body, "hello0123456789" + std::string(255, 'x')) << step;
    EXPECT_EQ(out.consumed, text.size()) << step;
  }
  for (size_t size = 0; size < text.size(); ++size) {
    EXPECT_NE(Decode(text.substr(0, size), 7).state, ChunkedDecoder::State::kDone) << size;
    EXPECT_NE(Decode(text.substr(0, size), 7).state, ChunkedDecoder::State::kMalformed) << size;
  }
}

TEST(ChunkedDecoder, RefusesWhatTwoServersCouldReadDifferently) {
  const std::string bad[] = {
      "\r\n",
      "x\r\n",
      "-1\r\n",
      "+1\r\n",
      "0x1\r\n",
      " 1\r\na\r\n0\r\n\r\n",
      "1 \r\na\r\n0\r\n\r\n",
      "1\na\r\n",
      "1\r\nab\r\n",
      "1\r\na\n",
      "1\r\na\rX",
      "1;\x01\r\n",
      "1;a\nb\r\n",
      "1;a\rb",
      "1234567890abcdef\r\n",  // more digits than any size has
      "0000000000000001\r\n",
      "0\r\n\n",
      "0\r\n bad: folded\r\n\r\n",
      "0\r\nbad\r\n\r\n",
      "0\r\n: x\r\n\r\n",
      "0\r\nA: b\n\r\n",
      "0\r\nA: \x02\r\n\r\n",
      "1;" + std::string(kChunkLineMax + 1, 'x'),
      "0\r\nA: " + std::string(kTrailerBytesMax + 1, 'x'),
  };
  for (const std::string& text : bad) {
    for (const size_t step : {size_t{1}, text.size()}) {
      EXPECT_EQ(Decode(text, step).state, ChunkedDecoder::State::kMalformed) << text.substr(0, 60);
    }
  }
}

}  // namespace
}  // namespace argosy::http
