// DescribeAlarms, DescribeAlarmsForMetric, DescribeAlarmHistory.
#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <utility>

#include "api/cloudwatch/alarm_json.h"
#include "api/cloudwatch/families.h"
#include "base/bytes.h"
#include "catalog/json_fields.h"
#include "catalog/visit.h"

namespace argosy::api::cloudwatch {
namespace {

using catalog::ArrayField;
using catalog::IntField;
using catalog::TextField;

constexpr int64_t kAlarmsListedDefault = 50;  // of a page; the service's
constexpr int64_t kHistoryListedDefault = 100;
constexpr size_t kCatalogPage = 1000;

catalog::Query AllAlarms() {
  catalog::Query query;
  query.kind = catalog::Kind::kAlarm;
  query.sort_by = catalog::SortBy::kName;
  query.order = catalog::SortOrder::kAscending;
  query.max_results = kCatalogPage;
  return query;
}

bool HasType(const Json& input, std::string_view type) {
  const Json& types = ArrayField(input, "AlarmTypes");
  return types.empty() || std::any_of(types.begin(), types.end(), [&](const Json& one) { return one == type; });
}

// Whether one of the alarm's actions begins so.
bool HasAction(const catalog::Resource& resource, const std::string& prefix) {
  if (prefix.empty()) return true;
  const Result<catalog::AlarmSpec> spec = catalog::AlarmSpec::FromRequestJson(resource.spec);
  if (!spec.ok()) return false;
  for (const auto* actions : {&spec->ok_actions, &spec->alarm_actions, &spec->insufficient_data_actions}) {
    for (const std::string& action : *actions) {
      if (action.starts_with(prefix)) return true;
    }
  }
  return false;
}

Answer DescribeNamed(const Context& context, const Json& input) {
  Json alarms = Json::array();
  for (const Json& name : ArrayField(input, "AlarmNames")) {
    const Result<catalog::Resource> resource =
        context.deps.catalog->Get(catalog::Kind::kAlarm, name.get<std::string>());
    if (!resource.ok()) {
      if (resource.error().code() == ErrorCode::kNotFound) continue;
      return FromError(resource.error());
    }
    const std::string state = TextField(input, "StateValue");
    if ((!state.empty() && resource->status != state) || !HasAction(*resource, TextField(input, "ActionPrefix"))) {
      continue;
    }
    Result<Json> json = AlarmJson(context, *resource);
    if (!json.ok()) return FromError(json.error());
    alarms.push_back(std::move(*json));
  }
  return DumpJson(Json{{"CompositeAlarms", Json::array()}, {"MetricAlarms", std::move(alarms)}});
}

Answer DescribeAll(const Context& context, const Json& input) {
  const std::string prefix = TextField(input, "AlarmNamePrefix");
  const std::string action_prefix = TextField(input, "ActionPrefix");
  const auto room = static_cast<size_t>(IntField(input, "MaxRecords", kAlarmsListedDefault));
  catalog::Query query = AllAlarms();
  query.name_contains = prefix;
  query.status = TextField(input, "StateValue");
  if (const std::string token = TextField(input, "NextToken"); !token.empty()) {
    const std::optional<std::string> place = PlaceOf("a", token);
    if (!place) return ServiceError{400, "InvalidNextToken", "The token given is invalid."};
    query.page_token = *place;
  }
  Json alarms = Json::array();
  // A page may hold alarms that are left out: another is taken, of what is still wanted.
  do {
    query.max_results = room - alarms.size();
    const Result<catalog::Page> page = context.deps.catalog->List(query);
    if (!page.ok()) {
      if (page.error().code() != ErrorCode::kInvalidArgument) return FromError(page.error());
      return ServiceError{400, "InvalidNextToken", "The token given is invalid."};
    }
    for (const catalog::Resource& resource : page->resources) {
      if (!resource.name.starts_with(prefix) || !HasAction(resource, action_prefix)) continue;
      Result<Json> json = AlarmJson(context, resource);
      if (!json.ok()) return FromError(json.error());
      alarms.push_back(std::move(*json));
    }
    query.page_token = page->next_token;
  } while (alarms.size() < room && !query.page_token.empty());
  Json answer = {{"CompositeAlarms", Json::array()}, {"MetricAlarms", std::move(alarms)}};
  if (!query.page_token.empty()) answer["NextToken"] = TokenOf("a", query.page_token);
  return DumpJson(answer);
}

Answer Describe(const Context& context, const Json& input) {
  if (!HasType(input, "MetricAlarm")) {
    return DumpJson(Json{{"CompositeAlarms", Json::array()}, {"MetricAlarms", Json::array()}});
  }
  if (ArrayField(input, "AlarmNames").empty()) return DescribeAll(context, input);
  if (!TextField(input, "AlarmNamePrefix").empty()) {
    return Refusal("The parameters AlarmNames and AlarmNamePrefix are mutually exclusive and you have specified both.");
  }
  return DescribeNamed(context, input);
}

Answer DescribeForMetric(const Context& context, const Json& input) {
  auto key = KeyOf(input, "");
  if (const auto* error = std::get_if<ServiceError>(&key)) return Refusal(error->message);
  const auto& metric = std::get<observe::MetricKey>(key);
  const std::string statistic = TextField(input, "Statistic", TextField(input, "ExtendedStatistic"));
  const std::string unit = TextField(input, "Unit");
  const int64_t period = IntField(input, "Period");
  Json alarms = Json::array();
  std::optional<Error> broken;
  const Status read = catalog::VisitAll(*context.deps.catalog, AllAlarms(), [&](const catalog::Resource& resource) {
    const Result<catalog::AlarmSpec> spec = catalog::AlarmSpec::FromRequestJson(resource.spec);
    if (!spec.ok() || spec->name_space != metric.name_space || spec->metric_name != metric.name ||
        spec->dimensions != metric.dimensions || (!statistic.empty() && spec->statistic != statistic) ||
        (!unit.empty() && spec->unit != unit) || (period != 0 && spec->period_seconds != period)) {
      return;
    }
    Result<Json> json = AlarmJson(context, resource);
    if (!json.ok()) {
      broken = json.error();
    } else {
      alarms.push_back(std::move(*json));
    }
  });
  if (!read.ok()) return FromError(read.error());
  if (broken) return FromError(*broken);
  return DumpJson(Json{{"MetricAlarms", std::move(alarms)}});
}

struct NamedItem {
  std::string alarm;
  catalog::AlarmHistoryItem item;
};

Answer History(const Context& context, const Json& input) {
  const std::string name = TextField(input, "AlarmName");
  const std::string type = TextField(input, "HistoryItemType");
  const std::optional<Time> begin =
      input.contains("StartDate") ? std::optional(TimeOf(input, "StartDate")) : std::nullopt;
  const std::optional<Time> end = input.contains("EndDate") ? std::optional(TimeOf(input, "EndDate")) : std::nullopt;
  std::vector<NamedItem> items;
  const auto take = [&](const catalog::Resource& resource) {
    Result<std::vector<catalog::AlarmHistoryItem>> history = AlarmHistory(resource);
    if (!history.ok()) return;
    for (catalog::AlarmHistoryItem& item : *history) {
      if ((!type.empty() && item.type != type) || (begin && item.at < *begin) || (end && item.at > *end)) continue;
      items.push_back({resource.name, std::move(item)});
    }
  };
  if (name.empty()) {
    if (const Status read = catalog::VisitAll(*context.deps.catalog, AllAlarms(), take); !read.ok())
      return FromError(read.error());
  } else {
    const Result<catalog::Resource> resource = context.deps.catalog->Get(catalog::Kind::kAlarm, name);
    if (resource.ok()) take(*resource);
    if (!resource.ok() && resource.error().code() != ErrorCode::kNotFound) return FromError(resource.error());
  }
  const bool ascending = TextField(input, "ScanBy") == "TimestampAscending";
  std::sort(items.begin(), items.end(), [&](const NamedItem& a, const NamedItem& b) {
    const auto key = [](const NamedItem& one) { return std::tie(one.item.at, one.alarm, one.item.summary); };
    return ascending ? key(a) < key(b) : key(b) < key(a);
  });
  size_t from = 0;
  if (const std::string token = TextField(input, "NextToken"); !token.empty()) {
    const std::optional<std::string> place = PlaceOf("h", token);
    const std::optional<int64_t> number = place ? ParseInt(*place) : std::nullopt;
    if (!number || *number < 0) return ServiceError{400, "InvalidNextToken", "The token given is invalid."};
    from = std::min(static_cast<size_t>(*number), items.size());
  }
  const size_t to =
      std::min(items.size(), from + static_cast<size_t>(IntField(input, "MaxRecords", kHistoryListedDefault)));
  Json list = Json::array();
  for (size_t i = from; i < to; ++i) list.push_back(HistoryItemJson(items[i].alarm, items[i].item));
  Json answer = {{"AlarmHistoryItems", std::move(list)}};
  if (to < items.size()) answer["NextToken"] = TokenOf("h", std::to_string(to));
  return DumpJson(answer);
}

}  // namespace

Operation DescribeAlarms(std::shared_ptr<const Context> context) {
  return {.name = "DescribeAlarms",
          .summary = "Alarms by name, by the beginning of their names or actions, by state; in pages.",
          .access = auth::Access::kRead,
          .input = Structure({
              Optional("AlarmNames", List(String().Length(1, 255)).AtMost(100)),
              Optional("AlarmNamePrefix", String().Length(1, 255)),
              Optional("AlarmTypes", List(Enum({"CompositeAlarm", "MetricAlarm"}))),
              Optional("ChildrenOfAlarmName", String().Length(1, 255)).Refused("composite alarms"),
              Optional("ParentsOfAlarmName", String().Length(1, 255)).Refused("composite alarms"),
              Optional("StateValue", Enum({"OK", "ALARM", "INSUFFICIENT_DATA"})),
              Optional("ActionPrefix", String().Length(1, 1024)),
              Optional("MaxRecords", Integer().Range(1, 100)),
              Optional("NextToken", TokenShape()),
          }),
          .handle = [context](const Call& call, Reply reply) { reply(Describe(*context, call.input)); }};
}

Operation DescribeAlarmsForMetric(std::shared_ptr<const Context> context) {
  return {.name = "DescribeAlarmsForMetric",
          .summary = "The alarms on a metric.",
          .access = auth::Access::kRead,
          .input = Structure({
              Required("MetricName", MetricNameShape()),
              Required("Namespace", NamespaceShape()),
              Optional("Statistic", StatisticShape()),
              Optional("ExtendedStatistic", String()),
              Optional("Dimensions", DimensionsShape()),
              Optional("Period", Integer().AtLeast(1)),
              Optional("Unit", UnitShape()),
          }),
          .handle = [context](const Call& call, Reply reply) { reply(DescribeForMetric(*context, call.input)); }};
}

Operation DescribeAlarmHistory(std::shared_ptr<const Context> context) {
  return {.name = "DescribeAlarmHistory",
          .summary = "What has happened to alarms that there are: the newest 20 changes of each.",
          .access = auth::Access::kRead,
          .input = Structure({
              Optional("AlarmName", String().Length(1, 255)),
              Optional("AlarmContributorId", String().Length(1, 16)).Refused("contributors of alarms"),
              Optional("AlarmTypes", List(Enum({"CompositeAlarm", "MetricAlarm"}))).Echoed(),
              Optional("HistoryItemType", Enum({"ConfigurationUpdate", "StateUpdate", "Action",
                                                "AlarmContributorStateUpdate", "AlarmContributorAction"})),
              Optional("StartDate", Timestamp()),
              Optional("EndDate", Timestamp()),
              Optional("MaxRecords", Integer().Range(1, 100)),
              Optional("NextToken", TokenShape()),
              Optional("ScanBy", Enum({"TimestampDescending", "TimestampAscending"})),
          }),
          .handle = [context](const Call& call, Reply reply) { reply(History(*context, call.input)); }};
}

}  // namespace argosy::api::cloudwatch
