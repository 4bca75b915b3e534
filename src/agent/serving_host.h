// The endpoint instance: a loaded predictor behind the instance's socket.
//
// The router's connections each carry many requests. All that one read brings is answered in one write: small requests
// by the loop itself, since a built-in model takes about a microsecond a row; large ones on worker threads, so that a
// small one behind them does not wait. A request whose time is up before its turn comes is dropped. All on the loop's
// thread, but for the workers, which see only the predictor (thread-safe) and their own copy.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "agent/error_log.h"
#include "agent/log_spool.h"
#include "base/event_loop.h"
#include "base/thread_pool.h"
#include "model/predictor.h"
#include "protocol/frame_stream.h"

namespace argosy::agent {

inline constexpr size_t kInlineBodyBytesMax = 32 << 10;    // about 200 rows: some 100 µs
inline constexpr size_t kUnreadAnswersBytesMax = 8 << 20;  // a router that does not read is not read from
inline constexpr size_t kLargeRequestsMax = 64;            // waiting for a worker; more are answered 503
inline constexpr auto kUnseenLogPeriod = std::chrono::minutes(1);

class ServingHost final : private protocol::FrameStream::Owner, private FdHandler {
 public:
  ServingHost(EventLoop& loop, protocol::Hello identity, std::unique_ptr<model::Predictor> predictor, unsigned threads,
              LogSpool& log);
  ~ServingHost();

  Status Listen(const std::filesystem::path& socket);

  // Takes a connection that is open already.
  void Adopt(UniqueFd connection);

  // No new connections or requests; `done` when those at work are answered and written, or after `patience`.
  void Stop(Duration patience, std::function<void()> done);

 private:
  using Stream = protocol::FrameStream;
  Status OnFrame(Stream& stream, const protocol::FrameView& frame) override;
  void OnBatchEnd(Stream& stream) override;
  void OnDrained(Stream& stream) override;
  void OnClosed(Stream& stream, const Error& why) override;
  void OnEvents(uint32_t events) override;  // the listener's

  void Answer(Stream& stream, uint64_t id, const protocol::InvokeView& invoke);
  void AnswerLater(Stream& stream, uint64_t id, const protocol::InvokeView& invoke);
  void Append(Stream& stream, uint64_t id, const model::PredictionResult& result);
  void LogUnseenCategories();
  bool Idle() const;
  void CheckStopped();

  EventLoop& loop_;
  const protocol::Hello identity_;
  const std::unique_ptr<model::Predictor> predictor_;
  LogSpool& log_;
  ErrorLog errors_;
  UniqueFd listener_;
  std::unordered_map<Stream*, std::shared_ptr<Stream>> streams_;
  size_t large_running_ = 0;
  std::string row_;  // kept for its room
  uint64_t unseen_told_ = 0;
  Duration unseen_next_{};  // when to tell of them again
  std::function<void()> stopped_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // tasks that outlive this object do nothing
  ThreadPool workers_;                                          // last: joins before the rest goes
};

}  // namespace argosy::agent
