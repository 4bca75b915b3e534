// Which requests and answers of an endpoint are kept, and where. Names and meanings are SageMaker's (API reference:
// DataCaptureConfig).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace argosy::catalog {

struct DataCapture {
  uint32_t percent = 0;  // of the requests; 0: none
  bool input = false;
  bool output = false;
  std::string destination;  // s3://bucket/prefix, without a '/' at its end
  // Media types whose bodies are written as they are, in the encodings CSV and JSON; all others in base64.
  std::vector<std::string> csv_types = {"text/csv"};
  std::vector<std::string> json_types = {"application/json"};

  bool on() const { return percent > 0 && (input || output); }
  bool operator==(const DataCapture&) const = default;

  // `request` is the API's DataCaptureConfig, valid by shape; "{}" and one that is not enabled keep nothing.
  static Result<DataCapture> FromRequest(const Json& request);
};

}  // namespace argosy::catalog
