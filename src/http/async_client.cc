#include "http/async_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace argosy::http {
namespace {

constexpr size_t kClientReadBytes = 64 * 1024;
constexpr size_t kClientTurnBytes = 512 * 1024;  // of one connection before the others get their turn

}  // namespace

// One call at a time; idle between two.
class AsyncClient::Connection final : public FdHandler, public std::enable_shared_from_this<Connection> {
 public:
  Connection(AsyncClient& client, UniqueFd fd) : client_(client), loop_(client.loop_), fd_(std::move(fd)) {}
  ~Connection() { Close(); }

  Status Begin() {
    watched_ = Wanted();
    return loop_.Watch(fd_.get(), watched_, this);
  }

  void Start(CallId call, std::string request, Answer& answer) {
    call_ = call;
    answer_ = &answer;
    request_ = std::move(request);
    sent_ = 0;
    write_error_ = 0;
    parser_ = ResponseParser();
    paused_ = heard_ = false;
    since_ = loop_.TurnTime();
    Write();
  }

  void OnEvents(uint32_t events) override {
    const auto self = shared_from_this();
    if ((events & EPOLLOUT) != 0) {
      connected_ = true;
      Write();
    }
    if (fd_.valid() && (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) Read();
  }

  // Not watched at all meanwhile: the end of the stream would be told over and over.
  void Pause() {
    if (paused_) return;
    paused_ = true;
    loop_.Unwatch(fd_.get());
  }
  void Resume() {
    if (!paused_) return;
    paused_ = false;
    watched_ = Wanted();
    Check(loop_.Watch(fd_.get(), watched_, this).ok(), "watching a program's connection");
    // What was read already waits in the buffer.
    loop_.Post([weak = weak_from_this()] {
      if (const auto self = weak.lock(); self && self->fd_.valid() && !self->paused_) self->Handle();
    });
  }

  void Close() {
    if (!fd_.valid()) return;
    if (!paused_) loop_.Unwatch(fd_.get());
    fd_.reset();
  }

  CallId call() const { return call_; }
  bool idle() const { return call_ == 0; }
  bool waits_since(Duration then) const { return call_ != 0 && !heard_ && since_ <= then; }
  bool used_before() const { return used_before_; }
  Duration since() const { return since_; }

 private:
  void Write() {
    while (sent_ < request_.size()) {
      const ssize_t n = send(fd_.get(), request_.data() + sent_, request_.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n > 0) {
        sent_ += static_cast<size_t>(n);
      } else if (n < 0 && errno == EINTR) {
        continue;
      } else if (n < 0 && (errno == EAGAIN || errno == ENOTCONN || errno == EINPROGRESS)) {
        break;
      } else {
        // The server may have answered before it closed: reading tells.
        write_error_ = errno;
        sent_ = request_.size();
        break;
      }
    }
    UpdateWatch();
  }

  void Read() {
    for (size_t turn = 0; turn < kClientTurnBytes && !paused_ && fd_.valid();) {
      const size_t had = in_.size();
      in_.resize(had + kClientReadBytes);
      const ssize_t n = recv(fd_.get(), in_.data() + had, kClientReadBytes, MSG_DONTWAIT);
      const int error = errno;
      in_.resize(had + static_cast<size_t>(std::max<ssize_t>(n, 0)));
      if (n > 0) {
        turn += static_cast<size_t>(n);
        Handle();
        continue;
      }
      if (n < 0 && error == EINTR) continue;
      if (n < 0 && error == EAGAIN) return;
      return Closed(n < 0 ? error : 0);
    }
  }

  // Takes apart what has been read.
  void Handle() {
    const auto self = shared_from_this();
    if (idle()) return Drop();  // bytes that nobody asked for
    size_t at = 0;
    while (!paused_ && fd_.valid() && call_ != 0) {
      const ResponseParser::Step step = parser_.Next(std::string_view(in_).substr(at));
      at += step.consumed;
      if (at > 0 || !in_.empty()) heard_ = true;
      switch (step.state) {
        case ResponseParser::State::kMore:
          in_.erase(0, at);
          return;
        case ResponseParser::State::kHead:
          answer_->OnHead(parser_.head());
          break;
        case ResponseParser::State::kData:
          answer_->OnBody(step.data);
          break;
        case ResponseParser::State::kDone:
          in_.erase(0, at);
          return Done();
        case ResponseParser::State::kMalformed:
          return Fail(Error(ErrorCode::kCorrupt, std::string(parser_.reason())));
      }
    }
    in_.erase(0, std::min(at, in_.size()));
  }

  void Done() {
    const bool keep = parser_.reusable() && in_.empty() && sent_ == request_.size();
    Answer* const answer = std::exchange(answer_, nullptr);
    call_ = 0;
    used_before_ = true;
    since_ = loop_.TurnTime();
    if (request_.capacity() > kClientReadBytes) request_ = std::string();
    if (!keep) Drop();
    answer->OnEnd(Status());
  }

  void Closed(int error) {
    if (idle()) return Drop();
    if (error == 0 && heard_ && parser_.Closed() == ResponseParser::State::kDone) return Done();
    if (!heard_ && in_.empty() && used_before_) {
      // Given up by the server while it was idle.
      const CallId call = std::exchange(call_, 0);
      Answer* const answer = std::exchange(answer_, nullptr);
      std::string request = std::move(request_);
      AsyncClient& client = client_;
      Drop();
      return client.Start(call, std::move(request), *answer, true);
    }
    if (error == 0 && !heard_) error = write_error_;
    if (error != 0) return Fail(ErrnoError("the connection broke", error));
    Fail(Error(ErrorCode::kUnavailable, heard_ ? "the connection was closed in the middle of an answer"
                                               : "the connection was closed without an answer"));
  }

  void Fail(const Error& why) {
    Answer* const answer = std::exchange(answer_, nullptr);
    call_ = 0;
    Drop();
    answer->OnEnd(why.code() == ErrorCode::kCorrupt ? why : Error(ErrorCode::kUnavailable, why.message()));
  }

  void Drop() {
    const auto self = shared_from_this();
    Close();
    client_.Remove(*this);
  }

  uint32_t Wanted() const {
    const uint32_t reading = EPOLLIN | EPOLLRDHUP;
    return !connected_ || sent_ < request_.size() ? reading | EPOLLOUT : reading;
  }

  void UpdateWatch() {
    if (!fd_.valid() || paused_) return;
    const uint32_t events = Wanted();
    if (events == watched_) return;
    watched_ = events;
    Check(loop_.Rewatch(fd_.get(), events, this).ok(), "watching a program's connection");
  }

  AsyncClient& client_;
  EventLoop& loop_;
  UniqueFd fd_;
  CallId call_ = 0;
  Answer* answer_ = nullptr;
  std::string request_;
  size_t sent_ = 0;
  int write_error_ = 0;
  std::string in_;
  ResponseParser parser_;
  Duration since_{};  // the call's begin, or when it became idle
  uint32_t watched_ = 0;
  bool connected_ = false;
  bool heard_ = false;
  bool paused_ = false;
  bool used_before_ = false;
};

AsyncClient::AsyncClient(EventLoop& loop, uint16_t port) : loop_(loop), port_(port) {}

AsyncClient::~AsyncClient() {
  *alive_ = false;
  loop_.Cancel(idle_timer_);
  for (const auto& connection : connections_) connection->Close();
}

Result<AsyncClient::Connection*> AsyncClient::Open() {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return ErrnoError("a connection to the program", errno);
  const int one = 1;
  (void)setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port_);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 && errno != EINPROGRESS) {
    return ErrnoError("a connection to the program", errno);
  }
  auto connection = std::make_shared<Connection>(*this, std::move(fd));
  if (Status begun = connection->Begin(); !begun.ok()) return begun.error();
  connections_.push_back(std::move(connection));
  return connections_.back().get();
}

AsyncClient::CallId AsyncClient::Send(std::string request, Answer& answer) {
  const CallId call = next_call_++;
  Start(call, std::move(request), answer, false);
  return call;
}

void AsyncClient::Start(CallId call, std::string request, Answer& answer, bool fresh_only) {
  Connection* best = nullptr;
  for (const auto& connection : connections_) {
    if (fresh_only || !connection->idle()) continue;
    if (best == nullptr || connection->since() > best->since()) best = connection.get();
  }
  if (best == nullptr) {
    Result<Connection*> opened = Open();
    if (!opened.ok()) return FailSoon(call, answer, Error(ErrorCode::kUnavailable, opened.error().message()));
    best = *opened;
  }
  best->Start(call, std::move(request), answer);
  WatchIdle();
}

void AsyncClient::FailSoon(CallId call, Answer& answer, Error why) {
  failing_.emplace(call, &answer);
  loop_.Post([this, alive = alive_, call, why = std::move(why)] {
    if (!*alive) return;
    const auto it = failing_.find(call);
    if (it == failing_.end()) return;
    Answer* const told = it->second;
    failing_.erase(it);
    told->OnEnd(why);
  });
}

AsyncClient::Connection* AsyncClient::Find(CallId call) const {
  for (const auto& connection : connections_) {
    if (call != 0 && connection->call() == call) return connection.get();
  }
  return nullptr;
}

void AsyncClient::Cancel(CallId call) {
  failing_.erase(call);
  Connection* const connection = Find(call);
  if (connection == nullptr) return;
  connection->Close();
  Remove(*connection);
}

void AsyncClient::Pause(CallId call) {
  if (Connection* const connection = Find(call)) connection->Pause();
}

void AsyncClient::Resume(CallId call) {
  if (Connection* const connection = Find(call)) connection->Resume();
}

void AsyncClient::Remove(Connection& connection) {
  const auto it = std::find_if(connections_.begin(), connections_.end(),
                               [&](const auto& known) { return known.get() == &connection; });
  if (it == connections_.end()) return;
  // The connection may be the one whose call we are in.
  loop_.Post([kept = std::move(*it)] {});
  connections_.erase(it);
}

void AsyncClient::WatchIdle() {
  if (idle_timer_ != 0) return;
  idle_timer_ = loop_.After(kIdleYields, [this] {
    idle_timer_ = 0;
    const Duration then = loop_.TurnTime() - kIdleYields;
    bool busy = false, waits = false;
    for (const auto& connection : connections_) {
      busy = busy || !connection->idle();
      waits = waits || connection->waits_since(then);
    }
    if (waits) {
      std::vector<std::shared_ptr<Connection>> idle;
      std::copy_if(connections_.begin(), connections_.end(), std::back_inserter(idle),
                   [](const auto& connection) { return connection->idle(); });
      for (const auto& connection : idle) {
        connection->Close();
        Remove(*connection);
      }
    }
    if (busy) WatchIdle();
  });
}

}  // namespace argosy::http
