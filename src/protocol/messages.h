// All that passes between server and agents, versioned (docs/formats/protocol.md).
//
// An Assignment is what an agent is given (a file in its instance directory); a Report is the agent's whole state so
// far, so that the newest one says everything and lost, doubled or late ones do no harm. Both carry (owner uid,
// attempt).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "catalog/endpoint.h"
#include "catalog/reach.h"
#include "catalog/training_job.h"

namespace argosy::protocol {

inline constexpr int kVersion = 1;
inline constexpr size_t kGroupAddressBytesMax = 1024;

enum class Role { kTraining, kServing };

// What the instance's work signs its requests with, where, and how far that reaches.
struct Session {
  std::string access_key_id;
  std::string secret_access_key;
  std::string token;
  std::string endpoint;  // http://127.0.0.1:9000
  catalog::Reach reach;
};

struct Assignment {
  int version = kVersion;
  Role role = Role::kTraining;
  std::string instance_id;
  std::string owner_uid;
  uint32_t attempt = 0;
  uint32_t host = 0;   // of a training on several: which one this is, from 0
  uint32_t hosts = 1;  // and how many there are
  std::string name;    // the job's or the endpoint's
  std::string arn;
  std::string variant;  // serving only
  std::string instance_type;
  uint64_t memory_bytes = 0;  // granted; 0 = no limit
  uint32_t cpus = 0;          // what is really there
  std::string note;           // first line of the log: how that differs from what the type promises; empty: not at all
  std::string region;
  std::string objects_dir;  // what the object store keeps on this machine (objectstore/attach.h)
  std::string log_group;
  std::string log_stream;
  std::string python;  // the machine's interpreter for users' models; "" = the agent looks for one
  std::optional<Session> session;
  std::optional<catalog::TrainingJobSpec> training;
  std::optional<catalog::ModelSpec> model;

  static Result<Assignment> FromJson(std::string_view json);
  std::string ToJson() const;
};

enum class AgentPhase {
  kStarting,     // the process runs
  kDownloading,  // channels or model being made ready
  kTraining,
  kUploading,  // the artifact is being packed and staged
  kReady,      // serving: the model is loaded, the socket answers
  kFinished,   // `outcome` is set; the agent is about to leave
};

enum class OutcomeKind {
  kSucceeded,
  kFailed,
  kStopped,
  kLostGroup,  // another host of the training was lost: says nothing about the job
};

struct AgentOutcome {
  OutcomeKind kind = OutcomeKind::kFailed;
  int exit_code = 0;
  std::string failure_reason;   // "ClientError: …", "AlgorithmError: …, exit code: 1"
  std::string staged_artifact;  // path in the instance directory; "" = none
  std::string staged_output;
  Time finished{};
};

struct PhaseTime {
  AgentPhase phase = AgentPhase::kStarting;
  Time at{};
};

struct MetricValue {
  std::string name;
  double value = 0;
  Time timestamp{};
};

// A saved state of the training, ready to be published. The file stays until two newer ones are ready.
struct StagedCheckpoint {
  uint64_t number = 0;  // grows with each one of this agent, from 1
  std::string staged;   // path of the file, as in AgentOutcome
  std::string name;     // of the object, below the job's checkpoint location
};

struct Report {
  std::string instance_id;
  std::string owner_uid;
  uint32_t attempt = 0;
  uint64_t sequence = 0;  // grows with each report of this agent
  AgentPhase phase = AgentPhase::kStarting;
  std::vector<PhaseTime> phase_times;          // one entry a phase reached, in order
  std::vector<MetricValue> metrics;            // newest value per name
  double progress = 0;                         // 0..1 of the training, best guess
  std::string progress_text;                   // "epoch 3 of 15"
  Time heartbeat{};                            // when this was written
  std::optional<StagedCheckpoint> checkpoint;  // the newest
  std::string group_address;                   // of a training on several hosts: where the others reach this one; bytes
  std::optional<AgentOutcome> outcome;

  static Result<Report> FromJson(std::string_view json);
  std::string ToJson() const;
};

enum class CommandKind {
  kStop,   // SIGTERM's meaning: finish early, keep the artifact; killed after kStopGrace
  kGroup,  // the addresses of all hosts of a training are known
};

// What the server tells an agent, at least once.
struct Command {
  CommandKind kind = CommandKind::kStop;
  std::vector<std::string> addresses = {};  // kGroup: by host, as their reports have them

  bool operator==(const Command&) const = default;
};

std::string_view PhaseName(AgentPhase phase);

}  // namespace argosy::protocol
