// What is to be done next about a training job. Pure: what is known and the time in, actions out.
//
// A job's catalog record is the only memory. It says which attempt is the present one and how far it is (AttemptPhase):
//
//   none ──capacity──▶ allocated ──instance gone, outcome──▶ publishing ──published──▶ terminal
//    ▲                    │
//    └── gone, no outcome ┘        (ledger entry closed, next attempt; bounded)
//
// Every move is a SaveJob first; effects (start, publish) follow from what is saved, so that carrying out the same plan
// twice, or after a crash, does no harm. At most one SaveJob a plan.
//
// A job on several hosts has as many instances in each attempt, which begin and end together. The head's report is the
// job's; an attempt has succeeded when the head has, since its model holds what all hosts have read. When any other end
// comes for one of them, the others are killed.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "catalog/training_job.h"
#include "compute/compute.h"
#include "control/allocation.h"
#include "cost/ledger.h"

namespace argosy::control {

inline constexpr auto kStopGrace = std::chrono::seconds(120);    // SIGTERM to SIGKILL, as SageMaker's
inline constexpr auto kStartTimeout = std::chrono::seconds(60);  // asked for, but the agent does not report
inline constexpr auto kLeaveTimeout =
    std::chrono::seconds(30);                                 // the outcome is reported, but the agent does not leave
inline constexpr auto kGroupRetry = std::chrono::seconds(1);  // hosts are told again where the others are
inline constexpr auto kStartRetry = std::chrono::seconds(1);  // compute said no though there seemed to be room
inline constexpr auto kMetricsInterval = std::chrono::seconds(2);  // new metric values are saved this often at most
inline constexpr size_t kFailureReasonMax = 1024;                  // SageMaker's limit
inline constexpr uint32_t kPublishTriesMax = 12;  // with doubling waits up to a minute: about six minutes

struct JobView {
  std::string uid;
  std::string name;
  std::string principal;
  uint64_t version = 0;
  Time created{};
  Time modified{};
  catalog::TrainingJobSpec spec;
  catalog::TrainingJobState state;
};

// What is known about the present attempt beside the catalog.
struct JobFacts {
  std::vector<std::optional<compute::InstanceView>> instances;  // by host; or none at all
  std::optional<Time> allocated;                                // when its ledger entries were opened
  std::optional<Error> start_error;                             // compute refused to start it
  std::optional<Status> published;                              // the end of the present try to publish
  uint64_t checkpoint_done = 0;  // number of the attempt's newest that was published, or cannot be
  Allocation allocation;         // what it would get if it started now
};

struct LedgerClose {
  std::optional<Time> started;
  std::optional<Time> ended;
};

// Commit this state, with these ledger moves in the same transaction.
struct SaveJob {
  catalog::TrainingJobState state;
  std::vector<cost::LedgerEntry> open;
  std::map<std::string, LedgerClose> close;  // by instance id
};
struct StartAttempt {
  protocol::Assignment assignment;
};
struct TellGroup {
  std::string instance_id;
  std::vector<std::string> addresses;  // by host
};
struct StopInstance {
  std::string instance_id;
};
struct KillInstance {
  std::string instance_id;
};
struct PublishedFile {
  std::string staged;  // path
  std::string uri;     // s3://
};
struct PublishJob {
  std::vector<PublishedFile> files;
};
struct PublishCheckpoint {
  uint64_t number = 0;
  PublishedFile file;
};
struct WakeAt {
  Time at{};
};
using JobAction =
    std::variant<SaveJob, StartAttempt, TellGroup, StopInstance, KillInstance, PublishJob, PublishCheckpoint, WakeAt>;

struct JobPolicy {
  std::string region;
  std::string account;
  std::string new_instance_id;  // to use if this plan allocates one
  std::string objects_dir;      // for the assignment
};

std::vector<JobAction> PlanJob(const JobView& job, const JobFacts& facts, const JobPolicy& policy, Time now);

// The instance of a host of an attempt whose head's has the id `head`.
std::string HostInstanceId(const std::string& head, uint32_t host);

// s3://bucket/prefix/<job>/output/<file>
std::string OutputUri(const catalog::TrainingJobSpec& spec, std::string_view file);

// arn:aws:sagemaker:<region>:<account>:<kind>/<name>
std::string ResourceArn(const JobPolicy& policy, std::string_view kind, std::string_view name);

}  // namespace argosy::control
