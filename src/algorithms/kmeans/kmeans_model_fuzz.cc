// Bytes of a stranger as a k-means artifact, and as a request to a model of one's own.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "algorithms/kmeans/kmeans_predictor.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace argosy::algorithms::kmeans;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto model = ParseKMeansModel(bytes, R"({"format":"argosy-kmeans","version":1})");
  if (model.ok()) KMeansPredictor predictor(*model);
  static const KMeansPredictor own({.k = 2, .feature_dim = 3, .centers = {0, 0, 0, 1, 1, 1}, .training_json = ""});
  for (const char* type :
       {"text/csv", "application/json", "application/jsonlines", "application/x-recordio-protobuf"}) {
    (void)own.Predict(type, type, bytes);
  }
  return 0;
}
