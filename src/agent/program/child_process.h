// A process of the user's: started apart from the agent, its output read line by line, ended with all it has started.
//
// It leads a session and process group of its own, has no descriptor but the standard streams and those given, is told
// to die when the agent does (parent-death signal), and may not gain privileges. See sandbox.h for what it sees of the
// machine. All on the loop's thread, which must be the thread that lives as long as the process.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/program/sandbox.h"
#include "base/event_loop.h"
#include "base/files.h"
#include "base/result.h"

namespace argosy::agent {

inline constexpr size_t kOutputLineBytesMax = 64 << 10;  // longer lines are cut into several

struct ChildCommand {
  std::vector<std::string> arguments;  // the first is the file, looked up in no PATH
  std::vector<std::string> environment;
  std::filesystem::path directory;
  int passed_fd = -1;  // becomes descriptor 3
  const Sandbox* sandbox = nullptr;
};

class ChildProcess final {
 public:
  struct Listener {
    std::function<void(std::string_view line)> on_line;
    // "ended with exit code 1", "was killed by signal 9"; once, when all its output has been told.
    std::function<void(const std::string& how)> on_end;
  };

  // Starts it and waits until it runs (a millisecond or two). kNotFound, kPermissionDenied and the like when the file
  // cannot be run; SandboxRefused tells when it was the sandbox that could not be had.
  static Result<std::unique_ptr<ChildProcess>> Start(EventLoop& loop, const ChildCommand& command, Listener listener);
  // Ends it by force.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // To its whole group.
  void Signal(int signal);
  bool ended() const { return ended_; }
  pid_t pid() const { return pid_; }

 private:
  // One descriptor and what is to be done when it can be read.
  struct Watched final : public FdHandler {
    Watched(UniqueFd f, std::function<void()> r) : fd(std::move(f)), ready(std::move(r)) {}
    void OnEvents(uint32_t) override { ready(); }
    UniqueFd fd;
    std::function<void()> ready;
  };

  ChildProcess(EventLoop& loop, Listener listener) : loop_(loop), listener_(std::move(listener)) {}
  Status Watch(UniqueFd output);
  void ReadOutput();
  void StopReading();
  void TellLines();
  void OnEnd();

  EventLoop& loop_;
  const Listener listener_;
  pid_t pid_ = 0;
  bool sandboxed_ = false;
  bool ended_ = false;
  bool output_watched_ = false;
  std::string output_;  // read, not a whole line yet
  std::unique_ptr<Watched> output_watch_;
  std::unique_ptr<Watched> end_watch_;
};

// Whether Start failed because the kernel refuses namespaces here.
bool SandboxRefused(const Error& error);

}  // namespace argosy::agent
