// Any bytes as a JSON or JSON-lines request.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "model/instances.h"

namespace {

constexpr size_t kWidthMax = 1000;

class Sink final : public argosy::model::InstanceSink {
 public:
  std::optional<argosy::model::PredictionError> OnRow(std::span<const argosy::model::FieldValue> fields) override {
    for (const auto& field : fields) bytes_ += field.text.size();
    return std::nullopt;
  }
  size_t bytes() const { return bytes_; }

 private:
  size_t bytes_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  Sink sink;
  (void)argosy::model::ReadJsonInstances(body, kWidthMax, {}, sink);
  (void)argosy::model::ReadJsonLines(body, kWidthMax, {}, sink);
  return 0;
}
