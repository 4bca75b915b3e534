// Only for tests: an S3 server of the least that the store asks for, in memory, which misbehaves when told.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/files.h"

namespace argosy::objectstore {

enum class Fault {
  kNone,
  kBusy,           // 503 SlowDown; nothing is done
  kAnswerLost,     // done, and the connection closed in place of an answer
  kDroppedMidway,  // the body stops in its middle
  kShort,          // half of the body, announced as all of it
  kWrongEtag,
  kWrongByte,  // the first byte of the body is another
  kSilent,     // no answer until the client gives up
};

class FaultyS3 {
 public:
  // Which fault the next request meets: asked with the request line's method and target. Called from many threads, one
  // at a time; may call Put.
  using Choose = std::function<Fault(std::string_view method, std::string_view target)>;

  FaultyS3();
  ~FaultyS3();

  std::string endpoint() const { return "http://127.0.0.1:" + std::to_string(port_); }
  void SetFaults(Choose choose);
  // Requests so far whose "METHOD target" begins so.
  size_t Count(std::string_view beginning) const;
  // Straight into the one bucket, as somebody else would.
  void Put(const std::string& key, std::string bytes);
  std::vector<std::string> Keys() const;
  size_t Uploads() const;  // neither completed nor aborted

 private:
  struct Object {
    std::string bytes;
    std::string etag;
    std::map<std::string, std::string> headers;
    std::map<std::string, std::string> tags;
  };
  struct Request {
    std::string method;
    std::string target;
    std::string key;  // decoded, without the bucket
    std::map<std::string, std::string> query;
    std::map<std::string, std::string> headers;  // lower-case names
    std::string body;
  };
  struct Answer {
    int status = 200;
    std::map<std::string, std::string> headers;
    std::string body;
  };
  void Accept();
  void Serve(int fd);
  Fault NextFault(const Request& request);
  static Answer Refuse(int status, std::string_view code);
  Answer Do(const Request& request);  // under mutex_, as all below
  Answer Get(const Request& request);
  Answer PutObject(const Request& request);
  Answer Tagging(const Request& request);
  Answer Complete(const Request& request);
  Answer List(const Request& request) const;
  // False when the connection is to be closed.
  static bool Give(int fd, const Request& request, Answer answer, Fault fault);

  UniqueFd listener_;
  uint16_t port_ = 0;
  std::mutex choosing_;
  Choose choose_;  // guarded by choosing_
  mutable std::mutex mutex_;
  std::vector<std::string> seen_;
  std::map<std::string, Object> objects_;
  std::map<std::string, std::map<int, Object>> uploads_;
  int next_upload_ = 1;
  std::vector<int> open_;
  std::vector<std::thread> connections_;
  std::thread accepter_;
};

}  // namespace argosy::objectstore
