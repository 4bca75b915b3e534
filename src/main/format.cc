#include "main/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <numeric>

namespace argosy::main {
namespace {

bool StartsCharacter(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
}

size_t Cells(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), StartsCharacter));
}

std::string Cut(const std::string& text, size_t cells) {
  if (Cells(text) <= cells) return text;
  size_t seen = 0;
  size_t end = 0;
  while (end < text.size()) {
    if (StartsCharacter(text[end]) && ++seen == cells) break;
    ++end;
  }
  return text.substr(0, end) + "…";
}

std::string Printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return text;
}

// In lines of at most `width` cells where blanks allow it, those after the first behind `indent` blanks.
std::string Wrapped(std::string_view text, size_t width, size_t indent) {
  std::string out;
  size_t used = 0;  // cells of the present line
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    const std::string word(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (used > 0 && used + 1 + Cells(word) > width) {
      out += "\n" + std::string(indent, ' ');
      used = 0;
    }
    if (used > 0) out += ' ', ++used;
    out += word;
    used += Cells(word);
  }
  return out;
}

}  // namespace

std::string FormatDuration(Duration duration) {
  const double seconds = std::chrono::duration<double>(duration).count();
  if (seconds < 0.9995) return fmt::format("{:.0f} ms", std::max(0.0, seconds * 1000));
  if (seconds < 59.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<int64_t>(std::llround(seconds));
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

std::string FormatByteCount(uint64_t bytes) {
  constexpr std::string_view kUnits[] = {"B", "kB", "MB", "GB", "TB", "PB"};
  auto n = static_cast<double>(bytes);
  size_t unit = 0;
  while (n >= 999.95 && unit + 1 < std::size(kUnits)) n /= 1000, ++unit;
  if (unit == 0) return fmt::format("{} B", bytes);
  return fmt::format("{:.1f} {}", n, kUnits[unit]);
}

std::string FormatNanoDollars(int64_t nano_dollars) {
  const double dollars = static_cast<double>(nano_dollars) * 1e-9;
  if (nano_dollars == 0) return "$0";
  return std::abs(dollars) < 1 ? fmt::format("${:.6f}", dollars) : fmt::format("${:.2f}", dollars);
}

std::string FormatNumber(double value) {
  return fmt::format("{:.6g}", value);
}

std::string FormatLocalTime(Time time) {
  const std::time_t seconds =
      std::chrono::system_clock::to_time_t(std::chrono::time_point_cast<std::chrono::system_clock::duration>(time));
  std::tm parts{};
  localtime_r(&seconds, &parts);
  char text[32];
  const size_t n = std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
  return std::string(text, n);
}

std::string FormatAge(Duration age) {
  const int64_t s = std::max<int64_t>(0, std::chrono::duration_cast<std::chrono::seconds>(age).count());
  if (s < 60) return fmt::format("{} s ago", s);
  if (s < 3600) return fmt::format("{} min ago", s / 60);
  if (s < 86400) return fmt::format("{} h ago", s / 3600);
  return fmt::format("{} d ago", s / 86400);
}

void Table::Add(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  for (std::string& cell : cells) cell = Printable(std::move(cell));
  rows_.push_back(std::move(cells));
}

std::string Table::Render(size_t width, TableHead head) const {
  std::vector<size_t> widths;
  for (const Column& column : columns_) widths.push_back(Cells(column.title));
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Cells(row[i]));
  }
  const size_t gaps = columns_.empty() ? 0 : 2 * (columns_.size() - 1);
  while (width > 0) {
    const size_t total = std::accumulate(widths.begin(), widths.end(), gaps);
    const auto widest = std::max_element(widths.begin(), widths.end());
    if (total <= width || widest == widths.end() || *widest <= kColumnWidthMin) break;
    --*widest;
  }

  std::string out;
  const auto line = [&](const auto& cell_of) {
    std::string text;
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) text += "  ";
      if (i + 1 == columns_.size() && columns_[i].too_long == TooLong::kWrap) {
        text += Wrapped(cell_of(i), widths[i], Cells(text));
        continue;
      }
      const std::string cell = Cut(cell_of(i), widths[i]);
      const std::string pad(widths[i] - Cells(cell), ' ');
      text += columns_[i].align == Align::kRight ? pad + cell : cell + pad;
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + "\n";
  };
  if (head == TableHead::kShow) line([&](size_t i) { return columns_[i].title; });
  for (const auto& row : rows_) {
    line([&](size_t i) { return row[i]; });
  }
  return out;
}

}  // namespace argosy::main
