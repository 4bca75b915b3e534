// Only for tests: a server that a test plays.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/files.h"

namespace argosy::http {

// A server of one connection after the other, each played by a function on its thread.
class OddServer {
 public:
  using Play = std::function<void(int fd)>;

  explicit OddServer(std::vector<Play> plays) {
    listener_ = UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    Check(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) == 0 && listen(listener_.get(), 8) == 0);
    Check(getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, plays = std::move(plays)] {
      for (const Play& play : plays) {
        const UniqueFd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!fd.valid()) return;
        play(fd.get());
      }
    });
  }
  ~OddServer() {
    shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  uint16_t port() const { return port_; }

  // The next request of the connection; "" when the client has closed.
  static std::string Take(int fd) {
    std::string got;
    char byte;
    while (got.find("\r\n\r\n") == std::string::npos) {
      if (read(fd, &byte, 1) != 1) return "";
      got.push_back(byte);
    }
    return got;
  }
  static void Give(int fd, std::string_view bytes) { Check(WriteAll(fd, bytes).ok()); }

 private:
  UniqueFd listener_;
  uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace argosy::http
