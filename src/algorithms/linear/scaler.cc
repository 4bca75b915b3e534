#include "algorithms/linear/scaler.h"

#include <cmath>

#include "base/state_bytes.h"

namespace argosy::algorithms::linear {

void Moments::Add(double x) {
  ++count;
  const double delta = x - mean;
  mean += delta / static_cast<double>(count);
  squares += delta * (x - mean);
}

void Moments::Add(const Moments& other) {
  if (other.count == 0) return;
  const auto n = static_cast<double>(count);
  const auto m = static_cast<double>(other.count);
  const double delta = other.mean - mean;
  mean += delta * m / (n + m);
  squares += other.squares + delta * delta * n * m / (n + m);
  count += other.count;
}

ScalerState::ScalerState(size_t numeric_columns, size_t classes, uint64_t stride) : stride_(stride) {
  scaler_.numeric.resize(numeric_columns);
  scaler_.class_counts.resize(classes);
}

void ScalerState::Update(const ScalerBatch& batch) {
  const data::RowView& block = batch.block;
  const size_t columns = scaler_.numeric.size();
  if (!scaler_.class_counts.empty()) {
    for (size_t r = 0; r < block.rows; ++r) {
      ++scaler_.class_counts[static_cast<size_t>(block.labels[r])];
    }
  }
  const uint64_t first = (stride_ - batch.first_row % stride_) % stride_;
  for (uint64_t r = first; r < block.rows; r += stride_) {
    const float* const row = block.numeric.data() + r * columns;
    for (size_t c = 0; c < columns; ++c) {
      if (!std::isnan(row[c])) scaler_.numeric[c].Add(row[c]);
    }
    scaler_.label.Add(block.labels[r]);
  }
}

void ScalerState::Merge(const ScalerState& other) {
  for (size_t c = 0; c < scaler_.numeric.size(); ++c) scaler_.numeric[c].Add(other.scaler_.numeric[c]);
  scaler_.label.Add(other.scaler_.label);
  for (size_t k = 0; k < scaler_.class_counts.size(); ++k) {
    scaler_.class_counts[k] += other.scaler_.class_counts[k];
  }
}

std::string ScalerState::Save() const {
  StateWriter writer("linear-scaler");
  writer.Values(std::span<const Moments>(scaler_.numeric));
  writer.Values(std::span<const Moments>(&scaler_.label, 1));
  writer.Values(std::span<const uint64_t>(scaler_.class_counts));
  return writer.Finish();
}

Status ScalerState::Load(std::string_view bytes) {
  StateReader reader("linear-scaler", bytes);
  Scaler loaded = scaler_;
  reader.Values(std::span<Moments>(loaded.numeric));
  reader.Values(std::span<Moments>(&loaded.label, 1));
  reader.Values(std::span<uint64_t>(loaded.class_counts));
  if (Status status = reader.Finish(); !status) return status;
  scaler_ = std::move(loaded);
  return {};
}

}  // namespace argosy::algorithms::linear
