#include "base/schedule.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"

namespace argosy {
namespace {

using std::chrono::sys_days;
using std::chrono::sys_seconds;
using std::chrono::year_month_day;

constexpr int kYearFirst = 1970;
constexpr int kYearLast = 2199;
constexpr int kSearchDays = 366 * 30;  // further off than 29 February on a given weekday
constexpr std::string_view kMonthNames = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC";
constexpr std::string_view kDayNames = "SUNMONTUEWEDTHUFRISAT";

Error BadSchedule(std::string_view expression, std::string_view why) {
  return Invalid(fmt::format("Schedule expression '{}' is not valid: {}", expression, why));
}

std::vector<std::string_view> SplitAt(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  for (const std::string_view word : SplitAt(text, ' ')) {
    if (!word.empty()) words.push_back(word);
  }
  return words;
}

// A number, or one of the names of three letters, which count from `least`.
std::optional<int> ValueOf(std::string_view text, int least, std::string_view names) {
  if (text.size() == 3 && !names.empty()) {
    std::string upper(text);
    std::transform(upper.begin(), upper.end(), upper.begin(), [](char c) { return c >= 'a' && c <= 'z' ? c - 32 : c; });
    for (size_t at = 0; at < names.size(); at += 3) {
      if (names.substr(at, 3) == upper) return least + static_cast<int>(at / 3);
    }
  }
  const auto number = ParseInt(text);
  return number && *number >= 0 && *number < 10'000 ? std::optional(static_cast<int>(*number)) : std::nullopt;
}

std::optional<int64_t> LocalSecondsOf(std::string_view text) {  // yyyy-mm-ddThh:mm:ss
  if (text.size() != 19 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  const auto part = [&](size_t at, size_t length) { return ParseInt(text.substr(at, length)).value_or(-1); };
  const year_month_day date{std::chrono::year(static_cast<int>(part(0, 4))),
                            std::chrono::month(static_cast<unsigned>(part(5, 2))),
                            std::chrono::day(static_cast<unsigned>(part(8, 2)))};
  const int64_t hour = part(11, 2), minute = part(14, 2), second = part(17, 2);
  if (part(0, 4) < kYearFirst || part(0, 4) > kYearLast || !date.ok() || hour < 0 || hour > 23 || minute < 0 ||
      minute > 59 || second < 0 || second > 59) {
    return std::nullopt;
  }
  return sys_seconds(sys_days(date)).time_since_epoch().count() + hour * 3600 + minute * 60 + second;
}

unsigned LastDayOf(year_month_day date) {
  return static_cast<unsigned>((date.year() / date.month() / std::chrono::last).day());
}

bool IsWeekend(sys_days day) {
  const unsigned weekday = std::chrono::weekday(day).c_encoding();
  return weekday == 0 || weekday == 6;
}

// The weekday nearest to a day of the month, in the same month.
sys_days NearestWeekday(year_month_day date, unsigned wanted) {
  const unsigned last = LastDayOf(date);
  const sys_days day = date.year() / date.month() / std::chrono::day(std::min(wanted, last));
  const unsigned weekday = std::chrono::weekday(day).c_encoding();
  const unsigned number = static_cast<unsigned>(year_month_day(day).day());
  if (weekday == 6) return number == 1 ? day + std::chrono::days(2) : day - std::chrono::days(1);
  if (weekday == 0) return number == last ? day - std::chrono::days(2) : day + std::chrono::days(1);
  return day;
}

}  // namespace

Result<Schedule> Schedule::Parse(std::string_view expression, std::string_view time_zone) {
  Result<TimeZone> zone = TimeZone::Find(time_zone);
  if (!zone.ok()) return zone.error();
  Schedule schedule;
  schedule.zone_ = std::move(*zone);
  const size_t open = expression.find('(');
  if (open == std::string_view::npos || !expression.ends_with(')')) {
    return BadSchedule(expression, "it must be at(yyyy-mm-ddThh:mm:ss), rate(value unit) or cron(fields)");
  }
  const std::string_view kind = expression.substr(0, open);
  const std::string_view inner = expression.substr(open + 1, expression.size() - open - 2);
  if (kind == "at") {
    const std::optional<int64_t> local = LocalSecondsOf(inner);
    if (!local) return BadSchedule(expression, "at() takes a time such as 2030-03-31T08:00:00");
    schedule.at_ = schedule.zone_.ToUnix(*local);
  } else if (kind == "rate") {
    schedule.kind_ = Kind::kRate;
    const std::vector<std::string_view> words = Words(inner);
    const auto value = words.size() == 2 ? ParseInt(words[0]) : std::nullopt;
    const std::string_view unit = words.size() == 2 ? words[1] : "";
    const auto is = [&](std::string_view name) {
      return value == 1 ? unit == name : unit.starts_with(name) && unit.substr(name.size()) == "s";
    };
    const std::chrono::minutes one(is("minute") ? 1 : is("hour") ? 60 : is("day") ? 1440 : 0);
    if (!value || *value < 1 || *value > 100'000 || one.count() == 0) {
      return BadSchedule(expression,
                         "rate() takes 1 and minute, hour or day, or a larger number and minutes, hours or days");
    }
    schedule.every_ = one * *value;
  } else if (kind == "cron") {
    schedule.kind_ = Kind::kCron;
    if (Status parsed = ParseCron(inner, schedule); !parsed.ok()) {
      return BadSchedule(expression, parsed.error().message());
    }
  } else {
    return BadSchedule(expression, "it must be at(yyyy-mm-ddThh:mm:ss), rate(value unit) or cron(fields)");
  }
  return schedule;
}

// a, a-b, a/n, a-b/n, */n, and lists of those
Result<Schedule::Field> Schedule::ParseField(std::string_view text, int least, int most, std::string_view names) {
  Field field;
  field.values.assign(static_cast<size_t>(most) + 1, false);
  field.any = text == "*" || text == "?";
  for (const std::string_view item : SplitAt(text, ',')) {
    const std::vector<std::string_view> step = SplitAt(item, '/');
    const std::vector<std::string_view> range = SplitAt(step[0], '-');
    const bool all = step[0] == "*" || step[0] == "?";
    std::optional<int> from = all ? least : ValueOf(range[0], least, names);
    std::optional<int> to = all ? most : range.size() == 2 ? ValueOf(range[1], least, names) : from;
    const std::optional<int> by = step.size() == 2 ? ValueOf(step[1], 0, "") : std::optional(1);
    if (step.size() == 2 && !all && range.size() == 1) to = most;
    const bool good = from && to && by && step.size() <= 2 && range.size() <= 2 && *by > 0 && *from >= least &&
                      *from <= most && *to >= least && *to <= most;
    if (!good) return Invalid(fmt::format("'{}' is no value between {} and {}", item, least, most));
    // A range may go over the end: FRI-MON.
    const int length = (*to >= *from ? *to - *from : *to + (most - least + 1) - *from) + 1;
    for (int i = 0; i < length; i += *by) {
      const int value = least + (*from - least + i) % (most - least + 1);
      field.values[static_cast<size_t>(value)] = true;
    }
  }
  return field;
}

Status Schedule::ParseCron(std::string_view text, Schedule& schedule) {
  const std::vector<std::string_view> words = Words(text);
  if (words.size() != 6) {
    return Invalid("cron() takes six fields: minutes hours day-of-month month day-of-week year");
  }
  struct Part {
    Field* field;
    std::string_view text;
    int least, most;
    std::string_view names;
  };
  for (const Part& part : {Part{&schedule.minutes_, words[0], 0, 59, ""}, Part{&schedule.hours_, words[1], 0, 23, ""},
                           Part{&schedule.months_, words[3], 1, 12, kMonthNames},
                           Part{&schedule.years_, words[5], kYearFirst, kYearLast, ""}}) {
    Result<Field> field = ParseField(part.text, part.least, part.most, part.names);
    if (!field.ok()) return field.error();
    *part.field = std::move(*field);
  }
  if ((words[2] == "?") == (words[4] == "?")) {
    return Invalid("one of day-of-month and day-of-week must be ?, the other must not");
  }
  return ParseDays(words[2], words[4], schedule.days_);
}

Status Schedule::ParseDays(std::string_view of_month, std::string_view of_week, Days& days) {
  if (of_month == "L") {
    days.last_of_month = true;
  } else if (of_month == "LW") {
    days.last_weekday = true;
  } else if (of_month.size() >= 2 && of_month.ends_with('W')) {
    days.nearest_weekday = ValueOf(of_month.substr(0, of_month.size() - 1), 1, "");
    if (!days.nearest_weekday || *days.nearest_weekday < 1 || *days.nearest_weekday > 31) {
      return Invalid(fmt::format("'{}' is no day of a month", of_month));
    }
  } else {
    Result<Field> field = ParseField(of_month, 1, 31, "");
    if (!field.ok()) return field.error();
    days.of_month = std::move(*field);
  }
  // Days of the week count from 1 = Sunday there, from 0 here.
  const auto day_of = [](std::string_view text) -> std::optional<int> {
    const std::optional<int> day = ValueOf(text, 1, kDayNames);
    return day && *day >= 1 && *day <= 7 ? std::optional(*day - 1) : std::nullopt;
  };
  const size_t hash = of_week.find('#');
  if (hash != std::string_view::npos) {
    const std::optional<int> day = day_of(of_week.substr(0, hash));
    const std::optional<int> nth = ValueOf(of_week.substr(hash + 1), 1, "");
    if (!day || !nth || *nth < 1 || *nth > 5) return Invalid(fmt::format("'{}' is no n-th day of a week", of_week));
    days.nth = std::pair(*day, *nth);
  } else if (of_week == "L") {
    days.of_week.values.assign(7, false);
    days.of_week.values[6] = true;  // Saturday
  } else if (of_week.size() >= 2 && of_week.ends_with('L') && day_of(of_week.substr(0, of_week.size() - 1))) {
    days.last_of_week = day_of(of_week.substr(0, of_week.size() - 1));
  } else {
    Result<Field> field = ParseField(of_week, 1, 7, kDayNames);
    if (!field.ok()) return field.error();
    days.of_week.any = field->any;
    days.of_week.values.assign(field->values.begin() + 1, field->values.end());
  }
  return {};
}

bool Schedule::DayMatches(year_month_day date) const {
  const auto year = static_cast<size_t>(static_cast<int>(date.year()));
  if (year >= years_.values.size() || !years_.values[year]) return false;
  if (!months_.values[static_cast<unsigned>(date.month())]) return false;
  const auto day = static_cast<unsigned>(date.day());
  const unsigned last = LastDayOf(date);
  const auto weekday = static_cast<int>(std::chrono::weekday(sys_days(date)).c_encoding());
  if (days_.last_of_month) return day == last;
  if (days_.last_weekday) return sys_days(date) == NearestWeekday(date, last) && !IsWeekend(sys_days(date));
  if (days_.nearest_weekday) {
    const auto wanted = static_cast<unsigned>(*days_.nearest_weekday);
    return wanted <= last && sys_days(date) == NearestWeekday(date, wanted);
  }
  if (days_.nth) return weekday == days_.nth->first && static_cast<int>((day - 1) / 7) + 1 == days_.nth->second;
  if (days_.last_of_week) return weekday == *days_.last_of_week && day + 7 > last;
  return days_.of_month.values[day] && days_.of_week.values[static_cast<size_t>(weekday)];
}

std::optional<Time> Schedule::NextOfCron(Time after) const {
  const int64_t unix_after = std::chrono::floor<std::chrono::seconds>(after).time_since_epoch().count();
  // From the day before, since a day's clock times may come to lie before its beginning elsewhere.
  const int64_t local = unix_after + zone_.OffsetAt(unix_after);
  sys_days day = std::chrono::floor<std::chrono::days>(sys_seconds(std::chrono::seconds(local))) - std::chrono::days(1);
  for (int i = 0; i < kSearchDays; ++i, day += std::chrono::days(1)) {
    if (!DayMatches(year_month_day(day))) continue;
    std::optional<int64_t> first;
    for (size_t minute = 0; minute < size_t{24} * 60; ++minute) {
      if (!hours_.values[minute / 60] || !minutes_.values[minute % 60]) continue;
      const int64_t at = zone_.ToUnix(sys_seconds(day).time_since_epoch().count() + static_cast<int64_t>(minute) * 60);
      if (at > unix_after && (!first || at < *first)) first = at;
    }
    if (first) return Time(std::chrono::seconds(*first));
  }
  return std::nullopt;
}

std::optional<Time> Schedule::Next(Time after, Time begun) const {
  switch (kind_) {
    case Kind::kAt: {
      const Time at{std::chrono::seconds(at_)};
      return at > after ? std::optional(at) : std::nullopt;
    }
    case Kind::kRate: {
      if (after < begun) return begun;
      const int64_t times = (after - begun) / every_ + 1;
      if (times > (Time::max() - begun) / every_) return std::nullopt;  // not in this calendar's centuries
      return begun + every_ * times;
    }
    case Kind::kCron:
      return NextOfCron(after);
  }
  return std::nullopt;
}

}  // namespace argosy
