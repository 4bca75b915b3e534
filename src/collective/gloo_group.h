// A group over TCP, by Gloo. Nothing is encrypted and nobody is asked who they are: the addresses must be of a network
// that only the job's hosts reach (on one machine: loopback).
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "collective/group.h"

namespace argosy::collective {

// How hosts learn each other's addresses, which are opaque bytes.
class Rendezvous {
 public:
  virtual ~Rendezvous() = default;
  virtual Status Publish(const std::string& address) = 0;
  // Of the host of that rank; waits for it, within a bound of its own.
  virtual Result<std::string> AddressOf(size_t rank) = 0;
};

struct GlooOptions {
  size_t rank = 0;
  size_t size = 1;
  std::string listen = "127.0.0.1";  // the address that the others dial
  // How long a round waits for a host that is there but does not come: as long as one may read its part of the data
  // while another has read its own. One that is gone is noticed at once.
  Duration patience = std::chrono::hours(6);
};

// Blocks until all are connected. kUnavailable when they do not come together.
Result<std::unique_ptr<Group>> JoinGloo(const GlooOptions& options, Rendezvous& rendezvous);

}  // namespace argosy::collective
