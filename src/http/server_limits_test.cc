// What the server does to clients that are slow, gone, too many or too large, and what it asks of a body's sink.
#include <gtest/gtest.h>

#include <atomic>
#include <deque>

#include "http/server_test_world.h"

namespace argosy::http {
namespace {

using std::chrono::seconds;

void HoldIn(ServerWorld& world, Held& held) {
  world.handler.on_request = [&held](std::shared_ptr<Exchange> exchange, const auto&) {
    held.Add(std::move(exchange));
  };
}

TEST(ServerTime, HeadThatDoesNotEndInTimeIsRefused) {
  ServerWorld world;
  PlainClient client = world.Connect();
  client.Send("GET /slow HTTP/1.1\r\nHost:");
  world.Until([&] { return world.server().counters().connections_open == 1; });
  // A byte now and then does not help.
  for (int i = 0; i < 3; ++i) {
    world.Advance(seconds(5));
    client.Send("x");
  }
  EXPECT_TRUE(client.Quiet());
  world.Advance(seconds(5));
  EXPECT_EQ(client.Read().status, 408);
  EXPECT_TRUE(client.AtEnd());
  EXPECT_EQ(world.Counters().connections_timed_out, 1U);
}

TEST(ServerTime, SilentConnectionIsClosed) {
  ServerWorld world;
  PlainClient silent = world.Connect();
  PlainClient used = world.Connect();
  used.Send(kGet);
  EXPECT_EQ(used.Read().status, 200);
  world.Until([&] { return world.server().counters().connections_open == 2; });
  world.Advance(seconds(21));
  EXPECT_TRUE(silent.AtEnd());
  EXPECT_TRUE(used.Quiet());
  world.Advance(seconds(55));
  EXPECT_TRUE(used.AtEnd());
}

TEST(ServerTime, TheServerLooksByItselfAgainAndAgain) {
  ServerWorld world({.sweep_interval = std::chrono::milliseconds(1)});
  for (int i = 0; i < 3; ++i) {
    PlainClient first = world.Connect();
    world.Until([&] { return world.server().counters().connections_open == 1; });
    world.AdvanceClock(seconds(15));
    PlainClient second = world.Connect();
    world.Until([&] { return world.server().counters().connections_open == 2; });
    world.AdvanceClock(seconds(10));
    EXPECT_TRUE(first.AtEnd());
    EXPECT_TRUE(second.Quiet());
    world.AdvanceClock(seconds(15));
    EXPECT_TRUE(second.AtEnd());
  }
}

TEST(ServerTime, RequestsKeepTheConnectionOpen) {
  ServerWorld world;
  PlainClient client = world.Connect();
  for (int i = 0; i < 4; ++i) {
    client.Send(kGet);
    EXPECT_EQ(client.Read().status, 200);
    world.Advance(seconds(60));
  }
}

TEST(ServerTime, BodyBelowTheLeastRateIsRefused) {
  ServerWorld world;
  PlainClient client = world.Connect();
  client.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n");
  world.Until([&] { return world.server().counters().requests == 1; });
  client.Send(std::string(100, 'z'));
  world.Advance(seconds(19));
  EXPECT_TRUE(client.Quiet());
  world.Advance(seconds(1));
  EXPECT_EQ(client.Read().status, 408);
  EXPECT_TRUE(client.AtEnd());
}

TEST(ServerTime, ClientThatDoesNotTakeItsAnswerIsCutOff) {
  ServerWorld world;
  world.handler.on_request = [](const std::shared_ptr<Exchange>& exchange, const auto&) {
    exchange->Respond(ScriptedHandler::Text(std::string(50'000'000, 'z')));
  };
  PlainClient client(world.port(), 4096);
  client.Send(kGet);
  world.Until([&] { return world.server().counters().requests == 1; });
  world.Advance(seconds(29));
  EXPECT_EQ(world.Counters().connections_open, 1U);
  world.Advance(seconds(2));
  // What its kernel had taken in the meantime may count once.
  world.Advance(seconds(31));
  EXPECT_EQ(world.Counters().connections_open, 0U);
  EXPECT_LT(client.ReadToEnd().size(), 50'000'000U);
}

TEST(ServerTime, LingeringEnds) {
  ServerWorld world;
  PlainClient client = world.Connect();
  client.Send("NONSENSE\r\n\r\n");
  EXPECT_EQ(client.Read().status, 400);
  EXPECT_TRUE(client.AtEnd());  // our side is shut down, and the client does not close
  EXPECT_EQ(world.Counters().connections_open, 1U);
  world.Advance(seconds(11));
  EXPECT_EQ(world.Counters().connections_open, 0U);
}

TEST(ServerTime, DroppedExchangeIsAnsweredForTheHandler) {
  ServerWorld world;
  world.handler.on_request = [](const auto&, const auto&) {};
  PlainClient client = world.Connect();
  client.Send(kGet);
  world.Until([&] { return world.server().counters().requests == 1; });
  world.Advance(seconds(1));
  EXPECT_EQ(client.Read().status, 500);
  EXPECT_TRUE(client.AtEnd());
}

TEST(ServerLimits, HeadsOverTheLimitAreRefused) {
  ServerWorld world({.head_bytes_max = 20'000});
  PlainClient client = world.Connect();
  client.Send("GET /" + std::string(30'000, 'a'));
  EXPECT_EQ(client.Read().status, 431);
  EXPECT_TRUE(client.AtEnd());
  PlainClient whole = world.Connect();
  whole.Send("GET /" + std::string(20'000, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(whole.Read().status, 431);
  PlainClient small = world.Connect();
  small.Send("GET /" + std::string(19'900, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(small.Read().status, 200);
  PlainClient many = world.Connect();
  std::string headers = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 128; ++i) headers += "h" + std::to_string(i) + ": 1\r\n";
  many.Send(headers + "\r\n");
  EXPECT_EQ(many.Read().status, 431);
}

TEST(ServerLimits, ConnectionsOverTheLimitAreTurnedAwayAtOnce) {
  ServerWorld world({.connections_max = 2});
  PlainClient first = world.Connect();
  PlainClient second = world.Connect();
  world.Until([&] { return world.server().counters().connections_open == 2; });
  PlainClient third = world.Connect();
  const Answer answer = third.Read();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.Header("Retry-After"), "1");
  EXPECT_TRUE(third.AtEnd());
  EXPECT_EQ(world.Counters().connections_refused, 1U);
  first.Close();
  world.Until([&] { return world.server().counters().connections_open == 1; });
  PlainClient fourth = world.Connect();
  fourth.Send(kGet);
  EXPECT_EQ(fourth.Read().status, 200);
  second.Send(kGet);
  EXPECT_EQ(second.Read().status, 200);
}

TEST(ServerLimits, HundredsOfConnectionsAreServed) {
  ServerWorld world;
  std::deque<PlainClient> clients;
  for (int i = 0; i < 300; ++i) clients.emplace_back(world.port());
  for (int round = 0; round < 3; ++round) {
    for (PlainClient& client : clients) client.Send(kGet);
    for (PlainClient& client : clients) ASSERT_EQ(client.Read().status, 200);
  }
  EXPECT_EQ(world.Counters().connections_open, 300U);
  clients.clear();
  world.Until([&] { return world.server().counters().connections_open == 0; });
}

TEST(ServerLimits, BodiesOverTheHandlersLimitAreRefused) {
  ServerWorld world;
  world.handler.on_head = [](const RequestView&) -> BodyPlan { return BufferBody{100'000}; };
  PlainClient announced = world.Connect();
  announced.Send("POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 100001\r\n\r\n");
  EXPECT_EQ(announced.Read().body, "/p takes 100000");
  PlainClient chunked = world.Connect();
  chunked.Send("POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n186A0\r\n" +
               std::string(100'000, 'x') + "\r\n1\r\nx");
  const Answer answer = chunked.Read();
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(answer.body, "/p takes 100000");
  EXPECT_TRUE(chunked.AtEnd());
  PlainClient exact = world.Connect();
  exact.Send("POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n186A0\r\n" + std::string(100'000, 'x') +
             "\r\n0\r\n\r\n");
  EXPECT_EQ(exact.Read().status, 200);
}

TEST(ServerLimits, BodiesInMemoryAreBoundedTogether) {
  ServerWorld world({.buffered_bytes_max = 1'000'000});
  Held held;
  HoldIn(world, held);
  PlainClient first = world.Connect();
  const std::string body(600'000, 'x');
  const std::string request = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 600000\r\n\r\n" + body;
  first.Send(request);
  std::shared_ptr<Exchange> exchange = held.Take();
  PlainClient second = world.Connect();
  second.TrySend(request);
  EXPECT_EQ(second.Read().status, 503);
  exchange->Respond({});
  EXPECT_EQ(first.Read().status, 200);
  PlainClient third = world.Connect();
  third.Send(request);
  exchange = held.Take();
  exchange->Respond({});
  EXPECT_EQ(third.Read().status, 200);
}

TEST(ServerAbandon, HandlerLearnsThatTheClientHasGone) {
  ServerWorld world;
  Held held;
  HoldIn(world, held);
  PlainClient closing = world.Connect();
  closing.Send(kGet);
  std::shared_ptr<Exchange> first = held.Take();
  EXPECT_FALSE(world.OnLoop([&] { return first->abandoned(); }));
  closing.Close();
  world.Until([&] { return first->abandoned(); });
  first->Respond(ScriptedHandler::Text("nobody reads this"));
  world.Until([&] { return world.server().counters().connections_open == 0; });

  PlainClient resetting = world.Connect();
  resetting.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody");
  std::shared_ptr<Exchange> second = held.Take();
  resetting.Reset();
  world.Until([&] { return second->abandoned() && world.server().counters().connections_open == 0; });
  EXPECT_EQ(second->request().body, "body");  // stays as long as the exchange
  second->Respond({});
}

TEST(ServerAbandon, DroppingAnAbandonedExchangeClosesItsConnection) {
  ServerWorld world;
  Held held;
  HoldIn(world, held);
  PlainClient client = world.Connect();
  client.Send(kGet);
  std::shared_ptr<Exchange> exchange = held.Take();
  client.HalfClose();
  world.Until([&] { return exchange->abandoned(); });
  world.OnLoop([&] { exchange.reset(); });
  world.Advance(seconds(1));
  EXPECT_TRUE(client.AtEnd());
  EXPECT_EQ(world.Counters().connections_open, 0U);
}

TEST(ServerAbandon, AnswersOutliveTheServer) {
  Held held;
  std::shared_ptr<Exchange> exchange;
  auto world = std::make_unique<ServerWorld>();
  HoldIn(*world, held);
  PlainClient client = world->Connect();
  client.Send(kGet);
  exchange = held.Take();
  world->OnLoop([&] { EXPECT_FALSE(exchange->abandoned()); });
  world.reset();
  EXPECT_TRUE(client.AtEnd());
  EXPECT_EQ(exchange->request().path, "/a");
}

// Keeps what it is given; the test says when it is done with a piece.
class ScriptedSink final : public BodySink {
 public:
  void Write(std::string_view piece, std::function<void(Status)> done) override {
    const std::lock_guard lock(mutex_);
    EXPECT_FALSE(done_);  // one piece at a time
    EXPECT_FALSE(abandoned_);
    taken_.append(piece);
    if (automatic_) {
      done({});
      return;
    }
    done_ = std::move(done);
    come_.notify_all();
  }
  void Abandon() override {
    const std::lock_guard lock(mutex_);
    EXPECT_FALSE(done_);
    abandoned_ = true;
  }

  void set_automatic() {
    const std::lock_guard lock(mutex_);
    automatic_ = true;
  }
  size_t taken() {
    const std::lock_guard lock(mutex_);
    return taken_.size();
  }
  std::string text() {
    const std::lock_guard lock(mutex_);
    return taken_;
  }
  bool abandoned() {
    const std::lock_guard lock(mutex_);
    return abandoned_;
  }
  // Waits for a piece to be there, and says how it went.
  void Finish(Status status) {
    std::function<void(Status)> done;
    {
      std::unique_lock lock(mutex_);
      if (!come_.wait_for(lock, std::chrono::milliseconds(kPatienceMillis), [this] { return done_ != nullptr; })) {
        ADD_FAILURE() << "no piece came";
        return;
      }
      done = std::exchange(done_, nullptr);
    }
    done(std::move(status));
  }
  void WaitForPiece() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(come_.wait_for(lock, std::chrono::milliseconds(kPatienceMillis), [this] { return done_ != nullptr; }));
  }

 private:
  std::mutex mutex_;
  std::condition_variable come_;
  bool automatic_ = false;
  std::string taken_;
  std::function<void(Status)> done_;
  bool abandoned_ = false;
};

struct Streaming {
  explicit Streaming(const ServerLimits& limits = {}) : world(limits) {
    world.handler.on_head = [this](const RequestView&) -> BodyPlan { return StreamBody{sink}; };
    world.handler.on_request = [this](const std::shared_ptr<Exchange>& exchange,
                                      const std::shared_ptr<BodySink>& given) {
      ++requests;
      EXPECT_EQ(given, sink);
      exchange->Respond(ScriptedHandler::Text("took " + std::to_string(sink->taken())));
    };
  }
  ServerWorld world;
  std::shared_ptr<ScriptedSink> sink = std::make_shared<ScriptedSink>();
  std::atomic<int> requests = 0;
};

std::string Numbers(size_t size) {
  std::string out;
  for (int i = 0; out.size() < size; ++i) out += std::to_string(i) + ",";
  out.resize(size);
  return out;
}

TEST(ServerStream, BodyReachesTheSinkInOrder) {
  Streaming streaming;
  streaming.sink->set_automatic();
  PlainClient client = streaming.world.Connect();
  const std::string body = Numbers(5'000'000);
  client.Send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 5000000\r\n\r\n" + body + "PUT / HTTP/1.1\r\nHost: h\r\n" +
              "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n10000\r\n" + body.substr(0, 0x10000) + "\r\n0\r\n\r\n" +
              "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(client.Read().body, "took 5000000");
  EXPECT_EQ(client.Read().body, "took 5065541");
  EXPECT_EQ(client.Read().body, "took 5065541");
  EXPECT_EQ(streaming.sink->text(), body + "hello" + body.substr(0, 0x10000));
}

TEST(ServerStream, NothingIsReadWhileTheSinkIsBusy) {
  Streaming streaming;
  PlainClient client = streaming.world.Connect();
  constexpr size_t kSize = 40'000'000;
  const std::string body = Numbers(kSize);
  client.Send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 40000000\r\n\r\n");
  // Until the kernel's buffers are full: the server takes one piece and no more.
  size_t sent = 0;
  client.Send(std::string_view(body).substr(0, 1000));
  sent += 1000;
  streaming.sink->WaitForPiece();
  for (int idle = 0; idle < 3;) {
    const size_t n = client.SendSome(std::string_view(body).substr(sent));
    sent += n;
    idle = n == 0 ? idle + 1 : 0;
    streaming.world.OnLoop([] {});
  }
  EXPECT_LT(sent, kSize);
  EXPECT_LE(streaming.sink->taken(), 256U * 1024);
  // The sink's time is not the client's: no time-out.
  streaming.world.Advance(seconds(100));
  streaming.world.Advance(seconds(100));
  std::thread sender([&] { client.Send(std::string_view(body).substr(sent)); });
  for (int i = 0; i < 20; ++i) streaming.sink->Finish({});
  streaming.sink->WaitForPiece();
  streaming.sink->set_automatic();
  streaming.sink->Finish({});
  sender.join();
  EXPECT_EQ(client.Read().body, "took 40000000");
  EXPECT_EQ(streaming.sink->text(), body);
}

TEST(ServerStream, FailingSinkEndsTheReadingAndTheHandlerAnswers) {
  Streaming streaming;
  PlainClient client = streaming.world.Connect();
  client.Send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 10000000\r\n\r\n" + std::string(1000, 'x'));
  streaming.sink->Finish(Error(ErrorCode::kResourceExhausted, "disk full"));
  const Answer answer = client.Read();
  EXPECT_TRUE(answer.body.starts_with("took ")) << answer.body;
  EXPECT_EQ(answer.Header("Connection"), "close");
  EXPECT_TRUE(client.AtEnd());
  EXPECT_FALSE(streaming.sink->abandoned());
}

TEST(ServerStream, SinkIsAbandonedWhenTheClientGoesAway) {
  Streaming streaming;
  PlainClient client = streaming.world.Connect();
  client.Send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 10000000\r\n\r\n" + std::string(1000, 'x'));
  streaming.sink->WaitForPiece();
  client.Reset();
  streaming.world.Until([&] { return streaming.world.server().counters().connections_open == 0; });
  EXPECT_FALSE(streaming.sink->abandoned());  // not while it works on a piece
  streaming.sink->Finish({});
  streaming.world.Until([&] { return streaming.sink->abandoned(); });
  EXPECT_EQ(streaming.requests, 0);
}

TEST(ServerStream, SinkIsAbandonedWhenTheBodyIsCutShortOrBroken) {
  {
    Streaming streaming;
    streaming.sink->set_automatic();
    PlainClient client = streaming.world.Connect();
    client.Send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
    client.HalfClose();
    EXPECT_TRUE(client.AtEnd());
    EXPECT_TRUE(streaming.sink->abandoned());
  }
  {
    Streaming streaming;
    streaming.sink->set_automatic();
    PlainClient client = streaming.world.Connect();
    client.Send("PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcX");
    EXPECT_EQ(client.Read().status, 400);
    EXPECT_TRUE(streaming.sink->abandoned());
  }
  {
    Streaming streaming({.body_bytes_max = 100});
    streaming.sink->set_automatic();
    PlainClient announced = streaming.world.Connect();
    announced.Send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n\r\n");
    const Answer refused = announced.Read();
    EXPECT_EQ(refused.status, 413);
    EXPECT_EQ(refused.body, "/ takes 100");  // the handler's own words
    EXPECT_FALSE(streaming.sink->abandoned());
    PlainClient chunked = streaming.world.Connect();
    chunked.Send("PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n" + std::string(101, 'x'));
    EXPECT_EQ(chunked.Read().body, "/ takes 100");
    EXPECT_TRUE(streaming.sink->abandoned());
    EXPECT_EQ(streaming.requests, 0);
  }
}

TEST(ServerStream, StreamIsGivenUpWhenItBecomesSlow) {
  Streaming streaming;
  streaming.sink->set_automatic();
  PlainClient client = streaming.world.Connect();
  client.Send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n");
  size_t sent = 0;
  for (int i = 0; i < 3; ++i) {
    client.Send(std::string(10'000, 'x'));
    sent += 10'000;
    streaming.world.Until([&] { return streaming.sink->taken() == sent; });
    streaming.world.Advance(seconds(20));
  }
  EXPECT_TRUE(client.Quiet());
  client.Send("a little");
  streaming.world.Until([&] { return streaming.sink->taken() > sent; });
  streaming.world.Advance(seconds(20));
  EXPECT_EQ(client.Read().status, 408);
  EXPECT_TRUE(streaming.sink->abandoned());
}

TEST(ServerStream, SinkThatForgetsItsPieceIsTakenAsFailed) {
  Streaming streaming;
  class Forgetful final : public BodySink {
   public:
    void Write(std::string_view, std::function<void(Status)>) override {}
    void Abandon() override {}
  };
  const auto forgetful = std::make_shared<Forgetful>();
  streaming.world.handler.on_head = [&](const RequestView&) -> BodyPlan { return StreamBody{forgetful}; };
  streaming.world.handler.on_request = [](const std::shared_ptr<Exchange>& exchange, const auto&) {
    exchange->Respond(ScriptedHandler::Text("answered"));
  };
  PlainClient client = streaming.world.Connect();
  client.Send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
  streaming.world.Until([&] { return streaming.world.server().counters().requests == 1; });
  streaming.world.Advance(seconds(1));
  EXPECT_EQ(client.Read().body, "answered");
  EXPECT_TRUE(client.AtEnd());
}

TEST(ServerStop, LetsOpenExchangesEnd) {
  ServerWorld world;
  Held held;
  HoldIn(world, held);
  PlainClient idle = world.Connect();
  PlainClient busy = world.Connect();
  busy.Send(kGet);
  std::shared_ptr<Exchange> exchange = held.Take();
  world.Until([&] { return world.server().counters().connections_open == 2; });
  std::promise<void> stopped;
  world.OnLoop([&] { world.server().Stop(seconds(60), [&] { stopped.set_value(); }); });
  EXPECT_TRUE(idle.AtEnd());
  EXPECT_TRUE(busy.Quiet());
  exchange->Respond(ScriptedHandler::Text("last"));
  const Answer answer = busy.Read();
  EXPECT_EQ(answer.body, "last");
  EXPECT_EQ(answer.Header("Connection"), "close");
  EXPECT_TRUE(busy.AtEnd());
  EXPECT_EQ(stopped.get_future().wait_for(std::chrono::milliseconds(kPatienceMillis)), std::future_status::ready);
}

TEST(ServerStop, ClosesWhatDoesNotEndInTime) {
  ServerWorld world;
  Held held;
  HoldIn(world, held);
  PlainClient busy = world.Connect();
  busy.Send(kGet);
  std::shared_ptr<Exchange> exchange = held.Take();
  std::promise<void> stopped;
  world.OnLoop([&] { world.server().Stop(std::chrono::milliseconds(1), [&] { stopped.set_value(); }); });
  EXPECT_EQ(stopped.get_future().wait_for(std::chrono::milliseconds(kPatienceMillis)), std::future_status::ready);
  EXPECT_TRUE(busy.AtEnd());
  EXPECT_TRUE(world.OnLoop([&] { return exchange->abandoned(); }));
  exchange->Respond({});
}

}  // namespace
}  // namespace argosy::http
