#include "api/request_body.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "api/fake_exchange.h"

namespace argosy::api {
namespace {

std::string Gzip(const std::string& text) {
  z_stream stream{};
  Check(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 32, '\0');
  std::string in = text;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  Check(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

TEST(Gunzip, GivesBackWhatWasCompressed) {
  for (const std::string& text : {std::string(), std::string("{}"), std::string(300'000, 'x')}) {
    const Result<std::string> out = Gunzip(Gzip(text), 1 << 20);
    ASSERT_TRUE(out.ok()) << out.error().message();
    EXPECT_EQ(*out, text);
  }
}

TEST(Gunzip, MoreThanAllowedIsRefusedBeforeItIsUnpacked) {
  const std::string bomb = Gzip(std::string(50 << 20, '\0'));
  ASSERT_LT(bomb.size(), 1U << 20);
  const Result<std::string> out = Gunzip(bomb, 1 << 20);
  ASSERT_FALSE(out.ok());
  EXPECT_NE(out.error().message().find("more than 1048576"), std::string::npos);
  EXPECT_TRUE(Gunzip(Gzip(std::string(1 << 20, 'x')), 1 << 20).ok());
  EXPECT_FALSE(Gunzip(Gzip(std::string((1 << 20) + 1, 'x')), 1 << 20).ok());
}

TEST(Gunzip, DamagedBytesAreRefused) {
  const std::string good = Gzip("{\"Namespace\":\"x\"}");
  EXPECT_FALSE(Gunzip("", 100).ok());
  EXPECT_FALSE(Gunzip("{}", 100).ok());
  EXPECT_FALSE(Gunzip(good.substr(0, good.size() - 1), 100).ok());
  EXPECT_FALSE(Gunzip(good + "x", 100).ok());
  std::string flipped = good;
  flipped[flipped.size() - 5] = static_cast<char>(flipped[flipped.size() - 5] ^ 1);
  EXPECT_FALSE(Gunzip(flipped, 100).ok());
}

TEST(DecodedBody, IsWhatTheClientWroteOrARefusalThatSaysWhy) {
  const auto decoded = [](const std::string& encoding, const std::string& body) {
    const FakeExchange exchange("POST", "/", {{"Content-Encoding", encoding}}, body);
    return DecodedBody(exchange.request());
  };
  const auto why = [&](const std::string& encoding, const std::string& body) {
    const Result<std::string> out = decoded(encoding, body);
    return out.ok() ? "" : out.error().message();
  };
  EXPECT_EQ(decoded("gzip", Gzip("{}")).value(), "{}");
  EXPECT_EQ(decoded("GZIP", Gzip("{}")).value(), "{}");
  EXPECT_EQ(decoded("identity", "{}").value(), "{}");
  EXPECT_EQ(why("br", "{}"), "The Content-Encoding 'br' is not supported: it must be gzip.");
  EXPECT_EQ(why("gzip, gzip", "{}"), "The Content-Encoding 'gzip, gzip' is not supported: it must be gzip.");
  EXPECT_EQ(why("gzip", "{}"), "The request body is no gzip data: it is damaged or not complete.");
  EXPECT_NE(why("gzip", Gzip(std::string(kDecodedBytesMax + 1, ' '))).find("more than 1048576 bytes"),
            std::string::npos);
}

}  // namespace
}  // namespace argosy::api
