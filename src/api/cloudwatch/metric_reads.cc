// GetMetricStatistics, GetMetricData, ListMetrics: what the store has.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "api/cloudwatch/families.h"
#include "base/bytes.h"
#include "catalog/json_fields.h"

namespace argosy::api::cloudwatch {
namespace {

using catalog::ArrayField;
using catalog::IntField;
using catalog::ObjectField;
using catalog::TextField;
using observe::MetricPeriod;

constexpr int64_t kStatisticsPointsMax = 1440;  // of GetMetricStatistics; the service's
constexpr size_t kQueriesMax = 500;             // of GetMetricData; the service's
constexpr int64_t kDataPointsMax = 100'800;     // of a page of GetMetricData; the service's
constexpr size_t kMetricsListed = 500;          // of a page of ListMetrics; the service's
// Minutes that one page of GetMetricData looks at before it answers with what it has and a token to go on with.
constexpr int64_t kMinutesReadMax = 200'000;
constexpr auto kRecent = std::chrono::hours(3);  // RecentlyActive=PT3H

Json SecondsJson(Time time) {
  return ToUnixSeconds(time);
}

struct Range {
  Time begin;
  Time end;
};

std::variant<Range, ServiceError> RangeOf(const Json& input) {
  const Range range{TimeOf(input, "StartTime"), TimeOf(input, "EndTime")};
  if (range.begin < range.end) return range;
  return InvalidValue("The parameter StartTime must be less than the parameter EndTime.");
}

// Those of one unit, or all of a start put together: a page of GetMetricData has one value for each start.
std::vector<MetricPeriod> OfUnit(std::vector<MetricPeriod> periods, const std::string& unit) {
  if (!unit.empty()) {
    std::erase_if(periods, [&](const MetricPeriod& period) { return period.unit != unit; });
    return periods;
  }
  std::vector<MetricPeriod> out;
  for (MetricPeriod& period : periods) {
    if (!out.empty() && out.back().start == period.start) {
      out.back().values.Merge(period.values);
    } else {
      out.push_back(std::move(period));
    }
  }
  return out;
}

struct NamedStatistic {
  std::string name;
  observe::Statistic statistic;
};

std::variant<std::vector<NamedStatistic>, ServiceError> StatisticsOf(const Json& input, const char* member) {
  std::vector<NamedStatistic> out;
  for (const Json& name : ArrayField(input, member)) {
    auto statistic = StatisticOf(name.get<std::string>());
    if (auto* error = std::get_if<ServiceError>(&statistic)) return std::move(*error);
    out.push_back({name.get<std::string>(), std::get<observe::Statistic>(statistic)});
  }
  return out;
}

Answer Statistics(const Context& context, const Json& input) {
  auto key = KeyOf(input, "");
  if (auto* error = std::get_if<ServiceError>(&key)) return std::move(*error);
  const auto range = RangeOf(input);
  if (const auto* error = std::get_if<ServiceError>(&range)) return *error;
  const auto& [begin, end] = std::get<Range>(range);
  const int64_t period = IntField(input, "Period");
  if (auto error = CheckPeriod(period, "Period")) return std::move(*error);
  auto plain = StatisticsOf(input, "Statistics");
  if (auto* error = std::get_if<ServiceError>(&plain)) return std::move(*error);
  auto extended = StatisticsOf(input, "ExtendedStatistics");
  if (auto* error = std::get_if<ServiceError>(&extended)) return std::move(*error);
  const auto& statistics = std::get<std::vector<NamedStatistic>>(plain);
  const auto& percentiles = std::get<std::vector<NamedStatistic>>(extended);
  if (statistics.empty() == percentiles.empty()) {
    return InvalidCombination("Exactly one of the parameters Statistics and ExtendedStatistics must be specified.");
  }
  const int64_t points = (end - begin) / std::chrono::seconds(period);
  if (points > kStatisticsPointsMax) {
    return InvalidCombination("You have requested up to " + std::to_string(points) +
                              " datapoints, which exceeds the limit of " + std::to_string(kStatisticsPointsMax) +
                              ". You may reduce the datapoints requested by increasing Period, or decreasing the time "
                              "range.");
  }
  const auto& metric = std::get<observe::MetricKey>(key);
  Result<std::vector<MetricPeriod>> read = context.deps.reader->Read(metric, begin, end, std::chrono::seconds(period));
  if (!read.ok()) return FromError(read.error());
  const std::string unit = TextField(input, "Unit");
  Json datapoints = Json::array();
  for (const MetricPeriod& one : *read) {
    if (!unit.empty() && one.unit != unit) continue;
    Json datapoint = {{"Timestamp", SecondsJson(one.start)}, {"Unit", one.unit}};
    for (const NamedStatistic& wanted : statistics) datapoint[wanted.name] = wanted.statistic.Of(one.values);
    for (const NamedStatistic& wanted : percentiles) {
      datapoint["ExtendedStatistics"][wanted.name] = wanted.statistic.Of(one.values);
    }
    datapoints.push_back(std::move(datapoint));
  }
  return DumpJson(Json{{"Label", metric.name}, {"Datapoints", std::move(datapoints)}});
}

// One MetricDataQuery that asks for a metric.
struct DataQuery {
  std::string id;
  std::string label;
  observe::MetricKey key;
  int64_t period = 60;
  observe::Statistic statistic;
  std::string unit;
  bool wanted = true;
};

bool IsQueryId(std::string_view id) {
  return !id.empty() && id.front() >= 'a' && id.front() <= 'z' && std::all_of(id.begin(), id.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  });
}

std::variant<DataQuery, ServiceError> ReadQuery(const Json& json) {
  const std::string id = TextField(json, "Id");
  if (!IsQueryId(id)) {
    return InvalidValue("The value '" + id +
                        "' for parameter Id is invalid: it must begin with a lower-case letter "
                        "and have letters, digits and '_' only.");
  }
  const Json& stat = ObjectField(json, "MetricStat");
  if (stat.empty()) return Refusal("The query '" + id + "' must have a MetricStat.");
  auto key = KeyOf(ObjectField(stat, "Metric"), "MetricStat.Metric.");
  if (auto* error = std::get_if<ServiceError>(&key)) return std::move(*error);
  if (std::get<observe::MetricKey>(key).name_space.empty() || std::get<observe::MetricKey>(key).name.empty()) {
    return Refusal("The Metric of the query '" + id + "' must have a Namespace and a MetricName.");
  }
  auto statistic = StatisticOf(TextField(stat, "Stat"));
  if (auto* error = std::get_if<ServiceError>(&statistic)) return std::move(*error);
  const int64_t period = IntField(stat, "Period");
  if (auto error = CheckPeriod(period, "Period")) return std::move(*error);
  const auto wanted = json.find("ReturnData");
  const std::string label = TextField(json, "Label");
  const auto& metric = std::get<observe::MetricKey>(key);
  return DataQuery{.id = id,
                   .label = label.empty() ? metric.name : label,
                   .key = metric,
                   .period = period,
                   .statistic = std::get<observe::Statistic>(statistic),
                   .unit = TextField(stat, "Unit"),
                   .wanted = wanted == json.end() || !wanted->is_boolean() || wanted->get<bool>()};
}

std::variant<std::vector<DataQuery>, ServiceError> ReadQueries(const Json& input) {
  const Json& list = ArrayField(input, "MetricDataQueries");
  if (list.empty() || list.size() > kQueriesMax) {
    return Refusal("The collection MetricDataQueries must have 1 to " + std::to_string(kQueriesMax) +
                   " queries; it has " + std::to_string(list.size()) + ".");
  }
  std::vector<DataQuery> out;
  std::set<std::string> ids;
  for (const Json& json : list) {
    auto query = ReadQuery(json);
    if (auto* error = std::get_if<ServiceError>(&query)) return std::move(*error);
    if (!ids.insert(std::get<DataQuery>(query).id).second) {
      return Refusal("The values for parameter Id must be unique: '" + std::get<DataQuery>(query).id +
                     "' is given twice.");
    }
    if (std::get<DataQuery>(query).wanted) out.push_back(std::move(std::get<DataQuery>(query)));
  }
  if (out.empty()) return Refusal("At least one query must have ReturnData true.");
  return out;
}

// Where a page of GetMetricData begins: which query, and after which of its datapoints.
struct DataPlace {
  size_t query = 0;
  std::optional<int64_t> after;  // milliseconds
};

std::optional<DataPlace> DataPlaceOf(const std::string& token) {
  if (token.empty()) return DataPlace();
  const std::optional<std::string> text = PlaceOf("d", token);
  if (!text) return std::nullopt;
  const size_t mark = text->find(' ');
  const std::optional<int64_t> query = ParseInt(std::string_view(*text).substr(0, mark));
  if (!query || *query < 0) return std::nullopt;
  DataPlace place{static_cast<size_t>(*query), std::nullopt};
  if (mark == std::string::npos) return place;
  place.after = ParseInt(std::string_view(*text).substr(mark + 1));
  if (!place.after) return std::nullopt;
  return place;
}

std::string DataToken(size_t query, std::optional<int64_t> after) {
  return TokenOf("d", std::to_string(query) + (after ? " " + std::to_string(*after) : ""));
}

// Takes up to `room` datapoints; whether there were more.
bool AppendDatapoints(const DataQuery& query, std::vector<MetricPeriod> periods, bool descending,
                      const std::optional<int64_t>& after, size_t room, Json& result) {
  if (descending) std::reverse(periods.begin(), periods.end());
  Json& timestamps = result["Timestamps"] = Json::array();
  Json& values = result["Values"] = Json::array();
  for (const MetricPeriod& period : periods) {
    const int64_t at = ToUnixMillis(period.start);
    if (after && (descending ? at >= *after : at <= *after)) continue;
    if (timestamps.size() == room) return true;
    timestamps.push_back(SecondsJson(period.start));
    values.push_back(query.statistic.Of(period.values));
  }
  return false;
}

int64_t MinutesToRead(const Range& range) {
  constexpr auto kKept = std::chrono::hours(24 * 15);
  return std::min<Duration>(range.end - range.begin, kKept) / std::chrono::minutes(1) + 1;
}

Answer Data(const Context& context, const Json& input) {
  // Whatever is wrong with a parameter: GetMetricData has one code for it, other than GetMetricStatistics.
  auto read_queries = ReadQueries(input);
  if (const auto* error = std::get_if<ServiceError>(&read_queries)) return Refusal(error->message);
  const auto& queries = std::get<std::vector<DataQuery>>(read_queries);
  const auto range = RangeOf(input);
  if (const auto* error = std::get_if<ServiceError>(&range)) return Refusal(error->message);
  const auto& [begin, end] = std::get<Range>(range);
  const std::optional<DataPlace> place = DataPlaceOf(TextField(input, "NextToken"));
  if (!place) return ServiceError{400, "InvalidNextToken", "The token given is invalid."};
  const bool descending = TextField(input, "ScanBy") != "TimestampAscending";
  auto room = static_cast<size_t>(IntField(input, "MaxDatapoints", kDataPointsMax));
  int64_t minutes_left = kMinutesReadMax;
  Json results = Json::array();
  std::string token;
  for (size_t i = place->query; i < queries.size(); ++i) {
    if (room == 0 || minutes_left < 0) {
      token = DataToken(i, std::nullopt);
      break;
    }
    const DataQuery& query = queries[i];
    const std::optional<int64_t> after = i == place->query ? place->after : std::nullopt;
    minutes_left -= MinutesToRead(std::get<Range>(range));
    Result<std::vector<MetricPeriod>> read =
        context.deps.reader->Read(query.key, begin, end, std::chrono::seconds(query.period));
    if (!read.ok()) return FromError(read.error());
    Json result = {{"Id", query.id}, {"Label", query.label}};
    const bool more = AppendDatapoints(query, OfUnit(std::move(*read), query.unit), descending, after, room, result);
    result["StatusCode"] = more ? "PartialData" : "Complete";
    const Json& timestamps = result["Timestamps"];
    room -= timestamps.size();
    if (more) token = DataToken(i, static_cast<int64_t>(timestamps.back().get<double>() * 1000));
    results.push_back(std::move(result));
    if (more) break;
  }
  Json answer = {{"MetricDataResults", std::move(results)}, {"Messages", Json::array()}};
  if (!token.empty()) answer["NextToken"] = token;
  return DumpJson(answer);
}

Json DimensionsJson(const observe::MetricKey& key) {
  Json out = Json::array();
  for (const auto& [name, value] : key.dimensions) out.push_back({{"Name", name}, {"Value", value}});
  return out;
}

// A key as text, for tokens.
std::string KeyText(const observe::MetricKey& key) {
  return DumpJson(Json{key.name_space, key.name, key.dimensions});
}

std::optional<observe::MetricKey> KeyOfText(const std::string& text) {
  const Result<Json> json = ParseJson(text);
  if (!json.ok() || !json->is_array() || json->size() != 3) return std::nullopt;
  const Json& list = *json;
  if (!list[0].is_string() || !list[1].is_string() || !list[2].is_object()) return std::nullopt;
  observe::MetricKey key{list[0].get<std::string>(), list[1].get<std::string>(), {}};
  for (const auto& [name, value] : list[2].items()) {
    if (!value.is_string()) return std::nullopt;
    key.dimensions[name] = value.get<std::string>();
  }
  return key;
}

Answer List(const Context& context, const Json& input) {
  observe::MetricFilter filter{.name_space = TextField(input, "Namespace"), .name = TextField(input, "MetricName")};
  for (const Json& dimension : ArrayField(input, "Dimensions")) {
    std::optional<std::string> value;
    if (dimension.contains("Value") && dimension["Value"].is_string()) value = dimension["Value"].get<std::string>();
    filter.dimensions.emplace_back(TextField(dimension, "Name"), std::move(value));
  }
  if (!TextField(input, "RecentlyActive").empty()) filter.active_since = context.Now() - kRecent;
  std::optional<observe::MetricKey> after;
  if (const std::string token = TextField(input, "NextToken"); !token.empty()) {
    const std::optional<std::string> place = PlaceOf("m", token);
    if (place) after = KeyOfText(*place);
    if (!after) return InvalidValue("The value for parameter NextToken is invalid: it is no token of ListMetrics.");
  }
  // One more than a page: whether there is another.
  std::vector<observe::MetricKey> keys = context.deps.directory->List(filter, after, kMetricsListed + 1);
  const bool more = keys.size() > kMetricsListed;
  if (more) keys.pop_back();
  Json metrics = Json::array();
  for (const observe::MetricKey& key : keys) {
    metrics.push_back({{"Namespace", key.name_space}, {"MetricName", key.name}, {"Dimensions", DimensionsJson(key)}});
  }
  Json answer = {{"Metrics", std::move(metrics)}};
  if (more) answer["NextToken"] = TokenOf("m", KeyText(keys.back()));
  return DumpJson(answer);
}

}  // namespace

Operation GetMetricStatistics(std::shared_ptr<const Context> context) {
  return {.name = "GetMetricStatistics",
          .summary = "A metric's statistics by periods of 1, 5, 10, 30 or any multiple of 60 seconds.",
          .access = auth::Access::kRead,
          .input = Structure({
              Required("Namespace", NamespaceShape()),
              Required("MetricName", MetricNameShape()),
              Optional("Dimensions", DimensionsShape()),
              Required("StartTime", Timestamp()),
              Required("EndTime", Timestamp()),
              Required("Period", Integer().AtLeast(1)),
              Optional("Statistics", api::List(StatisticShape()).Length(1, 5)),
              Optional("ExtendedStatistics", api::List(String()).Length(1, 10)),
              Optional("Unit", UnitShape()),
          }),
          .handle = [context](const Call& call, Reply reply) { reply(Statistics(*context, call.input)); }};
}

Operation GetMetricData(std::shared_ptr<const Context> context) {
  return {.name = "GetMetricData",
          .summary = "Values of up to 500 metrics by periods, in pages. Without a unit, values of all units are one.",
          .access = auth::Access::kRead,
          .input = Structure({
              Required("MetricDataQueries", api::List(MetricDataQueryShape())),
              Required("StartTime", Timestamp()),
              Required("EndTime", Timestamp()),
              Optional("NextToken", TokenShape()),
              Optional("ScanBy", Enum({"TimestampDescending", "TimestampAscending"})),
              Optional("MaxDatapoints", Integer().Range(1, kDataPointsMax)),
              Optional("LabelOptions", Document()).Echoed(),
          }),
          .handle = [context](const Call& call, Reply reply) { reply(Data(*context, call.input)); }};
}

Operation ListMetrics(std::shared_ptr<const Context> context) {
  const Shape dimension = Structure({
      Required("Name", String().Length(1, 255)),
      Optional("Value", String().Length(1, 1024)),
  });
  return {.name = "ListMetrics",
          .summary = "The metrics that have values of the last 15 days, in pages of 500.",
          .access = auth::Access::kRead,
          .input = Structure({
              Optional("Namespace", NamespaceShape()),
              Optional("MetricName", MetricNameShape()),
              Optional("Dimensions", api::List(dimension).AtMost(10)),
              Optional("NextToken", TokenShape()),
              Optional("RecentlyActive", Enum({"PT3H"})),
              Optional("IncludeLinkedAccounts", Boolean()).Echoed(),
              Optional("OwningAccount", String().Length(1, 255)).Refused("metrics of other accounts"),
          }),
          .handle = [context](const Call& call, Reply reply) { reply(List(*context, call.input)); }};
}

}  // namespace argosy::api::cloudwatch
