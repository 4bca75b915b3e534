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
      "0\r\nx-amz-checksum-crc32:AAAAAA==\r\nOther: b\r\n\r\n";
  for (size_t piece = 1; piece <= body.size(); ++piece) {
    AwsChunkedDecoder decoder;
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
    EXPECT_EQ(decoder.trailers().at("x-amz-checksum-crc32"), "AAAAAA==");
    EXPECT_EQ(decoder.trailers().at("other"), "b");
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

}  // namespace
}  // namespace argosy::api::s3
