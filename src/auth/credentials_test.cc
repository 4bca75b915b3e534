#include "auth/credentials.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <set>

#include "base/files.h"

namespace argosy::auth {
namespace {

class Credentials : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/argosy_credentials_XXXXXX";
    directory_ = mkdtemp(name);
    file_ = directory_ / "credentials";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  void Write(std::string_view text, mode_t mode) {
    std::ofstream(file_) << text;
    chmod(file_.c_str(), mode);
  }
  Result<Credential> Load(std::optional<GivenKey> given = {}) { return LoadOrCreateCredentials(file_, random_, given); }

  std::filesystem::path directory_;
  std::filesystem::path file_;
  SystemRandom random_;
};

TEST_F(Credentials, AreMadeOnceAndReadAfterwards) {
  const Result<Credential> made = Load();
  ASSERT_TRUE(made.ok()) << made.error().message();
  EXPECT_TRUE(made->access_key_id.starts_with("AKIA"));
  EXPECT_EQ(made->access_key_id.size(), 20U);
  EXPECT_EQ(made->secret_access_key.size(), 40U);
  EXPECT_EQ(made->principal.arn, "arn:aws:iam::000000000000:user/owner");
  struct stat info{};
  ASSERT_EQ(stat(file_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);

  const Result<Credential> read = Load();
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->access_key_id, made->access_key_id);
  EXPECT_EQ(read->secret_access_key, made->secret_access_key);
  EXPECT_EQ(read->principal.kind, PrincipalKind::kOwner);
}

TEST_F(Credentials, AreNeverTheSame) {
  std::set<std::string> secrets;
  for (int i = 0; i < 100; ++i) secrets.insert(NewCredential(random_, OwnerPrincipal()).secret_access_key);
  EXPECT_EQ(secrets.size(), 100U);
}

TEST_F(Credentials, GivenKeyWinsAndTouchesNoFile) {
  const Result<Credential> given = Load(GivenKey{"test-key", "test-secret"});
  ASSERT_TRUE(given.ok());
  EXPECT_EQ(given->access_key_id, "test-key");
  EXPECT_FALSE(std::filesystem::exists(file_));
  const Result<Credential> none_given = Load(GivenKey{"", ""});
  ASSERT_TRUE(none_given.ok());
  EXPECT_TRUE(std::filesystem::exists(file_));
}

TEST_F(Credentials, HalfAGivenKeyIsRefused) {
  const Result<Credential> half = Load(GivenKey{"test-key", ""});
  ASSERT_FALSE(half.ok());
  EXPECT_EQ(half.error().message(),
            "ARGOSY_ACCESS_KEY_ID and ARGOSY_SECRET_ACCESS_KEY belong together: set both or neither");
  EXPECT_FALSE(Load(GivenKey{"test/key", "test-secret"}).ok());
  EXPECT_FALSE(Load(GivenKey{"test-key", "with blank"}).ok());
}

TEST_F(Credentials, FileThatOthersMayReadIsRefused) {
  ASSERT_TRUE(Load().ok());
  for (const mode_t mode : {0640, 0604, 0666, 0620}) {
    chmod(file_.c_str(), mode);
    const Result<Credential> read = Load();
    ASSERT_FALSE(read.ok()) << mode;
    EXPECT_EQ(read.error().code(), ErrorCode::kPermissionDenied);
    EXPECT_NE(read.error().message().find("chmod 600"), std::string::npos);
  }
  chmod(file_.c_str(), 0400);
  EXPECT_TRUE(Load().ok());
}

TEST_F(Credentials, FilesWrittenByHandAreRead) {
  Write(
      "# mine\r\n[other]\naws_access_key_id=OTHER\naws_secret_access_key=not this\n\n"
      "[default]\nAWS_ACCESS_KEY_ID=mykey\n  aws_secret_access_key =   my=secret/+  \nregion = us-east-1\n",
      0600);
  const Result<Credential> read = Load();
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(read->access_key_id, "mykey");
  EXPECT_EQ(read->secret_access_key, "my=secret/+");
}

TEST_F(Credentials, MalformedFilesAreRefusedWithThePlace) {
  const std::pair<const char*, const char*> bad[] = {
      {"", "there is no section '[default]'"},
      {"[default]\naws_access_key_id = mykey\n", "section '[default]' has no 'aws_secret_access_key'"},
      {"aws_access_key_id = mykey\n", "line 1 stands before the first '[section]'"},
      {"[default]\nnonsense\n", "line 2 is neither '[section]' nor 'name = value'"},
      {"[default\n", "line 1: a section's name ends in ']'"},
      {"[default]\naws_access_key_id = k\naws_secret_access_key = secret123\n",
       "the access key id must have 3 to 128 characters"},
      {"[a]\nx=1\n[b]\ny=2\n", "there is no section '[default]'"},
  };
  for (const auto& [text, message] : bad) {
    Write(text, 0600);
    const Result<Credential> read = Load();
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_EQ(read.error().code(), ErrorCode::kInvalidArgument);
    EXPECT_TRUE(read.error().message().ends_with(message)) << read.error().message();
    EXPECT_NE(read.error().message().find(file_.string()), std::string::npos);
  }
}

TEST_F(Credentials, DirectoryThatIsNotThereIsAnError) {
  file_ = directory_ / "missing" / "credentials";
  EXPECT_FALSE(Load().ok());
}

}  // namespace
}  // namespace argosy::auth
