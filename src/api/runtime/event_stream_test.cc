#include "api/runtime/event_stream.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace argosy::api {
namespace {

uint32_t Big(std::string_view bytes, size_t at) {
  uint32_t out = 0;
  for (size_t i = 0; i < 4; ++i) out = out << 8 | static_cast<unsigned char>(bytes[at + i]);
  return out;
}

TEST(EventStream, AMessageHoldsItsLengthsAndSums) {
  std::string out = "before";
  AppendPayloadPart(out, "abc");
  const std::string_view message = std::string_view(out).substr(6);
  EXPECT_EQ(Big(message, 0), message.size());
  EXPECT_EQ(Big(message, 8), Crc32(0, message.substr(0, 8)));
  EXPECT_EQ(Big(message, message.size() - 4), Crc32(0, message.substr(0, message.size() - 4)));
  const size_t headers = Big(message, 4);
  EXPECT_EQ(message.substr(12 + headers, 3), "abc");
  EXPECT_EQ(message.substr(12, 26), std::string_view("\x0b:event-type\x07\x00\x0bPayloadPart", 26));
}

TEST(EventStream, AnErrorNamesItsType) {
  std::string out;
  AppendStreamException(out, "ModelStreamError", R"({"Message":"no"})");
  EXPECT_NE(out.find(std::string_view("\x0f:exception-type\x07\x00\x10ModelStreamError", 35)), std::string::npos);
  EXPECT_NE(out.find("exception"), std::string::npos);
}

}  // namespace
}  // namespace argosy::api
