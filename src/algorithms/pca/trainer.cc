#include "algorithms/pca/trainer.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <nlohmann/json.hpp>

#include "algorithms/channels.h"
#include "algorithms/checkpoints.h"
#include "algorithms/matrix.h"
#include "algorithms/pca/pca_state.h"
#include "algorithms/pca/spectrum.h"
#include "algorithms/sharded_pass.h"
#include "algorithms/state.h"
#include "base/json.h"
#include "base/state_bytes.h"
#include "data/parallel_read.h"

namespace argosy::algorithms::pca {
namespace {

static_assert(TrainingState<PcaState, RowBatch>);

constexpr size_t kShardsMax = 16;
constexpr size_t kStateNumbersMax = 1u << 24;  // of all states together, else fewer shards
constexpr size_t kRandomizedPasses = 3;        // each but the last turns the directions towards the components
// Of a pass, in each shard: between two rounds it can be saved. What PcaState sums in floats is whole batches' sums
// then.
constexpr size_t kBatchesPerRound = 16 * PcaState::kBatchesInFloats;
constexpr double kReadingShare = 0.2;  // of the progress

class Training {
 public:
  Training(const TrainingRequest& request, const PcaSettings& settings, TrainingObserver& observer)
      : request_(request),
        settings_(settings),
        observer_(observer),
        channels_({"pca", kNames, kTableFormats, Supervision::kUnsupervised}, request, observer),
        checkpoints_("pca", request, observer) {}

  Result<PcaModel> Run();

 private:
  static constexpr std::array<std::string_view, 2> kNames = {"train", "test"};

  Status ReadTrain();
  Status FindShift();
  Status ReadInitialModel();
  void AddEarlierRows(const std::vector<float>* directions, size_t width, PcaSums& sums) const;
  Result<PcaSums> Pass(const std::vector<float>* directions, size_t width);
  Status Resume();
  // Directions of a randomized pass.
  size_t Wanted() const { return std::min(settings_.feature_dim, settings_.components + settings_.extra_components); }
  Status SaveCheckpoint(uint64_t rows_read, std::span<const PcaState> states);
  Result<Spectrum> Regular();
  Result<Spectrum> Randomized();
  // Of the columns as they come: the covariance times the rows, or, without subtract_mean, Σ x xᵀ.
  void TakeMean(const PcaSums& sums);

  const TrainingRequest& request_;
  const PcaSettings& settings_;
  TrainingObserver& observer_;
  ChannelReader channels_;
  std::optional<data::Dataset> train_;
  std::optional<PcaModel> earlier_;  // of rows seen before
  Transform transform_;
  size_t n_ = 0;  // feature_dim, padded
  size_t passes_planned_ = 1;
  uint64_t rows_read_ = 0;
  std::vector<double> mean_;  // of what remains after the shift; zeros when it is not subtracted
  double total_ = 0;          // variance times rows
  Checkpoints checkpoints_;
  struct Place {
    uint64_t pass = 0;    // passes done
    uint64_t rounds = 0;  // of the pass under way
  };
  Place place_;
  std::vector<double> directions_;   // of the pass under way, when it is not the first
  std::vector<std::string> states_;  // of the pass that was interrupted, by shard
};

Result<PcaModel> Training::Run() {
  if (Status s = channels_.CheckNames(); !s) return s.error();
  if (Status s = ReadTrain(); !s) return s.error();
  if (Status s = FindShift(); !s) return s.error();
  if (Status s = ReadInitialModel(); !s) return s.error();
  if (Status s = Resume(); !s) return s.error();
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
  model.rows = train_->rows().row_count() + (earlier_ ? earlier_->rows : 0);
  model.total = total_;
  model.training_json = DumpJson({{"hyperparameters", request_.hyperparameters},
                                  {"rows", train_->rows().row_count()},
                                  {"metrics", {{"train:explained_variance_ratio", explained}}}});
  observer_.OnProgress(1, rows_read_);
  return model;
}

Status Training::ReadTrain() {
  auto read = channels_.ReadTrain(settings_.table, settings_.feature_dim);
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
  const data::RowBlocks& rows = train_->rows();
  transform_.mean.assign(n_, 0.0F);
  transform_.scale.assign(n_, 1.0F);
  if (!settings_.subtract_mean) return {};
  const size_t width = settings_.feature_dim;
  const data::HostShare share(train_->group().rank(), train_->group().size());
  std::vector<float> mean;
  if (share.First(rows.blocks()) == 0 && share.End(rows.blocks()) > 0) {
    auto block = rows.Get(0);
    if (!block) return block.error();
    std::vector<double> sums(width);
    for (size_t i = 0; i < (*block)->numeric.size(); ++i) sums[i % width] += (*block)->numeric[i];
    for (const double sum : sums) mean.push_back(static_cast<float>(sum / static_cast<double>((*block)->rows)));
  }
  // One host has that block.
  const auto known = GatherValues(train_->group(), std::span<const float>(mean));
  if (!known) return known.error();
  std::copy_n(known->begin(), width, transform_.mean.begin());
  return {};
}

Result<PcaSums> Training::Pass(const std::vector<float>* directions, size_t width) {
  const size_t numbers = n_ * (directions == nullptr ? n_ : width);
  const size_t wanted = std::clamp<size_t>(kStateNumbersMax / std::max<size_t>(1, numbers), 1, kShardsMax);
  ShardedPass pass(*train_, transform_, ShardCount(wanted, train_->group()), kTransposedRowsMax, kBatchesPerRound,
                   request_.threads, *request_.group);
  std::vector<PcaState> states;
  states.reserve(pass.here().count);
  for (size_t i = 0; i < pass.here().count; ++i) states.emplace_back(n_, directions, width);
  if (!states_.empty()) {
    if (Status s = LoadStates(pass.here().Of(states_), std::span<PcaState>(states)); !s) return s.error();
    states_.clear();
    if (Status s = pass.Skip(place_.rounds); !s) return s.error();
  }
  const auto row_count = static_cast<double>(train_->rows().row_count());
  const uint64_t rows_before = rows_read_;
  while (true) {
    const auto round = pass.Round([&](size_t i, const RowBatch& batch) { states[i].Update(batch); },
                                  observer_.StopRequested(), checkpoints_.Due());
    if (!round) return round.error();
    if (round->rows == 0) break;
    rows_read_ = rows_before + pass.rows();
    const double passes = static_cast<double>(place_.pass) + static_cast<double>(pass.rows()) / row_count;
    observer_.OnProgress(kReadingShare + 0.7 * (1 - kReadingShare) * passes / static_cast<double>(passes_planned_),
                         rows_read_);
    if (round->stop) {
      observer_.OnStopAgreed();
      return Error(ErrorCode::kCancelled, "stopped before there was a model");
    }
    if (round->save) {
      place_.rounds = pass.rounds();
      for (PcaState& state : states) state.Flush();  // nothing but for shards whose rows have all been seen
      if (Status s = SaveCheckpoint(rows_before, states); !s) return s.error();
    }
  }
  for (PcaState& state : states) state.Flush();
  if (Status s = MergeAll(train_->group(), std::span<PcaState>(states)); !s) return s.error();
  place_ = {.pass = place_.pass + 1};
  PcaSums sums = states[0].Finalize();
  AddEarlierRows(directions, width, sums);
  return sums;
}

Status Training::ReadInitialModel() {
  if (request_.initial_model.empty()) return {};
  const auto fault = [](const std::string& why) {
    return Error(ErrorCode::kInvalidArgument, "channel 'model': " + why);
  };
  auto model = LoadPcaModel(request_.initial_model);
  if (!model) return fault(model.error().message());
  if (model->feature_dim != settings_.feature_dim) {
    return fault("it is of " + std::to_string(model->feature_dim) + " features where " +
                 std::to_string(settings_.feature_dim) + " are trained");
  }
  if (model->rows == 0) return fault("its model.json does not tell of how many rows it is");
  earlier_.emplace(std::move(*model));
  observer_.OnLogLine("adding to the " + std::to_string(earlier_->rows) + " rows of channel 'model'");
  return {};
}

// What the rows of an earlier artifact add up to, as far as its components tell (Ross et al., "Incremental Learning for
// Robust Visual Tracking", 2008): with m its mean from the shift, Σ (x - m)(x - m)ᵀ = V S² Vᵀ.
void Training::AddEarlierRows(const std::vector<float>* directions, size_t width, PcaSums& sums) const {
  if (!earlier_) return;
  const size_t d = settings_.feature_dim;
  const size_t k = earlier_->components;
  const auto rows = static_cast<double>(earlier_->rows);
  // The vectors whose squares add up to it: a component times its singular value each, and the mean.
  std::vector<std::vector<double>> vectors(k + 1, std::vector<double>(d));
  double from_shift = 0;
  for (size_t j = 0; j < d; ++j) {
    for (size_t c = 0; c < k; ++c) vectors[c][j] = earlier_->v[j * k + c] * earlier_->singular_values[c];
    const double mean = earlier_->mean[j] - transform_.mean[j];
    vectors[k][j] = std::sqrt(rows) * mean;
    sums.sums[j] += rows * mean;
    from_shift += rows * mean * mean;
  }
  for (const std::vector<double>& vector : vectors) {
    if (directions == nullptr) {
      for (size_t i = 0; i < d; ++i) {
        for (size_t j = i; j < d; ++j) sums.products[i * n_ + j] += vector[i] * vector[j];
      }
      continue;
    }
    for (size_t c = 0; c < width; ++c) {
      double along = 0;
      for (size_t j = 0; j < d; ++j) along += vector[j] * (*directions)[j * width + c];
      for (size_t j = 0; j < d; ++j) sums.products[j * width + c] += vector[j] * along;
    }
  }
  sums.squares += earlier_->total + from_shift;
  sums.rows += earlier_->rows;
}

// All numbers that the training goes on with.
Status Training::SaveCheckpoint(uint64_t rows_read, std::span<const PcaState> states) {
  const auto all = GatherStates(train_->group(), states);
  if (!all) return all.error();
  checkpoints_.Save([&](StateWriter& writer) {
    writer.Value(place_);
    writer.Value(rows_read);
    writer.Values(std::span<const double>(directions_));
    WriteStates(*all, writer);
  });
  return {};
}

Status Training::Resume() {
  const auto resumed = checkpoints_.Resume([&](StateReader& reader) {
    reader.Value(place_);
    reader.Value(rows_read_);
    reader.Some(directions_);
    ReadStates(reader, states_);
    const size_t directions = settings_.randomized ? settings_.feature_dim * Wanted() : 0;
    const bool fits = place_.pass < (settings_.randomized ? kRandomizedPasses : 1) &&
                      directions_.size() == directions && !states_.empty();
    return fits ? Status() : Status(UnfitCheckpoint());
  });
  if (!resumed) return resumed.error();
  if (!*resumed) return {};
  observer_.OnLogLine("resuming from the checkpoint: pass " + std::to_string(place_.pass) + ", round " +
                      std::to_string(place_.rounds) + ", " + std::to_string(rows_read_) + " rows read before the pass");
  return {};
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
  const size_t wanted = Wanted();
  const size_t width = PadToLane(wanted);
  passes_planned_ = kRandomizedPasses;
  SeededRandom random(MixSeed(settings_.seed, 1, 0));
  std::vector<double> q(d * wanted);
  for (double& value : q) value = random.Normal();
  Orthonormalize(q, d, wanted, MixSeed(settings_.seed, 2, 0));
  if (!directions_.empty()) q = directions_;
  std::vector<double> y(d * wanted);
  while (true) {
    directions_ = q;
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
    if (place_.pass == kRandomizedPasses) return RayleighRitz(q, y, d, wanted, settings_.components);
    q.swap(y);
    Orthonormalize(q, d, wanted, MixSeed(settings_.seed, 2, place_.pass));
  }
}

}  // namespace

Result<PcaModel> TrainPca(const TrainingRequest& request, const PcaSettings& settings, TrainingObserver& observer) {
  return Training(request, settings, observer).Run();
}

}  // namespace argosy::algorithms::pca
