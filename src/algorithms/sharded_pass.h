// One pass over a data set in which every virtual shard feeds a state of its own. It goes in rounds, between which all
// threads and hosts have met: there a training reports, stops or is saved, and where the rounds end depends on the data
// alone.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "algorithms/batches.h"
#include "algorithms/hosts.h"

namespace argosy::algorithms {

class ShardedPass {
 public:
  // All must outlive it. `group`: all hosts. A round is `batches_per_round` batches of `rows_at_once` rows in each of
  // `shards`, of which this host has some.
  ShardedPass(const data::Dataset& dataset, const Transform& transform, size_t shards, size_t rows_at_once,
              size_t batches_per_round, unsigned threads, collective::Group& group);

  const ShardRange& here() const { return here_; }  // the shards of this host

  // As if so many rounds had been made.
  Status Skip(uint64_t rounds);
  // Calls `update(i, batch)` for the next batches of the i-th shard of this host, each shard's from one thread at a
  // time. `stop` and `save`: what this host would.
  Result<RoundEnd> Round(const std::function<void(size_t i, const RowBatch& batch)>& update, bool stop, bool save);

  uint64_t rounds() const { return rounds_; }
  uint64_t rows() const { return rows_; }  // of the rounds made or skipped, on all hosts

 private:
  const data::Dataset& dataset_;
  collective::Group& group_;
  const ShardRange here_;
  const size_t rows_at_once_;
  const size_t batches_per_round_;
  const unsigned threads_;
  std::vector<std::unique_ptr<BatchReader>> readers_;
  uint64_t rounds_ = 0;
  uint64_t rows_ = 0;
};

}  // namespace argosy::algorithms
