#include "algorithms/kmeans/trainer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "algorithms/batches.h"
#include "algorithms/channels.h"
#include "algorithms/checkpoints.h"
#include "algorithms/kmeans/kmeans_state.h"
#include "algorithms/kmeans/local_lloyd.h"
#include "algorithms/sharded_pass.h"
#include "algorithms/state.h"
#include "base/json.h"
#include "base/state_bytes.h"
#include "data/parallel_read.h"

namespace argosy::algorithms::kmeans {
namespace {

static_assert(TrainingState<KMeansState, RowBatch>);

constexpr size_t kShardsMax = 16;
constexpr size_t kStateNumbersMax = 1u << 24;  // of all states together, else fewer shards
constexpr size_t kRowsAtOnce = 256;
constexpr size_t kBatchesPerRound = 32;  // of a pass, in each shard: between two of them it can be saved
// Rows that the first centres are drawn from: this many per centre, and not fewer than this.
constexpr size_t kSampleRowsPerCenter = 10;
constexpr size_t kSampleRowsMin = 10'000;
constexpr size_t kSampleNumbersMax = 64 << 20;  // 256 MB
constexpr size_t kTrialsWhenAuto = 10;
constexpr double kPassWorkMax = 4e11;  // multiplications of all final passes together
constexpr size_t kPassesMax = 50;
constexpr size_t kBoundsBytesMax = 128 << 20;  // of all rows here
constexpr double kReadingShare = 0.1;          // of the progress

class Training {
 public:
  Training(const TrainingRequest& request, const KMeansSettings& settings, TrainingObserver& observer)
      : request_(request),
        settings_(settings),
        observer_(observer),
        channels_({"kmeans", kNames, kTableFormats, Supervision::kUnsupervised}, request, observer),
        checkpoints_("kmeans", request, observer) {}

  Result<KMeansModel> Run();

 private:
  static constexpr std::array<std::string_view, 2> kNames = {"train", "test"};

  // Virtual shards of a pass with so many centres.
  size_t Shards(size_t centers) const {
    return ShardCount(std::clamp<size_t>(kStateNumbersMax / (centers * n_), 1, kShardsMax), train_->group());
  }
  Status ReadTrain();
  Status DrawFirstCenters();
  Status TakeInitialCenters();
  Status RunMiniBatches();
  void MoveCenters(const KMeansSums& sums);
  void Reduce();
  Status RunLloyd();
  void MakeBounds();
  void MoveToMeans(const KMeansSums& sums);
  void MergeForFarthest(const KMeansSums& sums);
  Status EvaluateTest();
  enum class Use { kTraining, kTesting };  // only a training's pass is saved on the way
  // One pass over all rows of a data set.
  Result<KMeansState> Pass(const data::Dataset& dataset, const PackedCenters& centers, Use use, double progress_from,
                           double progress_to);
  Status Resume();
  Status SaveCheckpoint(uint64_t rows_read, std::span<const KMeansState> states);
  void Progress(double fraction) {
    observer_.OnProgress(kReadingShare + (1 - kReadingShare) * std::min(fraction, 1.0), rows_read_);
  }
  void LogMetric(std::string_view place, std::string_view name, double value);
  void Publish(const std::string& name, double value);
  KMeansModel Finish() const;

  const TrainingRequest& request_;
  const KMeansSettings& settings_;
  TrainingObserver& observer_;
  ChannelReader channels_;
  std::optional<data::Dataset> train_;
  Transform transform_;  // rows are moved so that their mean is near zero
  size_t n_ = 0;         // feature_dim, padded
  size_t many_ = 0;      // centres of the mini-batches
  std::vector<float> centers_;
  std::vector<double> weights_;  // rows that each of them has had
  uint64_t rows_read_ = 0;
  size_t passes_ = 0;
  bool stopped_ = false;
  Json metrics_ = Json::object();
  Checkpoints checkpoints_;
  // Where the training is; what else is needed to go on from there stands above.
  enum class Stage : uint64_t { kMiniBatches, kLloyd };
  struct Place {
    Stage stage = Stage::kMiniBatches;
    uint64_t epoch = 0;                                       // or pass of Lloyd's algorithm
    uint64_t rounds = 0;                                      // mini-batches of the epoch, or rounds of the pass
    uint64_t rows = 0;                                        // of the epoch
    double squared = 0;                                       // of the epoch so far
    double before = std::numeric_limits<double>::infinity();  // of the pass before
  };
  Place place_;
  std::vector<std::string> states_;  // of the pass that was interrupted, by shard
  std::vector<RowBounds> bounds_;    // by shard of this host; found anew when a training is resumed
};

Result<KMeansModel> Training::Run() {
  if (Status s = channels_.CheckNames(); !s) return s.error();
  if (Status s = ReadTrain(); !s) return s.error();
  if (Status s = DrawFirstCenters(); !s) return s.error();
  if (Status s = TakeInitialCenters(); !s) return s.error();
  if (Status s = Resume(); !s) return s.error();
  if (place_.stage == Stage::kMiniBatches) {
    if (Status s = RunMiniBatches(); !s) return s.error();
    Reduce();
    place_ = {.stage = Stage::kLloyd};
  }
  if (Status s = RunLloyd(); !s) return s.error();
  if (Status s = EvaluateTest(); !s) return s.error();
  observer_.OnProgress(1, rows_read_);
  return Finish();
}

Status Training::ReadTrain() {
  auto read = channels_.ReadTrain(settings_.table, settings_.feature_dim);
  if (!read) return read.error();
  train_.emplace(std::move(*read));
  const size_t columns = train_->schema().columns.size();
  if (columns != settings_.feature_dim) {
    return Invalid("Hyperparameter feature_dim: '" + std::to_string(settings_.feature_dim) +
                   "' is not valid: the data has " + std::to_string(columns) + " feature columns");
  }
  const uint64_t rows = train_->rows().row_count();
  if (rows < settings_.k) {
    return Invalid("Hyperparameter k: '" + std::to_string(settings_.k) + "' is not valid: the data has only " +
                   std::to_string(rows) + " rows");
  }
  n_ = PadToLane(settings_.feature_dim);
  const size_t factor = settings_.extra_center_factor.value_or(std::clamp<size_t>(200 / settings_.k, 1, 10));
  many_ = static_cast<size_t>(std::min<uint64_t>(settings_.k * factor, rows));
  rows_read_ = rows;
  observer_.OnProgress(kReadingShare, rows_read_);
  observer_.OnLogLine("clustering " + std::to_string(rows) + " rows of " + std::to_string(settings_.feature_dim) +
                      " features; " + std::to_string(many_) + " centres first, " + std::to_string(settings_.k) +
                      " in the end; " + std::to_string(Shards(many_)) + " virtual shards, " +
                      std::to_string(request_.threads) + " threads");
  return {};
}

Status Training::DrawFirstCenters() {
  const data::RowBlocks& rows = train_->rows();
  const uint64_t wanted =
      std::clamp<uint64_t>(many_ * kSampleRowsPerCenter, kSampleRowsMin, std::max(many_, kSampleNumbersMax / n_));
  const double chance = std::min(1.0, static_cast<double>(wanted) / static_cast<double>(rows.row_count()));
  // Each block's sample depends on the block alone.
  const data::HostShare share(train_->group().rank(), train_->group().size());
  const size_t first = share.First(rows.blocks());
  const size_t blocks = share.End(rows.blocks()) - first;
  const size_t width = rows.shape().numeric;
  std::vector<std::vector<float>> samples(blocks);
  std::vector<Status> outcomes(blocks);
  data::RunParallel(blocks, request_.threads, [&](size_t i) {
    auto block = rows.Get(first + i);
    if (!block) {
      outcomes[i] = block.error();
      return;
    }
    SeededRandom random(MixSeed(settings_.seed, 1, first + i));
    for (size_t r = 0; r < (*block)->rows; ++r) {
      if (chance < 1 && random.Uniform() >= chance) continue;
      const float* const x = (*block)->numeric.data() + r * width;
      samples[i].insert(samples[i].end(), x, x + width);
      samples[i].resize((samples[i].size() - width) / n_ * n_ + n_);
    }
  });
  for (const Status& outcome : outcomes) {
    if (!outcome) return outcome;
  }
  std::vector<float> sample;
  for (const std::vector<float>& part : samples) sample.insert(sample.end(), part.begin(), part.end());
  auto all = GatherValues(train_->group(), std::span<const float>(sample));
  if (!all) return all.error();
  sample = std::move(*all);
  if (sample.size() < many_ * n_) {
    // By ill chance too few were drawn: the first rows fill up.
    std::vector<float> filling;
    const size_t missing = many_ * n_ - sample.size();
    for (size_t i = 0; filling.size() < missing && i < blocks; ++i) {
      auto block = rows.Get(first + i);
      if (!block) return block.error();
      for (size_t r = 0; r < (*block)->rows && filling.size() < missing; ++r) {
        const float* const x = (*block)->numeric.data() + r * width;
        filling.insert(filling.end(), x, x + width);
        filling.resize((filling.size() - width) / n_ * n_ + n_);
      }
    }
    auto firsts = GatherValues(train_->group(), std::span<const float>(filling));
    if (!firsts) return firsts.error();
    sample.insert(sample.end(), firsts->begin(), firsts->begin() + static_cast<ptrdiff_t>(missing));
  }
  const size_t count = sample.size() / n_;
  std::vector<double> sums(n_);
  for (size_t i = 0; i < sample.size(); ++i) sums[i % n_] += sample[i];
  transform_.mean.resize(n_);
  transform_.scale.assign(n_, 1.0F);
  for (size_t j = 0; j < n_; ++j) transform_.mean[j] = static_cast<float>(sums[j] / static_cast<double>(count));
  for (size_t i = 0; i < sample.size(); ++i) sample[i] -= transform_.mean[i % n_];
  SeededRandom random(MixSeed(settings_.seed, 2, 0));
  centers_ = DrawCenters({sample, {}, count, n_}, many_, settings_.init, random);
  weights_.assign(many_, 0.0);
  return {};
}

// Centres of an earlier artifact need no mini-batches to be found: Lloyd's algorithm moves them to where the rows are
// now.
Status Training::TakeInitialCenters() {
  if (request_.initial_model.empty()) return {};
  const auto model = LoadKMeansModel(request_.initial_model);
  if (!model) return Invalid("channel 'model': " + model.error().message());
  if (model->k != settings_.k || model->feature_dim != settings_.feature_dim) {
    return Invalid("channel 'model': it has " + std::to_string(model->k) + " centres of " +
                   std::to_string(model->feature_dim) + " features where " + std::to_string(settings_.k) + " of " +
                   std::to_string(settings_.feature_dim) + " are trained");
  }
  centers_.assign(settings_.k * n_, 0.0F);
  for (size_t c = 0; c < settings_.k; ++c) {
    for (size_t j = 0; j < settings_.feature_dim; ++j) {
      centers_[c * n_ + j] = static_cast<float>(model->centers[c * settings_.feature_dim + j] - transform_.mean[j]);
    }
  }
  place_ = {.stage = Stage::kLloyd};
  observer_.OnLogLine("training goes on from the centres of channel 'model'");
  return {};
}

Status Training::RunMiniBatches() {
  const data::RowBlocks& rows = train_->rows();
  const size_t shards =
      ShardCount(std::clamp<size_t>(settings_.mini_batch_size / kRowsAtOnce, 1, Shards(many_)), train_->group());
  const ShardRange here(shards, train_->group());
  const size_t share = (settings_.mini_batch_size + shards - 1) / shards;
  for (; place_.epoch < settings_.epochs && !stopped_; place_ = {.epoch = place_.epoch + 1}) {
    std::vector<std::unique_ptr<BatchReader>> readers;
    for (size_t s = here.first; s < here.first + here.count; ++s) {
      readers.push_back(std::make_unique<BatchReader>(*train_, transform_, ShardBlocks(rows, s, shards),
                                                      BatchReader::Order::kShuffled,
                                                      MixSeed(settings_.seed, 3 + place_.epoch, s)));
      if (auto skipped = readers.back()->Skip(place_.rounds * share); !skipped) return skipped.error();
    }
    std::vector<Status> outcomes(here.count);
    while (!stopped_) {
      const PackedCenters packed(centers_, many_, n_);
      std::vector<KMeansState> states(here.count, KMeansState(packed));
      data::RunParallel(here.count, request_.threads, [&](size_t i) {
        for (size_t left = share; left > 0;) {
          auto batch = readers[i]->Next(std::min(left, kRowsAtOnce));
          if (!batch) {
            outcomes[i] = batch.error();
            return;
          }
          if (*batch == nullptr) return;
          states[i].Update(**batch);
          left -= (*batch)->rows;
        }
      });
      for (const Status& outcome : outcomes) {
        if (!outcome) return outcome;
      }
      MergeInTree(std::span<KMeansState>(states));
      KMeansState* const merged[] = {&states[0]};
      const RoundEnd mine{.stop = observer_.StopRequested(), .save = checkpoints_.Due()};
      const auto round = AgreeAndMerge<KMeansState>(*request_.group, train_->group(), mine, merged);
      if (!round) return round.error();
      const KMeansSums& sums = states[0].Finalize();
      if (sums.rows == 0) break;
      place_.squared += sums.squared_distance;
      place_.rows += sums.rows;
      ++place_.rounds;
      rows_read_ += sums.rows;
      MoveCenters(sums);
      const double epochs_done =
          static_cast<double>(place_.epoch) + static_cast<double>(place_.rows) / static_cast<double>(rows.row_count());
      Progress(0.5 * epochs_done / static_cast<double>(settings_.epochs));
      stopped_ = round->stop;
      if (stopped_) observer_.OnStopAgreed();
      if (round->save) {
        if (Status s = SaveCheckpoint(rows_read_, {}); !s) return s;
      }
    }
    if (place_.rows > 0) {
      LogMetric("epoch=" + std::to_string(place_.epoch) + ", ", "train msd <loss>",
                place_.squared / static_cast<double>(place_.rows));
    }
  }
  return {};
}

void Training::MoveCenters(const KMeansSums& sums) {
  const double keep =
      settings_.half_life_time_size == 0
          ? 1.0
          : std::exp2(-static_cast<double>(sums.rows) / static_cast<double>(settings_.half_life_time_size));
  for (size_t c = 0; c < many_; ++c) {
    const double before = weights_[c] * keep;
    const auto added = static_cast<double>(sums.counts[c]);
    weights_[c] = before + added;
    if (added == 0) continue;
    for (size_t j = 0; j < n_; ++j) {
      float& center = centers_[c * n_ + j];
      center = static_cast<float>((before * center + sums.sums[c * n_ + j]) / weights_[c]);
    }
  }
}

void Training::Reduce() {
  if (many_ == settings_.k) return;
  SeededRandom random(MixSeed(settings_.seed, 2, 1));
  centers_ =
      LocalLloyd({centers_, weights_, many_, n_}, settings_, settings_.local_trials.value_or(kTrialsWhenAuto), random);
}

Result<KMeansState> Training::Pass(const data::Dataset& dataset, const PackedCenters& centers, Use use,
                                   double progress_from, double progress_to) {
  ShardedPass pass(dataset, transform_, Shards(centers.count()), kRowsAtOnce, kBatchesPerRound, request_.threads,
                   *request_.group);
  std::vector<KMeansState> states(pass.here().count, KMeansState(centers));
  if (use == Use::kTraining && !states_.empty()) {
    if (Status s = LoadStates(pass.here().Of(states_), std::span<KMeansState>(states)); !s) return s.error();
    states_.clear();
    if (Status s = pass.Skip(place_.rounds); !s) return s.error();
  }
  const auto row_count = static_cast<double>(dataset.rows().row_count());
  const uint64_t rows_before = rows_read_;
  while (true) {
    const auto update = [&](size_t i, const RowBatch& batch) {
      states[i].Update(batch, use == Use::kTraining ? &bounds_[i] : nullptr);
    };
    const auto round = pass.Round(update, observer_.StopRequested(), use == Use::kTraining && checkpoints_.Due());
    if (!round) return round.error();
    if (round->rows == 0) break;
    rows_read_ = rows_before + pass.rows();
    Progress(progress_from + (progress_to - progress_from) * static_cast<double>(pass.rows()) / row_count);
    if (round->stop) {
      observer_.OnStopAgreed();
      return Error(ErrorCode::kCancelled, use == Use::kTraining ? "stopped while clustering" : "stopped while testing");
    }
    if (round->save) {
      place_.rounds = pass.rounds();
      if (Status s = SaveCheckpoint(rows_before, states); !s) return s.error();
    }
  }
  if (Status s = MergeAll(dataset.group(), std::span<KMeansState>(states)); !s) return s.error();
  return std::move(states[0]);
}

Status Training::RunLloyd() {
  const size_t k = settings_.k;
  const double work =
      static_cast<double>(train_->rows().row_count()) * static_cast<double>(n_) * static_cast<double>(PadToLane(k));
  const size_t passes = settings_.lloyd_passes.value_or(
      static_cast<size_t>(std::clamp(kPassWorkMax / work, 1.0, static_cast<double>(kPassesMax))));
  MakeBounds();
  // The last pass only measures.
  for (; place_.epoch <= passes && !stopped_;
       place_ = {.stage = Stage::kLloyd, .epoch = place_.epoch + 1, .before = place_.before}) {
    const uint64_t pass = place_.epoch;
    const auto progress = [&](uint64_t passes_done) {
      return 0.5 + 0.45 * static_cast<double>(passes_done) / static_cast<double>(passes + 1);
    };
    const PackedCenters packed(centers_, k, n_);
    auto state = Pass(*train_, packed, Use::kTraining, progress(pass), progress(pass + 1));
    if (!state && state.error().code() == ErrorCode::kCancelled) {
      stopped_ = true;  // the centres as they stand are a model
      break;
    }
    if (!state) return state.error();
    const KMeansSums& sums = state->Finalize();
    const double squared = sums.squared_distance;
    const std::string place = "pass=" + std::to_string(pass) + ", ";
    LogMetric(place, "train msd <loss>", squared / static_cast<double>(sums.rows));
    LogMetric(place, "train ssd <loss>", squared);
    Publish("train:msd", squared / static_cast<double>(sums.rows));
    Publish("train:ssd", squared);
    const double before = std::exchange(place_.before, squared);
    const bool enough = std::isfinite(before) && before - squared <= settings_.local_tolerance * before;
    if (enough || pass == passes) break;
    ++passes_;
    MoveToMeans(sums);
  }
  return {};
}

void Training::MakeBounds() {
  const data::RowBlocks& rows = train_->rows();
  const size_t shards = Shards(settings_.k);
  const ShardRange here(shards, train_->group());
  for (size_t s = here.first; s < here.first + here.count; ++s) {
    size_t count = 0;
    for (const size_t block : ShardBlocks(rows, s, shards)) count += rows.rows(block);
    bounds_.emplace_back(count, settings_.k, kBoundsBytesMax / here.count);
  }
}

// Each centre to the mean of its rows; one of them to the row that is farthest from its centre, where that is better.
void Training::MoveToMeans(const KMeansSums& sums) {
  const std::vector<float> before = centers_;
  bool farthest_taken = false;
  for (size_t c = 0; c < settings_.k; ++c) {
    float* const center = centers_.data() + c * n_;
    if (sums.counts[c] > 0) {
      for (size_t j = 0; j < n_; ++j) {
        center[j] = static_cast<float>(sums.sums[c * n_ + j] / static_cast<double>(sums.counts[c]));
      }
    } else if (!farthest_taken) {
      std::copy(sums.farthest.begin(), sums.farthest.end(), center);
      farthest_taken = true;
    }
  }
  if (!farthest_taken) MergeForFarthest(sums);
  std::vector<float> moved(settings_.k);
  for (size_t c = 0; c < settings_.k; ++c) {
    const float squared = SquaredDistance(before.data() + c * n_, centers_.data() + c * n_, n_);
    moved[c] = std::sqrt(squared) * (1 + RoundingOf(n_));
  }
  for (RowBounds& bounds : bounds_) bounds.Moved(moved);
}

// Outliers are seldom drawn as first centres, and no mean gets to them. The two clusters whose union costs least (Ward,
// "Hierarchical Grouping to Optimize an Objective Function", 1963) become one, when that is less than what the row that
// is farthest from its centre costs: the freed centre goes there.
void Training::MergeForFarthest(const KMeansSums& sums) {
  const size_t k = settings_.k;
  double least = sums.farthest_distance;
  std::optional<std::pair<size_t, size_t>> pair;
  for (size_t a = 0; a < k; ++a) {
    for (size_t b = a + 1; b < k; ++b) {
      if (sums.counts[a] == 0 || sums.counts[b] == 0) continue;
      const auto in_a = static_cast<double>(sums.counts[a]);
      const auto in_b = static_cast<double>(sums.counts[b]);
      const double cost =
          in_a * in_b / (in_a + in_b) * SquaredDistance(centers_.data() + a * n_, centers_.data() + b * n_, n_);
      if (cost < least) {
        least = cost;
        pair = {a, b};
      }
    }
  }
  if (!pair) return;
  const auto [a, b] = *pair;
  for (size_t j = 0; j < n_; ++j) {
    centers_[a * n_ + j] = static_cast<float>((sums.sums[a * n_ + j] + sums.sums[b * n_ + j]) /
                                              static_cast<double>(sums.counts[a] + sums.counts[b]));
  }
  std::copy(sums.farthest.begin(), sums.farthest.end(), centers_.begin() + static_cast<ptrdiff_t>(b * n_));
}

Status Training::EvaluateTest() {
  if (stopped_ || !channels_.Has("test")) return {};
  const auto schema = std::make_shared<const data::TableSchema>(train_->schema());
  auto test = channels_.ReadOther("test", schema, settings_.table, settings_.feature_dim);
  if (!test) return test.error();
  const PackedCenters packed(centers_, settings_.k, n_);
  auto state = Pass(**test, packed, Use::kTesting, 0.95, 0.99);
  if (!state) return state.error().code() == ErrorCode::kCancelled ? Status() : Status(state.error());
  const KMeansSums& sums = state->Finalize();
  const double msd = sums.squared_distance / static_cast<double>(sums.rows);
  if (settings_.msd) {
    LogMetric("", "test msd <loss>", msd);
    Publish("test:msd", msd);
  }
  if (settings_.ssd) {
    LogMetric("", "test ssd <loss>", sums.squared_distance);
    Publish("test:ssd", sums.squared_distance);
  }
  return {};
}

// All numbers that the training goes on with.
Status Training::SaveCheckpoint(uint64_t rows_read, std::span<const KMeansState> states) {
  const auto all = GatherStates(train_->group(), states);
  if (!all) return all.error();
  checkpoints_.Save([&](StateWriter& writer) {
    writer.Value(place_);
    writer.Value(rows_read);
    writer.Value(passes_);
    writer.Values(std::span<const float>(centers_));
    writer.Values(std::span<const double>(weights_));
    writer.Text(DumpJson(metrics_));
    WriteStates(*all, writer);
  });
  return {};
}

Status Training::Resume() {
  std::string metrics;
  const auto resumed = checkpoints_.Resume([&](StateReader& reader) {
    reader.Value(place_);
    reader.Value(rows_read_);
    reader.Value(passes_);
    reader.Some(centers_);
    reader.Some(weights_);
    reader.Text(metrics);
    ReadStates(reader, states_);
    const bool lloyd = place_.stage == Stage::kLloyd;
    const bool fits = (lloyd || (place_.stage == Stage::kMiniBatches && place_.epoch < settings_.epochs)) &&
                      centers_.size() == (lloyd ? settings_.k : many_) * n_ && weights_.size() == many_;
    return fits ? Status() : Status(UnfitCheckpoint());
  });
  if (!resumed) return resumed.error();
  if (!*resumed) return {};
  auto json = ParseJson(metrics);
  if (!json || !json->is_object()) return UnfitCheckpoint();
  metrics_ = std::move(*json);
  observer_.OnLogLine("resuming from the checkpoint: " +
                      std::string(place_.stage == Stage::kLloyd ? "pass " : "epoch ") + std::to_string(place_.epoch) +
                      ", round " + std::to_string(place_.rounds) + ", " + std::to_string(rows_read_) + " rows read");
  return {};
}

void Training::LogMetric(std::string_view place, std::string_view name, double value) {
  char number[40];
  std::snprintf(number, sizeof number, "%.17g", value);
  observer_.OnLogLine("#quality_metric: host=algo-1, " + std::string(place) + std::string(name) + "=" + number);
}

void Training::Publish(const std::string& name, double value) {
  observer_.OnMetric(name, value);
  metrics_[name] = value;
}

KMeansModel Training::Finish() const {
  KMeansModel model;
  model.k = settings_.k;
  model.feature_dim = settings_.feature_dim;
  for (size_t c = 0; c < model.k; ++c) {
    for (size_t j = 0; j < model.feature_dim; ++j) {
      model.centers.push_back(static_cast<double>(centers_[c * n_ + j]) + transform_.mean[j]);
    }
  }
  model.training_json = DumpJson({{"hyperparameters", request_.hyperparameters},
                                  {"rows", train_->rows().row_count()},
                                  {"lloyd_passes", passes_},
                                  {"metrics", metrics_}});
  return model;
}

}  // namespace

Result<KMeansModel> TrainKMeans(const TrainingRequest& request, const KMeansSettings& settings,
                                TrainingObserver& observer) {
  return Training(request, settings, observer).Run();
}

}  // namespace argosy::algorithms::kmeans
