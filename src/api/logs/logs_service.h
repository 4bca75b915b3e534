// CloudWatch Logs as far as clients read the output of jobs and endpoints: groups, streams, events, search.
#pragma once

#include <memory>
#include <string>

#include "api/json_service.h"
#include "base/thread_pool.h"
#include "observe/log_store.h"

namespace argosy::api {

// `store` and `pool` outlive the service; `region` is named in ARNs.
std::vector<Operation> LogsOperations(observe::LogStore* store, std::string region);
std::unique_ptr<JsonService> MakeLogsService(observe::LogStore* store, ThreadPool* pool, std::string region);

}  // namespace argosy::api
