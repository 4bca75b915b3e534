// The meeting point of XGBoost's own collective (rabit, of the library's version 1.7): tells each host of a training
// its rank, its neighbours in a tree and a ring, and where they listen. Needed at the start and the end of a training;
// what the hosts tell each other on the way does not pass through it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "base/files.h"
#include "base/result.h"

namespace argosy::algorithms::xgboost {

class Tracker {
 public:
  // Listens at `address` for so many hosts. One whose task id is "<token>:<i>" gets rank i; others are turned away.
  static Result<std::unique_ptr<Tracker>> Start(const std::string& address, size_t hosts);
  ~Tracker();
  Tracker(const Tracker&) = delete;
  Tracker& operator=(const Tracker&) = delete;

  uint16_t port() const { return port_; }
  const std::string& token() const { return token_; }

 private:
  Tracker(UniqueFd listener, uint16_t port, std::string token, size_t hosts);

  const UniqueFd listener_;
  const uint16_t port_;
  const std::string token_;
  std::thread thread_;
};

}  // namespace argosy::algorithms::xgboost
