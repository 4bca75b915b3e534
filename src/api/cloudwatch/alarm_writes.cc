// PutMetricAlarm, SetAlarmState, DeleteAlarms, EnableAlarmActions, DisableAlarmActions.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "api/changes.h"
#include "api/cloudwatch/families.h"
#include "auth/principal.h"
#include "catalog/alarm.h"
#include "catalog/json_fields.h"
#include "catalog/visit.h"

namespace argosy::api::cloudwatch {
namespace {

using catalog::ArrayField;
using catalog::IntField;
using catalog::Kind;
using catalog::TextField;

constexpr int64_t kDay = 86'400;
constexpr int64_t kHour = 3600;
constexpr size_t kAlarmsMax = 5000;  // each is looked at every period

ServiceError NoSuchAlarm(const std::string& name) {
  return {404, "ResourceNotFound", "Unknown alarm: there is no alarm of the name '" + name + "'."};
}

// The alarm with its metric in members of its own (MetricName, Period, …) where Metrics gave it as one MetricStat.
std::variant<Json, ServiceError> WithOneMetric(Json input) {
  if (!input.contains("Metrics") || input.at("Metrics").is_null()) return input;
  const Json metrics = std::move(input.at("Metrics"));
  input.erase("Metrics");
  for (const char* member :
       {"MetricName", "Namespace", "Dimensions", "Period", "Unit", "Statistic", "ExtendedStatistic"}) {
    if (input.contains(member)) {
      return Refusal("The parameters Metrics and " + std::string(member) +
                     " are mutually exclusive and you have specified both.");
    }
  }
  const Json& stat = metrics.size() == 1 ? catalog::ObjectField(metrics[0], "MetricStat") : metrics;
  if (!stat.is_object() || stat.empty()) {
    return Refusal("Metrics must be one MetricStat, without an Expression: Argosy has alarms on one metric.");
  }
  if (metrics[0].contains("ReturnData") && !catalog::FlagField(metrics[0], "ReturnData")) {
    return Refusal("ReturnData of the one entry of Metrics must be true: the alarm is on it.");
  }
  input.update(catalog::ObjectField(stat, "Metric"));
  for (const char* member : {"Period", "Unit"}) {
    if (stat.contains(member)) input[member] = stat.at(member);
  }
  const std::string statistic = TextField(stat, "Stat");
  const auto known = StatisticOf(statistic);
  if (const auto* error = std::get_if<ServiceError>(&known)) return Refusal(error->message);
  input[std::get<observe::Statistic>(known).is_percentile() ? "ExtendedStatistic" : "Statistic"] = statistic;
  return input;
}

std::optional<ServiceError> CheckStatistic(const Json& input) {
  const std::string plain = TextField(input, "Statistic");
  const std::string extended = TextField(input, "ExtendedStatistic");
  if (plain.empty() == extended.empty()) {
    return Refusal(plain.empty() ? "Exactly one of the parameters Statistic and ExtendedStatistic must be specified; "
                                   "there is none."
                                 : "The parameters Statistic and ExtendedStatistic are mutually exclusive and you have "
                                   "specified both.");
  }
  if (extended.empty()) return std::nullopt;
  const auto statistic = StatisticOf(extended);
  if (const auto* error = std::get_if<ServiceError>(&statistic)) return Refusal(error->message);
  if (!std::get<observe::Statistic>(statistic).is_percentile()) {
    return Refusal("The value " + extended + " for ExtendedStatistic is invalid: it must be a percentile such as p99.");
  }
  return std::nullopt;
}

std::optional<ServiceError> CheckTimes(const Json& input) {
  const int64_t period = IntField(input, "Period");
  const int64_t periods = IntField(input, "EvaluationPeriods");
  if (period != 10 && period != 20 && period != 30 && (period <= 0 || period % 60 != 0)) {
    return Refusal("The value " + std::to_string(period) +
                   " for Period is invalid: it must be 10, 20, 30 or a multiple of 60.");
  }
  const int64_t longest = period >= kHour ? 7 * kDay : kDay;
  if (periods > longest / period) {
    return Refusal("Metrics cannot be checked across more than " + std::string(period >= kHour ? "7 days" : "a day") +
                   " (EvaluationPeriods * Period must be <= " + std::to_string(longest) + ").");
  }
  if (IntField(input, "DatapointsToAlarm", periods) > periods) {
    return Refusal("The parameter DatapointsToAlarm must not be greater than EvaluationPeriods: " +
                   std::to_string(IntField(input, "DatapointsToAlarm")) + " is greater than " +
                   std::to_string(periods) + ".");
  }
  return std::nullopt;
}

std::optional<ServiceError> CheckActions(const Json& input) {
  for (const char* member : {"OKActions", "AlarmActions", "InsufficientDataActions"}) {
    for (const Json& action : ArrayField(input, member)) {
      const auto text = action.get<std::string>();
      if (text.starts_with("arn:") && std::count(text.begin(), text.end(), ':') >= 5) continue;
      return Refusal("Invalid arn syntax: " + text + " in " + member + ".");
    }
  }
  return std::nullopt;
}

std::optional<ServiceError> CheckAlarm(const Json& input) {
  for (const char* member :
       {"MetricName", "Namespace", "Period", "EvaluationPeriods", "Threshold", "ComparisonOperator"}) {
    if (!input.contains(member) || input.at(member).is_null()) {
      return Refusal("The parameter " + std::string(member) + " is required: Argosy has alarms on one metric.");
    }
  }
  auto key = KeyOf(input, "");
  if (auto* error = std::get_if<ServiceError>(&key)) return std::move(*error);
  if (auto error = CheckStatistic(input)) return error;
  if (auto error = CheckTimes(input)) return error;
  const std::string missing = TextField(input, "TreatMissingData", "missing");
  if (missing != "missing" && missing != "ignore" && missing != "breaching" && missing != "notBreaching") {
    return Refusal("The value " + missing +
                   " for TreatMissingData is invalid: it must be breaching, notBreaching, ignore or missing.");
  }
  return CheckActions(input);
}

catalog::Transaction::Update UpdateOfAlarm(const catalog::Resource& resource, Time now) {
  catalog::Transaction::Update update;
  update.uid = resource.uid;
  update.version = resource.version;
  update.modified = now;
  return update;
}

// Who did it is said nowhere else: no answer of CloudWatch's has a place for it.
catalog::AlarmHistoryItem Configured(const catalog::AlarmSpec& spec, const char* type, const char* words,
                                     const std::string& principal, Time now) {
  const Json data = {{"version", "1.0"},
                     {"type", type},
                     {"principal", principal},
                     {type == std::string_view("Create") ? "createdAlarm" : "updatedAlarm",
                      {{"alarmName", spec.alarm_name},
                       {"threshold", spec.threshold},
                       {"period", spec.period_seconds},
                       {"evaluationPeriods", spec.evaluation_periods},
                       {"actionsEnabled", spec.actions_enabled}}}};
  return {now, "ConfigurationUpdate", words, DumpJson(data)};
}

// What a PutMetricAlarm makes of the catalog as it is.
struct WantedAlarm {
  std::shared_ptr<const Context> context;
  std::string text;  // the request
  std::string principal;
  catalog::Tags tags;
  catalog::AlarmSpec spec;

  Proposal operator()() const {
    const Time now = context->Now();
    const Result<catalog::Resource> known = context->deps.catalog->Get(Kind::kAlarm, spec.alarm_name);
    if (!known.ok() && known.error().code() != ErrorCode::kNotFound) return Answer(FromError(known.error()));
    return known.ok() ? Replace(*known, now) : Add(now);
  }

  Proposal Add(Time now) const {
    const Result<size_t> count = catalog::CountUpTo(*context->deps.catalog, {.kind = Kind::kAlarm}, kAlarmsMax);
    if (!count.ok()) return Answer(FromError(count.error()));
    if (*count >= kAlarmsMax) {
      return Answer(
          ServiceError{400, "LimitExceeded",
                       "There are " + std::to_string(kAlarmsMax) + " alarms, as many as there may be: delete some."});
    }
    catalog::AlarmState state;
    state.updated = state.transitioned = state.configured = now;
    state.Note(Configured(spec, "Create", "Alarm created", principal, now));
    catalog::Resource resource;
    resource.kind = Kind::kAlarm;
    resource.name = spec.alarm_name;
    resource.uid = NewUid(*context->deps.random, now);
    resource.created = resource.modified = now;
    resource.status = state.value;
    resource.principal = principal;
    resource.spec = text;
    resource.state = state.ToJson();
    resource.tags = tags;
    Decision decision;
    decision.transaction.inserts.push_back({std::move(resource)});
    return decision;
  }

  // The state stays; so do tags, which only a new alarm takes.
  Proposal Replace(const catalog::Resource& known, Time now) const {
    Result<catalog::AlarmState> state = catalog::AlarmState::FromJson(known.state);
    if (!state.ok()) return Answer(FromError(state.error()));
    state->configured = now;
    state->Note(Configured(spec, "Update", "Alarm updated", principal, now));
    Decision decision;
    catalog::Transaction::Update update = UpdateOfAlarm(known, now);
    update.spec = text;
    update.state = state->ToJson();
    decision.transaction.updates.push_back(std::move(update));
    return decision;
  }
};

void Put(const std::shared_ptr<const Context>& context, const Call& call, Reply reply) {
  std::variant<Json, ServiceError> read = WithOneMetric(call.input);
  if (auto* error = std::get_if<ServiceError>(&read)) return reply(std::move(*error));
  Json& sent = std::get<Json>(read);
  if (auto error = CheckAlarm(sent)) return reply(std::move(*error));
  catalog::Tags tags;
  for (const Json& tag : ArrayField(sent, "Tags")) tags[TextField(tag, "Key")] = TextField(tag, "Value");
  sent.erase("Tags");
  const std::string text = DumpJson(sent);
  Result<catalog::AlarmSpec> spec = catalog::AlarmSpec::FromRequestJson(text);
  if (!spec.ok()) return reply(FromError(spec.error()));
  CommitProposal(context->deps.catalog, context->deps.pool,
                 WantedAlarm{context, text, call.principal.arn, std::move(tags), std::move(*spec)}, std::move(reply));
}

void SetState(const std::shared_ptr<const Context>& context, const Call& call, Reply reply) {
  const std::string data = TextField(call.input, "StateReasonData");
  if (!data.empty() && !ParseJson(data).ok()) {
    return reply(ServiceError{400, "InvalidFormat", "StateReasonData was not valid JSON."});
  }
  Propose propose = [context, name = TextField(call.input, "AlarmName"), value = TextField(call.input, "StateValue"),
                     reason = TextField(call.input, "StateReason"), data]() -> Proposal {
    const Result<catalog::Resource> known = context->deps.catalog->Get(Kind::kAlarm, name);
    if (!known.ok()) {
      return Answer(known.error().code() == ErrorCode::kNotFound ? NoSuchAlarm(name) : FromError(known.error()));
    }
    const Result<catalog::AlarmSpec> spec = catalog::AlarmSpec::FromRequestJson(known->spec);
    Result<catalog::AlarmState> state = catalog::AlarmState::FromJson(known->state);
    if (!spec.ok()) return Answer(FromError(spec.error()));
    if (!state.ok()) return Answer(FromError(state.error()));
    const Time now = context->Now();
    state->Enter(*spec, value, reason, data, now);
    Decision decision;
    catalog::Transaction::Update update = UpdateOfAlarm(*known, now);
    update.status = state->value;
    update.state = state->ToJson();
    decision.transaction.updates.push_back(std::move(update));
    return decision;
  };
  CommitProposal(context->deps.catalog, context->deps.pool, std::move(propose), std::move(reply));
}

std::set<std::string> NamesOf(const Json& input) {
  std::set<std::string> names;
  for (const Json& name : ArrayField(input, "AlarmNames")) names.insert(name.get<std::string>());
  return names;
}

// All or, when one is not there, none.
void Delete(const std::shared_ptr<const Context>& context, const Call& call, Reply reply) {
  // Written by the last round of the proposal, read once it is committed.
  auto missing = std::make_shared<std::optional<ServiceError>>();
  Propose propose = [context, missing, names = NamesOf(call.input)]() -> Proposal {
    Decision decision;
    missing->reset();
    for (const std::string& name : names) {
      const Result<catalog::Resource> known = context->deps.catalog->Get(Kind::kAlarm, name);
      if (known.ok()) {
        decision.transaction.removes.push_back({known->uid, 0});
      } else if (known.error().code() != ErrorCode::kNotFound) {
        return Answer(FromError(known.error()));
      } else if (!*missing) {
        *missing = NoSuchAlarm(name);
      }
    }
    if (decision.transaction.empty()) return Answer(std::string());
    return decision;
  };
  CommitProposal(context->deps.catalog, context->deps.pool, std::move(propose),
                 [missing, reply = std::move(reply)](Answer answer) {
                   if (*missing && std::holds_alternative<std::string>(answer)) return reply(std::move(**missing));
                   reply(std::move(answer));
                 });
}

enum class Actions { kEnabled, kDisabled };

// Names of alarms that are not there are let be, as the service does.
void SetActions(const std::shared_ptr<const Context>& context, const Call& call, Actions actions, Reply reply) {
  Propose propose = [context, names = NamesOf(call.input), actions, principal = call.principal.arn]() -> Proposal {
    const Time now = context->Now();
    Decision decision;
    for (const std::string& name : names) {
      const Result<catalog::Resource> known = context->deps.catalog->Get(Kind::kAlarm, name);
      if (!known.ok() && known.error().code() == ErrorCode::kNotFound) continue;
      if (!known.ok()) return Answer(FromError(known.error()));
      Result<Json> sent = catalog::ParseObject(known->spec, "stored alarm");
      if (!sent.ok()) return Answer(FromError(sent.error()));
      (*sent)["ActionsEnabled"] = actions == Actions::kEnabled;
      Result<catalog::AlarmState> state = catalog::AlarmState::FromJson(known->state);
      const Result<catalog::AlarmSpec> spec = catalog::AlarmSpec::FromRequestJson(DumpJson(*sent));
      if (!state.ok()) return Answer(FromError(state.error()));
      if (!spec.ok()) return Answer(FromError(spec.error()));
      state->configured = now;
      state->Note(Configured(*spec, "Update", "Alarm updated", principal, now));
      catalog::Transaction::Update update = UpdateOfAlarm(*known, now);
      update.spec = DumpJson(*sent);
      update.state = state->ToJson();
      decision.transaction.updates.push_back(std::move(update));
    }
    if (decision.transaction.empty()) return Answer(std::string());
    return decision;
  };
  CommitProposal(context->deps.catalog, context->deps.pool, std::move(propose), std::move(reply));
}

Shape AlarmNamesShape() {
  return List(String().Length(1, 255)).AtMost(100);
}

Shape AlarmActionsShape() {
  return List(String().Length(1, 1024)).AtMost(5);
}

}  // namespace

Operation PutMetricAlarm(std::shared_ptr<const Context> context) {
  return {.name = "PutMetricAlarm",
          .summary = "Makes an alarm on a metric, or changes one; its state stays until it is looked at again.",
          .input = Structure({
              Required("AlarmName", String().Length(1, 255)),
              Optional("AlarmDescription", String().Length(0, 1024)),
              Optional("ActionsEnabled", Boolean()),
              Optional("OKActions", AlarmActionsShape()),
              Optional("AlarmActions", AlarmActionsShape()),
              Optional("InsufficientDataActions", AlarmActionsShape()),
              Optional("MetricName", MetricNameShape()),
              Optional("Namespace", NamespaceShape()),
              Optional("Statistic", StatisticShape()),
              Optional("ExtendedStatistic", String()),
              Optional("Dimensions", DimensionsShape()),
              Optional("Period", Integer().AtLeast(1)),
              Optional("Unit", UnitShape()),
              Optional("EvaluationPeriods", Integer().AtLeast(1)),
              Optional("DatapointsToAlarm", Integer().AtLeast(1)),
              Optional("Threshold", Double()),
              Optional("ComparisonOperator",
                       Enum({"GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold",
                             "LessThanOrEqualToThreshold", "LessThanLowerOrGreaterThanUpperThreshold",
                             "LessThanLowerThreshold", "GreaterThanUpperThreshold"}))
                  .Only({"GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold",
                         "LessThanOrEqualToThreshold"}),
              Optional("TreatMissingData", String().Length(1, 255)),
              Optional("EvaluateLowSampleCountPercentile", String().Length(1, 255)).Only({"evaluate"}),
              Optional("Metrics", List(MetricDataQueryShape())),
              Optional("ThresholdMetricId", String().Length(1, 255)).Refused("anomaly detection"),
              Optional("EvaluationCriteria", Document()).Refused("alarms on PromQL"),
              Optional("EvaluationInterval", Integer()).Refused("alarms on PromQL"),
              Optional("Tags", AlarmTagsShape()),
          }),
          .handle = [context](const Call& call, Reply reply) { Put(context, call, std::move(reply)); }};
}

Operation SetAlarmState(std::shared_ptr<const Context> context) {
  return {.name = "SetAlarmState",
          .summary = "Sets an alarm's state until it is looked at again.",
          .input = Structure({
              Required("AlarmName", String().Length(1, 255)),
              Required("StateValue", Enum({"OK", "ALARM", "INSUFFICIENT_DATA"})),
              Required("StateReason", String().Length(0, 1023)),
              Optional("StateReasonData", String().Length(0, 4000)),
          }),
          .handle = [context](const Call& call, Reply reply) { SetState(context, call, std::move(reply)); }};
}

Operation DeleteAlarms(std::shared_ptr<const Context> context) {
  return {.name = "DeleteAlarms",
          .summary = "Deletes alarms; a name that is not there is told, and the others are deleted all the same.",
          .input = Structure({Required("AlarmNames", AlarmNamesShape())}),
          .handle = [context](const Call& call, Reply reply) { Delete(context, call, std::move(reply)); }};
}

Operation EnableAlarmActions(std::shared_ptr<const Context> context) {
  return {.name = "EnableAlarmActions",
          .summary = "Alarms carry out their actions again.",
          .input = Structure({Required("AlarmNames", AlarmNamesShape())}),
          .handle = [context](const Call& call, Reply reply) {
            SetActions(context, call, Actions::kEnabled, std::move(reply));
          }};
}

Operation DisableAlarmActions(std::shared_ptr<const Context> context) {
  return {.name = "DisableAlarmActions",
          .summary = "Alarms go on, and carry out no actions.",
          .input = Structure({Required("AlarmNames", AlarmNamesShape())}),
          .handle = [context](const Call& call, Reply reply) {
            SetActions(context, call, Actions::kDisabled, std::move(reply));
          }};
}

}  // namespace argosy::api::cloudwatch
