#include "auth/session.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/key_ring.h"
#include "auth/session_store.h"
#include "base/bytes.h"
#include "base/files.h"

namespace argosy::auth {
namespace {

const Time kNow = FromUnixSeconds(1'700'000'000);
const SessionClaims kClaims{"i-0123456789abcdef0", "00018bcfe5687b1a2b3c4d5e6f708192", kNow + std::chrono::hours(1)};

SessionKey Key(std::string_view secret = "the secret of this server, 32 bytes") {
  return SessionKey(secret);
}

AuthFailure FailureOf(const std::variant<SessionClaims, AuthFailure>& read) {
  EXPECT_TRUE(std::holds_alternative<AuthFailure>(read));
  const auto* failure = std::get_if<AuthFailure>(&read);
  return failure != nullptr ? *failure : AuthFailure::kMissing;
}

TEST(Session, TokensSayWhatTheyWereIssuedFor) {
  const Credential issued = Key().Issue(kClaims);
  EXPECT_EQ(issued.access_key_id.substr(0, 4), "ASIA");
  EXPECT_EQ(issued.access_key_id.size(), 20U);
  EXPECT_EQ(issued.secret_access_key.size(), 40U);
  EXPECT_LE(issued.session_token.size(), kTokenBytesMax);
  EXPECT_EQ(std::get<SessionClaims>(Key().Read(issued.session_token, kNow)), kClaims);
  // A server that starts anew issues the very same.
  EXPECT_EQ(Key().Issue(kClaims).secret_access_key, issued.secret_access_key);
  SessionClaims other = kClaims;
  other.instance_id = "i-0123456789abcdef1";
  EXPECT_NE(Key().Issue(other).access_key_id, issued.access_key_id);
  EXPECT_NE(Key().Issue(other).secret_access_key, issued.secret_access_key);
}

TEST(Session, TokensEnd) {
  const std::string token = Key().Issue(kClaims).session_token;
  EXPECT_EQ(FailureOf(Key().Read(token, kClaims.expires)), AuthFailure::kExpiredToken);
  EXPECT_TRUE(std::holds_alternative<SessionClaims>(Key().Read(token, kClaims.expires - std::chrono::milliseconds(1))));
}

TEST(Session, ForgedAndTruncatedTokensAreRefused) {
  const std::string token = Key().Issue(kClaims).session_token;
  for (size_t size = 0; size < token.size(); ++size) {
    EXPECT_EQ(FailureOf(Key().Read(token.substr(0, size), kNow)), AuthFailure::kBadToken) << size;
  }
  for (size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    if (changed[i] == token[i]) continue;
    EXPECT_EQ(FailureOf(Key().Read(changed, kNow)), AuthFailure::kBadToken) << i;
  }
  EXPECT_EQ(FailureOf(Key("another server's secret of 32 bytes").Read(token, kNow)), AuthFailure::kBadToken);
  EXPECT_EQ(FailureOf(Key().Read(token + std::string(2000, 'A'), kNow)), AuthFailure::kBadToken);
  // Claims of one's own under the mark of others.
  SessionClaims later = kClaims;
  later.expires += std::chrono::hours(1000);
  const std::string longer = Key("another server's secret of 32 bytes").Issue(later).session_token;
  const std::string mixed = longer.substr(0, longer.find('.')) + token.substr(token.find('.'));
  EXPECT_EQ(FailureOf(Key().Read(mixed, kNow)), AuthFailure::kBadToken);
}

class SessionStoreTest : public testing::Test {
 protected:
  SessionStoreTest() { store_.Open(kClaims.instance_id, kClaims.owner_uid, Job("job-1")); }
  static Principal Job(const std::string& name) { return {PrincipalKind::kJob, name, "arn:" + name}; }
  KeyLookup Find(const Credential& credential) {
    return store_.Find(credential.access_key_id, credential.session_token);
  }

  KeyRing keys_{{"AKIAOWNERSKEY00000", "secret-secret", "", {PrincipalKind::kOwner, "owner", "arn:owner"}}};
  ManualClock clock_{kNow};
  SessionStore store_{&keys_, Key(), &clock_};
  const Credential issued_ = Key().Issue(kClaims);
};

TEST_F(SessionStoreTest, ASessionIsItsInstances) {
  const KeyLookup found = Find(issued_);
  ASSERT_NE(found.credential, nullptr);
  EXPECT_EQ(found.credential->principal.name, "job-1");
  EXPECT_EQ(found.credential->secret_access_key, issued_.secret_access_key);
  EXPECT_EQ(Find(issued_).credential, found.credential);  // kept, so that signing keys can be
  EXPECT_NE(store_.Find("AKIAOWNERSKEY00000", "").credential, nullptr);
}

TEST_F(SessionStoreTest, ASessionEndsWithItsInstanceAndWithItsTime) {
  clock_.Advance(std::chrono::hours(1));
  EXPECT_EQ(Find(issued_).failure, AuthFailure::kExpiredToken);
  clock_.Advance(-std::chrono::minutes(1));
  EXPECT_NE(Find(issued_).credential, nullptr);
  store_.Close(kClaims.instance_id);
  EXPECT_EQ(Find(issued_).credential, nullptr);
  EXPECT_EQ(Find(issued_).failure, AuthFailure::kExpiredToken);
}

TEST_F(SessionStoreTest, NobodyUsesAnothersToken) {
  SessionClaims other = kClaims;
  other.instance_id = "i-other";
  store_.Open("i-other", kClaims.owner_uid, Job("job-2"));
  const Credential second = Key().Issue(other);
  EXPECT_EQ(Find(second).credential->principal.name, "job-2");
  EXPECT_EQ(store_.Find(issued_.access_key_id, second.session_token).failure, AuthFailure::kBadToken);
  EXPECT_EQ(store_.Find(issued_.access_key_id, "").failure, AuthFailure::kUnknownKey);
  EXPECT_EQ(store_.Find("AKIASTRANGER000000", issued_.session_token).failure, AuthFailure::kBadToken);
  // An instance of that id that belongs to another job.
  SessionClaims stranger = kClaims;
  stranger.owner_uid = "another";
  EXPECT_EQ(Find(Key().Issue(stranger)).failure, AuthFailure::kExpiredToken);
}

TEST(SessionKeyFile, IsMadeOnceForItsOwnerAlone) {
  const std::filesystem::path file =
      std::filesystem::temp_directory_path() / ("argosy-session-key-" + std::to_string(getpid()));
  std::filesystem::remove(file);
  SystemRandom random;
  const Result<SessionKey> made = LoadOrCreateSessionKey(file, random);
  ASSERT_TRUE(made.ok());
  struct stat info{};
  ASSERT_EQ(stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  const Result<SessionKey> again = LoadOrCreateSessionKey(file, random);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->Issue(kClaims).session_token, made->Issue(kClaims).session_token);
  ASSERT_EQ(chmod(file.c_str(), 0644), 0);
  EXPECT_EQ(LoadOrCreateSessionKey(file, random).error().code(), ErrorCode::kPermissionDenied);
  ASSERT_TRUE(WriteFileDurably(file, "abcd\n", 0600).ok());
  ASSERT_EQ(chmod(file.c_str(), 0600), 0);
  EXPECT_EQ(LoadOrCreateSessionKey(file, random).error().code(), ErrorCode::kInvalidArgument);
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace argosy::auth
