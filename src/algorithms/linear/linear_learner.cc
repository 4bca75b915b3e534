#include "algorithms/linear/linear_learner.h"

#include "algorithms/linear/evaluation.h"
#include "algorithms/linear/linear_model.h"
#include "algorithms/linear/linear_predictor.h"
#include "algorithms/linear/settings.h"
#include "algorithms/linear/trainer.h"

namespace argosy::algorithms::linear {

Status LinearLearner::Validate(const Hyperparameters& hyperparameters) const {
  const auto settings = ParseLinearSettings(hyperparameters, 0);
  return settings ? Status() : Status(settings.error());
}

std::vector<LoggedMetric> LinearLearner::Metrics(const Hyperparameters& hyperparameters) const {
  const auto settings = ParseLinearSettings(hyperparameters, 0);
  if (!settings) return {};
  const auto logged = [](std::string_view channel, std::string_view words) {
    return R"(#quality_metric: host=\S+, (?:epoch=\d+, )?)" + std::string(channel) + " " + std::string(words) +
           R"(>=(\S+))";
  };
  const std::string objective = std::string(ObjectiveName(*settings)) + " <loss";
  std::vector<LoggedMetric> metrics = {{"train:objective_loss", logged("train", objective)}};
  for (const std::string_view channel : {"validation", "test"}) {
    for (const std::string& name : MetricNames(settings->predictor)) {
      const bool loss = name == "objective_loss";
      metrics.push_back({std::string(channel) + ":" + name, logged(channel, loss ? objective : name + " <score")});
    }
  }
  return metrics;
}

Status LinearLearner::Train(const TrainingRequest& request, TrainingObserver& observer) const {
  const auto settings = ParseLinearSettings(request.hyperparameters, request.seed);
  if (!settings) return settings.error();
  auto model = TrainLinearModel(request, *settings, observer);
  if (!model) return model.error();
  return SaveLinearModel(*model, request.model_dir);
}

Result<std::unique_ptr<model::Predictor>> LinearLearner::Load(const std::filesystem::path& model_dir) const {
  auto model = LoadLinearModel(model_dir);
  if (!model) return model.error();
  return std::unique_ptr<model::Predictor>(new LinearPredictor(std::move(*model)));
}

std::string LinearLearner::HyperparameterTable() const {
  return RenderHyperparameterTable(LinearHyperparameters());
}

}  // namespace argosy::algorithms::linear
