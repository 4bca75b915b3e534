#include "api/cloudwatch/cloudwatch_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "api/cloudwatch/cbor.h"
#include "api/fake_exchange.h"
#include "base/json.h"

namespace argosy::api {
namespace {

using testing::HasSubstr;

constexpr int64_t kNow = 1'700'000'040;  // a whole minute

class MemoryMetrics final : public observe::MetricSink, public observe::MetricReader, public observe::MetricDirectory {
 public:
  void Record(const observe::MetricKey& key, Time at, const std::string& unit,
              const observe::Distribution& values) override {
    recorded[key].push_back({at, unit, values});
  }
  Result<std::vector<observe::MetricPeriod>> Read(const observe::MetricKey& key, Time, Time, Duration length) override {
    last_length = length;
    return recorded[key];
  }
  std::vector<observe::MetricKey> List(const observe::MetricFilter&, const std::optional<observe::MetricKey>&,
                                       size_t) override {
    std::vector<observe::MetricKey> keys;
    for (const auto& [key, values] : recorded) keys.push_back(key);
    return keys;
  }
  std::map<observe::MetricKey, std::vector<observe::MetricPeriod>> recorded;
  Duration last_length{};
};

class CloudWatchServiceTest : public testing::Test {
 protected:
  CloudWatchServiceTest()
      : service_(MakeCloudWatchService({&metrics_, &metrics_, &metrics_, nullptr, &pool_, &clock_, &random_},
                                       "us-east-1")) {}

  std::shared_ptr<FakeExchange> Ask(const std::string& target, FakeExchange::Headers headers, const std::string& body) {
    auto exchange = std::make_shared<FakeExchange>("POST", target, std::move(headers), body);
    service_->OnRequest(exchange, nullptr, kPrincipal, "request-7");
    exchange->Wait();
    return exchange;
  }
  std::shared_ptr<FakeExchange> AskJson(const std::string& operation, const std::string& body) {
    return Ask("/", {{"X-Amz-Target", "GraniteServiceVersion20100801." + operation}}, body);
  }
  std::shared_ptr<FakeExchange> AskForm(const std::string& body) {
    return Ask("/", {{"Content-Type", "application/x-www-form-urlencoded"}}, body);
  }
  std::shared_ptr<FakeExchange> AskCbor(const std::string& operation, const Json& input) {
    return Ask("/service/GraniteServiceVersion20100801/operation/" + operation, {{"smithy-protocol", "rpc-v2-cbor"}},
               cloudwatch::CborOfJson(input));
  }

  MemoryMetrics metrics_;
  ManualClock clock_{FromUnixSeconds(kNow)};
  SeededRandom random_{1};
  ThreadPool pool_{"test", 1, 16};
  std::unique_ptr<Service> service_;
};

TEST_F(CloudWatchServiceTest, ValuesComeInAllThreeEncodings) {
  const Json input = Json::parse(R"({"Namespace":"n","MetricData":[{"MetricName":"m","Value":2.5,"Unit":"Count"}]})");
  EXPECT_EQ(AskJson("PutMetricData", input.dump())->Wait().status, 200);
  EXPECT_EQ(AskForm("Action=PutMetricData&Namespace=n&MetricData.member.1.MetricName=m&MetricData.member.1.Value=2.5"
                    "&MetricData.member.1.Unit=Count")
                ->Wait()
                .status,
            200);
  EXPECT_EQ(AskCbor("PutMetricData", input)->Wait().status, 200);
  ASSERT_EQ(metrics_.recorded.size(), 1U);
  for (const observe::MetricPeriod& value : metrics_.recorded.begin()->second) {
    EXPECT_EQ(value.values.sum(), 2.5);
    EXPECT_EQ(value.unit, "Count");
    EXPECT_EQ(value.start, FromUnixSeconds(kNow));
  }
  EXPECT_EQ(metrics_.recorded.begin()->second.size(), 3U);
}

TEST_F(CloudWatchServiceTest, AnswersComeInTheEncodingOfTheRequest) {
  const Json request = Json::parse(R"({"Namespace":"n","MetricName":"m","StartTime":1699999980,"EndTime":1700000100,)"
                                   R"("Period":60,"Statistics":["Sum"]})");
  observe::Distribution values;
  values.Add(1.5, 2);
  metrics_.Record({"n", "m", {}}, FromUnixSeconds(kNow), "None", values);
  const Json expected =
      Json::parse(R"({"Label":"m","Datapoints":[{"Timestamp":1700000040.0,"Unit":"None","Sum":3.0}]})");

  auto json = AskJson("GetMetricStatistics", request.dump());
  EXPECT_EQ(HeaderOf(json->Wait(), "content-type"), "application/x-amz-json-1.0");
  EXPECT_EQ(Json::parse(BodyOf(json->Wait())), expected);
  EXPECT_EQ(metrics_.last_length, std::chrono::seconds(60));

  auto cbor = AskCbor("GetMetricStatistics", request);
  EXPECT_EQ(HeaderOf(cbor->Wait(), "content-type"), "application/cbor");
  EXPECT_EQ(HeaderOf(cbor->Wait(), "smithy-protocol"), "rpc-v2-cbor");
  EXPECT_EQ(*cloudwatch::JsonOfCbor(BodyOf(cbor->Wait())), expected);

  auto form = AskForm(
      "Action=GetMetricStatistics&Namespace=n&MetricName=m&StartTime=2023-11-14T22:13:00Z&EndTime=2023-11-14T22:15:00Z"
      "&Period=60&Statistics.member.1=Sum");
  EXPECT_EQ(BodyOf(form->Wait()),
            "<GetMetricStatisticsResponse xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/\">"
            "<GetMetricStatisticsResult><Datapoints><member><Sum>3.0</Sum>"
            "<Timestamp>2023-11-14T22:14:00.000Z</Timestamp><Unit>None</Unit></member></Datapoints><Label>m</Label>"
            "</GetMetricStatisticsResult><ResponseMetadata><RequestId>request-7</RequestId></ResponseMetadata>"
            "</GetMetricStatisticsResponse>\n");
}

TEST_F(CloudWatchServiceTest, ErrorsNameTheShapeAndTheCodeOfTheQueryProtocol) {
  const std::string body = R"({"Namespace":"AWS/x","MetricData":[{"MetricName":"m","Value":1}]})";
  auto json = AskJson("PutMetricData", body);
  EXPECT_EQ(json->Wait().status, 400);
  EXPECT_EQ(HeaderOf(json->Wait(), "x-amzn-query-error"), "InvalidParameterValue;Sender");
  EXPECT_EQ(Json::parse(BodyOf(json->Wait()))["__type"], "InvalidParameterValueException");

  auto cbor = AskCbor("PutMetricData", Json::parse(body));
  EXPECT_EQ(HeaderOf(cbor->Wait(), "x-amzn-query-error"), "InvalidParameterValue;Sender");
  EXPECT_EQ((*cloudwatch::JsonOfCbor(BodyOf(cbor->Wait())))["__type"], "InvalidParameterValueException");

  auto form = AskForm("Action=PutMetricData&Namespace=AWS/x");
  EXPECT_THAT(BodyOf(form->Wait()), HasSubstr("<Code>InvalidParameterValue</Code>"));
  EXPECT_TRUE(metrics_.recorded.empty());
}

TEST_F(CloudWatchServiceTest, NamespacesOfWhatIsMeasuredHereTakeNoValues) {
  for (const char* own : {"AWS/SageMaker", "/aws/sagemaker/Endpoints", "/aws/sagemaker/TrainingJobs"}) {
    const Json input = {{"Namespace", own}, {"MetricData", Json::array({{{"MetricName", "m"}, {"Value", 1}}})}};
    const auto answer = AskJson("PutMetricData", input.dump());
    EXPECT_EQ(answer->Wait().status, 400) << own;
    EXPECT_THAT(BodyOf(answer->Wait()), HasSubstr("hold what Argosy itself measures"));
  }
  EXPECT_TRUE(metrics_.recorded.empty());
  const char* const near = R"({"Namespace":"/aws/sagemakers","MetricData":[{"MetricName":"m","Value":1}]})";
  EXPECT_EQ(AskJson("PutMetricData", near)->Wait().status, 200);
}

TEST_F(CloudWatchServiceTest, WhatIsNotThereIsRefusedByName) {
  EXPECT_THAT(BodyOf(AskJson("PutDashboard", "{}")->Wait()), HasSubstr("PutDashboard"));
  EXPECT_THAT(BodyOf(AskForm("Action=PutDashboard")->Wait()), HasSubstr("PutDashboard"));
  EXPECT_THAT(BodyOf(AskCbor("PutDashboard", Json::object())->Wait()), HasSubstr("PutDashboard"));
  EXPECT_THAT(BodyOf(AskForm("Version=2010-08-01")->Wait()), HasSubstr("MissingAction"));
  EXPECT_THAT(BodyOf(AskJson("GetMetricData", R"({"StartTime":1,"EndTime":2,"MetricDataQueries":)"
                                              R"([{"Id":"e","Expression":"m1*2"}]})")
                         ->Wait()),
              HasSubstr("metric math"));
}

TEST_F(CloudWatchServiceTest, AnAlarmsMetricsAreOnePlainMetric) {
  const Json one =
      Json::parse(R"({"Id":"a","MetricStat":{"Metric":{"Namespace":"n","MetricName":"m"},"Period":60,"Stat":"p99"}})");
  const auto refused = [this](const Json& metrics, const Json& more = Json::object()) {
    Json input = {{"AlarmName", "a"},
                  {"EvaluationPeriods", 1},
                  {"Threshold", 1},
                  {"ComparisonOperator", "GreaterThanThreshold"},
                  {"Metrics", metrics}};
    input.update(more);
    return BodyOf(AskJson("PutMetricAlarm", input.dump())->Wait());
  };
  EXPECT_THAT(refused(Json::array({one, one})), HasSubstr("Metrics must be one MetricStat"));
  EXPECT_THAT(refused(Json::array()), HasSubstr("Metrics must be one MetricStat"));
  EXPECT_THAT(refused(Json::array({{{"Id", "a"}}})), HasSubstr("Metrics must be one MetricStat"));
  EXPECT_THAT(refused(Json::array({{{"Id", "a"}, {"Expression", "m1*2"}}})), HasSubstr("metric math"));
  EXPECT_THAT(refused(Json::array({one}), {{"Period", 60}}), HasSubstr("Metrics and Period are mutually exclusive"));
  Json hidden = one;
  hidden["ReturnData"] = false;
  EXPECT_THAT(refused(Json::array({hidden})), HasSubstr("ReturnData"));
  Json odd = one;
  odd["MetricStat"]["Period"] = 15;
  EXPECT_THAT(refused(Json::array({odd})), HasSubstr("The value 15 for Period is invalid"));
}

TEST_F(CloudWatchServiceTest, BodiesThatAreNotWhatTheySayAreRefused) {
  auto compressed =
      Ask("/", {{"X-Amz-Target", "GraniteServiceVersion20100801.PutMetricData"}, {"Content-Encoding", "br"}}, "{}");
  EXPECT_EQ(compressed->Wait().status, 400);
  EXPECT_THAT(BodyOf(compressed->Wait()), HasSubstr("'br' is not supported"));
  auto cbor = Ask("/service/GraniteServiceVersion20100801/operation/ListMetrics", {}, "\xff");
  EXPECT_EQ(cbor->Wait().status, 400);
  EXPECT_THAT(BodyOf(cbor->Wait()), HasSubstr("SerializationException"));
  EXPECT_THAT(BodyOf(AskForm("Action=%zz")->Wait()), HasSubstr("MalformedQueryString"));
}

}  // namespace
}  // namespace argosy::api
