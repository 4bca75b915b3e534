#include "base/schedule.h"

#include <gtest/gtest.h>

#include "base/time_zone.h"

namespace argosy {
namespace {

std::string NextIso(const std::string& expression, const std::string& zone, const std::string& after_iso) {
  const Result<Schedule> schedule = Schedule::Parse(expression, zone);
  if (!schedule.ok()) return schedule.error().message();
  // The text of a time as a schedule takes it is the way to a Time here, too.
  const Time after = *Schedule::Parse("at(" + after_iso + ")", "UTC")->Next(Time{}, Time{});
  const std::optional<Time> next = schedule->Next(after, after);
  return next ? FormatIso8601(*next).substr(0, 19) : "never";
}

TEST(Schedule, ComesWhenItsExpressionSays) {
  struct Case {
    const char* expression;
    const char* zone;
    const char* after;
    const char* next;
  };
  const Case cases[] = {
      {"at(2030-03-31T08:00:00)", "", "2030-01-01T00:00:00", "2030-03-31T08:00:00"},
      {"at(2030-03-31T08:00:00)", "Europe/Vienna", "2030-01-01T00:00:00", "2030-03-31T06:00:00"},
      {"at(2030-03-31T08:00:00)", "", "2030-03-31T08:00:00", "never"},
      {"rate(5 minutes)", "", "2030-01-01T00:00:00", "2030-01-01T00:05:00"},
      {"rate(1 day)", "", "2030-01-01T00:00:00", "2030-01-02T00:00:00"},
      {"cron(0 9 * * ? *)", "", "2030-01-01T09:00:00", "2030-01-02T09:00:00"},
      {"cron(30 8-10/2 * * ? *)", "", "2030-01-01T09:00:00", "2030-01-01T10:30:00"},
      {"cron(0 9 ? * MON-FRI *)", "", "2024-03-01T10:00:00", "2024-03-04T09:00:00"},
      {"cron(0 9 ? * FRI-SUN *)", "", "2024-03-04T10:00:00", "2024-03-08T09:00:00"},
      {"cron(0 9 ? * 2#1 *)", "", "2024-03-05T00:00:00", "2024-04-01T09:00:00"},
      {"cron(0 9 ? * 6L *)", "", "2024-03-05T00:00:00", "2024-03-29T09:00:00"},
      {"cron(0 0 L * ? *)", "", "2024-02-10T00:00:00", "2024-02-29T00:00:00"},
      {"cron(0 0 LW * ? *)", "", "2024-03-10T00:00:00", "2024-03-29T00:00:00"},
      {"cron(0 0 15W * ? *)", "", "2024-06-01T00:00:00", "2024-06-14T00:00:00"},
      {"cron(0/15 * * * ? *)", "", "2024-06-01T00:16:00", "2024-06-01T00:30:00"},
      {"cron(0 0 29 FEB ? 2024-2040)", "", "2024-03-01T00:00:00", "2028-02-29T00:00:00"},
      {"cron(0 0 31 2 ? *)", "", "2024-03-01T00:00:00", "never"},
      // Clocks go forward over 02:30 that day in Vienna, and back over it in October.
      {"cron(30 2 * * ? *)", "Europe/Vienna", "2030-03-30T12:00:00", "2030-03-31T01:30:00"},
      {"cron(30 2 * * ? *)", "Europe/Vienna", "2030-10-26T12:00:00", "2030-10-27T00:30:00"},
      {"cron(0 9 * * ? *)", "America/New_York", "2045-07-01T00:00:00", "2045-07-01T13:00:00"},
      {"cron(0 9 * * ? *)", "Asia/Kolkata", "2024-01-01T00:00:00", "2024-01-01T03:30:00"},
  };
  for (const Case& c : cases) EXPECT_EQ(NextIso(c.expression, c.zone, c.after), c.next) << c.expression << c.after;
}

TEST(Schedule, WhatIsNoneIsRefusedWithItsReason) {
  const auto why = [](const char* expression, const char* zone = "") {
    const Result<Schedule> schedule = Schedule::Parse(expression, zone);
    return schedule.ok() ? "" : schedule.error().message();
  };
  EXPECT_NE(why("every day").find("it must be at("), std::string::npos);
  EXPECT_NE(why("at(2030-02-30T00:00:00)").find("takes a time"), std::string::npos);
  EXPECT_NE(why("rate(0 minutes)").find("rate() takes 1"), std::string::npos);
  for (const char* wrong : {"rate(1 minutes)", "rate(2 day)", "rate(3 hourss)", "rate(1 )"}) {
    EXPECT_NE(why(wrong).find("rate() takes 1 and minute"), std::string::npos) << wrong;
  }
  EXPECT_NE(why("rate(5 weeks)").find("rate() takes 1"), std::string::npos);
  EXPECT_NE(why("cron(0 9 * * *)").find("six fields"), std::string::npos);
  EXPECT_NE(why("cron(0 9 * * * *)").find("must be ?"), std::string::npos);
  EXPECT_NE(why("cron(60 9 * * ? *)").find("'60' is no value between 0 and 59"), std::string::npos);
  EXPECT_NE(why("cron(0 9 ? * 8 *)").find("between 1 and 7"), std::string::npos);
  EXPECT_NE(why("rate(1 day)", "Mars/Olympus").find("no time zone"), std::string::npos);
  EXPECT_NE(why("rate(1 day)", "../../etc/passwd").find("no time zone"), std::string::npos);
}

TEST(Schedule, ARateKeepsToItsBeginning) {
  const Schedule schedule = *Schedule::Parse("rate(10 minutes)", "");
  const Time begun = FromUnixSeconds(1'000'000'003);
  EXPECT_EQ(schedule.Next(begun - std::chrono::hours(1), begun), begun);
  EXPECT_EQ(schedule.Next(begun + std::chrono::minutes(25), begun), begun + std::chrono::minutes(30));
  EXPECT_EQ(Schedule::Parse("rate(100000 days)", "")->Next(begun, FromUnixSeconds(1'700'000'000)),
            FromUnixSeconds(1'700'000'000));
  EXPECT_FALSE(Schedule::Parse("rate(100000 days)", "")->Next(begun, begun)) << "after the last time there is";
}

TEST(TimeZone, ATornFileIsNoTimeZone) {
  EXPECT_FALSE(TimeZone::Parse("").ok());
  EXPECT_FALSE(TimeZone::Parse("TZif2").ok());
  EXPECT_FALSE(TimeZone::Parse(std::string("TZif2") + std::string(39, '\xff')).ok());
}

}  // namespace
}  // namespace argosy
