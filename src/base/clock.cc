#include "base/clock.h"

#include <fmt/format.h>

#include <cmath>
#include <ctime>

namespace argosy {
namespace {

std::tm Broken(Time t) {
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count();
  std::tm out{};
  gmtime_r(&seconds, &out);
  return out;
}

}  // namespace

Time SystemClock::Now() const {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

Duration SystemClock::Monotonic() const {
  return std::chrono::steady_clock::now().time_since_epoch();
}

double ToUnixSeconds(Time t) {
  return static_cast<double>(ToUnixMillis(t)) / 1000.0;
}

Time FromUnixSeconds(double seconds) {
  return FromUnixMillis(std::llround(seconds * 1000.0));
}

std::string FormatIso8601(Time t) {
  const std::tm b = Broken(t);
  const auto millis =
      (std::chrono::floor<std::chrono::milliseconds>(t) - std::chrono::floor<std::chrono::seconds>(t)).count();
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", b.tm_year + 1900, b.tm_mon + 1, b.tm_mday, b.tm_hour,
                     b.tm_min, b.tm_sec, millis);
}

std::optional<Time> ParseIso8601(std::string_view text) {
  // "2024-05-01T12:34:56" at least; then decimals, then Z or an offset.
  constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:dd";
  if (text.size() <= kForm.size()) return std::nullopt;
  int fields[6] = {};
  int field = 0;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  for (size_t i = 0; i < kForm.size(); ++i) {
    if (kForm[i] != 'd') {
      if (text[i] != kForm[i]) return std::nullopt;
      ++field;
    } else if (!is_digit(text[i])) {
      return std::nullopt;
    } else {
      fields[field] = fields[field] * 10 + (text[i] - '0');
    }
  }
  const std::chrono::year_month_day date{std::chrono::year(fields[0]),
                                         std::chrono::month(static_cast<unsigned>(fields[1])),
                                         std::chrono::day(static_cast<unsigned>(fields[2]))};
  if (!date.ok() || fields[0] < 1970 || fields[0] > 2261) return std::nullopt;
  if (fields[3] > 23 || fields[4] > 59 || fields[5] > 60) return std::nullopt;
  Time time = Time(std::chrono::sys_days(date)) + std::chrono::hours(fields[3]) + std::chrono::minutes(fields[4]) +
              std::chrono::seconds(fields[5]);
  std::string_view rest = text.substr(kForm.size());
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    int64_t unit = 100'000'000;  // nanoseconds of the next decimal
    if (rest.empty() || !is_digit(rest.front())) return std::nullopt;
    for (; !rest.empty() && is_digit(rest.front()); unit /= 10, rest.remove_prefix(1)) {
      time += Duration(unit * (rest.front() - '0'));
    }
  }
  if (rest == "Z") return time;
  if (rest.size() != 6 || (rest[0] != '+' && rest[0] != '-') || rest[3] != ':') return std::nullopt;
  for (const size_t i : {1, 2, 4, 5}) {
    if (!is_digit(rest[i])) return std::nullopt;
  }
  const auto offset = std::chrono::hours((rest[1] - '0') * 10 + rest[2] - '0') +
                      std::chrono::minutes((rest[4] - '0') * 10 + rest[5] - '0');
  return rest[0] == '+' ? time - offset : time + offset;
}

std::string FormatHttpDate(Time t) {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::tm b = Broken(t);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[b.tm_wday], b.tm_mday, kMonths[b.tm_mon],
                     b.tm_year + 1900, b.tm_hour, b.tm_min, b.tm_sec);
}

std::string FormatAmzDate(Time t) {
  const std::tm b = Broken(t);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", b.tm_year + 1900, b.tm_mon + 1, b.tm_mday, b.tm_hour, b.tm_min,
                     b.tm_sec);
}

}  // namespace argosy
