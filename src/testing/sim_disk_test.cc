#include "testing/sim_disk.h"

#include <gtest/gtest.h>

#include <set>

#include "base/random.h"
#include "catalog/sqlite_store.h"

namespace argosy::testing {
namespace {

catalog::Resource Job(const std::string& name) {
  catalog::Resource job;
  job.kind = catalog::Kind::kTrainingJob;
  job.name = name;
  job.uid = "uid-" + name;
  job.status = "InProgress";
  job.spec = job.state = "{}";
  return job;
}

bool Insert(catalog::SqliteStore& store, const std::string& name) {
  catalog::Transaction transaction;
  transaction.inserts.push_back({Job(name)});
  return store.Apply({transaction}).front().ok();
}

std::unique_ptr<catalog::SqliteStore> OpenOn(const SimDisk& disk) {
  return std::move(catalog::SqliteStore::Open("catalog.db", catalog::Access::kExclusiveWriter, disk.name())).value();
}

// Whichever sync it is, of the log or of a checkpoint: who was told yes finds it after a power cut, and the one whose
// sync failed was told no.
TEST(SimDisk, ASyncThatFailsIsAnErrorOfTheCatalogAndNothingAcknowledgedIsLost) {
  size_t refused = 0;
  for (uint64_t nth = 1; nth <= 12; ++nth) {
    SeededRandom random(nth);
    SimDisk disk("sync-" + std::to_string(nth), &random);
    std::set<std::string> acknowledged;
    auto store = OpenOn(disk);
    disk.FailSync(nth);
    for (int i = 0; i < 12; ++i) {
      const std::string name = "job-" + std::to_string(i);
      Insert(*store, name) ? (void)acknowledged.insert(name) : (void)++refused;
      if (i % 4 == 3) store->Checkpoint();
    }
    EXPECT_GE(acknowledged.size(), 11u);
    disk.CutPower();
    store.reset();
    disk.Restart(SimDisk::Loss::kUnsyncedLost);
    store = OpenOn(disk);
    for (const std::string& name : acknowledged) {
      EXPECT_TRUE(store->Get(catalog::Kind::kTrainingJob, name).ok()) << name << ", sync " << nth;
    }
  }
  EXPECT_GE(refused, 6u) << "most syncs are those of commits";
}

}  // namespace
}  // namespace argosy::testing
