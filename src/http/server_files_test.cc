// Answers that are parts of files.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <atomic>
#include <future>

#include "http/server.h"
#include "http/server_test_world.h"

namespace argosy::http {
namespace {

constexpr std::string_view kGetFile = "GET /file HTTP/1.1\r\nHost: h\r\n\r\n";

std::shared_ptr<UniqueFd> FileOf(std::string_view content) {
  auto fd = std::make_shared<UniqueFd>(memfd_create("content", MFD_CLOEXEC));
  EXPECT_TRUE(WriteAll(fd->get(), content).ok());
  return fd;
}

// `/file`: so much of it as `length`; else an echo.
void AnswerWithFile(ServerWorld& world, const std::shared_ptr<UniqueFd>& fd, uint64_t length) {
  world.handler.on_request = [fd, length](const std::shared_ptr<Exchange>& exchange, const auto&) {
    if (exchange->request().path != "/file") return ScriptedHandler::Echo(*exchange);
    Response response;
    response.body = FileRange{fd, 0, length};
    exchange->Respond(std::move(response));
  };
}

// The threads for files, busy with something else until this ends.
class BusyFileThreads {
 public:
  BusyFileThreads(ServerWorld& world, size_t tasks) {
    for (size_t i = 0; i < tasks; ++i) {
      // One that no thread has taken yet waits in the queue, which may be full for a moment.
      while (!world.files().Submit([end = end_] { end.wait(); }).ok()) std::this_thread::yield();
    }
  }
  ~BusyFileThreads() { End(); }
  BusyFileThreads(const BusyFileThreads&) = delete;
  BusyFileThreads& operator=(const BusyFileThreads&) = delete;
  void End() {
    if (!std::exchange(ended_, true)) ending_.set_value();
  }

 private:
  std::promise<void> ending_;
  std::shared_future<void> end_ = ending_.get_future().share();
  bool ended_ = false;
};

TEST(ServerFiles, SendsPartsOfFiles) {
  std::string content;
  for (int i = 0; i < 300'000; ++i) content += std::to_string(i) + "\n";
  const auto fd = FileOf(content);
  ServerWorld world;
  world.handler.on_request = [&](const std::shared_ptr<Exchange>& exchange, const auto&) {
    Response response;
    const bool part = exchange->request().path == "/part";
    response.status = part ? 206 : 200;
    response.body = part ? FileRange{fd, 1000, 5000} : FileRange{fd, 0, content.size()};
    exchange->Respond(std::move(response));
  };
  PlainClient client = world.Connect();
  client.Send(
      "GET /part HTTP/1.1\r\nHost: h\r\n\r\nGET /all HTTP/1.1\r\nHost: h\r\n\r\nGET /part HTTP/1.1\r\nHost: h\r\n\r\n");
  const Answer part = client.Read();
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, content.substr(1000, 5000));
  EXPECT_EQ(client.Read().body, content);
  EXPECT_EQ(client.Read().body, content.substr(1000, 5000));
}

// A file whose bytes come when the test says so.
class ComesWhenTold : public ArrivingFile {
 public:
  Result<uint64_t> Await(uint64_t offset, uint64_t length, Task changed) override {
    const std::lock_guard lock(mutex_);
    if (there_ > offset) return std::min(there_ - offset, length);
    if (!failure_.ok()) return failure_.error();
    waiting_ = std::move(changed);
    asked_.notify_all();
    return uint64_t{0};
  }
  Status Fetch(uint64_t, uint64_t) override { return {}; }

  // Once somebody waits.
  void Come(uint64_t there, Status failure = {}) {
    std::unique_lock lock(mutex_);
    asked_.wait(lock, [this] { return waiting_ != nullptr; });
    there_ = there;
    failure_ = std::move(failure);
    const Task changed = std::exchange(waiting_, nullptr);
    lock.unlock();
    changed();
  }

 private:
  std::mutex mutex_;
  std::condition_variable asked_;
  uint64_t there_ = 0;
  Status failure_;
  Task waiting_;
};

TEST(ServerFiles, SendsAFileAsItsBytesArriveAndClosesWhenTheyDoNot) {
  const std::string content(300'000, 'x');
  const auto fd = FileOf(content);
  auto coming = std::make_shared<ComesWhenTold>();
  ServerWorld world;
  world.handler.on_request = [&](const std::shared_ptr<Exchange>& exchange, const auto&) {
    Response response;
    response.body = FileRange{.file = fd, .offset = 100, .length = 200'000, .arriving = coming};
    exchange->Respond(std::move(response));
  };
  PlainClient client = world.Connect();
  client.Send(std::string(kGet) + std::string(kGet));
  coming->Come(150'000);
  coming->Come(300'000);
  EXPECT_EQ(client.Read().body, content.substr(100, 200'000));
  EXPECT_EQ(client.Read().body, content.substr(100, 200'000));  // all is there now

  coming = std::make_shared<ComesWhenTold>();
  client.Send(kGet);
  coming->Come(1'100);
  coming->Come(1'100, Error(ErrorCode::kUnavailable, "it is away"));
  EXPECT_TRUE(client.ReadToEnd().ends_with("\r\n\r\n" + std::string(1'000, 'x')));
}

TEST(ServerFiles, OneThatHasBecomeShorterEndsTheConnection) {
  for (const uint64_t announced : {100, 10'000'000}) {
    const auto fd = FileOf("short");
    ServerWorld world;
    AnswerWithFile(world, fd, announced);
    PlainClient client = world.Connect();
    client.Send(kGetFile);
    EXPECT_TRUE(client.ReadToEnd().ends_with("\r\n\r\nshort"));
  }
}

TEST(ServerFiles, LargeOnesDoNotHoldUpTheLoop) {
  const std::string content(1'000'000, 'x');
  ServerWorld world;
  AnswerWithFile(world, FileOf(content), content.size());
  BusyFileThreads busy(world, ServerWorld::kFileThreads);
  PlainClient waits = world.Connect();
  waits.Send(kGetFile);
  world.Until([&] { return world.server().counters().requests == 1; });
  PlainClient other = world.Connect();
  other.Send(kGet);
  EXPECT_EQ(other.Read().status, 200);
  EXPECT_EQ(waits.BytesThere(), 0U);
  busy.End();
  EXPECT_EQ(waits.Read().body, content);
}

TEST(ServerFiles, AreSentByTheLoopWhenTooManyWaitForAThread) {
  const std::string content(10'000'000, 'x');
  ServerWorld world;
  AnswerWithFile(world, FileOf(content), content.size());
  const BusyFileThreads busy(world, ServerWorld::kFileThreads + ServerWorld::kFileQueueMax);
  PlainClient client = world.Connect();
  client.Send(kGetFile);
  EXPECT_EQ(client.Read().body, content);
}

TEST(ServerFiles, GoToManyClientsThatReadSlowly) {
  std::string content;
  for (int i = 0; i < 500'000; ++i) content += std::to_string(i) + ",";
  ServerWorld world;
  AnswerWithFile(world, FileOf(content), content.size());
  std::vector<std::thread> readers;
  std::atomic<int> right = 0;
  readers.reserve(12);
  for (int i = 0; i < 12; ++i) {
    readers.emplace_back([&] {
      PlainClient client(world.port(), 4096);  // room comes in small pieces, again and again
      client.Send(std::string(kGetFile) + std::string(kGet) + std::string(kGetFile));
      const bool first = client.Read().body == content;
      const bool between = client.Read().status == 200;
      right += static_cast<int>(first && between && client.Read().body == content);
    });
  }
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(right, 12);
}

TEST(ServerFiles, AClientThatLeavesWhileItsFileIsSentIsLetGo) {
  const std::string content(50'000'000, 'x');
  ServerWorld world;
  AnswerWithFile(world, FileOf(content), content.size());
  for (int i = 0; i < 20; ++i) {
    PlainClient client = world.Connect();
    client.Send(kGetFile);
    client.ReadSome();
  }
  world.Until([&] { return world.server().counters().connections_open == 0; });
}

TEST(ServerFiles, AConnectionIsClosedWhileItsFileWaitsForAThread) {
  const std::string content(1'000'000, 'x');
  const auto fd = FileOf(content);
  ServerWorld world;
  AnswerWithFile(world, fd, content.size());
  BusyFileThreads busy(world, ServerWorld::kFileThreads);
  {
    PlainClient client = world.Connect();
    client.Send(kGetFile);
    world.Until([&] { return world.server().counters().requests == 1; });
  }
  world.Until([&] { return world.server().counters().connections_open == 0; });
  // Its descriptor's number is not another connection's before the thread has done with it.
  PlainClient next = world.Connect();
  next.Send(kGet);
  EXPECT_EQ(next.Read().status, 200);
  busy.End();
  next.Send(kGet);
  EXPECT_EQ(next.Read().body, "GET /a?b=1 ");
}

}  // namespace
}  // namespace argosy::http
