#include "control/scaling_executor.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace argosy::control {
namespace {

using catalog::Kind;
using catalog::Transaction;

constexpr auto kDemandAge = std::chrono::seconds(2);  // it is told again each second
constexpr auto kScalingSaveRetry = std::chrono::seconds(1);
constexpr auto kLearnedSave = std::chrono::minutes(10);  // what may be learned twice after a crash
constexpr size_t kAlarmsMax = 100;                       // of one target
constexpr int64_t kLearnMinutesMax = kLookSecondsMax / 60;

double StatisticOf(const observe::Distribution& values, const std::string& statistic) {
  if (statistic == "Sum") return values.sum();
  if (statistic == "Minimum") return values.min();
  if (statistic == "Maximum") return values.max();
  if (statistic == "SampleCount") return static_cast<double>(values.count());
  return values.mean();
}

// The minutes up to `end`, newest last.
std::vector<std::optional<double>> ReadMinutes(observe::MetricReader& metrics, const catalog::MetricSpec& metric,
                                               Time end) {
  const Time begin = end - std::chrono::minutes(kMetricMinutes);
  std::vector<std::optional<double>> minutes(kMetricMinutes);
  const Result<std::vector<observe::MetricPeriod>> periods =
      metrics.Read({metric.name_space, metric.name, metric.dimensions}, begin, end, std::chrono::minutes(1));
  if (!periods.ok()) return {};
  for (const observe::MetricPeriod& period : *periods) {
    if (period.start < begin || period.start >= end || period.values.count() == 0) continue;
    if (!metric.unit.empty() && metric.unit != period.unit) continue;
    minutes[static_cast<size_t>((period.start - begin) / std::chrono::minutes(1))] =
        StatisticOf(period.values, metric.statistic);
  }
  return minutes;
}

int64_t MinuteOf(Time time) {
  return std::chrono::floor<std::chrono::minutes>(time).time_since_epoch().count();
}

}  // namespace

ScalingExecutor::ScalingExecutor(catalog::Catalog* catalog, Scheduler* scheduler, const Clock* clock, Random* random,
                                 ScalingSources sources)
    : catalog_(catalog),
      scheduler_(scheduler),
      clock_(clock),
      random_(random),
      sources_(sources),
      begun_(clock->Now()),
      worklist_(scheduler, clock, [this](const std::string& uid) { Plan(uid); }) {
  if (sources_.load == nullptr) return;
  sources_.load->Listen([this](const serving::VariantName& variant, int64_t second,
                               const serving::VariantCounts& counts) { OnCounts(variant, second, counts); });
}

ScalingExecutor::Target* ScalingExecutor::Find(const std::string& uid) {
  const auto it = targets_.find(uid);
  return it == targets_.end() ? nullptr : &it->second;
}

void ScalingExecutor::OnResource(const catalog::Resource& resource) {
  switch (resource.kind) {
    case Kind::kEndpoint:
      return TakeEndpoint(resource);
    case Kind::kScalableTarget:
      return TakeTarget(resource);
    case Kind::kScalingPolicy:
      return TakePolicy(resource);
    case Kind::kScheduledAction:
      return TakeSchedule(resource);
    case Kind::kScalingActivity:
      return TakeActivity(resource);
    default:
      return;
  }
}

void ScalingExecutor::TakeTarget(const catalog::Resource& resource) {
  Result<catalog::ScalableTarget> read = catalog::ScalableTarget::FromResource(resource);
  const std::optional<catalog::VariantId> id = catalog::ParseResourceId(resource.name);
  if (!read.ok() || !id) {
    Log(LogLevel::kError, "scalable target cannot be read", {{"target", resource.name}});
    return;
  }
  const auto [it, fresh] = targets_.try_emplace(resource.uid);
  Target& target = it->second;
  if (!fresh && resource.version <= target.target.version) return;
  target.target = std::move(*read);
  if (fresh) {
    target.id = *id;
    // A target that is older than this server: what happened before is not known.
    target.load_known_since = std::max(begun_, resource.created);
    uids_[{id->endpoint, id->variant}] = resource.uid;
    if (!endpoints_.contains(id->endpoint)) {
      const Result<catalog::Resource> endpoint = catalog_->Get(Kind::kEndpoint, id->endpoint);
      endpoints_[id->endpoint];
      if (endpoint.ok()) TakeEndpoint(*endpoint);
    }
  }
  worklist_.Add(resource.uid);
}

void ScalingExecutor::TakePolicy(const catalog::Resource& resource) {
  Target* const target = Find(resource.owner);
  Result<catalog::ScalingPolicy> policy = catalog::ScalingPolicy::FromResource(resource);
  if (target == nullptr || !policy.ok()) return;
  const auto known = target->policies.find(resource.uid);
  if (known != target->policies.end() && known->second.version >= resource.version) return;
  // With other minutes to look ahead, learning goes on from what is known.
  const bool other = known != target->policies.end() && known->second.predictive && policy->predictive &&
                     known->second.predictive->buffer_seconds != policy->predictive->buffer_seconds;
  if (policy->predictive && (other || !target->learning.contains(resource.uid))) {
    const uint32_t ahead = 1 + (policy->predictive->buffer_seconds + 59) / 60;
    target->learning[resource.uid] = {observe::LoadForecast::FromJson(policy->learned, ahead), 0, clock_->Now()};
  }
  if (!policy->predictive) target->learning.erase(resource.uid);
  target->metrics.erase(resource.uid);  // perhaps it is of another metric now
  target->policies[resource.uid] = std::move(*policy);
  worklist_.Add(resource.owner);
}

void ScalingExecutor::TakeSchedule(const catalog::Resource& resource) {
  Target* const target = Find(resource.owner);
  Result<catalog::ScheduledAction> action = catalog::ScheduledAction::FromResource(resource);
  if (target == nullptr || !action.ok()) return;
  const auto known = target->schedules.find(resource.uid);
  if (known != target->schedules.end() && known->second.action.version >= resource.version) return;
  const std::optional<Time> due = NextRun(*action);
  target->schedules[resource.uid] = {std::move(*action), due};
  worklist_.Add(resource.owner);
}

void ScalingExecutor::TakeActivity(const catalog::Resource& resource) {
  std::deque<std::string>& uids = activities_[resource.owner];
  if (std::find(uids.begin(), uids.end(), resource.uid) == uids.end()) uids.push_back(resource.uid);
}

void ScalingExecutor::TakeEndpoint(const catalog::Resource& resource) {
  const auto it = endpoints_.find(resource.name);
  if (it == endpoints_.end()) return;
  Endpoint& endpoint = it->second;
  if (endpoint.uid == resource.uid && resource.version <= endpoint.version) return;
  Result<catalog::EndpointState> state = catalog::EndpointState::FromJson(resource.state);
  if (!state.ok()) return;
  endpoint = {resource.uid, resource.version, std::move(*state)};
  for (const catalog::VariantPlan& plan :
       endpoint.state.current ? endpoint.state.current->variants : std::vector<catalog::VariantPlan>()) {
    const auto uid = uids_.find({resource.name, plan.variant.variant_name});
    if (uid != uids_.end()) worklist_.Add(uid->second);
  }
}

void ScalingExecutor::OnRemoved(const catalog::Resource& resource) {
  switch (resource.kind) {
    case Kind::kEndpoint:
      return OnEndpointGone(resource.name, resource.uid);
    case Kind::kScalableTarget: {
      const Target* const target = Find(resource.uid);
      if (target == nullptr) return;
      const catalog::VariantId id = target->id;
      worklist_.Remove(resource.uid);
      uids_.erase({id.endpoint, id.variant});
      targets_.erase(resource.uid);
      const bool more = std::any_of(uids_.begin(), uids_.end(),
                                    [&](const auto& entry) { return entry.first.endpoint == id.endpoint; });
      if (!more) endpoints_.erase(id.endpoint);
      return;
    }
    case Kind::kScalingPolicy:
    case Kind::kScheduledAction:
      if (Target* const target = Find(resource.owner)) {
        target->policies.erase(resource.uid);
        target->learning.erase(resource.uid);
        target->metrics.erase(resource.uid);
        target->schedules.erase(resource.uid);
        worklist_.Add(resource.owner);
      }
      return;
    case Kind::kScalingActivity: {
      const auto it = activities_.find(resource.owner);
      if (it == activities_.end()) return;
      std::erase(it->second, resource.uid);
      if (it->second.empty()) activities_.erase(it);
      return;
    }
    default:
      return;
  }
}

// Its targets go with it, and what was told of them: nothing is left that could grow without end. Another endpoint may
// have its name by now.
void ScalingExecutor::OnEndpointGone(const std::string& name, const std::string& uid) {
  Transaction transaction;
  for (const auto& [target_uid, target] : targets_) {
    if (target.target.endpoint_uid != uid) continue;
    // A policy that is put at the same moment changes the version.
    transaction.removes.push_back({target_uid, target.target.version});
    for (const auto& [policy, unused] : target.policies) transaction.removes.push_back({policy});
    for (const auto& [action, unused] : target.schedules) transaction.removes.push_back({action});
  }
  const Result<catalog::Resource> other = catalog_->Get(Kind::kEndpoint, name);
  if (!other.ok() && other.error().code() == ErrorCode::kNotFound) {
    for (const auto& [resource_id, uids] : activities_) {
      const std::optional<catalog::VariantId> id = catalog::ParseResourceId(resource_id);
      if (!id || id->endpoint != name) continue;
      for (const std::string& activity : uids) transaction.removes.push_back({activity});
    }
  }
  if (transaction.empty()) return;
  catalog_->Commit(std::move(transaction), [this, name, uid](const Result<catalog::Change>& result) {
    if (result.ok()) return;  // the feed tells of it
    scheduler_->Post(
        [this, name, uid] { scheduler_->After(kScalingSaveRetry, [this, name, uid] { OnEndpointGone(name, uid); }); });
  });
}

void ScalingExecutor::OnAllTold() {
  std::set<std::pair<std::string, std::string>> gone;  // name and uid
  for (const auto& [uid, target] : targets_) {
    const Result<catalog::Resource> found = catalog_->GetByUid(target.target.endpoint_uid);
    if (!found.ok() && found.error().code() == ErrorCode::kNotFound) {
      gone.emplace(target.id.endpoint, target.target.endpoint_uid);
    }
  }
  for (const auto& [resource_id, uids] : activities_) {
    const auto id = catalog::ParseResourceId(resource_id);
    if (!id) continue;
    const Result<catalog::Resource> found = catalog_->Get(Kind::kEndpoint, id->endpoint);
    if (!found.ok() && found.error().code() == ErrorCode::kNotFound) gone.emplace(id->endpoint, "");
  }
  for (const auto& [name, uid] : gone) OnEndpointGone(name, uid);
}

void ScalingExecutor::OnCounts(const serving::VariantName& variant, int64_t second,
                               const serving::VariantCounts& counts) {
  const auto uid = uids_.find(variant);
  if (uid == uids_.end()) return;
  targets_[uid->second].load.Add(second, counts.invocations, counts.concurrent_max);
  worklist_.Add(uid->second);
}

void ScalingExecutor::OnDemand(const serving::VariantName& variant) {
  const auto uid = uids_.find(variant);
  if (uid == uids_.end()) return;
  targets_[uid->second].demand = clock_->Now();
  worklist_.Add(uid->second);
}

void ScalingExecutor::OnAlarm(const AlarmBreach& alarm) {
  for (auto& [uid, target] : targets_) {
    const bool ours = std::any_of(target.policies.begin(), target.policies.end(),
                                  [&](const auto& policy) { return policy.second.arn == alarm.policy_arn; });
    if (!ours) continue;
    std::erase_if(target.alarms, [&](const AlarmBreach& kept) {
      return kept.policy_arn == alarm.policy_arn && kept.alarm_name == alarm.alarm_name;
    });
    if (target.alarms.size() < kAlarmsMax) target.alarms.push_back(alarm);
    worklist_.Add(uid);
  }
}

void ScalingExecutor::OnAlarmOver(const std::string& alarm_name) {
  for (auto& [uid, target] : targets_) {
    const size_t over =
        std::erase_if(target.alarms, [&](const AlarmBreach& kept) { return kept.alarm_name == alarm_name; });
    if (over > 0) worklist_.Add(uid);
  }
}

void ScalingExecutor::Learn(Target& target, Time now) {
  // A minute's last second is told a moment after it.
  const int64_t whole = MinuteOf(now - std::chrono::seconds(1));
  for (auto& [uid, learning] : target.learning) {
    const int64_t known_since = MinuteOf(target.load_known_since) + 1;
    learning.next_minute = std::max({learning.next_minute, known_since, whole - kLearnMinutesMax + 1});
    for (; learning.next_minute < whole; ++learning.next_minute) {
      const uint64_t requests = target.load.Invocations((learning.next_minute + 1) * 60, 60);
      learning.forecast.Add(learning.next_minute, static_cast<double>(requests));
    }
    if (now - learning.saved < kLearnedSave) continue;
    learning.saved = now;
    Transaction transaction;
    transaction.updates.push_back(
        {.uid = uid, .state = learning.forecast.ToJson(), .modified = target.policies[uid].created});
    catalog_->Commit(std::move(transaction), [](const Result<catalog::Change>&) {});  // again in ten minutes
  }
}

// Once a minute; what is there by then is planned with what was read.
void ScalingExecutor::ReadMetric(Target& target, const catalog::ScalingPolicy& policy, Time now) {
  MetricMinutes& minutes = target.metrics[policy.uid];
  const int64_t end = MinuteOf(now - std::chrono::seconds(2));
  if (sources_.metrics == nullptr || minutes.reading || minutes.end >= end) return;
  minutes.reading = true;
  const auto read = [this, metrics = sources_.metrics, metric = policy.tracking->metric, end, uid = policy.uid,
                     target_uid = target.target.uid] {
    std::vector<std::optional<double>> values = ReadMinutes(*metrics, metric, Time(std::chrono::minutes(end)));
    scheduler_->Post([this, end, uid, target_uid, values = std::move(values)] {
      Target* const found = Find(target_uid);
      if (found == nullptr || !found->policies.contains(uid)) return;
      found->metrics[uid] = {values, end, false};
      worklist_.Add(target_uid);
    });
  };
  if (const Status queued = sources_.pool->Submit(read); !queued.ok()) minutes.reading = false;
}

std::optional<ScalingFacts> ScalingExecutor::FactsOf(Target& target, Time now) {
  const auto endpoint = endpoints_.find(target.id.endpoint);
  if (endpoint == endpoints_.end() || endpoint->second.uid != target.target.endpoint_uid) return std::nullopt;
  const catalog::EndpointState& state = endpoint->second.state;
  if (!state.current) return std::nullopt;
  const auto plan =
      std::find_if(state.current->variants.begin(), state.current->variants.end(),
                   [&](const catalog::VariantPlan& p) { return p.variant.variant_name == target.id.variant; });
  if (plan == state.current->variants.end()) return std::nullopt;
  ScalingFacts facts;
  facts.desired = plan->variant.initial_instance_count;
  facts.changing = state.capacity_changing();
  facts.changeable = state.status == "InService" || facts.changing;
  facts.failure = state.failure_reason;
  const int64_t second = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  if (std::exchange(target.second, second) != second) target.before = facts.desired;
  facts.before = target.before;
  facts.load = &target.load;
  facts.load_known_since = target.load_known_since;
  facts.demand = target.demand && now - *target.demand < kDemandAge;
  for (const auto& [uid, policy] : target.policies) {
    if (policy.tracking && policy.tracking->metric.predefined.empty()) {
      ReadMetric(target, policy, now);
      facts.minutes[uid] = target.metrics[uid].values;
    }
    const auto learning = target.learning.find(uid);
    if (learning == target.learning.end()) continue;
    if (const std::optional<double> most = learning->second.forecast.Most()) facts.forecast[uid] = *most;
  }
  std::erase_if(target.alarms, [&](const AlarmBreach& alarm) { return now - alarm.at > kAlarmAge; });
  facts.alarms = target.alarms;
  return facts;
}

void ScalingExecutor::Plan(const std::string& uid) {
  Target* const target = Find(uid);
  if (target == nullptr || target->saving) return;
  const Time now = clock_->Now();
  Learn(*target, now);
  const std::optional<ScalingFacts> facts = FactsOf(*target, now);
  if (!facts) return;
  ScalingView view{target->target, {}, {}};
  for (const auto& [unused, policy] : target->policies) view.policies.push_back(policy);
  for (const auto& [unused, schedule] : target->schedules) view.schedules.push_back(schedule);
  const std::vector<ScalingAction> actions = PlanScaling(view, *facts, now);
  const bool at_bound = std::any_of(actions.begin(), actions.end(), [](const ScalingAction& action) {
    return std::holds_alternative<RecordNotScaled>(action);
  });
  if (!at_bound) target->not_scaled.clear();
  // A change is asked for again when it cannot be saved; one that was not wanted is not.
  const bool changes = std::any_of(actions.begin(), actions.end(), [](const ScalingAction& action) {
    return !std::holds_alternative<RecordNotScaled>(action) && !std::holds_alternative<LookAt>(action);
  });
  if (facts->changeable && !changes) UseAlarms(*target, now);
  for (const ScalingAction& action : actions) Carry(*target, action);
}

void ScalingExecutor::UseAlarms(Target& target, Time told_by) {
  for (AlarmBreach& alarm : target.alarms) alarm.used = alarm.used || alarm.at <= told_by;
}

void ScalingExecutor::Carry(Target& target, const ScalingAction& action) {
  if (const auto* change = std::get_if<SetDesiredCount>(&action)) {
    Change(target, *change);
  } else if (const auto* end = std::get_if<EndActivity>(&action)) {
    End(target, *end);
  } else if (const auto* run = std::get_if<RunScheduledAction>(&action)) {
    Run(target, *run);
  } else if (const auto* record = std::get_if<RecordNotScaled>(&action)) {
    Record(target, *record);
  } else if (const auto* look = std::get_if<LookAt>(&action)) {
    worklist_.AddAt(target.target.uid, look->at);
  }
}

Transaction::Update ScalingExecutor::UpdateOf(const catalog::ScalableTarget& target) const {
  return {.uid = target.uid,
          .version = target.version,
          .spec = target.SpecJson(),
          .state = target.StateJson(),
          .modified = clock_->Now()};
}

std::string ScalingExecutor::AddActivity(catalog::ScalingActivity activity, const std::string& in_progress,
                                         Transaction& transaction) {
  activity.uid = NewUid(*random_, activity.start);
  const std::deque<std::string>& kept = activities_[activity.resource_id];
  for (size_t i = 0; i + kActivitiesKept <= kept.size(); ++i) {
    if (kept[i] != in_progress) transaction.removes.push_back({kept[i]});
  }
  transaction.inserts.push_back({activity.ToResource()});
  return activity.uid;
}

void ScalingExecutor::Change(Target& target, const SetDesiredCount& change) {
  const Endpoint& endpoint = endpoints_[target.id.endpoint];
  catalog::EndpointState state = endpoint.state;
  state.ChangeCapacity({{target.id.variant, change.count, std::nullopt}});
  Transaction transaction;
  transaction.updates.push_back({.uid = endpoint.uid,
                                 .version = endpoint.version,
                                 .status = state.status,
                                 .state = state.ToJson(),
                                 .modified = clock_->Now()});
  catalog::ScalableTarget after = target.target;
  if (!after.state.activity.empty()) {
    transaction.updates.push_back(
        {.uid = after.state.activity,
         .status = "Overridden",
         .state = catalog::ActivityStateJson("A later scaling activity asked for another count.", clock_->Now()),
         .modified = clock_->Now()});
  }
  target.changed = clock_->Now();
  after.state = change.state;
  after.state.activity = AddActivity(change.activity, target.target.state.activity, transaction);
  transaction.updates.push_back(UpdateOf(after));
  Log(LogLevel::kInfo, "scaling",
      {{"target", target.target.resource_id},
       {"count", std::to_string(change.count)},
       {"cause", change.activity.cause}});
  Commit(target, std::move(transaction));
}

void ScalingExecutor::End(Target& target, const EndActivity& end) {
  catalog::ScalableTarget after = target.target;
  after.state = end.state;
  Transaction transaction;
  transaction.updates.push_back(UpdateOf(after));
  transaction.updates.push_back({.uid = target.target.state.activity,
                                 .status = end.status,
                                 .state = catalog::ActivityStateJson(end.message, clock_->Now()),
                                 .modified = clock_->Now()});
  Commit(target, std::move(transaction));
}

void ScalingExecutor::Run(Target& target, const RunScheduledAction& run) {
  catalog::ScalableTarget after = target.target;
  after.min_capacity = run.min_capacity;
  after.max_capacity = run.max_capacity;
  Transaction transaction;
  transaction.updates.push_back(UpdateOf(after));
  if (run.activity) AddActivity(*run.activity, target.target.state.activity, transaction);
  transaction.updates.push_back({.uid = run.action.uid,
                                 .version = run.action.version,
                                 .state = run.action.StateJson(),
                                 .modified = clock_->Now()});
  Commit(target, std::move(transaction));
}

void ScalingExecutor::Record(Target& target, const RecordNotScaled& record) {
  if (target.not_scaled == record.activity.cause) return;
  target.not_scaled = record.activity.cause;
  Transaction transaction;
  AddActivity(record.activity, target.target.state.activity, transaction);
  Commit(target, std::move(transaction));
}

void ScalingExecutor::Commit(Target& target, Transaction transaction) {
  target.saving = true;
  catalog_->Commit(std::move(transaction), [this, uid = target.target.uid](Result<catalog::Change> result) {
    scheduler_->Post([this, uid, result = std::move(result)] {
      Target* const saved = Find(uid);
      if (saved == nullptr) return;
      saved->saving = false;
      const std::optional<Time> changed = std::exchange(saved->changed, std::nullopt);
      if (result.ok()) {
        if (changed) UseAlarms(*saved, *changed);
        for (const catalog::Resource& written : result->written) OnResource(written);
        for (const catalog::Resource& removed : result->removed) OnRemoved(removed);
        worklist_.Add(uid);
      } else if (result.error().code() == ErrorCode::kConflict) {
        worklist_.Add(uid);  // the feed has brought, or will bring, the newer version
      } else {
        Log(LogLevel::kError, "scaling cannot be saved",
            {{"target", saved->target.resource_id}, {"error", result.error().message()}});
        worklist_.AddAt(uid, clock_->Now() + kScalingSaveRetry);
      }
    });
  });
}

}  // namespace argosy::control
