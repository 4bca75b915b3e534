// Requests and answers that are kept for later: sampled on the hot path, written behind it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "serving/load.h"

namespace argosy::serving {

// What of a variant's requests is kept.
struct CapturePlan {
  uint32_t percent = 0;
  bool input = false;
  bool output = false;
  std::string destination;  // s3://bucket/prefix
  std::vector<std::string> csv_types;
  std::vector<std::string> json_types;

  bool operator==(const CapturePlan&) const = default;
};

struct CapturedRequest {
  VariantName name;
  std::shared_ptr<const CapturePlan> plan;
  Time at;
  std::string inference_id;
  std::string custom_attributes;
  std::string input_type;
  std::string input;  // empty unless the plan has it; likewise the output
  std::string output_type;
  std::string output;

  size_t bytes() const {
    return sizeof *this + input.size() + output.size() + input_type.size() + output_type.size() + inference_id.size() +
           custom_attributes.size();
  }
};

class CaptureSink {
 public:
  virtual ~CaptureSink() = default;
  // Never waits, and may be called from any thread. Full: the request is lost, and counted.
  virtual void Take(CapturedRequest request) = 0;
};

// The request as a line of a capture file, in SageMaker's form (Developer Guide, "Capture data from real-time
// endpoint"), with its line feed.
std::string CaptureLine(const CapturedRequest& request, std::string_view event_id);

}  // namespace argosy::serving
