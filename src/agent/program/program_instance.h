// An endpoint instance of a user's program, from its files to its end: fetched and laid out, started, watched, served.
//
// Lifecycle: Prepare blocks on disk and runs on any thread; the rest on the loop's. Start, then on_ready or on_failed;
// after on_ready the program may still fail, once. Destroying it ends the program by force.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "agent/instance_directory.h"
#include "agent/log_spool.h"
#include "agent/program/backend.h"
#include "agent/program/program_host.h"
#include "agent/program/program_plan.h"
#include "objectstore/object_store.h"
#include "protocol/messages.h"

namespace argosy::agent {

// What is started, and what to start where the kernel lets nobody make a sandbox.
struct PreparedProgram {
  Sandbox sandbox;
  ProgramPlan sandboxed;
  ProgramPlan plain;
};

class ProgramInstance final : private BackendEvents {
 public:
  struct Events {
    std::function<void()> on_ready;  // it is listened at the instance's socket from here on
    std::function<void(const Error& why)> on_failed;
  };

  static Result<PreparedProgram> Prepare(const protocol::Assignment& assignment, const InstanceDirectory& directory,
                                         objectstore::ObjectReader& objects, LogSpool& log);

  ProgramInstance(EventLoop& loop, protocol::Hello identity, PreparedProgram program, InstanceDirectory directory,
                  LogSpool& log, Events events);
  ~ProgramInstance();

  void Start();
  // Requests at work are answered, then the program is ended; `done` when it has, at the latest a little after
  // `patience`.
  void Stop(Duration patience, std::function<void()> done);

 private:
  void OnReady() override;
  void OnStillStarting(const std::string& why) override;
  void OnPart(uint64_t key, const protocol::AnswerView& part) override;
  void OnAnswer(uint64_t key, const protocol::AnswerView& answer) override;
  void OnRoom() override;
  void OnFailed(const Error& why) override;

  Result<std::unique_ptr<ChildProcess>> Launch(int passed_fd, std::function<void(const std::string& how)> on_end);
  Result<std::unique_ptr<ChildProcess>> LaunchAs(const ProgramPlan& plan, const Sandbox* sandbox, int passed_fd,
                                                 std::function<void(const std::string& how)> on_end);

  EventLoop& loop_;
  const protocol::Hello identity_;
  const PreparedProgram program_;
  const InstanceDirectory directory_;
  LogSpool& log_;
  const Events events_;
  bool sandbox_refused_ = false;
  std::string last_line_;  // of its output
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<ProgramHost> host_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace argosy::agent
