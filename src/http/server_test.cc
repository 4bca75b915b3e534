#include "http/server.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstdio>

#include "http/server_test_world.h"

namespace argosy::http {
namespace {

std::string Post(std::string_view path, std::string_view body) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

TEST(Server, AnswersOneRequestAfterAnotherOnOneConnection) {
  ServerWorld world;
  PlainClient client = world.Connect();
  for (int i = 0; i < 3; ++i) {
    client.Send(kGet);
    const Answer answer = client.Read();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "GET /a?b=1 ");
    EXPECT_EQ(answer.Header("Date"), "Wed, 01 May 2024 12:34:56 GMT");
    EXPECT_EQ(answer.Header("Content-Length"), "11");
    EXPECT_EQ(answer.Header("Connection"), "");
  }
  EXPECT_EQ(world.Counters().requests, 3U);
  EXPECT_EQ(world.Counters().connections_accepted, 1U);
}

TEST(Server, TakesRequestsByteByByte) {
  ServerWorld world;
  PlainClient client = world.Connect();
  for (const char c : Post("/slow", "body") + std::string(kGet)) {
    client.Send({&c, 1});
    world.OnLoop([] {});
  }
  EXPECT_EQ(client.Read().body, "POST /slow body");
  EXPECT_EQ(client.Read().body, "GET /a?b=1 ");
}

TEST(Server, KeepsPipelinedAnswersInOrderAndHandlesOneAtATime) {
  ServerWorld world;
  Held held;
  world.handler.on_request = [&](std::shared_ptr<Exchange> exchange, const auto&) {
    if (exchange->request().path == "/wait") {
      held.Add(std::move(exchange));
    } else {
      ScriptedHandler::Echo(*exchange);
    }
  };
  PlainClient client = world.Connect();
  client.Send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /wait HTTP/1.1\r\nHost: h\r\n\r\n" + Post("/wait", "second") +
              "GET /4 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(client.Read().body, "GET /1 ");
  std::shared_ptr<Exchange> first = held.Take();
  EXPECT_EQ(world.Counters().requests, 2U);
  EXPECT_TRUE(client.Quiet());
  first->Respond(ScriptedHandler::Text("two"));
  first.reset();
  EXPECT_EQ(client.Read().body, "two");
  std::shared_ptr<Exchange> second = held.Take();
  EXPECT_EQ(second->request().body, "second");
  world.OnLoop([&] { second->Respond(ScriptedHandler::Text("three")); });
  EXPECT_EQ(client.Read().body, "three");
  EXPECT_EQ(client.Read().body, "GET /4 ");
}

TEST(Server, TakesThousandsOfPipelinedRequestsAtOnce) {
  ServerWorld world;
  PlainClient client = world.Connect();
  std::string requests;
  constexpr int kRequests = 5000;
  for (int i = 0; i < kRequests; ++i) requests += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n";
  std::thread sender([&] { client.Send(requests); });
  for (int i = 0; i < kRequests; ++i) ASSERT_EQ(client.Read().body, "GET /" + std::to_string(i) + " ");
  sender.join();
}

TEST(Server, AnswersFromAnyThread) {
  ServerWorld world;
  std::vector<std::thread> threads;
  world.handler.on_request = [&](std::shared_ptr<Exchange> exchange, const auto&) {
    threads.emplace_back([exchange = std::move(exchange)] { ScriptedHandler::Echo(*exchange); });
  };
  PlainClient client = world.Connect();
  for (int i = 0; i < 20; ++i) {
    client.Send(kGet);
    EXPECT_EQ(client.Read().body, "GET /a?b=1 ");
  }
  world.OnLoop([&] {
    for (std::thread& thread : threads) thread.join();
  });
}

TEST(Server, GathersChunkedBodies) {
  ServerWorld world;
  PlainClient client = world.Connect();
  const std::string request =
      "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nab\r\n\r\n1A;x=\"y\"\r\n"
      "abcdefghijklmnopqrstuvwxyz\r\n0\r\nTrailer: t\r\n\r\n";
  client.Send(request + request);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(client.Read().body, "POST /c ab\r\nabcdefghijklmnopqrstuvwxyz");
  for (const char c : request) {
    client.Send({&c, 1});
    world.OnLoop([] {});
  }
  EXPECT_EQ(client.Read().body, "POST /c ab\r\nabcdefghijklmnopqrstuvwxyz");
}

TEST(Server, GathersLargeBodies) {
  ServerWorld world;
  PlainClient client = world.Connect();
  const std::string body(3'000'000, 'x');
  client.Send(Post("/large", body) + std::string(kGet));
  EXPECT_EQ(client.Read().body, "POST /large " + body);
  EXPECT_EQ(client.Read().body, "GET /a?b=1 ");
  std::string chunked = "POST /large HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 30; ++i) chunked += "186A0\r\n" + body.substr(0, 100'000) + "\r\n";
  client.Send(chunked + "0\r\n\r\n");
  EXPECT_EQ(client.Read().body, "POST /large " + body);
}

TEST(Server, HeadThatFillsItsBlockIsStillFollowedByItsBody) {
  ServerWorld world;
  for (const size_t filler : {8'000U, 16'000U, 16'255U, 16'256U, 16'257U, 16'300U, 16'384U, 40'000U}) {
    PlainClient client = world.Connect();
    const std::string head = "POST /f HTTP/1.1\r\nHost: h\r\nX-Filler: " + std::string(filler, 'f') + "\r\n";
    client.Send(head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" + head +
                "Content-Length: 5\r\n\r\nhello");
    EXPECT_EQ(client.Read().body, "POST /f abc") << filler;
    EXPECT_EQ(client.Read().body, "POST /f hello") << filler;
  }
}

TEST(Server, SendsContinueOnlyWhenTheBodyIsWanted) {
  ServerWorld world;
  world.handler.on_head = [](const RequestView& head) -> BodyPlan {
    if (head.path == "/no") {
      Response response = ScriptedHandler::Text("no");
      response.status = 403;
      return Refuse{response};
    }
    return BufferBody{10};
  };
  const auto head = [](std::string path, int length) {
    return "PUT " + path + " HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: " + std::to_string(length) +
           "\r\n\r\n";
  };
  PlainClient wanted = world.Connect();
  wanted.Send(head("/yes", 5));
  EXPECT_EQ(wanted.Read().status, 100);
  wanted.Send("12345");
  EXPECT_EQ(wanted.Read().body, "PUT /yes 12345");

  // One that sends without waiting gets the answer alone.
  wanted.Send(head("/yes", 5) + "12345");
  const Answer direct = wanted.Read();
  EXPECT_EQ(direct.status, 200);
  EXPECT_EQ(direct.body, "PUT /yes 12345");

  // An empty body is waited for as well.
  wanted.Send(head("/yes", 0));
  EXPECT_EQ(wanted.Read().status, 100);
  EXPECT_EQ(wanted.Read().body, "PUT /yes ");

  PlainClient refused = world.Connect();
  refused.Send(head("/no", 5));
  const Answer no = refused.Read();
  EXPECT_EQ(no.status, 403);
  EXPECT_EQ(no.Header("Connection"), "close");
  EXPECT_TRUE(refused.AtEnd());

  PlainClient large = world.Connect();
  large.Send(head("/large", 11));
  const Answer too_large = large.Read();
  EXPECT_EQ(too_large.status, 413);
  EXPECT_EQ(too_large.body, "/large takes 10");
}

TEST(Server, RefusalWithoutBodyKeepsTheConnection) {
  ServerWorld world;
  world.handler.on_head = [](const RequestView&) -> BodyPlan {
    Response response = ScriptedHandler::Text("no");
    response.status = 403;
    return Refuse{response};
  };
  PlainClient client = world.Connect();
  client.Send(std::string(kGet) + std::string(kGet));
  EXPECT_EQ(client.Read().status, 403);
  EXPECT_EQ(client.Read().status, 403);
  client.Send("PUT /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(client.Read().status, 100);
  EXPECT_EQ(client.Read().status, 403);
}

TEST(Server, ClientThatSendsOnSeesTheRefusalAndNotAReset) {
  ServerWorld world;
  world.handler.on_head = [](const RequestView&) -> BodyPlan { return BufferBody{1000}; };
  PlainClient client = world.Connect();
  client.Send("PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 4000000\r\n\r\n");
  const std::string body(4'000'000, 'x');
  EXPECT_TRUE(client.TrySend(body));
  EXPECT_EQ(client.Read().status, 413);
  EXPECT_TRUE(client.AtEnd());
}

TEST(Server, AnswersHeadWithoutTheBody) {
  ServerWorld world;
  world.handler.on_request = [](const std::shared_ptr<Exchange>& exchange, const auto&) {
    Response response;
    if (exchange->request().path == "/file") {
      response.body = FileRange{nullptr, 0, 123456789};
    } else if (exchange->request().path == "/raw") {
      exchange->RespondRaw("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nraw");
      return;
    } else {
      response.body = std::string("text");
    }
    exchange->Respond(std::move(response));
  };
  PlainClient client = world.Connect();
  client.Send(
      "HEAD /file HTTP/1.1\r\nHost: h\r\n\r\nHEAD / HTTP/1.1\r\nHost: h\r\n\r\nHEAD /raw HTTP/1.1\r\nHost: h\r\n\r\n" +
      std::string("GET /raw HTTP/1.1\r\nHost: h\r\n\r\n"));
  EXPECT_EQ(client.Read(PlainClient::Method::kHead).Header("Content-Length"), "123456789");
  EXPECT_EQ(client.Read(PlainClient::Method::kHead).Header("Content-Length"), "4");
  EXPECT_EQ(client.Read(PlainClient::Method::kHead).Header("Content-Length"), "3");
  EXPECT_EQ(client.Read().body, "raw");
}

TEST(Server, SendsLargeAnswersToClientsThatReadSlowly) {
  ServerWorld world;
  const std::string large(20'000'000, 'y');
  world.handler.on_request = [&](const std::shared_ptr<Exchange>& exchange, const auto&) {
    exchange->Respond(ScriptedHandler::Text(exchange->request().path == "/large" ? large : "small"));
  };
  PlainClient client(world.port(), 4096);
  client.Send(
      "GET /large HTTP/1.1\r\nHost: h\r\n\r\nGET /small HTTP/1.1\r\nHost: h\r\n\r\nGET /large HTTP/1.1\r\nHost: "
      "h\r\n\r\n");
  // Only what has been sent is computed: the requests behind wait.
  world.Until([&] { return world.server().counters().requests == 1; });
  EXPECT_EQ(client.Read().body, large);
  EXPECT_EQ(client.Read().body, "small");
  EXPECT_EQ(client.Read().body, large);
}

TEST(Server, SpeaksHttp10) {
  ServerWorld world;
  PlainClient client = world.Connect();
  client.Send("GET /old HTTP/1.0\r\n\r\n");
  const std::string all = client.ReadToEnd();
  EXPECT_TRUE(all.ends_with("\r\n\r\nGET /old ")) << all;
  EXPECT_NE(all.find("Connection: close\r\n"), std::string::npos);
  PlainClient keeping = world.Connect();
  keeping.Send("GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(keeping.Read().Header("Connection"), "keep-alive");
  keeping.Send("GET /again HTTP/1.0\r\n\r\n");
  EXPECT_EQ(keeping.Read().body, "GET /again ");
  EXPECT_TRUE(keeping.AtEnd());
}

TEST(Server, ClosesWhenAsked) {
  ServerWorld world;
  PlainClient client = world.Connect();
  client.Send("GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" + std::string(kGet));
  const Answer answer = client.Read();
  EXPECT_EQ(answer.Header("Connection"), "close");
  EXPECT_TRUE(client.AtEnd());
  EXPECT_EQ(world.Counters().requests, 1U);
}

TEST(Server, AnswersClientsThatHaveShutDownTheirSide) {
  ServerWorld world;
  PlainClient client = world.Connect();
  client.Send(std::string(kGet) + std::string(kGet));
  client.HalfClose();
  EXPECT_EQ(client.Read().status, 200);
  EXPECT_EQ(client.Read().status, 200);
  EXPECT_TRUE(client.AtEnd());
}

TEST(Server, MalformedRequestsAreAnsweredAndEndTheConnection) {
  ServerWorld world;
  const std::pair<const char*, int> bad[] = {
      {"GARBAGE\r\n\r\n", 400},
      {"\x16\x03\x01\x02\x01\x01", 400},  // a TLS client
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: h\r\nExpect: miracles\r\n\r\n", 417},
  };
  for (const auto& [request, status] : bad) {
    PlainClient client = world.Connect();
    client.Send(request);
    const Answer answer = client.Read();
    EXPECT_EQ(answer.status, status) << request;
    EXPECT_EQ(answer.Header("Connection"), "close");
    EXPECT_FALSE(answer.body.empty());
    EXPECT_TRUE(client.AtEnd());
  }
  EXPECT_EQ(world.Counters().requests_malformed, std::size(bad));
}

TEST(Server, WordsOfTheHandlerCannotAddHeaders) {
  ServerWorld world;
  world.handler.on_request = [](const std::shared_ptr<Exchange>& exchange, const auto&) {
    Response response;
    response.Set("x-amz-meta-a", "1\r\nSet-Cookie: evil");
    response.Set("Content-Length", "0");
    response.body = std::string("body");
    exchange->Respond(std::move(response));
  };
  PlainClient client = world.Connect();
  client.Send(kGet);
  const Answer answer = client.Read();
  EXPECT_EQ(answer.Header("Set-Cookie"), "");
  EXPECT_EQ(answer.body, "body");
}

TEST(Server, TwoServersShareAListener) {
  EventLoop loops[2];
  SystemClock clock;
  ScriptedHandler handler;
  Result<UniqueFd> listener = OpenListener("127.0.0.1", 0);
  ASSERT_TRUE(listener.ok());
  Result<UniqueFd> copy = DuplicateListener(*listener);
  ASSERT_TRUE(copy.ok());
  ThreadPool files("files", 1, 4);
  Server first(&loops[0], &handler, {}, &clock, &files);
  Server second(&loops[1], &handler, {}, &clock, &files);
  ASSERT_TRUE(first.Listen(std::move(*listener)).ok());
  ASSERT_TRUE(second.Listen(std::move(*copy)).ok());
  EXPECT_EQ(first.port(), second.port());
  std::thread threads[2] = {std::thread([&] { loops[0].Run(); }), std::thread([&] { loops[1].Run(); })};
  for (int i = 0; i < 50; ++i) {
    PlainClient client(first.port());
    client.Send(kGet);
    EXPECT_EQ(client.Read().status, 200);
  }
  for (int i = 0; i < 2; ++i) loops[i].Stop();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(first.counters().requests + second.counters().requests, 50U);
}

TEST(Server, ListeningSaysWhatIsWrong) {
  Result<UniqueFd> first = OpenListener("127.0.0.1", 0);
  ASSERT_TRUE(first.ok());
  sockaddr_in address{};
  socklen_t size = sizeof address;
  getsockname(first->get(), reinterpret_cast<sockaddr*>(&address), &size);
  const std::string port = std::to_string(ntohs(address.sin_port));
  const Result<UniqueFd> second = OpenListener("localhost", ntohs(address.sin_port));
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code(), ErrorCode::kAlreadyExists);
  EXPECT_EQ(second.error().message(), "cannot listen on 127.0.0.1:" + port + ": another program is using this port");
  const Result<UniqueFd> nonsense = OpenListener("example.com", 80);
  ASSERT_FALSE(nonsense.ok());
  EXPECT_EQ(nonsense.error().message(), "cannot listen on 'example.com': it is not an IP address");
  EXPECT_FALSE(OpenListener("203.0.113.1", 0).ok());
  EXPECT_TRUE(OpenListener("::1", 0).ok());
}

}  // namespace
}  // namespace argosy::http
