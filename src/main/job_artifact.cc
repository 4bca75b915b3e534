#include "main/job_artifact.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "main/sources.h"

namespace argosy::main {

Result<JobView> FindJobWithArtifact(ApiClient& client, const std::string& name) {
  const Result<Json> described = client.SageMaker("DescribeTrainingJob", {{"TrainingJobName", name}});
  if (!described.ok()) {
    if (described.error().code() != ErrorCode::kNotFound) return described.error();
    return Error(ErrorCode::kNotFound,
                 fmt::format("'{}' is neither a training job nor a file; `argosy jobs` lists the jobs", name));
  }
  JobView job = ReadJob(*described);
  if (!job.ended()) {
    return Error(ErrorCode::kInvalidArgument,
                 fmt::format("the job {} has not ended yet; follow it with `argosy logs -f {}`", name, name));
  }
  const Result<bool> there = IsThere(client, job.artifact);
  if (!there.ok()) return there.error();
  if (!*there) {
    return Error(ErrorCode::kInvalidArgument, fmt::format("the job {} is {} and left no artifact{}", name, job.status,
                                                          job.failure_reason.empty() ? "" : ": " + job.failure_reason));
  }
  return job;
}

}  // namespace argosy::main
