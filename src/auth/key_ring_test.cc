#include "auth/key_ring.h"

#include <gtest/gtest.h>

namespace argosy::auth {
namespace {

Credential Key(std::string id, std::string name) {
  return {std::move(id), "secret-secret", "", {PrincipalKind::kMember, name, UserArn("", name)}};
}

TEST(KeyRing, AnswersForThisMoment) {
  KeyRing ring(Key("AKIAOWNER", "owner"));
  EXPECT_EQ(ring.Find("AKIAALICE", "").credential, nullptr);
  EXPECT_EQ(ring.Find("AKIAALICE", "").failure, AuthFailure::kUnknownKey);
  ring.Put(Key("AKIAALICE", "alice"));
  const std::shared_ptr<const Credential> kept = ring.Find("AKIAALICE", "").credential;
  ASSERT_NE(kept, nullptr);
  ring.Put(Key("AKIAALICE", "alice-of-vision"));
  EXPECT_EQ(ring.Find("AKIAALICE", "").credential->principal.name, "alice-of-vision");
  ring.Remove("AKIAALICE");
  ring.Remove("AKIAALICE");
  EXPECT_EQ(ring.Find("AKIAALICE", "").credential, nullptr);
  EXPECT_EQ(kept->principal.name, "alice");  // who holds it keeps it
}

TEST(KeyRing, TheOwnersKeyStays) {
  KeyRing ring(Key("AKIAOWNER", "owner"));
  ring.Put(Key("AKIAOWNER", "mallory"));
  EXPECT_EQ(ring.Find("AKIAOWNER", "").credential->principal.name, "owner");
  ring.Remove("AKIAOWNER");
  EXPECT_EQ(ring.Find("AKIAOWNER", "").credential->principal.name, "owner");
}

TEST(Maker, IsReadFromTheArn) {
  EXPECT_EQ(UserArn("", "alice"), "arn:aws:iam::000000000000:user/alice");
  EXPECT_EQ(UserArn("vision", "alice"), "arn:aws:iam::000000000000:user/vision/alice");
  const Maker alice = MakerOf(UserArn("vision", "alice"));
  EXPECT_EQ(alice.name, "alice");
  EXPECT_EQ(alice.team, "vision");
  EXPECT_EQ(MakerOf(UserArn("", "bob")).name, "bob");
  EXPECT_EQ(MakerOf(UserArn("", "bob")).team, "");
  EXPECT_EQ(MakerOf("arn:aws:sts::000000000000:assumed-role/argosy-job/train-1").name, "train-1");
  EXPECT_EQ(MakerOf("arn:aws:sts::000000000000:assumed-role/argosy-job/train-1").team, "");
  EXPECT_EQ(MakerOf("").name, "");
  EXPECT_EQ(MakerOf("owner").name, "");
}

}  // namespace
}  // namespace argosy::auth
