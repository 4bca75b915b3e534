// The rows of a request in SageMaker's shapes:
//
//   application/x-recordio-protobuf  the features of each record (data/recordio.h)
//   application/json                 {"instances": [<instance>, …]}
//   application/jsonlines            one <instance> per line
//   <instance>             {"features": [v, …]}
//                          {"data": {"features": {"values": [v, …]}}}
//                          {"data": {"features": {"keys": [k, …], "shape": [n], "values": [v, …]}}}, all others 0
//
// v is a number, or text for a categorical column, or null for a missing value.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "model/predictor.h"

namespace argosy::model {

struct FieldValue {
  enum class Kind : uint8_t { kNumber, kText, kMissing };
  Kind kind = Kind::kNumber;
  double number = 0;
  std::string_view text;  // of kText
};

class InstanceSink {
 public:
  // One row; the fields live only during the call. An error ends the reading and becomes its outcome.
  virtual std::optional<PredictionError> OnRow(std::span<const FieldValue> fields) = 0;

 protected:
  ~InstanceSink() = default;
};

// An error of status 400 when the body is none of these, has no rows, or a sparse row claims more than `width_max`
// columns. Memory is bounded by the body's size and one row.
std::optional<PredictionError> ReadJsonInstances(std::string_view body, size_t width_max, const FieldValue& absent,
                                                 InstanceSink& sink);
std::optional<PredictionError> ReadJsonLines(std::string_view body, size_t width_max, const FieldValue& absent,
                                             InstanceSink& sink);
std::optional<PredictionError> ReadRecords(std::string_view body, size_t width_max, const FieldValue& absent,
                                           InstanceSink& sink);

}  // namespace argosy::model
