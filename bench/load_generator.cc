// Sends ready-made HTTP requests as fast as the server answers them, and says how fast that was.
//
//   load_generator --address 127.0.0.1:9000 --requests FILE --connections N (--seconds S | --count N) [--warm-up S]
//                  [--rate R [--ramp S]] [--timeline FILE]
//
// FILE holds the requests as they go over the wire, each led by its length in bytes as decimal text and a newline; they
// are made (and signed) beforehand, so that making them costs nothing here. Every connection has one request under way
// and takes the next of the file when the answer is complete; with --seconds the file is gone through again and again,
// with --count no further than that many requests. One thread, one epoll loop; connections stay open unless the server
// closes them.
//
// With --rate the loop is open: R requests fall due each second whatever the server does. One that finds no connection
// free waits for one, and its latency counts from when it was due, so that a slow server cannot hide its slowness by
// being asked less ("coordinated omission"). With --ramp the rate grows from nothing to R in the first S seconds.
// --timeline writes a line of CSV for each second: how many answers came in it, how many of them by 2xx, the latency of
// those at the 50th and 99th percentile in microseconds.
//
// Prints one line of JSON: requests and errors (answers other than 2xx, connections lost in the middle), seconds,
// requests per second, of these answered by 2xx (ok), the latency of those (from the first byte sent, or when due, to
// the last byte read) at the 50th and 99th percentile and at most, bytes both ways, reconnects, requests that fell due
// and were never sent, and how often each status came. Exit code 1 when the run could not be made, 2 for the command
// line.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr size_t kHeadBytesMax = 64 * 1024;  // no server under test sends larger header sections
constexpr size_t kReadBytes = 1024 * 1024;   // one buffer for all connections; large so that big objects cost few calls
constexpr int kEventsMax = 256;
constexpr int kIdleMillisMax = 10'000;         // a server that is silent so long has stopped answering
constexpr uint64_t kFailuresInARowMax = 1000;  // a server that refuses every connection has gone

struct Arguments {
  std::string host;
  uint16_t port = 0;
  std::string requests;
  size_t connections = 1;
  double seconds = 0;
  double warm_up_seconds = 0;
  uint64_t count = 0;
  double rate = 0;
  double ramp_seconds = 0;
  std::string timeline;
};

int64_t NowNanos() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * int64_t{1'000'000'000} + now.tv_nsec;
}

template <typename Number>
std::optional<Number> Parse(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Arguments> ParseArguments(int argc, char** argv) {
  Arguments arguments;
  bool good = argc % 2 == 1;
  for (int i = 1; good && i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::string_view value = argv[i + 1];
    const auto number = [&](auto& target) {
      const auto parsed = Parse<std::remove_reference_t<decltype(target)>>(value);
      good = parsed.has_value();
      if (good) target = *parsed;
    };
    if (name == "--address") {
      const size_t colon = value.rfind(':');
      good = colon != std::string_view::npos;
      if (!good) break;
      arguments.host = value.substr(0, colon);
      const auto port = Parse<uint16_t>(value.substr(colon + 1));
      good = port.has_value();
      arguments.port = port.value_or(0);
    } else if (name == "--requests") {
      arguments.requests = value;
    } else if (name == "--connections") {
      number(arguments.connections);
    } else if (name == "--seconds") {
      number(arguments.seconds);
    } else if (name == "--warm-up") {
      number(arguments.warm_up_seconds);
    } else if (name == "--count") {
      number(arguments.count);
    } else if (name == "--rate") {
      number(arguments.rate);
    } else if (name == "--ramp") {
      number(arguments.ramp_seconds);
    } else if (name == "--timeline") {
      arguments.timeline = value;
    } else {
      good = false;
    }
  }
  good = good && arguments.port != 0 && !arguments.requests.empty() && arguments.connections > 0;
  good = good && ((arguments.seconds > 0) != (arguments.count > 0)) && arguments.rate >= 0;
  if (!good) return std::nullopt;
  return arguments;
}

// The requests of a file, which stays mapped as long as the program runs.
std::optional<std::vector<std::string_view>> MapRequests(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat info{};
  if (fd < 0 || fstat(fd, &info) != 0 || info.st_size == 0) return std::nullopt;
  void* mapped = mmap(nullptr, static_cast<size_t>(info.st_size), PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
  close(fd);
  if (mapped == MAP_FAILED) return std::nullopt;
  std::string_view rest(static_cast<const char*>(mapped), static_cast<size_t>(info.st_size));
  std::vector<std::string_view> requests;
  while (!rest.empty()) {
    const size_t line = rest.find('\n');
    if (line == std::string_view::npos) return std::nullopt;
    const std::optional<size_t> size = Parse<size_t>(rest.substr(0, line));
    if (!size || *size == 0 || *size > rest.size() - line - 1) return std::nullopt;
    requests.push_back(rest.substr(line + 1, *size));
    rest.remove_prefix(line + 1 + *size);
  }
  return requests;
}

// Counts durations in buckets of 1/64 of a power of two: any quantile is right to 1.6 %.
class Histogram {
 public:
  void Add(int64_t nanos) {
    const uint64_t value = static_cast<uint64_t>(std::max<int64_t>(nanos, 1));
    ++buckets_[Index(value)];
    ++total_;
    max_ = std::max(max_, value);
  }

  double Micros(double quantile) const {
    uint64_t left = static_cast<uint64_t>(quantile * static_cast<double>(total_));
    for (size_t i = 0; i < buckets_.size(); ++i) {
      if (buckets_[i] > left) return static_cast<double>(Value(i)) / 1000;
      left -= buckets_[i];
    }
    return max_micros();
  }
  double max_micros() const { return static_cast<double>(max_) / 1000; }
  uint64_t total() const { return total_; }

 private:
  static constexpr int kFineBits = 6;

  static size_t Index(uint64_t value) {
    const int power = 63 - std::countl_zero(value);
    if (power < kFineBits) return value;
    const uint64_t fine = (value >> (power - kFineBits)) & ((1u << kFineBits) - 1);
    return (static_cast<size_t>(power - kFineBits + 1) << kFineBits) + fine;
  }
  static uint64_t Value(size_t index) {
    if (index < (size_t{1} << kFineBits)) return index;
    const int power = static_cast<int>(index >> kFineBits) + kFineBits - 1;
    const uint64_t fine = index & ((1u << kFineBits) - 1);
    return ((uint64_t{1} << kFineBits) + fine) << (power - kFineBits);
  }

  std::array<uint64_t, 64 << kFineBits> buckets_{};
  uint64_t total_ = 0;
  uint64_t max_ = 0;
};

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

// What a header section says of the body behind it.
struct Head {
  int status = 0;
  bool chunked = false;
  std::optional<uint64_t> length;
  bool last = false;  // the server is about to close
};

std::optional<Head> ParseHead(std::string_view text) {
  if (text.size() < 12 || !text.starts_with("HTTP/1.")) return std::nullopt;
  Head head;
  const std::optional<int> status = Parse<int>(text.substr(9, 3));
  if (!status) return std::nullopt;
  head.status = *status;
  head.last = text[7] == '0';
  for (size_t at = text.find("\r\n"); at != std::string_view::npos;) {
    const size_t start = at + 2;
    at = text.find("\r\n", start);
    const std::string_view line = text.substr(start, at == std::string_view::npos ? at : at - start);
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view name = line.substr(0, colon);
    std::string_view value = line.substr(colon + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    if (EqualsIgnoringCase(name, "content-length")) head.length = Parse<uint64_t>(value);
    if (EqualsIgnoringCase(name, "transfer-encoding")) head.chunked = EqualsIgnoringCase(value, "chunked");
    if (EqualsIgnoringCase(name, "connection")) {
      if (EqualsIgnoringCase(value, "close")) head.last = true;
      if (EqualsIgnoringCase(value, "keep-alive")) head.last = false;
    }
  }
  return head;
}

// Takes the bytes of one answer as they come and knows when it is complete.
class AnswerReader {
 public:
  enum class Progress { kMore, kComplete, kBroken };

  void Begin(bool head_only) {
    head_only_ = head_only;
    state_ = State::kHead;
    pending_.clear();
    head_ = Head();
  }

  // Uses up bytes of the front of `data`.
  Progress Take(std::string_view& data) {
    while (true) {
      switch (state_) {
        case State::kHead:
          if (!TakeHead(data)) return broken_ ? Progress::kBroken : Progress::kMore;
          break;
        case State::kLength:
        case State::kChunk: {
          const uint64_t n = std::min<uint64_t>(left_, data.size());
          data.remove_prefix(n);
          left_ -= n;
          if (left_ > 0) return Progress::kMore;
          state_ = state_ == State::kChunk ? State::kChunkLine : State::kComplete;
          break;
        }
        case State::kChunkLine:
          if (!TakeChunkLine(data)) return broken_ ? Progress::kBroken : Progress::kMore;
          break;
        case State::kUntilClose:
          data.remove_prefix(data.size());
          return Progress::kMore;
        case State::kComplete:
          return Progress::kComplete;
      }
    }
  }

  // The connection has been closed: whether that completed the answer.
  bool CompleteAtClose() const { return state_ == State::kUntilClose; }
  const Head& head() const { return head_; }

 private:
  enum class State { kHead, kLength, kChunkLine, kChunk, kUntilClose, kComplete };

  bool TakeHead(std::string_view& data) {
    std::string_view text;
    const size_t kept = pending_.size();
    if (kept == 0) {
      const size_t end = data.find("\r\n\r\n");
      if (end == std::string_view::npos) {
        pending_ = data;
        data = {};
        return false;
      }
      text = data.substr(0, end);
      data.remove_prefix(end + 4);
    } else {
      pending_ += data;
      const size_t end = pending_.find("\r\n\r\n", kept < 3 ? 0 : kept - 3);
      if (end == std::string::npos) {
        data = {};
        broken_ = pending_.size() > kHeadBytesMax;
        return false;
      }
      data.remove_prefix(end + 4 - kept);
      pending_.resize(end);
      text = pending_;
    }
    const std::optional<Head> head = ParseHead(text);
    if (!head) {
      broken_ = true;
      return false;
    }
    pending_.clear();
    if (head->status < 200) return TakeHead(data);  // 100 Continue: the answer is still to come
    head_ = *head;
    if (head_only_ || head_.status == 204 || head_.status == 304) {
      state_ = State::kComplete;
    } else if (head_.chunked) {
      state_ = State::kChunkLine;
    } else if (head_.length) {
      left_ = *head_.length;
      state_ = State::kLength;
    } else {
      state_ = State::kUntilClose;
    }
    return true;
  }

  // The line that ends the chunk before, if any, and the one with the size of the next. An empty line can only be the
  // former, and after the chunk of size 0 the end of all.
  bool TakeChunkLine(std::string_view& data) {
    while (!data.empty()) {
      const char c = data.front();
      data.remove_prefix(1);
      if (c != '\n') {
        pending_.push_back(c);
        if (pending_.size() > kHeadBytesMax) return broken_ = true, false;
        continue;
      }
      std::string_view line = pending_;
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (line.empty()) {
        pending_.clear();
        if (!last_chunk_) continue;
        last_chunk_ = false;
        state_ = State::kComplete;
        return true;
      }
      if (last_chunk_) {  // a trailer
        pending_.clear();
        continue;
      }
      uint64_t size = 0;
      const std::string_view digits = line.substr(0, line.find(';'));
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), size, 16);
      pending_.clear();
      if (error != std::errc()) return broken_ = true, false;
      last_chunk_ = size == 0;
      left_ = size;
      if (size > 0) {
        state_ = State::kChunk;
        return true;
      }
    }
    return false;
  }

  State state_ = State::kHead;
  bool head_only_ = false;
  bool broken_ = false;
  bool last_chunk_ = false;
  uint64_t left_ = 0;
  std::string pending_;
  Head head_;
};

struct Connection {
  int fd = -1;
  bool waits_to_write = false;
  bool busy = false;
  std::string_view request;
  size_t sent = 0;
  int64_t begun_nanos = 0;
  AnswerReader reader;
};

class Run {
 public:
  Run(const Arguments& arguments, std::vector<std::string_view> requests)
      : arguments_(arguments),
        requests_(std::move(requests)),
        connections_(arguments.connections),
        buffer_(kReadBytes) {}

  // False when the server cannot be reached at all.
  bool Execute() {
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    for (Connection& connection : connections_) {
      if (!Connect(connection)) return false;
    }
    const int64_t begin = NowNanos();
    measured_from_ = begin + static_cast<int64_t>(arguments_.warm_up_seconds * 1e9);
    until_ = arguments_.seconds > 0 ? measured_from_ + static_cast<int64_t>(arguments_.seconds * 1e9) : INT64_MAX;
    begin_ = begin;
    due_ = static_cast<double>(begin);
    for (Connection& connection : connections_) Next(connection);
    std::array<epoll_event, kEventsMax> events;
    while (busy_ > 0 || MoreIsDue()) {
      bool patient = false;
      const int n = Wait(events, patient);
      if (n == 0 && patient) {
        std::fprintf(stderr, "no answer for %d s; %zu requests are under way\n", kIdleMillisMax / 1000, busy_);
        errors_ += busy_;
        break;
      }
      BeginWhatIsDue();
      for (int i = 0; i < n; ++i) Serve(connections_[events[static_cast<size_t>(i)].data.u64]);
      if (failures_in_a_row_ > kFailuresInARowMax) {
        std::fprintf(stderr, "the server keeps closing connections without an answer\n");
        break;
      }
    }
    ended_ = std::min(NowNanos(), until_);
    if (arguments_.rate > 0 && until_ != INT64_MAX) {
      unsent_ = static_cast<uint64_t>(std::max(0.0, (static_cast<double>(until_) - due_) * arguments_.rate / 1e9));
    }
    return true;
  }

  bool WriteTimeline() const {
    if (arguments_.timeline.empty()) return true;
    std::FILE* const file = std::fopen(arguments_.timeline.c_str(), "w");
    if (file == nullptr) return false;
    for (size_t i = 0; i < seconds_.size(); ++i) {
      const Second& second = seconds_[i];
      std::fprintf(file, "%zu,%llu,%llu,%.0f,%.0f\n", i, static_cast<unsigned long long>(second.answered),
                   static_cast<unsigned long long>(second.latencies.total()), second.latencies.Micros(0.5),
                   second.latencies.Micros(0.99));
    }
    return std::fclose(file) == 0;
  }

  void Print() const {
    const double seconds = static_cast<double>(ended_ - measured_from_) / 1e9;
    std::string statuses;
    for (const auto& [status, count] : statuses_) {
      if (!statuses.empty()) statuses += ", ";
      statuses += '"' + std::to_string(status) + "\": " + std::to_string(count);
    }
    const auto per_second = [&](uint64_t n) { return seconds > 0 ? static_cast<double>(n) / seconds : 0.0; };
    std::printf(
        "{\"requests\": %llu, \"errors\": %llu, \"seconds\": %.6f, \"requests_per_second\": %.1f, "
        "\"ok_per_second\": %.1f, \"p50_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f, \"bytes_sent\": %llu, "
        "\"bytes_received\": %llu, \"reconnects\": %llu, \"unsent\": %llu, \"statuses\": {%s}}\n",
        static_cast<unsigned long long>(answered_), static_cast<unsigned long long>(errors_), seconds,
        per_second(answered_), per_second(latencies_.total()), latencies_.Micros(0.5), latencies_.Micros(0.99),
        latencies_.max_micros(), static_cast<unsigned long long>(bytes_sent_),
        static_cast<unsigned long long>(bytes_received_), static_cast<unsigned long long>(reconnects_),
        static_cast<unsigned long long>(unsent_), statuses.c_str());
  }

 private:
  bool Connect(Connection& connection) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(arguments_.port);
    if (inet_pton(AF_INET, arguments_.host.c_str(), &address.sin_addr) != 1) return false;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      std::fprintf(stderr, "connecting to %s:%u: %s\n", arguments_.host.c_str(), arguments_.port, std::strerror(errno));
      if (fd >= 0) close(fd);
      return false;
    }
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    connection.fd = fd;
    connection.waits_to_write = false;
    epoll_event event{.events = EPOLLIN, .data = {.u64 = Index(connection)}};
    return epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0;
  }

  uint64_t Index(const Connection& connection) const {
    return static_cast<uint64_t>(&connection - connections_.data());
  }

  void Close(Connection& connection) {
    if (connection.fd >= 0) close(connection.fd);
    connection.fd = -1;
  }

  // `patient`: it waits for answers alone, as long as for any.
  int Wait(std::array<epoll_event, kEventsMax>& events, bool& patient) {
    constexpr int64_t kIdleNanos = kIdleMillisMax * int64_t{1'000'000};
    int64_t nanos = kIdleNanos;
    if (MoreIsDue() && !idle_.empty()) {
      nanos = std::min(nanos, std::max<int64_t>(static_cast<int64_t>(due_) - NowNanos(), 0));
    }
    patient = nanos == kIdleNanos && busy_ > 0;
    const timespec timeout{.tv_sec = nanos / 1'000'000'000, .tv_nsec = nanos % 1'000'000'000};
    return epoll_pwait2(epoll_, events.data(), kEventsMax, &timeout, nullptr);
  }

  // Of the open loop: whether any request is still to fall due.
  bool MoreIsDue() const {
    if (arguments_.rate == 0) return false;
    return arguments_.count > 0 ? begun_ < arguments_.count
                                : static_cast<int64_t>(due_) < until_ && NowNanos() < until_;
  }

  double RateAt(double nanos) const {
    if (arguments_.ramp_seconds <= 0) return arguments_.rate;
    constexpr double kShareMin = 0.001;  // something must begin
    const double passed = (nanos - static_cast<double>(begin_)) / 1e9;
    return arguments_.rate * std::clamp(passed / arguments_.ramp_seconds, kShareMin, 1.0);
  }

  void BeginWhatIsDue() {
    while (MoreIsDue() && !idle_.empty() && static_cast<int64_t>(due_) <= NowNanos()) {
      Connection& connection = *idle_.back();
      idle_.pop_back();
      const auto due = static_cast<int64_t>(due_);
      due_ += 1e9 / RateAt(due_);
      Begin(connection, due);
    }
  }

  // Begins the next request on the connection, or leaves it idle when there is none.
  void Next(Connection& connection) {
    if (arguments_.rate > 0) {
      idle_.push_back(&connection);
      return BeginWhatIsDue();
    }
    const bool more = arguments_.count > 0 ? begun_ < arguments_.count : NowNanos() < until_;
    if (more) Begin(connection, 0);
  }

  // `due`: when it should have been begun; 0 = now.
  void Begin(Connection& connection, int64_t due) {
    if (connection.fd < 0) {
      ++reconnects_;
      if (!Connect(connection)) {
        ++errors_;
        return;
      }
    }
    connection.request = requests_[begun_++ % requests_.size()];
    connection.sent = 0;
    connection.busy = true;
    ++busy_;
    connection.reader.Begin(connection.request.starts_with("HEAD "));
    connection.begun_nanos = due != 0 ? due : NowNanos();
    Write(connection);
  }

  void Write(Connection& connection) {
    while (connection.sent < connection.request.size()) {
      const ssize_t n = send(connection.fd, connection.request.data() + connection.sent,
                             connection.request.size() - connection.sent, MSG_NOSIGNAL);
      if (n < 0) break;  // EAGAIN: later; anything else shows when reading
      connection.sent += static_cast<size_t>(n);
      bytes_sent_ += static_cast<uint64_t>(n);
    }
    const bool waits = connection.sent < connection.request.size();
    if (waits == connection.waits_to_write) return;
    connection.waits_to_write = waits;
    epoll_event event{.events = EPOLLIN | (waits ? EPOLLOUT : 0u), .data = {.u64 = Index(connection)}};
    epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.fd, &event);
  }

  void Serve(Connection& connection) {
    if (connection.fd < 0) return;
    if (connection.waits_to_write) Write(connection);
    const ssize_t n = recv(connection.fd, buffer_.data(), buffer_.size(), 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) {
      Close(connection);
      if (!connection.busy) return;
      Finish(connection, n == 0 && connection.reader.CompleteAtClose());
      return;
    }
    bytes_received_ += static_cast<uint64_t>(n);
    std::string_view data(buffer_.data(), static_cast<size_t>(n));
    if (!connection.busy) return;
    switch (connection.reader.Take(data)) {
      case AnswerReader::Progress::kMore:
        return;
      case AnswerReader::Progress::kBroken:
        Close(connection);
        Finish(connection, false);
        return;
      case AnswerReader::Progress::kComplete:
        if (connection.reader.head().last) Close(connection);
        Finish(connection, true);
        return;
    }
  }

  void Note(const Connection& connection, int64_t now) {
    const auto second = static_cast<size_t>((now - begin_) / 1'000'000'000);
    if (second >= seconds_.size()) seconds_.resize(second + 1);
    ++seconds_[second].answered;
    const int status = connection.reader.head().status;
    if (status >= 200 && status < 300) seconds_[second].latencies.Add(now - connection.begun_nanos);
  }

  void Finish(Connection& connection, bool answered) {
    connection.busy = false;
    --busy_;
    const int64_t now = NowNanos();
    if (!arguments_.timeline.empty() && answered) Note(connection, now);
    const bool measured = connection.begun_nanos >= measured_from_ && now <= until_;
    failures_in_a_row_ = answered ? 0 : failures_in_a_row_ + 1;
    if (measured && answered) {
      const int status = connection.reader.head().status;
      ++statuses_[status];
      ++answered_;
      if (status >= 200 && status < 300) {
        latencies_.Add(now - connection.begun_nanos);
      } else {
        ++errors_;
      }
    } else if (!answered) {
      ++errors_;
    }
    Next(connection);
  }

  const Arguments arguments_;
  const std::vector<std::string_view> requests_;
  std::vector<Connection> connections_;
  std::vector<char> buffer_;
  int epoll_ = -1;
  std::vector<Connection*> idle_;  // of the open loop
  int64_t begin_ = 0;
  struct Second {
    uint64_t answered = 0;
    Histogram latencies;
  };
  std::vector<Second> seconds_;  // for the timeline
  double due_ = 0;               // of the open loop: when the next request falls due, in nanoseconds
  size_t busy_ = 0;
  uint64_t answered_ = 0;
  uint64_t unsent_ = 0;
  uint64_t begun_ = 0;
  uint64_t errors_ = 0;
  uint64_t reconnects_ = 0;
  uint64_t failures_in_a_row_ = 0;
  uint64_t bytes_sent_ = 0;
  uint64_t bytes_received_ = 0;
  int64_t measured_from_ = 0;
  int64_t until_ = 0;
  int64_t ended_ = 0;
  Histogram latencies_;
  std::map<int, uint64_t> statuses_;
};

}  // namespace

int main(int argc, char** argv) {
  const std::optional<Arguments> arguments = ParseArguments(argc, argv);
  if (!arguments) {
    std::fprintf(stderr,
                 "usage: load_generator --address HOST:PORT --requests FILE --connections N (--seconds S | --count N) "
                 "[--warm-up S] [--rate R [--ramp S]] [--timeline FILE]\n");
    return 2;
  }
  std::optional<std::vector<std::string_view>> requests = MapRequests(arguments->requests);
  if (!requests) {
    std::fprintf(stderr, "%s holds no requests\n", arguments->requests.c_str());
    return 2;
  }
  Run run(*arguments, std::move(*requests));
  if (!run.Execute() || !run.WriteTimeline()) return 1;
  run.Print();
  return 0;
}
