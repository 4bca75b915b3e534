// When something that is scheduled is due: at(…), rate(…) and cron(…) as AWS writes them.
//
//   at(2030-03-31T08:00:00)          once, in the schedule's time zone
//   rate(5 minutes)                  minute(s), hour(s), day(s); counted from when it began
//   cron(0 9 ? * MON-FRI *)          minutes hours day-of-month month day-of-week year; * , - / ? and, for days, L, W,
//   #
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/time_zone.h"

namespace argosy {

class Schedule {
 public:
  // kInvalidArgument says what is wrong with the expression or the zone.
  static Result<Schedule> Parse(std::string_view expression, std::string_view time_zone);

  // The first time after `after`; nothing when there is none any more. `begun` is what a rate counts from.
  std::optional<Time> Next(Time after, Time begun) const;

  // Whether it comes once only.
  bool once() const { return kind_ == Kind::kAt; }

 private:
  enum class Kind { kAt, kRate, kCron };
  struct Field {
    std::vector<bool> values;  // by value
    bool any = false;          // * or ?
  };
  struct Days {
    Field of_month;
    bool last_of_month = false;              // L
    bool last_weekday = false;               // LW
    std::optional<int> nearest_weekday;      // nW
    Field of_week;                           // 0 = Sunday
    std::optional<int> last_of_week;         // nL
    std::optional<std::pair<int, int>> nth;  // n#k
  };
  static Result<Field> ParseField(std::string_view text, int least, int most, std::string_view names);
  static Status ParseCron(std::string_view text, Schedule& schedule);
  static Status ParseDays(std::string_view of_month, std::string_view of_week, Days& days);
  bool DayMatches(std::chrono::year_month_day date) const;
  std::optional<Time> NextOfCron(Time after) const;

  Kind kind_ = Kind::kAt;
  TimeZone zone_;
  int64_t at_ = 0;  // Unix seconds
  Duration every_{};
  Field minutes_, hours_, months_, years_;
  Days days_;
};

}  // namespace argosy
