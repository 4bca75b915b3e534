// Compute on this machine: instances are agent processes, each in a directory of its own.
//
// How it knows what it knows: a process's end by its pidfd; that nothing of an instance runs or ever will by the fence
// (agent/instance_directory.h); its phase, metrics and log by the agent's connection to <data>/control.sock; its
// outcome and last heartbeat, whoever was alive then, by its report file. docs/decisions/supervision.md says why.
//
// Instances outlive this object and the server: the next one adopts them. Once an instance is shown as gone, all of its
// log that reached the disk is in the log store.
//
// Threads: all calls and the listener on `loop`'s thread; what blocks (files, fork and exec, the log store) on `pool`,
// which must have been joined before this object's loop is destroyed.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "base/thread_pool.h"
#include "compute/compute.h"
#include "observe/log_store.h"
#include "protocol/frame_stream.h"

namespace argosy::compute {

struct LocalOptions {
  std::filesystem::path data_dir;
  // Run as `<executable> agent --instance-dir D`. The default is the program that runs, even when its file was
  // replaced.
  std::filesystem::path executable = "/proc/self/exe";
  std::string python;               // interpreter for users' models; "" = the agent looks for one
  uint32_t hosts_max = 64;          // instances at once
  uint64_t memory_limit_bytes = 0;  // for all instances together; 0 = the machine's memory
};

// How old what is known of memory may be: every plan asks, and each look reads a handful of files.
inline constexpr Duration kMemoryLookPeriod = std::chrono::milliseconds(100);
inline constexpr uint64_t kInstanceMemoryBooked = 256ULL << 20;  // counted for an instance that holds less yet

class LocalCompute final : public Compute {
 public:
  LocalCompute(EventLoop& loop, ThreadPool& pool, observe::LogStore& logs, LocalOptions options);
  ~LocalCompute() override;
  LocalCompute(const LocalCompute&) = delete;
  LocalCompute& operator=(const LocalCompute&) = delete;

  void SetListener(std::function<void(const std::string& instance_id)> listener) override;
  // Call it once at start, also with no instance: from then on agents are listened to.
  void Adopt(const std::vector<std::string>& open, const std::set<std::string>& wanted) override;
  Status Start(const InstanceRequest& request) override;
  void Send(const std::string& instance_id, const protocol::Command& command) override;
  void Kill(const std::string& instance_id) override;
  // Also clears away what an instance unknown here left behind, provided it is gone.
  void Forget(const std::string& instance_id) override;
  // Paths in a report's outcome are absolute here.
  std::optional<InstanceView> View(const std::string& instance_id) const override;
  Capacity GetCapacity() const override;
  void Measure(std::function<void(std::vector<InstanceUse>)> done) override;

 private:
  class Instance;
  class Connection;
  class Acceptor;

  Instance* Find(const std::string& instance_id) const;
  void Notify(const std::string& instance_id);
  // Runs `work` on the pool, and on the loop what it returns. The pool may still be at it when this object is gone:
  // `work` must not touch it, what it returns may.
  void OnPool(std::function<Task()> work);
  void Listen();
  // Clears away what a crash between a commit and its Forget left behind: directories of instances that are neither
  // known here nor wanted, and of which nothing runs.
  void Sweep(const std::set<std::string>& wanted);
  void Launch(const std::string& id, const protocol::Assignment& assignment);
  void Attach(Instance& instance);
  void OnProcessEnd(Instance& instance);
  // Finds out what an instance is: alive (then its process is watched), or gone for good.
  void Investigate(const std::string& id);
  struct Findings;
  void OnFindings(const std::string& id, std::shared_ptr<Findings> findings);
  void TakeReport(Instance& instance, protocol::Report report);
  void OnHello(Connection& connection, const protocol::Hello& hello);
  void OnWelcomeReady(protocol::FrameStream* stream, const protocol::Hello& hello,
                      const std::optional<protocol::Assignment>& assignment, uint64_t log_offset);
  void OnLog(Instance& instance, uint64_t offset, std::string_view lines);
  void AppendLog(Instance& instance);
  void Drop(protocol::FrameStream& stream);
  void LookAtMemory() const;

  EventLoop& loop_;
  ThreadPool& pool_;
  observe::LogStore& logs_;
  const LocalOptions options_;
  const uint64_t memory_total_;
  const uint32_t cpus_;
  std::function<void(const std::string&)> listener_;
  std::map<std::string, std::unique_ptr<Instance>> instances_;
  std::map<protocol::FrameStream*, std::unique_ptr<Connection>> connections_;
  mutable std::optional<Duration> memory_seen_;  // on the loop's clock
  mutable uint64_t memory_available_ = 0;
  std::set<std::string> changed_;  // to be told at the next turn
  std::unique_ptr<Acceptor> acceptor_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // tasks that outlive this object do nothing
};

}  // namespace argosy::compute
