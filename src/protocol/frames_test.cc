#include "protocol/frames.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

namespace argosy::protocol {
namespace {

void Feed(FrameReader& reader, std::string_view bytes) {
  while (!bytes.empty()) {
    const FrameReader::Room room = reader.Space();
    const size_t n = std::min(room.size, bytes.size());
    std::memcpy(room.data, bytes.data(), n);
    reader.Filled(n);
    bytes.remove_prefix(n);
  }
}

TEST(Frames, ComeOutAsTheyWentInWhateverThePieces) {
  std::string wire;
  AppendFrame(wire, FrameKind::kPing, 7, "");
  AppendInvoke(wire, 8, {.time_left_ms = 60'000, .content_type = "text/csv", .accept = "*/*", .body = "1,2,3"});
  AppendAnswer(wire, 8, {.status = 200, .content_type = "application/json", .body = "{}"});
  for (size_t piece = 1; piece <= wire.size(); ++piece) {
    FrameReader reader;
    std::vector<FrameKind> kinds;
    for (size_t at = 0; at < wire.size(); at += piece) {
      Feed(reader, std::string_view(wire).substr(at, piece));
      for (;;) {
        const auto frame = reader.Next();
        ASSERT_TRUE(frame.ok());
        if (!frame->has_value()) break;
        kinds.push_back((*frame)->kind);
        if ((*frame)->kind == FrameKind::kInvoke) {
          const auto invoke = ParseInvoke((*frame)->payload);
          ASSERT_TRUE(invoke.ok());
          EXPECT_EQ(invoke->body, "1,2,3");
          EXPECT_EQ(invoke->content_type, "text/csv");
          EXPECT_EQ(invoke->accept, "*/*");
          EXPECT_EQ(invoke->time_left_ms, 60'000U);
        }
        if ((*frame)->kind == FrameKind::kAnswer) {
          const auto answer = ParseAnswer((*frame)->payload);
          ASSERT_TRUE(answer.ok());
          EXPECT_EQ(answer->status, 200);
          EXPECT_EQ(answer->content_type, "application/json");
          EXPECT_EQ(answer->body, "{}");
        }
      }
    }
    EXPECT_EQ(kinds, (std::vector{FrameKind::kPing, FrameKind::kInvoke, FrameKind::kAnswer}));
    EXPECT_EQ(reader.buffered(), 0U);
  }
}

TEST(Frames, ABodyOfTheLargestSizePasses) {
  const std::string body(kInvokeBodyBytesMax, 'x');
  std::string wire;
  AppendInvoke(wire, 1, {.body = body});
  FrameReader reader;
  Feed(reader, wire);
  const auto frame = reader.Next();
  ASSERT_TRUE(frame.ok() && frame->has_value());
  EXPECT_EQ(ParseInvoke((*frame)->payload)->body.size(), body.size());
}

TEST(Frames, ALengthOverItsKindsBoundIsRefusedBeforeItIsBuffered) {
  std::string wire;
  AppendFrame(wire, FrameKind::kHello, 0, "{}");
  const uint32_t length = kHelloBytesMax + 1;
  std::memcpy(wire.data() + 4, &length, sizeof length);
  FrameReader reader;
  Feed(reader, wire);
  const auto frame = reader.Next();
  ASSERT_FALSE(frame.ok());
  EXPECT_EQ(frame.error().code(), ErrorCode::kCorrupt);
}

TEST(Frames, WrongMagicVersionOrKindIsRefused) {
  for (const size_t at : {0U, 1U, 2U, 3U}) {
    std::string wire;
    AppendFrame(wire, FrameKind::kPing, 0, "");
    wire[at] = static_cast<char>(0xee);
    FrameReader reader;
    Feed(reader, wire);
    EXPECT_FALSE(reader.Next().ok()) << at;
  }
}

TEST(Frames, FieldsLongerThanTheFrameAreRefused) {
  std::string wire;
  AppendInvoke(wire, 1, {.content_type = "text/csv", .body = "1"});
  std::string payload = wire.substr(kFrameHeaderBytes);
  payload[4] = 100;
  EXPECT_FALSE(ParseInvoke(payload).ok());
  EXPECT_FALSE(ParseInvoke(payload.substr(0, 11)).ok());
  std::string answer;
  AppendAnswer(answer, 1, {.status = 200, .content_type = "a"});
  answer = answer.substr(kFrameHeaderBytes);
  answer[2] = 50;
  EXPECT_FALSE(ParseAnswer(answer).ok());
  EXPECT_FALSE(ParseAnswer("").ok());
}

TEST(Frames, HelloAndWelcomeSurviveTheWayThroughJson) {
  const Hello hello{.instance_id = "i-1", .owner_uid = "u", .attempt = 4, .token = "t"};
  const auto got = Hello::FromJson(hello.ToJson());
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->ToJson(), hello.ToJson());
  const Welcome welcome{.instance_id = "i-1", .owner_uid = "u", .attempt = 4, .log_offset = 123};
  EXPECT_EQ(Welcome::FromJson(welcome.ToJson())->log_offset, 123U);
  EXPECT_FALSE(Welcome::FromJson(hello.ToJson()).ok());
  EXPECT_FALSE(Hello::FromJson("[]").ok());
  EXPECT_FALSE(Hello::FromJson(R"({"version":99,"instance_id":"","owner_uid":"","attempt":0})").ok());
}

TEST(Frames, CommandsAreKnownOrRefused) {
  std::string wire;
  for (const Command& command : {Command{}, Command{CommandKind::kGroup, {"one", "", std::string("\0x", 2)}}}) {
    wire.clear();
    AppendCommand(wire, command);
    const std::string_view payload = std::string_view(wire).substr(kFrameHeaderBytes);
    EXPECT_EQ(*ParseCommand(payload), command);
    for (size_t size = 0; command.kind == CommandKind::kGroup && size < payload.size(); ++size) {
      const auto torn = ParseCommand(payload.substr(0, size));
      EXPECT_TRUE(!torn.ok() || torn->addresses.size() < command.addresses.size()) << size;
    }
  }
  EXPECT_FALSE(ParseCommand("").ok());
  EXPECT_FALSE(ParseCommand("\x07").ok());
  EXPECT_FALSE(ParseCommand("\x09").ok());
  EXPECT_FALSE(ParseCommand("").ok());
}

}  // namespace
}  // namespace argosy::protocol
