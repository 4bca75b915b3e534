#include "main/sources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "base/bytes.h"
#include "base/files.h"

namespace argosy::main {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SourcesTest : public ::testing::Test {
 protected:
  SourcesTest() : dir_(std::filesystem::path(testing::TempDir()) / ("sources-" + std::to_string(getpid()))) {
    Write("a.csv", "1,2\n");
    Write("b.csv", "3,4\n");
    Write("folder/x/one.csv", "1\n");
    Write("folder/two.csv", "2\n");
    Write("folder/.hidden", "no");
    Write("folder/.git/config", "no");
    Write("other/a.csv", "5\n");
    std::filesystem::create_directories(dir_ / "empty");
  }
  ~SourcesTest() override { (void)RemoveTree(dir_); }
  void Write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((dir_ / name).parent_path());
    std::ofstream(dir_ / name) << text;
  }
  std::string At(const std::string& name) const { return (dir_ / name).string(); }
  std::vector<std::string> Names(const std::vector<std::string>& sources) {
    const Result<SourceSet> set = ExpandSources(sources);
    if (!set.ok()) return {"refused: " + set.error().message()};
    std::vector<std::string> names;
    for (const LocalFile& file : set->files) names.push_back(file.name);
    return names;
  }
  std::filesystem::path dir_;
};

TEST_F(SourcesTest, FilesFoldersAndGlobsAreAllTaken) {
  EXPECT_THAT(Names({At("a.csv")}), ElementsAre("a.csv"));
  EXPECT_THAT(Names({At("folder")}), ElementsAre("two.csv", "x/one.csv"));
  EXPECT_THAT(Names({At("*.csv")}), ElementsAre("a.csv", "b.csv"));
  EXPECT_EQ(ExpandSources({At("*.csv")})->bytes(), 8u);
}

TEST_F(SourcesTest, TwoFilesOfOneNameStayTwo) {
  EXPECT_THAT(Names({At("a.csv"), At("other/a.csv")}), ElementsAre("a.csv", "1-a.csv"));
}

TEST_F(SourcesTest, WhatIsNotThereIsNamed) {
  EXPECT_THAT(Names({At("absent.csv")}), ElementsAre(HasSubstr("no such file or folder: " + At("absent.csv"))));
  EXPECT_THAT(Names({At("*.tsv")}), ElementsAre(HasSubstr("*.tsv")));
  EXPECT_THAT(Names({At("empty")}), ElementsAre(HasSubstr("no files in the folder")));
  EXPECT_THAT(Names({"s3://b/x", At("a.csv")}), ElementsAre(HasSubstr("stands alone")));
}

TEST_F(SourcesTest, AnS3PrefixIsLeftAsItIs) {
  const Result<SourceSet> set = ExpandSources({"s3://bucket/data/"});
  ASSERT_TRUE(set.ok());
  EXPECT_FALSE(set->local());
  EXPECT_EQ(set->s3_uri, "s3://bucket/data/");
}

TEST_F(SourcesTest, TheDigestIsOfTheBytes) {
  EXPECT_EQ(*FileDigest(At("a.csv")), Sha256Hex("1,2\n"));
  EXPECT_FALSE(FileDigest(At("absent")).ok());
}

TEST(S3Locations, AreBucketAndKey) {
  EXPECT_EQ(ParseS3Location("s3://b/k/x")->bucket, "b");
  EXPECT_EQ(ParseS3Location("s3://b/k/x")->key, "k/x");
  EXPECT_EQ(ParseS3Location("s3://b")->key, "");
  EXPECT_FALSE(ParseS3Location("s3:///k").ok());
  EXPECT_FALSE(ParseS3Location("/k").ok());
}

TEST(Names, AreWhatSageMakerAllows) {
  EXPECT_EQ(MakeName("my data_set (2).csv", "s"), "my-data-set-2-csv-s");
  EXPECT_EQ(MakeName("größe", ""), "gr-e");
  EXPECT_EQ(MakeName("__", ""), "model");
  EXPECT_EQ(MakeName(std::string(100, 'a'), "suffix").size(), 63u);
  EXPECT_EQ(TimeSuffix(FromUnixMillis(1714566896789)), "20240501-123456-789");
}

TEST(Names, ANameIsKnownToBeMadeOfItsStem) {
  EXPECT_TRUE(IsNameOf("iris", MakeName("iris", TimeSuffix(SystemClock().Now()))));
  EXPECT_FALSE(IsNameOf("iris", "iris"));
  EXPECT_FALSE(IsNameOf("iris", "iris-2-20240501-123456-789"));
  EXPECT_FALSE(IsNameOf("iris", "iris-20240501-123456-78x"));
  EXPECT_FALSE(IsNameOf("ris", "iris-20240501-123456-789"));
  const std::string stem(63, 'a');
  EXPECT_FALSE(IsNameOf(stem, MakeName(stem, TimeSuffix(SystemClock().Now()))));
}

}  // namespace
}  // namespace argosy::main
