// What XGBoost 1.7 itself finds fault with, found before a training begins: what may stand in hyperparameters that are
// text, and values that do not go together. Left to the library it would be said once all data is read, about its
// source files and without the hyperparameter's name.
#pragma once

#include "algorithms/hyperparameters.h"
#include "base/result.h"

namespace argosy::algorithms::xgboost {

// kInvalidArgument naming the hyperparameter, its value and the rule.
Status CheckLibraryRules(const ParsedHyperparameters& values);

// Whether `metric`, of a name that the library has, can be had of this objective's predictions, and what follows its @
// is what the library reads there.
Status CheckLibraryMetric(std::string_view metric, std::string_view objective);

}  // namespace argosy::algorithms::xgboost
