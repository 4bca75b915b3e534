// A program of the user's that speaks HTTP on a port of this machine, as SageMaker's containers do.
//
// Ready when GET /ping has answered 200. Requests go as POST /invocations over kept connections, so many at a time as
// the plan says. The program is asked for /ping from time to time while it has nothing to do; when it does not answer
// that, or no request for too long, it has failed. A request whose connection breaks is answered with an error only
// when the program lives on: one that ends leaves its requests unanswered, so that routers ask another instance. All on
// the loop's thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/program/backend.h"
#include "agent/program/child_process.h"
#include "agent/program/program_plan.h"
#include "http/async_client.h"

namespace argosy::agent {

inline constexpr Duration kPingPeriodStarting = std::chrono::milliseconds(20);
inline constexpr Duration kUnreadyToldEach = std::chrono::seconds(10);  // why it is not ready, to the log
inline constexpr Duration kPingPeriod = std::chrono::seconds(10);
inline constexpr Duration kPingTime = std::chrono::seconds(2);  // SageMaker's
inline constexpr int kPingFailuresMax = 3;
// From a process's last socket to the word of its end, on a machine with far too much to do.
inline constexpr Duration kEndTold = std::chrono::seconds(1);

class HttpBackend final : public Backend {
 public:
  HttpBackend(EventLoop& loop, const ProgramPlan& plan, ProgramLauncher launch, BackendEvents& events,
              Duration unready_told_each = kUnreadyToldEach);
  ~HttpBackend() override;

  Status Start() override;
  bool HasRoom() const override { return doubt_timer_ == 0 && calls_.size() < concurrent_max_; }
  uint32_t concurrency() const override { return static_cast<uint32_t>(concurrent_max_); }
  void Submit(ProgramRequest request) override;
  void Grant(uint64_t key, size_t bytes) override;
  void Cancel(uint64_t key) override;
  void Stop(std::function<void()> done) override;

 private:
  class Call;
  class Ping;
  void AskPing();
  void OnPing(const std::string& complaint);
  void PingLater(Duration period);
  void End(Call& call, const protocol::AnswerView& answer);
  void Doubt();
  void AnswerBroken();
  void WatchTime();
  void Fail(const Error& why);

  EventLoop& loop_;
  const unsigned concurrent_max_;
  const ProgramLauncher launch_;
  BackendEvents& events_;
  std::unique_ptr<ChildProcess> process_;
  http::AsyncClient client_;
  std::map<uint64_t, std::unique_ptr<Call>> calls_;
  std::vector<std::unique_ptr<Call>> ended_;  // until the end of the turn
  std::unique_ptr<Ping> ping_;
  TimerId ping_timer_ = 0;
  TimerId second_timer_ = 0;
  TimerId kill_timer_ = 0;
  TimerId doubt_timer_ = 0;  // a connection has broken: whether the program has ended is about to be told
  int ping_failures_ = 0;
  const Duration unready_told_each_;
  Duration heard_{};         // when it last answered anything
  Duration told_unready_{};  // or when it was started
  bool ready_ = false;
  bool failed_ = false;
  std::function<void()> stopped_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace argosy::agent
