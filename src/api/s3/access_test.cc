#include "api/s3/access.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace argosy::api::s3 {
namespace {

auth::Principal Job() {
  auth::Principal job{auth::PrincipalKind::kJob, "job-1", "arn:job"};
  job.grants = {{"input", "data/", auth::DataGrant::Use::kRead},
                {"output", "job-1/", auth::DataGrant::Use::kReadWrite}};
  return job;
}

// "yes", or the action that is denied.
std::string Ask(const auth::Principal& who, const std::string& method, const std::string& target,
                std::vector<http::HeaderView> headers = {}) {
  http::RequestView view;
  view.method = method;
  view.target = target;
  view.path = std::string_view(target).substr(0, target.find('?'));
  if (target.find('?') != std::string::npos) view.query = std::string_view(target).substr(target.find('?') + 1);
  view.headers = headers;
  const std::variant<Request, S3Error> request = ReadHead(view, "id");
  EXPECT_TRUE(std::holds_alternative<Request>(request)) << method << " " << target;
  if (!std::holds_alternative<Request>(request)) return "";
  const std::optional<S3Error> error = CheckAccess(std::get<Request>(request), who);
  if (!error) return "yes";
  EXPECT_EQ(error->code, "AccessDenied");
  EXPECT_EQ(error->status, 403);
  const size_t action = error->message.find("s3:");
  return error->message.substr(action, error->message.find(',', action) - action);
}

TEST(S3Access, AJobsSessionReachesItsDataOnly) {
  struct Row {
    const char* method;
    const char* target;
    const char* answer;
  };
  const Row rows[] = {
      {"GET", "/", "s3:ListAllMyBuckets"},
      {"PUT", "/new-bucket", "s3:CreateBucket"},
      {"DELETE", "/output", "s3:DeleteBucket"},
      {"HEAD", "/input", "yes"},
      {"HEAD", "/others", "s3:ListBucket"},
      {"GET", "/input?location", "yes"},
      {"GET", "/others?location", "s3:GetBucketLocation"},
      {"GET", "/input?list-type=2&prefix=data/", "yes"},
      {"GET", "/input?list-type=2&prefix=data/x", "yes"},
      {"GET", "/input?list-type=2", "s3:ListBucket"},
      {"GET", "/input?prefix=dat", "s3:ListBucket"},
      {"GET", "/input?prefix=data/../", "s3:ListBucket"},
      {"GET", "/output?uploads&prefix=job-1/", "yes"},
      {"GET", "/output?uploads", "s3:ListBucketMultipartUploads"},
      {"GET", "/input/data/a.csv", "yes"},
      {"HEAD", "/input/data/a.csv", "yes"},
      {"GET", "/input/database", "s3:GetObject"},
      {"GET", "/input/data/../secret", "s3:GetObject"},
      {"GET", "/input/data/%2e%2e/secret", "s3:GetObject"},
      {"GET", "/input/data%2F..%2Fsecret", "s3:GetObject"},
      {"PUT", "/input/data/a.csv", "s3:PutObject"},
      {"DELETE", "/input/data/a.csv", "s3:DeleteObject"},
      {"PUT", "/output/job-1/model", "yes"},
      {"PUT", "/output/job-10/model", "s3:PutObject"},
      {"POST", "/output/job-1/model?uploads", "yes"},
      {"POST", "/output/job-2/model?uploads", "s3:PutObject"},
      {"PUT", "/output/job-1/model?partNumber=1&uploadId=u", "yes"},
      {"POST", "/output/job-1/model?uploadId=u", "yes"},
      {"POST", "/output/job-2/model?uploadId=u", "s3:PutObject"},
      {"DELETE", "/output/job-2/model?uploadId=u", "s3:AbortMultipartUpload"},
      {"GET", "/output/job-2/model?uploadId=u", "s3:ListMultipartUploadParts"},
      {"GET", "/input?tagging", "yes"},
      {"GET", "/others?tagging", "s3:GetBucketTagging"},
      {"PUT", "/output?tagging", "s3:PutBucketTagging"},
      {"GET", "/input/data/a?tagging", "yes"},
      {"PUT", "/input/data/a?tagging", "s3:PutObjectTagging"},
      {"PUT", "/output/job-1/a?tagging", "yes"},
      {"DELETE", "/output/job-2/a?tagging", "s3:DeleteObjectTagging"},
      {"GET", "/input/secret?attributes", "s3:GetObjectAttributes"},
      {"GET", "/input?versions&prefix=data/", "yes"},
      {"GET", "/input?versions", "s3:ListBucketVersions"},
      {"GET", "/input?acl", "yes"},
      {"GET", "/others?acl", "s3:GetBucketAcl"},
      {"GET", "/input/secret?acl", "s3:GetObjectAcl"},
      {"POST", "/output?delete", "yes"},  // its keys are asked for one by one
      {"POST", "/others?delete", "s3:DeleteObject"},
  };
  const auth::Principal job = Job();
  for (const Row& row : rows) {
    EXPECT_EQ(Ask(job, row.method, row.target), row.answer) << row.method << " " << row.target;
  }
}

TEST(S3Access, ACopyNeedsBothSides) {
  const auth::Principal job = Job();
  EXPECT_EQ(Ask(job, "PUT", "/output/job-1/a", {{"x-amz-copy-source", "/input/data/a"}}), "yes");
  EXPECT_EQ(Ask(job, "PUT", "/output/job-1/a", {{"x-amz-copy-source", "/others/a"}}), "s3:PutObject");
  EXPECT_EQ(Ask(job, "PUT", "/output/job-1/a", {{"x-amz-copy-source", "input/data/../a"}}), "s3:PutObject");
  EXPECT_EQ(Ask(job, "PUT", "/others/a", {{"x-amz-copy-source", "/input/data/a"}}), "s3:PutObject");
  EXPECT_EQ(Ask(job, "PUT", "/output/job-1/a?partNumber=1&uploadId=u", {{"x-amz-copy-source", "/others/a"}}),
            "s3:PutObject");
}

TEST(S3Access, AReaderReads) {
  const auth::Principal reader{auth::PrincipalKind::kReader, "bob", "arn:bob"};
  for (const char* target : {"/", "/input", "/input?list-type=2", "/input/a", "/input?location"}) {
    EXPECT_EQ(Ask(reader, "GET", target), "yes") << target;
  }
  EXPECT_EQ(Ask(reader, "PUT", "/new-bucket"), "s3:CreateBucket");
  EXPECT_EQ(Ask(reader, "PUT", "/input/a"), "s3:PutObject");
  EXPECT_EQ(Ask(reader, "DELETE", "/input/a"), "s3:DeleteObject");
  EXPECT_EQ(Ask(reader, "PUT", "/input/a", {{"x-amz-copy-source", "/input/b"}}), "s3:PutObject");
}

TEST(S3Access, AMemberDoesAll) {
  const auth::Principal member{auth::PrincipalKind::kMember, "alice", "arn:alice"};
  EXPECT_EQ(Ask(member, "PUT", "/new-bucket"), "yes");
  EXPECT_EQ(Ask(member, "PUT", "/input/a"), "yes");
  EXPECT_EQ(Ask(member, "DELETE", "/input"), "yes");
}

TEST(S3Access, AnActionIsToldBeforehandAsItIsDecidedLater) {
  struct Row {
    const char* action;
    const char* resource;
    bool job, reader;
  };
  const Row rows[] = {
      {"s3:GetObject", "arn:aws:s3:::input/data/a.csv", true, true},
      {"s3:GetObject", "arn:aws:s3:::input/secret", false, true},
      {"s3:GetObject", "arn:aws:s3:::input/data/../secret", false, true},
      {"s3:PutObject", "arn:aws:s3:::output/job-1/model", true, false},
      {"s3:PutObject", "arn:aws:s3:::input/data/a.csv", false, false},
      {"s3:DeleteObject", "arn:aws:s3:::output/job-2/model", false, false},  // though the bucket may be seen
      {"s3:ListBucket", "arn:aws:s3:::input", false, true},                  // the whole of it
      {"s3:GetBucketLocation", "arn:aws:s3:::input", true, true},
      {"s3:CreateBucket", "arn:aws:s3:::new", false, false},
      {"s3:ListAllMyBuckets", "*", false, true},
      {"s3:GetObject", "arn:aws:sqs:::queue", false, false},  // no object
  };
  const auth::Principal job = Job();
  const auth::Principal reader{auth::PrincipalKind::kReader, "bob", "arn:bob"};
  const auth::Principal member{auth::PrincipalKind::kMember, "alice", "arn:alice"};
  for (const Row& row : rows) {
    EXPECT_EQ(MayDoAction(job, row.action, row.resource), row.job) << row.action << " " << row.resource;
    EXPECT_EQ(MayDoAction(reader, row.action, row.resource), row.reader) << row.action << " " << row.resource;
  }
  EXPECT_EQ(MayDoAction(member, "s3:PutObject", "*"), true);
  EXPECT_EQ(MayDoAction(member, "s3:Everything", "*"), std::nullopt);
  EXPECT_EQ(MayDoAction(member, "sagemaker:CreateModel", "*"), std::nullopt);
}

}  // namespace
}  // namespace argosy::api::s3
