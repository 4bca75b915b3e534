#include "http/async_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <optional>
#include <thread>

#include "http/odd_server.h"

namespace argosy::http {
namespace {

using testing::HasSubstr;

constexpr std::string_view kRequest = "GET /x HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

class AsyncClientTest : public testing::Test {
 protected:
  struct Heard final : public AsyncClient::Answer {
    explicit Heard(AsyncClientTest& t) : test(t) {}
    void OnHead(const ResponseHead& head) override { status = head.status; }
    void OnBody(std::string_view piece) override {
      body.append(piece);
      if (on_body) on_body();
    }
    void OnEnd(const Status& outcome) override {
      Check(!end.has_value(), "a call ends once");
      end = outcome.ok() ? "" : outcome.error().message();
      if (on_end) on_end();
      if (++test.ended_ == test.expected_) test.loop_.Stop();
    }
    AsyncClientTest& test;
    int status = 0;
    std::string body;
    std::optional<std::string> end;
    std::function<void()> on_body, on_end;
  };

  // Runs until so many calls have ended.
  void RunFor(int ends) {
    expected_ = ends;
    const TimerId guard = loop_.After(std::chrono::seconds(60), [this] {
      ADD_FAILURE() << "waited in vain";
      loop_.Stop();
    });
    loop_.Run();
    loop_.Cancel(guard);
  }

  // What one call to a server that plays so comes to.
  std::string EndWith(OddServer::Play play) {
    OddServer server({std::move(play)});
    AsyncClient client(loop_, server.port());
    Heard heard(*this);
    client.Send(std::string(kRequest), heard);
    RunFor(1);
    return heard.end.value_or("no end");
  }

  EventLoop loop_;
  int ended_ = 0;
  int expected_ = 0;
};

TEST_F(AsyncClientTest, AnAnswerComesWholeWhateverItsPieces) {
  OddServer server({[](int fd) {
    EXPECT_EQ(OddServer::Take(fd), kRequest);
    for (const char c : kAnswer) OddServer::Give(fd, {&c, 1});
  }});
  AsyncClient client(loop_, server.port());
  Heard heard(*this);
  client.Send(std::string(kRequest), heard);
  RunFor(1);
  EXPECT_EQ(heard.end, "");
  EXPECT_EQ(heard.status, 200);
  EXPECT_EQ(heard.body, "ok");
}

TEST_F(AsyncClientTest, NobodyListensIsAnEndNotAHang) {
  uint16_t port = 0;
  {
    port = OddServer({}).port();
  }
  AsyncClient client(loop_, port);
  Heard heard(*this);
  client.Send(std::string(kRequest), heard);
  EXPECT_FALSE(heard.end.has_value()) << "never inside Send";
  RunFor(1);
  EXPECT_THAT(*heard.end, HasSubstr("Connection refused"));
}

TEST_F(AsyncClientTest, WhatSpeaksNoHttpIsSaid) {
  EXPECT_THAT(EndWith([](int fd) {
                OddServer::Take(fd);
                OddServer::Give(fd, "220 mail ready\r\n");
                OddServer::Take(fd);
              }),
              HasSubstr("does not speak HTTP/1.1"));
}

TEST_F(AsyncClientTest, AServerThatClosesWithoutAnAnswerIsSaid) {
  EXPECT_THAT(EndWith([](int fd) { OddServer::Take(fd); }), HasSubstr("closed without an answer"));
}

TEST_F(AsyncClientTest, ATornAnswerIsSaid) {
  EXPECT_THAT(EndWith([](int fd) {
                OddServer::Take(fd);
                OddServer::Give(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
              }),
              HasSubstr("closed in the middle"));
}

TEST_F(AsyncClientTest, AHeadWithoutEndIsRefused) {
  EXPECT_THAT(EndWith([](int fd) {
                OddServer::Take(fd);
                OddServer::Give(fd, "HTTP/1.1 200 OK\r\nX: " + std::string(kResponseHeadBytesMax, 'x'));
                OddServer::Take(fd);
              }),
              HasSubstr("larger than 64 KiB"));
}

TEST_F(AsyncClientTest, AConnectionIsUsedAgainAndAnewWhenItsServerHasGivenItUp) {
  OddServer server({[](int fd) {
                      for (int i = 0; i < 2; ++i) {
                        EXPECT_EQ(OddServer::Take(fd), kRequest);
                        OddServer::Give(fd, kAnswer);
                      }
                      OddServer::Take(fd);  // and closes without a word
                    },
                    [](int fd) {
                      EXPECT_EQ(OddServer::Take(fd), kRequest);
                      OddServer::Give(fd, kAnswer);
                      OddServer::Take(fd);
                    }});
  {
    AsyncClient client(loop_, server.port());
    Heard first(*this), second(*this), third(*this);
    first.on_end = [&] { client.Send(std::string(kRequest), second); };
    second.on_end = [&] { client.Send(std::string(kRequest), third); };
    client.Send(std::string(kRequest), first);
    RunFor(3);
    EXPECT_EQ(first.end, "");
    EXPECT_EQ(second.end, "");
    EXPECT_EQ(third.end, "");
    EXPECT_EQ(client.connections(), 1u);
  }
}

TEST_F(AsyncClientTest, AServerOfOneConnectionAtATimeIsNotHeldByAnIdleOne) {
  // It sees the second connection only when the first has been closed.
  OddServer server({[](int fd) {
                      OddServer::Take(fd);
                      OddServer::Give(fd, kAnswer);
                      EXPECT_EQ(OddServer::Take(fd), "");
                    },
                    [](int fd) {
                      OddServer::Take(fd);
                      OddServer::Give(fd, kAnswer);
                      OddServer::Take(fd);
                    }});
  {
    AsyncClient client(loop_, server.port());
    Heard first(*this), second(*this);
    client.Send(std::string(kRequest), first);
    client.Send(std::string(kRequest), second);
    RunFor(2);
    EXPECT_EQ(first.end, "");
    EXPECT_EQ(second.end, "");
  }
}

TEST_F(AsyncClientTest, APausedAnswerHoldsItsServerBack) {
  constexpr size_t kBytes = 64 << 20;  // more than the sockets' buffers take
  std::atomic<bool> all_given = false;
  OddServer server({[&](int fd) {
    OddServer::Take(fd);
    OddServer::Give(fd, "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kBytes) + "\r\n\r\n");
    OddServer::Give(fd, std::string(kBytes, 'x'));
    all_given = true;
  }});
  AsyncClient client(loop_, server.port());
  Heard heard(*this);
  AsyncClient::CallId call = 0;
  bool paused = false;
  heard.on_body = [&] {
    if (std::exchange(paused, true)) return;
    client.Pause(call);
    const size_t had = heard.body.size();
    loop_.After(std::chrono::milliseconds(50), [&, had] {
      EXPECT_EQ(heard.body.size(), had);
      EXPECT_FALSE(all_given);
      client.Resume(call);
    });
  };
  call = client.Send(std::string(kRequest), heard);
  RunFor(1);
  EXPECT_EQ(heard.end, "");
  EXPECT_EQ(heard.body.size(), kBytes);
}

TEST_F(AsyncClientTest, ACancelledCallIsToldNothingMore) {
  OddServer server({[](int fd) { OddServer::Take(fd); },
                    [](int fd) {
                      OddServer::Take(fd);
                      OddServer::Give(fd, kAnswer);
                    }});
  AsyncClient client(loop_, server.port());
  Heard cancelled(*this), other(*this);
  client.Cancel(client.Send(std::string(kRequest), cancelled));
  EXPECT_EQ(client.connections(), 0u);
  client.Send(std::string(kRequest), other);
  RunFor(1);
  EXPECT_FALSE(cancelled.end.has_value());
}

}  // namespace
}  // namespace argosy::http
