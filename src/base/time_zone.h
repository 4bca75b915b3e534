// The time of day somewhere: offsets from UTC as the system's time zone files have them (RFC 8536), and the rule by
// which they go on after the last change a file names (POSIX TZ).
//
// Immutable; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace argosy {

class TimeZone {
 public:
  TimeZone() = default;  // UTC

  // "Europe/Vienna", "UTC", "" (UTC). kInvalidArgument for a name that is none, kNotFound when the system does not know
  // it.
  static Result<TimeZone> Find(std::string_view name);
  // The text of a time zone file.
  static Result<TimeZone> Parse(std::string_view file);

  // Seconds east of UTC at a moment.
  int32_t OffsetAt(int64_t unix_seconds) const;

  // The moment that clocks there call so (seconds as if it were UTC). Of a time that comes twice, the first; of one
  // that is left out, as long after the gap's begin as it lies in it.
  int64_t ToUnix(int64_t local_seconds) const;

 private:
  struct Change {
    int64_t at;
    int32_t offset;
  };
  // Mm.w.d/time: in month `month`, week `week` (5 = the last), day `day` (0 = Sunday).
  struct YearDay {
    int month = 1, week = 1, day = 0;
    int32_t seconds = 7200;  // local time of day
  };
  struct Rule {
    int32_t standard = 0;  // offset
    int32_t summer = 0;
    bool has_summer = false;
    YearDay begin, end;
  };
  static std::optional<Rule> ParseRule(std::string_view text);
  static int64_t LocalMoment(int year, const YearDay& day);
  int32_t OffsetByRule(int64_t unix_seconds) const;

  std::vector<Change> changes_;  // ascending
  int32_t first_offset_ = 0;     // before the first change
  std::optional<Rule> rule_;     // after the last
};

}  // namespace argosy
