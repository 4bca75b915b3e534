#include "api/sagemaker/search_expression.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace argosy::api::sagemaker {
namespace {

Shape Record() {
  return Structure({
      Optional("Name", String()),
      Optional("Seconds", Integer()),
      Optional("Spot", Boolean()),
      Optional("CreationTime", Timestamp()),
      Optional("HyperParameters", Map(String(), String())),
      Optional("Environment", Map(String(), String())),
      Optional("ResourceConfig", Structure({Optional("InstanceType", String()), Optional("InstanceCount", Integer())})),
      Optional("Channels", List(Structure({Optional("ChannelName", String()),
                                           Optional("Source", Structure({Optional("Uri", String())}))}))),
      Optional("Subnets", List(String())),
      Optional("FinalMetricDataList", List(Structure({Optional("MetricName", String()), Optional("Value", Double())}))),
      Optional("Hook", Document()),
      Optional("Tags", List(Structure({Optional("Key", String()), Optional("Value", String())}))),
  });
}

Json Job() {
  return Json{
      {"Name", "job-a"},
      {"Seconds", 90},
      {"Spot", false},
      {"CreationTime", 1714567890.5},  // 2024-05-01T12:51:30.5
      {"HyperParameters", {{"epochs", "12"}, {"rate", "0.9"}, {"loss", "logistic"}, {"a.b", "x"}}},
      {"Environment", {{"HOME.DIR", "/root"}}},
      {"ResourceConfig", {{"InstanceType", "ml.m5.large"}, {"InstanceCount", 2}}},
      {"Channels", Json::array({{{"ChannelName", "train"}, {"Source", {{"Uri", "s3://b/cat"}}}},
                                {{"ChannelName", "test"}, {"Source", {{"Uri", "s3://b/dog"}}}}})},
      {"Subnets", {"s-1", "s-2"}},
      {"FinalMetricDataList", Json::array({{{"MetricName", "validation:rmse"}, {"Value", 0.25}}})},
      {"Hook", {{"Path", "p"}, {"Depth", 3}, {"On", true}}},
      {"Tags", Json::array({{{"Key", "team.eu"}, {"Value", "blue"}}})},
  };
}

Json Filter(const std::string& name, const std::string& op, const std::string& value = "") {
  Json filter = {{"Name", name}};
  if (!op.empty()) filter["Operator"] = op;
  if (!value.empty()) filter["Value"] = value;
  return filter;
}

// The message of the refusal, "yes" or "no".
std::string Outcome(const Json& expression) {
  const auto read = ReadSearchExpression(Record(), expression);
  if (const auto* error = std::get_if<ServiceError>(&read)) return error->message;
  return Matches(std::get<SearchExpression>(read), Job()) ? "yes" : "no";
}
std::string Outcome(const std::string& name, const std::string& op, const std::string& value = "") {
  return Outcome(Json{{"Filters", Json::array({Filter(name, op, value)})}});
}

struct Row {
  const char* name;
  const char* op;
  const char* value;
  const char* outcome;
};

TEST(SearchExpression, ComparesAsTheTypeOfThePropertyAsks) {
  for (const Row& row : std::vector<Row>{
           // text
           {"Name", "", "job-a", "yes"},
           {"Name", "Equals", "job-A", "no"},
           {"Name", "NotEquals", "job-b", "yes"},
           {"Name", "NotEquals", "job-a", "no"},
           {"Name", "Contains", "b-a", "yes"},
           {"Name", "Contains", "B-A", "no"},
           {"Name", "In", "x,job-a", "yes"},
           {"Name", "In", "x, job-a", "yes"},
           {"Name", "In", "x,job", "no"},
           {"ResourceConfig.InstanceType", "Equals", "ml.m5.large", "yes"},
           // numbers
           {"Seconds", "Equals", "90", "yes"},
           {"Seconds", "Equals", "9e1", "yes"},
           {"Seconds", "GreaterThan", "90", "no"},
           {"Seconds", "GreaterThan", "89.5", "yes"},
           {"Seconds", "GreaterThanOrEqualTo", "90", "yes"},
           {"Seconds", "LessThan", "90", "no"},
           {"Seconds", "LessThanOrEqualTo", "90", "yes"},
           {"ResourceConfig.InstanceCount", "NotEquals", "1", "yes"},
           // Booleans
           {"Spot", "Equals", "false", "yes"},
           {"Spot", "NotEquals", "true", "yes"},
           {"Spot", "Equals", "true", "no"},
           // times: UTC when nothing is said, by the second when no decimals are
           {"CreationTime", "Equals", "2024-05-01T12:51:30", "yes"},
           {"CreationTime", "GreaterThan", "2024-05-01T12:51:30", "no"},
           {"CreationTime", "GreaterThan", "2024-05-01T12:51:29", "yes"},
           {"CreationTime", "GreaterThan", "2024-05-01T12:51:30.4Z", "yes"},
           {"CreationTime", "LessThan", "2024-05-01T14:51:31+02:00", "yes"},
           {"CreationTime", "LessThanOrEqualTo", "2024-05-01T12:51:29", "no"},
           // lists: one of the elements
           {"Subnets", "Equals", "s-2", "yes"},
           {"Subnets", "Equals", "s-3", "no"},
           {"Subnets", "NotEquals", "s-2", "no"},
           {"Channels.ChannelName", "Equals", "test", "yes"},
           {"Channels.Source.Uri", "Contains", "/dog", "yes"},
           // hyperparameters: numbers where they are some; with an integer, as integers
           {"HyperParameters.epochs", "GreaterThan", "2", "yes"},
           {"HyperParameters.epochs", "Equals", "12", "yes"},
           {"HyperParameters.rate", "LessThan", "0.95", "yes"},
           {"HyperParameters.rate", "LessThan", "1", "yes"},
           {"HyperParameters.rate", "Equals", "0", "yes"},
           {"HyperParameters.rate", "Equals", "0.9", "yes"},
           {"HyperParameters.rate", "Equals", "0.0", "no"},
           {"HyperParameters.loss", "Equals", "logistic", "yes"},
           {"HyperParameters.loss", "Contains", "gist", "yes"},
           {"HyperParameters.loss", "GreaterThan", "1", "no"},
           {"HyperParameters.epochs", "In", "3,12", "yes"},
           {"HyperParameters.a.b", "Equals", "x", "yes"},
           // maps, tags and metrics: all that follows is the name
           {"Environment.HOME.DIR", "Equals", "/root", "yes"},
           {"Tags.team.eu", "Equals", "blue", "yes"},
           {"Tags.team.eu", "Contains", "lu", "yes"},
           {"Tags.team", "Equals", "blue", "no"},
           {"Metrics.validation:rmse", "LessThan", "0.3", "yes"},
           {"Metrics.validation:rmse", "LessThan", "0.25", "no"},
           {"Metrics.train:rmse", "LessThan", "1", "no"},
           {"FinalMetricDataList.MetricName", "Equals", "validation:rmse", "yes"},
           // what is not declared is taken for what it is
           {"Hook.Path", "Equals", "p", "yes"},
           {"Hook.Depth", "GreaterThan", "2", "yes"},
           {"Hook.On", "Equals", "true", "yes"},
           {"Hook.Path.Deeper", "Exists", "", "no"},
           // there or not
           {"Name", "Exists", "", "yes"},
           {"Name", "NotExists", "", "no"},
           {"HyperParameters", "Exists", "", "yes"},
           {"HyperParameters.k", "NotExists", "", "yes"},
           {"HyperParameters.k", "NotEquals", "1", "yes"},
           {"Tags.owner", "Exists", "", "no"},
           {"Channels", "Exists", "", "yes"},
           {"Metrics.train:rmse", "NotExists", "", "yes"},
       }) {
    EXPECT_EQ(Outcome(row.name, row.op, row.value), row.outcome) << row.name << " " << row.op << " " << row.value;
  }
}

TEST(SearchExpression, RefusesWhatCannotBeCompared) {
  for (const Row& row : std::vector<Row>{
           {"Nonsense", "Equals", "x", "'Nonsense' is no property of the resource"},
           {"Name.Deeper", "Exists", "", "'Name.Deeper' is no property"},
           {"Tags.", "Exists", "", "'Tags.' is no property"},
           {"Name.", "Exists", "", "'Name.' is no property"},
           {"Metrics.", "Exists", "", "'Metrics.' is no property"},
           {"Name", "Equals", "", "the operator Equals needs a Value"},
           {"Name", "GreaterThan", "a", "not supported for text properties"},
           {"Tags.team", "LessThan", "1", "not supported for text properties"},
           {"Spot", "LessThan", "1", "not supported for Booleans"},
           {"Spot", "Equals", "yes", "'yes' must be true or false"},
           {"Seconds", "Contains", "9", "supported for text properties only"},
           {"CreationTime", "In", "x", "supported for text properties only"},
           {"Seconds", "Equals", "many", "'many' must be an integer or a decimal number"},
           {"Seconds", "Equals", "nan", "'nan' must be an integer or a decimal number"},
           {"HyperParameters.epochs", "LessThan", "many", "'many' must be an integer or a decimal number"},
           {"CreationTime", "Equals", "yesterday", "must be a time such as 2024-05-01T12:34:56"},
           {"ResourceConfig", "Equals", "x", "only Exists and NotExists can be asked of it"},
       }) {
    EXPECT_NE(Outcome(row.name, row.op, row.value).find(row.outcome), std::string::npos)
        << row.name << " " << row.op << " " << row.value << ": " << Outcome(row.name, row.op, row.value);
  }
}

TEST(SearchExpression, JoinsItsConditions) {
  const Json yes = Filter("Name", "Equals", "job-a");
  const Json no = Filter("Name", "Equals", "job-b");
  EXPECT_EQ(Outcome(Json{{"Filters", {yes, yes}}}), "yes");
  EXPECT_EQ(Outcome(Json{{"Filters", {yes, no}}}), "no");
  EXPECT_EQ(Outcome(Json{{"Filters", {no, yes}}, {"Operator", "Or"}}), "yes");
  EXPECT_EQ(Outcome(Json{{"Filters", {no, no}}, {"Operator", "Or"}}), "no");
  const Json either = {{"Filters", {no, yes}}, {"Operator", "Or"}};
  const Json both = {{"Filters", {no, yes}}, {"Operator", "And"}};
  EXPECT_EQ(Outcome(Json{{"SubExpressions", Json::array({either})}}), "yes");
  EXPECT_EQ(Outcome(Json{{"SubExpressions", {either, both}}}), "no");
  EXPECT_EQ(Outcome(Json{{"SubExpressions", {either, both}}, {"Operator", "Or"}}), "yes");
  EXPECT_EQ(Outcome(Json{{"Filters", Json::array({yes})}, {"SubExpressions", Json::array({both})}}), "no");
}

TEST(SearchExpression, NestedFiltersHoldForOneElement) {
  const auto nested = [](const std::string& channel, const std::string& uri) {
    return Outcome(Json{{"NestedFilters", Json::array({{{"NestedPropertyName", "Channels"},
                                                        {"Filters",
                                                         {Filter("Channels.ChannelName", "Equals", channel),
                                                          Filter("Channels.Source.Uri", "Contains", uri)}}}})}});
  };
  EXPECT_EQ(nested("train", "cat"), "yes");
  EXPECT_EQ(nested("test", "dog"), "yes");
  EXPECT_EQ(nested("train", "dog"), "no");  // each is true of another element
  const auto refused = [](const std::string& list, const std::string& name) {
    return Outcome(Json{{"NestedFilters", Json::array({{{"NestedPropertyName", list},
                                                        {"Filters", Json::array({Filter(name, "Exists")})}}})}});
  };
  EXPECT_NE(refused("Subnets", "Subnets.a").find("'Subnets' is no list"), std::string::npos);
  EXPECT_NE(refused("ResourceConfig", "ResourceConfig.InstanceType").find("is no list"), std::string::npos);
  EXPECT_NE(refused("Channels", "Name").find("must begin with 'Channels.'"), std::string::npos);
}

TEST(SearchExpression, IsBounded) {
  EXPECT_NE(Outcome(Json::object()).find("needs at least one"), std::string::npos);
  const Json one = Filter("Name", "Exists");
  EXPECT_NE(Outcome(Json{{"Filters", Json::array({one})}, {"SubExpressions", Json::array({Json::object()})}})
                .find("needs at least one"),
            std::string::npos);
  // 2 subexpressions and 2 × 20 filters, 3 and 3 × 20.
  const Json twenty = {{"Filters", std::vector<Json>(20, one)}};
  EXPECT_EQ(Outcome(Json{{"SubExpressions", {twenty, twenty}}}), "yes");
  EXPECT_NE(Outcome(Json{{"SubExpressions", {twenty, twenty, twenty}}}).find("at most 50"), std::string::npos);
  Json deep = {{"Filters", Json::array({one})}};
  for (int i = 0; i < 48; ++i) deep = Json{{"SubExpressions", Json::array({deep})}};
  EXPECT_EQ(Outcome(deep), "yes");
  for (int i = 0; i < 8; ++i) deep = Json{{"SubExpressions", Json::array({deep})}};
  EXPECT_NE(Outcome(deep).find("at most 50"), std::string::npos);
  // The parts of subexpressions satisfy the same rules as those of the request.
  EXPECT_NE(Outcome(Json{{"SubExpressions", Json::array({{{"Filters", std::vector<Json>(21, one)}}})}})
                .find("less than or equal to 20"),
            std::string::npos);
  EXPECT_NE(Outcome(Json{{"SubExpressions", Json::array({"x"})}}), "yes");
}

TEST(SearchExpression, MayUseContainsOnce) {
  const Json contains = Filter("Name", "Contains", "job");
  const Json limit = {{"Filters", {contains, Filter("Tags.team.eu", "Contains", "b")}}};
  EXPECT_EQ(Outcome(limit), "'CONTAINS' operator usage limit of 1 exceeded.");
  const Json once = {{"Filters", Json::array({contains})}};
  EXPECT_EQ(Outcome(once), "yes");
  EXPECT_EQ(Outcome(Json{{"SubExpressions", {once, once}}}), "'CONTAINS' operator usage limit of 1 exceeded.");
}

}  // namespace
}  // namespace argosy::api::sagemaker
