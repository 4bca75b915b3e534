// The simulated world: the real controllers on the real catalog tables, with time, disk, network, machines and power in
// the hands of one seed.
//
// Clients create, stop, update and delete at random; the server is killed or loses power (also in the midst of a
// commit), machines die, messages are lost, doubled and late, the disk fills up; then the faults end and everything
// must come to rest. Run() gives the sentences of every invariant that broke: none, for a program that is right.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "compute/fake/fake_compute.h"
#include "control/controller.h"
#include "testing/sim_catalog.h"
#include "testing/sim_disk.h"

namespace argosy::testing {

struct WorldOptions {
  uint64_t seed = 0;
  compute::FenceFault fence = compute::FenceFault::kNone;
};

struct WorldSummary {
  std::vector<std::string> violations;
  size_t jobs = 0;
  size_t endpoints = 0;
  size_t capacity_changes = 0;
  size_t scaled = 0;  // changes of capacity by policies
  size_t server_crashes = 0;
  size_t machine_deaths = 0;
  size_t attempts = 0;
  size_t checkpoints = 0;                  // published
  size_t resumed = 0;                      // attempts that went on from one
  std::map<std::string, size_t> job_ends;  // by status
};

class SimWorld {
 public:
  explicit SimWorld(const WorldOptions& options);
  ~SimWorld();

  WorldSummary Run();

 private:
  class Front;
  class Publisher;
  struct Server;

  void Boot();
  void Crash(SimDisk::Loss loss);
  void PlanFaults();
  void PlanClients();
  void Retry(Task task);  // later, when perhaps the server is up

  void CreateJob(int number);
  void StopJob(const std::string& uid);
  void CreateEndpoint(int number);
  std::string AnyDeployment();
  void ChangeEndpoint(const std::string& uid, const std::string& config);  // "" = delete

  void ChangeCapacity(const std::string& uid, uint32_t instances);
  void RegisterTarget(const std::string& uid);
  void Load();  // a second's requests of all endpoints

  void OnMachineStart(const compute::Machine& machine);
  void OnDurable(const catalog::Change& change);
  void OnJobWritten(const catalog::Resource& resource);
  void OnVisible(const std::string& owner_uid, const std::string& uri, const std::string& content);
  void OnCheckpointVisible(const std::string& owner_uid, const std::string& content);
  void Violation(const std::string& what);
  bool AtRest();
  void CheckEnd();
  void CheckJobs();
  void CheckEndpoints();
  void CheckScaling();
  void CheckLedger();
  std::vector<catalog::Resource> All(catalog::Kind kind);

  Time InFaultTime();  // a random moment of it
  Duration Millis(uint64_t below) { return std::chrono::milliseconds(random_.Below(below)); }

  const WorldOptions options_;
  SeededRandom random_;
  SimQueue queue_;
  Time fault_end_;
  SimDisk disk_;
  compute::FakeCloud cloud_;
  SimProcess clients_;
  std::unique_ptr<Server> server_;

  std::map<std::string, std::string> acked_jobs_;       // uid → name
  std::map<std::string, std::string> acked_endpoints_;  // uid → name
  std::set<std::string> asked_deletions_;               // endpoint uids
  std::set<std::string> acked_deletions_;
  std::map<std::string, uint32_t> acked_capacity_;  // by endpoint uid: of the last change, when nothing else changed it
  std::set<std::string> scaled_;                    // endpoint uids that may have a scalable target
  std::set<std::string> durable_ledger_;
  std::map<std::string, std::string> job_status_;                       // as last durable
  std::map<std::string, std::pair<std::string, std::string>> visible_;  // uri → (owner, content)
  std::map<std::string, uint64_t> saved_progress_;                      // job's uid → that of its checkpoint
  std::set<std::string> checkpoints_tried_;                             // files that the publisher was given
  WorldSummary summary_;
};

}  // namespace argosy::testing
