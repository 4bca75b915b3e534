// Bytes of a stranger as a file of records: refused or read, never more memory than a few times the bytes.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "data/recordio.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace argosy::data;
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  RecordDecoder decoder;
  (void)decoder.Decode(bytes);
  const auto frames = CountFrames(bytes);
  if (!frames.ok()) return 0;
  bytes = bytes.substr(0, frames->end);
  for (size_t i = 0; i < frames->count; ++i) (void)decoder.Decode(TakeFrame(bytes));
  if (!bytes.empty()) __builtin_trap();
  return 0;
}
