#include "control/controller.h"

#include "base/log.h"
#include "catalog/visit.h"

namespace argosy::control {
namespace {

constexpr auto kAnswerLook = std::chrono::milliseconds(2);  // between looks whether all instances answer

}  // namespace

Controller::Controller(catalog::Catalog* catalog, compute::Compute* compute, Publisher* publisher,
                       serving::Front* front, Scheduler* scheduler, const Clock* clock, Random* random,
                       const ControlOptions& options, const ScalingSources& scaling)
    : catalog_(catalog),
      compute_(compute),
      scheduler_(scheduler),
      jobs_(catalog, compute, publisher, scheduler, clock, random, options),
      endpoints_(catalog, compute, front, scheduler, clock, random, options),
      scaling_(catalog, scheduler, clock, random, scaling) {
  front->Watch({.demand = [this](const serving::VariantName& variant) { scaling_.OnDemand(variant); },
                .stuck = [this](const std::string& id) { endpoints_.OnStuck(id); }});
}

void Controller::OnAlarm(const AlarmNews& news) {
  if (news.state != "ALARM") scaling_.OnAlarmOver(news.name);
  // SetAlarmState knows no value: the alarm counts as just breached.
  const double metric = news.value.value_or(news.threshold);
  for (const std::string& arn : news.actions) scaling_.OnAlarm({arn, news.name, metric, news.threshold, news.at});
}

Status Controller::Start() {
  compute_->SetListener([this](const std::string& instance_id) { OnInstance(instance_id); });
  for (const char* status : {"InProgress", "Stopping"}) {
    Status read =
        ForEach(catalog::Kind::kTrainingJob, status, [this](const catalog::Resource& r) { jobs_.OnResource(r); });
    if (!read.ok()) return read;
  }
  Status read = ForEach(catalog::Kind::kEndpoint, "", [this](const catalog::Resource& r) { endpoints_.OnResource(r); });
  if (!read.ok()) return read;
  // Targets first: the others belong to them.
  for (const catalog::Kind kind : {catalog::Kind::kScalableTarget, catalog::Kind::kScalingPolicy,
                                   catalog::Kind::kScheduledAction, catalog::Kind::kScalingActivity}) {
    read = ForEach(kind, "", [this](const catalog::Resource& r) { scaling_.OnResource(r); });
    if (!read.ok()) return read;
  }
  scaling_.OnAllTold();
  std::vector<std::string> open;
  read = ForEach(catalog::Kind::kInstance, "Open", [&](const catalog::Resource& r) {
    Result<cost::LedgerEntry> entry = cost::FromResource(r);
    if (!entry.ok()) {
      Log(LogLevel::kError, "ledger entry cannot be read", {{"instance", r.uid}, {"error", entry.error().message()}});
      return;
    }
    open.push_back(entry->instance_id);
    owners_[entry->instance_id] = entry->owner_uid;
    jobs_.OnLedger(*entry);
    endpoints_.OnLedger(*entry);
  });
  if (!read.ok()) return read;
  compute_->Adopt(open, jobs_.Unpublished());
  return {};
}

void Controller::WhenAllAnswer(Task done) {
  if (endpoints_.AllAnswer()) return done();
  scheduler_->After(kAnswerLook, [this, done = std::move(done)]() mutable { WhenAllAnswer(std::move(done)); });
}

Status Controller::ForEach(catalog::Kind kind, const std::string& status,
                           const std::function<void(const catalog::Resource&)>& each) {
  return catalog::VisitAll(*catalog_, {.kind = kind, .status = status, .order = catalog::SortOrder::kAscending}, each);
}

void Controller::OnChange(const catalog::Change& change) {
  scheduler_->Post([this, change] { Take(change); });
}

void Controller::Take(const catalog::Change& change) {
  for (const catalog::Resource& r : change.written) {
    if (r.kind == catalog::Kind::kTrainingJob) {
      jobs_.OnResource(r);
      const bool goes_on = r.status == "InProgress" || r.status == "Stopping";
      if (feed_ != nullptr && !goes_on) feed_->Forget(r.name);
    }
    if (r.kind == catalog::Kind::kEndpoint) endpoints_.OnResource(r);
    scaling_.OnResource(r);
    if (r.kind == catalog::Kind::kInstance) {
      if (r.status == "Open") {
        owners_[r.uid] = r.owner;
      } else {
        owners_.erase(r.uid);
      }
    }
  }
  for (const catalog::Resource& r : change.removed) {
    if (r.kind == catalog::Kind::kTrainingJob) jobs_.OnRemoved(r);
    if (r.kind == catalog::Kind::kEndpoint) endpoints_.OnRemoved(r);
    scaling_.OnRemoved(r);
  }
}

void Controller::OnInstance(const std::string& instance_id) {
  const auto owner = owners_.find(instance_id);
  if (owner == owners_.end()) return;
  const std::optional<compute::InstanceView> view = compute_->View(instance_id);
  if (feed_ != nullptr && view && view->report) {
    const std::optional<std::string> job = jobs_.NameByHead(owner->second, instance_id);
    if (job) feed_->OnReport(*job, *view->report);
  }
  jobs_.OnInstance(owner->second);
  endpoints_.OnInstance(owner->second);
  if (view && view->life == compute::InstanceLife::kGone) jobs_.OnCapacity();
}

}  // namespace argosy::control
