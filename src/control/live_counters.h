// What has happened since the server started, for the page of metrics: requests by variant, jobs and alarms by status,
// what instances hold.
//
// Thread-safe: fed on the control thread and the catalog's, written out on any.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "compute/compute.h"
#include "observe/prometheus.h"
#include "serving/load.h"

namespace argosy::control {

class LiveCounters {
 public:
  // Jobs and alarms there are. Once, before OnChange.
  Status Load(catalog::Catalog& catalog);

  void OnLoad(const serving::VariantName& name, const serving::VariantCounts& counts);
  void OnUses(const std::vector<compute::InstanceUse>& uses);
  void OnChange(const catalog::Change& change);

  // `instances`: how many answer for each variant now.
  void Write(observe::PrometheusText& page, const std::map<serving::VariantName, size_t>& instances) const;

 private:
  void Take(const catalog::Resource& resource);
  void WriteRequests(observe::PrometheusText& page) const;
  void WriteUses(observe::PrometheusText& page) const;
  void WriteStatuses(observe::PrometheusText& page) const;

  mutable std::mutex mutex_;
  std::map<serving::VariantName, serving::VariantCounts> requests_;
  std::vector<compute::InstanceUse> uses_;
  std::map<std::string, std::string> jobs_;    // status of those that go on, by uid
  std::map<std::string, uint64_t> ended_;      // jobs, by status
  std::map<std::string, std::string> alarms_;  // state, by uid
};

}  // namespace argosy::control
