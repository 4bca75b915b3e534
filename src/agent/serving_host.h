// The endpoint instance: a loaded predictor behind the instance's socket.
//
// The router's connections each carry many requests. All that one read brings is answered in one write: small requests
// by the loop itself, since a built-in model takes about a microsecond a row; large ones on worker threads, so that a
// small one behind them does not wait. A request whose time is up before its turn comes is dropped. All on the loop's
// thread, but for the workers, which see only the predictor (thread-safe) and their own copy.
#pragma once

#include <memory>
#include <string>

#include "agent/error_log.h"
#include "agent/instance_host.h"
#include "agent/log_spool.h"
#include "base/thread_pool.h"
#include "model/predictor.h"

namespace argosy::agent {

inline constexpr size_t kInlineBodyBytesMax = 32 << 10;    // about 200 rows: some 100 µs
inline constexpr size_t kUnreadAnswersBytesMax = 8 << 20;  // a router that does not read is not read from
inline constexpr size_t kLargeRequestsMax = 64;            // waiting for a worker; more are answered 503
inline constexpr auto kUnseenLogPeriod = std::chrono::minutes(1);

class ServingHost final : public InstanceHost {
 public:
  ServingHost(EventLoop& loop, protocol::Hello identity, std::unique_ptr<model::Predictor> predictor, unsigned threads,
              LogSpool& log);

 private:
  uint32_t concurrency() const override { return 0; }
  void OnInvoke(Stream& stream, uint64_t id, const protocol::InvokeView& invoke, bool in_parts) override;
  // A built-in model answers in one part, which is on its way by now.
  void OnGrant(Stream&, uint64_t, size_t) override {}
  void OnCancel(Stream&, uint64_t) override {}
  void OnGone(Stream&) override {}
  void OnBatchEnd(Stream& stream) override;
  bool Idle() const override { return large_running_ == 0; }

  void Answer(Stream& stream, uint64_t id, const protocol::InvokeView& invoke);
  void AnswerLater(Stream& stream, uint64_t id, const protocol::InvokeView& invoke);
  void Append(Stream& stream, uint64_t id, const model::PredictionResult& result);
  void LogUnseenCategories();

  const std::unique_ptr<model::Predictor> predictor_;
  LogSpool& log_;
  ErrorLog errors_;
  size_t large_running_ = 0;
  std::string row_;  // kept for its room
  uint64_t unseen_told_ = 0;
  Duration unseen_next_{};  // when to tell of them again
  ThreadPool workers_;      // last: joins before the rest goes
};

}  // namespace argosy::agent
