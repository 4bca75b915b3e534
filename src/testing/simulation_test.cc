#include <gtest/gtest.h>

#include <cstdlib>

#include "base/bytes.h"
#include "testing/sim_world.h"

namespace argosy::testing {
namespace {

uint64_t FromEnvironment(const char* name, uint64_t fallback) {
  const char* text = std::getenv(name);
  const auto value = ParseInt(text == nullptr ? "" : text);
  return value ? static_cast<uint64_t>(*value) : fallback;
}

// ARGOSY_SIM_SEEDS=N runs more; ARGOSY_SIM_FIRST=S with ARGOSY_SIM_SEEDS=1 replays seed S.
TEST(Simulation, InvariantsHoldForEverySeed) {
  const uint64_t first = FromEnvironment("ARGOSY_SIM_FIRST", 1);
  const uint64_t seeds = FromEnvironment("ARGOSY_SIM_SEEDS", 1000);
  WorldSummary total;
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    const WorldSummary summary = SimWorld({.seed = seed}).Run();
    for (const std::string& violation : summary.violations) ADD_FAILURE() << violation;
    total.jobs += summary.jobs;
    total.endpoints += summary.endpoints;
    total.capacity_changes += summary.capacity_changes;
    total.scaled += summary.scaled;
    total.server_crashes += summary.server_crashes;
    total.machine_deaths += summary.machine_deaths;
    total.attempts += summary.attempts;
    total.checkpoints += summary.checkpoints;
    total.resumed += summary.resumed;
    for (const auto& [status, count] : summary.job_ends) total.job_ends[status] += count;
  }
  std::printf(
      "%lu seeds: %zu jobs, %zu endpoints, %zu changes of capacity, %zu by policies, %zu instances, %zu server "
      "crashes, %zu "
      "checkpoints, %zu resumed;",
      static_cast<unsigned long>(seeds), total.jobs, total.endpoints, total.capacity_changes, total.scaled,
      total.attempts, total.server_crashes, total.checkpoints, total.resumed);
  for (const auto& [status, count] : total.job_ends) std::printf(" %s %zu", status.c_str(), count);
  std::printf("\n");
  // A world in which nothing happens would hold every invariant.
  if (seeds >= 100) {
    EXPECT_GT(total.job_ends["Completed"], seeds);
    EXPECT_GT(total.job_ends["Stopped"], seeds / 10);
    EXPECT_GT(total.job_ends["Failed"], seeds / 20);
    EXPECT_GT(total.server_crashes, seeds);
    EXPECT_GT(total.attempts, total.jobs + total.endpoints);
    EXPECT_GT(total.checkpoints, 2 * seeds);
    EXPECT_GT(total.resumed, seeds / 2);
    EXPECT_GT(total.capacity_changes, seeds / 2);
    EXPECT_GT(total.scaled, seeds / 2);
  }
}

TEST(Simulation, SameSeedSameWorld) {
  const WorldSummary a = SimWorld({.seed = 42}).Run();
  const WorldSummary b = SimWorld({.seed = 42}).Run();
  EXPECT_EQ(a.attempts, b.attempts);
  EXPECT_EQ(a.machine_deaths, b.machine_deaths);
  EXPECT_EQ(a.job_ends, b.job_ends);
}

// The first seed that shows the broken fence; 0 when none does. Some faults need a rare silence to show.
uint64_t SeedThatShows(compute::FenceFault fence) {
  for (uint64_t seed = 1; seed <= 2000; ++seed) {
    if (!SimWorld({.seed = seed, .fence = fence}).Run().violations.empty()) return seed;
  }
  return 0;
}

TEST(Simulation, ABrokenFenceIsSeen) {
  EXPECT_NE(SeedThatShows(compute::FenceFault::kStartsThoughFenced), 0U);
  EXPECT_NE(SeedThatShows(compute::FenceFault::kGoneUnproven), 0U);
}

}  // namespace
}  // namespace argosy::testing
