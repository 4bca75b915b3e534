#include "control/live_counters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace argosy::control {
namespace {

using testing::HasSubstr;
using testing::Not;

catalog::Resource Of(catalog::Kind kind, const std::string& uid, const std::string& status) {
  catalog::Resource resource;
  resource.kind = kind;
  resource.uid = resource.name = uid;
  resource.status = status;
  return resource;
}

std::string Page(const LiveCounters& counters) {
  observe::PrometheusText page;
  counters.Write(page, {{{"e", "v"}, 3}});
  return page.Take();
}

TEST(LiveCounters, AddUpWhatVariantsDoUntilTheEndpointIsGone) {
  LiveCounters counters;
  serving::VariantCounts counts;
  counts.invocations = 5;
  counts.errors_5xx = 2;
  counts.refused_busy = 1;
  counts.model_microseconds.Add(100, 3);
  counters.OnLoad({"e", "v"}, counts);
  counters.OnLoad({"e", "v"}, counts);
  const std::string page = Page(counters);
  EXPECT_THAT(page, HasSubstr("argosy_invocations_total{endpoint=\"e\",variant=\"v\"} 10\n"));
  EXPECT_THAT(page, HasSubstr("argosy_invocation_errors_total{endpoint=\"e\",variant=\"v\",kind=\"5xx\"} 4\n"));
  EXPECT_THAT(page, HasSubstr("argosy_invocation_errors_total{endpoint=\"e\",variant=\"v\",kind=\"busy\"} 2\n"));
  EXPECT_THAT(page, HasSubstr("argosy_model_latency_seconds_count{endpoint=\"e\",variant=\"v\"} 6\n"));
  EXPECT_THAT(page, HasSubstr("argosy_endpoint_instances{endpoint=\"e\",variant=\"v\"} 3\n"));
  catalog::Change change;
  change.removed.push_back(Of(catalog::Kind::kEndpoint, "e", ""));
  counters.OnChange(change);
  EXPECT_THAT(Page(counters), Not(HasSubstr("argosy_invocations_total{")));
}

TEST(LiveCounters, JobsAndAlarmsAreCountedByWhatTheyAre) {
  LiveCounters counters;
  catalog::Change change;
  change.written = {Of(catalog::Kind::kTrainingJob, "a", "InProgress"),
                    Of(catalog::Kind::kTrainingJob, "b", "InProgress"),
                    Of(catalog::Kind::kTrainingJob, "b", "Stopping"),
                    Of(catalog::Kind::kTrainingJob, "c", "InProgress"),
                    Of(catalog::Kind::kTrainingJob, "c", "Completed"),
                    Of(catalog::Kind::kTrainingJob, "c", "Completed"),
                    Of(catalog::Kind::kAlarm, "x", "OK"),
                    Of(catalog::Kind::kAlarm, "x", "ALARM")};
  counters.OnChange(change);
  const std::string page = Page(counters);
  EXPECT_THAT(page, HasSubstr("argosy_training_jobs{status=\"InProgress\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("argosy_training_jobs{status=\"Stopping\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("argosy_training_jobs_ended_total{status=\"Completed\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("argosy_alarms{state=\"ALARM\"} 1\n"));
  EXPECT_THAT(page, Not(HasSubstr("state=\"OK\"")));
}

TEST(LiveCounters, WhatInstancesHoldIsTheNewestLook) {
  LiveCounters counters;
  compute::InstanceUse use{.instance_id = "i", .role = protocol::Role::kServing, .name = "e", .variant = "v"};
  use.cpu = std::chrono::milliseconds(2500);
  use.resident_bytes = 4096;
  counters.OnUses({use});
  EXPECT_THAT(Page(counters),
              HasSubstr("argosy_instance_cpu_seconds_total{instance=\"i\",endpoint=\"e\",variant=\"v\"} 2.5\n"));
  EXPECT_THAT(Page(counters),
              HasSubstr("argosy_instance_resident_bytes{instance=\"i\",endpoint=\"e\",variant=\"v\"} 4096\n"));
  counters.OnUses({});
  EXPECT_THAT(Page(counters), Not(HasSubstr("instance=\"i\"")));
}

}  // namespace
}  // namespace argosy::control
