// How many requests one instance gets at a time, and how many may wait for it.
//
// Both follow from how fast it has been answering. A burst may wait, since it drains; so may clients that each wait for
// their answer before they ask again, since there are no more of them than there are. Overload is a queue that has not
// been empty for a while and more requests than answers: then only so many wait as are answered in a moment, and the
// rest are refused at once, so that those admitted are answered as fast as without the overload. (Source of the idea:
// K. Nichols, V. Jacobson, "Controlling Queue Delay", ACM Queue 2012.) Pure: the time is passed in.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace argosy::serving {

inline constexpr size_t kWindowRequestsMax = 1024;  // with an instance at a time: what one turn of it can answer
inline constexpr size_t kQueuedRequestsMax = 4096;  // waiting
inline constexpr Duration kInvocationTimeout = std::chrono::seconds(60);  // SageMaker's for real-time endpoints
// What is with a program is answered in so long, so that what waits, waits where it can still be taken elsewhere.
inline constexpr Duration kWindowTime = std::chrono::milliseconds(10);
inline constexpr Duration kOverloadAfter = std::chrono::seconds(1);       // of a queue that is never empty, at least
inline constexpr Duration kOverloadWait = std::chrono::milliseconds(20);  // of a request, at least

class QueueControl {
 public:
  // So many requests are worked on side by side; 0: as a built-in model does, any number in microseconds.
  void SetConcurrency(uint32_t concurrency) { concurrency_ = concurrency; }

  // A request has come, whatever becomes of it.
  void OnRequest(Duration now);
  // `count` answers came at `now`; `left` requests are still with the instance.
  void OnAnswers(Duration now, size_t count, size_t left);
  // `waiting` requests wait now.
  void OnQueue(Duration now, size_t waiting);

  // How many may be with the instance.
  size_t Window() const;
  // Whether one more may wait behind `waiting` others.
  bool Admits(Duration now, size_t waiting) const;

 private:
  // Of the half second that is passing, and of the one before it.
  struct Flow {
    uint64_t requests = 0;
    uint64_t answers = 0;
  };
  void Roll(Duration now);
  bool Overloaded(Duration now) const;

  uint32_t concurrency_ = 0;
  Flow passing_, before_;
  Duration passing_since_{};
  Duration interval_{};     // between answers while there is work; 0 = not known
  Duration last_answer_{};  // 0 = it was idle since
  Duration waiting_since_{};
  bool waiting_ = false;
};

}  // namespace argosy::serving
