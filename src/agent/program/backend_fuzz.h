// For the fuzz targets of this folder: a backend whose program is in the hands of the input.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "agent/program/backend.h"
#include "base/event_loop.h"
#include "base/random.h"

namespace argosy::agent {

inline constexpr size_t kFuzzBytesLeast = 64;
inline constexpr size_t kFuzzStepsMax = 100;

// The input, byte by byte, and behind a short one more bytes that follow from it: conversations of some length from the
// first run on.
class FuzzInput {
 public:
  FuzzInput(const uint8_t* data, size_t size) : bytes_(reinterpret_cast<const char*>(data), size) {
    SeededRandom random(std::hash<std::string_view>()(bytes_));
    while (bytes_.size() < kFuzzBytesLeast) bytes_.push_back(static_cast<char>(random.Next()));
    left_ = bytes_;
  }
  bool empty() const { return left_.empty(); }
  uint8_t Byte() { return left_.empty() ? uint8_t{0} : static_cast<uint8_t>(Text(1)[0]); }
  std::string_view Text(size_t most) {
    const std::string_view text = left_.substr(0, most);
    left_.remove_prefix(text.size());
    return text;
  }

 private:
  std::string bytes_;
  std::string_view left_;
};

// Holds a backend to what backend.h promises.
class HeardEvents final : public BackendEvents {
 public:
  void OnStillStarting(const std::string&) override { Check(!ready, "it has started"); }
  void OnReady() override { Check(!std::exchange(ready, true) && !failed, "ready once, and not after a failure"); }
  void OnPart(uint64_t key, const protocol::AnswerView& part) override {
    const auto open = requests.find(key);
    Check(open != requests.end(), "a part of a request that is under way");
    open->second += part.body.size();
    PassOn(key, part, protocol::FrameKind::kPart);
  }
  void OnAnswer(uint64_t key, const protocol::AnswerView& answer) override {
    Check(requests.erase(key) == 1, "a request is answered once");
    PassOn(key, answer, protocol::FrameKind::kAnswer);
  }
  void OnRoom() override {}
  void OnFailed(const Error&) override { Check(!std::exchange(failed, true), "a backend fails once"); }

  // The key of a request that is under way, or one that nobody has.
  uint64_t Pick(uint8_t which) const {
    auto it = requests.begin();
    for (size_t i = requests.empty() ? 0 : which % requests.size(); i > 0; --i) ++it;
    return it == requests.end() ? which : it->first;
  }

  // As the host does it, whose checks must hold.
  static void PassOn(uint64_t key, const protocol::AnswerView& answer, protocol::FrameKind kind) {
    std::string frame;
    protocol::AppendAnswer(frame, key, answer, kind);
  }

  std::map<uint64_t, size_t> requests;  // under way: bytes of parts that were not granted
  bool ready = false;
  bool failed = false;
};

// What asks of a backend: submit, cancel or grant.
inline void Ask(Backend& backend, HeardEvents& heard, EventLoop& loop, FuzzInput& input, uint64_t& keys) {
  const uint8_t what = input.Byte();
  if (what % 4 < 2) {
    if (!heard.ready || heard.failed || !backend.HasRoom()) return;
    ProgramRequest request;
    request.key = ++keys;
    request.body = input.Text(what / 4);
    request.content_type = input.Text(what % 16);
    request.deadline = loop.TurnTime() + kProgramAnswerTime;
    request.in_parts = what % 4 == 1;
    heard.requests[request.key] = 0;
    return backend.Submit(std::move(request));
  }
  const uint64_t key = heard.Pick(input.Byte());
  if (what % 4 == 2) {
    heard.requests.erase(key);
    return backend.Cancel(key);
  }
  const auto open = heard.requests.find(key);
  if (open != heard.requests.end()) backend.Grant(key, std::exchange(open->second, 0));
}

// Sends as much as there is room for.
inline void SendTo(int fd, std::string_view bytes) {
  (void)!send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}
inline void Drain(int fd) {
  char buffer[4096];
  while (recv(fd, buffer, sizeof buffer, MSG_DONTWAIT) > 0) {
  }
}

// A step of the input each turn of the loop, and some turns more.
inline void RunTurns(EventLoop& loop, FuzzInput& input, const std::function<void()>& step) {
  size_t steps = 0;
  size_t idle = 0;
  std::function<void()> turn = [&] {
    if (!input.empty() && steps++ < kFuzzStepsMax) {
      step();
    } else if (++idle > 4) {
      return loop.Stop();
    }
    loop.Post([&turn] { turn(); });
  };
  loop.Post([&turn] { turn(); });
  loop.Run();
}

}  // namespace argosy::agent
