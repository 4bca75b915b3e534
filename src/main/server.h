// The server, wired together: the one place that knows all parts.
//
// Threads: one control thread (controllers, compute), `event_loops` threads that serve connections, the catalog's
// writer, and a bounded pool for what blocks. Start returns when the port answers; the destructor stops gracefully:
// open requests are answered, what is committed is kept, agents go on and are adopted by the next server.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "main/data_directory.h"
#include "main/options.h"

namespace argosy::main {

class Server {
 public:
  // Errors are one line each: port taken, credentials unusable, catalog or objects unreadable, disk full.
  static Result<std::unique_ptr<Server>> Start(const Options& options, const DataDirectory& directory);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  const std::string& endpoint() const;  // http://127.0.0.1:9000, with the port that was taken
  bool credentials_made() const;        // by this start

 private:
  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace argosy::main
