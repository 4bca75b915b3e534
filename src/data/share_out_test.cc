// A table read by the hosts of a group: the same blocks as on one host, each host reading only its part of the bytes.
#include "data/share_out.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "base/random.h"
#include "collective/test_hosts.h"
#include "data/dataset.h"
#include "data/host_share.h"
#include "data/test_files.h"
#include "data/test_tables.h"

namespace argosy::data {
namespace {

using testing::HasSubstr;

std::string Rows(size_t count, uint64_t seed, bool header) {
  SeededRandom random(seed);
  std::string text = header ? "size,colour,kind\n" : "";
  for (size_t i = 0; i < count; ++i) {
    text += std::to_string(random.Normal()) + ",colour" + std::to_string(random.Below(50)) + ",kind" +
            std::to_string(random.Below(4)) + "\n";
  }
  return text;
}

std::string TextOf(const RowView& block) {
  std::string text;
  for (const float value : block.numeric) text += std::to_string(value) + ",";
  for (const uint32_t value : block.categories) text += std::to_string(value) + ",";
  for (const float value : block.labels) text += std::to_string(value) + ",";
  return text;
}

struct Expected {
  std::vector<std::string> blocks;
  std::vector<std::string> categories;
  std::vector<std::string> classes;
  uint64_t bytes;
};

class ShareOutTest : public testing::Test {
 protected:
  Result<Dataset> Read(const TableFiles& table, collective::Group& group, uint64_t rows_per_host_min = 0,
                       BadRecords* bad = nullptr) const {
    ReadOptions read;
    read.threads = 2;
    read.memory_bytes_max = 64 << 10;  // most of it goes to the disk
    read.scratch_dir = directory_.path();
    read.group = &group;
    read.rows_per_host_min = rows_per_host_min;
    read.bad = bad;
    ProbeOptions options = TextTable();
    options.lenient = bad != nullptr;
    return ReadNewTable(table, options, read);
  }

  Expected ReadAlone(const TableFiles& table) const {
    auto all = Read(table, collective::Alone());
    Check(all.ok());
    Expected expected{.blocks = {},
                      .categories = all->schema().columns[1].categories,
                      .classes = all->schema().label.classes,
                      .bytes = all->bytes_read()};
    for (size_t b = 0; b < all->rows().blocks(); ++b) expected.blocks.push_back(TextOf(**all->rows().Get(b)));
    return expected;
  }

  // Every host has the blocks of its share as one host would, and knows the whole schema.
  void ExpectSharedOut(const TableFiles& table, size_t hosts, uint64_t part_max) const {
    const Expected expected = ReadAlone(table);
    std::atomic<uint64_t> bytes = 0;
    collective::RunHosts(hosts, [&](collective::Group& group) {
      const auto part = Read(table, group);
      ASSERT_TRUE(part.ok()) << part.error().message();
      EXPECT_EQ(part->schema().columns[1].categories, expected.categories);
      EXPECT_EQ(part->schema().label.classes, expected.classes);
      ASSERT_EQ(part->rows().blocks(), expected.blocks.size());
      const HostShare share(group.rank(), hosts);
      for (uint64_t b = share.First(expected.blocks.size()); b < share.End(expected.blocks.size()); ++b) {
        const auto block = part->rows().Get(b);
        ASSERT_TRUE(block.ok());
        EXPECT_EQ(TextOf(**block), expected.blocks[b]) << "block " << b;
      }
      EXPECT_LE(part->bytes_read(), part_max);
      bytes += part->bytes_read();
    });
    EXPECT_EQ(bytes, expected.bytes) << "every byte is read once, by one host";
  }

  TestDirectory directory_;
};

TEST(HostShareTest, PowersOfTwoAreEvenAndOthersFindWholeParts) {
  for (const size_t hosts : {1U, 2U, 3U, 4U, 5U, 7U, 8U, 11U, 16U}) {
    for (const size_t count : {HostShare::PartsMin(hosts), size_t{16}, size_t{1000}}) {
      uint64_t next = 0;
      for (size_t rank = 0; rank < hosts; ++rank) {
        const HostShare share(rank, hosts);
        EXPECT_EQ(share.First(count), next);
        EXPECT_GT(share.End(count), next) << "a host without work";
        next = share.End(count);
      }
      EXPECT_EQ(next, count);
    }
  }
  EXPECT_EQ(HostShare::PartsMin(4), 4);
  EXPECT_EQ(HostShare::PartsMin(3), 16);
}

TEST_F(ShareOutTest, OneFileIsCutAtLineEnds) {
  const std::string text = Rows(40'000, 1, true);
  const TableFiles table{"train", {directory_.Write("t.csv", text)}};
  for (const size_t hosts : {2U, 3U, 4U}) ExpectSharedOut(table, hosts, text.size() / hosts + 100);
}

TEST_F(ShareOutTest, FilesOfAllSizesWithAndWithoutTheirLastLineEnd) {
  TableFiles table{"train", {}};
  const std::vector<size_t> sizes = {1, 9000, 0, 30, 2, 14'000};
  for (size_t i = 0; i < sizes.size(); ++i) {
    std::string text = Rows(sizes[i], i, true);
    if (i % 2 == 0 && !text.empty()) text.pop_back();
    table.files.push_back(directory_.Write("part-" + std::to_string(i), text));
  }
  for (const size_t hosts : {2U, 4U}) ExpectSharedOut(table, hosts, 500'000);
}

TEST_F(ShareOutTest, AFileThatCannotBeCutIsReadByOneAndShared) {
  const TableFiles table{"train", {directory_.Write("t.csv.gz", GzipBytes(Rows(20'000, 1, true)))}};
  ExpectSharedOut(table, 2, 2'000'000);
}

TEST_F(ShareOutTest, FilesOfTheHostsOwnAreTheTableOneBehindTheOther) {
  const auto first = directory_.Write("a", Rows(12'000, 1, true));
  const auto second = directory_.Write("b", Rows(5'000, 2, true));
  const Expected expected = ReadAlone({"train", {first, second}});
  collective::RunHosts(2, [&](collective::Group& group) {
    TableFiles own{"train", {group.rank() == 0 ? first : second}};
    own.own = true;
    const auto part = Read(own, group);
    ASSERT_TRUE(part.ok()) << part.error().message();
    EXPECT_EQ(part->rows_read(), group.rank() == 0 ? 12'000U : 5'000U);
    const HostShare share(group.rank(), 2);
    for (uint64_t b = share.First(expected.blocks.size()); b < share.End(expected.blocks.size()); ++b) {
      EXPECT_EQ(TextOf(**part->rows().Get(b)), expected.blocks[b]) << "block " << b;
    }
  });
}

TEST_F(ShareOutTest, OfFewRowsEverybodyGetsAll) {
  const TableFiles table{"train", {directory_.Write("t.csv", Rows(5000, 1, true))}};
  const Expected expected = ReadAlone(table);
  collective::RunHosts(3, [&](collective::Group& group) {
    const auto part = Read(table, group, 2000);
    ASSERT_TRUE(part.ok());
    EXPECT_EQ(&part->group(), &collective::Alone());
    for (size_t b = 0; b < expected.blocks.size(); ++b) {
      EXPECT_EQ(TextOf(**part->rows().Get(b)), expected.blocks[b]);
    }
  });
}

TEST_F(ShareOutTest, ErrorsNameTheLineOfTheFile) {
  std::string text = Rows(30'000, 1, true);
  const size_t line = text.find('\n', text.size() * 3 / 4) + 1;
  const auto number = std::count(text.begin(), text.begin() + static_cast<ptrdiff_t>(line), '\n') + 1;
  text.insert(line, "not a number");
  const TableFiles table{"train", {directory_.Write("t.csv", text)}};
  collective::RunHosts(2, [&](collective::Group& group) {
    const auto part = Read(table, group);
    ASSERT_FALSE(part.ok());
    if (group.rank() == 0) {
      EXPECT_EQ(part.error().code(), ErrorCode::kUnavailable);  // the other has left
    } else {
      EXPECT_THAT(part.error().message(), HasSubstr("line " + std::to_string(number)));
    }
  });
}

TEST_F(ShareOutTest, BadRecordsAreBoundedForAllTogether) {
  std::string text = Rows(30'000, 1, true);
  const std::string bad = "one,two\n";
  text.insert(text.find('\n', text.size() * 2 / 5) + 1, bad);
  text += bad;
  const TableFiles table{"train", {directory_.Write("t.csv", text)}};
  for (const uint64_t max : {1U, 2U}) {
    collective::RunHosts(2, [&](collective::Group& group) {
      BadRecords left_out(max);
      const auto part = Read(table, group, 0, &left_out);
      EXPECT_EQ(part.ok(), max == 2);
      EXPECT_EQ(left_out.count(), 1);
    });
  }
}

TEST_F(ShareOutTest, NoRowsAnywhereIsAnError) {
  const TableFiles table{"train", {directory_.Write("t.csv", "\n\n")}};
  collective::RunHosts(2, [&](collective::Group& group) { EXPECT_FALSE(Read(table, group).ok()); });
}

}  // namespace
}  // namespace argosy::data
