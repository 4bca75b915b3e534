#include "collective/gloo_group.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collective/test_hosts.h"

namespace argosy::collective {
namespace {

using testing::ElementsAre;

TEST(GlooGroup, GathersWhatEachGaveByRank) {
  RunHosts(3, [](Group& group) {
    const std::string mine(group.rank() * 100'000, static_cast<char>('a' + group.rank()));
    const auto all = group.AllGather(mine);
    ASSERT_TRUE(all.ok());
    EXPECT_THAT(*all, ElementsAre("", std::string(100'000, 'b'), std::string(200'000, 'c')));
    EXPECT_EQ(group.traffic().rounds, 1);
    EXPECT_EQ(group.traffic().bytes_sent, 2 * (mine.size() + 8));
    EXPECT_EQ(group.traffic().bytes_received, 300'000 - mine.size() + 2 * 8);
  });
}

TEST(GlooGroup, ValuesAndTheHeadsWord) {
  RunHosts(2, [](Group& group) {
    const auto letters = group.AllGatherEqual(std::string(3, static_cast<char>('a' + group.rank())));
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

TEST(GlooGroup, SendsToOneAnother) {
  RunHosts(3, [](Group& group) {
    if (group.rank() == 0) {
      EXPECT_TRUE(group.Send(2, std::string(1 << 20, 'x')).ok());
      EXPECT_TRUE(group.Send(2, "").ok());
      EXPECT_EQ(group.traffic().bytes_sent, (1 << 20) + 16);
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

TEST(GlooGroup, AHostThatLeavesIsAnErrorOnTheOthersAtOnce) {
  RunHosts(3, [](Group& group) {
    ASSERT_TRUE(group.AllGather("all are there").ok());
    if (group.rank() == 1) return;
    const auto lost = group.AllGather("one is gone");
    ASSERT_FALSE(lost.ok());
    EXPECT_EQ(lost.error().code(), ErrorCode::kUnavailable);
    EXPECT_FALSE(group.AllGather("still").ok());
  });
}

TEST(GlooGroup, OneIsAGroupToo) {
  EXPECT_EQ(Alone().size(), 1);
  EXPECT_THAT(*Alone().AllGather("x"), ElementsAre("x"));
  EXPECT_EQ(*Broadcast(Alone(), "y"), "y");
}

}  // namespace
}  // namespace argosy::collective
