// Any bytes as a safetensors file; what is read must survive being written and read again.
#include <cstddef>
#include <cstdint>
#include <string>

#include "model/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const auto tensors = argosy::model::ReadSafetensors(bytes);
  if (!tensors) return 0;
  const auto again = argosy::model::ReadSafetensors(argosy::model::WriteSafetensors(*tensors));
  argosy::Check(again.ok() && again->size() == tensors->size());
  return 0;
}
