#include "algorithms/linear/trainer.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "algorithms/batches.h"
#include "algorithms/checkpoints.h"
#include "algorithms/hosts.h"
#include "algorithms/linear/channels.h"
#include "algorithms/linear/contender.h"
#include "algorithms/linear/evaluation.h"
#include "algorithms/linear/linear_state.h"
#include "algorithms/linear/scaler.h"
#include "algorithms/linear/units.h"
#include "algorithms/state.h"
#include "base/json.h"
#include "base/state_bytes.h"
#include "data/parallel_read.h"

namespace argosy::algorithms::linear {
namespace {

static_assert(TrainingState<LinearState, RowBatch>);
static_assert(TrainingState<ScalerState, ScalerBatch>);

// Shards for what only adds up (moments, metrics): more than any one machine's threads would gain from.
constexpr size_t kSummingShards = 16;
// Shards of the training itself, which share a mini-batch between them. Each added one means more rows between a row
// and the model it changes, so small data gets fewer, and so do mini-batches too small to be worth a share.
constexpr size_t kTrainingShardsMax = 8;
constexpr uint64_t kBatchShareMin = 8;
// All states together; a very large model trains in fewer shards.
constexpr size_t kStateBytesMax = size_t{1} << 30;
// Weights of one model, so that a wrong column taken for a category ends in a message, not in all memory taken.
constexpr size_t kParametersMax = 100'000'000;
// Steps of an epoch when mini_batch_size is left to us and the data is small.
constexpr uint64_t kStepsPerEpochWanted = 100;
constexpr uint64_t kSmallestBatchRows = 4;
// Steps between two merges: often enough that shards stay near each other, rarely enough that waiting for the slowest
// does not count.
constexpr size_t kStepsPerRound = 40;
constexpr size_t kEvaluationBatchRows = 1024;
constexpr size_t kEvaluationNumbersMax = 4 << 20;  // of them, where rows are wide
// Part of the progress that reading is given.
constexpr double kReadingShare = 0.1;

std::string FormatExact(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.17g", value);
  return text;
}

class Training {
 public:
  Training(const TrainingRequest& request, const LinearSettings& settings, TrainingObserver& observer)
      : request_(request),
        settings_(settings),
        observer_(observer),
        clip_(settings.clip),
        checkpoints_("linear-learner", request, observer) {}

  Result<LinearModel> Run();

 private:
  Status ResolveClasses();
  Status TakeMoments();
  Status ReadInitialModel();
  Status Plan();
  Status RunEpochs();
  Status RunEpoch(int64_t epoch);
  Status Resume();
  void SaveCheckpoint();
  Status JudgeEpoch(int64_t epoch);
  enum class Rows { kAll, kCalibration };
  Result<EvaluationState> Evaluate(const data::Dataset& dataset, const std::vector<float>& parameters, Rows which);
  Status Choose();
  Result<LinearModel> Finish();
  Status ReportChannel(std::string_view channel, const data::Dataset& dataset);
  LinearModel Fold() const;
  void LogMetric(std::string_view place, std::string_view name, std::string_view kind, double value);
  void Publish(const std::string& name, double value);

  const TrainingRequest& request_;
  const LinearSettings& settings_;
  TrainingObserver& observer_;
  std::optional<ChannelData> channels_;
  size_t classes_ = 0;  // 0 for a regressor
  Scaler scaler_;
  Transform transform_;
  ModelShape shape_;
  size_t shards_ = 1;
  size_t batch_share_ = 0;  // rows of a mini-batch that each shard takes
  std::optional<double> clip_;
  std::optional<LinearModel> initial_;
  std::optional<Schedule> schedule_;
  std::vector<Contender> contenders_;
  std::vector<std::unique_ptr<BatchReader>> readers_;  // of the training's shards of this host
  int64_t epochs_run_ = 0;
  bool stopped_ = false;
  bool any_round_ = false;
  uint64_t rows_read_ = 0;
  size_t chosen_ = 0;
  float threshold_ = 0;
  std::vector<std::pair<std::string, double>> published_;
  Checkpoints checkpoints_;
  struct Place {
    int64_t epoch = 0;
    uint64_t rounds = 0;  // of the epoch
    uint64_t rows = 0;    // of the epoch
  };
  Place place_;
};

Result<LinearModel> Training::Run() {
  auto channels = ReadChannels(request_, settings_, observer_);
  if (!channels) return channels.error();
  channels_.emplace(std::move(*channels));
  rows_read_ = channels_->train.rows().row_count();
  observer_.OnProgress(kReadingShare, rows_read_);
  if (Status s = ResolveClasses(); !s) return s.error();
  if (Status s = TakeMoments(); !s) return s.error();
  if (Status s = ReadInitialModel(); !s) return s.error();
  if (Status s = Plan(); !s) return s.error();
  if (Status s = Resume(); !s) return s.error();
  if (Status s = RunEpochs(); !s) return s.error();
  if (Status s = Choose(); !s) return s.error();
  return Finish();
}

Status Training::ResolveClasses() {
  const data::TableSchema& schema = channels_->train.schema();
  if (settings_.feature_dim && *settings_.feature_dim != schema.columns.size()) {
    return Invalid("Hyperparameter feature_dim: '" + std::to_string(*settings_.feature_dim) +
                   "' is not valid: the data has " + std::to_string(schema.columns.size()) + " feature columns");
  }
  classes_ = settings_.classes;
  if (!settings_.label_text) return {};
  const size_t found = schema.label.classes.size();
  if (settings_.predictor == PredictorType::kBinaryClassifier && found != 2) {
    return Invalid("a binary_classifier needs two kinds of labels, the training data has " + std::to_string(found));
  }
  if (classes_ == 0) classes_ = found;
  if (found > classes_) {
    return Invalid("Hyperparameter num_classes: '" + std::to_string(classes_) +
                   "' is not valid: the training data has " + std::to_string(found) + " kinds of labels");
  }
  if (settings_.predictor == PredictorType::kMulticlassClassifier && classes_ < 2) {
    return Invalid("a multiclass_classifier needs at least two kinds of labels, the training data has one");
  }
  return {};
}

Status Training::TakeMoments() {
  const data::Dataset& train = channels_->train;
  const data::RowBlocks& rows = train.rows();
  const uint64_t looked_at =
      settings_.num_point_for_scaler ? static_cast<uint64_t>(*settings_.num_point_for_scaler) : rows.row_count();
  const uint64_t stride = std::max<uint64_t>(1, rows.row_count() / looked_at);
  std::vector<uint64_t> first_rows(rows.blocks());
  for (size_t b = 1; b < rows.blocks(); ++b) first_rows[b] = first_rows[b - 1] + rows.rows(b - 1);

  const ShardRange here(kSummingShards, train.group());
  std::vector<ScalerState> states(here.count, ScalerState(rows.shape().numeric, classes_, stride));
  std::vector<Status> outcomes(here.count);
  data::RunParallel(here.count, request_.threads, [&](size_t i) {
    for (const size_t b : ShardBlocks(rows, here.first + i, kSummingShards)) {
      auto block = rows.Get(b);
      if (!block) {
        outcomes[i] = block.error();
        return;
      }
      states[i].Update({**block, first_rows[b]});
    }
  });
  for (const Status& outcome : outcomes) {
    if (!outcome) return outcome;
  }
  if (Status s = MergeAll(train.group(), std::span<ScalerState>(states)); !s) return s;
  scaler_ = states[0].Finalize();

  const data::TableSchema& schema = train.schema();
  shape_.numeric = rows.shape().numeric;
  shape_.categorical = rows.shape().categorical;
  for (const data::Column& column : schema.columns) {
    if (column.kind == data::ColumnKind::kCategorical) shape_.categories += column.categories.size();
  }
  shape_.outputs = settings_.predictor == PredictorType::kMulticlassClassifier ? classes_ : 1;
  transform_ = MakeTransform(settings_, schema, shape_, scaler_);
  return {};
}

// The artifact that the training goes on from must be of the same kind of prediction over the same columns.
Status Training::ReadInitialModel() {
  if (request_.initial_model.empty()) return {};
  auto model = LoadLinearModel(request_.initial_model);
  if (!model) return Invalid("channel 'model': " + model.error().message());
  if (model->predictor != settings_.predictor || model->outputs != shape_.outputs) {
    return Invalid("channel 'model': it is a " + std::string(PredictorTypeName(model->predictor)) + " of " +
                   std::to_string(model->outputs) + " outputs where a " +
                   std::string(PredictorTypeName(settings_.predictor)) + " of " + std::to_string(shape_.outputs) +
                   " is trained");
  }
  const std::vector<data::Column>& columns = channels_->train.schema().columns;
  const auto same = [](const data::Column& a, const data::Column& b) { return a.kind == b.kind && a.name == b.name; };
  if (!std::ranges::equal(columns, model->schema.columns, same)) {
    return Invalid("channel 'model': its columns are not those of the training data");
  }
  if (model->clip > 0) {
    // What was cut off there cannot be put into other units: the features stay what they were.
    clip_ = model->clip;
    transform_.limit = static_cast<float>(model->clip);
    for (size_t c = 0; c < shape_.numeric; ++c) {
      transform_.mean[c] = static_cast<float>(model->mean[c]);
      transform_.scale[c] = static_cast<float>(model->scale[c]);
    }
  }
  observer_.OnLogLine("training goes on from the model of channel 'model'");
  initial_.emplace(std::move(*model));
  return {};
}

Status Training::Plan() {
  const uint64_t rows = channels_->train.rows().row_count();
  if (shape_.stride() > kParametersMax / shape_.outputs) {
    return Invalid("the model would have more than " + std::to_string(kParametersMax) + " weights (" +
                   std::to_string(shape_.bias()) + " features, " + std::to_string(shape_.outputs) + " outputs)");
  }
  const size_t state_bytes = 4 * sizeof(float) * shape_.parameters() * ModelCount(settings_);
  shards_ = std::clamp<size_t>(rows / kRowsPerShardMin, 1, kTrainingShardsMax);
  shards_ = std::clamp<size_t>(kStateBytesMax / state_bytes, 1, shards_);
  shards_ = std::min(shards_, channels_->train.rows().blocks());
  uint64_t batch_rows = settings_.mini_batch_size
                            ? static_cast<uint64_t>(*settings_.mini_batch_size)
                            : std::clamp(rows / kStepsPerEpochWanted, kSmallestBatchRows, kDefaultBatchRows);
  batch_rows = std::min(batch_rows, rows);
  shards_ = ShardCount(std::clamp<size_t>(batch_rows / kBatchShareMin, 1, shards_), channels_->train.group());
  batch_share_ = (batch_rows + shards_ - 1) / shards_;
  const uint64_t steps_per_epoch = (rows + batch_share_ * shards_ - 1) / (batch_share_ * shards_);
  schedule_.emplace(settings_.optimizer, steps_per_epoch * static_cast<uint64_t>(settings_.epochs));

  const std::vector<ModelVariant> variants = Variants(settings_, shape_, batch_share_ * shards_, scaler_.class_counts);
  const ShardRange here(shards_, channels_->train.group());
  for (const ModelVariant& variant : variants) {
    // All start alike, also the shards: what differs between them is what they have seen.
    SeededRandom random(MixSeed(settings_.seed, 0, 0));
    contenders_.push_back(
        {variant, std::vector<LinearState>(here.count, LinearState(shape_, settings_, *schedule_, variant, random))});
    if (!initial_) continue;
    const std::vector<float> weights = FoldWeights(*initial_, channels_->train.schema().columns, shape_, transform_);
    for (LinearState& shard : contenders_.back().shards) shard.SetParameters(weights);
  }
  observer_.OnLogLine("training on " + std::to_string(rows) + " rows, " +
                      std::to_string(channels_->train.schema().columns.size()) + " columns, " +
                      std::to_string(shape_.numeric + shape_.categories) + " features; " + std::to_string(shards_) +
                      " virtual shards, mini-batches of " + std::to_string(batch_rows) + " rows, " +
                      std::to_string(request_.threads) + " threads");
  for (const ModelVariant& variant : variants) observer_.OnLogLine("model: " + variant.Describe());
  return {};
}

Status Training::RunEpochs() {
  for (; place_.epoch < settings_.epochs && !stopped_; place_ = {.epoch = place_.epoch + 1}) {
    const int64_t epoch = place_.epoch;
    if (Status s = RunEpoch(epoch); !s) return s;
    if (stopped_ && !any_round_) return Error(ErrorCode::kCancelled, "stopped before the first step of the training");
    if (Status s = JudgeEpoch(epoch); !s) return s;
    epochs_run_ = epoch + 1;
    if (std::all_of(contenders_.begin(), contenders_.end(), [](const Contender& c) { return c.finished; })) break;
  }
  return {};
}

Status Training::RunEpoch(int64_t epoch) {
  const data::Dataset& train = channels_->train;
  const ShardRange here(shards_, train.group());
  for (size_t i = 0; i < here.count; ++i) {
    const size_t s = here.first + i;
    const uint64_t seed = MixSeed(settings_.seed, static_cast<uint64_t>(epoch) + 1, s);
    if (readers_.size() == i) {
      readers_.push_back(std::make_unique<BatchReader>(train, transform_, ShardBlocks(train.rows(), s, shards_),
                                                       BatchReader::Order::kShuffled, seed));
    } else {
      readers_[i]->Restart(seed);
    }
    auto skipped = readers_[i]->Skip(place_.rounds * kStepsPerRound * batch_share_);
    if (!skipped) return skipped.error();
  }
  if (place_.rounds == 0) {
    for (Contender& contender : contenders_) contender.epoch_loss = {};
  }
  std::vector<Status> outcomes(here.count);
  std::vector<uint64_t> rows(here.count);
  while (true) {
    std::fill(rows.begin(), rows.end(), 0);
    data::RunParallel(here.count, request_.threads, [&](size_t i) {
      for (size_t step = 0; step < kStepsPerRound; ++step) {
        auto batch = readers_[i]->Next(batch_share_);
        if (!batch) {
          outcomes[i] = batch.error();
          return;
        }
        if (*batch == nullptr) return;
        rows[i] += (*batch)->rows;
        for (Contender& contender : contenders_) {
          if (!contender.finished) contender.shards[i].Update(**batch);
        }
      }
    });
    RoundEnd mine{.stop = observer_.StopRequested(), .save = checkpoints_.Due()};
    for (size_t i = 0; i < here.count; ++i) {
      if (!outcomes[i]) return outcomes[i];
      mine.rows += rows[i];
    }
    std::vector<LinearState*> merged;
    for (Contender& contender : contenders_) {
      if (contender.finished) continue;
      MergeInTree(std::span<LinearState>(contender.shards));
      merged.push_back(&contender.shards[0]);
    }
    const auto round = AgreeAndMerge<LinearState>(*request_.group, train.group(), mine, merged);
    if (!round) return round.error();
    if (round->rows == 0) return {};
    any_round_ = true;
    for (Contender& contender : contenders_) {
      if (!contender.finished) contender.EndRound();
    }
    rows_read_ += round->rows;
    place_.rows += round->rows;
    ++place_.rounds;
    const double epochs_done =
        static_cast<double>(epoch) + static_cast<double>(place_.rows) / static_cast<double>(train.rows().row_count());
    const double fraction = std::min(1.0, epochs_done / static_cast<double>(settings_.epochs));
    observer_.OnProgress(kReadingShare + (1 - kReadingShare) * fraction, rows_read_);
    if (round->stop) {
      observer_.OnStopAgreed();
      stopped_ = true;
      return {};
    }
    if (round->save) SaveCheckpoint();
  }
}

// All numbers that the training goes on with; between two rounds all shards are alike.
void Training::SaveCheckpoint() {
  checkpoints_.Save([&](StateWriter& writer) {
    writer.Value(place_);
    writer.Value(rows_read_);
    Json published = Json::array();
    for (const auto& [name, value] : published_) published.push_back({name, value});
    writer.Text(DumpJson(published));
    for (const Contender& contender : contenders_) contender.Save(writer);
  });
}

Status Training::Resume() {
  std::string published;
  const auto resumed = checkpoints_.Resume([&](StateReader& reader) {
    reader.Value(place_);
    reader.Value(rows_read_);
    reader.Text(published);
    for (Contender& contender : contenders_) {
      if (Status loaded = contender.Load(reader, settings_.epochs); !loaded) return loaded;
    }
    const bool fits = place_.epoch >= 0 && place_.epoch < settings_.epochs;
    return fits ? Status() : Status(UnfitCheckpoint());
  });
  if (!resumed) return resumed.error();
  if (!*resumed) return {};
  auto json = ParseJson(published);
  if (!json || !json->is_array()) return UnfitCheckpoint();
  for (const Json& metric : *json) {
    const bool fits = metric.is_array() && metric.size() == 2 && metric[0].is_string() && metric[1].is_number();
    if (!fits) return UnfitCheckpoint();
    published_.emplace_back(metric[0], metric[1]);
  }
  epochs_run_ = place_.epoch;
  any_round_ = true;
  observer_.OnLogLine("resuming from the checkpoint: epoch " + std::to_string(place_.epoch) + ", row " +
                      std::to_string(place_.rows) + ", " + std::to_string(rows_read_) + " rows read");
  return {};
}

// The losses of an epoch: reported, compared with earlier ones, and perhaps the end of a model's training.
Status Training::JudgeEpoch(int64_t epoch) {
  double best_train = std::numeric_limits<double>::infinity();
  double best_validation = std::numeric_limits<double>::infinity();
  for (Contender& contender : contenders_) {
    if (contender.finished) continue;
    const std::vector<float>& parameters = contender.shards[0].Finalize();
    const double train_loss = contender.epoch_loss.mean();
    if (!std::isfinite(train_loss)) {
      contender.finished = true;
      if (!contender.best.empty()) {
        observer_.OnLogLine("the training diverged in epoch " + std::to_string(epoch) +
                            ": its loss is no finite number; the parameters of the best epoch before are kept");
      }
      continue;
    }
    double loss = train_loss + contender.shards[0].Penalty();
    if (channels_->validation && !stopped_) {
      auto evaluated = Evaluate(*channels_->validation, parameters, Rows::kAll);
      if (!evaluated) return evaluated.error();
      loss = evaluated->loss();
      best_validation = std::min(best_validation, loss);
    }
    best_train = std::min(best_train, train_loss);
    contender.Judge(loss, settings_);
  }
  if (!std::isfinite(best_train)) {
    const bool none =
        std::ranges::all_of(contenders_, [](const Contender& contender) { return contender.best.empty(); });
    return none ? Invalid(
                      "the training diverged: the loss is no finite number; a smaller learning_rate or "
                      "normalize_data=true may help")
                : Status();
  }
  const std::string at = "epoch=" + std::to_string(epoch) + ", ";
  LogMetric(at, std::string("train ") + std::string(ObjectiveName(settings_)), "loss", best_train);
  Publish("train:objective_loss", best_train);
  double monitored = best_train;
  if (std::isfinite(best_validation)) {
    monitored = best_validation;
    LogMetric(at, std::string("validation ") + std::string(ObjectiveName(settings_)), "loss", best_validation);
    Publish("validation:objective_loss", best_validation);
  }
  observer_.OnLogLine("#early_stopping_criteria_metric: host=algo-1, " + at +
                      "criteria=" + std::string(ObjectiveName(settings_)) + ", value=" + FormatExact(monitored));
  char percent[32];
  std::snprintf(percent, sizeof percent, "%.2f",
                100.0 * static_cast<double>(epoch + 1) / static_cast<double>(settings_.epochs));
  observer_.OnLogLine("#progress_metric: host=algo-1, completed " + std::string(percent) + " % of epochs");
  return {};
}

Result<EvaluationState> Training::Evaluate(const data::Dataset& dataset, const std::vector<float>& parameters,
                                           Rows which) {
  const uint64_t row_count = dataset.rows().row_count();
  const uint64_t stride =
      which == Rows::kCalibration && settings_.num_calibration_samples
          ? std::max<uint64_t>(1, row_count / static_cast<uint64_t>(*settings_.num_calibration_samples))
          : 1;
  const ShardRange here(kSummingShards, dataset.group());
  std::vector<EvaluationState> states(here.count, EvaluationState(settings_, shape_.outputs, transform_.label_scale));
  std::vector<Status> outcomes(here.count);
  const size_t width = dataset.rows().shape().numeric + 1;
  const size_t rows_at_once = std::clamp<size_t>(kEvaluationNumbersMax / width, 1, kEvaluationBatchRows);
  data::RunParallel(here.count, request_.threads, [&](size_t i) {
    BatchReader reader(dataset, transform_, ShardBlocks(dataset.rows(), here.first + i, kSummingShards),
                       BatchReader::Order::kAsStored, 0);
    std::vector<float> outputs;
    uint64_t row = 0;
    while (true) {
      auto batch = reader.Next(rows_at_once);
      if (!batch) {
        outcomes[i] = batch.error();
        return;
      }
      if (*batch == nullptr) return;
      const RowBatch& rows = **batch;
      outputs.assign(rows.rows * shape_.outputs, 0.0F);
      AddOutputs(shape_, parameters.data(), rows, outputs.data());
      if (stride == 1) {
        states[i].Update({rows.rows, shape_.outputs, outputs.data(), rows.labels.data(), rows.weights.data()});
        continue;
      }
      for (size_t r = 0; r < rows.rows; ++r, ++row) {
        if (row % stride != 0) continue;
        states[i].Update({1, shape_.outputs, outputs.data() + r * shape_.outputs, &rows.labels[r], &rows.weights[r]});
      }
    }
  });
  for (const Status& outcome : outcomes) {
    if (!outcome) return outcome.error();
  }
  if (Status s = MergeAll(dataset.group(), std::span<EvaluationState>(states)); !s) return s.error();
  return std::move(states[0]);
}

// The best of the models and, for a binary classifier, its threshold.
Status Training::Choose() {
  const data::Dataset& judge = channels_->validation ? *channels_->validation : channels_->train;
  double best = -std::numeric_limits<double>::infinity();
  const bool binary = settings_.predictor == PredictorType::kBinaryClassifier;
  for (size_t i = 0; i < contenders_.size(); ++i) {
    Contender& contender = contenders_[i];
    if (contender.best.empty()) continue;
    double value = -contender.best_loss;
    float threshold = 0;
    if (binary) {
      auto evaluated = Evaluate(judge, contender.best, Rows::kCalibration);
      if (!evaluated) return evaluated.error();
      threshold = evaluated->histogram().BestThreshold(settings_);
      if (settings_.criterion != SelectionCriterion::kLoss) {
        value = CriterionValue(settings_, evaluated->histogram().At(threshold));
      }
    }
    if (value > best || contenders_[chosen_].best.empty()) {
      best = value;
      chosen_ = i;
      threshold_ = threshold;
    }
  }
  if (contenders_.size() > 1) {
    observer_.OnLogLine("model chosen: " + contenders_[chosen_].variant.Describe());
  }
  return {};
}

Status Training::ReportChannel(std::string_view channel, const data::Dataset& dataset) {
  auto evaluated = Evaluate(dataset, contenders_[chosen_].best, Rows::kAll);
  if (!evaluated) return evaluated.error();
  for (const auto& [name, value] : evaluated->Finalize(threshold_)) {
    const bool objective = name == "objective_loss";
    LogMetric("", std::string(channel) + " " + (objective ? std::string(ObjectiveName(settings_)) : name),
              objective ? "loss" : "score", value);
    // The training channel's other metrics are logged, not published: SageMaker has no such names.
    if (objective || channel != "train") Publish(std::string(channel) + ":" + name, value);
  }
  return {};
}

Result<LinearModel> Training::Finish() {
  if (Status s = ReportChannel("train", channels_->train); !s) return s.error();
  if (channels_->validation) {
    if (Status s = ReportChannel("validation", *channels_->validation); !s) return s.error();
  }
  if (channels_->test) {
    if (Status s = ReportChannel("test", *channels_->test); !s) return s.error();
  }
  LinearModel model = Fold();
  observer_.OnProgress(1, rows_read_);
  return model;
}

// Parameters of the normalised features become those of the features as they come.
LinearModel Training::Fold() const {
  const data::TableSchema& schema = channels_->train.schema();
  const std::vector<float>& parameters = contenders_[chosen_].best;
  LinearModel model;
  model.predictor = settings_.predictor;
  model.loss = settings_.loss.kind;
  model.outputs = shape_.outputs;
  model.threshold = threshold_;
  model.clip = clip_.value_or(0);
  model.schema = schema;
  const data::ProbeOptions plain;
  model.raw_rows = schema.has_categories() || schema.header || !schema.label.numeric() ||
                   settings_.table.label != plain.label || schema.missing == data::MissingValues::kMean;
  UnfoldWeights(shape_, transform_, parameters, model);
  Json metrics = Json::object();
  for (const auto& [name, value] : published_) metrics[name] = value;
  model.training_json = DumpJson({{"hyperparameters", request_.hyperparameters},
                                  {"rows", channels_->train.rows().row_count()},
                                  {"epochs", epochs_run_},
                                  {"variant", contenders_[chosen_].variant.Describe()},
                                  {"metrics", std::move(metrics)}});
  return model;
}

void Training::LogMetric(std::string_view place, std::string_view name, std::string_view kind, double value) {
  observer_.OnLogLine("#quality_metric: host=algo-1, " + std::string(place) + std::string(name) + " <" +
                      std::string(kind) + ">=" + FormatExact(value));
}

void Training::Publish(const std::string& name, double value) {
  observer_.OnMetric(name, value);
  const auto at = std::find_if(published_.begin(), published_.end(), [&](const auto& m) { return m.first == name; });
  if (at == published_.end()) {
    published_.emplace_back(name, value);
  } else {
    at->second = value;
  }
}

}  // namespace

Result<LinearModel> TrainLinearModel(const TrainingRequest& request, const LinearSettings& settings,
                                     TrainingObserver& observer) {
  return Training(request, settings, observer).Run();
}

}  // namespace argosy::algorithms::linear
