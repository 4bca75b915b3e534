// A loaded artifact that answers requests in the containers' formats.
//
// Lifecycle: made by Algorithm::Load (algorithms/algorithm.h) from the files of an artifact; immutable afterwards but
// for its counters, so any number of threads may ask at once. Work and memory of one request are bounded by the size of
// its body. Nothing here reads a file or waits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace argosy::model {

struct Prediction {
  std::string content_type;  // of `body`: application/json, application/jsonlines or text/csv
  std::string body;
};

// What the request is answered with instead: 400 body does not fit the model, 406 Accept, 415 Content-Type, 500 a fault
// of the model.
struct PredictionError {
  int status;
  std::string message;
};

using PredictionResult = std::variant<Prediction, PredictionError>;

class Predictor {
 public:
  virtual ~Predictor() = default;

  // Answers all rows of `body` in order, or none. `content_type` may carry parameters or be empty (text/csv is meant);
  // `accept` may be a list with weights, `*/*` or empty (application/json is meant). Thread-safe.
  virtual PredictionResult Predict(std::string_view content_type, std::string_view accept,
                                   std::string_view body) const = 0;

  // One CSV row without its line end, answered as one CSV line without its line end and appended to `out`: the fast
  // path, which allocates nothing once `out` has room. False when the row does not fit the model (Predict says why);
  // `out` is then as it was.
  [[nodiscard]] virtual bool PredictCsvRow(std::string_view row, std::string& out) const = 0;

  // Fields whose category the training data did not have, over the predictor's life.
  virtual uint64_t unseen_categories() const = 0;
};

}  // namespace argosy::model
