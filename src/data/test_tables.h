// Only for tests: how tables of text are to be read.
#pragma once

#include "data/table_probe.h"

namespace argosy::data {

// With names in the first line, of which "kind" is the label; whatever is no number is a category.
inline ProbeOptions TextTable() {
  ProbeOptions options;
  options.header = HeaderOption::kAuto;
  options.label = "kind";
  options.categorical_auto = true;
  options.label_kind = LabelKind::kText;
  return options;
}

}  // namespace argosy::data
