#include "algorithms/kmeans/kmeans_state.h"

#include <algorithm>

#include "base/state_bytes.h"

namespace argosy::algorithms::kmeans {

KMeansState::KMeansState(const PackedCenters& centers) : centers_(&centers) {
  const size_t numbers = centers.count() * centers.n();
  sums_.sums.resize(numbers);
  sums_.counts.resize(centers.count());
  sums_.farthest.resize(centers.n());
  partial_.resize(numbers);
}

void KMeansState::Update(const RowBatch& batch, RowBounds* bounds) {
  const size_t n = centers_->n();
  const float* const x = batch.numeric.data();
  FindNearest(x, batch.rows, *centers_, nearest_, bounds, static_cast<size_t>(batch.first));
  std::fill(partial_.begin(), partial_.end(), 0.0F);
  for (size_t r = 0; r < batch.rows; ++r) {
    const uint32_t center = nearest_.center[r];
    const float distance = nearest_.distance[r];
    AddScaled(1.0F, x + r * n, partial_.data() + center * n, n);
    ++sums_.counts[center];
    sums_.squared_distance += distance;
    if (distance > sums_.farthest_distance) {
      sums_.farthest_distance = distance;
      std::copy_n(x + r * n, n, sums_.farthest.begin());
    }
  }
  for (size_t i = 0; i < partial_.size(); ++i) sums_.sums[i] += partial_[i];
  sums_.rows += batch.rows;
}

void KMeansState::Merge(const KMeansState& other) {
  for (size_t i = 0; i < sums_.sums.size(); ++i) sums_.sums[i] += other.sums_.sums[i];
  for (size_t i = 0; i < sums_.counts.size(); ++i) sums_.counts[i] += other.sums_.counts[i];
  sums_.squared_distance += other.sums_.squared_distance;
  sums_.rows += other.sums_.rows;
  if (other.sums_.farthest_distance > sums_.farthest_distance) {
    sums_.farthest_distance = other.sums_.farthest_distance;
    sums_.farthest = other.sums_.farthest;
  }
}

void KMeansState::Clear() {
  std::fill(sums_.sums.begin(), sums_.sums.end(), 0.0);
  std::fill(sums_.counts.begin(), sums_.counts.end(), 0);
  sums_.squared_distance = 0;
  sums_.rows = 0;
  sums_.farthest_distance = -1;
}

std::string KMeansState::Save() const {
  StateWriter writer("kmeans");
  const double scalars[] = {sums_.squared_distance, sums_.farthest_distance};
  writer.Values(std::span<const uint64_t>(&sums_.rows, 1));
  writer.Values(std::span<const double>(scalars));
  writer.Values(std::span<const double>(sums_.sums));
  writer.Values(std::span<const uint64_t>(sums_.counts));
  writer.Values(std::span<const float>(sums_.farthest));
  return writer.Finish();
}

Status KMeansState::Load(std::string_view bytes) {
  StateReader reader("kmeans", bytes);
  KMeansSums loaded = sums_;
  double scalars[2] = {};
  reader.Values(std::span<uint64_t>(&loaded.rows, 1));
  reader.Values(std::span<double>(scalars));
  reader.Values(std::span<double>(loaded.sums));
  reader.Values(std::span<uint64_t>(loaded.counts));
  reader.Values(std::span<float>(loaded.farthest));
  if (Status status = reader.Finish(); !status) return status;
  loaded.squared_distance = scalars[0];
  loaded.farthest_distance = static_cast<float>(scalars[1]);
  sums_ = std::move(loaded);
  return {};
}

}  // namespace argosy::algorithms::kmeans
