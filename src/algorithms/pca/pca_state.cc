#include "algorithms/pca/pca_state.h"

#include <algorithm>

#include "algorithms/matrix.h"
#include "base/state_bytes.h"

namespace argosy::algorithms::pca {
PcaState::PcaState(size_t n, const std::vector<float>* directions, size_t width)
    : n_(n), directions_(directions), width_(directions == nullptr ? n : width) {
  sums_.sums.resize(n_);
  sums_.products.resize(n_ * width_);
  partial_.resize(n_ * width_);
}

void PcaState::Update(const RowBatch& batch) {
  const float* const x = batch.numeric.data();
  if (directions_ == nullptr) {
    AddGram(x, batch.rows, n_, partial_.data());
  } else {
    along_.resize(batch.rows * width_);
    Multiply(x, batch.rows, n_, directions_->data(), width_, along_.data());
    AddTransposedProduct(x, batch.rows, n_, along_.data(), width_, partial_.data());
  }
  for (size_t r = 0; r < batch.rows; ++r) {
    double square = 0;
    for (size_t j = 0; j < n_; ++j) {
      const double value = x[r * n_ + j];
      sums_.sums[j] += value;
      square += value * value;
    }
    sums_.squares += square;
  }
  sums_.rows += batch.rows;
  if (++batches_in_partial_ == kBatchesInFloats) Flush();
}

void PcaState::Flush() {
  if (batches_in_partial_ == 0) return;
  for (size_t i = 0; i < partial_.size(); ++i) sums_.products[i] += partial_[i];
  std::fill(partial_.begin(), partial_.end(), 0.0F);
  batches_in_partial_ = 0;
}

void PcaState::Merge(const PcaState& other) {
  Check(batches_in_partial_ == 0 && other.batches_in_partial_ == 0, "states must be flushed before they are merged");
  for (size_t i = 0; i < sums_.sums.size(); ++i) sums_.sums[i] += other.sums_.sums[i];
  for (size_t i = 0; i < sums_.products.size(); ++i) sums_.products[i] += other.sums_.products[i];
  sums_.squares += other.sums_.squares;
  sums_.rows += other.sums_.rows;
}

std::string PcaState::Save() const {
  Check(batches_in_partial_ == 0, "a state must be flushed before it is saved");
  StateWriter writer("pca");
  writer.Values(std::span<const uint64_t>(&sums_.rows, 1));
  writer.Values(std::span<const double>(&sums_.squares, 1));
  writer.Values(std::span<const double>(sums_.sums));
  writer.Values(std::span<const double>(sums_.products));
  return writer.Finish();
}

Status PcaState::Load(std::string_view bytes) {
  StateReader reader("pca", bytes);
  PcaSums loaded = sums_;
  reader.Values(std::span<uint64_t>(&loaded.rows, 1));
  reader.Values(std::span<double>(&loaded.squares, 1));
  reader.Values(std::span<double>(loaded.sums));
  reader.Values(std::span<double>(loaded.products));
  if (Status status = reader.Finish(); !status) return status;
  sums_ = std::move(loaded);
  std::fill(partial_.begin(), partial_.end(), 0.0F);
  batches_in_partial_ = 0;
  return {};
}

}  // namespace argosy::algorithms::pca
