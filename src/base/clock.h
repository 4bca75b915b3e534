// Time is handed in, never asked for: whatever needs it takes a Clock (or a Time), so that tests and the simulated
// world decide what time it is.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace argosy {

using Duration = std::chrono::nanoseconds;
using Time = std::chrono::sys_time<Duration>;  // since the Unix epoch, UTC

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time Now() const = 0;            // wall clock; may be set back by the operator
  virtual Duration Monotonic() const = 0;  // never goes back; its zero means nothing
};

class SystemClock : public Clock {
 public:
  Time Now() const override;
  Duration Monotonic() const override;
};

// Stands still until told. Not thread-safe.
class ManualClock : public Clock {
 public:
  explicit ManualClock(Time start) : now_(start) {}
  Time Now() const override { return now_; }
  Duration Monotonic() const override { return now_.time_since_epoch(); }
  void Advance(Duration by) { now_ += by; }

 private:
  Time now_;
};

inline int64_t ToUnixMillis(Time t) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(t.time_since_epoch()).count();
}
inline int64_t ToUnixNanos(Time t) {
  return t.time_since_epoch().count();
}
inline Time FromUnixNanos(int64_t nanos) {
  return Time(Duration(nanos));
}
inline Time FromUnixMillis(int64_t millis) {
  return Time(std::chrono::milliseconds(millis));
}
// Seconds as the JSON services write them: a number with millisecond fraction.
double ToUnixSeconds(Time t);
Time FromUnixSeconds(double seconds);

std::string FormatIso8601(Time t);  // 2024-05-01T12:34:56.789Z
// As above, or with another number of decimals or none, or with an offset (+01:00) in place of the Z; nothing when it
// is none of these or of no year from 1970 to 2261.
std::optional<Time> ParseIso8601(std::string_view text);
std::string FormatHttpDate(Time t);  // Wed, 01 May 2024 12:34:56 GMT
std::string FormatAmzDate(Time t);   // 20240501T123456Z

}  // namespace argosy
