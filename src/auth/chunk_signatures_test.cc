#include "auth/chunk_signatures.h"

#include <gtest/gtest.h>

#include <string>

namespace argosy::auth {
namespace {

constexpr std::string_view kDate = "20130524T000000Z";
constexpr std::string_view kScope = "20130524/us-east-1/s3/aws4_request";

HmacKey ExampleKey() {
  const auto signed_by = [](std::string_view key, std::string_view text) {
    return std::string(AsBytes(HmacKey(key).Sign(text)));
  };
  std::string key = "AWS4wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
  for (const char* part : {"20130524", "us-east-1", "s3", "aws4_request"}) key = signed_by(key, part);
  return HmacKey(key);
}

// The examples of the Amazon S3 API Reference: 65 KiB of 'a' in chunks of 64 KiB.
TEST(ChunkSignatures, ThePublishedExampleIsBelieved) {
  ChunkSignatures chunks(ExampleKey(), kDate, kScope,
                         "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
  chunks.Update(std::string(60000, 'a'));
  chunks.Update(std::string(5536, 'a'));
  EXPECT_TRUE(chunks.EndChunk("ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"));
  chunks.Update(std::string(1024, 'a'));
  EXPECT_TRUE(chunks.EndChunk("0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"));
  EXPECT_TRUE(chunks.EndChunk("b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"));
}

TEST(ChunkSignatures, ThePublishedExampleWithATrailerIsBelieved) {
  ChunkSignatures chunks(ExampleKey(), kDate, kScope,
                         "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e");
  chunks.Update(std::string(65536, 'a'));
  EXPECT_TRUE(chunks.EndChunk("b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2"));
  chunks.Update(std::string(1024, 'a'));
  EXPECT_TRUE(chunks.EndChunk("1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7"));
  EXPECT_TRUE(chunks.EndChunk("2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"));
  EXPECT_TRUE(chunks.EndTrailers("x-amz-checksum-crc32c:sOO8/Q==\n",
                                 "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435"));
}

TEST(ChunkSignatures, OtherBytesAnotherOrderAndOtherTrailersAreNot) {
  const auto chunks = [] {
    return ChunkSignatures(ExampleKey(), kDate, kScope,
                           "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
  };
  {
    ChunkSignatures other = chunks();
    other.Update(std::string(65535, 'a') + "b");
    EXPECT_FALSE(other.EndChunk("ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"));
  }
  {
    ChunkSignatures swapped = chunks();
    swapped.Update(std::string(1024, 'a'));
    EXPECT_FALSE(swapped.EndChunk("0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"));
  }
  EXPECT_FALSE(chunks().EndChunk(""));
  EXPECT_FALSE(chunks().EndTrailers("a:b\n", std::string(64, '0')));
}

}  // namespace
}  // namespace argosy::auth
