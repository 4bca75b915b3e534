#include "base/bytes.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace argosy {
namespace {

std::string RandomBytes(Random& random, size_t size) {
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random.Next());
  return bytes;
}

TEST(Bytes, HexBase64AndPercentEncodingAreReversible) {
  SeededRandom random(1);
  for (size_t size = 0; size < 200; ++size) {
    const std::string bytes = RandomBytes(random, size);
    EXPECT_EQ(FromHex(ToHex(bytes)), bytes);
    EXPECT_EQ(FromBase64(ToBase64(bytes)), bytes);
    EXPECT_EQ(PercentDecode(PercentEncode(bytes)), bytes);
    EXPECT_EQ(PercentDecode(PercentEncode(bytes, "/")), bytes);
    EXPECT_EQ(FormDecode(PercentEncode(bytes)), bytes);
  }
}

TEST(Bytes, KnownForms) {
  EXPECT_EQ(ToHex("\x01\xab"), "01ab");
  EXPECT_EQ(ToBase64("any carnal pleas"), "YW55IGNhcm5hbCBwbGVhcw==");
  EXPECT_EQ(PercentEncode("a b/c~é"), "a%20b%2Fc~%C3%A9");
  EXPECT_EQ(PercentEncode("a/b", "/"), "a/b");
  EXPECT_EQ(FormDecode("a+b%2B"), "a b+");
  EXPECT_EQ(PercentDecode("a+b"), "a+b");
}

TEST(Bytes, BrokenTextIsRefused) {
  for (const char* hex : {"0", "0g", "zz"}) EXPECT_FALSE(FromHex(hex)) << hex;
  for (const char* text : {"YQ", "YQ=", "Y===", "Y Q=", "YQ==YQ==", "=YQ="}) EXPECT_FALSE(FromBase64(text)) << text;
  for (const char* text : {"%", "%1", "%zz", "a%2"}) EXPECT_FALSE(PercentDecode(text)) << text;
}

// RFC 1321, FIPS 180-2, and the check value of CRC-32/ISO-HDLC.
TEST(Bytes, DigestsOfKnownText) {
  EXPECT_EQ(Md5Hex("abc"), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Crc32(0, "123456789"), 0xcbf43926U);
  EXPECT_EQ(Crc32(Crc32(0, "1234"), "56789"), 0xcbf43926U);
}

TEST(Bytes, Utf8IsCheckedStrictly) {
  for (const char* good : {"", "abc", "é", "€", "𝄞"}) EXPECT_TRUE(IsValidUtf8(good)) << good;
  for (const char* bad : {"\x80", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff", "a\xe2\x82"}) {
    EXPECT_FALSE(IsValidUtf8(bad));
  }
}

TEST(Bytes, NumbersAreTakenWhole) {
  EXPECT_EQ(ParseInt("-12"), -12);
  EXPECT_EQ(ParseDouble("1e3"), 1000.0);
  for (const char* text : {"", " 1", "1 ", "1x", "99999999999999999999"}) EXPECT_FALSE(ParseInt(text)) << text;
  for (const char* text : {"", "1.5x", "."}) EXPECT_FALSE(ParseDouble(text)) << text;
}

TEST(Bytes, TextHelpers) {
  EXPECT_EQ(Trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(Trim("  "), "");
  EXPECT_TRUE(EqualsIgnoreCase("Content-TYPE", "content-type"));
  EXPECT_FALSE(EqualsIgnoreCase("a", "ab"));
  EXPECT_EQ(ToLower("AbÉ"), "abÉ");
}

}  // namespace
}  // namespace argosy
