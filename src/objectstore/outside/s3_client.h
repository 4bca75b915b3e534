// Signed requests to the outside, sent again where that is right.
//
// An answer that is an error there becomes an Error here: kNotFound (object or upload), kConflict (a precondition),
// kInvalidArgument (the outside refuses name or value, in its words), kUnavailable (away, too busy, too slow, or its
// answers are damaged, after all attempts), kIo (it does not let us: key, bucket, clock). Thread-safe; all block.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "http/client.h"
#include "objectstore/outside/location.h"
#include "objectstore/outside/retry.h"

namespace argosy::objectstore {

using Headers = std::vector<std::pair<std::string, std::string>>;

// Whether a request may be sent again without knowing what became of it. kKnowingly: it may, but on_attempt must be
// told.
enum class Repeat { kFreely, kKnowingly, kOnlyWhenNotTaken };

struct S3Request {
  std::string method = "GET";
  std::string key;                           // as it lies outside, prefix included; empty: the bucket itself
  std::map<std::string, std::string> query;  // decoded
  Headers headers;
  std::variant<std::monostate, std::string, http::BodyFile> body;
  std::function<void()> on_attempt;  // before each: an earlier one may have been carried out, its answer lost
  // For the body of a 2xx answer; each attempt brings it from the first byte.
  std::function<Status(const http::ClientResponse& head, std::string_view piece)> sink;
  // Of a 2xx answer: kCorrupt when it is not what was asked for, and it is asked for again.
  std::function<Status(const http::ClientResponse& response)> check;
  uint64_t answer_bytes = 0;  // expected in the answer's body, for the time allowed
  Repeat repeat = Repeat::kFreely;
};

// What tests put in place of time.
struct Patience {
  RetryPolicy retries;
  std::function<void(Duration)> pause;  // empty: waits, until Stop at the latest
  Duration connect_max = std::chrono::seconds(10);
  Duration stall_max = std::chrono::seconds(20);  // without a byte either way
};

class S3Client {
 public:
  // Clock and random must outlive the client and be safe to use from many threads.
  S3Client(Location location, Patience patience, const Clock* clock, Random* random);

  Result<http::ClientResponse> Send(const S3Request& request);
  // From now on nobody waits: requests under way end with kUnavailable within about a second, later ones at once.
  void Stop();
  const Location& location() const { return location_; }

 private:
  Result<http::ClientResponse> SendOnce(const S3Request& request);
  std::unique_ptr<http::Client> Take();
  void Give(std::unique_ptr<http::Client> client);
  // Until Stop at the latest.
  void Wait(Duration pause);
  void NoteAnswer();
  void NoteAway(const Error& why);

  const Location location_;
  const Patience patience_;
  const Clock* const clock_;
  Random* const random_;
  std::mutex mutex_;
  std::condition_variable stopped_;
  std::atomic<bool> stopping_{false};                // set under mutex_
  std::vector<std::unique_ptr<http::Client>> idle_;  // guarded by mutex_; each keeps its connection
  std::atomic<bool> away_{false};                    // the last request used up its attempts: try once until one works
};

// Without the quotes that ETags have in headers.
std::string Unquoted(std::string_view etag);

}  // namespace argosy::objectstore
