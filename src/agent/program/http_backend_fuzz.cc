// A program that answers over HTTP what it likes, on as many connections as it is given: each request is answered at
// most once, whatever comes.
#include <arpa/inet.h>
#include <netinet/in.h>

#include "agent/program/backend_fuzz.h"
#include "agent/program/http_backend.h"

namespace {

using namespace argosy;

UniqueFd Listen(uint16_t& port) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  Check(bind(fd.get(), reinterpret_cast<sockaddr*>(&address), length) == 0 && listen(fd.get(), 16) == 0);
  Check(getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
  port = ntohs(address.sin_port);
  return fd;
}

// Closed at once, so that thousands of runs leave no connections behind.
UniqueFd Accept(int listener) {
  UniqueFd fd(accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  const linger at_once{1, 0};
  if (fd.valid()) setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  return fd;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  agent::FuzzInput input(data, size);
  agent::ProgramPlan plan;
  plan.concurrent_max = 1 + input.Byte() % 4;
  static uint16_t port = 0;
  static const UniqueFd listener = Listen(port);
  plan.port = port;
  std::vector<UniqueFd> connections;
  {
    EventLoop loop;
    agent::HeardEvents heard;
    agent::HttpBackend backend(
        loop, plan,
        [](int, const auto&) -> Result<std::unique_ptr<agent::ChildProcess>> {
          return std::unique_ptr<agent::ChildProcess>();  // there is no process
        },
        heard);
    Check(backend.Start().ok());
    const auto accept_all = [&] {
      for (UniqueFd fd = Accept(listener.get()); fd.valid(); fd = Accept(listener.get())) {
        connections.push_back(std::move(fd));
      }
    };
    uint64_t keys = 0;
    agent::RunTurns(loop, input, [&] {
      accept_all();
      const uint8_t what = input.Byte();
      if (what % 8 < 3 || connections.empty()) return agent::Ask(backend, heard, loop, input, keys);
      const int fd = connections[what / 8 % connections.size()].get();
      agent::Drain(fd);
      switch (what % 8) {
        case 3:
          return agent::SendTo(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        case 4:
          return agent::SendTo(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
        case 5: {
          const size_t bytes = input.Byte() * size_t{256};
          return agent::SendTo(fd, "HTTP/1.1 404 Not\r\nContent-Type: x/y\r\nContent-Length: " + std::to_string(bytes) +
                                       "\r\n\r\n" + std::string(bytes, 'x'));
        }
        case 6:
          return agent::SendTo(fd, input.Text(input.Byte()));
        default:
          shutdown(fd, SHUT_WR);
      }
    });
    accept_all();
    connections.clear();
  }
  return 0;
}
