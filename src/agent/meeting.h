// Where an agent learns where the other hosts of its training are: it tells its address to the server, which tells
// everybody all of them once it has them.
//
// Publish and AddressOf are called on the training's thread, the rest on the agent's.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "collective/tcp_group.h"

namespace argosy::agent {

class Meeting final : public collective::Rendezvous {
 public:
  // Before anything is published.
  void SetPublisher(std::function<void(const std::string& address)> publisher) { publisher_ = std::move(publisher); }

  void Tell(std::vector<std::string> addresses) {
    const std::lock_guard lock(mutex_);
    addresses_ = std::move(addresses);
    changed_.notify_all();
  }
  void Cancel() {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    changed_.notify_all();
  }

  Status Publish(const std::string& address) override {
    publisher_(address);
    return {};
  }
  // Waits until the server knows all; it ends the instance when that does not come to be.
  Result<std::string> AddressOf(size_t rank) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return cancelled_ || rank < addresses_.size(); });
    if (cancelled_) return Error(ErrorCode::kCancelled, "stopped while waiting for the other hosts");
    return addresses_[rank];
  }

 private:
  std::function<void(const std::string&)> publisher_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> addresses_;  // guarded by mutex_
  bool cancelled_ = false;              // guarded by mutex_
};

}  // namespace argosy::agent
