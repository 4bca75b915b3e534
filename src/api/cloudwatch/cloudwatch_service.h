// CloudWatch's metrics and alarms: what the store of metrics has and takes, and alarms as resources of the catalog.
//
// Clients speak to it in three ways: JSON 1.0 (today's SDKs and CLI), forms and XML (older ones), CBOR (the newest).
// All three meet the same operations.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/json_service.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/thread_pool.h"
#include "catalog/catalog.h"
#include "observe/metrics.h"

namespace argosy::api {

// All outlive the service. `random` is called from several threads (SystemRandom).
struct CloudWatchDeps {
  observe::MetricSink* sink = nullptr;
  observe::MetricReader* reader = nullptr;
  observe::MetricDirectory* directory = nullptr;
  catalog::Catalog* catalog = nullptr;
  ThreadPool* pool = nullptr;
  const Clock* clock = nullptr;
  Random* random = nullptr;
};

// `region` is named in ARNs.
std::vector<Operation> CloudWatchOperations(CloudWatchDeps deps, std::string region);
std::unique_ptr<Service> MakeCloudWatchService(CloudWatchDeps deps, std::string region);

}  // namespace argosy::api
