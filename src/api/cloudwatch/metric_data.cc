// PutMetricData: values from clients into the store.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "api/cloudwatch/families.h"
#include "catalog/json_fields.h"

namespace argosy::api::cloudwatch {
namespace {

using catalog::ArrayField;
using catalog::NumberField;
using catalog::ObjectField;
using observe::Distribution;

constexpr size_t kDataMax = 1000;   // of one request; the service's
constexpr size_t kValuesMax = 150;  // of one datum; the service's
constexpr auto kPastMax = std::chrono::hours(24 * 14);
constexpr auto kFutureMax = std::chrono::hours(2);
const double kValueMax = std::ldexp(1.0, 360);  // the service's; sums of them stay finite
constexpr double kCountMax = 0x1p53;            // whole numbers beyond it are not told apart

struct Datum {
  observe::MetricKey key;
  Time at;
  std::string unit;
  Distribution values;
};

using Reading = std::variant<Distribution, ServiceError>;

std::string NumberText(double value) {
  return Json(value).dump();
}

ServiceError BadNumber(double value, const std::string& member) {
  return InvalidValue("The value " + NumberText(value) + " for parameter " + member +
                      " is invalid: " + "it must be a number between -2^360 and 2^360.");
}

bool IsValue(double value) {
  return std::isfinite(value) && std::abs(value) <= kValueMax;
}

bool IsCount(double value) {
  return std::isfinite(value) && value > 0 && value <= kCountMax;
}

// Counts may have fractions on the wire; what is counted has none.
uint64_t Times(double count) {
  return static_cast<uint64_t>(std::max<int64_t>(std::llround(count), 1));
}

Reading ReadSummary(const Json& set, const std::string& where) {
  const double count = NumberField(set, "SampleCount");
  const double sum = NumberField(set, "Sum");
  const double least = NumberField(set, "Minimum");
  const double most = NumberField(set, "Maximum");
  if (!IsCount(count)) {
    return InvalidValue("The value " + NumberText(count) + " for parameter " + where +
                        ".SampleCount is invalid: it must be greater than 0.");
  }
  for (const auto& [name, value] : {std::pair{"Sum", sum}, {"Minimum", least}, {"Maximum", most}}) {
    if (!IsValue(value)) return BadNumber(value, where + "." + name);
  }
  if (least > most) {
    return InvalidCombination("The parameter " + where + ".Minimum must not be greater than " + where + ".Maximum.");
  }
  return Distribution::FromSummary(Times(count), sum, least, most);
}

Reading ReadValues(const Json& datum, const std::string& where) {
  const Json& values = ArrayField(datum, "Values");
  const Json& counts = ArrayField(datum, "Counts");
  if (values.size() > kValuesMax) {
    return InvalidValue("The parameter " + where + "Values must have at most " + std::to_string(kValuesMax) +
                        " values; it has " + std::to_string(values.size()) + ".");
  }
  if (!counts.empty() && counts.size() != values.size()) {
    return InvalidValue("The parameters " + where + "Values and " + where +
                        "Counts must have the same number of entries.");
  }
  Distribution out;
  for (size_t i = 0; i < values.size(); ++i) {
    const auto value = values[i].get<double>();
    const double count = counts.empty() ? 1 : counts[i].get<double>();
    if (!IsValue(value)) return BadNumber(value, where + "Values.member." + std::to_string(i + 1));
    if (!IsCount(count)) {
      return InvalidValue("The value " + NumberText(count) + " for parameter " + where + "Counts.member." +
                          std::to_string(i + 1) + " is invalid: it must be greater than 0.");
    }
    out.Add(value, Times(count));
  }
  return out;
}

bool Has(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && !found->is_null();
}

Reading ReadDatumValues(const Json& datum, const std::string& where) {
  std::vector<std::string> given;
  for (const char* name : {"Value", "StatisticValues", "Values"}) {
    if (Has(datum, name)) given.push_back(where + name);
  }
  if (given.empty() || (given.front() == where + "Values" && ArrayField(datum, "Values").empty())) {
    return InvalidCombination("At least one of the parameters " + where + "Value, " + where + "Values and " + where +
                              "StatisticValues must be specified.");
  }
  if (given.size() > 1) {
    return InvalidCombination("The parameters " + given[0] + " and " + given[1] +
                              " are mutually exclusive and you have specified both.");
  }
  if (Has(datum, "StatisticValues"))
    return ReadSummary(ObjectField(datum, "StatisticValues"), where + "StatisticValues");
  if (Has(datum, "Values")) return ReadValues(datum, where);
  const double value = NumberField(datum, "Value");
  if (!IsValue(value)) return BadNumber(value, where + "Value");
  Distribution out;
  out.Add(value);
  return out;
}

std::variant<Datum, ServiceError> ReadDatum(const std::string& name_space, const Json& json, const std::string& where,
                                            Time now) {
  auto key = KeyOf(json, where);
  if (auto* error = std::get_if<ServiceError>(&key)) return std::move(*error);
  Datum out;
  out.key = std::move(std::get<observe::MetricKey>(key));
  out.key.name_space = name_space;
  out.unit = catalog::TextField(json, "Unit", "None");
  out.at = Has(json, "Timestamp") ? TimeOf(json, "Timestamp") : now;
  if (out.at < now - kPastMax || out.at > now + kFutureMax) {
    return InvalidValue("The parameter " + where +
                        "Timestamp must be a time of the past two weeks or the next two "
                        "hours; " +
                        FormatIso8601(out.at) + " is not.");
  }
  const int64_t resolution = catalog::IntField(json, "StorageResolution", 60);
  if (resolution != 1 && resolution != 60) {
    return InvalidValue("The parameter " + where + "StorageResolution must be 1 or 60; " + std::to_string(resolution) +
                        " is not.");
  }
  if (resolution == 60) out.at = std::chrono::floor<std::chrono::minutes>(out.at);
  Reading values = ReadDatumValues(json, where);
  if (auto* error = std::get_if<ServiceError>(&values)) return std::move(*error);
  out.values = std::move(std::get<Distribution>(values));
  return out;
}

// All of them or, when one is wrong, none.
Answer PutData(const Context& context, const Json& input) {
  const std::string name_space = catalog::TextField(input, "Namespace");
  for (const char* own : {"AWS/", "/aws/sagemaker/"}) {
    if (!name_space.starts_with(own)) continue;
    return InvalidValue("The value " + name_space + " for parameter Namespace is invalid: namespaces that begin with " +
                        own + " hold what Argosy itself measures.");
  }
  const Json& data = ArrayField(input, "MetricData");
  if (data.empty()) return ServiceError{400, "MissingParameter", "The parameter MetricData is required."};
  if (data.size() > kDataMax) {
    return InvalidValue("The collection MetricData must not have a size greater than " + std::to_string(kDataMax) +
                        ".");
  }
  std::vector<Datum> read;
  const Time now = context.Now();
  for (size_t i = 0; i < data.size(); ++i) {
    auto datum = ReadDatum(name_space, data[i], "MetricData.member." + std::to_string(i + 1) + ".", now);
    if (auto* error = std::get_if<ServiceError>(&datum)) return std::move(*error);
    read.push_back(std::move(std::get<Datum>(datum)));
  }
  for (const Datum& datum : read) context.deps.sink->Record(datum.key, datum.at, datum.unit, datum.values);
  return std::string();
}

}  // namespace

Operation PutMetricData(std::shared_ptr<const Context> context) {
  const Shape statistics = Structure({
      Required("SampleCount", Double()),
      Required("Sum", Double()),
      Required("Minimum", Double()),
      Required("Maximum", Double()),
  });
  const Shape datum = Structure({
      Required("MetricName", MetricNameShape()),
      Optional("Dimensions", DimensionsShape()),
      Optional("Timestamp", Timestamp()),
      Optional("Value", Double()),
      Optional("StatisticValues", statistics),
      Optional("Values", List(Double())),
      Optional("Counts", List(Double())),
      Optional("Unit", UnitShape()),
      Optional("StorageResolution", Integer().AtLeast(1)),
  });
  return {.name = "PutMetricData",
          .summary = "Takes values of metrics: up to 1,000 in a request, single ones, lists with counts, or summaries.",
          .input = Structure({
              Required("Namespace", NamespaceShape()),
              Optional("MetricData", List(datum)),
              Optional("EntityMetricData", Document()).Refused("entities of metrics"),
              Optional("StrictEntityValidation", Boolean()).Echoed(),
          }),
          .handle = [context](const Call& call, Reply reply) { reply(PutData(*context, call.input)); }};
}

}  // namespace argosy::api::cloudwatch
