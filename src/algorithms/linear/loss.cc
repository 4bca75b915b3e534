#include "algorithms/linear/loss.h"

#include <algorithm>
#include <cmath>

namespace argosy::algorithms::linear {
namespace {

struct LossAndSlope {
  double loss;
  double slope;
};

LossAndSlope Evaluate(const LossSettings& settings, double output, double label) {
  const double difference = output - label;
  const double size = std::abs(difference);
  const double sign = difference > 0 ? 1.0 : difference < 0 ? -1.0 : 0.0;
  switch (settings.kind) {
    case LossKind::kLogistic: {
      const double s = label > 0.5 ? 1.0 : -1.0;
      const double margin = s * output;
      // exp of a negative number only: no overflow.
      const double e = std::exp(-std::abs(margin));
      const double loss = std::log1p(e) + std::max(0.0, -margin);
      const double wrong = margin >= 0 ? e / (1 + e) : 1 / (1 + e);
      return {loss, -s * wrong};
    }
    case LossKind::kHinge: {
      const double s = label > 0.5 ? 1.0 : -1.0;
      const double lack = settings.margin - s * output;
      return lack > 0 ? LossAndSlope{lack, -s} : LossAndSlope{0, 0};
    }
    case LossKind::kSquared:
      return {difference * difference / 2, difference};
    case LossKind::kAbsolute:
      return {size, sign};
    case LossKind::kEpsInsensitiveSquared: {
      const double beyond = std::max(0.0, size - settings.insensitivity);
      return {beyond * beyond / 2, sign * beyond};
    }
    case LossKind::kEpsInsensitiveAbsolute: {
      const double beyond = std::max(0.0, size - settings.insensitivity);
      return {beyond, beyond > 0 ? sign : 0};
    }
    case LossKind::kQuantile:
      return difference > 0 ? LossAndSlope{(1 - settings.quantile) * difference, 1 - settings.quantile}
                            : LossAndSlope{-settings.quantile * difference, -settings.quantile};
    case LossKind::kHuber:
      if (size <= settings.huber_delta) return {difference * difference / 2, difference};
      return {settings.huber_delta * (size - settings.huber_delta / 2), sign * settings.huber_delta};
    case LossKind::kSoftmax:
      break;
  }
  CheckFailed("softmax has several outputs", std::source_location::current());
}

// Replaces the outputs of one row by class probabilities and returns the loss.
double Softmax(float* outputs, size_t count, size_t label) {
  const float largest = *std::max_element(outputs, outputs + count);
  const double of_label = static_cast<double>(outputs[label]) - largest;
  double sum = 0;
  for (size_t k = 0; k < count; ++k) {
    outputs[k] = std::exp(outputs[k] - largest);
    sum += outputs[k];
  }
  const auto inverse = static_cast<float>(1 / sum);
  for (size_t k = 0; k < count; ++k) outputs[k] *= inverse;
  return std::log(sum) - of_label;
}

}  // namespace

double ReplaceByResiduals(const LossSettings& loss, float* outputs, size_t rows, size_t count, const float* labels,
                          const float* weights) {
  double sum = 0;
  if (loss.kind == LossKind::kSoftmax) {
    for (size_t r = 0; r < rows; ++r) {
      float* const row = outputs + r * count;
      const auto label = static_cast<size_t>(labels[r]);
      sum += weights[r] * Softmax(row, count, label);
      row[label] -= 1;
      for (size_t k = 0; k < count; ++k) row[k] *= weights[r];
    }
    return sum;
  }
  for (size_t r = 0; r < rows; ++r) {
    const LossAndSlope at = Evaluate(loss, outputs[r], labels[r]);
    sum += weights[r] * at.loss;
    outputs[r] = static_cast<float>(weights[r] * at.slope);
  }
  return sum;
}

double RowLoss(const LossSettings& loss, const float* outputs, size_t count, float label) {
  if (loss.kind != LossKind::kSoftmax) return Evaluate(loss, outputs[0], label).loss;
  const float largest = *std::max_element(outputs, outputs + count);
  double sum = 0;
  for (size_t k = 0; k < count; ++k) sum += std::exp(static_cast<double>(outputs[k]) - largest);
  return std::log(sum) - (static_cast<double>(outputs[static_cast<size_t>(label)]) - largest);
}

}  // namespace argosy::algorithms::linear
