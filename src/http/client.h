// A blocking HTTP client for commands: one request at a time, bodies from and to memory or files.
//
// Not thread-safe; a Client keeps its connection open from one Send to the next. An answer of any status is a result;
// an error is when there is none. Follows no redirects (they would need another signature). Signing is the caller's:
// the path is sent as it is given, and no header is added but Accept, Content-Length and, unless given, Host.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace argosy::http {

// Part of a file as a request's body. The whole file when there is no `length`.
struct BodyFile {
  std::filesystem::path path;
  uint64_t offset = 0;
  std::optional<uint64_t> length;
};

struct ClientResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  // The first header of that name, letter case ignored; empty when there is none.
  std::string_view Header(std::string_view name) const;
};

// libcurl sends a request again by itself when a kept connection turns out to be closed, although the server may have
// done what the first one asked for. kFresh is for requests that must not be sent twice unknown.
enum class ConnectionUse { kKept, kFresh };

struct ClientRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::variant<std::monostate, std::string, BodyFile> body;
  // Where the body of a 2xx answer goes: written aside and renamed when whole, so that the file is never torn. Other
  // answers' bodies, which are messages, come in ClientResponse.
  std::optional<std::filesystem::path> response_file;
  // In place of both: takes the body of a 2xx answer piece by piece as it comes, with the answer's head; an error ends
  // the exchange with it.
  std::function<Status(const ClientResponse& head, std::string_view piece)> response_sink;
  uint64_t response_bytes_max = uint64_t{256} * 1024 * 1024;  // of a body kept in memory
  ConnectionUse connection = ConnectionUse::kKept;
  Duration connect_time_max = std::chrono::seconds(10);
  Duration stall_time_max = std::chrono::seconds(60);  // without a byte either way, the wait for the answer included
  Duration time_max = Duration::zero();                // for the whole exchange; zero: no bound
  std::function<bool()> given_up;  // asked at least once a second; true ends the exchange with kUnavailable
};

class Client {
 public:
  Client();
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  // kUnavailable: no connection, or it broke; kDeadlineExceeded; kInvalidArgument: the URL; kIo and relatives: the
  // files.
  Result<ClientResponse> Send(const ClientRequest& request);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace argosy::http
