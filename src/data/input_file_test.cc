#include "data/input_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/dataset.h"
#include "data/libsvm.h"
#include "data/test_files.h"

namespace argosy::data {
namespace {

using testing::HasSubstr;

// Two files of one name, the second with a fault: what is said of them.
class TwoFoldersTest : public testing::Test {
 protected:
  TableFiles Table(std::string_view good, std::string_view bad, Format format) const {
    TableFiles table{.channel = "train", .files = {}, .format = format};
    for (const auto& [folder, bytes] : {std::pair{"a", good}, {"b", bad}}) {
      const std::string name = std::string(folder) + "/part";
      std::filesystem::create_directories(directory_.path() / folder);
      table.files.emplace_back(directory_.Write(name, bytes), name);
    }
    return table;
  }

  std::string Fault(std::string_view good, std::string_view bad, Format format = Format::kCsv) const {
    ReadOptions read;
    read.scratch_dir = directory_.path();
    const auto dataset = ReadNewTable(Table(good, bad, format), {}, read);
    return dataset ? "" : dataset.error().message();
  }

  const TestDirectory directory_;
};

TEST_F(TwoFoldersTest, TheFaultyOneIsNamedWithItsFolderInEveryFormat) {
  EXPECT_EQ(Fault("1,2\n0,3\n", "1,2\n0,x\n"), "file 'b/part', line 2: column 2: 'x' is not a number");
  EXPECT_THAT(Fault("{\"label\":1,\"x\":2}\n", "{\"label\":1,\"x\":\n", Format::kJsonLines),
              HasSubstr("file 'b/part', line 1: "));
  const std::string record("\x0a\x23\xd7\xce\x00\x00\x00\x00", 8);
  EXPECT_THAT(Fault(record, "1,2\n", Format::kRecordIo), HasSubstr("file 'a/part', record 1: it has no features"));
  EXPECT_THAT(Fault("1,2\n0,3\n", std::string(kRecordBytesMax + 1, '7')),
              HasSubstr("file 'b/part', line 1: the record is longer than"));
  const auto libsvm = ReadLibsvm(Table("1 0:1\n", "1 0:x\n", Format::kLibsvm), {});
  EXPECT_THAT(libsvm.error().message(), HasSubstr("file 'b/part', line 1: '0:x' has a value that is no number"));
}

TEST_F(TwoFoldersTest, TheTornOneIsNamedWithItsFolder) {
  const std::string packed = GzipBytes("1,2\n0,3\n");
  EXPECT_EQ(Fault(packed, packed.substr(0, packed.size() - 6)),
            "cannot decompress 'b/part' as gzip: it ends before its gzip stream does");
  EXPECT_THAT(Fault("1,2\n0,3\n", std::string("\x28\xb5\x2f\xfd\xff\xff\xff\xff\xff", 9)),
              HasSubstr("cannot decompress 'b/part' as zstd: "));
  TableFiles parquet = Table("1,2\n", "1,2\n", Format::kParquet);
  parquet.files.erase(parquet.files.begin());
  const auto read = ReadNewTable(parquet, {}, {});
  EXPECT_EQ(read.error().message(), "cannot read 'b/part' as Parquet: it does not begin with PAR1");
}

TEST(InputFile, IsCalledByItsPathsLastPartWhenNobodySaysMore) {
  EXPECT_EQ(InputFile(std::filesystem::path("x/y/z.csv")).name, "z.csv");
}

}  // namespace
}  // namespace argosy::data
