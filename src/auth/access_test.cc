#include "auth/access.h"

#include <gtest/gtest.h>

namespace argosy::auth {
namespace {

Principal Who(PrincipalKind kind) {
  return {kind, "who", "arn:who"};
}

TEST(May, IsThisTable) {
  struct Row {
    PrincipalKind kind;
    bool identify, read, invoke, change, manage;
  };
  const Row rows[] = {
      {PrincipalKind::kOwner, true, true, true, true, true},
      {PrincipalKind::kMember, true, true, true, true, false},
      {PrincipalKind::kReader, true, true, false, false, false},
      {PrincipalKind::kJob, true, false, false, false, false},
  };
  for (const Row& row : rows) {
    const Principal who = Who(row.kind);
    EXPECT_EQ(May(who, Access::kIdentify), row.identify);
    EXPECT_EQ(May(who, Access::kRead), row.read);
    EXPECT_EQ(May(who, Access::kInvoke), row.invoke);
    EXPECT_EQ(May(who, Access::kChange), row.change);
    EXPECT_EQ(May(who, Access::kManage), row.manage);
  }
}

TEST(MayReach, UsersReachAllObjectsAndReadersOnlyRead) {
  for (const PrincipalKind kind : {PrincipalKind::kOwner, PrincipalKind::kMember}) {
    EXPECT_TRUE(MayReach(Who(kind), DataUse::kWrite, "b", "a/../k"));
    EXPECT_TRUE(MaySee(Who(kind), "b"));
  }
  EXPECT_TRUE(MayReach(Who(PrincipalKind::kReader), DataUse::kRead, "b", "k"));
  EXPECT_FALSE(MayReach(Who(PrincipalKind::kReader), DataUse::kWrite, "b", "k"));
}

TEST(MayReach, AJobReachesItsDataAndNothingBesideIt) {
  Principal job = Who(PrincipalKind::kJob);
  job.grants = {{"in", "data/train", DataGrant::Use::kRead}, {"out", "models/job-1/", DataGrant::Use::kReadWrite}};
  struct Row {
    DataUse use;
    const char* bucket;
    const char* key;
    bool may;
  };
  const Row rows[] = {
      {DataUse::kRead, "in", "data/train/a.csv", true},
      {DataUse::kRead, "in", "data/train.csv", true},  // a channel's URI is a prefix, not a folder
      {DataUse::kRead, "in", "data/trai", false},
      {DataUse::kRead, "in", "data/", false},  // to list more than is granted
      {DataUse::kRead, "in", "", false},
      {DataUse::kWrite, "in", "data/train/a.csv", false},
      {DataUse::kRead, "other", "data/train/a.csv", false},
      {DataUse::kWrite, "out", "models/job-1/output/model.tar.gz", true},
      {DataUse::kRead, "out", "models/job-1/output/model.tar.gz", true},
      {DataUse::kWrite, "out", "models/job-1", false},
      {DataUse::kWrite, "out", "models/job-10/output/model.tar.gz", false},  // a sibling that begins alike
      {DataUse::kRead, "out", "models/job-10/", false},
      {DataUse::kWrite, "out", "models/job-1/../job-2/model.tar.gz", false},
      {DataUse::kWrite, "out", "models/job-1/./x", false},
      {DataUse::kWrite, "out", "models/job-1/..", false},
      {DataUse::kWrite, "out", "models/job-1/a..b/..c", true},  // no part of its own
  };
  for (const Row& row : rows) EXPECT_EQ(MayReach(job, row.use, row.bucket, row.key), row.may) << row.key;
  EXPECT_TRUE(MaySee(job, "in"));
  EXPECT_TRUE(MaySee(job, "out"));
  EXPECT_FALSE(MaySee(job, "other"));
  EXPECT_FALSE(MayReach(Who(PrincipalKind::kJob), DataUse::kRead, "in", "data/train"));  // without grants
}

TEST(ObjectOfArn, ReadsBucketAndKey) {
  struct Row {
    const char* arn;
    const char* name;  // "bucket key", or nothing
  };
  for (const Row& row : {Row{"arn:aws:s3:::b", "b "}, Row{"arn:aws:s3:::b/k/x", "b k/x"}, Row{"arn:aws:s3:::b/", "b "},
                         Row{"*", " "}, Row{"arn:aws:s3:::", ""}, Row{"arn:aws:sqs:::q", ""}, Row{"", ""}}) {
    const std::optional<ObjectName> found = ObjectOfArn(row.arn);
    EXPECT_EQ(found ? found->bucket + " " + found->key : "", row.name) << row.arn;
  }
}

TEST(Denial, SaysWhoWhatAndWhy) {
  EXPECT_EQ(DenialOf(Who(PrincipalKind::kReader), "sagemaker:CreateModel"),
            "User: arn:who is not authorized to perform: sagemaker:CreateModel, since a reader may look, and change "
            "nothing");
}

}  // namespace
}  // namespace argosy::auth
