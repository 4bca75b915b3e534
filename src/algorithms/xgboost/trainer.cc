#include "algorithms/xgboost/trainer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "algorithms/channels.h"
#include "algorithms/checkpoints.h"
#include "algorithms/hosts.h"
#include "algorithms/xgboost/folds.h"
#include "algorithms/xgboost/library.h"
#include "algorithms/xgboost/metrics.h"
#include "algorithms/xgboost/rows.h"
#include "algorithms/xgboost/tracker.h"
#include "algorithms/xgboost/xgboost_model.h"
#include "base/files.h"
#include "base/json.h"
#include "base/random.h"
#include "base/state_bytes.h"
#include "data/number.h"

namespace argosy::algorithms::xgboost {
namespace {

constexpr std::array<std::string_view, 2> kChannels = {"train", "validation"};
constexpr std::array kFormats = {data::Format::kLibsvm, data::Format::kCsv, data::Format::kJsonLines,
                                 data::Format::kRecordIo, data::Format::kParquet};
// Part of the progress that reading is given.
constexpr double kReadingShare = 0.1;

struct Metric {
  std::string channel;
  std::string name;
  std::string text;  // its value, as it is logged
  double value = 0;
};

// "[3]\ttrain-rmse:0.5\tvalidation-rmse:0.6": names of channels have no dash, those of metrics may.
std::vector<Metric> MetricsOf(std::string_view line) {
  std::vector<Metric> metrics;
  while (true) {
    const size_t tab = line.find('\t');
    if (tab == std::string_view::npos) return metrics;
    line.remove_prefix(tab + 1);
    const std::string_view token = line.substr(0, line.find('\t'));
    const size_t dash = token.find('-');
    const size_t colon = token.rfind(':');
    if (dash == std::string_view::npos || colon == std::string_view::npos || colon < dash) continue;
    Metric metric{std::string(token.substr(0, dash)), std::string(token.substr(dash + 1, colon - dash - 1)),
                  std::string(token.substr(colon + 1)), 0};
    const char* const end = metric.text.data() + metric.text.size();
    const data::ParsedNumber number = data::ParseNumber(metric.text.data(), end);
    metric.value = number.end == end ? number.value : std::numeric_limits<double>::quiet_NaN();
    metrics.push_back(std::move(metric));
  }
}

class Training {
 public:
  Training(const TrainingRequest& request, const XGBoostSettings& settings, TrainingObserver& observer)
      : request_(request),
        settings_(settings),
        observer_(observer),
        threads_(settings.threads.value_or(std::max(1U, request.threads))),
        // Without folds a job may ask for more rounds than the one before.
        checkpoints_("xgboost", request, observer,
                     settings.folds > 0 ? std::initializer_list<std::string_view>{}
                                        : std::initializer_list<std::string_view>{"num_round"}) {}

  Status Run();

 private:
  Status TrainAndSave();
  Status JoinHosts();
  Result<RoundEnd> AgreeOnRound();
  Result<Booster> MakeBooster() const;
  Status SetParameters(Booster& booster) const;
  Result<std::string> TrainOne();
  Status CrossValidate();
  Status TrainFold(const TrainingRows& all, std::span<const int> fold_of_row, int fold);
  void PublishMeans();
  Status Boost(Booster& booster);
  Result<std::vector<Metric>> Evaluate(Booster& booster, int round);
  Result<std::vector<float>> Guesses(Booster& booster, const ChannelRows& channel) const;
  bool Worsens(const std::vector<Metric>& metrics, int round);
  double Progress(double of_this_model) const;
  Status Save() const;
  Status TakeInitialModel(Booster& booster);
  Status Resume();
  bool IsOfTheseRows(std::string_view model) const;
  Status SaveCheckpoint(Booster& booster);
  void Log();

  const TrainingRequest& request_;
  const XGBoostSettings& settings_;
  TrainingObserver& observer_;
  const unsigned threads_;
  std::unique_ptr<Tracker> tracker_;          // on the head, while others are there too
  std::optional<Communicator> communicator_;  // before all that it must outlive
  std::optional<TrainingRows> rows_;
  uint64_t rows_of_all_ = 0;               // of the train channel
  int first_round_ = 0;                    // rounds of the model that the training goes on from
  int rounds_ = 0;                         // done, those included
  std::map<std::string, double> metrics_;  // of the last round, "validation:rmse"
  // For early stopping.
  std::string watched_;  // validation-rmse
  int best_round_ = -1;
  double best_value_ = 0;
  std::string resumed_;                        // the model of the checkpoint
  std::vector<std::string> models_;            // done: one, or those of a cross-validation so far
  std::map<std::string, double> metric_sums_;  // over them
  bool stopped_ = false;
  Checkpoints checkpoints_;
};

Status Training::Run() {
  if (Status s = TrainAndSave(); !s || !communicator_) return s;
  // Nobody's tracker goes before it has heard from all that they are done.
  communicator_.reset();
  const auto done = request_.group->AllGather("");
  return done ? Status() : Status(done.error());
}

Status Training::TrainAndSave() {
  if (Status s = LoadLibrary(); !s) return s;
  const ChannelReader reader({"xgboost", kChannels, kFormats, Supervision::kSupervised, kRowsPerHostMin}, request_,
                             observer_);
  if (Status s = reader.CheckNames(); !s) return s;
  auto rows = ReadRows(reader, settings_, threads_);
  if (!rows) return rows.error();
  rows_.emplace(std::move(*rows));
  rows_of_all_ = rows_->channels[0].rows_of_all;
  std::string sizes;
  for (const ChannelRows& channel : rows_->channels) {
    sizes +=
        (sizes.empty() ? "" : ", ") + std::to_string(channel.rows_of_all) + " rows of " + std::string(channel.name);
  }
  observer_.OnLogLine(sizes + ", " + std::to_string(rows_->columns) + " columns; " + std::to_string(settings_.rounds) +
                      " rounds on " + std::to_string(threads_) + " threads");
  if (Status s = JoinHosts(); !s) return s;
  if (Status s = Resume(); !s) return s;
  if (settings_.folds > 0) {
    if (Status s = CrossValidate(); !s) return s;
    return Save();
  }
  auto model = TrainOne();
  if (!model) return model.error();
  models_.push_back(std::move(*model));
  return Save();
}

// All rounds on the rows at hand, from where the checkpoint was.
Result<std::string> Training::TrainOne() {
  auto booster = MakeBooster();
  if (!booster) return booster.error();
  if (Status s = TakeInitialModel(*booster); !s) return s.error();
  if (!resumed_.empty()) {
    if (Status s = booster->LoadModel(std::exchange(resumed_, {})); !s) return s.error();
    if (Status s = SetParameters(*booster); !s) return s.error();
    observer_.OnLogLine("resuming from iteration " + std::to_string(rounds_) + " of the checkpoint");
  }
  if (Status s = Boost(*booster); !s) return s.error();
  if (best_round_ < 0) return booster->SaveModel();
  const bool sliced = settings_.trees && best_round_ + 1 < rounds_;
  auto best = sliced ? booster->Slice(best_round_ + 1) : std::move(booster);
  if (!best) return best.error();
  if (Status s = best->SetAttribute("best_iteration", std::to_string(best_round_)); !s) return s.error();
  if (Status s = best->SetAttribute("best_score", std::to_string(best_value_)); !s) return s.error();
  return best->SaveModel();
}

Status Training::CrossValidate() {
  if (request_.group->size() > 1) {
    return Error(ErrorCode::kInvalidArgument, "_kfold: folds are cut of one host's rows; InstanceCount must be 1");
  }
  if (!request_.initial_model.empty()) {
    return Error(ErrorCode::kInvalidArgument, "_kfold: a cross-validation cannot go on from channel 'model'");
  }
  const TrainingRows all = std::move(*rows_);
  if (all.channels[0].labels.size() < static_cast<size_t>(settings_.folds)) {
    return Error(ErrorCode::kInvalidArgument, "_kfold: " + std::to_string(all.channels[0].labels.size()) +
                                                  " rows cannot be dealt into " + std::to_string(settings_.folds) +
                                                  " folds");
  }
  SeededRandom random(static_cast<uint64_t>(settings_.seed));
  for (int repeat = 0; repeat < settings_.cv_rounds && !stopped_; ++repeat) {
    const std::vector<int> fold_of_row =
        DealFolds(all.channels[0].labels, settings_.task != Task::kRegression, settings_.folds, random);
    for (int fold = 0; fold < settings_.folds && !stopped_; ++fold) {
      if (repeat * settings_.folds + fold < static_cast<int>(models_.size())) continue;  // the checkpoint has it
      observer_.OnLogLine("fold " + std::to_string(fold + 1) + " of " + std::to_string(settings_.folds) + ", round " +
                          std::to_string(repeat + 1) + " of " + std::to_string(settings_.cv_rounds));
      if (Status s = TrainFold(all, fold_of_row, fold); !s) return s;
    }
  }
  PublishMeans();
  return {};
}

Status Training::TrainFold(const TrainingRows& all, std::span<const int> fold_of_row, int fold) {
  const ChannelRows& source = all.channels[0];
  TrainingRows rows{.channels = {}, .columns = all.columns, .classes = all.classes, .table = all.table};
  for (const bool held_out : {false, true}) {
    const std::vector<int> picked = RowsOfFold(fold_of_row, fold, held_out);
    auto matrix = source.matrix.Slice(picked);
    if (!matrix) return matrix.error();
    std::vector<float> labels;
    labels.reserve(picked.size());
    for (const int row : picked) labels.push_back(source.labels[static_cast<size_t>(row)]);
    rows.channels.push_back({kChannels[held_out ? 1 : 0], std::move(*matrix), std::move(labels), picked.size(), false});
  }
  rows_.emplace(std::move(rows));
  if (resumed_.empty()) {
    rounds_ = 0;
    best_round_ = -1;
    metrics_.clear();
  }
  auto model = TrainOne();
  // Stopped before a first round: the models that are there are an ensemble.
  if (!model && model.error().code() == ErrorCode::kCancelled && !models_.empty()) return {};
  if (!model) return model.error();
  models_.push_back(std::move(*model));
  for (const auto& [name, value] : metrics_) metric_sums_[name] += value;
  return {};
}

// What the whole is judged by: means over the models, which stand in the log as a round does.
void Training::PublishMeans() {
  std::string line = "mean of " + std::to_string(models_.size()) + " models: [" + std::to_string(rounds_) + "]";
  for (const auto& [name, sum] : metric_sums_) {
    const double mean = sum / static_cast<double>(models_.size());
    metrics_[name] = mean;
    char text[40];
    std::snprintf(text, sizeof text, "%.6g", mean);
    const size_t colon = name.find(':');
    line += "\t" + name.substr(0, colon) + "-" + name.substr(colon + 1) + ":" + text;
  }
  observer_.OnLogLine(line);
  for (const auto& [name, mean] : metrics_) observer_.OnMetric(name, mean);
}

double Training::Progress(double of_this_model) const {
  return kReadingShare +
         (1 - kReadingShare) * (static_cast<double>(models_.size()) + of_this_model) / settings_.models();
}

// The library has a way of its own by which its boosters work together; the head keeps the place where they meet.
Status Training::JoinHosts() {
  if (!rows_->channels[0].divided) return {};
  collective::Group& group = *request_.group;
  if (group.rank() == 0) {
    auto tracker = Tracker::Start(group.address(), group.size());
    if (!tracker) return tracker.error();
    tracker_ = std::move(*tracker);
  }
  const auto address = collective::Broadcast(group, group.address());
  if (!address) return address.error();
  const auto ports = collective::AllGatherValues<uint16_t>(group, tracker_ == nullptr ? 0 : tracker_->port());
  if (!ports) return ports.error();
  const auto token = collective::Broadcast(group, tracker_ == nullptr ? std::string() : tracker_->token());
  if (!token) return token.error();
  auto joined = Communicator::Join(*address, ports->front(), *token, group.rank(), group.size());
  if (!joined) return joined.error();
  communicator_.emplace(std::move(*joined));
  return {};
}

Result<RoundEnd> Training::AgreeOnRound() {
  const RoundEnd mine{.stop = observer_.StopRequested(), .save = checkpoints_.Due()};
  return rows_->channels[0].divided ? Agree(*request_.group, *request_.group, mine) : mine;
}

Result<Booster> Training::MakeBooster() const {
  std::vector<const DMatrix*> matrices;
  for (const ChannelRows& channel : rows_->channels) matrices.push_back(&channel.matrix);
  auto booster = Booster::Create(matrices);
  if (!booster) return booster;
  if (Status s = SetParameters(*booster); !s) return s.error();
  return booster;
}

Status Training::SetParameters(Booster& booster) const {
  std::vector<std::pair<std::string, std::string>> parameters = settings_.parameters;
  parameters.emplace_back("nthread", std::to_string(threads_));
  if (settings_.task == Task::kMulticlass) parameters.emplace_back("num_class", std::to_string(rows_->classes));
  for (const std::string& metric : settings_.library_metrics) parameters.emplace_back("eval_metric", metric);
  for (const auto& [name, value] : parameters) {
    if (Status s = booster.Set(name, value); !s) return s;
  }
  return {};
}

Status Training::Boost(Booster& booster) {
  const uint64_t rows = rows_->channels[0].rows_of_all;
  const auto rows_read = [&] {
    return rows * (models_.size() * static_cast<uint64_t>(settings_.rounds) + static_cast<uint64_t>(rounds_));
  };
  const int rounds_end = first_round_ + settings_.rounds;
  auto end = AgreeOnRound();
  while (rounds_ < rounds_end) {
    if (!end) return end.error();
    if (end->stop) {
      observer_.OnStopAgreed();
      stopped_ = true;
      return rounds_ > 0 ? Status() : Status(Error(ErrorCode::kCancelled, "stopped before the first round"));
    }
    if (Status s = booster.Update(rounds_, rows_->channels[0].matrix); !s) return BlamedOn(settings_, s.error());
    const auto metrics = Evaluate(booster, rounds_);
    Log();
    if (!metrics) return BlamedOn(settings_, metrics.error());
    std::string line = "[" + std::to_string(rounds_) + "]";
    for (const Metric& metric : *metrics) {
      line += "\t" + metric.channel + "-" + metric.name + ":" + metric.text;
      metrics_[metric.channel + ":" + metric.name] = metric.value;
    }
    observer_.OnLogLine(line);
    for (const Metric& metric : *metrics) observer_.OnMetric(metric.channel + ":" + metric.name, metric.value);
    ++rounds_;
    observer_.OnProgress(Progress(static_cast<double>(rounds_ - first_round_) / settings_.rounds), rows_read());
    if (settings_.early_stopping_rounds && Worsens(*metrics, rounds_ - 1)) {
      observer_.OnLogLine("early stopping: " + watched_ + " is best in round " + std::to_string(best_round_) + ", " +
                          std::to_string(best_value_));
      observer_.OnProgress(Progress(1), rows_read());
      return {};
    }
    end = AgreeOnRound();
    if (end && end->save && rounds_ < rounds_end) {
      if (Status s = SaveCheckpoint(booster); !s) return s;
    }
  }
  return {};
}

Status Training::SaveCheckpoint(Booster& booster) {
  const auto model = booster.SaveModel();
  if (!model) return model.error();
  checkpoints_.Save([&](StateWriter& writer) {
    writer.Value(rounds_);
    writer.Value(best_round_);
    writer.Value(best_value_);
    writer.Text(*model);
    if (settings_.folds == 0) return;
    writer.Value(models_.size());
    for (const std::string& done : models_) writer.Text(done);
    writer.Text(DumpJson(metric_sums_));
  });
  return {};
}

Status Training::TakeInitialModel(Booster& booster) {
  if (request_.initial_model.empty()) return {};
  const auto bytes = ReadFile(request_.initial_model / kBoosterFile, kBoosterBytesMax);
  if (!bytes) return Error(ErrorCode::kInvalidArgument, "channel 'model': " + bytes.error().message());
  const auto model = TreeModel::Parse(*bytes);
  if (!model) return Error(ErrorCode::kInvalidArgument, "channel 'model': " + model.error().message());
  if (model->features() != rows_->columns) {
    return Error(ErrorCode::kInvalidArgument, "channel 'model': it is of " + std::to_string(model->features()) +
                                                  " columns where the data has " + std::to_string(rows_->columns));
  }
  if (Status s = booster.LoadModel(*bytes); !s) return s;
  if (Status s = SetParameters(booster); !s) return s;
  const auto rounds = booster.Rounds();
  if (!rounds) return rounds.error();
  // The library works on the trees that are there from the first on.
  const bool update =
      std::ranges::find(settings_.parameters, std::pair<std::string, std::string>{"process_type", "update"}) !=
      settings_.parameters.end();
  first_round_ = update ? 0 : *rounds;
  if (resumed_.empty()) rounds_ = first_round_;
  observer_.OnLogLine("training goes on from the " + std::to_string(*rounds) + " rounds of channel 'model'");
  return {};
}

// The library takes what it reads for its own.
bool Training::IsOfTheseRows(std::string_view model) const {
  const auto parsed = TreeModel::Parse(model);
  return parsed && parsed->features() == rows_->columns;
}

Status Training::Resume() {
  int rounds = 0;
  const auto resumed = checkpoints_.Resume([&](StateReader& reader) {
    reader.Value(rounds);
    reader.Value(best_round_);
    reader.Value(best_value_);
    reader.Text(resumed_);
    const bool fits = rounds >= 0 && best_round_ >= -1 && best_round_ < rounds && IsOfTheseRows(resumed_);
    if (!fits) return Status(UnfitCheckpoint());
    if (settings_.folds == 0) return Status();
    size_t done = 0;
    reader.Value(done);
    for (size_t i = 0; i < std::min(done, static_cast<size_t>(settings_.models())); ++i) {
      reader.Text(models_.emplace_back());
      if (!IsOfTheseRows(models_.back())) return Status(UnfitCheckpoint());
    }
    std::string sums;
    reader.Text(sums);
    auto json = ParseJson(sums);
    if (!json) return Status(json.error());
    for (const auto& [name, sum] : json->items()) {
      if (sum.is_number()) metric_sums_[name] = sum.get<double>();
    }
    return Status();
  });
  if (!resumed) return resumed.error();
  if (*resumed) rounds_ = rounds;
  return {};
}

// Of all channels, the library's metrics first.
Result<std::vector<Metric>> Training::Evaluate(Booster& booster, int round) {
  std::vector<const DMatrix*> matrices;
  std::vector<const char*> names;
  for (const ChannelRows& channel : rows_->channels) {
    matrices.push_back(&channel.matrix);
    names.push_back(channel.name.data());
  }
  const auto line = booster.Evaluate(round, matrices, names);
  if (!line) return line.error();
  std::vector<Metric> metrics = MetricsOf(*line);
  if (settings_.class_metrics.empty()) return metrics;
  for (const ChannelRows& channel : rows_->channels) {
    auto guesses = Guesses(booster, channel);
    if (!guesses) return guesses.error();
    std::vector<float> labels = channel.labels;
    if (channel.divided) {
      guesses = GatherValues(*request_.group, std::span<const float>(*guesses));
      auto all = GatherValues(*request_.group, std::span<const float>(labels));
      if (!guesses || !all) return guesses ? all.error() : guesses.error();
      labels = std::move(*all);
    }
    for (const std::string& name : settings_.class_metrics) {
      const double value = ClassMetric(name, labels, *guesses, rows_->classes);
      std::array<char, 32> text;
      const int size = std::snprintf(text.data(), text.size(), "%.5f", value);
      metrics.push_back({std::string(channel.name), name, std::string(text.data(), static_cast<size_t>(size)), value});
    }
  }
  return metrics;
}

// Predicted classes, or numbers for a regression.
Result<std::vector<float>> Training::Guesses(Booster& booster, const ChannelRows& channel) const {
  auto values = booster.Predict(channel.matrix);
  if (!values) return values;
  const size_t rows = channel.labels.size();
  if (rows == 0) return values;
  const size_t width = values->size() / rows;
  if (settings_.task == Task::kRegression) return values;
  const float cut = settings_.objective == "binary:logitraw" ? 0.0F : 0.5F;
  std::vector<float> guesses(rows);
  for (size_t r = 0; r < rows; ++r) {
    const auto row = values->begin() + static_cast<ptrdiff_t>(r * width);
    guesses[r] = width > 1 ? static_cast<float>(std::max_element(row, row + static_cast<ptrdiff_t>(width)) - row)
                 : settings_.task == Task::kMulticlass ? *row
                 : *row > cut                          ? 1.0F
                                                       : 0.0F;
  }
  return guesses;
}

// Whether the watched metric has not become better for so long that the training ends.
bool Training::Worsens(const std::vector<Metric>& metrics, int round) {
  // The last metric of the last channel, as XGBoost's own interfaces do; classes' metrics come last.
  const Metric& metric = metrics.back();
  watched_ = metric.channel + "-" + metric.name;
  const bool better = IsMaximised(metric.name) ? metric.value > best_value_ : metric.value < best_value_;
  if (best_round_ < 0 || better) {
    best_round_ = round;
    best_value_ = metric.value;
  }
  return round - best_round_ >= *settings_.early_stopping_rounds;
}

Status Training::Save() const {
  Json metrics = Json::object();
  for (const auto& [name, value] : metrics_) metrics[name] = value;
  Json training = {{"hyperparameters", request_.hyperparameters},
                   {"rows", rows_of_all_},
                   {"rounds", rounds_},
                   {"metrics", std::move(metrics)}};
  if (best_round_ >= 0 && settings_.folds == 0) training["best_round"] = best_round_;
  return SaveXGBoostModel(models_, rows_->table, DumpJson(training), request_.model_dir);
}

void Training::Log() {
  for (const std::string& line : TakeLogLines()) observer_.OnLogLine(line);
}

// Folds are cut of all rows there are: those of the validation channel are more rows of train.
Result<TrainingRequest> WithOneChannel(TrainingRequest request) {
  const auto named = [&](std::string_view name) { return std::ranges::find(request.channels, name, &Channel::name); };
  const auto train = named("train");
  const auto validation = named("validation");
  if (train == request.channels.end() || validation == request.channels.end()) return request;
  if (train->content_type != validation->content_type || train->compression != validation->compression) {
    return Error(ErrorCode::kInvalidArgument,
                 "_kfold: channels 'train' and 'validation' must have the same content type and compression");
  }
  train->files.insert(train->files.end(), validation->files.begin(), validation->files.end());
  request.channels.erase(validation);
  return request;
}

}  // namespace

Status TrainXGBoost(const TrainingRequest& request, const XGBoostSettings& settings, TrainingObserver& observer) {
  if (settings.folds > 0) {
    const auto merged = WithOneChannel(request);
    return merged ? Training(*merged, settings, observer).Run() : Status(merged.error());
  }
  return Training(request, settings, observer).Run();
}

}  // namespace argosy::algorithms::xgboost
