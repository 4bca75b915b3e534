// Trainings that go on from an earlier artifact.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "algorithms/kmeans/kmeans_model.h"
#include "algorithms/linear/linear_model.h"
#include "algorithms/pca/pca_model.h"
#include "algorithms/test_observer.h"
#include "base/files.h"
#include "base/json.h"
#include "base/random.h"
#include "data/test_files.h"

namespace argosy::algorithms {
namespace {

using testing::HasSubstr;

class InitialModelTest : public testing::Test {
 protected:
  // Trains into a directory of its own and gives that.
  std::filesystem::path Train(const std::string& algorithm, const Hyperparameters& hyperparameters,
                              const std::string& type, const std::string& text,
                              const std::filesystem::path& initial = {}) {
    TrainingRequest request;
    request.hyperparameters = hyperparameters;
    request.scratch_dir = directory_.path();
    request.threads = 2;
    request.model_dir = directory_.path() / ("model-" + std::to_string(++models_));
    request.initial_model = initial;
    std::filesystem::create_directories(request.model_dir);
    request.channels = {{"train", type, "", {directory_.Write("train-" + std::to_string(models_), text)}}};
    const Status trained = FindAlgorithm(algorithm)->Train(request, *(observer_ = std::make_unique<TestObserver>()));
    fault_ = trained.ok() ? "" : trained.error().message();
    return request.model_dir;
  }

  // y = 3 a - 2 b + 5 with a little noise; a has a large mean.
  static std::string Line(int rows, uint64_t seed, const std::string& end = "\n") {
    SeededRandom random(seed);
    std::string text;
    for (int i = 0; i < rows; ++i) {
      const double a = 100 + 10 * random.Normal();
      const double b = random.Normal();
      text += std::to_string(3 * a - 2 * b + 5 + 0.01 * random.Normal()) + "," + std::to_string(a) + "," +
              std::to_string(b) + end;
    }
    return text;
  }
  // Rows spread by 10 along (1, 1, 0), by 2 along (1, -1, 0) and by 0.1 else, around `mean`.
  static std::string Cloud(int rows, double mean, uint64_t seed) {
    SeededRandom random(seed);
    std::string text;
    for (int i = 0; i < rows; ++i) {
      const double u = 10 * random.Normal();
      const double v = 2 * random.Normal();
      text += std::to_string(mean + (u + v) / std::sqrt(2.0)) + "," + std::to_string(mean + (u - v) / std::sqrt(2.0)) +
              "," + std::to_string(0.1 * random.Normal()) + "\n";
    }
    return text;
  }

  const data::TestDirectory directory_;
  std::unique_ptr<TestObserver> observer_;  // of the last training
  std::string fault_;
  int models_ = 0;
};

TEST_F(InitialModelTest, ALinearModelGoesOnWithWhatItKnows) {
  const Hyperparameters patient = {{"predictor_type", "regressor"}, {"epochs", "40"}, {"mini_batch_size", "50"}};
  // One epoch with a tiny rate: what it ends with is what it began with.
  const Hyperparameters still = {
      {"predictor_type", "regressor"}, {"epochs", "1"}, {"mini_batch_size", "50"}, {"learning_rate", "1e-9"}};
  const auto first = Train("linear-learner", patient, "text/csv", Line(3000, 1));
  ASSERT_EQ(fault_, "");
  const auto loss = [&](const std::filesystem::path& initial) {
    Train("linear-learner", still, "text/csv", Line(2000, 2), initial);
    EXPECT_EQ(fault_, "");
    return observer_->Metric("train:objective_loss");
  };
  const double anew = loss({});
  const double on = loss(first);
  EXPECT_GT(anew, 0.3);
  EXPECT_LT(on, 0.01);
  EXPECT_TRUE(observer_->HasLine("goes on from the model"));
  const auto model = linear::LoadLinearModel(directory_.path() / ("model-" + std::to_string(models_)));
  ASSERT_TRUE(model.ok());
  EXPECT_NEAR(model->weights[0], 3, 0.1);
  EXPECT_NEAR(model->weights[1], -2, 0.3);
}

TEST_F(InitialModelTest, AClassifiersFeaturesStayCutOffAsTheyWere) {
  std::string text;
  std::string other;
  SeededRandom random(3);
  for (int i = 0; i < 4000; ++i) {
    const double x = random.Normal();
    const char* colour = i % 3 == 0 ? "red" : "blue";
    (i < 3000 ? text : other) += std::string(x + (i % 3 == 0 ? 1 : 0) > 0.5 ? "1" : "0") + "," +
                                 std::to_string(x * 50) + "," + (i >= 3000 && i % 7 == 0 ? "green" : colour) + "\n";
  }
  Hyperparameters settings = {{"predictor_type", "binary_classifier"},
                              {"epochs", "10"},
                              {"mini_batch_size", "50"},
                              {"argosy_categorical", "auto"}};
  const auto first = Train("linear-learner", settings, "text/csv", text);
  ASSERT_EQ(fault_, "");
  settings["epochs"] = "1";
  settings["learning_rate"] = "1e-9";
  const auto second = Train("linear-learner", settings, "text/csv", other, first);
  ASSERT_EQ(fault_, "");
  const auto a = linear::LoadLinearModel(first);
  const auto b = linear::LoadLinearModel(second);
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_EQ(a->clip, b->clip);
  EXPECT_NEAR(a->mean[0], b->mean[0], 1e-4);
  EXPECT_NEAR(a->weights[0], b->weights[0], 1e-4);
  EXPECT_NEAR(a->weights[1], b->weights[1], 1e-4);  // blue
  EXPECT_NEAR(0, b->weights[2], 1e-4);              // green, which the first did not know
  EXPECT_NEAR(a->weights[2], b->weights[3], 1e-4);  // red
  Train("linear-learner", {{"predictor_type", "regressor"}}, "text/csv", Line(100, 1), first);
  EXPECT_THAT(fault_, HasSubstr("channel 'model': it is a binary_classifier"));
  settings.erase("argosy_categorical");
  Train("linear-learner", settings, "text/csv", "1,2,3\n0,3,4\n", first);
  EXPECT_THAT(fault_, HasSubstr("channel 'model': its columns are not those"));
}

TEST_F(InitialModelTest, CentresMoveToWhereTheRowsAreNow) {
  const auto around = [](double shift) {
    SeededRandom random(4);
    std::string text;
    for (int i = 0; i < 900; ++i) {
      text += std::to_string((i % 3) * 100 + shift + random.Normal()) + "," + std::to_string(random.Normal()) + "\n";
    }
    return text;
  };
  const Hyperparameters settings = {{"feature_dim", "2"}, {"k", "3"}};
  const auto first = Train("kmeans", settings, "text/csv;label_size=0", around(0));
  ASSERT_EQ(fault_, "");
  const auto second = Train("kmeans", settings, "text/csv;label_size=0", around(10), first);
  ASSERT_EQ(fault_, "");
  const auto a = kmeans::LoadKMeansModel(first);
  const auto b = kmeans::LoadKMeansModel(second);
  ASSERT_TRUE(a.ok() && b.ok());
  for (size_t c = 0; c < 3; ++c)
    EXPECT_NEAR(b->centers[2 * c], a->centers[2 * c] + 10, 0.2) << "the same cluster keeps its number";
  Train("kmeans", {{"feature_dim", "2"}, {"k", "4"}}, "text/csv;label_size=0", around(0), first);
  EXPECT_THAT(fault_, HasSubstr("channel 'model': it has 3 centres of 2 features where 4 of 2 are trained"));
}

TEST_F(InitialModelTest, ComponentsOfBothPartsAreThoseOfTheWhole) {
  const std::string a = Cloud(3000, 50, 5);
  const std::string b = Cloud(1500, 58, 6);
  for (const char* mode : {"regular", "randomized"}) {
    const Hyperparameters settings = {{"feature_dim", "3"},
                                      {"num_components", "2"},
                                      {"mini_batch_size", "100"},
                                      {"algorithm_mode", mode},
                                      {"extra_components", "1"}};
    const auto whole = pca::LoadPcaModel(Train("pca", settings, "text/csv;label_size=0", a + b));
    ASSERT_EQ(fault_, "");
    const auto first = Train("pca", settings, "text/csv;label_size=0", a);
    const auto both = pca::LoadPcaModel(Train("pca", settings, "text/csv;label_size=0", b, first));
    ASSERT_EQ(fault_, "");
    ASSERT_TRUE(whole.ok() && both.ok());
    EXPECT_EQ(both->rows, 4500U);
    for (size_t i = 0; i < 2; ++i) {
      EXPECT_NEAR(both->singular_values[i] / whole->singular_values[i], 1, 1e-3) << mode;
      EXPECT_NEAR(both->mean[i], whole->mean[i], 1e-3);
    }
    EXPECT_NEAR(both->total / whole->total, 1, 1e-4);
    double along = 0;
    for (size_t j = 0; j < 3; ++j) along += both->v[2 * j + 1] * whole->v[2 * j + 1];
    EXPECT_NEAR(std::abs(along), 1, 1e-4);
  }
}

TEST_F(InitialModelTest, BoostingAddsRounds) {
  std::string text;
  SeededRandom random(7);
  for (int i = 0; i < 500; ++i) {
    const double x = random.Normal();
    text += std::to_string(x * x) + "," + std::to_string(x) + "\n";
  }
  const auto settings = [](const char* rounds) {
    return Hyperparameters{{"num_round", rounds}, {"max_depth", "3"}, {"nthread", "1"}};
  };
  const auto at_once = Train("xgboost", settings("9"), "text/csv", text);
  const auto first = Train("xgboost", settings("4"), "text/csv", text);
  const auto second = Train("xgboost", settings("5"), "text/csv", text, first);
  ASSERT_EQ(fault_, "");
  EXPECT_TRUE(observer_->HasLine("goes on from the 4 rounds"));
  EXPECT_TRUE(observer_->HasLine("[8]\t"));
  EXPECT_EQ(*ReadFile(second / "xgboost-model", 1 << 20), *ReadFile(at_once / "xgboost-model", 1 << 20));
  Train("xgboost", settings("5"), "text/csv", "1,2,3\n2,3,4\n", first);
  EXPECT_THAT(fault_, HasSubstr("channel 'model': it is of 1 columns where the data has 2"));
  Train("xgboost", settings("5"), "text/csv", text, directory_.path());
  EXPECT_THAT(fault_, HasSubstr("channel 'model': "));
}

}  // namespace
}  // namespace argosy::algorithms
