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
