#include "http/server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/log.h"
#include "http/connection.h"
#include "http/server_core.h"

namespace argosy::http {
namespace {

constexpr int kBacklog = 4096;        // the kernel cuts it to net.core.somaxconn
constexpr int kAcceptsPerTurn = 256;  // so that a flood of new connections does not keep open ones waiting
constexpr size_t kBlocksKept = 1024;  // of those not in use: 12 MiB, as many as requests are commonly under way

constexpr std::string_view kOverLimitAnswer =
    "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\nContent-Type: text/plain; "
    "charset=utf-8\r\n"
    "Content-Length: 31\r\n\r\nToo many connections are open.\n";

UniqueFd OpenSpare() {
  return UniqueFd(open("/dev/null", O_RDONLY | O_CLOEXEC));
}

void TurnAway(int fd) {
  // Best effort: a client that has not read yet may see a reset instead.
  (void)!send(fd, kOverLimitAnswer.data(), kOverLimitAnswer.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

// 127.0.0.0/8, ::1, and the first of them written as IPv6.
ClientPlace PlaceOf(const sockaddr_storage& address) {
  const auto of_v4 = [](uint32_t host_order) {
    return host_order >> 24 == IN_LOOPBACKNET ? ClientPlace::kLoopback : ClientPlace::kElsewhere;
  };
  if (address.ss_family == AF_INET) {
    return of_v4(ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr));
  }
  if (address.ss_family != AF_INET6) return ClientPlace::kElsewhere;
  const in6_addr& v6 = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  if (IN6_IS_ADDR_LOOPBACK(&v6)) return ClientPlace::kLoopback;
  if (!IN6_IS_ADDR_V4MAPPED(&v6)) return ClientPlace::kElsewhere;
  uint32_t v4 = 0;
  std::memcpy(&v4, v6.s6_addr + 12, sizeof v4);
  return of_v4(ntohl(v4));
}

}  // namespace

Result<UniqueFd> OpenListener(std::string_view address, uint16_t port) {
  const std::string text(address == "localhost" ? "127.0.0.1" : address);
  const std::string place =
      (text.find(':') == std::string::npos ? text : "[" + text + "]") + ":" + std::to_string(port);
  sockaddr_storage storage{};
  socklen_t size = 0;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
  if (inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    size = sizeof *v4;
  } else if (inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    size = sizeof *v6;
  } else {
    return Error(ErrorCode::kInvalidArgument, "cannot listen on '" + text + "': it is not an IP address");
  }
  UniqueFd fd(socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return ErrnoError("cannot make a socket to listen on " + place, errno);
  const int one = 1;
  // A port whose last connections are still in TIME_WAIT can be taken again at once; one that is listened on cannot.
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  // Inherited by what is accepted: answers are written in one go, nothing is gained by holding them back.
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&storage), size) != 0) {
    if (errno == EADDRINUSE) {
      return Error(ErrorCode::kAlreadyExists, "cannot listen on " + place + ": another program is using this port");
    }
    return ErrnoError("cannot listen on " + place, errno);
  }
  if (listen(fd.get(), kBacklog) != 0) {
    if (errno == EADDRINUSE) {
      return Error(ErrorCode::kAlreadyExists, "cannot listen on " + place + ": another program is using this port");
    }
    return ErrnoError("cannot listen on " + place, errno);
  }
  return fd;
}

Result<uint16_t> PortOf(const UniqueFd& listener) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (getsockname(listener.get(), reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
    return ErrnoError("the socket to listen on", errno);
  }
  const in_port_t port = storage.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&storage)->sin6_port
                                                       : reinterpret_cast<sockaddr_in*>(&storage)->sin_port;
  return ntohs(port);
}

Result<UniqueFd> DuplicateListener(const UniqueFd& listener) {
  UniqueFd fd(fcntl(listener.get(), F_DUPFD_CLOEXEC, 0));
  if (!fd.valid()) return ErrnoError("duplicating a listening socket", errno);
  return fd;
}

Server::Server(EventLoop* loop, Handler* handler, const ServerLimits& limits, const Clock* clock, ThreadPool* files)
    : core_(std::make_shared<ServerCore>(loop, handler, limits, clock, files)) {}

Server::~Server() {
  core_->CloseAll();
}

Status Server::Listen(std::string_view address, uint16_t port) {
  Result<UniqueFd> listener = OpenListener(address, port);
  if (!listener) return listener.error();
  return core_->Listen(std::move(*listener));
}

Status Server::Listen(UniqueFd listener) {
  return core_->Listen(std::move(listener));
}
uint16_t Server::port() const {
  return core_->port();
}
void Server::Stop(Duration bound, Task done) {
  core_->Stop(bound, std::move(done));
}
void Server::CheckTimeouts() {
  core_->CheckTimeouts();
}
std::string_view Server::date_line() {
  core_->BeginTurn();
  return core_->date_line();
}
const ServerCounters& Server::counters() const {
  return core_->counters();
}

ServerCore::ServerCore(EventLoop* loop, Handler* handler, const ServerLimits& limits, const Clock* clock,
                       ThreadPool* files)
    : loop_(loop), handler_(handler), limits_(limits), clock_(clock), files_(files), spare_(OpenSpare()) {}

Status ServerCore::Listen(UniqueFd listener) {
  Check(!listener_.valid(), "a server listens once");
  const Result<uint16_t> port = PortOf(listener);
  if (!port.ok()) return port.error();
  // Several loops may watch one socket: only one of them is woken for a connection.
  if (Status status = loop_->Watch(listener.get(), EPOLLIN | EPOLLEXCLUSIVE, this); !status) return status;
  port_ = *port;
  listener_ = std::move(listener);
  return {};
}

void ServerCore::OnEvents(uint32_t) {
  BeginTurn();
  Accept();
}

void ServerCore::Accept() {
  for (int i = 0; i < kAcceptsPerTurn && listener_.valid(); ++i) {
    sockaddr_storage from{};
    socklen_t from_size = sizeof from;
    UniqueFd fd(accept4(listener_.get(), reinterpret_cast<sockaddr*>(&from), &from_size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd.valid()) {
      if (errno == EMFILE || errno == ENFILE) RefuseOneForLackOfDescriptors();
      if (errno == EAGAIN || errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) return;
      continue;  // that client has gone again
    }
    ++counters_.connections_accepted;
    if (connections_.size() >= limits_.connections_max) {
      ++counters_.connections_refused;
      TurnAway(fd.get());
      continue;
    }
    const int number = fd.get();
    auto connection = std::make_shared<Connection>(this, std::move(fd), PlaceOf(from), connections_.size());
    if (!loop_->Watch(number, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, connection.get())) {
      ++counters_.connections_refused;
      continue;
    }
    connections_.push_back(std::move(connection));
    counters_.connections_open = connections_.size();
    ScheduleSweep();
  }
}

void ServerCore::RefuseOneForLackOfDescriptors() {
  ++counters_.connections_refused;
  spare_.reset();
  {
    const UniqueFd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.valid()) TurnAway(fd.get());
  }
  spare_ = OpenSpare();
  errno = EMFILE;
}

void ServerCore::BeginTurn() {
  if (turn_ == loop_->TurnTime()) return;
  turn_ = loop_->TurnTime();
  now_ = clock_->Monotonic();
  const Time wall = clock_->Now();
  const int64_t second = std::chrono::floor<std::chrono::seconds>(wall).time_since_epoch().count();
  if (second == date_second_) return;
  date_second_ = second;
  date_line_ = "Date: " + FormatHttpDate(wall) + "\r\n";
}

std::unique_ptr<InputBlock> ServerCore::TakeBlock() {
  if (!blocks_.empty()) {
    std::unique_ptr<InputBlock> block = std::move(blocks_.back());
    blocks_.pop_back();
    return block;
  }
  auto block = std::make_unique_for_overwrite<InputBlock>();
  block->bytes = std::make_unique_for_overwrite<char[]>(kBlockBytes);
  block->capacity = kBlockBytes;
  return block;
}

void ServerCore::GiveBlock(std::unique_ptr<InputBlock> block) {
  if (block->capacity == kBlockBytes && blocks_.size() < kBlocksKept) blocks_.push_back(std::move(block));
}

char* ServerCore::scratch() {
  if (!scratch_) scratch_ = std::make_unique_for_overwrite<char[]>(kScratchBytes);
  return scratch_.get();
}

void ServerCore::MarkReady(Connection* connection) {
  if (connection->listed() == Connection::Listed::kYes) return;
  connection->set_listed(Connection::Listed::kYes);
  ready_.push_back(connection);
  ScheduleEndOfTurn();
}

void ServerCore::Remove(Connection* connection) {
  const size_t index = connection->index();
  closed_.push_back(std::move(connections_[index]));
  if (index + 1 != connections_.size()) {
    connections_[index] = std::move(connections_.back());
    connections_[index]->set_index(index);
  }
  connections_.pop_back();
  counters_.connections_open = connections_.size();
  ScheduleEndOfTurn();
  if (stopping_ && connections_.empty()) FinishStop();
}

void ServerCore::ScheduleEndOfTurn() {
  if (end_of_turn_scheduled_) return;
  end_of_turn_scheduled_ = true;
  loop_->AtEndOfTurn([core = shared_from_this()] { core->EndTurn(); });
}

void ServerCore::EndTurn() {
  end_of_turn_scheduled_ = false;
  BeginTurn();
  // What is marked while this runs waits for the next call, in the same turn.
  std::vector<Connection*> ready;
  ready.swap(ready_);
  for (Connection* connection : ready) {
    connection->set_listed(Connection::Listed::kNo);
    connection->Advance();
  }
  if (ready_.empty()) {
    closed_.clear();
    ready.clear();
    ready_.swap(ready);  // keeps its memory
  }
}

void ServerCore::ScheduleSweep() {
  if (sweep_scheduled_) return;
  sweep_scheduled_ = true;
  loop_->After(limits_.sweep_interval, [weak = weak_from_this()] {
    const std::shared_ptr<ServerCore> core = weak.lock();
    if (!core) return;
    core->sweep_scheduled_ = false;
    core->CheckTimeouts();
    if (!core->connections_.empty()) core->ScheduleSweep();
  });
}

void ServerCore::CheckTimeouts() {
  turn_ = Duration(-1);
  BeginTurn();
  for (size_t i = connections_.size(); i-- > 0;) {
    // A connection that closes is replaced by the last one, which has had its turn.
    connections_[i]->CheckTimeouts();
  }
}

void ServerCore::Stop(Duration bound, Task done) {
  Check(!stopping_, "a server is stopped once");
  stopping_ = true;
  stopped_ = std::move(done);
  if (listener_.valid()) loop_->Unwatch(listener_.get());
  listener_.reset();
  for (size_t i = connections_.size(); i-- > 0;) connections_[i]->CloseWhenIdle();
  if (connections_.empty()) {
    FinishStop();
    return;
  }
  stop_timer_ = loop_->After(bound, [weak = weak_from_this()] {
    if (const std::shared_ptr<ServerCore> core = weak.lock()) core->CloseAll();
  });
}

void ServerCore::FinishStop() {
  if (!stopped_) return;
  loop_->Cancel(stop_timer_);
  loop_->Post(std::exchange(stopped_, nullptr));
}

void ServerCore::CloseAll() {
  if (listener_.valid()) loop_->Unwatch(listener_.get());
  listener_.reset();
  while (!connections_.empty()) connections_.back()->Close();
}

}  // namespace argosy::http
