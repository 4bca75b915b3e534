#include "algorithms/sharded_pass.h"

#include "data/parallel_read.h"

namespace argosy::algorithms {

ShardedPass::ShardedPass(const data::Dataset& dataset, const Transform& transform, size_t shards, size_t rows_at_once,
                         size_t batches_per_round, unsigned threads)
    : rows_at_once_(rows_at_once), batches_per_round_(batches_per_round), threads_(threads) {
  for (size_t s = 0; s < shards; ++s) {
    readers_.push_back(std::make_unique<BatchReader>(dataset, transform, ShardBlocks(dataset.rows(), s, shards),
                                                     BatchReader::Order::kAsStored, 0));
  }
}

Status ShardedPass::Skip(uint64_t rounds) {
  for (const auto& reader : readers_) {
    auto skipped = reader->Skip(rounds * batches_per_round_ * rows_at_once_);
    if (!skipped) return skipped.error();
    rows_ += *skipped;
  }
  rounds_ += rounds;
  return {};
}

Result<bool> ShardedPass::Round(const std::function<void(size_t shard, const RowBatch& batch)>& update) {
  std::vector<Status> outcomes(readers_.size());
  std::vector<uint64_t> rows(readers_.size());
  data::RunParallel(readers_.size(), threads_, [&](size_t shard) {
    for (size_t b = 0; b < batches_per_round_; ++b) {
      auto batch = readers_[shard]->Next(rows_at_once_);
      if (!batch) outcomes[shard] = batch.error();
      if (!batch || *batch == nullptr) return;
      rows[shard] += (*batch)->rows;
      update(shard, **batch);
    }
  });
  uint64_t added = 0;
  for (size_t s = 0; s < readers_.size(); ++s) {
    if (!outcomes[s]) return outcomes[s].error();
    added += rows[s];
  }
  ++rounds_;
  rows_ += added;
  return added > 0;
}

}  // namespace argosy::algorithms
