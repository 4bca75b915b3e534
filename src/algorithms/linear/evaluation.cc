#include "algorithms/linear/evaluation.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "algorithms/linear/loss.h"
#include "base/state_bytes.h"

namespace argosy::algorithms::linear {
namespace {

constexpr size_t kBins = 65536;
constexpr size_t kNaturalBin = 32768;  // begins at 0, where logistic and hinge loss divide the classes

double Ratio(double part, double whole) {
  return whole == 0 ? 0 : part / whole;
}

double FBetaOf(double precision, double recall, double beta) {
  return Ratio((1 + beta * beta) * precision * recall, beta * beta * precision + recall);
}

}  // namespace

ScoreHistogram::ScoreHistogram() : counts_(kBins * 2) {}

size_t ScoreHistogram::BinOf(float output) {
  // Adding zero turns -0 into 0. A float's bits, read as an integer, order positive numbers; negative ones in reverse.
  const auto bits = std::bit_cast<uint32_t>(output + 0.0F);
  const uint32_t ordered = (bits & 0x80000000U) != 0 ? ~bits : bits | 0x80000000U;
  return ordered >> 16;
}

float ScoreHistogram::LowerEdge(size_t bin) {
  if (bin >= kBins) return std::numeric_limits<float>::infinity();
  const uint32_t ordered = static_cast<uint32_t>(bin) << 16;
  const auto edge = std::bit_cast<float>((ordered & 0x80000000U) != 0 ? ordered & 0x7fffffffU : ~ordered);
  if (!std::isnan(edge)) return edge;
  return bin < kNaturalBin ? -std::numeric_limits<float>::infinity() : std::numeric_limits<float>::infinity();
}

void ScoreHistogram::Merge(const ScoreHistogram& other) {
  for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
}

ScoreHistogram::Confusion ScoreHistogram::At(float threshold) const {
  const size_t cut = BinOf(threshold);
  Confusion confusion;
  for (size_t bin = 0; bin < kBins; ++bin) {
    (bin < cut ? confusion.true_negative : confusion.false_positive) += counts_[bin * 2];
    (bin < cut ? confusion.false_negative : confusion.true_positive) += counts_[bin * 2 + 1];
  }
  return confusion;
}

double ScoreHistogram::AreaUnderRoc() const {
  double below = 0;  // negatives in lower bins
  double area = 0;
  double positives = 0;
  for (size_t bin = 0; bin < kBins; ++bin) {
    const auto negative = static_cast<double>(counts_[bin * 2]);
    const auto positive = static_cast<double>(counts_[bin * 2 + 1]);
    area += positive * (below + negative / 2);
    below += negative;
    positives += positive;
  }
  return Ratio(area, positives * below);
}

float ScoreHistogram::BestThreshold(const LinearSettings& settings) const {
  if (settings.criterion == SelectionCriterion::kLoss) return 0;
  // Everything counts as positive to begin with; the cut then moves up past one bin with rows after another.
  Confusion confusion = At(LowerEdge(0));
  double best_value = -std::numeric_limits<double>::infinity();
  float best = 0;
  size_t lowest = 0;  // lowest cut that divides the rows as the current one
  const auto consider = [&](size_t highest) {
    const double value = CriterionValue(settings, confusion);
    const bool natural = lowest <= kNaturalBin && kNaturalBin <= highest;
    const float threshold = natural ? 0.0F : LowerEdge(lowest + (highest - lowest) / 2);
    if (!std::isfinite(threshold)) return;
    if (value > best_value || (value == best_value && std::abs(threshold) < std::abs(best))) {
      best_value = value;
      best = threshold;
    }
  };
  for (size_t bin = 0; bin < kBins; ++bin) {
    const uint64_t negative = counts_[bin * 2];
    const uint64_t positive = counts_[bin * 2 + 1];
    if (negative == 0 && positive == 0) continue;
    consider(bin);
    confusion.false_positive -= negative;
    confusion.true_negative += negative;
    confusion.true_positive -= positive;
    confusion.false_negative += positive;
    lowest = bin + 1;
  }
  consider(kBins - 1);
  return best;
}

double Accuracy(const ScoreHistogram::Confusion& c) {
  return Ratio(static_cast<double>(c.true_positive + c.true_negative),
               static_cast<double>(c.true_positive + c.true_negative + c.false_positive + c.false_negative));
}

double Precision(const ScoreHistogram::Confusion& c) {
  return Ratio(static_cast<double>(c.true_positive), static_cast<double>(c.true_positive + c.false_positive));
}

double Recall(const ScoreHistogram::Confusion& c) {
  return Ratio(static_cast<double>(c.true_positive), static_cast<double>(c.true_positive + c.false_negative));
}

double FBeta(const ScoreHistogram::Confusion& c, double beta) {
  return FBetaOf(Precision(c), Recall(c), beta);
}

double CriterionValue(const LinearSettings& settings, const ScoreHistogram::Confusion& confusion) {
  switch (settings.criterion) {
    case SelectionCriterion::kAccuracy:
    case SelectionCriterion::kLoss:
      return Accuracy(confusion);
    case SelectionCriterion::kFBeta:
      return FBeta(confusion, settings.f_beta);
    // A cut that meets the target beats all that do not; those are compared by how near they come.
    case SelectionCriterion::kPrecisionAtTargetRecall: {
      const double recall = Recall(confusion);
      return recall >= settings.target_recall ? 1 + Precision(confusion) : recall;
    }
    case SelectionCriterion::kRecallAtTargetPrecision: {
      const double precision = Precision(confusion);
      return precision >= settings.target_precision ? 1 + Recall(confusion) : precision;
    }
  }
  return 0;
}

EvaluationState::EvaluationState(const LinearSettings& settings, size_t classes, double label_scale)
    : settings_(&settings), label_scale_(label_scale) {
  if (settings.predictor == PredictorType::kMulticlassClassifier) {
    hits_.resize(classes);
    predicted_.resize(classes);
    labelled_.resize(classes);
  }
}

void EvaluationState::Update(const ScoredRows& batch) {
  rows_ += batch.rows;
  for (size_t r = 0; r < batch.rows; ++r) {
    loss_ +=
        batch.weights[r] * RowLoss(settings_->loss, batch.values + r * batch.outputs, batch.outputs, batch.labels[r]);
    weight_ += batch.weights[r];
  }
  switch (settings_->predictor) {
    case PredictorType::kBinaryClassifier:
      for (size_t r = 0; r < batch.rows; ++r) histogram_.Add(batch.values[r], batch.labels[r] > 0.5F);
      break;
    case PredictorType::kMulticlassClassifier:
      UpdateMulticlass(batch);
      break;
    case PredictorType::kRegressor:
      for (size_t r = 0; r < batch.rows; ++r) {
        const double error = (static_cast<double>(batch.values[r]) - batch.labels[r]) * label_scale_;
        squared_error_ += error * error;
        absolute_error_ += std::abs(error);
      }
      break;
  }
}

void EvaluationState::UpdateMulticlass(const ScoredRows& batch) {
  for (size_t r = 0; r < batch.rows; ++r) {
    const float* const values = batch.values + r * batch.outputs;
    const auto label = static_cast<size_t>(batch.labels[r]);
    size_t rank = 1;  // of the label; equal outputs go by class number
    size_t largest = 0;
    for (size_t k = 0; k < batch.outputs; ++k) {
      if (values[k] > values[label] || (values[k] == values[label] && k < label)) ++rank;
      if (values[k] > values[largest]) largest = k;
    }
    ++labelled_[label];
    ++predicted_[largest];
    if (largest == label) ++hits_[label];
    if (rank <= static_cast<size_t>(settings_->accuracy_top_k)) ++top_k_hits_;
    gain_ += 1 / std::log2(1.0 + static_cast<double>(rank));
  }
}

void EvaluationState::Merge(const EvaluationState& other) {
  rows_ += other.rows_;
  loss_ += other.loss_;
  weight_ += other.weight_;
  squared_error_ += other.squared_error_;
  absolute_error_ += other.absolute_error_;
  histogram_.Merge(other.histogram_);
  for (size_t k = 0; k < hits_.size(); ++k) {
    hits_[k] += other.hits_[k];
    predicted_[k] += other.predicted_[k];
    labelled_[k] += other.labelled_[k];
  }
  top_k_hits_ += other.top_k_hits_;
  gain_ += other.gain_;
}

std::vector<std::string> MetricNames(PredictorType predictor) {
  switch (predictor) {
    case PredictorType::kBinaryClassifier:
      return {"objective_loss", "binary_classification_accuracy", "binary_f_beta", "precision", "recall",
              "roc_auc_score"};
    case PredictorType::kMulticlassClassifier:
      return {"objective_loss",  "multiclass_accuracy", "multiclass_top_k_accuracy", "dcg", "macro_f_beta",
              "macro_precision", "macro_recall"};
    case PredictorType::kRegressor:
      return {"objective_loss", "mse", "rmse", "absolute_loss"};
  }
  return {};
}

Metrics EvaluationState::Finalize(float threshold) const {
  const auto rows = static_cast<double>(rows_);
  std::vector<double> values = {loss()};
  switch (settings_->predictor) {
    case PredictorType::kBinaryClassifier: {
      const ScoreHistogram::Confusion confusion = histogram_.At(threshold);
      values.insert(values.end(), {Accuracy(confusion), FBeta(confusion, settings_->f_beta), Precision(confusion),
                                   Recall(confusion), histogram_.AreaUnderRoc()});
      break;
    }
    case PredictorType::kMulticlassClassifier: {
      double hits = 0;
      double precision = 0;
      double recall = 0;
      double f_beta = 0;
      double classes = 0;  // that occur, as a label or as a prediction
      for (size_t k = 0; k < hits_.size(); ++k) {
        if (predicted_[k] == 0 && labelled_[k] == 0) continue;
        const auto hit = static_cast<double>(hits_[k]);
        const double p = Ratio(hit, static_cast<double>(predicted_[k]));
        const double q = Ratio(hit, static_cast<double>(labelled_[k]));
        hits += hit;
        precision += p;
        recall += q;
        f_beta += FBetaOf(p, q, settings_->f_beta);
        ++classes;
      }
      values.insert(values.end(), {Ratio(hits, rows), Ratio(static_cast<double>(top_k_hits_), rows), Ratio(gain_, rows),
                                   Ratio(f_beta, classes), Ratio(precision, classes), Ratio(recall, classes)});
      break;
    }
    case PredictorType::kRegressor: {
      const double mse = Ratio(squared_error_, rows);
      values.insert(values.end(), {mse, std::sqrt(mse), Ratio(absolute_error_, rows)});
      break;
    }
  }
  std::vector<std::string> names = MetricNames(settings_->predictor);
  Check(names.size() == values.size(), "a metric has no name");
  Metrics metrics;
  for (size_t i = 0; i < names.size(); ++i) metrics.emplace_back(std::move(names[i]), values[i]);
  return metrics;
}

std::string EvaluationState::Save() const {
  StateWriter writer("linear-evaluation");
  const uint64_t counts[] = {rows_, top_k_hits_};
  const double sums[] = {loss_, weight_, squared_error_, absolute_error_, gain_};
  writer.Values(std::span<const uint64_t>(counts));
  writer.Values(std::span<const double>(sums));
  writer.Values(std::span<const uint64_t>(histogram_.counts()));
  writer.Values(std::span<const uint64_t>(hits_));
  writer.Values(std::span<const uint64_t>(predicted_));
  writer.Values(std::span<const uint64_t>(labelled_));
  return writer.Finish();
}

Status EvaluationState::Load(std::string_view bytes) {
  StateReader reader("linear-evaluation", bytes);
  EvaluationState loaded = *this;
  uint64_t counts[2] = {};
  double sums[5] = {};
  reader.Values(std::span<uint64_t>(counts));
  reader.Values(std::span<double>(sums));
  reader.Values(std::span<uint64_t>(loaded.histogram_.counts()));
  reader.Values(std::span<uint64_t>(loaded.hits_));
  reader.Values(std::span<uint64_t>(loaded.predicted_));
  reader.Values(std::span<uint64_t>(loaded.labelled_));
  if (Status status = reader.Finish(); !status) return status;
  loaded.rows_ = counts[0];
  loaded.top_k_hits_ = counts[1];
  loaded.loss_ = sums[0];
  loaded.weight_ = sums[1];
  loaded.squared_error_ = sums[2];
  loaded.absolute_error_ = sums[3];
  loaded.gain_ = sums[4];
  *this = std::move(loaded);
  return {};
}

}  // namespace argosy::algorithms::linear
