#include "http/client.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "http/server_test_world.h"

namespace argosy::http {
namespace {

class ClientTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/argosy_client_XXXXXX";
    directory_ = mkdtemp(name);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string Url(const std::string& path) { return "http://127.0.0.1:" + std::to_string(world_.port()) + path; }
  std::filesystem::path Write(std::string_view text) {
    const std::filesystem::path path = directory_ / "input";
    std::ofstream(path) << text;
    return path;
  }
  static std::string ReadAll(const std::filesystem::path& path) {
    std::stringstream out;
    out << std::ifstream(path).rdbuf();
    return out.str();
  }
  size_t FilesInDirectory() {
    return static_cast<size_t>(
        std::distance(std::filesystem::directory_iterator(directory_), std::filesystem::directory_iterator()));
  }

  ServerWorld world_;
  std::filesystem::path directory_;
  Client client_;
};

TEST_F(ClientTest, SendsAndReceivesOverOneConnection) {
  const Result<ClientResponse> get = client_.Send({.url = Url("/a/../b//c?x=%2F")});
  ASSERT_TRUE(get.ok()) << get.error().message();
  EXPECT_EQ(get->status, 200);
  EXPECT_EQ(get->body, "GET /a/../b//c?x=%2F ");
  EXPECT_EQ(get->Header("content-TYPE"), "text/plain");
  const Result<ClientResponse> post =
      client_.Send({.method = "POST", .url = Url("/p"), .body = std::string("the body")});
  ASSERT_TRUE(post.ok());
  EXPECT_EQ(post->body, "POST /p the body");
  const Result<ClientResponse> removed = client_.Send({.method = "DELETE", .url = Url("/d")});
  EXPECT_EQ(removed->body, "DELETE /d ");
  EXPECT_EQ(world_.Counters().connections_accepted, 1U);
}

TEST_F(ClientTest, AFreshConnectionIsOneOfItsOwn) {
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(client_.Send({.url = Url("/")}).ok());
  EXPECT_EQ(world_.Counters().connections_accepted, 1U);
  ASSERT_TRUE(client_.Send({.url = Url("/"), .connection = ConnectionUse::kFresh}).ok());
  EXPECT_EQ(world_.Counters().connections_accepted, 2U);
}

TEST_F(ClientTest, SendsTheHeadersGivenAndNoOthers) {
  world_.handler.on_request = [](const std::shared_ptr<Exchange>& exchange, const auto&) {
    std::string names;
    for (const HeaderView& header : exchange->request().headers) {
      names += std::string(header.name) + "=" + std::string(header.value) + "\n";
    }
    exchange->Respond(ScriptedHandler::Text(names));
  };
  const Result<ClientResponse> post =
      client_.Send({.method = "POST",
                    .url = Url("/"),
                    .headers = {{"Host", "example"}, {"X-Amz-Target", "A.B"}, {"X-Empty", ""}},
                    .body = std::string(2'000'000, 'x')});
  ASSERT_TRUE(post.ok()) << post.error().message();
  EXPECT_EQ(post->body, "Host=example\nAccept=*/*\nX-Amz-Target=A.B\nX-Empty=\nContent-Length=2000000\n");
  const Result<ClientResponse> bad = client_.Send({.url = Url("/"), .headers = {{"X", "a\r\nY: b"}}});
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().code(), ErrorCode::kInvalidArgument);
}

TEST_F(ClientTest, HeadHasHeadersOnly) {
  const Result<ClientResponse> head = client_.Send({.method = "HEAD", .url = Url("/x")});
  ASSERT_TRUE(head.ok()) << head.error().message();
  EXPECT_EQ(head->Header("Content-Length"), "8");
  EXPECT_EQ(head->body, "");
}

TEST_F(ClientTest, SendsFilesAndPartsOfFiles) {
  const std::string text(3'000'000, 'f');
  const std::filesystem::path path = Write("0123456789" + text);
  const Result<ClientResponse> whole = client_.Send({.method = "PUT", .url = Url("/w"), .body = BodyFile{path}});
  ASSERT_TRUE(whole.ok()) << whole.error().message();
  EXPECT_EQ(whole->body, "PUT /w 0123456789" + text);
  const Result<ClientResponse> part = client_.Send({.method = "PUT", .url = Url("/p"), .body = BodyFile{path, 3, 4}});
  EXPECT_EQ(part->body, "PUT /p 3456");
  const Result<ClientResponse> expecting = client_.Send({.method = "PUT",
                                                         .url = Url("/e"),
                                                         .headers = {{"Expect", "100-continue"}},
                                                         .body = BodyFile{path, 10, 3'000'000}});
  ASSERT_TRUE(expecting.ok());
  EXPECT_EQ(expecting->body, "PUT /e " + text);
  EXPECT_EQ(expecting->Header("Content-Length"), "3000007");
  EXPECT_EQ(client_.Send({.method = "PUT", .url = Url("/"), .body = BodyFile{path, 0, 4'000'000}}).error().message(),
            path.string() + " is shorter than the part to be sent");
  EXPECT_EQ(client_.Send({.method = "PUT", .url = Url("/"), .body = BodyFile{directory_ / "none"}}).error().code(),
            ErrorCode::kNotFound);
}

TEST_F(ClientTest, AnswersGoToFilesWholeOrNotAtAll) {
  const std::filesystem::path out = directory_ / "out";
  world_.handler.on_request = [](const std::shared_ptr<Exchange>& exchange, const auto&) {
    if (exchange->request().path == "/cut") {
      exchange->RespondRaw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nonly this");
      return;
    }
    Response response = ScriptedHandler::Text(exchange->request().path == "/empty" ? "" : "content");
    if (exchange->request().path == "/missing") response.status = 404;
    exchange->Respond(std::move(response));
  };
  const Result<ClientResponse> got = client_.Send({.url = Url("/x"), .response_file = out});
  ASSERT_TRUE(got.ok()) << got.error().message();
  EXPECT_EQ(got->body, "");
  EXPECT_EQ(ReadAll(out), "content");

  const Result<ClientResponse> missing = client_.Send({.url = Url("/missing"), .response_file = out});
  EXPECT_EQ(missing->status, 404);
  EXPECT_EQ(missing->body, "content");
  EXPECT_EQ(ReadAll(out), "content");

  const Result<ClientResponse> empty = client_.Send({.url = Url("/empty"), .response_file = out});
  ASSERT_TRUE(empty.ok());
  EXPECT_EQ(ReadAll(out), "");
  EXPECT_EQ(FilesInDirectory(), 1U);

  const Result<ClientResponse> nowhere = client_.Send({.url = Url("/x"), .response_file = directory_ / "no" / "out"});
  ASSERT_FALSE(nowhere.ok());
  EXPECT_EQ(nowhere.error().code(), ErrorCode::kNotFound);
}

TEST_F(ClientTest, AnswerCutShortIsAnErrorAndLeavesNoFile) {
  world_.handler.on_request = [](const std::shared_ptr<Exchange>& exchange, const auto&) {
    exchange->RespondRaw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
  };
  const Result<ClientResponse> cut =
      client_.Send({.url = Url("/"), .headers = {{"Connection", "close"}}, .response_file = directory_ / "out"});
  ASSERT_FALSE(cut.ok());
  EXPECT_EQ(cut.error().code(), ErrorCode::kUnavailable);
  EXPECT_EQ(FilesInDirectory(), 0U);
}

TEST_F(ClientTest, ASinkTakesTheBodyWithItsHeadAndMayEndIt) {
  std::string got;
  ClientRequest request{.method = "POST", .url = Url("/echo"), .body = std::string("what is sent")};
  request.response_sink = [&](const ClientResponse& head, std::string_view piece) {
    EXPECT_FALSE(head.Header("content-length").empty());
    got.append(piece);
    return Status();
  };
  const Result<ClientResponse> answer = client_.Send(request);
  ASSERT_TRUE(answer.ok()) << answer.error().message();
  EXPECT_TRUE(answer->body.empty());
  EXPECT_EQ(got, "POST /echo what is sent");
  request.response_sink = [](const ClientResponse&, std::string_view) {
    return Status(Error(ErrorCode::kNoSpace, "no room"));
  };
  EXPECT_EQ(client_.Send(request).error().code(), ErrorCode::kNoSpace);
}

TEST_F(ClientTest, BodiesKeptInMemoryAreBounded) {
  const Result<ClientResponse> large =
      client_.Send({.method = "POST", .url = Url("/"), .body = std::string(1000, 'x'), .response_bytes_max = 999});
  ASSERT_FALSE(large.ok());
  EXPECT_EQ(large.error().code(), ErrorCode::kResourceExhausted);
}

TEST_F(ClientTest, ErrorsSayWhatToDo) {
  Result<UniqueFd> taken = OpenListener("127.0.0.1", 0);
  ASSERT_TRUE(taken.ok());
  sockaddr_in address{};
  socklen_t size = sizeof address;
  getsockname(taken->get(), reinterpret_cast<sockaddr*>(&address), &size);
  taken->reset();
  const std::string place = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  const Result<ClientResponse> nobody = client_.Send({.url = "http://" + place + "/"});
  ASSERT_FALSE(nobody.ok());
  EXPECT_EQ(nobody.error().code(), ErrorCode::kUnavailable);
  EXPECT_EQ(nobody.error().message(), "cannot connect to " + place + ": is `argosy up` running?");

  const Result<ClientResponse> nonsense = client_.Send({.url = "s3://bucket/key"});
  ASSERT_FALSE(nonsense.ok());
  EXPECT_EQ(nonsense.error().message(), "'s3://bucket/key' is not an http or https URL");

  Held held;
  world_.handler.on_request = [&held](std::shared_ptr<Exchange> exchange, const auto&) {
    held.Add(std::move(exchange));
  };
  const Result<ClientResponse> late = client_.Send({.url = Url("/"), .time_max = std::chrono::milliseconds(20)});
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code(), ErrorCode::kDeadlineExceeded);
  held.Take()->Respond({});
}

TEST_F(ClientTest, LoopbackIsNeverReachedThroughAProxy) {
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  Client client;
  const Result<ClientResponse> got = client.Send({.url = Url("/direct")});
  unsetenv("http_proxy");
  ASSERT_TRUE(got.ok()) << got.error().message();
  EXPECT_EQ(got->body, "GET /direct ");
}

}  // namespace
}  // namespace argosy::http
