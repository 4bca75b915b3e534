// Bytes from a peer: whatever they are, frames come out whole or the stream is refused, in any pieces.
#include <algorithm>
#include <cstring>

#include "protocol/frames.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace argosy::protocol;
  if (size == 0) return 0;
  const size_t piece = 1 + data[0];
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  FrameReader reader;
  while (!bytes.empty()) {
    const FrameReader::Room room = reader.Space();
    const size_t n = std::min({room.size, bytes.size(), piece});
    std::memcpy(room.data, bytes.data(), n);
    reader.Filled(n);
    bytes.remove_prefix(n);
    for (;;) {
      const auto frame = reader.Next();
      if (!frame.ok()) return 0;
      if (!frame->has_value()) break;
      switch ((*frame)->kind) {
        case FrameKind::kHello:
          (void)Hello::FromJson((*frame)->payload);
          break;
        case FrameKind::kWelcome:
          (void)Welcome::FromJson((*frame)->payload);
          break;
        case FrameKind::kCommand:
          (void)ParseCommand((*frame)->payload);
          break;
        case FrameKind::kInvoke:
        case FrameKind::kInvokeInParts:
          (void)ParseInvoke((*frame)->payload);
          break;
        case FrameKind::kAnswer:
        case FrameKind::kPart:
          (void)ParseAnswer((*frame)->payload);
          break;
        case FrameKind::kGrant:
          (void)ParseGrant((*frame)->payload);
          break;
        default:
          break;
      }
    }
  }
  return 0;
}
