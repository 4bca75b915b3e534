// For tests: runs the hosts of a group as threads of this process.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "collective/tcp_group.h"

namespace argosy::collective {

class TestRendezvous final : public Rendezvous {
 public:
  struct Board {
    std::mutex mutex;
    std::condition_variable changed;
    std::map<size_t, std::string> addresses;
  };
  TestRendezvous(Board& board, size_t rank) : board_(board), rank_(rank) {}
  Status Publish(const std::string& address) override {
    const std::lock_guard lock(board_.mutex);
    board_.addresses[rank_] = address;
    board_.changed.notify_all();
    return {};
  }
  Result<std::string> AddressOf(size_t rank) override {
    std::unique_lock lock(board_.mutex);
    board_.changed.wait(lock, [&] { return board_.addresses.contains(rank); });
    return board_.addresses[rank];
  }

 private:
  Board& board_;
  const size_t rank_;
};

// Calls `work` once for each host, side by side; a host whose `work` returns leaves the group.
inline void RunHosts(size_t hosts, const std::function<void(Group&)>& work) {
  TestRendezvous::Board board;
  std::vector<std::thread> threads;
  for (size_t rank = 0; rank < hosts; ++rank) {
    threads.emplace_back([&, rank] {
      TestRendezvous rendezvous(board, rank);
      auto group = JoinTcp({.rank = rank, .size = hosts, .patience = std::chrono::minutes(2)}, rendezvous);
      Check(group.ok(), "the hosts of the test did not meet");
      work(**group);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace argosy::collective
