// Workers that say what they like: each request is answered at most once, and what is no protocol ends the backend.
#include <fcntl.h>

#include "agent/program/backend_fuzz.h"
#include "agent/program/shim_backend.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace argosy;
  agent::FuzzInput input(data, size);
  agent::ProgramPlan plan;
  plan.processes = 1 + input.Byte() % 2;
  EventLoop loop;
  agent::HeardEvents heard;
  std::vector<UniqueFd> workers;
  agent::ShimBackend backend(
      loop, plan,
      [&](int passed_fd, const auto&) -> Result<std::unique_ptr<agent::ChildProcess>> {
        workers.emplace_back(fcntl(passed_fd, F_DUPFD_CLOEXEC, 0));
        return std::unique_ptr<agent::ChildProcess>();  // there is no process
      },
      heard);
  Check(backend.Start().ok());
  uint64_t keys = 0;
  agent::RunTurns(loop, input, [&] {
    const uint8_t what = input.Byte();
    const int fd = workers[what / 8 % workers.size()].get();
    agent::Drain(fd);
    std::string bytes;
    switch (what % 8) {
      case 0:
        protocol::AppendFrame(bytes, protocol::FrameKind::kHello, 0, what < 128 ? R"({"batches":true})" : "{}");
        break;
      case 1:
        protocol::AppendFrame(bytes, protocol::FrameKind::kHello, 0, input.Text(input.Byte()));
        break;
      case 2:
      case 3: {
        const std::string body(input.Byte() * size_t{256}, 'x');
        protocol::AppendAnswer(bytes, heard.Pick(input.Byte()), {.status = 200, .body = body},
                               what % 8 == 2 ? protocol::FrameKind::kAnswer : protocol::FrameKind::kPart);
        break;
      }
      case 4:
        protocol::AppendFrame(bytes, protocol::FrameKind::kAnswer, heard.Pick(input.Byte()), input.Text(input.Byte()));
        bytes[3] = static_cast<char>(16 + input.Byte() % 8);
        break;
      case 5:
        bytes = input.Text(input.Byte());
        break;
      default:
        return agent::Ask(backend, heard, loop, input, keys);
    }
    agent::SendTo(fd, bytes);
  });
  return 0;
}
