// What every operation of CloudWatch needs, and the members that several share.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "api/cloudwatch/cloudwatch_service.h"
#include "api/operation.h"
#include "observe/statistic.h"

namespace argosy::api::cloudwatch {

struct Context {
  CloudWatchDeps deps;
  std::string region;

  Time Now() const { return deps.clock->Now(); }
};

ServiceError InvalidValue(std::string message);        // InvalidParameterValue
ServiceError InvalidCombination(std::string message);  // InvalidParameterCombination
ServiceError Refusal(std::string message);             // ValidationError

// Members that several operations share.
Shape NamespaceShape();
Shape MetricNameShape();
Shape DimensionsShape();
Shape UnitShape();
Shape StatisticShape();  // SampleCount, Average, …
Shape MetricDataQueryShape();
Shape TokenShape();

// `where` names the place in errors: "MetricData.member.3." or "".
std::variant<observe::MetricKey, ServiceError> KeyOf(const Json& json, std::string_view where);

// A name that is no statistic, or one that Argosy does not have (trimmed means and the like), is refused by name.
std::variant<observe::Statistic, ServiceError> StatisticOf(std::string_view name);

// Nothing when the metrics' periods may have this length in seconds.
std::optional<ServiceError> CheckPeriod(int64_t period, std::string_view member);

Time TimeOf(const Json& json, const char* name);

// What a page begins after; the token holds it in a form that says whose it is.
std::string TokenOf(std::string_view kind, std::string_view place);
std::optional<std::string> PlaceOf(std::string_view kind, std::string_view token);

}  // namespace argosy::api::cloudwatch
