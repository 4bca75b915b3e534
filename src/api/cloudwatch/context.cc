#include "api/cloudwatch/context.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "catalog/json_fields.h"

namespace argosy::api::cloudwatch {
namespace {

bool DoesNotBeginWithColon(std::string_view text) {
  return !text.empty() && text.front() != ':' && text.find('\n') == std::string_view::npos;
}

const Pattern kNamespacePattern{"[^:].*", DoesNotBeginWithColon};

}  // namespace

ServiceError InvalidValue(std::string message) {
  return {400, "InvalidParameterValue", std::move(message)};
}

ServiceError InvalidCombination(std::string message) {
  return {400, "InvalidParameterCombination", std::move(message)};
}

ServiceError Refusal(std::string message) {
  return {400, "ValidationError", std::move(message)};
}

Shape NamespaceShape() {
  return String().Length(1, 255).Matching(kNamespacePattern);
}

Shape MetricNameShape() {
  return String().Length(1, 255);
}

Shape DimensionsShape() {
  return List(Structure({
                  Required("Name", String().Length(1, 255)),
                  Required("Value", String().Length(1, 1024)),
              }))
      .AtMost(30);
}

Shape UnitShape() {
  return Enum({"Seconds",
               "Microseconds",
               "Milliseconds",
               "Bytes",
               "Kilobytes",
               "Megabytes",
               "Gigabytes",
               "Terabytes",
               "Bits",
               "Kilobits",
               "Megabits",
               "Gigabits",
               "Terabits",
               "Percent",
               "Count",
               "Bytes/Second",
               "Kilobytes/Second",
               "Megabytes/Second",
               "Gigabytes/Second",
               "Terabytes/Second",
               "Bits/Second",
               "Kilobits/Second",
               "Megabits/Second",
               "Gigabits/Second",
               "Terabits/Second",
               "Count/Second",
               "None"});
}

Shape StatisticShape() {
  return Enum({"SampleCount", "Average", "Sum", "Minimum", "Maximum"});
}

Shape MetricDataQueryShape() {
  const Shape metric = Structure({
      Optional("Namespace", NamespaceShape()),
      Optional("MetricName", MetricNameShape()),
      Optional("Dimensions", DimensionsShape()),
  });
  const Shape stat = Structure({
      Required("Metric", metric),
      Required("Period", Integer().AtLeast(1)),
      Required("Stat", String()),
      Optional("Unit", UnitShape()),
  });
  return Structure({
      Required("Id", String().Length(1, 255)),
      Optional("MetricStat", stat),
      Optional("Expression", String().Length(1, 2048)).Refused("metric math"),
      Optional("Label", String()),
      Optional("ReturnData", Boolean()),
      Optional("Period", Integer().AtLeast(1)).Echoed(),
      Optional("AccountId", String().Length(1, 255)).Refused("metrics of other accounts"),
  });
}

Shape TokenShape() {
  return String().AtMost(8192);
}

std::variant<observe::MetricKey, ServiceError> KeyOf(const Json& json, std::string_view where) {
  observe::MetricKey key{catalog::TextField(json, "Namespace"), catalog::TextField(json, "MetricName"), {}};
  for (const Json& dimension : catalog::ArrayField(json, "Dimensions")) {
    const std::string name = catalog::TextField(dimension, "Name");
    if (!key.dimensions.emplace(name, catalog::TextField(dimension, "Value")).second) {
      return InvalidValue("The parameter " + std::string(where) + "Dimensions names the dimension '" + name +
                          "' twice.");
    }
  }
  return key;
}

std::variant<observe::Statistic, ServiceError> StatisticOf(std::string_view name) {
  if (const std::optional<observe::Statistic> statistic = observe::Statistic::Parse(name)) return *statistic;
  std::string known = ToLower(name);
  known.resize(std::min(known.find_first_of("(0123456789"), known.size()));
  for (const char* other : {"tm", "wm", "tc", "ts", "pr", "iqm"}) {
    if (known != other) continue;
    return InvalidValue("Argosy does not have the statistic '" + std::string(name) +
                        "'. Use SampleCount, Average, Sum, Minimum, Maximum or a percentile such as p99.");
  }
  return InvalidValue("The value " + std::string(name.substr(0, 64)) +
                      " is not a statistic: it must be SampleCount, Average, Sum, Minimum, Maximum or a percentile "
                      "such as p99 or p99.9.");
}

std::optional<ServiceError> CheckPeriod(int64_t period, std::string_view member) {
  if (period == 1 || period == 5 || period == 10 || period == 30 || (period > 0 && period % 60 == 0)) {
    return std::nullopt;
  }
  return InvalidValue("The parameter " + std::string(member) + " must be 1, 5, 10, 30 or a multiple of 60; " +
                      std::to_string(period) + " is not.");
}

Time TimeOf(const Json& json, const char* name) {
  // What nanoseconds since 1970 cannot hold is as good as the last time they can.
  constexpr double kSecondsMax = 9.2e9;
  return FromUnixSeconds(std::clamp(catalog::NumberField(json, name), 0.0, kSecondsMax));
}

std::string TokenOf(std::string_view kind, std::string_view place) {
  return std::string(kind) + "/" + ToBase64(place);
}

std::optional<std::string> PlaceOf(std::string_view kind, std::string_view token) {
  if (!token.starts_with(kind) || !token.substr(kind.size()).starts_with('/')) return std::nullopt;
  return FromBase64(token.substr(kind.size() + 1));
}

}  // namespace argosy::api::cloudwatch
