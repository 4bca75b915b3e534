// Metrics that SageMaker's XGBoost has beside the library's: of classes and of numbers, as scikit-learn defines them.
#pragma once

#include <span>
#include <string_view>

namespace argosy::algorithms::xgboost {

bool IsClassMetric(std::string_view name);       // one of this file
bool IsRegressionMetric(std::string_view name);  // mse, r2: of numbers

// Of true and predicted labels: class numbers below `classes`, or any numbers for regression metrics. precision, recall
// and f1 are of class 1 when there are two classes, else the classes' plain mean (macro). A ratio of nothing is 0.
double ClassMetric(std::string_view name, std::span<const float> labels, std::span<const float> predicted,
                   size_t classes);

}  // namespace argosy::algorithms::xgboost
