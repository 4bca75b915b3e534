// Any text as a boosted model: it must be refused or predict without going astray.
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "algorithms/xgboost/tree_model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace argosy::algorithms::xgboost;
  const auto model = TreeModel::Parse(std::string_view(reinterpret_cast<const char*>(bytes), size));
  if (!model || model->features() > 1000 || model->outputs() > 1000) return 0;
  std::vector<float> rows(2 * model->features(), 1.0F);
  rows[0] = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> values(2 * model->outputs());
  model->Predict(rows, 2, values);
  return 0;
}
