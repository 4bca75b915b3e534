// For the server's tests: a server on a loop of its own thread, a handler that the test scripts, and a plain client.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <functional>
#include <future>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "http/server.h"

namespace argosy::http {

inline constexpr std::string_view kGet = "GET /a?b=1 HTTP/1.1\r\nHost: h\r\n\r\n";

// Ends a test that hangs; nothing is measured against it.
inline constexpr int kPatienceMillis = 20'000;

class ScriptedHandler final : public Handler {
 public:
  std::function<BodyPlan(const RequestView&)> on_head = [](const RequestView&) { return BufferBody{8 << 20}; };
  std::function<void(std::shared_ptr<Exchange>, std::shared_ptr<BodySink>)> on_request =
      [](const std::shared_ptr<Exchange>& exchange, const std::shared_ptr<BodySink>&) { Echo(*exchange); };

  BodyPlan OnHead(const RequestView& head) override { return on_head(head); }
  void OnRequest(std::shared_ptr<Exchange> exchange, std::shared_ptr<BodySink> sink) override {
    on_request(std::move(exchange), std::move(sink));
  }
  Response OnTooLarge(const RequestView& head, size_t size_max) override {
    Response response;
    response.status = 413;
    response.body = std::string(head.path) + " takes " + std::to_string(size_max);
    return response;
  }

  static Response Text(std::string text) {
    Response response;
    response.Set("Content-Type", "text/plain");
    response.body = std::move(text);
    return response;
  }
  static void Echo(Exchange& exchange) {
    const RequestView& request = exchange.request();
    exchange.Respond(
        Text(std::string(request.method) + " " + std::string(request.target) + " " + std::string(request.body)));
  }
};

struct Answer {
  int status = 0;
  std::string head;  // status line and headers
  std::string body;

  std::string Header(std::string_view name) const {
    size_t at = 0;
    while ((at = head.find("\r\n", at)) != std::string::npos) {
      at += 2;
      const size_t colon = head.find(':', at);
      if (colon == std::string::npos) break;
      if (EqualsIgnoreCase(std::string_view(head).substr(at, colon - at), name)) {
        return std::string(Trim(std::string_view(head).substr(colon + 1, head.find("\r\n", colon) - colon - 1)));
      }
    }
    return "";
  }
};

class PlainClient {
 public:
  // `receive_buffer`: SO_RCVBUF, 0 for the system's.
  explicit PlainClient(uint16_t port, int receive_buffer = 0) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer > 0) setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0) << errno;
  }

  void Send(std::string_view bytes) { EXPECT_TRUE(TrySend(bytes)); }
  bool TrySend(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return true;
  }
  // What the kernel takes without waiting.
  size_t SendSome(std::string_view bytes) {
    const ssize_t n = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return n > 0 ? static_cast<size_t>(n) : 0;
  }

  // Bytes that have come and are not read yet.
  size_t BytesThere() const {
    int there = 0;
    EXPECT_EQ(ioctl(fd_.get(), FIONREAD, &there), 0);
    return static_cast<size_t>(there) + buffer_.size();
  }
  void ReadSome() { EXPECT_TRUE(Fill()); }

  // The next answer; status 0 when the connection ended before one.
  enum class Method { kOther, kHead };
  Answer Read(Method method = Method::kOther) {
    Answer answer;
    size_t end;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!Fill()) return answer;
    }
    answer.head = buffer_.substr(0, end + 2);
    buffer_.erase(0, end + 4);
    answer.status = std::stoi(answer.head.substr(9, 3));
    const std::string length = answer.Header("Content-Length");
    if (method == Method::kHead || length.empty()) return answer;
    const size_t size = std::stoul(length);
    while (buffer_.size() < size) {
      if (!Fill()) {
        answer.status = 0;
        return answer;
      }
    }
    answer.body = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return answer;
  }

  // Whatever comes until the server closes.
  std::string ReadToEnd() {
    while (Fill()) {
    }
    return std::exchange(buffer_, {});
  }
  bool AtEnd() { return buffer_.empty() && !Fill(); }
  // Whether anything has come by now.
  bool Quiet() {
    pollfd waited{fd_.get(), POLLIN, 0};
    return buffer_.empty() && poll(&waited, 1, 0) == 0;
  }
  void HalfClose() { shutdown(fd_.get(), SHUT_WR); }
  void Close() { fd_.reset(); }
  void Reset() {
    const linger now{1, 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    fd_.reset();
  }

 private:
  bool Fill() {
    pollfd waited{fd_.get(), POLLIN, 0};
    if (poll(&waited, 1, kPatienceMillis) != 1) {
      ADD_FAILURE() << "nothing came";
      return false;
    }
    char bytes[64 * 1024];
    const ssize_t n = recv(fd_.get(), bytes, sizeof bytes, 0);
    if (n <= 0) return false;
    buffer_.append(bytes, static_cast<size_t>(n));
    return true;
  }

  UniqueFd fd_;
  std::string buffer_;
};

class ServerWorld {
 public:
  static constexpr size_t kFileThreads = 2;
  static constexpr size_t kFileQueueMax = 4;

  explicit ServerWorld(const ServerLimits& limits = {})
      : server_(std::make_unique<Server>(&loop_, &handler, limits, &clock_, &files_)) {
    signal(SIGPIPE, SIG_IGN);
    const Status status = server_->Listen("127.0.0.1", 0);
    EXPECT_TRUE(status.ok()) << status.error().message();
    port_ = server_->port();
    thread_ = std::thread([this] { loop_.Run(); });
  }
  ~ServerWorld() {
    OnLoop([this] { server_.reset(); });
    loop_.Stop();
    thread_.join();
  }

  uint16_t port() const { return port_; }
  EventLoop& loop() { return loop_; }
  Server& server() { return *server_; }
  PlainClient Connect() { return PlainClient(port_); }

  // Runs `work` on the loop and waits for it. What the kernel has told the loop before is handled before or after.
  template <class Work>
  auto OnLoop(Work work) -> decltype(work()) {
    std::packaged_task<decltype(work())()> task(std::move(work));
    auto future = task.get_future();
    loop_.Post([shared = std::make_shared<decltype(task)>(std::move(task))] { (*shared)(); });
    EXPECT_EQ(future.wait_for(std::chrono::milliseconds(kPatienceMillis)), std::future_status::ready);
    return future.get();
  }
  ThreadPool& files() { return files_; }
  // Turns the loop until `condition`, looked at on the loop, holds.
  void Until(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatienceMillis);
    while (!OnLoop(condition)) {
      if (std::chrono::steady_clock::now() > end) {
        ADD_FAILURE() << "never came true";
        return;
      }
      std::this_thread::yield();
    }
  }
  // Moves the server's clock and lets it look at its time limits.
  void Advance(Duration by) {
    OnLoop([this, by] {
      clock_.Advance(by);
      server_->CheckTimeouts();
    });
  }
  // Moves the clock alone: the server looks by itself, every sweep_interval of real time.
  void AdvanceClock(Duration by) {
    OnLoop([this, by] { clock_.Advance(by); });
  }
  ServerCounters Counters() {
    return OnLoop([this] { return server_->counters(); });
  }

  ScriptedHandler handler;

 private:
  EventLoop loop_;
  ThreadPool files_{"files", kFileThreads, kFileQueueMax};  // ends before the loop
  ManualClock clock_{FromUnixSeconds(1714566896)};
  std::unique_ptr<Server> server_;
  uint16_t port_ = 0;
  std::thread thread_;
};

// Exchanges that the handler leaves open until the test answers them.
class Held {
 public:
  void Add(std::shared_ptr<Exchange> exchange) {
    const std::lock_guard lock(mutex_);
    exchanges_.push_back(std::move(exchange));
    come_.notify_all();
  }
  std::shared_ptr<Exchange> Take() {
    std::unique_lock lock(mutex_);
    if (!come_.wait_for(lock, std::chrono::milliseconds(kPatienceMillis), [this] { return !exchanges_.empty(); })) {
      ADD_FAILURE() << "no request came";
      return nullptr;
    }
    std::shared_ptr<Exchange> first = std::move(exchanges_.front());
    exchanges_.erase(exchanges_.begin());
    return first;
  }
  size_t size() {
    const std::lock_guard lock(mutex_);
    return exchanges_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable come_;
  std::vector<std::shared_ptr<Exchange>> exchanges_;
};

}  // namespace argosy::http
