#include "api/s3/aws_chunked.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace argosy::api::s3 {
namespace {

TEST(AwsChunked, GivesTheSameHoweverItIsCut) {
  const std::string body =
      "5\r\nhello\r\n"
      "1;chunk-signature=00\r\n \r\n"
      "a\r\n0123\r\n6789\r\n"
      "0\r\nX-Amz-Checksum-CRC32: AAAAAA==\r\n\r\n";
  for (size_t piece = 1; piece <= body.size(); ++piece) {
    AwsChunkedDecoder decoder(nullptr, false, "x-amz-checksum-crc32");
    std::string out;
    for (size_t at = 0; at < body.size(); at += piece) {
      const Status fed = decoder.Feed(std::string_view(body).substr(at, piece), [&](std::string_view data) {
        out += data;
        return Status();
      });
      ASSERT_TRUE(fed.ok()) << fed.error().message();
    }
    EXPECT_TRUE(decoder.finished());
    EXPECT_EQ(out, "hello 0123\r\n6789");
    EXPECT_EQ(decoder.trailer(), "AAAAAA==");
  }
}

TEST(AwsChunked, RefusesBrokenFraming) {
  const std::vector<std::string> bodies = {"x\r\n",          "\r\n",
                                           "3\r\nhello\r\n", "0\r\nnocolon\r\n",
                                           "0\r\n\r\nmore",  "ffffffffffffffff\r\n",
                                           "-1\r\n",         std::string("1") + std::string(5000, '0')};
  for (const std::string& body : bodies) {
    AwsChunkedDecoder decoder;
    const Status fed = decoder.Feed(body, [](std::string_view) { return Status(); });
    EXPECT_FALSE(fed.ok()) << body.substr(0, 20);
  }
  AwsChunkedDecoder cut;
  EXPECT_TRUE(cut.Feed("5\r\nhel", [](std::string_view) { return Status(); }).ok());
  EXPECT_FALSE(cut.finished());
}

TEST(AwsChunked, OnlyTheAnnouncedTrailerComesAndOnce) {
  const auto fed = [](const std::string& trailers, std::string announced) {
    AwsChunkedDecoder decoder(nullptr, false, std::move(announced));
    return decoder.Feed("0\r\n" + trailers + "\r\n", [](std::string_view) { return Status(); });
  };
  EXPECT_TRUE(fed("", "").ok());
  EXPECT_TRUE(fed("", "a").ok()) << "whether it had to come is the payload's matter";
  EXPECT_TRUE(fed("a:1\r\n", "a").ok());
  const Status twice = fed("a:1\r\nA:1\r\n", "a");
  ASSERT_FALSE(twice.ok()) << "repeats would be held without end";
  EXPECT_NE(twice.error().message().find("'a' comes twice"), std::string::npos);
  for (const auto& [trailers, announced] :
       {std::pair("a:1\r\n", ""), {"b:1\r\n", "a"}, {":1\r\n", ""}, {"x-amz-trailer-signature:1\r\n", "a"}}) {
    const Status unannounced = fed(trailers, announced);
    ASSERT_FALSE(unannounced.ok()) << trailers;
    EXPECT_NE(unannounced.error().message().find("not announced"), std::string::npos);
  }
}

class SignedChunksTest : public testing::Test {
 protected:
  // Signs as a client does: with what it expects of the chunks so far.
  static std::unique_ptr<auth::ChunkSignatures> Signatures() {
    return std::make_unique<auth::ChunkSignatures>(auth::HmacKey("key"), "20130524T000000Z", "scope", "seed");
  }
  static std::string Sign(std::string_view text) {
    return std::string(auth::AsText(auth::ToHexDigest(auth::HmacKey("key").Sign(text))));
  }
  static std::string Hash(std::string_view text) {
    return std::string(auth::AsText(auth::ToHexDigest(auth::FastSha256(text))));
  }
  std::string Chunk(std::string_view data) {
    previous_ =
        Sign("AWS4-HMAC-SHA256-PAYLOAD\n20130524T000000Z\nscope\n" + previous_ + "\n" + Hash("") + "\n" + Hash(data));
    char size[17];
    std::snprintf(size, sizeof size, "%zx", data.size());
    return std::string(size) + ";chunk-signature=" + previous_ + "\r\n" + std::string(data) +
           (data.empty() ? "" : "\r\n");
  }
  std::string Trailer(const std::string& text) {
    previous_ = Sign("AWS4-HMAC-SHA256-TRAILER\n20130524T000000Z\nscope\n" + previous_ + "\n" + Hash(text));
    return text.substr(0, text.size() - 1) + "\r\nx-amz-trailer-signature:" + previous_ + "\r\n";
  }
  // The error, or "" when the whole is taken.
  static std::string Feed(const std::string& body, bool trailers, std::string* out = nullptr) {
    AwsChunkedDecoder decoder(Signatures(), trailers, trailers ? "x-amz-checksum-crc32" : "");
    const Status fed = decoder.Feed(body, [&](std::string_view data) {
      if (out != nullptr) *out += data;
      return Status();
    });
    if (!fed.ok()) return fed.error().message();
    return decoder.finished() ? "" : "unfinished";
  }
  std::string previous_ = "seed";
};

TEST_F(SignedChunksTest, AreTakenWhenEachSignatureIsRight) {
  const std::string body = Chunk("hello ") + Chunk("world") + Chunk("") + "\r\n";
  std::string out;
  EXPECT_EQ(Feed(body, false, &out), "");
  EXPECT_EQ(out, "hello world");
}

TEST_F(SignedChunksTest, TrailersAreSignedToo) {
  const std::string body = Chunk("hello") + Chunk("") + Trailer("x-amz-checksum-crc32:NhCmhg==\n") + "\r\n";
  EXPECT_EQ(Feed(body, true), "");
  EXPECT_NE(Feed(body, false).find("not announced"), std::string::npos);
  std::string other = body;
  other.replace(other.find("NhCm"), 4, "MhCm");
  EXPECT_NE(Feed(other, true).find("signature of the trailers"), std::string::npos);
  EXPECT_NE(Feed(body.substr(0, body.find("x-amz-trailer")) + "\r\n", true).find("trailers is missing"),
            std::string::npos);
}

TEST_F(SignedChunksTest, AnyOtherByteOrderOrEndIsRefused) {
  const std::string first = Chunk("hello ");
  const std::string second = Chunk("world");
  const std::string end = Chunk("") + "\r\n";
  const auto wrong = [](const std::string& body) {
    return Feed(body, false).find("signature of a chunk") != std::string::npos;
  };
  std::string changed = first + second + end;
  changed[changed.find("world")] = 'W';
  EXPECT_TRUE(wrong(changed));
  EXPECT_TRUE(wrong(second + first + end));
  EXPECT_TRUE(wrong(first + end)) << "a chunk left out";
  EXPECT_TRUE(wrong("5\r\nhello\r\n0\r\n\r\n")) << "no signatures";
  EXPECT_TRUE(wrong(first + second + "0\r\n\r\n")) << "an end of somebody else";
  EXPECT_EQ(Feed(first + second, false), "unfinished");
}

}  // namespace
}  // namespace argosy::api::s3
