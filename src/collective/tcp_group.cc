#include "collective/tcp_group.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "base/bytes.h"
#include "base/files.h"

namespace argosy::collective {
namespace {

constexpr size_t kTokenBytes = 16;
constexpr uint64_t kMessageBytesMax = uint64_t{8} << 30;  // more would be a broken peer
constexpr int kDeadMillis = 60'000;                       // a machine that acknowledges nothing for so long is gone
constexpr Duration kLookPeriod = std::chrono::seconds(1);

// What a host that connects says first.
struct Hello {
  std::array<char, 8> magic = {'a', 'r', 'g', 'o', 's', 'y', 'g', '1'};
  uint32_t rank = 0;
  uint32_t size = 0;
  std::array<char, kTokenBytes> token{};
};

Error Apart(const std::string& what) {
  return Error(ErrorCode::kUnavailable, "the group of hosts has come apart: " + what);
}

std::string HostName(size_t rank) {
  return "algo-" + std::to_string(rank + 1);
}

void SetOptions(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // rounds are short and everybody waits for them
  ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  const int idle = kDeadMillis / 2000;
  const int interval = kDeadMillis / 6000;
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
  ::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &kDeadMillis, sizeof kDeadMillis);
}

// A message on its way to one host and one on its way from it: a length of 8 bytes, then the bytes.
class Transfer {
 public:
  Transfer(int fd, std::optional<std::string_view> send, bool receive) : fd_(fd), receiving_(receive) {
    if (!send) return;
    payload_ = *send;
    length_out_ = payload_.size();
    left_ = sizeof length_out_ + payload_.size();
  }

  short wanted() const { return static_cast<short>((left_ > 0 ? POLLOUT : 0) | (receiving_ ? POLLIN : 0)); }
  bool done() const { return left_ == 0 && !receiving_; }
  std::string& received() { return received_; }

  // As much as can be done without waiting.
  Status Go(const std::string& host) {
    while (left_ > 0) {
      const size_t done = sizeof length_out_ + payload_.size() - left_;
      const size_t of_length = std::min(done, sizeof length_out_);
      const size_t of_payload = done - of_length;
      iovec parts[] = {{reinterpret_cast<char*>(&length_out_) + of_length, sizeof length_out_ - of_length},
                       {const_cast<char*>(payload_.data()) + of_payload, payload_.size() - of_payload}};
      msghdr message{};
      message.msg_iov = parts;
      message.msg_iovlen = 2;
      const ssize_t n = ::sendmsg(fd_, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
      if (n < 0) return Apart(host + ": " + ErrnoError("sending", errno).message());
      left_ -= static_cast<size_t>(n);
    }
    while (receiving_) {
      char* const to = length_got_ < sizeof length_in_ ? reinterpret_cast<char*>(&length_in_) + length_got_
                                                       : received_.data() + got_;
      const size_t room = length_got_ < sizeof length_in_ ? sizeof length_in_ - length_got_ : received_.size() - got_;
      const ssize_t n = room == 0 ? 0 : ::recv(fd_, to, room, MSG_DONTWAIT);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
      if (n < 0) return Apart(host + ": " + ErrnoError("receiving", errno).message());
      if (n == 0 && room > 0) return Apart(host + " has left");
      if (length_got_ < sizeof length_in_) {
        length_got_ += static_cast<size_t>(n);
        if (length_got_ < sizeof length_in_) continue;
        if (length_in_ > kMessageBytesMax) return Apart(host + " announces " + std::to_string(length_in_) + " bytes");
        received_.resize(length_in_);
      } else {
        got_ += static_cast<size_t>(n);
      }
      if (got_ == received_.size() && length_got_ == sizeof length_in_) receiving_ = false;
    }
    return {};
  }

 private:
  int fd_;
  std::string_view payload_;
  uint64_t length_out_ = 0;
  size_t left_ = 0;  // to send, of length and payload
  bool receiving_;
  uint64_t length_in_ = 0;
  size_t length_got_ = 0;
  std::string received_;
  size_t got_ = 0;
};

class TcpGroup final : public Group {
 public:
  TcpGroup(const TcpOptions& options, std::vector<UniqueFd> peers) : options_(options), peers_(std::move(peers)) {}

  size_t rank() const override { return options_.rank; }
  size_t size() const override { return options_.size; }
  const std::string& address() const override { return options_.listen; }

  Result<std::vector<std::string>> AllGather(std::string_view bytes) override {
    std::vector<Transfer> transfers;
    for (size_t host = 0; host < size(); ++host) {
      const bool other = host != rank();
      transfers.emplace_back(peers_[host].get(), other ? std::optional(bytes) : std::nullopt, other);
    }
    if (Status s = Exchange(transfers); !s) return s.error();
    std::vector<std::string> parts;
    for (size_t host = 0; host < size(); ++host) {
      parts.push_back(host == rank() ? std::string(bytes) : std::move(transfers[host].received()));
      if (host != rank()) traffic_.bytes_received += parts.back().size();
    }
    traffic_.bytes_sent += (size() - 1) * bytes.size();
    ++traffic_.rounds;
    return parts;
  }

  Status Send(size_t to, std::string_view bytes) override {
    std::vector<Transfer> transfers = Idle();
    transfers[to] = Transfer(peers_[to].get(), bytes, false);
    traffic_.bytes_sent += bytes.size();
    return Exchange(transfers);
  }

  Result<std::string> Receive(size_t from) override {
    std::vector<Transfer> transfers = Idle();
    transfers[from] = Transfer(peers_[from].get(), std::nullopt, true);
    if (Status s = Exchange(transfers); !s) return s.error();
    traffic_.bytes_received += transfers[from].received().size();
    return std::move(transfers[from].received());
  }

 private:
  std::vector<Transfer> Idle() const { return std::vector<Transfer>(size(), Transfer(-1, std::nullopt, false)); }

  // All at once, so that nobody waits for somebody who waits for it.
  Status Exchange(std::vector<Transfer>& transfers) {
    if (broken_) return *broken_;
    const Duration limit = clock_.Monotonic() + options_.patience;
    while (true) {
      std::vector<pollfd> waiting;
      for (size_t host = 0; host < transfers.size(); ++host) {
        if (transfers[host].done()) continue;
        if (Status s = transfers[host].Go(HostName(host)); !s) return Break(s.error());
        if (!transfers[host].done()) waiting.push_back({peers_[host].get(), transfers[host].wanted(), 0});
      }
      if (waiting.empty()) return {};
      const int ready = ::poll(waiting.data(), waiting.size(), Millis(kLookPeriod));
      if (ready < 0 && errno != EINTR) return Break(ErrnoError("waiting for other hosts", errno));
      if (ready == 0 && clock_.Monotonic() > limit) return Break(Apart("another host has said nothing for too long"));
    }
  }

  static int Millis(Duration duration) {
    return static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
  }

  Status Break(const Error& error) {
    broken_ = error;
    return error;
  }

  const TcpOptions options_;
  const SystemClock clock_;
  std::vector<UniqueFd> peers_;  // by rank; its own is none
  std::optional<Error> broken_;
};

bool WaitFor(int fd, short events, Duration until, const Clock& clock) {
  while (clock.Monotonic() < until) {
    pollfd waiting{fd, events, 0};
    if (::poll(&waiting, 1, 100) > 0) return true;
  }
  return false;
}

// All bytes, within the time.
bool ReadAll(int fd, void* bytes, size_t size, Duration until, const Clock& clock) {
  for (size_t done = 0; done < size;) {
    if (!WaitFor(fd, POLLIN, until, clock)) return false;
    const ssize_t n = ::recv(fd, static_cast<char*>(bytes) + done, size - done, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) return false;
    done += n > 0 ? static_cast<size_t>(n) : 0;
  }
  return true;
}

// The meeting of all hosts.
class Joining {
 public:
  Joining(const TcpOptions& options, Rendezvous& rendezvous) : options_(options), rendezvous_(rendezvous) {}

  Result<std::unique_ptr<Group>> Run() {
    if (Status s = Listen(); !s) return s.error();
    // Those of a lower rank are dialled, those of a higher one dial.
    std::vector<std::string> addresses;
    for (size_t host = 0; host < options_.size; ++host) {
      auto address = rendezvous_.AddressOf(host);
      if (!address) return address.error();
      addresses.push_back(std::move(*address));
    }
    until_ = clock_.Monotonic() + options_.connect_patience;
    peers_.resize(options_.size);
    for (size_t host = 0; host < options_.rank; ++host) {
      if (Status s = Dial(host, addresses[host]); !s) return s.error();
    }
    for (size_t missing = options_.size - 1 - options_.rank; missing > 0;) {
      if (!WaitFor(listener_.get(), POLLIN, until_, clock_)) {
        return Error(ErrorCode::kUnavailable, std::to_string(missing) + " of the other hosts did not come");
      }
      if (Accept()) --missing;
    }
    return std::unique_ptr<Group>(new TcpGroup(options_, std::move(peers_)));
  }

 private:
  Status Listen() {
    listener_ = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in at{};
    at.sin_family = AF_INET;
    socklen_t size = sizeof at;
    const bool ok = listener_.valid() && ::inet_pton(AF_INET, options_.listen.c_str(), &at.sin_addr) == 1 &&
                    ::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0 &&
                    ::listen(listener_.get(), static_cast<int>(options_.size)) == 0 &&
                    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&at), &size) == 0 &&
                    ::getrandom(token_.data(), token_.size(), 0) == static_cast<ssize_t>(token_.size());
    if (!ok) return ErrnoError("listening for other hosts at " + options_.listen, errno);
    return rendezvous_.Publish(options_.listen + ":" + std::to_string(ntohs(at.sin_port)) + ":" +
                               ToHex({token_.data(), token_.size()}));
  }

  Status Dial(size_t host, const std::string& address) {
    const size_t port_at = address.find(':');
    const size_t token_at = address.find(':', port_at + 1);
    const auto port = token_at == std::string::npos
                          ? std::nullopt
                          : ParseInt(std::string_view(address).substr(port_at + 1, token_at - port_at - 1));
    const auto token = FromHex(token_at == std::string::npos ? "" : address.substr(token_at + 1));
    sockaddr_in at{};
    at.sin_family = AF_INET;
    if (!port || *port <= 0 || *port > 65535 || !token || token->size() != kTokenBytes ||
        ::inet_pton(AF_INET, address.substr(0, port_at).c_str(), &at.sin_addr) != 1) {
      return Error(ErrorCode::kUnavailable, HostName(host) + " has no address");
    }
    at.sin_port = htons(static_cast<uint16_t>(*port));
    Hello hello{.rank = static_cast<uint32_t>(options_.rank), .size = static_cast<uint32_t>(options_.size)};
    std::copy(token->begin(), token->end(), hello.token.begin());
    UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd.valid() || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 ||
        ::send(fd.get(), &hello, sizeof hello, MSG_NOSIGNAL) != static_cast<ssize_t>(sizeof hello)) {
      return Error(ErrorCode::kUnavailable, HostName(host) + ": " + ErrnoError("connecting", errno).message());
    }
    SetOptions(fd.get());
    peers_[host] = std::move(fd);
    return {};
  }

  // Whether one of those who are waited for has come.
  bool Accept() {
    UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    Hello hello;
    if (!fd.valid() || !ReadAll(fd.get(), &hello, sizeof hello, clock_.Monotonic() + kLookPeriod, clock_)) return false;
    const bool expected = hello.magic == Hello().magic && hello.token == token_ && hello.size == options_.size &&
                          hello.rank > options_.rank && hello.rank < options_.size && !peers_[hello.rank].valid();
    if (!expected) return false;
    SetOptions(fd.get());
    peers_[hello.rank] = std::move(fd);
    return true;
  }

  const TcpOptions& options_;
  Rendezvous& rendezvous_;
  const SystemClock clock_;
  Duration until_{};
  UniqueFd listener_;
  std::array<char, kTokenBytes> token_{};
  std::vector<UniqueFd> peers_;
};

}  // namespace

Result<std::unique_ptr<Group>> JoinTcp(const TcpOptions& options, Rendezvous& rendezvous) {
  return Joining(options, rendezvous).Run();
}

}  // namespace argosy::collective
