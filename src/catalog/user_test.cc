#include "catalog/user.h"

#include <gtest/gtest.h>

namespace argosy::catalog {
namespace {

TEST(UserSpec, ComesBackAsItWas) {
  for (const UserRole role : {UserRole::kMember, UserRole::kReader}) {
    const UserSpec spec{.id = "AIDAX", .team = "vision", .role = role};
    const Result<UserSpec> back = UserSpec::FromJson(spec.ToJson());
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(back->id, "AIDAX");
    EXPECT_EQ(back->team, "vision");
    EXPECT_EQ(back->role, role);
  }
}

TEST(UserSpec, AnUnknownRoleOnlyLooks) {
  EXPECT_EQ(UserSpec::FromJson(R"({"id":"AIDAX","role":"admiral"})")->role, UserRole::kReader);
  EXPECT_EQ(UserSpec::FromJson("{}")->role, UserRole::kReader);
  EXPECT_FALSE(UserSpec::FromJson("[]").ok());
}

TEST(AccessKeySpec, HasASecret) {
  EXPECT_EQ(AccessKeySpec::FromJson(AccessKeySpec{.secret = "s3cr3t"}.ToJson())->secret, "s3cr3t");
  EXPECT_FALSE(AccessKeySpec::FromJson("{}").ok());
  EXPECT_FALSE(AccessKeySpec::FromJson(R"({"secret":""})").ok());
}

}  // namespace
}  // namespace argosy::catalog
