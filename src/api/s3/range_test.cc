#include "api/s3/range.h"

#include <gtest/gtest.h>

#include <string>

namespace argosy::api::s3 {
namespace {

std::string Show(std::string_view header, uint64_t size) {
  const Range range = ParseRange(header, size);
  if (std::holds_alternative<WholeObject>(range)) return "whole";
  if (std::holds_alternative<NotSatisfiable>(range)) return "416";
  const auto bytes = std::get<ByteRange>(range);
  return std::to_string(bytes.first) + "+" + std::to_string(bytes.length);
}

TEST(Range, Table) {
  struct Row {
    const char* header;
    uint64_t size;
    const char* expected;
  };
  const Row rows[] = {
      {"", 10, "whole"},
      {"bytes=0-0", 10, "0+1"},
      {"bytes=2-5", 10, "2+4"},
      {"bytes=2-", 10, "2+8"},
      {"bytes=2-99", 10, "2+8"},
      {"bytes=-3", 10, "7+3"},
      {"bytes=-99", 10, "0+10"},
      {"Bytes= 1 - 2 ", 10, "1+2"},
      {"bytes=10-", 10, "416"},
      {"bytes=99999999999999999999-", 10, "416"},
      {"bytes=0-99999999999999999999", 10, "0+10"},
      {"bytes=-0", 10, "416"},
      {"bytes=0-", 0, "416"},
      {"bytes=-1", 0, "416"},
      {"bytes=5-2", 10, "whole"},
      {"bytes=0-1,3-4", 10, "whole"},
      {"bytes=a-b", 10, "whole"},
      {"bytes=-", 10, "whole"},
      {"bytes=1-x", 10, "whole"},
      {"bytes=--1", 10, "whole"},
      {"lines=0-1", 10, "whole"},
      {"bytes", 10, "whole"},
  };
  for (const Row& row : rows) EXPECT_EQ(Show(row.header, row.size), row.expected) << row.header << " of " << row.size;
}

}  // namespace
}  // namespace argosy::api::s3
