#include "main/format.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace argosy::main {
namespace {

using namespace std::chrono_literals;

TEST(Format, DurationsReadAsPeopleSayThem) {
  EXPECT_EQ(FormatDuration(0ms), "0 ms");
  EXPECT_EQ(FormatDuration(240ms), "240 ms");
  EXPECT_EQ(FormatDuration(3200ms), "3.2 s");
  EXPECT_EQ(FormatDuration(245s), "4 min 05 s");
  EXPECT_EQ(FormatDuration(7380s), "2 h 03 min");
}

TEST(Format, SizesAndMoney) {
  EXPECT_EQ(FormatByteCount(512), "512 B");
  EXPECT_EQ(FormatByteCount(1'400'000), "1.4 MB");
  EXPECT_EQ(FormatByteCount(999'960), "1.0 MB");
  EXPECT_EQ(FormatNanoDollars(0), "$0");
  EXPECT_EQ(FormatNanoDollars(115'000), "$0.000115");
  EXPECT_EQ(FormatNanoDollars(12'300'000'000), "$12.30");
}

TEST(Table, AlignsColumnsUnderTheirTitles) {
  Table table({{"NAME"}, {"ROWS", Align::kRight}});
  table.Add({"a", "5"});
  table.Add({"longer", "12345"});
  EXPECT_EQ(table.Render(0), "NAME     ROWS\na           5\nlonger  12345\n");
}

TEST(Table, NeverPrintsALineWiderThanTheTerminal) {
  Table table({{"NAME"}, {"STATUS"}, {"REASON"}});
  table.Add({std::string(100, 'n'), "Failed", std::string(300, 'r')});
  table.Add({"größe", "Completed", "–"});
  for (const size_t width : {30u, 80u, 132u}) {
    std::istringstream lines(table.Render(width));
    for (std::string line; std::getline(lines, line);) {
      const auto cells = std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xc0) != 0x80; });
      EXPECT_LE(static_cast<size_t>(cells), width) << line;
    }
  }
  EXPECT_NE(table.Render(80).find("…"), std::string::npos);
  EXPECT_EQ(table.Render(0).find("…"), std::string::npos);
  EXPECT_NE(table.Render(80).find("Completed"), std::string::npos) << "narrow columns are left whole";
}

TEST(Table, WrapsWhatMustBeReadWhole) {
  Table table({{"JOB"}, {"name", Align::kLeft, TooLong::kWrap}});
  table.Add({"reason", "line 7: the value is not a number"});
  table.Add({"artifact", "s3://bucket/a/path/longer/than/that"});
  EXPECT_EQ(table.Render(30),
            "JOB       name\n"
            "reason    line 7: the value is\n"
            "          not a number\n"
            "artifact  s3://bucket/a/path/longer/than/that\n");
  EXPECT_EQ(table.Render(0),
            "JOB       name\n"
            "reason    line 7: the value is not a number\n"
            "artifact  s3://bucket/a/path/longer/than/that\n");
}

TEST(Table, ShowsControlCharactersHarmlessly) {
  Table table({{"NAME"}});
  table.Add({"a\x1b[2Jb\nc"});
  EXPECT_EQ(table.Render(0), "NAME\na?[2Jb?c\n");
}

}  // namespace
}  // namespace argosy::main
