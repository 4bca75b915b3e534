#include "algorithms/linear/units.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace argosy::algorithms::linear {

Transform MakeTransform(const LinearSettings& settings, const data::TableSchema& schema, const ModelShape& shape,
                        const Scaler& scaler) {
  Transform transform;
  uint32_t categories = 0;
  for (const data::Column& column : schema.columns) {
    if (column.kind != data::ColumnKind::kCategorical) continue;
    transform.category_offset.push_back(categories);
    categories += static_cast<uint32_t>(column.categories.size());
  }
  transform.mean.resize(shape.numeric_padded());
  transform.scale.resize(shape.numeric_padded());
  for (size_t c = 0; c < shape.numeric; ++c) {
    const Moments& moments = scaler.numeric[c];
    const double deviation = std::sqrt(moments.variance());
    // What varies by no more than rounding does not vary.
    const bool varies = deviation > 1e-6 * std::abs(moments.mean) && deviation > 0;
    transform.mean[c] = settings.unbias_data ? static_cast<float>(moments.mean) : 0.0F;
    transform.scale[c] = !settings.normalize_data ? 1.0F : varies ? static_cast<float>(1 / deviation) : 0.0F;
    if (!std::isfinite(transform.scale[c])) transform.scale[c] = 0;
  }
  if (settings.clip) transform.limit = static_cast<float>(*settings.clip);
  if (settings.unbias_label) transform.label_mean = scaler.label.mean;
  if (settings.normalize_label && scaler.label.variance() > 0) {
    transform.label_scale = std::sqrt(scaler.label.variance());
  }
  if (settings.balance_multiclass_weights) {
    const std::vector<uint64_t>& counts = scaler.class_counts;
    const auto rows = static_cast<double>(std::accumulate(counts.begin(), counts.end(), uint64_t{0}));
    for (const uint64_t count : counts) {
      const double even = rows / static_cast<double>(counts.size());
      transform.class_weights.push_back(count == 0 ? 0.0F : static_cast<float>(even / static_cast<double>(count)));
    }
  }
  return transform;
}

std::vector<float> FoldWeights(const LinearModel& model, std::span<const data::Column> columns, const ModelShape& shape,
                               const Transform& transform) {
  const double label_scale = transform.label_scale;
  std::vector<float> parameters(shape.parameters());
  for (size_t o = 0; o < shape.outputs; ++o) {
    float* const to = parameters.data() + o * shape.stride();
    const double* from = model.weights.data() + o * model.features();
    double bias = model.biases[o];
    for (size_t c = 0; c < shape.numeric; ++c) {
      double weight = *from++;
      if (model.clip == 0) {
        bias += weight * transform.mean[c];
        weight = transform.scale[c] == 0 ? 0 : weight / transform.scale[c];
      }
      to[c] = static_cast<float>(weight / label_scale);
    }
    size_t place = shape.numeric_padded();
    for (size_t c = 0; c < columns.size(); ++c) {
      if (columns[c].kind != data::ColumnKind::kCategorical) continue;
      const std::vector<std::string>& known = model.schema.columns[c].categories;
      for (const std::string& category : columns[c].categories) {
        const auto at = std::lower_bound(known.begin(), known.end(), category);
        if (at != known.end() && *at == category) {
          to[place] = static_cast<float>(from[at - known.begin()] / label_scale);
        }
        ++place;
      }
      from += known.size();
    }
    to[shape.bias()] = static_cast<float>((bias - transform.label_mean) / label_scale);
  }
  return parameters;
}

void UnfoldWeights(const ModelShape& shape, const Transform& transform, std::span<const float> parameters,
                   LinearModel& model) {
  const bool fold = model.clip == 0;
  const double label_scale = transform.label_scale;
  for (size_t c = 0; c < shape.numeric; ++c) {
    model.mean.push_back(fold ? 0 : transform.mean[c]);
    model.scale.push_back(fold ? 1 : transform.scale[c]);
    // In training a missing value counts as the normalised 0.
    model.fill.push_back(transform.mean[c]);
  }
  for (size_t o = 0; o < shape.outputs; ++o) {
    const float* const from = parameters.data() + o * shape.stride();
    double bias = from[shape.bias()];
    for (size_t c = 0; c < shape.numeric; ++c) {
      const double weight = fold ? static_cast<double>(from[c]) * transform.scale[c] : from[c];
      if (fold) bias -= weight * transform.mean[c];
      model.weights.push_back(weight * label_scale);
    }
    for (size_t c = 0; c < shape.categories; ++c) {
      model.weights.push_back(static_cast<double>(from[shape.numeric_padded() + c]) * label_scale);
    }
    model.biases.push_back(bias * label_scale + transform.label_mean);
  }
}

}  // namespace argosy::algorithms::linear
