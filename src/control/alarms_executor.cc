#include "control/alarms_executor.h"

#include <memory>
#include <utility>

#include "base/log.h"
#include "catalog/visit.h"

namespace argosy::control {

AlarmsExecutor::AlarmsExecutor(catalog::Catalog* catalog, observe::MetricReader* reader, Offload offload,
                               Scheduler* scheduler, const Clock* clock, std::string region, std::string account)
    : catalog_(catalog),
      reader_(reader),
      offload_(std::move(offload)),
      scheduler_(scheduler),
      clock_(clock),
      region_(std::move(region)),
      account_(std::move(account)),
      worklist_(scheduler, clock, [this](const std::string& uid) { Evaluate(uid); }) {}

Status AlarmsExecutor::Start() {
  const Status read = catalog::VisitAll(*catalog_, {.kind = catalog::Kind::kAlarm},
                                        [this](const catalog::Resource& resource) { Take(resource); });
  if (!read.ok()) return read;
  TellInAlarm();
  return {};
}

void AlarmsExecutor::OnChange(const catalog::Change& change) {
  std::vector<catalog::Resource> written;
  std::vector<std::string> removed;
  for (const catalog::Resource& resource : change.written) {
    if (resource.kind == catalog::Kind::kAlarm) written.push_back(resource);
  }
  for (const catalog::Resource& resource : change.removed) {
    if (resource.kind == catalog::Kind::kAlarm) removed.push_back(resource.uid);
  }
  if (written.empty() && removed.empty()) return;
  scheduler_->Post([this, written = std::move(written), removed = std::move(removed)] {
    for (const std::string& uid : removed) {
      const auto it = alarms_.find(uid);
      if (it == alarms_.end()) continue;
      worklist_.Remove(uid);
      const bool was_in_alarm = it->second.state.value == catalog::kAlarmInAlarm;
      alarms_.erase(it);
      if (was_in_alarm) TellInAlarm();
    }
    for (const catalog::Resource& resource : written) Take(resource);
  });
}

void AlarmsExecutor::Take(const catalog::Resource& resource) {
  const auto known = alarms_.find(resource.uid);
  if (known != alarms_.end() && resource.version <= known->second.version) return;
  Result<catalog::AlarmSpec> spec = catalog::AlarmSpec::FromRequestJson(resource.spec);
  Result<catalog::AlarmState> state = catalog::AlarmState::FromJson(resource.state);
  if (!spec.ok() || !state.ok()) {
    Log(LogLevel::kError, "alarm cannot be read",
        {{"alarm", resource.name}, {"error", spec.ok() ? state.error().message() : spec.error().message()}});
    return;
  }
  const bool is_new = known == alarms_.end();
  Alarm& alarm = alarms_[resource.uid];
  const std::string old_state = alarm.state.value;
  const bool asked_anew = is_new || alarm.spec_text != resource.spec;
  alarm.uid = resource.uid;
  alarm.version = resource.version;
  alarm.spec_text = resource.spec;
  alarm.spec = std::move(*spec);
  alarm.state = std::move(*state);
  // A state that somebody set stays until the next evaluation is due; what was asked for anew is looked at now.
  if (asked_anew) {
    worklist_.Remove(alarm.uid);
    worklist_.Add(alarm.uid);
  }
  if (is_new || alarm.state.value == old_state) return;
  Tell(alarm, old_state, alarm.state.updated);
  TellInAlarm();
}

void AlarmsExecutor::Schedule(const Alarm& alarm) {
  worklist_.AddAt(alarm.uid, NextAlarmEvaluation(alarm.spec, clock_->Now()));
}

void AlarmsExecutor::Evaluate(const std::string& uid) {
  const auto it = alarms_.find(uid);
  if (it == alarms_.end()) return;
  Alarm& alarm = it->second;
  if (alarm.busy) return Schedule(alarm);
  alarm.busy = true;
  const Time now = clock_->Now();
  const Time end = AlarmEvaluationEnd(alarm.spec, now);
  offload_([this, uid, version = alarm.version, now, end, reader = reader_, key = AlarmMetric(alarm.spec),
            range = RangeToRead(alarm.spec, end)]() -> Task {
    auto periods = std::make_shared<Result<std::vector<observe::MetricPeriod>>>(
        reader->Read(key, range.begin, range.end, range.length));
    return [this, uid, version, now, end, periods] { OnRead(uid, version, now, end, std::move(*periods)); };
  });
}

void AlarmsExecutor::OnRead(const std::string& uid, uint64_t version, Time now, Time end,
                            Result<std::vector<observe::MetricPeriod>> periods) {
  const auto it = alarms_.find(uid);
  if (it == alarms_.end()) return;
  Alarm& alarm = it->second;
  alarm.busy = false;
  Schedule(alarm);
  if (!periods.ok()) {
    Log(LogLevel::kWarning, "an alarm's metric cannot be read",
        {{"alarm", alarm.spec.alarm_name}, {"error", periods.error().message()}});
    return;
  }
  // Asked for otherwise, or set, since: what was read says nothing about it.
  if (alarm.version != version) return;
  const AlarmVerdict verdict =
      EvaluateAlarm(alarm.spec, AlarmDatapoints(alarm.spec, *periods, end), alarm.state.value, now);
  alarm.newest = verdict.newest;
  if (verdict.state != alarm.state.value) return Save(alarm, verdict, now);
  if (verdict.state == catalog::kAlarmInAlarm) Tell(alarm, alarm.state.value, now);
}

void AlarmsExecutor::Save(Alarm& alarm, const AlarmVerdict& verdict, Time now) {
  catalog::AlarmState state = alarm.state;
  state.Enter(alarm.spec, verdict.state, verdict.reason, verdict.reason_data, now);
  catalog::Transaction transaction;
  transaction.updates.push_back(
      {.uid = alarm.uid, .version = alarm.version, .status = state.value, .state = state.ToJson(), .modified = now});
  alarm.busy = true;
  catalog_->Commit(std::move(transaction), [this, uid = alarm.uid](const Result<catalog::Change>& result) {
    std::string error;
    // Whoever came between has brought, or will bring, the newer version.
    if (!result.ok() && result.error().code() != ErrorCode::kConflict) error = result.error().message();
    scheduler_->Post([this, uid, error] {
      const auto it = alarms_.find(uid);
      if (it == alarms_.end()) return;
      it->second.busy = false;
      if (!error.empty()) {
        Log(LogLevel::kError, "alarm cannot be saved", {{"alarm", it->second.spec.alarm_name}, {"error", error}});
      }
    });
  });
}

void AlarmsExecutor::Tell(const Alarm& alarm, const std::string& old_state, Time at) {
  const AlarmNews news{.name = alarm.spec.alarm_name,
                       .arn = catalog::AlarmArn(region_, account_, alarm.spec.alarm_name),
                       .state = alarm.state.value,
                       .old_state = old_state,
                       .at = at,
                       .actions = alarm.spec.ActionsFor(alarm.state.value),
                       .threshold = alarm.spec.threshold,
                       .comparison = alarm.spec.comparison,
                       .value = alarm.newest};
  if (news.changed()) {
    Log(LogLevel::kInfo, "alarm changed",
        {{"alarm", news.name}, {"state", news.state}, {"before", news.old_state}, {"reason", alarm.state.reason}});
  }
  for (AlarmListener* listener : listeners_) listener->OnAlarm(news);
}

void AlarmsExecutor::TellInAlarm() const {
  if (!in_alarm_) return;
  std::set<std::string, std::less<>> names;
  for (const auto& [uid, alarm] : alarms_) {
    if (alarm.state.value == catalog::kAlarmInAlarm) names.insert(alarm.spec.alarm_name);
  }
  in_alarm_(std::move(names));
}

}  // namespace argosy::control
