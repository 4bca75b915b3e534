#include "control/session_feed.h"

#include <gtest/gtest.h>

#include "auth/access.h"
#include "auth/key_ring.h"
#include "control/session_reach.h"
#include "cost/ledger.h"

namespace argosy::control {
namespace {

const Time kSessionNow = FromUnixSeconds(1'700'000'000);

catalog::TrainingJobSpec SessionJob() {
  catalog::TrainingJobSpec job;
  job.job_name = "job-1";
  job.channels = {{.name = "train", .s3_uri = "s3://data/in/train"}, {.name = "broken", .s3_uri = "file:///etc"}};
  job.output_path = "s3://models/out";
  job.checkpoint_uri = "s3://models/checkpoints/a";
  return job;
}

std::string Words(const catalog::Reach& reach) {
  std::string out;
  for (const auth::DataGrant& grant : reach) {
    out +=
        (grant.use == auth::DataGrant::Use::kReadWrite ? "rw " : "r ") + grant.bucket + "/" + grant.key_prefix + "\n";
  }
  return out;
}

TEST(Reach, OfAJobIsItsChannelsItsFolderAndItsCheckpoints) {
  EXPECT_EQ(Words(ReachOf(SessionJob())), "r data/in/train\nrw models/out/job-1/\nrw models/checkpoints/a/\n");
  catalog::TrainingJobSpec root = SessionJob();
  root.output_path = "s3://models/";
  root.checkpoint_uri = "s3://models/checkpoints/a/";
  EXPECT_EQ(Words(ReachOf(root)), "r data/in/train\nrw models/job-1/\nrw models/checkpoints/a/\n");
}

TEST(Reach, OfAModelIsItsArtifactAndScript) {
  catalog::ModelSpec model;
  model.model_data_url = "s3://models/out/job-1/output/model.tar.gz";
  EXPECT_EQ(Words(ReachOf(model)), "r models/out/job-1/output/model.tar.gz\n");
  model.environment["SAGEMAKER_SUBMIT_DIRECTORY"] = "s3://code/src.tar.gz";
  EXPECT_EQ(Words(ReachOf(model)), "r models/out/job-1/output/model.tar.gz\nr code/src.tar.gz\n");
  model.environment["SAGEMAKER_SUBMIT_DIRECTORY"] = "/opt/ml/model/code";
  EXPECT_EQ(Words(ReachOf(model)), "r models/out/job-1/output/model.tar.gz\n");
}

class SessionFeedTest : public testing::Test {
 protected:
  SessionFeedTest() {
    entry_.instance_id = "i-1";
    entry_.owner_uid = "uid-1";
    entry_.owner_kind = "training-job";
    entry_.owner_name = "job-1";
    entry_.principal = auth::UserArn("vision", "alice");
    entry_.reach = ReachOf(SessionJob());
    assignment_.instance_id = "i-1";
    assignment_.owner_uid = "uid-1";
    assignment_.training = SessionJob();
    assignment_.training->max_runtime_seconds = 3600;
  }
  void Tell() { feed_.OnChange({.written = {cost::ToResource(entry_)}}); }
  auth::KeyLookup Find(const protocol::Session& session) { return store_.Find(session.access_key_id, session.token); }

  auth::KeyRing keys_{{"AKIAOWNERSKEY00000", "secret-secret", "", {}}};
  ManualClock clock_{kSessionNow};
  auth::SessionKey key_{"the secret of this server, 32 bytes"};
  auth::SessionStore store_{&keys_, key_, &clock_};
  SessionFeed feed_{&store_};
  cost::LedgerEntry entry_;
  protocol::Assignment assignment_;
};

TEST_F(SessionFeedTest, ASessionCountsWhileTheLedgersEntryIsOpen) {
  const protocol::Session session = SignIn(key_, assignment_, "http://127.0.0.1:9000", kSessionNow);
  EXPECT_EQ(session.endpoint, "http://127.0.0.1:9000");
  EXPECT_EQ(Words(session.reach), Words(entry_.reach));
  EXPECT_EQ(Find(session).failure, auth::AuthFailure::kExpiredToken);  // not yet
  Tell();
  const auth::KeyLookup found = Find(session);
  ASSERT_NE(found.credential, nullptr);
  const auth::Principal& who = found.credential->principal;
  EXPECT_EQ(who.arn, "arn:aws:sts::000000000000:assumed-role/argosy-training-job/job-1");
  EXPECT_EQ(who.team, "vision");
  EXPECT_EQ(who.id, "uid-1:job-1");
  EXPECT_TRUE(MayReach(who, auth::DataUse::kWrite, "models", "out/job-1/output/x"));
  EXPECT_FALSE(MayReach(who, auth::DataUse::kWrite, "models", "out/job-2/output/x"));
  EXPECT_FALSE(May(who, auth::Access::kRead));
  entry_.closed = true;
  Tell();
  EXPECT_EQ(Find(session).failure, auth::AuthFailure::kExpiredToken);
}

TEST_F(SessionFeedTest, ASessionIsNoLongerThanItsWorkMayTake) {
  const protocol::Session session = SignIn(key_, assignment_, "", kSessionNow);
  Tell();
  clock_.Advance(std::chrono::hours(25));
  EXPECT_EQ(Find(session).failure, auth::AuthFailure::kExpiredToken);
  assignment_.training.reset();
  EXPECT_NE(Find(SignIn(key_, assignment_, "", clock_.Now())).credential, nullptr);
}

TEST_F(SessionFeedTest, ANewAttemptsInstanceHasASessionOfItsOwn) {
  Tell();
  const protocol::Session first = SignIn(key_, assignment_, "", kSessionNow);
  entry_.closed = true;
  Tell();
  entry_ = cost::LedgerEntry{.instance_id = "i-2",
                             .owner_uid = "uid-1",
                             .owner_kind = "training-job",
                             .owner_name = "job-1",
                             .principal = entry_.principal,
                             .reach = entry_.reach};
  Tell();
  assignment_.instance_id = "i-2";
  EXPECT_EQ(Find(first).credential, nullptr);
  EXPECT_NE(Find(SignIn(key_, assignment_, "", kSessionNow)).credential, nullptr);
}

}  // namespace
}  // namespace argosy::control
