// The artifact of a training job, for the verbs that take a job's name for its model.
#pragma once

#include <string>

#include "base/result.h"
#include "main/api_client.h"
#include "main/job_view.h"

namespace argosy::main {

// A job that has ended and left an artifact; kNotFound and kInvalidArgument say why it is none.
Result<JobView> FindJobWithArtifact(ApiClient& client, const std::string& name);

}  // namespace argosy::main
