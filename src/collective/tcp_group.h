// A group over TCP: a connection between every two hosts (docs/decisions/several-hosts.md says why not by a library).
//
// Hosts tell each other their addresses through a Rendezvous that only they can read; an address holds a random token,
// and whoever connects without it is turned away. What passes between them is not encrypted.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "collective/group.h"

namespace argosy::collective {

// How hosts learn each other's addresses, which are opaque text.
class Rendezvous {
 public:
  virtual ~Rendezvous() = default;
  virtual Status Publish(const std::string& address) = 0;
  // Of the host of that rank; waits for it, within a bound of its own.
  virtual Result<std::string> AddressOf(size_t rank) = 0;
};

struct TcpOptions {
  size_t rank = 0;
  size_t size = 1;
  std::string listen = "127.0.0.1";  // IPv4 address that the others dial
  // For all to be connected, once all addresses are known.
  Duration connect_patience = std::chrono::seconds(60);
  // How long a round waits for a host that is there but says nothing: as long as one may read its part of the data
  // while another has read its own. One that is gone is noticed at once, one whose machine is gone within a minute.
  Duration patience = std::chrono::hours(6);
};

// Blocks until all are connected. kUnavailable when they do not come together.
Result<std::unique_ptr<Group>> JoinTcp(const TcpOptions& options, Rendezvous& rendezvous);

}  // namespace argosy::collective
