// What a user says of a table beyond SageMaker's rule (label first, numbers only, no header): the hyperparameters that
// all supervised algorithms share, and those of the unsupervised ones.
#pragma once

#include <string_view>
#include <vector>

#include "algorithms/hyperparameters.h"
#include "data/table_probe.h"

namespace argosy::algorithms {

struct TableSettings {
  data::ProbeOptions options;
  bool label_text = false;  // text labels are collected and numbered
};

enum class LabelMeaning {
  kNumber,
  kClass,  // an integer, or text by argosy_label_map
};

// argosy_header, argosy_label, argosy_label_map, argosy_categorical. `category_doc`: what becomes of a categorical
// column ("encoded as one feature per category").
std::vector<HyperparameterSpec> TableHyperparameters(std::string_view category_doc);

// kInvalidArgument names the hyperparameter.
Result<TableSettings> ParseTableSettings(const ParsedHyperparameters& values, LabelMeaning meaning);

// argosy_header and argosy_label of an algorithm that learns without labels.
std::vector<HyperparameterSpec> UnlabelledTableHyperparameters();

// `has_label` where argosy_label names a column: it is there and not looked at.
data::ProbeOptions ParseUnlabelledTable(const ParsedHyperparameters& values);

}  // namespace argosy::algorithms
