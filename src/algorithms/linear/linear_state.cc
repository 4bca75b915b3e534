#include "algorithms/linear/linear_state.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "algorithms/linear/loss.h"
#include "base/state_bytes.h"
#include "data/table_schema.h"

namespace argosy::algorithms::linear {
namespace {

constexpr double kEpsilon = 1e-8;      // of adam and rmsprop, as in their papers
constexpr double kMinimumRate = 0.01;  // of the automatic schedule, relative to the initial rate

std::string FormatShort(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

}  // namespace

std::string ModelVariant::Describe() const {
  return "learning_rate=" + FormatShort(learning_rate) + " wd=" + FormatShort(wd) + " l1=" + FormatShort(l1) +
         " positive_example_weight_mult=" + FormatShort(positive_weight);
}

Schedule::Schedule(const OptimizerSettings& settings, uint64_t steps)
    : settings_(settings), steps_(std::max<uint64_t>(1, steps)) {}

double Schedule::Rate(double learning_rate, uint64_t step) const {
  if (!settings_.use_scheduler) return learning_rate;
  const double minimum = settings_.scheduler_minimum > 0 ? std::min(settings_.scheduler_minimum, learning_rate)
                                                         : learning_rate * kMinimumRate;
  if (settings_.scheduler_step) {
    const uint64_t whole = step / static_cast<uint64_t>(*settings_.scheduler_step);
    const auto reductions = static_cast<double>(whole);
    return std::max(minimum, learning_rate * std::pow(settings_.scheduler_factor, reductions));
  }
  // Half a cosine (Loshchilov and Hutter, "SGDR", 2017, without restarts).
  const double done = std::min(1.0, static_cast<double>(step) / static_cast<double>(steps_));
  return minimum + (learning_rate - minimum) * (1 + std::cos(std::numbers::pi * done)) / 2;
}

void AddOutputs(const ModelShape& shape, const float* parameters, const RowBatch& batch, float* outputs) {
  const size_t stride = shape.stride();
  AddDots(batch.numeric.data(), batch.rows, shape.numeric_padded(), parameters, stride, shape.outputs, outputs);
  const float* const categories = parameters + shape.numeric_padded();
  for (size_t r = 0; r < batch.rows; ++r) {
    float* const row = outputs + r * shape.outputs;
    for (size_t o = 0; o < shape.outputs; ++o) row[o] += parameters[o * stride + shape.bias()];
    for (size_t c = 0; c < shape.categorical; ++c) {
      const uint32_t category = batch.categories[r * shape.categorical + c];
      if (category == data::kUnseenCategory) continue;
      for (size_t o = 0; o < shape.outputs; ++o) row[o] += categories[o * stride + category];
    }
  }
}

LinearState::LinearState(const ModelShape& shape, const LinearSettings& settings, const Schedule& schedule,
                         ModelVariant variant, Random& random)
    : shape_(shape),
      settings_(&settings),
      schedule_(&schedule),
      variant_(variant),
      parameters_(shape.parameters()),
      gradient_(shape.parameters()) {
  if (settings.optimizer.kind != OptimizerKind::kRmsprop) first_moment_.resize(shape.parameters());
  if (settings.optimizer.kind != OptimizerKind::kSgd) second_moment_.resize(shape.parameters());
  const auto draw = [&] {
    return static_cast<float>(settings.init_method == InitMethod::kNormal
                                  ? random.Normal() * settings.init_sigma
                                  : (random.Uniform() * 2 - 1) * settings.init_scale);
  };
  for (size_t o = 0; o < shape.outputs; ++o) {
    float* const output = parameters_.data() + o * shape.stride();
    // Padding stays zero, and is kept so by its zero gradient.
    for (size_t j = 0; j < shape.numeric; ++j) output[j] = draw();
    for (size_t j = 0; j < shape.categories; ++j) output[shape.numeric_padded() + j] = draw();
    output[shape.bias()] = settings.use_bias ? static_cast<float>(settings.init_bias) : 0.0F;
  }
}

void LinearState::Update(const RowBatch& batch) {
  const size_t outputs = shape_.outputs;
  const size_t stride = shape_.stride();
  outputs_.assign(batch.rows * outputs, 0.0F);
  AddOutputs(shape_, parameters_.data(), batch, outputs_.data());

  const float* weights = batch.weights.data();
  if (variant_.positive_weight != 1) {
    weights_.assign(batch.weights.begin(), batch.weights.begin() + static_cast<ptrdiff_t>(batch.rows));
    for (size_t r = 0; r < batch.rows; ++r) {
      if (batch.labels[r] > 0.5F) weights_[r] *= static_cast<float>(variant_.positive_weight);
    }
    weights = weights_.data();
  }
  double weight = 0;
  for (size_t r = 0; r < batch.rows; ++r) weight += weights[r];
  loss_.weighted_sum +=
      ReplaceByResiduals(settings_->loss, outputs_.data(), batch.rows, outputs, batch.labels.data(), weights);
  loss_.weight += weight;
  rows_ += batch.rows;
  if (weight <= 0) return;

  std::fill(gradient_.begin(), gradient_.end(), 0.0F);
  AddOuter(batch.numeric.data(), batch.rows, shape_.numeric_padded(), outputs_.data(), outputs, gradient_.data(),
           stride);
  float* const categories = gradient_.data() + shape_.numeric_padded();
  for (size_t r = 0; r < batch.rows; ++r) {
    const float* const residuals = outputs_.data() + r * outputs;
    if (settings_->use_bias) {
      for (size_t o = 0; o < outputs; ++o) gradient_[o * stride + shape_.bias()] += residuals[o];
    }
    for (size_t c = 0; c < shape_.categorical; ++c) {
      const uint32_t category = batch.categories[r * shape_.categorical + c];
      if (category == data::kUnseenCategory) continue;
      for (size_t o = 0; o < outputs; ++o) categories[o * stride + category] += residuals[o];
    }
  }
  Step(weight);
}

void LinearState::Step(double weight) {
  const OptimizerSettings& optimizer = settings_->optimizer;
  const size_t n = shape_.parameters();
  const size_t stride = shape_.stride();
  const size_t bias = shape_.bias();
  Scale(static_cast<float>(1 / weight), gradient_.data(), n);
  std::vector<float>& biases = outputs_;  // no longer needed
  biases.resize(std::max(biases.size(), shape_.outputs));
  for (size_t o = 0; o < shape_.outputs; ++o) biases[o] = parameters_[o * stride + bias];
  if (variant_.wd > 0) {
    std::vector<float> bias_gradients(shape_.outputs);
    for (size_t o = 0; o < shape_.outputs; ++o) {
      bias_gradients[o] =
          gradient_[o * stride + bias] + static_cast<float>(variant_.wd * optimizer.bias_wd_mult) * biases[o];
    }
    AddScaled(static_cast<float>(variant_.wd), parameters_.data(), gradient_.data(), n);
    for (size_t o = 0; o < shape_.outputs; ++o) gradient_[o * stride + bias] = bias_gradients[o];
  }
  const double rate = schedule_->Rate(variant_.learning_rate, steps_++);
  switch (optimizer.kind) {
    case OptimizerKind::kAdam: {
      // Both bias corrections go into the rate: m/(1-β₁ᵗ) / (√(v/(1-β₂ᵗ)) + ε) = m·√(1-β₂ᵗ)/(1-β₁ᵗ) / (√v +
      // ε·√(1-β₂ᵗ)).
      const auto t = static_cast<double>(steps_);
      const double second = optimizer.beta_2 < 1 ? std::sqrt(1 - std::pow(optimizer.beta_2, t)) : 1;
      const double first = optimizer.beta_1 < 1 ? 1 - std::pow(optimizer.beta_1, t) : 1;
      ApplyAdam({.lr = static_cast<float>(rate * second / first),
                 .beta_1 = static_cast<float>(optimizer.beta_1),
                 .beta_2 = static_cast<float>(optimizer.beta_2),
                 .epsilon = static_cast<float>(kEpsilon * second)},
                gradient_.data(), first_moment_.data(), second_moment_.data(), parameters_.data(), n);
      break;
    }
    case OptimizerKind::kRmsprop:
      ApplyRmsprop(static_cast<float>(rate), static_cast<float>(optimizer.beta_2), static_cast<float>(kEpsilon),
                   gradient_.data(), second_moment_.data(), parameters_.data(), n);
      break;
    case OptimizerKind::kSgd:
      ApplySgd(static_cast<float>(rate), static_cast<float>(optimizer.momentum), gradient_.data(), first_moment_.data(),
               parameters_.data(), n);
      break;
  }
  for (size_t o = 0; o < shape_.outputs; ++o) {
    float& now = parameters_[o * stride + bias];
    const float before = biases[o];
    now = before + (now - before) * static_cast<float>(optimizer.bias_lr_mult);
    biases[o] = now;
  }
  if (variant_.l1 > 0) {
    SoftThreshold(static_cast<float>(rate * variant_.l1), parameters_.data(), n);
    for (size_t o = 0; o < shape_.outputs; ++o) parameters_[o * stride + bias] = biases[o];
  }
}

void LinearState::Merge(const LinearState& other) {
  if (rows_ + other.rows_ > 0) {
    const double mine = static_cast<double>(rows_) / static_cast<double>(rows_ + other.rows_);
    const auto average = [&](std::vector<float>& to, const std::vector<float>& from) {
      Scale(static_cast<float>(mine), to.data(), to.size());
      AddScaled(static_cast<float>(1 - mine), from.data(), to.data(), to.size());
    };
    average(parameters_, other.parameters_);
    average(first_moment_, other.first_moment_);
    average(second_moment_, other.second_moment_);
  }
  rows_ += other.rows_;
  steps_ = std::max(steps_, other.steps_);
  loss_.weighted_sum += other.loss_.weighted_sum;
  loss_.weight += other.loss_.weight;
}

void LinearState::SetParameters(std::vector<float> parameters) {
  Check(parameters.size() == parameters_.size(), "parameters of another shape");
  parameters_ = std::move(parameters);
}

void LinearState::Adopt(const LinearState& merged) {
  if (this != &merged) {
    parameters_ = merged.parameters_;
    first_moment_ = merged.first_moment_;
    second_moment_ = merged.second_moment_;
    steps_ = merged.steps_;
  }
  rows_ = 0;
  loss_ = {};
}

double LinearState::Penalty() const {
  double penalty = 0;
  for (size_t o = 0; o < shape_.outputs; ++o) {
    const float* const output = parameters_.data() + o * shape_.stride();
    for (size_t j = 0; j < shape_.bias(); ++j) {
      const double weight = output[j];
      penalty += variant_.wd / 2 * weight * weight + variant_.l1 * std::abs(weight);
    }
    const double bias = output[shape_.bias()];
    penalty += variant_.wd * settings_->optimizer.bias_wd_mult / 2 * bias * bias;
  }
  return penalty;
}

std::string LinearState::Save() const {
  StateWriter writer("linear-learner");
  const uint64_t counts[] = {steps_, rows_};
  const double losses[] = {loss_.weighted_sum, loss_.weight};
  writer.Values(std::span<const uint64_t>(counts));
  writer.Values(std::span<const double>(losses));
  writer.Values(std::span<const float>(parameters_));
  writer.Values(std::span<const float>(first_moment_));
  writer.Values(std::span<const float>(second_moment_));
  return writer.Finish();
}

Status LinearState::Load(std::string_view bytes) {
  StateReader reader("linear-learner", bytes);
  LinearState loaded = *this;
  uint64_t counts[2] = {};
  double losses[2] = {};
  reader.Values(std::span<uint64_t>(counts));
  reader.Values(std::span<double>(losses));
  reader.Values(std::span<float>(loaded.parameters_));
  reader.Values(std::span<float>(loaded.first_moment_));
  reader.Values(std::span<float>(loaded.second_moment_));
  if (Status status = reader.Finish(); !status) return status;
  loaded.steps_ = counts[0];
  loaded.rows_ = counts[1];
  loaded.loss_ = {losses[0], losses[1]};
  *this = std::move(loaded);
  return {};
}

}  // namespace argosy::algorithms::linear
