// A small HTTP client over libcurl, for the command line and whatever else may block.
//
// One Client keeps its connection open between requests. Not thread-safe. The request goes out as it is given: no header
// is added but Host and Content-Length, no path is tidied up (signatures cover both), no redirect is followed.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace argosy::http {

struct ClientRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string_view body;                       // sent for every method but GET and HEAD; good until Send returns
  size_t body_bytes_max = 16u << 20;           // a longer answer is an error
  std::chrono::milliseconds timeout{60'000};   // for the whole exchange
};

struct ClientResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;

  // The first header of that name (lower case); empty when there is none.
  std::string_view Header(std::string_view name) const;
};

class Client {
 public:
  Client();
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  // kUnavailable: nobody answers, or the connection broke. kDeadlineExceeded. kResourceExhausted: the answer is too long.
  Result<ClientResponse> Send(const ClientRequest& request);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace argosy::http
