// How the program writes for people: durations, sizes, money, times, tables that fit the terminal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace argosy::main {

std::string FormatDuration(Duration duration);        // 240 ms, 3.2 s, 4 min 05 s, 2 h 03 min
std::string FormatByteCount(uint64_t bytes);          // 512 B, 1.4 MB (powers of 1,000)
std::string FormatNanoDollars(int64_t nano_dollars);  // $0.000115, $12.30
std::string FormatNumber(double value);               // six significant digits
std::string FormatLocalTime(Time time);               // 2024-05-01 12:34:56
std::string FormatAge(Duration age);                  // 12 s ago, 3 min ago, 2 d ago

enum class Align { kLeft, kRight };
enum class TooLong { kCut, kWrap };  // kWrap goes on below; for the last column, of what must be read whole

struct Column {
  std::string title;
  Align align = Align::kLeft;
  TooLong too_long = TooLong::kCut;
};

enum class TableHead { kShow, kHide };

// Columns two blanks apart under their titles. Text is taken to be one cell per UTF-8 character.
class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // Missing cells are empty; cells beyond the columns are dropped.
  void Add(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }

  // No line is longer than `width` as long as every column can have kColumnWidthMin: the widest columns give way and
  // what is cut ends in "…", what is wrapped breaks at blanks. 0 = as wide as it likes. Control characters are shown as
  // '?', so that a name cannot paint over the terminal.
  std::string Render(size_t width, TableHead head = TableHead::kShow) const;

  static constexpr size_t kColumnWidthMin = 4;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace argosy::main
