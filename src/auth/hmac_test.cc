#include "auth/hmac.h"

#include <gtest/gtest.h>

#include <string>

namespace argosy::auth {
namespace {

std::string HmacHex(std::string_view key, std::string_view message) {
  return std::string(AsText(ToHexDigest(HmacKey(key).Sign(message))));
}

// RFC 4231, test cases 1, 2, 3, 6 and 7.
TEST(Hmac, GivesThePublishedVectors) {
  EXPECT_EQ(HmacHex(std::string(20, '\x0b'), "Hi There"),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(HmacHex("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(HmacHex(std::string(20, '\xaa'), std::string(50, '\xdd')),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  EXPECT_EQ(HmacHex(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  EXPECT_EQ(
      HmacHex(
          std::string(131, '\xaa'),
          "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be "
          "hashed before being used by the HMAC algorithm."),
      "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

TEST(FastSha256, AgreesWithTheGeneralOneForAllSmallSizes) {
  std::string text;
  for (int size = 0; size < 300; ++size) {
    EXPECT_EQ(FastSha256(text), Sha256(text)) << size;
    text.push_back(static_cast<char>(size * 7));
  }
}

}  // namespace
}  // namespace argosy::auth
