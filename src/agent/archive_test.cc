#include "agent/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <functional>

#include "base/files.h"

namespace argosy::agent {
namespace {

class ArchiveTest : public testing::Test {
 protected:
  ArchiveTest() {
    char name[] = "/tmp/argosy-archive-XXXXXX";
    Check(mkdtemp(name) != nullptr);
    root_ = name;
    std::filesystem::create_directories(root_ / "out");
  }
  ~ArchiveTest() override { std::filesystem::remove_all(root_); }

  void Write(const std::filesystem::path& path, std::string_view text) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }

  struct Member {
    std::string name;
    std::string body;
    mode_t type = AE_IFREG;
    std::string link;
    mode_t permissions = 0644;
  };
  std::filesystem::path MakeTar(const std::vector<Member>& members) {
    const std::filesystem::path path = root_ / "made.tar.gz";
    archive* out = archive_write_new();
    archive_write_set_format_pax_restricted(out);
    archive_write_add_filter_gzip(out);
    Check(archive_write_open_filename(out, path.c_str()) == ARCHIVE_OK);
    for (const Member& member : members) {
      archive_entry* entry = archive_entry_new();
      archive_entry_set_pathname(entry, member.name.c_str());
      archive_entry_set_perm(entry, member.permissions);
      archive_entry_set_size(entry, static_cast<la_int64_t>(member.body.size()));
      archive_entry_set_filetype(entry, member.type);
      if (member.type == AE_IFLNK) archive_entry_set_symlink(entry, member.link.c_str());
      if (member.type == AE_IFREG && !member.link.empty()) archive_entry_set_hardlink(entry, member.link.c_str());
      Check(archive_write_header(out, entry) == ARCHIVE_OK, archive_error_string(out) ? archive_error_string(out) : "");
      if (!member.body.empty()) archive_write_data(out, member.body.data(), member.body.size());
      archive_entry_free(entry);
    }
    archive_write_close(out);
    archive_write_free(out);
    return path;
  }

  Status Unpack(const std::filesystem::path& path, const UnpackLimits& limits = {}) {
    const Result<UniqueFd> fd = OpenFile(path, O_RDONLY);
    Check(fd.ok());
    return UnpackArchive(fd->get(), root_ / "out", limits);
  }

  std::filesystem::path root_;
};

TEST_F(ArchiveTest, WhatWasPackedComesOutTheSame) {
  Write(root_ / "model/a.bin", std::string(1'000'000, 'a'));
  Write(root_ / "model/deep/er/b.json", "{}");
  Write(root_ / "model/run.sh", "x");
  chmod((root_ / "model/run.sh").c_str(), 0700);
  ASSERT_EQ(*PackDirectory(root_ / "model", root_ / "model.tar.gz"), PackOutcome::kPacked);
  ASSERT_TRUE(Unpack(root_ / "model.tar.gz").ok());
  EXPECT_EQ(ReadFile(root_ / "out/a.bin", 2'000'000)->size(), 1'000'000U);
  EXPECT_EQ(*ReadFile(root_ / "out/deep/er/b.json", 100), "{}");
  struct stat info{};
  ASSERT_EQ(stat((root_ / "out/run.sh").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0755U);
}

TEST_F(ArchiveTest, TheSameFilesGiveTheSameBytesWhateverTheirTimesAndOrder) {
  Write(root_ / "one/a", "1");
  Write(root_ / "one/b/c", "2");
  Write(root_ / "two/b/c", "2");
  Write(root_ / "two/a", "1");
  std::filesystem::last_write_time(root_ / "two/a", std::filesystem::file_time_type{});
  ASSERT_TRUE(PackDirectory(root_ / "one", root_ / "one.tar.gz").ok());
  ASSERT_TRUE(PackDirectory(root_ / "two", root_ / "two.tar.gz").ok());
  EXPECT_EQ(*ReadFile(root_ / "one.tar.gz", 1 << 20), *ReadFile(root_ / "two.tar.gz", 1 << 20));
}

TEST_F(ArchiveTest, NamesMayBeAnyText) {
  Write(root_ / "model/mod\xc3\xa8le \xe6\xa8\xa1.bin", "x");
  Write(root_ / ("model/" + std::string(200, 'n') + "/" + std::string(200, 'm')), "y");
  ASSERT_EQ(*PackDirectory(root_ / "model", root_ / "model.tar.gz"), PackOutcome::kPacked);
  const Status done = Unpack(root_ / "model.tar.gz");
  ASSERT_TRUE(done.ok()) << done.error().message();
  EXPECT_EQ(*ReadFile(root_ / "out/mod\xc3\xa8le \xe6\xa8\xa1.bin", 100), "x");
  EXPECT_EQ(*ReadFile(root_ / "out" / std::string(200, 'n') / std::string(200, 'm'), 100), "y");
  // As Python's tarfile writes it: the name in UTF-8 in a pax header.
  const std::string made = "python3 -c \"import tarfile,io;t=tarfile.open('" + (root_ / "py.tar.gz").string() +
                           "','w:gz',format=tarfile.PAX_FORMAT);i=tarfile.TarInfo('\u00e9.txt');i.size=1;"
                           "t.addfile(i,io.BytesIO(b'z'));t.close()\"";
  if (system(made.c_str()) != 0) GTEST_SKIP() << "python3 is not there to write an archive";
  ASSERT_TRUE(Unpack(root_ / "py.tar.gz").ok());
  EXPECT_EQ(*ReadFile(root_ / "out/\xc3\xa9.txt", 100), "z");
}

TEST_F(ArchiveTest, AnEmptyDirectoryMakesNoArchive) {
  std::filesystem::create_directories(root_ / "empty/within");
  EXPECT_EQ(*PackDirectory(root_ / "empty", root_ / "x.tar.gz"), PackOutcome::kNothing);
  EXPECT_FALSE(std::filesystem::exists(root_ / "x.tar.gz"));
}

TEST_F(ArchiveTest, ALinkIsNotPacked) {
  Write(root_ / "model/a", "1");
  std::filesystem::create_symlink("/etc/passwd", root_ / "model/link");
  EXPECT_FALSE(PackDirectory(root_ / "model", root_ / "x.tar.gz").ok());
}

TEST_F(ArchiveTest, HostileMembersAreRefusedAndNothingLeavesTheTarget) {
  const std::vector<std::vector<Member>> attacks = {
      {{"../escaped", "x"}},
      {{"a/../../escaped", "x"}},
      {{"/tmp/argosy-escaped", "x"}},
      {{"link", "", AE_IFLNK, "/etc"}},
      {{"link", "", AE_IFLNK, ".."}, {"link/escaped", "x"}},
      {{"a", "1"}, {"hard", "", AE_IFREG, "a"}},
      {{"hard", "", AE_IFREG, "/etc/passwd"}},
      {{"fifo", "", AE_IFIFO}},
      {{"device", "", AE_IFCHR}},
      {{std::string(300, 'n'), "x"}},
      {{"d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/x", "x"}},
  };
  for (const auto& attack : attacks) {
    std::filesystem::remove_all(root_ / "out");
    std::filesystem::create_directories(root_ / "out");
    const Status done = Unpack(MakeTar(attack));
    EXPECT_FALSE(done.ok()) << attack.back().name;
    if (!done.ok()) {
      EXPECT_EQ(done.error().code(), ErrorCode::kInvalidArgument) << done.error().message();
    }
    EXPECT_FALSE(std::filesystem::exists(root_ / "escaped"));
  }
  EXPECT_FALSE(std::filesystem::exists("/tmp/argosy-escaped"));
}

TEST_F(ArchiveTest, TheTopMayBeCalledASlash) {
  ASSERT_TRUE(Unpack(MakeTar({{"/", "", AE_IFDIR, "", 0755}, {"code/inference.py", "x"}})).ok());
  EXPECT_EQ(*ReadFile(root_ / "out/code/inference.py", 100), "x");
}

TEST_F(ArchiveTest, SetuidBitsAreNotTakenOver) {
  ASSERT_TRUE(Unpack(MakeTar({{"a", "x", AE_IFREG, "", 06755}})).ok());
  struct stat info{};
  ASSERT_EQ(stat((root_ / "out/a").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0755U);
}

TEST_F(ArchiveTest, SizesAndCountsAreBounded) {
  const std::filesystem::path bomb = MakeTar({{"zeros", std::string(10 << 20, '\0')}});
  EXPECT_LT(std::filesystem::file_size(bomb), 100'000U);
  EXPECT_FALSE(Unpack(bomb, {.bytes_max = 1 << 20}).ok());
  EXPECT_FALSE(Unpack(MakeTar({{"a", "1"}, {"b", "2"}, {"c", "3"}}), {.entries_max = 2}).ok());
}

TEST_F(ArchiveTest, DamagedAndForeignFilesAreSaidToBe) {
  Write(root_ / "text", "this is no archive");
  Write(root_ / "nothing", "");
  for (const char* name : {"text", "nothing"}) {
    const Status done = Unpack(root_ / name);
    ASSERT_FALSE(done.ok()) << name;
    EXPECT_EQ(done.error().code(), ErrorCode::kCorrupt);
  }
  const std::filesystem::path whole = MakeTar({{"a", std::string(500'000, 'x') + std::string(1000, 'y')}});
  std::filesystem::resize_file(whole, std::filesystem::file_size(whole) / 2);
  EXPECT_FALSE(Unpack(whole).ok());
}

}  // namespace
}  // namespace argosy::agent
