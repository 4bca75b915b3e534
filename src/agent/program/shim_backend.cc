#include "agent/program/shim_backend.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "base/json.h"

namespace argosy::agent {
namespace {

// What a worker says of itself, once: that it is ready, or why it never will be.
struct WorkerHello {
  std::string error;  // "" = ready
  bool batches = false;
};

Result<WorkerHello> ReadHello(std::string_view text) {
  const Result<Json> json = ParseJson(text);
  if (!json.ok() || !json->is_object()) return Error(ErrorCode::kCorrupt, "a worker's first word is no JSON object");
  WorkerHello out;
  if (const auto error = json->find("error"); error != json->end() && error->is_string()) {
    out.error = error->get<std::string>();
    if (out.error.empty()) out.error = "the model could not be loaded";
  }
  if (const auto batches = json->find("batches"); batches != json->end() && batches->is_boolean()) {
    out.batches = batches->get<bool>();
  }
  return out;
}

}  // namespace

size_t WorkerWindow(Duration each) {
  if (each <= Duration::zero()) return kWorkerWindowMax;
  // Two at least, so that the next one is there when the first is done.
  return static_cast<size_t>(std::clamp<int64_t>(kWorkerQueueTime / each, 2, kWorkerWindowMax));
}

class ShimBackend::Worker final : private protocol::FrameStream::Owner {
 public:
  explicit Worker(ShimBackend& backend) : backend_(backend), loop_(backend.loop_) {}
  ~Worker() {
    if (stream_) stream_->Close();
  }

  Status Start() {
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) return ErrnoError("a worker's socket", errno);
    UniqueFd ours(fds[0]);
    const UniqueFd theirs(fds[1]);
    // Ours alone: the worker waits at its end, and nobody may wait on the loop.
    if (fcntl(ours.get(), F_SETFL, O_NONBLOCK) != 0) return ErrnoError("a worker's socket", errno);
    Result<std::unique_ptr<ChildProcess>> process =
        backend_.launch_(theirs.get(), [this](const std::string& how) { OnProcessEnd(how); });
    if (!process.ok()) return process.error();
    process_ = std::move(*process);
    stream_ = protocol::FrameStream::Open(loop_, std::move(ours), *this);
    return {};
  }

  bool ready() const { return ready_; }
  bool ended() const { return process_ == nullptr || process_->ended(); }
  size_t load() const { return requests_.size(); }

  bool HasRoom() const {
    if (!ready_ || stream_ == nullptr) return false;
    if (requests_.empty()) return true;
    return requests_.size() < (batches_ ? kWorkerBatchMax : WorkerWindow(each_)) && bytes_ < kWorkerBytesMax;
  }

  void Submit(const ProgramRequest& request) {
    if (requests_.empty()) busy_since_ = heard_ = loop_.TurnTime();
    Open open{.bytes = request.body.size(), .ungranted = 0};
    bytes_ += open.bytes;
    requests_.emplace(request.key, open);
    const Duration left = request.deadline - loop_.TurnTime();
    const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    const protocol::InvokeView view{
        .time_left_ms = static_cast<uint32_t>(std::clamp<int64_t>(milliseconds, 1, UINT32_MAX)),
        .content_type = request.content_type,
        .accept = request.accept,
        .custom_attributes = request.custom_attributes,
        .inference_id = request.inference_id,
        .body = request.body};
    protocol::AppendInvoke(stream_->out(), request.key, view,
                           request.in_parts ? protocol::FrameKind::kInvokeInParts : protocol::FrameKind::kInvoke);
    stream_->WriteSoon();
  }

  void Grant(uint64_t key, size_t bytes) {
    const auto request = requests_.find(key);
    if (stream_ == nullptr || request == requests_.end()) return;
    request->second.ungranted -= std::min(request->second.ungranted, bytes);
    protocol::AppendGrant(stream_->out(), key, static_cast<uint32_t>(bytes));
    stream_->WriteSoon();
  }

  // A worker that computes an answer is not interrupted; one that sends parts stops.
  void Cancel(uint64_t key) {
    if (stream_ == nullptr || !requests_.contains(key)) return;
    protocol::AppendFrame(stream_->out(), protocol::FrameKind::kCancel, key, "");
    stream_->WriteSoon();
  }

  bool Stuck(Duration now) const { return !requests_.empty() && now - heard_ >= kProgramStuckAfter; }

  // Its end of the socket closed, a worker leaves.
  void HangUp() {
    if (stream_) stream_->Close();
    stream_.reset();
  }
  void Signal(int signal_number) {
    if (process_) process_->Signal(signal_number);
  }

 private:
  struct Open {
    size_t bytes;
    size_t ungranted;
  };

  Status OnFrame(protocol::FrameStream&, const protocol::FrameView& frame) override {
    switch (frame.kind) {
      case protocol::FrameKind::kHello: {
        const Result<WorkerHello> hello = ReadHello(frame.payload);
        if (!hello.ok()) return hello.error();
        if (ready_) return Error(ErrorCode::kCorrupt, "a worker says hello twice");
        if (!hello->error.empty()) {
          backend_.Fail(Error(ErrorCode::kInvalidArgument, hello->error));
          return {};
        }
        batches_ = hello->batches;
        backend_.concurrency_ += batches_ ? kWorkerBatchMax / 2 : 1;
        ready_ = true;
        backend_.OnWorkerReady();
        return {};
      }
      case protocol::FrameKind::kPart:
      case protocol::FrameKind::kAnswer: {
        const auto request = requests_.find(frame.id);
        if (request == requests_.end()) return Error(ErrorCode::kCorrupt, "an answer to what was not asked");
        const Result<protocol::AnswerView> answer = protocol::ParseAnswer(frame.payload);
        if (!answer.ok()) return answer.error();
        const bool wanted = backend_.requests_.contains(frame.id);
        if (frame.kind == protocol::FrameKind::kPart) {
          request->second.ungranted += answer->body.size();
          if (request->second.ungranted > protocol::kPartCreditBytes) {
            return Error(ErrorCode::kCorrupt, "more parts of an answer than it was granted");
          }
          if (wanted) backend_.events_.OnPart(frame.id, *answer);
          return {};
        }
        bytes_ -= request->second.bytes;
        requests_.erase(request);
        ++answered_;
        if (wanted) {
          backend_.requests_.erase(frame.id);
          backend_.events_.OnAnswer(frame.id, *answer);
        }
        return {};
      }
      default:
        return Error(ErrorCode::kCorrupt, "a frame that a worker does not send");
    }
  }

  void OnBatchEnd(protocol::FrameStream&) override {
    const Duration now = loop_.TurnTime();
    heard_ = now;
    if (answered_ == 0) return;
    // What one took on the average, the newer the more it counts.
    const Duration each = (now - busy_since_) / static_cast<int64_t>(answered_);
    each_ = each_ == Duration::zero() ? each : (3 * each_ + each) / 4;
    busy_since_ = now;
    answered_ = 0;
    backend_.events_.OnRoom();
  }

  void OnClosed(protocol::FrameStream&, const Error& why) override {
    stream_.reset();
    // Its process's end says more; one that goes on without its socket is of no use.
    if (why.code() == ErrorCode::kCorrupt) return backend_.Fail(why.Wrap("a worker broke the protocol"));
    Signal(SIGTERM);
  }

  void OnProcessEnd(const std::string& how) {
    if (backend_.stopped_) return backend_.OnWorkerEnd();
    const char* const when = ready_ ? "" : " before its model was loaded";
    backend_.Fail(Error(ErrorCode::kUnavailable, "a worker of the model " + how + when + "; its log may say why"));
  }

  ShimBackend& backend_;
  EventLoop& loop_;
  std::unique_ptr<ChildProcess> process_;
  std::shared_ptr<protocol::FrameStream> stream_;
  std::unordered_map<uint64_t, Open> requests_;
  size_t bytes_ = 0;
  bool ready_ = false;
  bool batches_ = false;
  size_t answered_ = 0;  // in this batch of frames
  Duration busy_since_{};
  Duration heard_{};
  Duration each_{};
};

ShimBackend::ShimBackend(EventLoop& loop, const ProgramPlan& plan, ProgramLauncher launch, BackendEvents& events)
    : loop_(loop), processes_(plan.processes), launch_(std::move(launch)), events_(events) {}

ShimBackend::~ShimBackend() {
  loop_.Cancel(second_timer_);
  loop_.Cancel(kill_timer_);
}

Status ShimBackend::Start() {
  for (unsigned i = 0; i < processes_; ++i) {
    workers_.push_back(std::make_unique<Worker>(*this));
    if (Status started = workers_.back()->Start(); !started.ok()) return started;
  }
  return {};
}

void ShimBackend::OnWorkerReady() {
  if (++ready_ < processes_ || failed_) return;
  WatchTime();
  events_.OnReady();
}

ShimBackend::Worker* ShimBackend::LeastBusy() const {
  Worker* best = nullptr;
  for (const auto& worker : workers_) {
    if (worker->HasRoom() && (best == nullptr || worker->load() < best->load())) best = worker.get();
  }
  return best;
}

bool ShimBackend::HasRoom() const {
  return LeastBusy() != nullptr;
}

void ShimBackend::Submit(ProgramRequest request) {
  Worker* const worker = LeastBusy();
  Check(worker != nullptr, "a request for workers that have no room");
  requests_.emplace(request.key, worker);
  worker->Submit(request);
}

void ShimBackend::Grant(uint64_t key, size_t bytes) {
  if (const auto it = requests_.find(key); it != requests_.end()) it->second->Grant(key, bytes);
}

void ShimBackend::Cancel(uint64_t key) {
  const auto it = requests_.find(key);
  if (it == requests_.end()) return;
  it->second->Cancel(key);
  requests_.erase(it);
}

void ShimBackend::WatchTime() {
  second_timer_ = loop_.After(std::chrono::seconds(1), [this] {
    for (const auto& worker : workers_) {
      if (worker->Stuck(loop_.TurnTime())) {
        return Fail(Error(ErrorCode::kUnavailable, "a worker of the model answers nothing any more"));
      }
    }
    WatchTime();
  });
}

void ShimBackend::Fail(const Error& why) {
  if (std::exchange(failed_, true) || stopped_) return;
  events_.OnFailed(why);
}

void ShimBackend::OnWorkerEnd() {
  const bool all = std::all_of(workers_.begin(), workers_.end(), [](const auto& worker) { return worker->ended(); });
  if (all && stopped_) std::exchange(stopped_, nullptr)();
}

void ShimBackend::Stop(std::function<void()> done) {
  loop_.Cancel(second_timer_);
  second_timer_ = 0;
  const bool all = std::all_of(workers_.begin(), workers_.end(), [](const auto& worker) { return worker->ended(); });
  if (all) return loop_.Post(std::move(done));
  stopped_ = std::move(done);
  for (const auto& worker : workers_) {
    worker->HangUp();
    worker->Signal(SIGTERM);
  }
  kill_timer_ = loop_.After(kProgramStopGrace, [this] {
    kill_timer_ = 0;
    for (const auto& worker : workers_) worker->Signal(SIGKILL);
  });
}

}  // namespace argosy::agent
