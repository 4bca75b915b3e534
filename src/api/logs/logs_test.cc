// CloudWatch Logs over a real log store, as the front door would call it.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "api/fake_exchange.h"
#include "api/logs/event_merger.h"
#include "api/logs/filter_pattern.h"
#include "api/logs/logs_service.h"
#include "observe/file_log_store.h"
#include "observe/spool_line.h"

namespace argosy::api {
namespace {

const std::string kGroup = "/aws/sagemaker/TrainingJobs";
constexpr int64_t kStartMillis = 1'700'000'000'000;

class LogsTest : public testing::Test {
 protected:
  LogsTest()
      : directory_(std::filesystem::temp_directory_path() /
                   ("argosy-logs-test-" + std::to_string(getpid()) + "-" +
                    testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::remove_all(directory_);
    store_ = std::move(observe::FileLogStore::Open(directory_)).value();
    pool_ = std::make_unique<ThreadPool>("test", 1, 100);
    service_ = MakeLogsService(store_.get(), pool_.get(), "us-east-1");
  }
  ~LogsTest() override {
    pool_.reset();
    std::filesystem::remove_all(directory_);
  }

  void Append(const std::string& stream, int64_t millis, const std::string& message,
              const std::string& group = kGroup) {
    const std::string line = observe::FormatSpoolLine({FromUnixMillis(kStartMillis + millis), message});
    ASSERT_TRUE(store_->AppendSpool(group, stream, store_->SpoolOffset(group, stream), line).ok());
  }
  Json Ask(const std::string& operation, const Json& request, int status = 200) {
    auto exchange = std::make_shared<FakeExchange>(
        "POST", "/", FakeExchange::Headers{{"X-Amz-Target", "Logs_20140328." + operation}}, request.dump());
    service_->OnRequest(exchange, nullptr, kPrincipal, "id");
    EXPECT_EQ(exchange->Wait().status, status) << operation << BodyOf(exchange->Wait());
    return Json::parse(BodyOf(exchange->Wait()));
  }
  void Bad(const std::string& operation, const Json& request, const std::string& code, const std::string& message) {
    const Json error = Ask(operation, request, 400);
    EXPECT_EQ(error.value("__type", ""), code) << error.dump();
    EXPECT_NE(error.value("message", "").find(message), std::string::npos) << error.dump();
  }
  Json Get(Json request) {
    request["logGroupName"] = kGroup;
    request["logStreamName"] = "s";
    return Ask("GetLogEvents", request);
  }
  static std::string Messages(const Json& answer) {
    std::string joined;
    for (const Json& event : answer["events"]) joined += event["message"].get<std::string>() + " ";
    return joined;
  }
  static std::string Streams(const Json& answer) {
    std::string joined;
    for (const Json& stream : answer["logStreams"]) joined += stream["logStreamName"].get<std::string>() + " ";
    return joined;
  }

  std::filesystem::path directory_;
  std::unique_ptr<observe::FileLogStore> store_;
  std::unique_ptr<ThreadPool> pool_;
  std::unique_ptr<JsonService> service_;
};

TEST_F(LogsTest, GroupsAreListedByPrefixInPages) {
  for (const char* group : {"/aws/a", "/aws/b", "/other"}) Append("s", 0, "x", group);
  const Json all = Ask("DescribeLogGroups", Json::object());
  ASSERT_EQ(all["logGroups"].size(), 3u);
  EXPECT_FALSE(all.contains("nextToken"));
  EXPECT_EQ(all["logGroups"][0]["logGroupName"], "/aws/a");
  EXPECT_EQ(all["logGroups"][0]["arn"], "arn:aws:logs:us-east-1:000000000000:log-group:/aws/a:*");
  EXPECT_GT(all["logGroups"][0]["storedBytes"], 0);
  EXPECT_EQ(Ask("DescribeLogGroups", {{"logGroupNamePrefix", "/aws/"}})["logGroups"].size(), 2u);
  const Json first = Ask("DescribeLogGroups", {{"limit", 2}});
  EXPECT_EQ(first["logGroups"].size(), 2u);
  const Json second = Ask("DescribeLogGroups", {{"limit", 2}, {"nextToken", first["nextToken"]}});
  ASSERT_EQ(second["logGroups"].size(), 1u);
  EXPECT_EQ(second["logGroups"][0]["logGroupName"], "/other");
  EXPECT_FALSE(second.contains("nextToken"));
}

TEST_F(LogsTest, StreamsGiveATokenOnlyWhenStreamsRemain) {
  for (int i = 0; i < 5; ++i) Append("job/algo-" + std::to_string(i), 10 - i, "x");
  Append("other/algo-1", 0, "x");
  const Json request = {{"logGroupName", kGroup}, {"logStreamNamePrefix", "job/"}, {"orderBy", "LogStreamName"}};
  Json answer = Ask("DescribeLogStreams", request);
  EXPECT_EQ(Streams(answer), "job/algo-0 job/algo-1 job/algo-2 job/algo-3 job/algo-4 ");
  EXPECT_FALSE(answer.contains("nextToken"));
  EXPECT_EQ(answer["logStreams"][0]["firstEventTimestamp"], kStartMillis + 10);
  EXPECT_EQ(answer["logStreams"][0]["lastEventTimestamp"], kStartMillis + 10);

  Json page = request;
  page["limit"] = 5;  // as many as there are: nothing remains
  EXPECT_FALSE(Ask("DescribeLogStreams", page).contains("nextToken"));
  page["limit"] = 2;
  std::string all;
  int pages = 0;
  do {
    answer = Ask("DescribeLogStreams", page);
    all += Streams(answer);
    if (answer.contains("nextToken")) page["nextToken"] = answer["nextToken"];
    ++pages;
  } while (answer.contains("nextToken"));
  EXPECT_EQ(all, "job/algo-0 job/algo-1 job/algo-2 job/algo-3 job/algo-4 ");
  EXPECT_EQ(pages, 3);
}

TEST_F(LogsTest, StreamsCanBeOrderedByTheirLastEventAndBackward) {
  Append("a", 3, "x");
  Append("b", 1, "x");
  Append("c", 2, "x");
  EXPECT_EQ(Streams(Ask("DescribeLogStreams", {{"logGroupName", kGroup}, {"orderBy", "LastEventTime"}})), "b c a ");
  Json request = {{"logGroupName", kGroup}, {"orderBy", "LastEventTime"}, {"descending", true}, {"limit", 2}};
  const Json first = Ask("DescribeLogStreams", request);
  EXPECT_EQ(Streams(first), "a c ");
  request["nextToken"] = first["nextToken"];
  EXPECT_EQ(Streams(Ask("DescribeLogStreams", request)), "b ");
  EXPECT_EQ(Streams(Ask("DescribeLogStreams", {{"logGroupName", kGroup}, {"descending", true}})), "c b a ");
  Bad("DescribeLogStreams", {{"logGroupName", kGroup}, {"orderBy", "LastEventTime"}, {"logStreamNamePrefix", "a"}},
      "InvalidParameterException", "Cannot order by LastEventTime");
}

TEST_F(LogsTest, WhatIsNotThereIsResourceNotFound) {
  Bad("DescribeLogStreams", {{"logGroupName", kGroup}}, "ResourceNotFoundException", "log group does not exist");
  Bad("GetLogEvents", {{"logGroupName", kGroup}, {"logStreamName", "s"}}, "ResourceNotFoundException",
      "log group does not exist");
  Bad("FilterLogEvents", {{"logGroupName", kGroup}}, "ResourceNotFoundException", "log group does not exist");
  Append("t", 0, "x");
  Bad("GetLogEvents", {{"logGroupName", kGroup}, {"logStreamName", "s"}}, "ResourceNotFoundException",
      "log stream does not exist");
  Bad("FilterLogEvents", {{"logGroupName", kGroup}, {"logStreamNames", {"t", "s"}}}, "ResourceNotFoundException",
      "log stream does not exist");
  EXPECT_TRUE(
      Ask("DescribeLogStreams", {{"logGroupName", kGroup}, {"logStreamNamePrefix", "s"}})["logStreams"].empty());
}

TEST_F(LogsTest, ReadingFromTheHeadEndsInAnEmptyPageWithTheSameToken) {
  for (int i = 0; i < 5; ++i) Append("s", i, std::to_string(i));
  Json page = Get({{"startFromHead", true}, {"limit", 3}});
  EXPECT_EQ(Messages(page), "0 1 2 ");
  EXPECT_EQ(page["events"][1]["timestamp"], kStartMillis + 1);
  page = Get({{"startFromHead", true}, {"nextToken", page["nextForwardToken"]}});
  EXPECT_EQ(Messages(page), "3 4 ");
  const Json end = Get({{"startFromHead", true}, {"nextToken", page["nextForwardToken"]}});
  EXPECT_EQ(Messages(end), "");
  EXPECT_EQ(end["nextForwardToken"], page["nextForwardToken"]);
  Append("s", 9, "late");
  EXPECT_EQ(Messages(Get({{"startFromHead", true}, {"nextToken", end["nextForwardToken"]}})), "late ");
}

TEST_F(LogsTest, ReadingStartsAtTheTailUnlessAskedOtherwise) {
  for (int i = 0; i < 5; ++i) Append("s", i, std::to_string(i));
  Json page = Get({{"limit", 2}});
  EXPECT_EQ(Messages(page), "3 4 ");
  page = Get({{"limit", 2}, {"nextToken", page["nextBackwardToken"]}});
  EXPECT_EQ(Messages(page), "1 2 ");
  EXPECT_EQ(Messages(Get({{"limit", 2}, {"nextToken", page["nextForwardToken"]}})), "3 4 ");
  page = Get({{"limit", 2}, {"nextToken", page["nextBackwardToken"]}});
  EXPECT_EQ(Messages(page), "0 ");
  const Json head = Get({{"limit", 2}, {"nextToken", page["nextBackwardToken"]}});
  EXPECT_EQ(Messages(head), "");
  EXPECT_EQ(head["nextBackwardToken"], page["nextBackwardToken"]);
}

TEST_F(LogsTest, TimesBoundWhatIsRead) {
  for (int i = 0; i < 6; ++i) Append("s", i * 10, std::to_string(i));
  const int64_t t = kStartMillis;
  EXPECT_EQ(Messages(Get({{"startFromHead", true}, {"startTime", t + 20}, {"endTime", t + 40}})), "2 3 ");
  EXPECT_EQ(Messages(Get({{"startTime", t + 20}, {"endTime", t + 40}})), "2 3 ");
  EXPECT_EQ(Messages(Get({{"startTime", t + 41}})), "5 ");
  EXPECT_EQ(Messages(Get({{"startFromHead", true}, {"startTime", t + 1000}})), "");
  EXPECT_EQ(Messages(Get({{"endTime", t}})), "");
  // What is outside stays outside on the following pages.
  Json page = Get({{"startFromHead", true}, {"endTime", t + 30}, {"limit", 2}});
  EXPECT_EQ(Messages(page), "0 1 ");
  page = Get({{"startFromHead", true}, {"endTime", t + 30}, {"nextToken", page["nextForwardToken"]}});
  EXPECT_EQ(Messages(page), "2 ");
  const Json end = Get({{"startFromHead", true}, {"endTime", t + 30}, {"nextToken", page["nextForwardToken"]}});
  EXPECT_EQ(Messages(end), "");
  EXPECT_EQ(end["nextForwardToken"], page["nextForwardToken"]);
  page = Get({{"startTime", t + 30}, {"limit", 10}});
  EXPECT_EQ(Messages(Get({{"startTime", t + 30}, {"nextToken", page["nextBackwardToken"]}})), "");
}

TEST_F(LogsTest, PagesHoldAtMostAMegabyte) {
  for (int i = 0; i < 12; ++i) Append("s", i, std::string(200'000, static_cast<char>('a' + i)));
  size_t events = 0;
  Json page = Get({{"startFromHead", true}});
  while (!page["events"].empty()) {
    EXPECT_LE(page["events"].size(), 5u);
    events += page["events"].size();
    page = Get({{"startFromHead", true}, {"nextToken", page["nextForwardToken"]}});
  }
  EXPECT_EQ(events, 12u);
  EXPECT_EQ(Get(Json::object())["events"].size(), 5u);
}

TEST_F(LogsTest, BadTokensAndLimitsAreInvalidParameters) {
  Append("s", 0, "x");
  for (const char* token : {"x", "f/", "f/x", "f/3", "b/99999999999999999999999"}) {
    Bad("GetLogEvents", {{"logGroupName", kGroup}, {"logStreamName", "s"}, {"nextToken", token}},
        "InvalidParameterException", "nextToken is invalid");
  }
  for (const char* token : {"x", "m/1", "m/x/1", "m/18446744073709551615/1"}) {
    Bad("FilterLogEvents", {{"logGroupName", kGroup}, {"nextToken", token}}, "InvalidParameterException",
        "nextToken is invalid");
  }
  Bad("GetLogEvents", {{"logGroupName", kGroup}, {"logStreamName", "s"}, {"limit", 10001}}, "InvalidParameterException",
      "Member must have value less than or equal to 10000");
  Bad("GetLogEvents", {{"logStreamName", "s"}}, "InvalidParameterException", "logGroupName");
}

TEST_F(LogsTest, GroupsCanBeGivenByArn) {
  Append("s", 0, "x");
  EXPECT_EQ(Messages(Ask("GetLogEvents",
                         {{"logGroupIdentifier", "arn:aws:logs:us-east-1:000000000000:log-group:" + kGroup + ":*"},
                          {"logStreamName", "s"}})),
            "x ");
}

TEST_F(LogsTest, OfTwoWaysToNameGroupsOneIsGiven) {
  Append("s", 0, "x");
  for (const char* operation : {"DescribeLogStreams", "GetLogEvents", "FilterLogEvents"}) {
    Bad(operation, {{"logGroupName", kGroup}, {"logGroupIdentifier", kGroup}, {"logStreamName", "s"}},
        "InvalidParameterException", "not both");
  }
  Bad("DescribeLogGroups", {{"logGroupNamePrefix", "/aws"}, {"logGroupNamePattern", "aws"}},
      "InvalidParameterException", "not both");
}

TEST_F(LogsTest, FilterMergesStreamsByTime) {
  Append("a", 1, "a1");
  Append("b", 2, "b2");
  Append("a", 3, "a3");
  Append("c", 3, "c3");
  Append("b", 4, "b4");
  const Json all = Ask("FilterLogEvents", {{"logGroupName", kGroup}});
  EXPECT_EQ(Messages(all), "a1 b2 a3 c3 b4 ");
  EXPECT_FALSE(all.contains("nextToken"));
  EXPECT_EQ(all["events"][1]["logStreamName"], "b");
  std::set<std::string> ids;
  for (const Json& event : all["events"]) ids.insert(event["eventId"].get<std::string>());
  EXPECT_EQ(ids.size(), 5u);
  EXPECT_EQ(Messages(Ask("FilterLogEvents", {{"logGroupName", kGroup}, {"logStreamNames", {"c", "a"}}})), "a1 a3 c3 ");
  EXPECT_EQ(Messages(Ask("FilterLogEvents", {{"logGroupName", kGroup}, {"logStreamNamePrefix", "b"}})), "b2 b4 ");
  EXPECT_EQ(Messages(Ask("FilterLogEvents",
                         {{"logGroupName", kGroup}, {"startTime", kStartMillis + 2}, {"endTime", kStartMillis + 3}})),
            "b2 a3 c3 ");
  EXPECT_EQ(
      Messages(Ask("FilterLogEvents", {{"logGroupName", kGroup}, {"endTime", std::numeric_limits<int64_t>::max()}})),
      "a1 b2 a3 c3 b4 ");
  for (const int limit : {1, 2, 3}) {
    Json request = {{"logGroupName", kGroup}, {"limit", limit}};
    std::string paged;
    while (true) {
      const Json page = Ask("FilterLogEvents", request);
      paged += Messages(page);
      if (!page.contains("nextToken")) break;
      request["nextToken"] = page["nextToken"];
    }
    EXPECT_EQ(paged, "a1 b2 a3 c3 b4 ") << limit;
  }
}

TEST_F(LogsTest, FilterPagesThroughManyEventsOfOneInstant) {
  for (const char* stream : {"a", "b"}) {
    for (int i = 0; i < 10; ++i) Append(stream, 7, std::string(stream) + std::to_string(i));
  }
  Json request = {{"logGroupName", kGroup}, {"limit", 3}};
  std::string paged;
  while (true) {
    const Json page = Ask("FilterLogEvents", request);
    paged += Messages(page);
    if (!page.contains("nextToken")) break;
    request["nextToken"] = page["nextToken"];
  }
  EXPECT_EQ(paged, "a0 a1 a2 a3 a4 a5 a6 a7 a8 a9 b0 b1 b2 b3 b4 b5 b6 b7 b8 b9 ");
}

TEST_F(LogsTest, FilterPagesHoldAtMostAMegabyte) {
  for (int i = 0; i < 12; ++i) Append(i % 2 == 0 ? "a" : "b", i, std::string(200'000, static_cast<char>('a' + i)));
  Json request = {{"logGroupName", kGroup}};
  std::string firsts;
  while (true) {
    const Json page = Ask("FilterLogEvents", request);
    EXPECT_LE(page["events"].size(), 5u);
    for (const Json& event : page["events"]) firsts += event["message"].get<std::string>()[0];
    if (!page.contains("nextToken")) break;
    request["nextToken"] = page["nextToken"];
  }
  EXPECT_EQ(firsts, "abcdefghijkl");
}

TEST_F(LogsTest, FilterPatternsChooseEvents) {
  Append("s", 1, "ERROR disk full");
  Append("s", 2, "WARN disk slow");
  Append("s", 3, "INFO all well");
  const auto matching = [&](const std::string& pattern) {
    std::string joined;
    const Json answer = Ask("FilterLogEvents", {{"logGroupName", kGroup}, {"filterPattern", pattern}});
    for (const Json& event : answer["events"]) joined += event["message"].get<std::string>().substr(0, 1);
    return joined;
  };
  EXPECT_EQ(matching("disk"), "EW");
  EXPECT_EQ(matching("disk -slow"), "E");
  EXPECT_EQ(matching("?ERROR ?INFO"), "EI");
  Bad("FilterLogEvents", {{"logGroupName", kGroup}, {"filterPattern", "{ $.a = 1 }"}}, "InvalidParameterException",
      "JSON patterns");
}

struct PatternCase {
  const char* pattern;
  const char* message;
  bool matches;
};

TEST(FilterPattern, Language) {
  const PatternCase cases[] = {
      {"", "anything", true},
      {"   ", "anything", true},
      {"ERROR", "[ERROR] x", true},
      {"ERROR", "[error] x", false},
      {"a b", "b then a", true},
      {"a b", "only a", false},
      {"\"a b\"", "x a b y", true},
      {"\"a b\"", "a x b", false},
      {"\"say \\\"hi\\\"\"", "they say \"hi\"", true},
      {"\"back\\\\slash\"", "back\\slash", true},
      {"?x ?y", "y", true},
      {"?x ?y", "z", false},
      {"-x", "y", true},
      {"-x", "x", false},
      {"-\"a b\" c", "c a b", false},
      {"a ?b", "a", true},
      {"?b a", "b", false},
      {"?\"x y\"", "x y", true},
  };
  for (const PatternCase& c : cases) {
    const Result<FilterPattern> pattern = FilterPattern::Parse(c.pattern);
    ASSERT_TRUE(pattern.ok()) << c.pattern;
    EXPECT_EQ(pattern->Matches(c.message), c.matches) << c.pattern << " on " << c.message;
  }
}

TEST(FilterPattern, RefusesByName) {
  const std::pair<const char*, const char*> cases[] = {
      {"{ $.a = 1 }", "JSON"}, {"[a, b]", "columns"},       {"%a.*%", "regular expressions"}, {"\"open", "not closed"},
      {"? x", "empty term"},   {"a\"b\"", "within a term"}, {"\"a\"b", "right behind"},
  };
  for (const auto& [text, why] : cases) {
    const Result<FilterPattern> pattern = FilterPattern::Parse(text);
    ASSERT_FALSE(pattern.ok()) << text;
    EXPECT_NE(pattern.error().message().find(why), std::string::npos) << pattern.error().message();
  }
}

}  // namespace
}  // namespace argosy::api
