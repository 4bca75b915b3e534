#include "algorithms/pca/trainer.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <nlohmann/json.hpp>

#include "algorithms/channels.h"
#include "algorithms/matrix.h"
#include "algorithms/pca/pca_state.h"
#include "algorithms/pca/spectrum.h"
#include "algorithms/state.h"
#include "base/json.h"
#include "data/parallel_read.h"

namespace argosy::algorithms::pca {
namespace {

static_assert(TrainingState<PcaState, RowBatch>);

constexpr size_t kShardsMax = 16;
constexpr size_t kStateNumbersMax = 1u << 24;  // of all states together, else fewer shards
constexpr size_t kRandomizedPasses = 3;        // each but the last turns the directions towards the components
constexpr double kReadingShare = 0.2;          // of the progress

class Training {
 public:
  Training(const TrainingRequest& request, const PcaSettings& settings, TrainingObserver& observer)
      : request_(request),
        settings_(settings),
        observer_(observer),
        channels_({"pca", kNames, kTableFormats, Supervision::kUnsupervised}, request, observer) {}

  Result<PcaModel> Run();

 private:
  static constexpr std::array<std::string_view, 2> kNames = {"train", "test"};

  Status ReadTrain();
  Status FindShift();
  Result<PcaSums> Pass(const std::vector<float>* directions, size_t width);
  Result<Spectrum> Regular();
  Result<Spectrum> Randomized();
  // Of the columns as they come: the covariance times the rows, or, without subtract_mean, Σ x xᵀ.
  void TakeMean(const PcaSums& sums);

  const TrainingRequest& request_;
  const PcaSettings& settings_;
  TrainingObserver& observer_;
  ChannelReader channels_;
  std::optional<data::Dataset> train_;
  Transform transform_;
  size_t n_ = 0;  // feature_dim, padded
  size_t passes_ = 0;
  size_t passes_planned_ = 1;
  uint64_t rows_read_ = 0;
  std::vector<double> mean_;  // of what remains after the shift; zeros when it is not subtracted
  double total_ = 0;          // variance times rows
};

Result<PcaModel> Training::Run() {
  if (Status s = channels_.CheckNames(); !s) return s.error();
  if (Status s = ReadTrain(); !s) return s.error();
  if (Status s = FindShift(); !s) return s.error();
  auto spectrum = settings_.randomized ? Randomized() : Regular();
  if (!spectrum) return spectrum.error();

  const size_t d = settings_.feature_dim;
  const size_t k = settings_.components;
  PcaModel model;
  model.feature_dim = d;
  model.components = k;
  for (size_t j = 0; j < d; ++j) {
    model.mean.push_back(settings_.subtract_mean ? transform_.mean[j] + mean_[j] : 0.0);
    for (size_t c = 0; c < k; ++c) model.v.push_back(spectrum->vectors[j * k + (k - 1 - c)]);
  }
  double kept = 0;
  for (size_t c = 0; c < k; ++c) {
    const double value = spectrum->values[k - 1 - c];
    model.singular_values.push_back(std::sqrt(value));
    kept += value;
  }
  const double explained = total_ > 0 ? kept / total_ : 1;
  char number[40];
  std::snprintf(number, sizeof number, "%.17g", explained);
  observer_.OnLogLine("#quality_metric: host=algo-1, train explained_variance_ratio <score>=" + std::string(number));
  observer_.OnMetric("train:explained_variance_ratio", explained);
  model.training_json = DumpJson({{"hyperparameters", request_.hyperparameters},
                                  {"rows", train_->rows().row_count()},
                                  {"metrics", {{"train:explained_variance_ratio", explained}}}});
  observer_.OnProgress(1, rows_read_);
  return model;
}

Status Training::ReadTrain() {
  auto read = channels_.ReadTrain({}, settings_.feature_dim);
  if (!read) return read.error();
  train_.emplace(std::move(*read));
  const size_t columns = train_->schema().columns.size();
  if (columns != settings_.feature_dim) {
    return Error(ErrorCode::kInvalidArgument, "Hyperparameter feature_dim: '" + std::to_string(settings_.feature_dim) +
                                                  "' is not valid: the data has " + std::to_string(columns) +
                                                  " feature columns");
  }
  n_ = PadToLane(settings_.feature_dim);
  rows_read_ = train_->rows().row_count();
  observer_.OnProgress(kReadingShare, rows_read_);
  observer_.OnLogLine("principal components of " + std::to_string(rows_read_) + " rows of " +
                      std::to_string(settings_.feature_dim) + " features, " +
                      (settings_.randomized ? "randomized" : "regular") + ", " + std::to_string(request_.threads) +
                      " threads");
  return {};
}

// Any row near the others would do: the mean of the first block.
Status Training::FindShift() {
  const data::RowStore& rows = train_->rows();
  transform_.mean.assign(n_, 0.0F);
  transform_.scale.assign(n_, 1.0F);
  if (!settings_.subtract_mean) return {};
  size_t first = 0;
  while (rows.rows(first) == 0) ++first;
  auto block = rows.Get(first);
  if (!block) return block.error();
  const size_t width = settings_.feature_dim;
  std::vector<double> sums(width);
  for (size_t i = 0; i < (*block)->numeric.size(); ++i) sums[i % width] += (*block)->numeric[i];
  for (size_t j = 0; j < width; ++j) {
    transform_.mean[j] = static_cast<float>(sums[j] / static_cast<double>((*block)->rows));
  }
  return {};
}

Result<PcaSums> Training::Pass(const std::vector<float>* directions, size_t width) {
  const size_t numbers = n_ * (directions == nullptr ? n_ : width);
  const size_t shards = std::clamp<size_t>(kStateNumbersMax / std::max<size_t>(1, numbers), 1, kShardsMax);
  std::vector<PcaState> states;
  states.reserve(shards);
  for (size_t s = 0; s < shards; ++s) states.emplace_back(n_, directions, width);
  std::vector<Status> outcomes(shards);
  std::atomic<bool> stop{false};
  data::RunParallel(shards, request_.threads, [&](size_t shard) {
    BatchReader reader(*train_, transform_, ShardBlocks(train_->rows(), shard, shards), BatchReader::Order::kAsStored,
                       0);
    while (!stop) {
      auto batch = reader.Next(kTransposedRowsMax);
      if (!batch) outcomes[shard] = batch.error();
      if (!batch || *batch == nullptr) break;
      states[shard].Update(**batch);
      if (observer_.StopRequested()) stop = true;
    }
    states[shard].Flush();
  });
  for (const Status& outcome : outcomes) {
    if (!outcome) return outcome.error();
  }
  if (stop) return Error(ErrorCode::kCancelled, "stopped before there was a model");
  MergeInTree(std::span<PcaState>(states));
  ++passes_;
  rows_read_ += train_->rows().row_count();
  observer_.OnProgress(
      kReadingShare + 0.7 * (1 - kReadingShare) * static_cast<double>(passes_) / static_cast<double>(passes_planned_),
      rows_read_);
  return states[0].Finalize();
}

void Training::TakeMean(const PcaSums& sums) {
  const auto rows = static_cast<double>(sums.rows);
  mean_.assign(n_, 0.0);
  total_ = sums.squares;
  if (!settings_.subtract_mean) return;
  for (size_t j = 0; j < n_; ++j) {
    mean_[j] = sums.sums[j] / rows;
    total_ -= rows * mean_[j] * mean_[j];
  }
}

Result<Spectrum> Training::Regular() {
  auto sums = Pass(nullptr, 0);
  if (!sums) return sums.error();
  TakeMean(*sums);
  const auto rows = static_cast<double>(sums->rows);
  const size_t d = settings_.feature_dim;
  std::vector<double> covariance(d * d);
  for (size_t i = 0; i < d; ++i) {
    for (size_t j = i; j < d; ++j) {
      const double value = sums->products[i * n_ + j] - rows * mean_[i] * mean_[j];
      covariance[i * d + j] = covariance[j * d + i] = value;
    }
  }
  return LargestEigenvectors(covariance, d, settings_.components, MixSeed(settings_.seed, 1, 0));
}

Result<Spectrum> Training::Randomized() {
  const size_t d = settings_.feature_dim;
  const size_t wanted = std::min(d, settings_.components + settings_.extra_components);
  const size_t width = PadToLane(wanted);
  passes_planned_ = kRandomizedPasses;
  SeededRandom random(MixSeed(settings_.seed, 1, 0));
  std::vector<double> q(d * wanted);
  for (double& value : q) value = random.Normal();
  Orthonormalize(q, d, wanted, MixSeed(settings_.seed, 2, 0));
  std::vector<double> y(d * wanted);
  for (size_t pass = 1;; ++pass) {
    std::vector<float> directions(n_ * width);
    for (size_t j = 0; j < d; ++j) {
      for (size_t c = 0; c < wanted; ++c) {
        directions[j * width + c] = static_cast<float>(q[j * wanted + c]);
        q[j * wanted + c] = directions[j * width + c];  // what the pass really uses
      }
    }
    auto sums = Pass(&directions, width);
    if (!sums) return sums.error();
    TakeMean(*sums);
    const auto rows = static_cast<double>(sums->rows);
    for (size_t c = 0; c < wanted; ++c) {
      double along = 0;  // the mean's
      for (size_t j = 0; j < d; ++j) along += mean_[j] * q[j * wanted + c];
      for (size_t j = 0; j < d; ++j) {
        y[j * wanted + c] = sums->products[j * width + c] - rows * mean_[j] * along;
      }
    }
    if (pass == kRandomizedPasses) return RayleighRitz(q, y, d, wanted, settings_.components);
    q.swap(y);
    Orthonormalize(q, d, wanted, MixSeed(settings_.seed, 2, pass));
  }
}

}  // namespace

Result<PcaModel> TrainPca(const TrainingRequest& request, const PcaSettings& settings, TrainingObserver& observer) {
  return Training(request, settings, observer).Run();
}

}  // namespace argosy::algorithms::pca
