#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "api/iam/iam_fixture.h"
#include "auth/access.h"
#include "auth/credentials.h"

namespace argosy::api {
namespace {

using testing::HasSubstr;

size_t CountOf(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

// The other services, as far as they are asked: a few of their actions.
std::optional<bool> MayDoSome(const auth::Principal& principal, std::string_view action, std::string_view resource) {
  const std::map<std::string_view, auth::Access> actions = {
      {"sagemaker:CreateModel", auth::Access::kChange},    {"sagemaker:ListModels", auth::Access::kRead},
      {"sagemaker:InvokeEndpoint", auth::Access::kInvoke}, {"cloudwatch:PutMetricData", auth::Access::kChange},
      {"sts:GetCallerIdentity", auth::Access::kIdentify},  {"iam:CreateUser", auth::Access::kManage}};
  if (action == "s3:PutObject") {
    const std::optional<auth::ObjectName> object = auth::ObjectOfArn(resource);
    return object && MayReach(principal, auth::DataUse::kWrite, object->bucket, object->key);
  }
  const auto found = actions.find(action);
  return found == actions.end() ? std::nullopt : std::optional(May(principal, found->second));
}

class Simulation : public IamServiceTest {
 protected:
  Simulation() : IamServiceTest(MayDoSome) {}

  // `source` behind arn:aws:iam::000000000000:
  std::string Simulate(const std::string& source, const std::string& more, int status = 200) {
    return Say("SimulatePrincipalPolicy&PolicySourceArn=arn:aws:iam::000000000000:" + source + "&" + more, status);
  }
  std::string Decision(const std::string& source, const std::string& action, const std::string& resource = "*") {
    return Between(Simulate(source, "ActionNames.member.1=" + action + "&ResourceArns.member.1=" + resource),
                   "EvalDecision");
  }
};

TEST_F(Simulation, WhatEachMayDoIsWhatTheTableSays) {
  Say("CreateUser&UserName=alice");
  Say("CreateUser&UserName=rita");
  Say("AttachUserPolicy&UserName=rita&PolicyArn=arn:aws:iam::aws:policy/ReadOnlyAccess");
  Say("CreateGroup&GroupName=vision");
  Say("AddUserToGroup&GroupName=vision&UserName=alice");
  struct Row {
    const char* action;
    bool owner, member, reader, role;
  };
  const Row rows[] = {
      {"sagemaker:CreateModel", true, true, false, false},
      {"sagemaker:ListModels", true, true, true, false},
      {"sagemaker:InvokeEndpoint", true, true, false, false},
      {"iam:CreateUser", true, false, false, false},
      {"sts:GetCallerIdentity", true, true, true, true},
      {"s3:PutObject", true, true, false, true},
      {"sagemaker:CreatePipeline", false, false, false, false},  // nothing here has it
      {"dynamodb:GetItem", false, false, false, false},
      {"cloudwatch:PutMetricData", true, true, false, true},  // the server does it in a role's name
      {"ecr:GetAuthorizationToken", false, false, false, true},
  };
  for (const Row& row : rows) {
    const auto told = [](bool may) { return may ? "allowed" : "implicitDeny"; };
    EXPECT_EQ(Decision("user/owner", row.action), told(row.owner)) << row.action;
    EXPECT_EQ(Decision("user/vision/alice", row.action), told(row.member)) << row.action;
    EXPECT_EQ(Decision("user/rita", row.action), told(row.reader)) << row.action;
    EXPECT_EQ(Decision("role/argosy", row.action), told(row.role)) << row.action;
  }
}

TEST_F(Simulation, ARoleReachesTheDataOfAnyJobAndNoKeyThatASessionIsRefused) {
  EXPECT_EQ(Decision("role/argosy", "s3:PutObject", "arn:aws:s3:::bucket/out/*"), "allowed");
  EXPECT_EQ(Decision("role/argosy", "s3:PutObject", "arn:aws:s3:::bucket/a/../b"), "implicitDeny");
  EXPECT_EQ(Decision("role/argosy", "s3:PutObject", "arn:aws:sqs:::queue"), "implicitDeny");
}

TEST_F(Simulation, EachActionIsDecidedForEachResourceInPages) {
  const std::string query =
      "ActionNames.member.1=sagemaker:ListModels&ActionNames.member.2=s3:PutObject"
      "&ResourceArns.member.1=arn:aws:s3:::a&ResourceArns.member.2=*";
  const std::string all = Simulate("user/owner", query);
  EXPECT_EQ(CountOf(all, "<EvalDecision>allowed</EvalDecision>"), 4U) << all;
  EXPECT_EQ(CountOf(all, "<EvalResourceName>*</EvalResourceName>"), 2U);
  EXPECT_THAT(all, HasSubstr("<IsTruncated>false</IsTruncated>"));
  const std::string first = Simulate("user/owner", query + "&MaxItems=3");
  EXPECT_EQ(CountOf(first, "<member>"), 3U);
  EXPECT_THAT(first, HasSubstr("<IsTruncated>true</IsTruncated>"));
  const std::string second = Simulate("user/owner", query + "&MaxItems=3&Marker=3");
  EXPECT_EQ(CountOf(second, "<member>"), 1U);
  EXPECT_THAT(second, HasSubstr("<EvalActionName>s3:PutObject</EvalActionName>"));
  EXPECT_THAT(second, HasSubstr("<IsTruncated>false</IsTruncated>"));
}

TEST_F(Simulation, WhoIsNotThereIsNoSource) {
  Say("CreateUser&UserName=alice");
  const std::string action = "ActionNames.member.1=sagemaker:ListModels";
  for (const char* source : {"user/nobody", "user/vision/alice", "group/vision", "user/"}) {
    EXPECT_THAT(Simulate(source, action, 404), HasSubstr("<Code>NoSuchEntity</Code>")) << source;
  }
  EXPECT_THAT(Say("SimulatePrincipalPolicy&PolicySourceArn=arn:aws:iam::123456789012:role/x&" + action, 404),
              HasSubstr("<Code>NoSuchEntity</Code>"));
}

TEST_F(Simulation, WhatIsNoSimulationIsRefused) {
  const std::string source = "SimulatePrincipalPolicy&PolicySourceArn=arn:aws:iam::000000000000:role/argosy";
  for (const std::string& query : {
           source,                                       // no actions
           source + "&ActionNames.member.1=everything",  // no service
           std::string("SimulatePrincipalPolicy&PolicySourceArn=me&ActionNames.member.1=s3:GetObject"),
           source + "&ActionNames.member.1=s3:Get&MaxItems=0",
           source + "&ActionNames.member.1=s3:Get&Marker=2",  // past the end
           source + "&ActionNames.member.1=s3:Get&ResourceArns.member.1=",
           source + "&ActionNames.member.1=s3:Get&PolicyInputList.member.1=%7B%7D",
       }) {
    EXPECT_THAT(Say(query, 400), HasSubstr("<Code>ValidationError</Code>")) << query;
  }
}

TEST_F(Simulation, AJobDoesNotAskAboutOthers) {
  const auth::Principal job{auth::PrincipalKind::kJob, "job", "arn:aws:sts::000000000000:assumed-role/argosy-job/job"};
  EXPECT_THAT(Say("SimulatePrincipalPolicy&PolicySourceArn=arn:aws:iam::000000000000:user/owner"
                  "&ActionNames.member.1=s3:GetObject",
                  403, job),
              HasSubstr("<Code>AccessDenied</Code>"));
}

}  // namespace
}  // namespace argosy::api
