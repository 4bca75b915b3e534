#include "base/clock.h"

#include <gtest/gtest.h>

namespace argosy {
namespace {

TEST(Iso8601, IsReadAsItIsWritten) {
  const Time time = FromUnixMillis(1'714'566'896'789);
  EXPECT_EQ(FormatIso8601(time), "2024-05-01T12:34:56.789Z");
  EXPECT_EQ(ParseIso8601(FormatIso8601(time)), time);
  EXPECT_EQ(ParseIso8601("2024-05-01T12:34:56Z"), FromUnixMillis(1'714'566'896'000));
  EXPECT_EQ(ParseIso8601("2024-05-01T14:34:56.5+02:00"), FromUnixMillis(1'714'566'896'500));
  EXPECT_EQ(ParseIso8601("2024-05-01T11:04:56-01:30"), FromUnixMillis(1'714'566'896'000));
  EXPECT_EQ(ParseIso8601("1970-01-01T00:00:00.000000001Z"), FromUnixNanos(1));
}

TEST(Iso8601, OtherTextIsNoTime) {
  for (const char* text :
       {"", "2024-05-01", "2024-05-01T12:34:56", "2024-05-01 12:34:56Z", "2024-02-30T12:34:56Z", "2024-05-01T24:34:56Z",
        "2024-05-01T12:60:56Z", "2024-05-01T12:34:56.Z", "2024-05-01T12:34:56+0200", "2024-05-01T12:34:56+02:0x",
        "1969-12-31T23:59:59Z", "9999-05-01T12:34:56Z", "2024-05-01T12:34:5xZ"}) {
    EXPECT_FALSE(ParseIso8601(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace argosy
