// The Python shim's workers: processes that each hold the user's model and answer frames on a socket of their own.
//
// A worker reads all that waits for it at once and may answer it in one go, so requests are sent on at once, up to a
// window: of a script that takes batches a whole batch; of another about what it answers in a few milliseconds, so that
// work is not bound to one worker while another has none. The least busy worker gets the next request. A worker that
// ends, or is stuck, ends the instance, which control replaces. All on the loop's thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/program/backend.h"
#include "agent/program/child_process.h"
#include "agent/program/program_plan.h"
#include "protocol/frame_stream.h"

namespace argosy::agent {

inline constexpr size_t kWorkerBatchMax = 128;      // requests with a worker that takes batches
inline constexpr size_t kWorkerWindowMax = 64;      // and with another
inline constexpr size_t kWorkerBytesMax = 4 << 20;  // and their bodies; one request of any size always fits
inline constexpr Duration kWorkerQueueTime = std::chrono::milliseconds(2);  // worth of work that may wait in a worker

// How many requests may be with a worker that takes `each` for one.
size_t WorkerWindow(Duration each);

class ShimBackend final : public Backend {
 public:
  ShimBackend(EventLoop& loop, const ProgramPlan& plan, ProgramLauncher launch, BackendEvents& events);
  ~ShimBackend() override;

  Status Start() override;
  bool HasRoom() const override;
  uint32_t concurrency() const override { return concurrency_; }
  void Submit(ProgramRequest request) override;
  void Grant(uint64_t key, size_t bytes) override;
  void Cancel(uint64_t key) override;
  void Stop(std::function<void()> done) override;

 private:
  class Worker;
  Worker* LeastBusy() const;
  void OnWorkerReady();
  void OnWorkerEnd();
  void WatchTime();
  void Fail(const Error& why);

  EventLoop& loop_;
  const unsigned processes_;
  const ProgramLauncher launch_;
  BackendEvents& events_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::map<uint64_t, Worker*> requests_;  // with whom
  unsigned ready_ = 0;
  uint32_t concurrency_ = 0;  // of the workers that are ready: a batch is worked on side by side
  bool failed_ = false;
  TimerId second_timer_ = 0;
  TimerId kill_timer_ = 0;
  std::function<void()> stopped_;
};

}  // namespace argosy::agent
