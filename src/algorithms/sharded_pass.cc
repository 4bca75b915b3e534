#include "algorithms/sharded_pass.h"

#include "data/parallel_read.h"

namespace argosy::algorithms {

ShardedPass::ShardedPass(const data::Dataset& dataset, const Transform& transform, size_t shards, size_t rows_at_once,
                         size_t batches_per_round, unsigned threads, collective::Group& group)
    : dataset_(dataset),
      group_(group),
      here_(shards, dataset.group()),
      rows_at_once_(rows_at_once),
      batches_per_round_(batches_per_round),
      threads_(threads) {
  for (size_t s = here_.first; s < here_.first + here_.count; ++s) {
    readers_.push_back(std::make_unique<BatchReader>(dataset, transform, ShardBlocks(dataset.rows(), s, shards),
                                                     BatchReader::Order::kAsStored, 0));
  }
}

Status ShardedPass::Skip(uint64_t rounds) {
  RoundEnd skipped;
  for (const auto& reader : readers_) {
    auto rows = reader->Skip(rounds * batches_per_round_ * rows_at_once_);
    if (!rows) return rows.error();
    skipped.rows += *rows;
  }
  const auto all = Agree(group_, dataset_.group(), skipped);
  if (!all) return all.error();
  rows_ += all->rows;
  rounds_ += rounds;
  return {};
}

Result<RoundEnd> ShardedPass::Round(const std::function<void(size_t i, const RowBatch& batch)>& update, bool stop,
                                    bool save) {
  std::vector<Status> outcomes(readers_.size());
  std::vector<uint64_t> rows(readers_.size());
  data::RunParallel(readers_.size(), threads_, [&](size_t i) {
    for (size_t b = 0; b < batches_per_round_; ++b) {
      auto batch = readers_[i]->Next(rows_at_once_);
      if (!batch) outcomes[i] = batch.error();
      if (!batch || *batch == nullptr) return;
      rows[i] += (*batch)->rows;
      update(i, **batch);
    }
  });
  RoundEnd mine{.stop = stop, .save = save};
  for (size_t i = 0; i < readers_.size(); ++i) {
    if (!outcomes[i]) return outcomes[i].error();
    mine.rows += rows[i];
  }
  auto all = Agree(group_, dataset_.group(), mine);
  if (!all) return all.error();
  ++rounds_;
  rows_ += all->rows;
  return *all;
}

}  // namespace argosy::algorithms
