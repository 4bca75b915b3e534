#include "compute/local/local_compute.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "agent/instance_directory.h"
#include "agent/log_spool.h"
#include "base/log.h"
#include "compute/local/machine.h"
#include "compute/local/process.h"
#include "compute/local/process_use.h"
#include "protocol/local_socket.h"

namespace argosy::compute {
namespace {

using agent::AgentIdentity;
using agent::InstanceDirectory;
using protocol::FrameKind;
using protocol::FrameStream;

constexpr Duration kRetryMin = std::chrono::milliseconds(5);
constexpr Duration kRetryMax = std::chrono::seconds(1);
constexpr size_t kStrangersMax = 64;                          // connections that have not said who they are
constexpr Duration kHelloPatience = std::chrono::seconds(5);  // and how long they may take to
constexpr size_t kLogQueuedBytesMax = 1 << 20;                // per instance, waiting for the log store
constexpr size_t kLogReadBytes = 4 << 20;                     // per read of a spool that is taken over
constexpr size_t kIdentityBytesMax = 64 << 10;

Result<protocol::Assignment> ReadAssignment(const InstanceDirectory& directory) {
  const Result<std::string> text = ReadFile(directory.assignment(), agent::kAssignmentBytesMax);
  if (!text.ok()) return text.error();
  return protocol::Assignment::FromJson(*text);
}

std::optional<protocol::Report> ReadReport(const InstanceDirectory& directory) {
  const Result<std::string> text = ReadFile(directory.report(), protocol::kReportBytesMax);
  if (!text.ok()) return std::nullopt;
  Result<protocol::Report> report = protocol::Report::FromJson(*text);
  if (!report.ok()) return std::nullopt;
  return std::move(*report);
}

std::optional<AgentIdentity> ReadIdentity(const InstanceDirectory& directory) {
  const Result<std::string> text = ReadFile(directory.identity(), kIdentityBytesMax);
  if (!text.ok()) return std::nullopt;
  Result<AgentIdentity> identity = AgentIdentity::FromJson(*text);
  if (!identity.ok()) return std::nullopt;
  return std::move(*identity);
}

// Takes what the log store does not have yet of a spool that nobody writes any more.
Status TakeOverSpool(const InstanceDirectory& directory, const protocol::Assignment& assignment,
                     observe::LogStore& logs) {
  const Result<UniqueFd> spool = OpenFile(directory.log(), O_RDONLY);
  if (!spool.ok()) return spool.error().code() == ErrorCode::kNotFound ? Status() : spool.error();
  uint64_t offset = logs.SpoolOffset(assignment.log_group, assignment.log_stream);
  for (;;) {
    const Result<std::string> lines = agent::ReadSpoolLines(spool->get(), offset, kLogReadBytes);
    if (!lines.ok()) return lines.error();
    if (lines->empty()) return {};
    const Status appended = logs.AppendSpool(assignment.log_group, assignment.log_stream, offset, *lines);
    if (!appended.ok()) return appended;
    offset += lines->size();
  }
}

// An outcome names staged files by their place in the instance's directory, and only such as lie in its staging area.
std::string AbsoluteStaged(const InstanceDirectory& directory, const std::string& staged) {
  if (staged.empty()) return staged;
  const std::filesystem::path path(staged);
  if (path.parent_path() != "staging" || path.filename() == "..") return std::string();
  return directory.root() / path;
}

}  // namespace

class LocalCompute::Instance final : public FdHandler {
 public:
  Instance(LocalCompute& compute, std::string id)
      : compute_(compute), directory(InstanceDirectory::In(compute.options_.data_dir, id)) {
    view.instance_id = std::move(id);
  }
  ~Instance() { Detach(); }

  void OnEvents(uint32_t) override { compute_.OnProcessEnd(*this); }

  void Detach() {
    if (process && watched) compute_.loop_.Unwatch(process->pidfd.get());
    watched = false;
  }

 private:
  LocalCompute& compute_;

 public:
  const InstanceDirectory directory;
  InstanceView view;
  std::optional<protocol::Assignment> assignment;  // unknown at first when adopted
  std::optional<ProcessHandle> process;
  bool watched = false;
  uint64_t resident = 0;  // bytes, when last looked at
  bool kill_requested = false;
  bool stop_requested = false;
  std::optional<protocol::Command> group;  // once its addresses are known
  std::string ended_how;                   // once its process has ended
  Duration retry_after = kRetryMin;
  FrameStream* stream = nullptr;  // welcomed; in connections_

  // Log on its way to the store: one append at a time, the rest waits here.
  bool appending = false;
  uint64_t log_offset = 0;  // where `log_queue` begins
  std::string log_queue;
};

class LocalCompute::Connection final : public FrameStream::Owner {
 public:
  explicit Connection(LocalCompute& compute) : compute_(compute) {}

  Status OnFrame(FrameStream& from, const protocol::FrameView& frame) override {
    if (frame.kind == FrameKind::kHello && instance_id.empty()) {
      const Result<protocol::Hello> hello = protocol::Hello::FromJson(frame.payload);
      if (!hello.ok()) return hello.error();
      stream = &from;
      compute_.OnHello(*this, *hello);
      return {};
    }
    Instance* instance = compute_.Find(instance_id);
    if (!welcomed || instance == nullptr) return Error(ErrorCode::kCorrupt, "an agent spoke before it was welcomed");
    if (frame.kind == FrameKind::kReport) {
      Result<protocol::Report> report = protocol::Report::FromJson(frame.payload);
      if (!report.ok()) return report.error();
      compute_.TakeReport(*instance, std::move(*report));
      return {};
    }
    if (frame.kind == FrameKind::kLog) {
      compute_.OnLog(*instance, frame.id, frame.payload);
      return {};
    }
    return Error(ErrorCode::kCorrupt, "a frame that an agent does not send");
  }

  void OnClosed(FrameStream& from, const Error& why) override {
    if (why.code() != ErrorCode::kUnavailable) {
      Log(LogLevel::kWarning, "connection to an agent ended", {{"instance", instance_id}, {"error", why.message()}});
    }
    compute_.Drop(from);
  }

  std::string instance_id;  // once it has said hello
  bool welcomed = false;
  FrameStream* stream = nullptr;
  std::shared_ptr<FrameStream> held;

 private:
  LocalCompute& compute_;
};

class LocalCompute::Acceptor final : public FdHandler {
 public:
  Acceptor(LocalCompute& compute, UniqueFd listener) : compute_(compute), listener_(std::move(listener)) {
    Check(compute_.loop_.Watch(listener_.get(), EPOLLIN, this).ok(), "watching the control socket");
  }
  ~Acceptor() { compute_.loop_.Unwatch(listener_.get()); }

  void OnEvents(uint32_t) override {
    while (std::optional<UniqueFd> fd = protocol::AcceptLocal(listener_.get())) {
      const auto strangers = std::count_if(compute_.connections_.begin(), compute_.connections_.end(),
                                           [](const auto& entry) { return entry.second->instance_id.empty(); });
      if (static_cast<size_t>(strangers) >= kStrangersMax) continue;  // closes; a real agent comes back
      auto connection = std::make_unique<Connection>(compute_);
      connection->held = FrameStream::Open(compute_.loop_, std::move(*fd), *connection);
      FrameStream* const key = connection->held.get();
      const std::weak_ptr<FrameStream> weak = connection->held;
      compute_.connections_.emplace(key, std::move(connection));
      compute_.loop_.After(kHelloPatience, [this, alive = compute_.alive_, weak] {
        const std::shared_ptr<FrameStream> stream = weak.lock();
        if (!*alive || stream == nullptr || stream->closed()) return;
        const auto it = compute_.connections_.find(stream.get());
        if (it != compute_.connections_.end() && it->second->instance_id.empty()) compute_.Drop(*stream);
      });
    }
  }

 private:
  LocalCompute& compute_;
  UniqueFd listener_;
};

// What a look at an instance's directory found.
struct LocalCompute::Findings {
  agent::FenceOutcome fence = agent::FenceOutcome::kAlive;
  std::optional<Error> error;  // nothing could be found out just now
  std::optional<protocol::Assignment> assignment;
  std::optional<AgentIdentity> identity;
  std::optional<protocol::Report> report;
  std::optional<ProcessHandle> process;
};

LocalCompute::LocalCompute(EventLoop& loop, ThreadPool& pool, observe::LogStore& logs, LocalOptions options)
    : loop_(loop),
      pool_(pool),
      logs_(logs),
      options_(std::move(options)),
      memory_total_(options_.memory_limit_bytes != 0 ? std::min(options_.memory_limit_bytes, MachineMemoryBytes())
                                                     : MachineMemoryBytes()),
      cpus_(MachineCpus()) {}

LocalCompute::~LocalCompute() {
  *alive_ = false;
  for (auto& [key, connection] : connections_) connection->held->Close();
}

void LocalCompute::SetListener(std::function<void(const std::string&)> listener) {
  listener_ = std::move(listener);
}

LocalCompute::Instance* LocalCompute::Find(const std::string& instance_id) const {
  const auto it = instances_.find(instance_id);
  return it == instances_.end() ? nullptr : it->second.get();
}

void LocalCompute::Notify(const std::string& instance_id) {
  if (!changed_.insert(instance_id).second || changed_.size() > 1) return;
  loop_.Post([this, alive = alive_] {
    if (!*alive) return;
    for (const std::string& id : std::exchange(changed_, {})) {
      if (listener_) listener_(id);
    }
  });
}

void LocalCompute::OnPool(std::function<Task()> work) {
  const Status queued = pool_.Submit([alive = alive_, &loop = loop_, work] {
    Task then = work();
    loop.Post([alive, then = std::move(then)] {
      if (*alive) then();
    });
  });
  if (queued.ok()) return;
  loop_.After(kRetryMin, [this, alive = alive_, work = std::move(work)] {
    if (*alive) OnPool(work);
  });
}

void LocalCompute::Listen() {
  if (acceptor_ != nullptr) return;
  Result<UniqueFd> listener = protocol::ListenLocal(options_.data_dir / agent::kControlSocketName);
  if (listener.ok()) {
    acceptor_ = std::make_unique<Acceptor>(*this, std::move(*listener));
    return;
  }
  Log(LogLevel::kError, "agents cannot be listened to yet", {{"error", listener.error().message()}});
  loop_.After(kRetryMax, [this, alive = alive_] {
    if (*alive) Listen();
  });
}

void LocalCompute::Adopt(const std::vector<std::string>& open, const std::set<std::string>& wanted) {
  for (const std::string& id : open) {
    if (Find(id) != nullptr) continue;
    instances_.emplace(id, std::make_unique<Instance>(*this, id));
    Investigate(id);
  }
  Sweep(wanted);
  Listen();
}

void LocalCompute::Sweep(const std::set<std::string>& wanted) {
  OnPool([this, wanted, instances = options_.data_dir / agent::kInstancesName]() -> Task {
    std::vector<std::string> found;
    std::error_code error;
    for (auto it = std::filesystem::directory_iterator(instances, error);
         !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
      if (const std::string id = it->path().filename(); !wanted.contains(id)) found.push_back(id);
    }
    return [this, found = std::move(found)] {
      for (const std::string& id : found) {
        if (Find(id) == nullptr) Forget(id);
      }
    };
  });
}

Status LocalCompute::Start(const InstanceRequest& request) {
  const std::string& id = request.assignment.instance_id;
  Check(!id.empty() && id.find('/') == std::string::npos && id[0] != '.', "an instance id must be a file name");
  if (Find(id) != nullptr) return {};
  if (GetCapacity().hosts_free == 0) {
    return Error(ErrorCode::kResourceExhausted,
                 std::to_string(options_.hosts_max) + " instances run already, as many as are allowed at once");
  }
  Listen();
  auto instance = std::make_unique<Instance>(*this, id);
  instance->assignment = request.assignment;
  instance->view.owner_uid = request.assignment.owner_uid;
  instance->view.attempt = request.assignment.attempt;
  instance->view.memory_bytes = request.assignment.memory_bytes;
  instances_.emplace(id, std::move(instance));
  protocol::Assignment assignment = request.assignment;
  assignment.python = options_.python;
  Launch(id, assignment);
  return {};
}

void LocalCompute::Launch(const std::string& id, const protocol::Assignment& assignment) {
  OnPool([this, id, assignment, executable = options_.executable, data_dir = options_.data_dir]() -> Task {
    const InstanceDirectory directory = InstanceDirectory::In(data_dir, id);
    Status made = agent::CreateInstanceDirectory(directory, assignment);
    Result<ProcessHandle> process = made.ok() ? SpawnAgent(executable, directory) : Result<ProcessHandle>(made.error());
    auto shared = std::make_shared<Result<ProcessHandle>>(std::move(process));
    return [this, id, shared] {
      Instance* const instance = Find(id);
      if (instance == nullptr) return;
      if (!shared->ok()) {
        instance->ended_how = "it could not be started: " + shared->error().message();
        Log(LogLevel::kError, "an instance could not be started",
            {{"instance", id}, {"error", shared->error().message()}});
        return Investigate(id);
      }
      instance->process = std::move(**shared);
      Attach(*instance);
    };
  });
}

void LocalCompute::Attach(Instance& instance) {
  Check(loop_.Watch(instance.process->pidfd.get(), EPOLLIN, &instance).ok(), "watching a process");
  instance.watched = true;
  if (instance.kill_requested) KillProcess(*instance.process);
}

void LocalCompute::OnProcessEnd(Instance& instance) {
  instance.Detach();
  instance.ended_how = ReapProcess(*instance.process);
  instance.process.reset();
  Investigate(instance.view.instance_id);
}

void LocalCompute::Investigate(const std::string& id) {
  const Instance* const instance = Find(id);
  if (instance == nullptr || instance->view.life == InstanceLife::kGone) return;
  OnPool([this, id, directory = instance->directory, assignment = instance->assignment, &logs = logs_]() -> Task {
    auto findings = std::make_shared<Findings>();
    const Result<agent::FenceOutcome> fence = agent::FenceInstance(directory);
    if (!fence.ok()) {
      findings->error = fence.error();
    } else {
      findings->fence = *fence;
      findings->assignment = assignment;
      if (!findings->assignment) {
        if (Result<protocol::Assignment> read = ReadAssignment(directory); read.ok()) {
          findings->assignment = std::move(*read);
        }
      }
      findings->identity = ReadIdentity(directory);
      findings->report = ReadReport(directory);
      if (*fence == agent::FenceOutcome::kAlive && findings->identity) {
        findings->process = FindProcess(*findings->identity);
      }
      if (*fence == agent::FenceOutcome::kFenced && findings->assignment) {
        if (const Status taken = TakeOverSpool(directory, *findings->assignment, logs); !taken.ok()) {
          Log(LogLevel::kError, "the end of an instance's log is lost",
              {{"instance", id}, {"error", taken.error().message()}});
        }
      }
    }
    return [this, id, findings] { OnFindings(id, findings); };
  });
}

void LocalCompute::OnFindings(const std::string& id, std::shared_ptr<Findings> findings) {
  Instance* const instance = Find(id);
  if (instance == nullptr || instance->view.life == InstanceLife::kGone) return;
  InstanceView& view = instance->view;
  if (!instance->assignment && findings->assignment) {
    instance->assignment = findings->assignment;
    view.owner_uid = findings->assignment->owner_uid;
    view.attempt = findings->assignment->attempt;
    view.memory_bytes = findings->assignment->memory_bytes;
  }
  if (findings->identity) view.started = findings->identity->started;
  if (findings->report) TakeReport(*instance, std::move(*findings->report));

  if (!findings->error && findings->fence == agent::FenceOutcome::kFenced) {
    view.life = InstanceLife::kGone;
    if (view.report && !view.started) view.started = view.report->phase_times.front().at;
    if (view.report && view.report->outcome) {
      view.ended = view.report->outcome->finished;
    } else if (view.report) {
      view.ended = view.report->heartbeat;
    } else {
      view.ended = view.started;
    }
    view.gone_reason = !instance->ended_how.empty() ? instance->ended_how
                       : view.started               ? "its process ended while no server ran"
                                                    : "it was never started";
    if (instance->stream != nullptr) Drop(*instance->stream);
    return Notify(id);
  }
  if (findings->error) {
    Log(LogLevel::kWarning, "an instance cannot be looked into",
        {{"instance", id}, {"error", findings->error->message()}});
  }
  if (findings->process && !instance->process) {
    instance->process = std::move(findings->process);
    instance->retry_after = kRetryMin;
    Attach(*instance);
    return;
  }
  if (instance->process) return;
  // Alive but not to be named yet (it has the lock and is about to write who it is), or the disk failed us: look again.
  loop_.After(instance->retry_after, [this, alive = alive_, id] {
    if (*alive) Investigate(id);
  });
  instance->retry_after = std::min(instance->retry_after * 2, kRetryMax);
}

void LocalCompute::TakeReport(Instance& instance, protocol::Report report) {
  InstanceView& view = instance.view;
  if (report.instance_id != view.instance_id || report.phase_times.empty()) return;
  if (instance.assignment && (report.owner_uid != view.owner_uid || report.attempt != view.attempt)) return;
  if (view.life == InstanceLife::kGone) return;
  if (view.report && (report.sequence < view.report->sequence || (view.report->outcome && !report.outcome))) return;
  // A heartbeat alone is no news; it is looked up in the file when it counts.
  const bool news = !view.report || report.sequence != view.report->sequence;
  if (report.checkpoint) report.checkpoint->staged = AbsoluteStaged(instance.directory, report.checkpoint->staged);
  if (report.outcome) {
    report.outcome->staged_artifact = AbsoluteStaged(instance.directory, report.outcome->staged_artifact);
    report.outcome->staged_output = AbsoluteStaged(instance.directory, report.outcome->staged_output);
  }
  if (view.report) report.heartbeat = std::max(report.heartbeat, view.report->heartbeat);
  view.started = report.phase_times.front().at;
  view.report = std::move(report);
  if (view.life == InstanceLife::kStarting) view.life = InstanceLife::kRunning;
  if (instance.assignment && instance.assignment->role == protocol::Role::kServing) {
    view.address = instance.directory.socket();
  }
  if (news) Notify(view.instance_id);
}

void LocalCompute::OnHello(Connection& connection, const protocol::Hello& hello) {
  const Instance* const instance = Find(hello.instance_id);
  if (instance == nullptr || instance->view.life == InstanceLife::kGone) return Drop(*connection.stream);
  connection.instance_id = hello.instance_id;
  OnPool([this, &logs = logs_, weak = connection.stream->weak_from_this(), hello, directory = instance->directory,
          assignment = instance->assignment]() mutable -> Task {
    if (!assignment) {
      if (Result<protocol::Assignment> read = ReadAssignment(directory); read.ok()) assignment = std::move(*read);
    }
    const uint64_t offset = assignment ? logs.SpoolOffset(assignment->log_group, assignment->log_stream) : 0;
    return [this, weak, hello, assignment, offset] {
      const std::shared_ptr<FrameStream> stream = weak.lock();
      if (stream != nullptr && !stream->closed()) OnWelcomeReady(stream.get(), hello, assignment, offset);
    };
  });
}

void LocalCompute::OnWelcomeReady(FrameStream* stream, const protocol::Hello& hello,
                                  const std::optional<protocol::Assignment>& assignment, uint64_t log_offset) {
  const auto it = connections_.find(stream);
  Instance* const instance = Find(hello.instance_id);
  if (it == connections_.end()) return;
  const bool known = instance != nullptr && instance->view.life != InstanceLife::kGone && assignment &&
                     assignment->owner_uid == hello.owner_uid && assignment->attempt == hello.attempt &&
                     hello.token == (assignment->session ? assignment->session->token : std::string());
  if (!known) {
    Log(LogLevel::kWarning, "an agent of another attempt was turned away", {{"instance", hello.instance_id}});
    return Drop(*stream);
  }
  if (!instance->assignment) {
    instance->assignment = assignment;
    instance->view.owner_uid = assignment->owner_uid;
    instance->view.attempt = assignment->attempt;
    instance->view.memory_bytes = assignment->memory_bytes;
  }
  if (instance->stream != nullptr) Drop(*instance->stream);  // it has come back on a new one
  // What is still on its way into the store is skipped there when it comes again.
  instance->log_queue.clear();
  instance->log_offset = log_offset;
  instance->stream = stream;
  it->second->welcomed = true;
  const protocol::Welcome welcome{.instance_id = hello.instance_id,
                                  .owner_uid = hello.owner_uid,
                                  .attempt = hello.attempt,
                                  .log_offset = log_offset};
  protocol::AppendFrame(stream->out(), FrameKind::kWelcome, 0, welcome.ToJson());
  if (instance->group) protocol::AppendCommand(stream->out(), *instance->group);
  if (instance->stop_requested) protocol::AppendCommand(stream->out(), {protocol::CommandKind::kStop});
  stream->WriteSoon();
}

void LocalCompute::OnLog(Instance& instance, uint64_t offset, std::string_view lines) {
  if (instance.log_queue.empty()) instance.log_offset = offset;
  if (instance.log_offset + instance.log_queue.size() != offset) return Drop(*instance.stream);
  instance.log_queue.append(lines);
  if (instance.log_queue.size() > kLogQueuedBytesMax) instance.stream->PauseReading();
  if (!instance.appending) AppendLog(instance);
}

void LocalCompute::AppendLog(Instance& instance) {
  instance.appending = true;
  const uint64_t offset = instance.log_offset;
  instance.log_offset += instance.log_queue.size();
  OnPool([this, &logs = logs_, id = instance.view.instance_id, group = instance.assignment->log_group,
          stream = instance.assignment->log_stream, offset, lines = std::exchange(instance.log_queue, {})]() -> Task {
    Status appended = logs.AppendSpool(group, stream, offset, lines);
    return [this, id, appended] {
      Instance* const after = Find(id);
      if (after == nullptr) return;
      after->appending = false;
      if (!appended.ok()) {
        // The agent comes back after a while and goes on from where the store is.
        Log(LogLevel::kWarning, "log lines were not stored", {{"instance", id}, {"error", appended.error().message()}});
        after->log_queue.clear();
        if (after->stream != nullptr) Drop(*after->stream);
        return;
      }
      if (after->stream != nullptr) after->stream->ResumeReading();
      if (!after->log_queue.empty()) AppendLog(*after);
    };
  });
}

void LocalCompute::Drop(FrameStream& stream) {
  const auto it = connections_.find(&stream);
  if (it == connections_.end()) return;
  if (Instance* const instance = Find(it->second->instance_id); instance != nullptr && instance->stream == &stream) {
    instance->stream = nullptr;
  }
  // The call may come from within the stream's own handler.
  stream.Close();
  loop_.Post([connection = std::shared_ptr<Connection>(std::move(it->second))] {});
  connections_.erase(it);
}

void LocalCompute::Send(const std::string& instance_id, const protocol::Command& command) {
  Instance* const instance = Find(instance_id);
  if (instance == nullptr || instance->view.life == InstanceLife::kGone) return;
  // What is asked of it is asked once, and again at every welcome.
  if (command.kind == protocol::CommandKind::kStop) {
    if (std::exchange(instance->stop_requested, true)) return;
  } else if (std::exchange(instance->group, command) == command) {
    return;
  }
  if (instance->stream == nullptr) return;
  protocol::AppendCommand(instance->stream->out(), command);
  instance->stream->WriteSoon();
}

void LocalCompute::Kill(const std::string& instance_id) {
  Instance* const instance = Find(instance_id);
  if (instance == nullptr || instance->view.life == InstanceLife::kGone) return;
  instance->kill_requested = true;  // for when its process is known
  if (instance->process) KillProcess(*instance->process);
}

void LocalCompute::Forget(const std::string& instance_id) {
  if (const Instance* const instance = Find(instance_id)) {
    Check(instance->view.life == InstanceLife::kGone, "an instance is forgotten that is not proven gone");
    instances_.erase(instance_id);
  }
  OnPool([directory = InstanceDirectory::In(options_.data_dir, instance_id)]() -> Task {
    const Result<agent::FenceOutcome> fence = agent::FenceInstance(directory);
    const bool gone = fence.ok() && *fence == agent::FenceOutcome::kFenced;
    if (const Status removed = gone ? RemoveTree(directory.root()) : Status(); !removed.ok()) {
      Log(LogLevel::kWarning, "an instance's directory was not removed", {{"error", removed.error().message()}});
    }
    return [] {};
  });
}

std::optional<InstanceView> LocalCompute::View(const std::string& instance_id) const {
  const Instance* const instance = Find(instance_id);
  if (instance == nullptr) return std::nullopt;
  return instance->view;
}

void LocalCompute::LookAtMemory() const {
  const Duration now = loop_.TurnTime();
  if (memory_seen_ && now - *memory_seen_ < kMemoryLookPeriod) return;
  memory_seen_ = now;
  memory_available_ = AvailableMemoryBytes();
  for (const auto& [id, instance] : instances_) {
    instance->resident = instance->process ? ResidentBytes(instance->process->pid) : 0;
  }
}

Capacity LocalCompute::GetCapacity() const {
  LookAtMemory();
  uint64_t held = 0;
  uint64_t booked_more = 0;  // what instances may still take of what is free now
  uint32_t hosts = 0;
  for (const auto& [id, instance] : instances_) {
    if (instance->view.life == InstanceLife::kGone) continue;
    ++hosts;
    held += std::max(instance->resident, kInstanceMemoryBooked);
    booked_more += kInstanceMemoryBooked - std::min(instance->resident, kInstanceMemoryBooked);
  }
  Capacity out;
  out.memory_total_bytes = memory_total_;
  out.memory_free_bytes = std::min(memory_total_ - std::min(memory_total_, held),
                                   memory_available_ - std::min(memory_available_, booked_more));
  out.cpus = cpus_;
  out.hosts_total = options_.hosts_max;
  out.hosts_free = options_.hosts_max - std::min(options_.hosts_max, hosts);
  return out;
}

void LocalCompute::Measure(std::function<void(std::vector<InstanceUse>)> done) {
  auto found = std::make_shared<std::vector<InstanceUse>>();
  std::vector<pid_t> agents;
  for (const auto& [id, instance] : instances_) {
    if (instance->view.life != InstanceLife::kRunning || !instance->process || !instance->assignment) continue;
    const protocol::Assignment& assignment = *instance->assignment;
    found->push_back({.instance_id = id,
                      .role = assignment.role,
                      .name = assignment.name,
                      .variant = assignment.variant,
                      .host = assignment.host,
                      .memory_bytes = assignment.memory_bytes});
    agents.push_back(instance->process->pid);
  }
  if (found->empty()) return done({});
  OnPool([found, agents, done = std::move(done)]() -> Task {
    const std::map<pid_t, ProcessUse> uses = UseOfTrees(agents);
    auto measured = std::make_shared<std::vector<InstanceUse>>();
    for (size_t i = 0; i < found->size(); ++i) {
      const auto use = uses.find(agents[i]);
      if (use == uses.end()) continue;  // it has ended since
      InstanceUse& instance = measured->emplace_back(std::move((*found)[i]));
      instance.cpu = use->second.cpu;
      instance.resident_bytes = use->second.resident_bytes;
    }
    return [measured, done] { done(std::move(*measured)); };
  });
}

}  // namespace argosy::compute
