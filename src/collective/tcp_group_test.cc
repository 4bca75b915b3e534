#include "collective/tcp_group.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collective/test_hosts.h"

namespace argosy::collective {
namespace {

using testing::ElementsAre;

TEST(TcpGroup, GathersWhatEachGaveByRank) {
  RunHosts(3, [](Group& group) {
    const std::string mine(group.rank() * 100'000, static_cast<char>('a' + group.rank()));
    const auto all = group.AllGather(mine);
    ASSERT_TRUE(all.ok());
    EXPECT_THAT(*all, ElementsAre("", std::string(100'000, 'b'), std::string(200'000, 'c')));
    EXPECT_EQ(group.traffic().rounds, 1);
    EXPECT_EQ(group.traffic().bytes_sent, 2 * mine.size());
    EXPECT_EQ(group.traffic().bytes_received, 300'000 - mine.size());
  });
}

TEST(TcpGroup, ValuesAndTheHeadsWord) {
  RunHosts(2, [](Group& group) {
    const auto letters = group.AllGather(std::string(3, static_cast<char>('a' + group.rank())));
    ASSERT_TRUE(letters.ok());
    EXPECT_THAT(*letters, ElementsAre("aaa", "bbb"));
    EXPECT_EQ(group.traffic().bytes_sent, 3);
    const auto values = AllGatherValues<uint64_t>(group, 10 + group.rank());
    ASSERT_TRUE(values.ok());
    EXPECT_THAT(*values, ElementsAre(10, 11));
    const auto word = Broadcast(group, group.rank() == 0 ? "head" : "other");
    ASSERT_TRUE(word.ok());
    EXPECT_EQ(*word, "head");
  });
}

TEST(TcpGroup, SendsToOneAnother) {
  RunHosts(3, [](Group& group) {
    if (group.rank() == 0) {
      EXPECT_TRUE(group.Send(2, std::string(1 << 20, 'x')).ok());
      EXPECT_TRUE(group.Send(2, "").ok());
      EXPECT_EQ(group.traffic().bytes_sent, 1 << 20);
    } else if (group.rank() == 2) {
      const auto first = group.Receive(0);
      const auto second = group.Receive(0);
      ASSERT_TRUE(first.ok() && second.ok());
      EXPECT_EQ(first->size(), 1U << 20);
      EXPECT_EQ(*second, "");
    }
    ASSERT_TRUE(group.AllGather("the end").ok());
  });
}

TEST(TcpGroup, AHostThatLeavesIsAnErrorOnTheOthersAtOnce) {
  RunHosts(3, [](Group& group) {
    ASSERT_TRUE(group.AllGather("all are there").ok());
    if (group.rank() == 1) return;
    const auto lost = group.AllGather("one is gone");
    ASSERT_FALSE(lost.ok());
    EXPECT_EQ(lost.error().code(), ErrorCode::kUnavailable);
    EXPECT_THAT(lost.error().message(), testing::HasSubstr("come apart: algo-"));
    EXPECT_FALSE(group.AllGather("still").ok());
  });
}

TEST(TcpGroup, AHostThatLeavesIsNoticedInShortAndLongMessages) {
  for (const size_t bytes : {size_t{10}, size_t{64} << 10, size_t{1} << 20}) {
    RunHosts(3, [&](Group& group) {
      for (int round = 0; round < 3; ++round) {
        const std::string mine(bytes, static_cast<char>('0' + 3 * round + static_cast<int>(group.rank())));
        const auto all = group.AllGather(mine);
        ASSERT_TRUE(all.ok());
        EXPECT_EQ((*all)[2], std::string(bytes, static_cast<char>('0' + 3 * round + 2)));
      }
      if (group.rank() == 1) return;
      const auto lost = group.AllGather(std::string(bytes, 'x'));
      ASSERT_FALSE(lost.ok());
      EXPECT_EQ(lost.error().code(), ErrorCode::kUnavailable);
    });
  }
}

TEST(TcpGroup, BigMessagesOfAllCrossWithoutAnybodyWaitingForAnother) {
  RunHosts(4, [](Group& group) {
    const std::string mine((size_t{8} << 20) + group.rank(), static_cast<char>('a' + group.rank()));
    for (int round = 0; round < 2; ++round) {
      const auto all = group.AllGather(mine);
      ASSERT_TRUE(all.ok());
      for (size_t host = 0; host < 4; ++host) {
        EXPECT_EQ((*all)[host].size(), (size_t{8} << 20) + host);
        EXPECT_EQ((*all)[host].back(), static_cast<char>('a' + host));
      }
    }
  });
}

// Publishes an address with another token, or none.
class Forger final : public Rendezvous {
 public:
  Forger(TestRendezvous::Board& board, size_t rank) : board_(board, rank) {}
  Status Publish(const std::string& address) override {
    std::string forged = address;
    forged.back() = forged.back() == '0' ? '1' : '0';
    return board_.Publish(forged);
  }
  Result<std::string> AddressOf(size_t rank) override { return board_.AddressOf(rank); }

 private:
  TestRendezvous board_;
};

TEST(TcpGroup, WhoDoesNotKnowTheTokenIsTurnedAway) {
  TestRendezvous::Board board;
  std::thread other([&] {
    TestRendezvous rendezvous(board, 1);
    const auto joined = JoinTcp({.rank = 1, .size = 2}, rendezvous);
    if (joined.ok()) EXPECT_FALSE((*joined)->AllGather("x").ok());
  });
  Forger rendezvous(board, 0);
  const auto joined = JoinTcp({.rank = 0, .size = 2, .connect_patience = std::chrono::milliseconds(300)}, rendezvous);
  ASSERT_FALSE(joined.ok());
  EXPECT_EQ(joined.error().code(), ErrorCode::kUnavailable);
  other.join();
}

TEST(TcpGroup, OneIsAGroupToo) {
  EXPECT_EQ(Alone().size(), 1);
  EXPECT_THAT(*Alone().AllGather("x"), ElementsAre("x"));
  EXPECT_EQ(*Broadcast(Alone(), "y"), "y");
}

}  // namespace
}  // namespace argosy::collective
