// The endpoint instance whose model is a program: what routers send goes to the backend, what it answers goes back.
//
// As serving_host.h, whose place it takes; the work is done elsewhere, so requests wait here while the backend has no
// room, in the order they came. One whose time is up, or whose connection has gone, is dropped before it costs
// anything; beyond the queue's bound they are refused. All on the loop's thread.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>

#include "agent/error_log.h"
#include "agent/instance_host.h"
#include "agent/program/backend.h"

namespace argosy::agent {

inline constexpr size_t kProgramQueueMax = 4096;           // waiting: several routers' windows
inline constexpr size_t kProgramQueueBytesMax = 64 << 20;  // and their bodies
inline constexpr size_t kProgramUnreadBytesMax = 8 << 20;  // a router that does not read is not read from

class ProgramHost final : public InstanceHost {
 public:
  // `backend` is ready, and its events come here.
  ProgramHost(EventLoop& loop, protocol::Hello identity, Backend& backend, LogSpool& log);
  ~ProgramHost();

  // Of the backend.
  void OnPart(uint64_t key, const protocol::AnswerView& part);
  void OnAnswer(uint64_t key, const protocol::AnswerView& answer);
  void OnRoom() { Pump(); }

 private:
  struct Origin {
    std::weak_ptr<Stream> stream;
    uint64_t id = 0;
    bool in_parts = false;
    std::string gathered;  // of an answer that comes in parts but is wanted whole
  };

  uint32_t concurrency() const override { return backend_.concurrency(); }
  void OnInvoke(Stream& stream, uint64_t id, const protocol::InvokeView& invoke, bool in_parts) override;
  void OnGrant(Stream& stream, uint64_t id, size_t bytes) override;
  void OnCancel(Stream& stream, uint64_t id) override;
  void OnGone(Stream& stream) override;
  void OnBatchEnd(Stream& stream) override { stream.WriteSoon(); }
  bool Idle() const override { return origins_.empty(); }

  uint64_t* KeyOf(const Stream& stream, uint64_t id);
  // No more is to be told of it.
  Origin Release(uint64_t key);
  void Pump();
  void ExpireQueued();
  void Reply(const Origin& origin, const protocol::AnswerView& answer);
  void Refuse(const Origin& origin, uint16_t status, std::string_view message);

  Backend& backend_;
  ErrorLog errors_;
  uint64_t next_key_ = 1;
  std::deque<ProgramRequest> queue_;
  size_t queued_bytes_ = 0;
  std::unordered_map<uint64_t, Origin> origins_;                                  // by key, queued ones too
  std::unordered_map<Stream*, std::unordered_map<uint64_t, uint64_t>> in_parts_;  // key by id, of answers in parts
  TimerId second_timer_ = 0;
};

}  // namespace argosy::agent
