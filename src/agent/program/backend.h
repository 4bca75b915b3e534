// What answers requests for the agent: the user's program behind its port, or the shim's workers behind their sockets.
//
// Lifecycle: Start, then OnReady or OnFailed; Submit while HasRoom; each request ends with OnAnswer unless it was
// cancelled. After OnFailed nothing more is told. Stop ends the processes. All on the loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "agent/program/child_process.h"
#include "base/clock.h"
#include "base/result.h"
#include "protocol/frames.h"

namespace argosy::agent {

inline constexpr Duration kProgramAnswerTime = std::chrono::seconds(60);  // SageMaker's for a container
// A program that has requests and has said nothing for so long is of no more use.
inline constexpr Duration kProgramStuckAfter = 2 * kProgramAnswerTime;
inline constexpr Duration kProgramStopGrace = std::chrono::seconds(5);  // from SIGTERM to SIGKILL; nothing is at work

struct ProgramRequest {
  uint64_t key = 0;  // the host's name for it, never used twice
  std::string content_type;
  std::string accept;
  std::string custom_attributes;
  std::string inference_id;
  std::string body;
  Duration deadline = Duration::max();  // on the loop's clock
  bool in_parts = false;                // who asks takes the answer in parts
};

class BackendEvents {
 public:
  virtual void OnReady() = 0;
  // It has been starting for a while, and this is why it is not ready.
  virtual void OnStillStarting(const std::string& why) = 0;
  // A part of the answer, before the rest of it; `answer` is good during the call. No more than
  // protocol::kPartCreditBytes of them come until Grant is called.
  virtual void OnPart(uint64_t key, const protocol::AnswerView& part) = 0;
  virtual void OnAnswer(uint64_t key, const protocol::AnswerView& answer) = 0;
  virtual void OnRoom() = 0;
  virtual void OnFailed(const Error& why) = 0;

 protected:
  ~BackendEvents() = default;
};

// Starts one process of the program, its output going to the log; `on_end` is told how it ended.
using ProgramLauncher = std::function<Result<std::unique_ptr<ChildProcess>>(
    int passed_fd, std::function<void(const std::string& how)> on_end)>;

class Backend {
 public:
  virtual ~Backend() = default;
  virtual Status Start() = 0;
  virtual bool HasRoom() const = 0;
  // How many requests are worked on side by side.
  virtual uint32_t concurrency() const = 0;
  virtual void Submit(ProgramRequest request) = 0;
  // So many bytes of the parts have been taken.
  virtual void Grant(uint64_t key, size_t bytes) = 0;
  // Nobody waits for the request any more; nothing more is told of it.
  virtual void Cancel(uint64_t key) = 0;
  // `done` when its processes have ended.
  virtual void Stop(std::function<void()> done) = 0;
};

}  // namespace argosy::agent
