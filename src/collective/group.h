// The hosts that train one model together, and what they tell each other.
//
// Every host makes the same calls in the same order; each call is one round. A host that is lost is an error on all
// others at their next round, or at once in the present one: kUnavailable, and the group is of no more use. Threads:
// one at a time.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/result.h"

namespace argosy::collective {

struct Traffic {
  uint64_t rounds = 0;
  uint64_t bytes_sent = 0;
  uint64_t bytes_received = 0;
};

class Group {
 public:
  virtual ~Group() = default;
  virtual size_t rank() const = 0;  // 0: the head, whose model is the one that is kept
  virtual size_t size() const = 0;

  // Where the others reach this host, for what does not go through the group.
  virtual const std::string& address() const = 0;

  // What each host gave, by rank: the same everywhere.
  virtual Result<std::vector<std::string>> AllGather(std::string_view bytes) = 0;
  // From one host to another, who makes the other call.
  virtual Status Send(size_t to, std::string_view bytes) = 0;
  virtual Result<std::string> Receive(size_t from) = 0;

  const Traffic& traffic() const { return traffic_; }

 protected:
  Traffic traffic_;
};

// A group of one.
Group& Alone();

template <class T>
Result<std::vector<T>> AllGatherValues(Group& group, const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  auto gathered = group.AllGather({reinterpret_cast<const char*>(&value), sizeof value});
  if (!gathered) return gathered.error();
  std::vector<T> values(gathered->size());
  for (size_t i = 0; i < values.size(); ++i) {
    if ((*gathered)[i].size() != sizeof(T)) return Error(ErrorCode::kInternal, "hosts of different programs");
    std::memcpy(&values[i], (*gathered)[i].data(), sizeof(T));
  }
  return values;
}

// What the head gives; the others' bytes do not count.
Result<std::string> Broadcast(Group& group, std::string_view bytes);

}  // namespace argosy::collective
