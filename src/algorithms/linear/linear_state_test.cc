#include "algorithms/linear/linear_state.h"

#include <gtest/gtest.h>

#include <cmath>

#include "algorithms/linear/loss.h"
#include "algorithms/state.h"
#include "data/table_schema.h"

namespace argosy::algorithms::linear {
namespace {

constexpr ModelShape kShape{.numeric = 3, .categorical = 1, .categories = 4, .outputs = 2};

LinearSettings Softmax(OptimizerKind optimizer = OptimizerKind::kSgd) {
  LinearSettings settings;
  settings.predictor = PredictorType::kMulticlassClassifier;
  settings.loss.kind = LossKind::kSoftmax;
  settings.optimizer.kind = optimizer;
  settings.optimizer.use_scheduler = false;
  settings.optimizer.beta_1 = 0.9;
  settings.optimizer.beta_2 = 0.999;
  settings.optimizer.momentum = 0;
  return settings;
}

RowBatch RandomBatch(size_t rows, uint64_t seed) {
  SeededRandom random(seed);
  RowBatch batch;
  batch.rows = rows;
  batch.numeric.resize(rows * kShape.numeric_padded());
  for (size_t r = 0; r < rows; ++r) {
    for (size_t j = 0; j < kShape.numeric; ++j) {
      batch.numeric[r * kShape.numeric_padded() + j] = static_cast<float>(random.Normal());
    }
    batch.categories.push_back(r % 5 == 4 ? data::kUnseenCategory : static_cast<uint32_t>(random.Below(4)));
    batch.labels.push_back(static_cast<float>(random.Below(2)));
    batch.weights.push_back(1);
  }
  return batch;
}

struct Fixture {
  explicit Fixture(LinearSettings settings_in, ModelVariant variant = {0.1, 0, 0, 1})
      : settings(settings_in), schedule(settings.optimizer, 100), random(5) {
    state.emplace(kShape, settings, schedule, variant, random);
  }
  LinearSettings settings;
  Schedule schedule;
  SeededRandom random;
  std::optional<LinearState> state;
};

double LossOf(const std::vector<float>& parameters, const LinearSettings& settings, const RowBatch& batch) {
  std::vector<float> outputs(batch.rows * kShape.outputs);
  AddOutputs(kShape, parameters.data(), batch, outputs.data());
  double sum = 0;
  for (size_t r = 0; r < batch.rows; ++r) {
    sum += RowLoss(settings.loss, outputs.data() + r * kShape.outputs, kShape.outputs, batch.labels[r]);
  }
  return sum / static_cast<double>(batch.rows);
}

// A step of plain gradient descent shows the gradient; each of its elements is compared with a difference quotient.
TEST(LinearStateTest, StepFollowsTheGradient) {
  Fixture fixture(Softmax());
  const RowBatch batch = RandomBatch(13, 1);
  const std::vector<float> before = fixture.state->Finalize();
  fixture.state->Update(batch);
  const std::vector<float>& after = fixture.state->Finalize();
  for (size_t i = 0; i < before.size(); ++i) {
    std::vector<float> moved = before;
    constexpr float kStep = 1e-2F;
    moved[i] = before[i] + kStep;
    const double up = LossOf(moved, fixture.settings, batch);
    moved[i] = before[i] - kStep;
    const double down = LossOf(moved, fixture.settings, batch);
    const size_t place = i % kShape.stride();
    const bool padding = (place >= kShape.numeric && place < kShape.numeric_padded()) || place > kShape.bias();
    EXPECT_NEAR((before[i] - after[i]) / 0.1, padding ? 0 : (up - down) / (2 * kStep), 2e-3) << i;
  }
}

TEST(LinearStateTest, EveryOptimiserLowersTheLoss) {
  for (const OptimizerKind kind : {OptimizerKind::kSgd, OptimizerKind::kAdam, OptimizerKind::kRmsprop}) {
    Fixture fixture(Softmax(kind), {0.05, 0, 0, 1});
    const RowBatch batch = RandomBatch(50, 2);
    const double before = LossOf(fixture.state->Finalize(), fixture.settings, batch);
    for (int i = 0; i < 50; ++i) fixture.state->Update(batch);
    EXPECT_LT(LossOf(fixture.state->Finalize(), fixture.settings, batch), before - 0.01);
  }
}

TEST(LinearStateTest, PenaltiesShrinkWeightsAndLeaveTheBias) {
  const RowBatch batch = RandomBatch(200, 3);
  const auto train = [&](double l1, double wd) {
    Fixture fixture(Softmax(), {0.2, l1, wd, 1});
    for (int i = 0; i < 400; ++i) fixture.state->Update(batch);
    double sum = 0;
    size_t zeros = 0;
    const std::vector<float>& parameters = fixture.state->Finalize();
    for (size_t j = 0; j < kShape.numeric; ++j) {
      sum += std::abs(parameters[j]);
      zeros += parameters[j] == 0 ? 1 : 0;
    }
    return std::pair(sum, zeros);
  };
  const auto [plain, plain_zeros] = train(0, 0);
  const auto [decayed, decayed_zeros] = train(0, 1);
  const auto [sparse, sparse_zeros] = train(0.5, 0);
  EXPECT_LT(decayed, plain * 0.7);
  EXPECT_EQ(plain_zeros, 0U);
  EXPECT_EQ(sparse_zeros, kShape.numeric);
}

TEST(LinearStateTest, MergeAveragesByRowsAndSumsTheLoss) {
  Fixture fixture(Softmax());
  LinearState a = *fixture.state;
  LinearState b = *fixture.state;
  a.Update(RandomBatch(30, 4));
  b.Update(RandomBatch(10, 5));
  LinearState merged = a;
  merged.Merge(b);
  for (size_t i = 0; i < merged.Finalize().size(); ++i) {
    EXPECT_NEAR(merged.Finalize()[i], 0.75 * a.Finalize()[i] + 0.25 * b.Finalize()[i], 1e-6);
  }
  EXPECT_DOUBLE_EQ(merged.loss().weighted_sum, a.loss().weighted_sum + b.loss().weighted_sum);
  EXPECT_DOUBLE_EQ(merged.loss().weight, 40);
}

TEST(LinearStateTest, TreeOfAnyWidthHoldsEveryState) {
  struct Sum {
    int value = 0;
    void Merge(const Sum& other) { value += other.value; }
  };
  for (int count = 1; count <= 33; ++count) {
    std::vector<Sum> states(static_cast<size_t>(count));
    for (int i = 0; i < count; ++i) states[static_cast<size_t>(i)].value = 1 << (i % 20);
    int expected = 0;
    for (const Sum& s : states) expected += s.value;
    MergeInTree(std::span<Sum>(states));
    EXPECT_EQ(states[0].value, expected);
  }
}

TEST(LinearStateTest, BytesBringAStateBackMidway) {
  for (const OptimizerKind kind : {OptimizerKind::kSgd, OptimizerKind::kAdam, OptimizerKind::kRmsprop}) {
    Fixture fixture(Softmax(kind));
    LinearState straight = *fixture.state;
    straight.Update(RandomBatch(20, 6));
    Fixture other(Softmax(kind));
    ASSERT_TRUE(other.state->Load(straight.Save()).ok());
    straight.Update(RandomBatch(20, 7));
    other.state->Update(RandomBatch(20, 7));
    EXPECT_EQ(straight.Save(), other.state->Save());
    std::string broken = straight.Save();
    broken[broken.size() / 2] = static_cast<char>(broken[broken.size() / 2] ^ 1);
    EXPECT_EQ(other.state->Load(broken).error().code(), ErrorCode::kCorrupt);
    EXPECT_FALSE(other.state->Load("").ok());
  }
}

TEST(ScheduleTest, FallsAsToldOrAlongACosine) {
  OptimizerSettings settings;
  settings.scheduler_minimum = -1;
  const Schedule cosine(settings, 100);
  EXPECT_DOUBLE_EQ(cosine.Rate(1, 0), 1);
  EXPECT_NEAR(cosine.Rate(1, 50), 0.505, 1e-9);
  EXPECT_NEAR(cosine.Rate(1, 100), 0.01, 1e-9);
  EXPECT_NEAR(cosine.Rate(1, 1000), 0.01, 1e-9);
  settings.scheduler_step = 10;
  settings.scheduler_factor = 0.5;
  settings.scheduler_minimum = 0.2;
  const Schedule stepped(settings, 100);
  EXPECT_DOUBLE_EQ(stepped.Rate(1, 9), 1);
  EXPECT_DOUBLE_EQ(stepped.Rate(1, 10), 0.5);
  EXPECT_DOUBLE_EQ(stepped.Rate(1, 99), 0.2);
  settings.use_scheduler = false;
  EXPECT_DOUBLE_EQ(Schedule(settings, 100).Rate(1, 99), 1);
}

}  // namespace
}  // namespace argosy::algorithms::linear
