// Carries out what the jobs planner decides. Keeps the unfinished jobs in memory, fed by the catalog's change feed, and
// plans each again whenever something about it has changed.
//
// Lives on the control thread. While a save or a publication of a job is under way, the job is not planned.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/random.h"
#include "base/scheduler.h"
#include "catalog/catalog.h"
#include "compute/compute.h"
#include "control/jobs_planner.h"
#include "control/publisher.h"
#include "control/worklist.h"

namespace argosy::control {

inline constexpr auto kSaveRetry = std::chrono::seconds(1);  // the catalog could not be written (disk full): try again

struct ControlOptions {
  std::string region = "us-east-1";
  std::string account = "000000000000";
  TypePolicy type_policy = TypePolicy::kWish;
  std::string objects_dir;  // what the object store keeps on this machine, told to agents
  // The session of an instance that is about to start; null: it gets none.
  std::function<protocol::Session(const protocol::Assignment&)> sign_in = nullptr;
};

class JobsExecutor {
 public:
  JobsExecutor(catalog::Catalog* catalog, compute::Compute* compute, Publisher* publisher, Scheduler* scheduler,
               const Clock* clock, Random* random, ControlOptions options);

  // A job as the catalog has it, at start or by the change feed.
  void OnResource(const catalog::Resource& resource);
  void OnRemoved(const catalog::Resource& resource);
  // An open ledger entry found at start.
  void OnLedger(const cost::LedgerEntry& entry);
  // The view of an instance of `job_uid` has changed.
  void OnInstance(const std::string& job_uid);
  // Something may have become free.
  void OnCapacity();

  size_t unfinished() const { return jobs_.size(); }
  // The job's name, when that is the instance of its first host.
  std::optional<std::string> NameByHead(const std::string& job_uid, const std::string& instance_id) const;
  // Ids of instances that are gone and whose files are still to be published.
  std::set<std::string> Unpublished() const;

 private:
  struct Job {
    JobView view;  // without spec and state while `unread`
    std::unique_ptr<const catalog::Resource> unread;
    std::map<std::string, cost::LedgerEntry> ledger;  // the open entries, by instance
    std::optional<Error> start_error;
    std::optional<Status> published;
    std::pair<uint32_t, uint64_t> checkpoint_done;  // attempt, number
    std::optional<Allocation> granted;              // given out, not yet started
    bool saving = false;
    bool publishing = false;
  };
  using WaitingKey = std::pair<Time, std::string>;  // (created, uid): first come, first served

  void Plan(const std::string& uid);
  // Fills the view; false when the resource cannot be read, and the job is left out.
  bool Read(Job& job, const catalog::Resource& resource);
  void PlanWaiting();
  void PlanOne(Job& job, Allocation allocation);
  void Carry(Job& job, const JobAction& action);
  void Save(Job& job, const SaveJob& save);
  void OnSaved(const std::string& uid, const SaveJob& save, const std::string& instance_before,
               Result<catalog::Change> result);
  compute::Capacity FreeCapacity() const;
  Allocation AllocationFor(const JobView& view, const compute::Capacity& capacity) const;
  bool IsWaiting(const Job& job) const;

  catalog::Catalog* catalog_;
  compute::Compute* compute_;
  Publisher* publisher_;
  Scheduler* scheduler_;
  const Clock* clock_;
  Random* random_;
  const ControlOptions options_;
  Worklist worklist_;
  std::map<std::string, Job> jobs_;  // by uid
  std::set<WaitingKey> waiting_;
  std::set<std::string> granted_;  // uids of jobs that hold a grant
  bool blocked_ = false;           // the queue has been looked at and somebody had to wait on
  bool waiting_timer_ = false;
  bool waiting_posted_ = false;
};

}  // namespace argosy::control
