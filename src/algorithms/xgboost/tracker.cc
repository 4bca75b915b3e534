#include "algorithms/xgboost/tracker.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/bytes.h"

namespace argosy::algorithms::xgboost {
namespace {

constexpr int32_t kMagic = 0xff99;
constexpr int32_t kTextBytesMax = 64 << 10;
constexpr timeval kPatience{.tv_sec = 60, .tv_usec = 0};         // for each word of a host
constexpr timeval kStrangerPatience{.tv_sec = 2, .tv_usec = 0};  // until it has shown that it is one
constexpr size_t kTokenBytes = 16;

// One host's connection. The first word that does not come makes it broken, and all further ones 0.
class Wire {
 public:
  Wire(UniqueFd fd, std::string address) : fd_(std::move(fd)), address_(std::move(address)) {
    SetPatience(kStrangerPatience);
  }
  void SetPatience(const timeval& patience) {
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  }

  int32_t Int() {
    int32_t value = 0;
    if (broken_) return 0;
    if (::recv(fd_.get(), &value, sizeof value, MSG_WAITALL) != sizeof value) broken_ = true;
    return broken_ ? 0 : value;
  }
  std::string Text() {
    const int32_t size = Int();
    if (size < 0 || size > kTextBytesMax) broken_ = true;
    std::string text(broken_ ? 0 : static_cast<size_t>(size), '\0');
    if (!text.empty() && ::recv(fd_.get(), text.data(), text.size(), MSG_WAITALL) != size) broken_ = true;
    return text;
  }
  void Say(int32_t value) { Say({reinterpret_cast<const char*>(&value), sizeof value}); }
  void SayText(const std::string& text) {
    Say(static_cast<int32_t>(text.size()));
    Say(std::string_view(text));
  }

  bool broken() const { return broken_; }
  const std::string& address() const { return address_; }

 private:
  void Say(std::string_view bytes) {
    if (::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size())) {
      broken_ = true;
    }
  }

  UniqueFd fd_;
  std::string address_;
  bool broken_ = false;
};

// A host that listens for those of its neighbours that come later.
struct Listening {
  std::string address;
  int32_t port = 0;
  size_t awaited = 0;
};

// Tells a host of `world` its place, and of its neighbours those that listen already. False when it has gone.
bool Introduce(Wire& host, int32_t rank, int32_t world, std::map<int32_t, Listening>& listening) {
  std::set<int32_t> neighbours;
  const int32_t parent = rank == 0 ? -1 : (rank - 1) / 2;
  for (const int32_t other : {parent, 2 * rank + 1, 2 * rank + 2}) {
    if (other >= 0 && other < world) neighbours.insert(other);
  }
  host.Say(rank);
  host.Say(parent);
  host.Say(world);
  host.Say(static_cast<int32_t>(neighbours.size()));
  for (const int32_t other : neighbours) host.Say(other);
  for (const int32_t other : {(rank + world - 1) % world, (rank + 1) % world}) {
    host.Say(other == rank ? -1 : other);
    if (other != rank) neighbours.insert(other);
  }
  while (!host.broken()) {
    std::set<int32_t> missing = neighbours;
    for (int32_t left = host.Int(); left > 0 && !host.broken(); --left) missing.erase(host.Int());
    std::vector<int32_t> there;
    std::ranges::copy_if(missing, std::back_inserter(there), [&](int32_t r) { return listening.contains(r); });
    host.Say(static_cast<int32_t>(there.size()));
    host.Say(static_cast<int32_t>(missing.size() - there.size()));
    for (const int32_t other : there) {
      host.SayText(listening[other].address);
      host.Say(listening[other].port);
      host.Say(other);
    }
    if (host.Int() != 0) continue;  // so many could not be reached: once more
    const int32_t port = host.Int();
    for (const int32_t other : there) {
      if (--listening[other].awaited == 0) listening.erase(other);
    }
    if (missing.size() > there.size()) listening[rank] = {host.address(), port, missing.size() - there.size()};
    return !host.broken();
  }
  return false;
}

std::optional<Wire> Accept(int listener) {
  sockaddr_in from{};
  socklen_t size = sizeof from;
  UniqueFd fd(::accept4(listener, reinterpret_cast<sockaddr*>(&from), &size, SOCK_CLOEXEC));
  if (!fd.valid()) return std::nullopt;
  char text[INET_ADDRSTRLEN] = "";
  ::inet_ntop(AF_INET, &from.sin_addr, text, sizeof text);
  return Wire(std::move(fd), text);
}

// Until all have said that they are done, or the listener is shut down. A host that breaks off is left to the others,
// whose connections to it fail.
void Serve(int listener, const std::string& token, size_t hosts) {
  std::map<int32_t, Wire> waiting;  // by rank, until all are there
  std::map<int32_t, Listening> listening;
  for (size_t done = 0; done < hosts;) {
    std::optional<Wire> host = Accept(listener);
    if (!host) return;
    if (host->Int() != kMagic) continue;
    host->Say(kMagic);
    (void)host->Int();  // the rank it had
    (void)host->Int();  // how many it thinks there are
    const std::string task_id = host->Text();
    const std::string command = host->Text();
    if (host->broken() || !task_id.starts_with(token + ":")) continue;
    host->SetPatience(kPatience);
    const auto task = ParseInt(std::string_view(task_id).substr(token.size() + 1));
    if (command == "shutdown") {
      ++done;
    } else if (command == "print") {
      (void)host->Text();
    } else if (command == "start" && task && *task >= 0 && *task < static_cast<int64_t>(hosts)) {
      waiting.insert_or_assign(static_cast<int32_t>(*task), std::move(*host));
      if (waiting.size() < hosts) continue;
      for (auto& [rank, wire] : waiting) (void)Introduce(wire, rank, static_cast<int32_t>(hosts), listening);
      waiting.clear();
    }
  }
}

}  // namespace

Result<std::unique_ptr<Tracker>> Tracker::Start(const std::string& address, size_t hosts) {
  UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in at{};
  at.sin_family = AF_INET;
  socklen_t size = sizeof at;
  std::string token(kTokenBytes, '\0');
  const bool ok = listener.valid() && ::inet_pton(AF_INET, address.c_str(), &at.sin_addr) == 1 &&
                  ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0 &&
                  ::listen(listener.get(), static_cast<int>(4 * hosts)) == 0 &&
                  ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&at), &size) == 0 &&
                  ::getrandom(token.data(), token.size(), 0) == static_cast<ssize_t>(token.size());
  if (!ok) return ErrnoError("listening at " + address + " for XGBoost's hosts", errno);
  return std::unique_ptr<Tracker>(new Tracker(std::move(listener), ntohs(at.sin_port), ToHex(token), hosts));
}

Tracker::Tracker(UniqueFd listener, uint16_t port, std::string token, size_t hosts)
    : listener_(std::move(listener)),
      port_(port),
      token_(std::move(token)),
      thread_([this, hosts] { Serve(listener_.get(), token_, hosts); }) {}

Tracker::~Tracker() {
  ::shutdown(listener_.get(), SHUT_RDWR);
  thread_.join();
}

}  // namespace argosy::algorithms::xgboost
