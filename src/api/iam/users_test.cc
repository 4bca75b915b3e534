#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/iam/iam_fixture.h"
#include "api/iam/key_feed.h"
#include "auth/credentials.h"
#include "base/bytes.h"

namespace argosy::api {
namespace {

using testing::HasSubstr;

// The service as the server wires it: the feed is told before a change is acknowledged.
class IamUsers : public IamServiceTest {
 protected:
  IamUsers() {
    store_->SetChangeListener([this](const catalog::Change& change) { feed_.OnChange(change); });
  }

  std::string NewKey(const std::string& user) {
    return Between(Say("CreateAccessKey&UserName=" + user), "AccessKeyId");
  }
  const auth::Credential* Found(const std::string& id) {
    found_ = ring_.Find(id, "").credential;
    return found_.get();
  }

  auth::KeyRing ring_{{"AKIAOWNERSKEY00000", "secret-secret", "", auth::OwnerPrincipal()}};
  iam::KeyFeed feed_{&ring_};
  std::shared_ptr<const auth::Credential> found_;
};

TEST_F(IamUsers, AKeyCountsFromItsAnswerOnUntilItIsDisabled) {
  EXPECT_THAT(Say("CreateUser&UserName=alice"), HasSubstr("<Arn>arn:aws:iam::000000000000:user/alice</Arn>"));
  const std::string answer = Say("CreateAccessKey&UserName=alice");
  const std::string id = Between(answer, "AccessKeyId");
  ASSERT_NE(Found(id), nullptr);
  EXPECT_EQ(found_->secret_access_key, Between(answer, "SecretAccessKey"));
  EXPECT_EQ(found_->principal.kind, auth::PrincipalKind::kMember);
  EXPECT_EQ(found_->principal.id.substr(0, 4), "AIDA");
  Say("UpdateAccessKey&UserName=alice&AccessKeyId=" + id + "&Status=Inactive");
  EXPECT_EQ(Found(id), nullptr);
  Say("UpdateAccessKey&UserName=alice&AccessKeyId=" + id + "&Status=Active");
  EXPECT_NE(Found(id), nullptr);
  Say("DeleteAccessKey&UserName=alice&AccessKeyId=" + id);
  EXPECT_EQ(Found(id), nullptr);
}

TEST_F(IamUsers, NamesThatDifferInCaseAloneAreOne) {
  Say("CreateUser&UserName=Alice");
  Say("CreateGroup&GroupName=vision");
  EXPECT_THAT(Say("CreateUser&UserName=alice", 409), HasSubstr("User with name Alice already exists."));
  EXPECT_THAT(Say("CreateUser&UserName=OWNER", 409), HasSubstr("EntityAlreadyExists"));
  EXPECT_THAT(Say("CreateGroup&GroupName=Vision", 409), HasSubstr("Group with name vision already exists."));
  Say("CreateUser&UserName=alice2");
}

TEST_F(IamUsers, ANewServerKnowsWhatTheOldOneKnew) {
  Say("CreateUser&UserName=alice");
  const std::string first = NewKey("alice");
  const std::string second = NewKey("alice");
  Say("UpdateAccessKey&UserName=alice&AccessKeyId=" + second + "&Status=Inactive");
  auth::KeyRing ring({"AKIAOWNERSKEY00000", "secret-secret", "", auth::OwnerPrincipal()});
  iam::KeyFeed feed(&ring);
  ASSERT_TRUE(feed.Load(*store_).ok());
  EXPECT_NE(ring.Find(first, "").credential, nullptr);
  EXPECT_EQ(ring.Find(second, "").credential, nullptr);
}

TEST_F(IamUsers, TheSecretIsShownOnce) {
  Say("CreateUser&UserName=alice");
  const std::string secret = Between(Say("CreateAccessKey&UserName=alice"), "SecretAccessKey");
  ASSERT_EQ(secret.size(), 40U);
  const std::string listed = Say("ListAccessKeys&UserName=alice");
  EXPECT_THAT(listed, HasSubstr("<Status>Active</Status>"));
  EXPECT_EQ(listed.find(secret), std::string::npos);
}

TEST_F(IamUsers, ATeamIsPartOfWhoSomebodyIs) {
  Say("CreateUser&UserName=alice");
  const std::string id = NewKey("alice");
  Say("CreateGroup&GroupName=vision");
  Say("CreateGroup&GroupName=speech");
  Say("AddUserToGroup&GroupName=vision&UserName=alice");
  EXPECT_EQ(Found(id)->principal.arn, "arn:aws:iam::000000000000:user/vision/alice");
  EXPECT_EQ(Found(id)->principal.team, "vision");
  EXPECT_THAT(Say("AddUserToGroup&GroupName=speech&UserName=alice", 409), HasSubstr("LimitExceeded"));
  EXPECT_THAT(Say("AddUserToGroup&GroupName=nobody&UserName=alice", 404), HasSubstr("NoSuchEntity"));
  EXPECT_THAT(Say("GetGroup&GroupName=vision"), HasSubstr("<UserName>alice</UserName>"));
  EXPECT_THAT(Say("ListGroupsForUser&UserName=alice"), HasSubstr("<GroupName>vision</GroupName>"));
  EXPECT_THAT(Say("ListUsers&PathPrefix=/vision/"), HasSubstr("<UserName>alice</UserName>"));
  EXPECT_EQ(Say("ListUsers&PathPrefix=/speech/").find("alice"), std::string::npos);
  EXPECT_THAT(Say("DeleteGroup&GroupName=vision", 409), HasSubstr("DeleteConflict"));
  Say("RemoveUserFromGroup&GroupName=vision&UserName=alice");
  EXPECT_EQ(Found(id)->principal.arn, "arn:aws:iam::000000000000:user/alice");
  Say("DeleteGroup&GroupName=vision");
  EXPECT_EQ(Say("ListGroups").find("vision"), std::string::npos);
}

TEST_F(IamUsers, ARoleIsAPolicyAndTellsAtOnce) {
  Say("CreateUser&UserName=bob");
  const std::string id = NewKey("bob");
  EXPECT_THAT(Say("ListAttachedUserPolicies&UserName=bob"), HasSubstr("PowerUserAccess"));
  Say("AttachUserPolicy&UserName=bob&PolicyArn=arn:aws:iam::aws:policy/ReadOnlyAccess");
  EXPECT_EQ(Found(id)->principal.kind, auth::PrincipalKind::kReader);
  EXPECT_THAT(Say("ListAttachedUserPolicies&UserName=bob"), HasSubstr("ReadOnlyAccess"));
  Say("AttachUserPolicy&UserName=bob&PolicyArn=arn:aws:iam::aws:policy/PowerUserAccess");
  EXPECT_EQ(Found(id)->principal.kind, auth::PrincipalKind::kMember);
  EXPECT_THAT(Say("AttachUserPolicy&UserName=bob&PolicyArn=arn:aws:iam::aws:policy/AdministratorAccess", 404),
              HasSubstr("NoSuchEntity"));
}

TEST_F(IamUsers, OnlyTheOwnerManages) {
  const auth::Principal member{auth::PrincipalKind::kMember, "alice", auth::UserArn("", "alice")};
  for (const char* form : {"CreateUser&UserName=eve", "DeleteUser&UserName=eve", "CreateAccessKey&UserName=alice",
                           "CreateGroup&GroupName=x", "AttachUserPolicy&UserName=eve"}) {
    EXPECT_THAT(Say(form, 403, member), HasSubstr("<Code>AccessDenied</Code>")) << form;
  }
  Say("CreateUser&UserName=alice");
  EXPECT_THAT(Say("GetUser", 200, member), HasSubstr("<UserName>alice</UserName>"));
  EXPECT_THAT(Say("ListUsers", 200, member), HasSubstr("<UserName>alice</UserName>"));
}

TEST_F(IamUsers, NamesAreTakenOnceAndWhatAUserHasGoesFirst) {
  Say("CreateUser&UserName=alice");
  EXPECT_THAT(Say("CreateUser&UserName=alice", 409), HasSubstr("EntityAlreadyExists"));
  EXPECT_THAT(Say("CreateUser&UserName=Alice", 409), HasSubstr("EntityAlreadyExists"));
  EXPECT_THAT(Say("CreateUser&UserName=Owner", 409), HasSubstr("EntityAlreadyExists"));
  EXPECT_THAT(Say("CreateUser&UserName=a%2Fb", 400), HasSubstr("ValidationError"));
  EXPECT_THAT(Say("CreateAccessKey&UserName=nobody", 404), HasSubstr("NoSuchEntity"));
  const std::string id = NewKey("alice");
  EXPECT_THAT(Say("DeleteUser&UserName=alice", 409), HasSubstr("DeleteConflict"));
  Say("CreateUser&UserName=bob");
  EXPECT_THAT(Say("DeleteAccessKey&UserName=bob&AccessKeyId=" + id, 404), HasSubstr("NoSuchEntity"));
  Say("DeleteAccessKey&UserName=alice&AccessKeyId=" + id);
  Say("CreateGroup&GroupName=vision");
  EXPECT_THAT(Say("CreateGroup&GroupName=VISION", 409), HasSubstr("EntityAlreadyExists"));
  Say("AddUserToGroup&GroupName=vision&UserName=alice");
  EXPECT_THAT(Say("DeleteUser&UserName=alice", 409), HasSubstr("must remove user from group vision first"));
  Say("RemoveUserFromGroup&GroupName=vision&UserName=alice");
  Say("DeleteUser&UserName=alice");
  EXPECT_THAT(Say("GetUser&UserName=alice", 404), HasSubstr("NoSuchEntity"));
  for (size_t i = 0; i < 8; ++i) NewKey("bob");
  EXPECT_THAT(Say("CreateAccessKey&UserName=bob", 409), HasSubstr("LimitExceeded"));
}

TEST_F(IamUsers, AKeyMadeWhileItsUserIsDeletedIsNotLeftBehind) {
  Say("CreateUser&UserName=alice");
  interposed_->before_commit = [this] { Say("DeleteUser&UserName=alice"); };
  EXPECT_THAT(Say("CreateAccessKey&UserName=alice", 404), HasSubstr("NoSuchEntity"));
  EXPECT_EQ(store_->List({.kind = Kind::kAccessKey})->resources.size(), 0U);
}

TEST_F(IamUsers, PagesFollowEachOther) {
  for (const char* name : {"a", "b", "c"}) Say(std::string("CreateUser&UserName=") + name);
  const std::string first = Say("ListUsers&MaxItems=2");
  EXPECT_THAT(first, HasSubstr("<IsTruncated>true</IsTruncated>"));
  EXPECT_EQ(first.find("<UserName>c</UserName>"), std::string::npos);
  const std::string rest = Say("ListUsers&Marker=" + PercentEncode(Between(first, "Marker")));
  EXPECT_THAT(rest, HasSubstr("<IsTruncated>false</IsTruncated>"));
  EXPECT_THAT(rest, HasSubstr("<UserName>c</UserName>"));
  EXPECT_EQ(rest.find("<UserName>a</UserName>"), std::string::npos);
  EXPECT_THAT(Say("ListUsers&Marker=nonsense", 400), HasSubstr("ValidationError"));
}

}  // namespace
}  // namespace argosy::api
