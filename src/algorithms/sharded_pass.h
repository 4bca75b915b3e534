// One pass over a data set in which every virtual shard feeds a state of its own. It goes in rounds, between which all
// threads have met: there a training reports, stops or is saved, and where the rounds end depends on the data alone.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "algorithms/batches.h"

namespace argosy::algorithms {

class ShardedPass {
 public:
  // All must outlive it. A round is `batches_per_round` batches of `rows_at_once` rows in each shard.
  ShardedPass(const data::Dataset& dataset, const Transform& transform, size_t shards, size_t rows_at_once,
              size_t batches_per_round, unsigned threads);

  // As if so many rounds had been made.
  Status Skip(uint64_t rounds);
  // Calls `update(shard, batch)` for the next batches, each shard's from one thread at a time. False when there were
  // none left.
  Result<bool> Round(const std::function<void(size_t shard, const RowBatch& batch)>& update);

  uint64_t rounds() const { return rounds_; }
  uint64_t rows() const { return rows_; }  // of the rounds made or skipped

 private:
  const size_t rows_at_once_;
  const size_t batches_per_round_;
  const unsigned threads_;
  std::vector<std::unique_ptr<BatchReader>> readers_;
  uint64_t rounds_ = 0;
  uint64_t rows_ = 0;
};

}  // namespace argosy::algorithms
