// argosy up: the server in the foreground, or left running behind a parent that waits until it answers.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/log.h"
#include "main/api_client.h"
#include "main/data_directory.h"
#include "main/format.h"
#include "main/server.h"
#include "main/terminal.h"
#include "main/verbs.h"
#include "main/version.h"

namespace argosy::main {
namespace {

constexpr uintmax_t kServerLogBytesMax = 16 << 20;  // looked at when a server starts
constexpr size_t kStoryBytesMax = 4096;             // what a detached server tells its parent

void SetUpLog(const Options& options) {
  SetLogLevel(options.log_level);
  if (options.log_format == LogStyle::kJson) SetLogFormat(LogFormat::kJson);
  if (options.log_format == LogStyle::kLogfmt) SetLogFormat(LogFormat::kLogfmt);
  if (options.log_format == LogStyle::kAuto) {
    SetLogFormat(IsTerminal(Stream::kError) ? LogFormat::kLogfmt : LogFormat::kJson);
  }
}

std::string ReadyText(const Server& server, const Options& options, Duration took) {
  std::string text = fmt::format("argosy is ready at {} after {} (data in {})\n", server.endpoint(),
                                 FormatDuration(took), options.data_dir.string());
  if (server.credentials_made()) {
    text += fmt::format("credentials were made: {}\n", (options.data_dir / "credentials").string());
  }
  return text;
}

// Runs until SIGTERM or SIGINT. `tell` gets the text of readiness once the server answers.
Status Serve(const Options& options, Duration begin, const std::function<void(const std::string&)>& tell) {
  const SystemClock clock;
  // Blocked before the first thread is made, so that all inherit it and only sigwait below takes them.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);

  Result<DataDirectory> directory = DataDirectory::Open(options.data_dir);
  if (!directory.ok()) return directory.error();
  directory->RemoveRecord();  // of a server that was killed
  Result<std::unique_ptr<Server>> server = Server::Start(options, *directory);
  if (!server.ok()) return server.error();
  if (Status answers = CheckHealth((*server)->endpoint()); !answers.ok()) {
    return answers.error().Wrap("the server does not answer itself");
  }
  if (Status written = directory->WriteSdkDefaults(options.default_bucket()); !written.ok()) return written;
  const Result<agent::AgentIdentity> self = agent::AgentIdentity::OfThisProcess(clock.Now());
  if (!self.ok()) return self.error();
  const ServerRecord record{*self, (*server)->endpoint(), std::string(kVersion), options.region,
                            !options.access_key_id.empty()};
  if (Status written = directory->WriteRecord(record); !written.ok()) return written;
  tell(ReadyText(**server, options, clock.Monotonic() - begin));

  int signal_number = 0;
  sigwait(&ends, &signal_number);
  Log(LogLevel::kInfo, "stopping", {{"signal", std::to_string(signal_number)}});
  directory->RemoveRecord();
  server->reset();
  Log(LogLevel::kInfo, "stopped");
  return {};
}

void CloseAllBut(int kept) {
  const auto close_range = [](unsigned first, unsigned last) {
    if (first <= last) syscall(SYS_close_range, first, last, 0);
  };
  const auto fd = static_cast<unsigned>(kept);
  close_range(3, fd - 1);
  close_range(fd + 1, ~0U);
}

// In the child: a session of its own, nothing inherited but the pipe, standard streams on the log.
Status BecomeServer(const Options& options, int story) {
  if (setsid() < 0) return ErrnoError("leaving the session", errno);
  CloseAllBut(story);
  if (Status made = DataDirectory::Make(options.data_dir); !made.ok()) return made;
  const std::filesystem::path log_file = options.data_dir / "server.log";
  std::error_code error;
  if (const auto size = std::filesystem::file_size(log_file, error); !error && size > kServerLogBytesMax) {
    std::filesystem::rename(log_file, options.data_dir / "server.log.1", error);  // in place of the one before
  }
  Result<UniqueFd> log = OpenFile(log_file, O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (!log.ok()) return log.error().Wrap("the data directory cannot be used");
  Result<UniqueFd> nothing = OpenFile("/dev/null", O_RDONLY);
  if (!nothing.ok()) return nothing.error();
  if (dup2(nothing->get(), STDIN_FILENO) < 0 || dup2(log->get(), STDOUT_FILENO) < 0 ||
      dup2(log->get(), STDERR_FILENO) < 0) {
    return ErrnoError("standard streams", errno);
  }
  return {};
}

int RunDetached(const Options& options, Duration begin) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Fail(ErrnoError("pipe", errno));
  const pid_t child = fork();
  if (child < 0) return Fail(ErrnoError("fork", errno));
  if (child == 0) {
    // The story: one letter, then text for a person; R = ready, E = why not.
    const auto tell = [&](const std::string& text) {
      (void)WriteAll(ends[1], text);
      close(ends[1]);
    };
    Status done = BecomeServer(options, ends[1]);
    if (done.ok()) {
      SetUpLog(options);
      done = Serve(options, begin, [&](const std::string& text) { tell("R" + text); });
      if (!done.ok()) Log(LogLevel::kError, "the server could not run", {{"reason", done.error().message()}});
    }
    if (!done.ok()) tell("E" + done.error().message());
    _exit(done.ok() ? kExitOk : kExitFailed);
  }
  close(ends[1]);
  std::string story;
  char buffer[512];
  while (story.size() < kStoryBytesMax) {
    const ssize_t n = read(ends[0], buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    story.append(buffer, static_cast<size_t>(n));
  }
  close(ends[0]);
  if (story.starts_with('R')) {
    Print(story.substr(1) + "it goes on in the background: `argosy status`, `argosy down`, log in " +
          (options.data_dir / "server.log").string() + "\n");
    return kExitOk;
  }
  waitpid(child, nullptr, 0);
  if (story.starts_with('E')) return FailWith(kExitFailed, story.substr(1));
  return FailWith(kExitFailed,
                  "the server ended before it answered; its log is " + (options.data_dir / "server.log").string());
}

}  // namespace

int RunUp(const Settings& settings, const UpArgs&) {
  const Duration begin = SystemClock().Monotonic();
  const Options& options = settings.options;
  if (options.detach == DetachMode::kBackground) return RunDetached(options, begin);
  SetUpLog(options);
  const Status done = Serve(options, begin, [](const std::string& text) { Print(text); });
  return done.ok() ? static_cast<int>(kExitOk) : FailWith(kExitFailed, done.error().message());
}

}  // namespace argosy::main
