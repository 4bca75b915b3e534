// Any bytes as the three files of an artifact, and any bytes as a request to what loads: an answer or an error.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "algorithms/linear/linear_model.h"
#include "algorithms/linear/linear_predictor.h"

namespace {

using argosy::algorithms::linear::LinearModel;
using argosy::algorithms::linear::LinearPredictor;

// Pieces divided by a byte that is none of JSON's.
std::string_view TakePiece(std::string_view& bytes) {
  const size_t at = bytes.find('\xfe');
  const std::string_view piece = bytes.substr(0, at);
  bytes = at == std::string_view::npos ? std::string_view() : bytes.substr(at + 1);
  return piece;
}

const LinearPredictor& SamplePredictor() {
  static const LinearPredictor predictor([] {
    LinearModel model;
    model.predictor = argosy::algorithms::linear::PredictorType::kBinaryClassifier;
    model.loss = argosy::algorithms::linear::LossKind::kLogistic;
    model.weights = {2, -1, 10, -20};
    model.biases = {0.5};
    model.mean = {1, 2};
    model.scale = {1, 0.5};
    model.fill = {7, 7};
    model.clip = 3;
    model.raw_rows = true;
    model.schema.columns = {{"x", argosy::data::ColumnKind::kNumeric, {}},
                            {"p", argosy::data::ColumnKind::kCategorical, {"3", "tcp"}},
                            {"y", argosy::data::ColumnKind::kNumeric, {}}};
    model.schema.label_position = 2;
    model.schema.label = *argosy::data::ParseLabelMap("n=normal,*=attack");
    return model;
  }());
  return predictor;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const uint8_t choice = data[0];
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (choice < 64) {
    const std::string_view model_json = TakePiece(bytes);
    const std::string_view schema_json = TakePiece(bytes);
    const std::string_view request = TakePiece(bytes);
    auto model = argosy::algorithms::linear::ParseLinearModel(bytes, model_json, schema_json);
    if (model.ok()) (void)LinearPredictor(std::move(*model)).Predict("text/csv", "", request);
    return 0;
  }
  constexpr std::string_view kTypes[] = {"text/csv", "application/json", "application/jsonlines"};
  constexpr std::string_view kAccepts[] = {"", "text/csv", "application/jsonlines"};
  (void)SamplePredictor().Predict(kTypes[choice % 3], kAccepts[choice / 3 % 3], bytes);
  std::string out;
  (void)SamplePredictor().PredictCsvRow(bytes.substr(0, bytes.find('\n')), out);
  return 0;
}
