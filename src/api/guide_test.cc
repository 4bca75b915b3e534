// docs/guides/api.md is what the declarations say. After a change of them: ARGOSY_UPDATE_DOCS=1 <this test>.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "api/autoscaling/autoscaling_service.h"
#include "api/cloudwatch/cloudwatch_service.h"
#include "api/iam/iam_service.h"
#include "api/logs/logs_service.h"
#include "api/sagemaker/sagemaker_service.h"
#include "api/sts/sts_service.h"

namespace argosy::api {
namespace {

std::string DescribeActions(std::string_view service, const std::vector<QueryAction>& actions) {
  std::string out = "## " + std::string(service) + "\n\n| action | |\n|---|---|\n";
  for (const QueryAction& action : actions) out += "| `" + action.name + "` | " + action.summary + " |\n";
  return out;
}

// All declared operations, by service.
std::vector<std::pair<std::string, std::vector<Operation>>> AllOperations() {
  SageMakerOptions options;
  options.region = "us-east-1";
  // The guide does not list instance types; enough of them that it only counts.
  options.instance_types = {"the table of instance types"};
  return {{"SageMaker", SageMakerOperations(options, {})},
          {"CloudWatch Logs", LogsOperations(nullptr, "us-east-1")},
          {"CloudWatch", CloudWatchOperations({}, "us-east-1")},
          {"Application Auto Scaling", AutoscalingOperations({}, "us-east-1")},
          {"IAM", IamOperations({})}};
}

// What stands between the marks is made of botocore's models and the chapters below it, by
// tests/conformance/test_overview.py: here it is kept.
std::string KeptOverview(const std::string& page) {
  const std::string begin = "<!-- overview: begin -->\n";
  const std::string end = "<!-- overview: end -->\n";
  const size_t from = page.find(begin);
  const size_t to = page.find(end);
  if (from == std::string::npos || to == std::string::npos || to < from) return begin + end;
  return page.substr(from, to + end.size() - from);
}

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string Guide(const std::string& page) {
  std::string out =
      "# The API\n"
      "\n"
      "Every operation that Argosy has, and every member of its request that it knows. Made from the declarations in\n"
      "`src/api/` and checked by `guide_test.cc` beside them; do not edit by hand.\n"
      "\n"
      "Members that are not listed are accepted, kept and given back by the Describe operations. *Refused* means: a "
      "request\n"
      "that asks for it is answered with a `ValidationException` (CloudWatch: `ValidationError`) naming the member, "
      "since leaving it out would change "
      "the\n"
      "result. Null, `false`, 0 and empty values ask for nothing.\n"
      "\n"
      "Operations that are not listed are answered with `UnknownOperationException` (`InvalidAction` in the query "
      "protocol).\n"
      "S3 and the runtime (`InvokeEndpoint`) have no JSON requests: see [s3.md](s3.md) and [serving.md](serving.md).\n"
      "\n"
      "The overview comes first, of all operations that AWS's services have: *yes* is one of which every member of the "
      "request\n"
      "has its effect, *partly* one that has members without.\n"
      "\n";
  out += KeptOverview(page) + "\n";
  for (const auto& [service, operations] : AllOperations()) {
    if (service == "IAM") out += DescribeActions("STS", MakeStsService()->actions()) + "\n";
    out += DescribeOperations(service, operations) + (service == "IAM" ? "" : "\n");
  }
  return out;
}

TEST(Guide, IsWhatTheDeclarationsSay) {
  const std::string path = std::string(ARGOSY_SOURCE_DIR) + "/docs/guides/api.md";
  const std::string expected = Guide(ReadAll(path));
  if (std::getenv("ARGOSY_UPDATE_DOCS") != nullptr) std::ofstream(path) << expected;
  EXPECT_TRUE(ReadAll(path) == expected) << path << " is not up to date: run this test with ARGOSY_UPDATE_DOCS=1";
}

// What an operation is called says whether it only shows; a new one that is declared otherwise is a mistake.
TEST(Guide, OperationsThatShowAreForReadersAndOthersAreNot) {
  for (const auto& [service, operations] : AllOperations()) {
    for (const Operation& operation : operations) {
      const std::string_view name = operation.name;
      bool shows = false;
      for (const char* verb :
           {"Describe", "List", "Get", "Filter", "Search", "Simulate", "BatchDescribe", "BatchGet"}) {
        shows = shows || name.starts_with(verb);
      }
      const bool open = operation.access == auth::Access::kRead || operation.access == auth::Access::kIdentify;
      EXPECT_EQ(open, shows) << service << " " << name;
      if (service == "IAM" && !shows) {
        EXPECT_EQ(operation.access, auth::Access::kManage) << name;
      }
    }
  }
}

}  // namespace
}  // namespace argosy::api
