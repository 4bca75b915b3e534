// The record format of SageMaker's built-in algorithms: RecordIO framing around protobuf messages.
//
//   frame    uint32 0xCED7230A, uint32 length (both little-endian), payload, zeros up to a multiple of 4 bytes
//   payload  aialgs.data.Record: map<string, Value> features = 1, label = 2
//   Value    one of float32_tensor = 2, float64_tensor = 3, int32_tensor = 7
//   tensor   values = 1, keys = 2 (places of the values, when sparse), shape = 3; packed
//
// Decoded by hand rather than by protobuf's generated code: the values go from the file's bytes to where they are kept
// in one copy, and nothing has to be installed for it. Field numbers: docs/formats/recordio.md.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace argosy::data {

inline constexpr uint32_t kRecordIoMagic = 0xCED7230A;
inline constexpr size_t kFrameHeaderBytes = 8;

// Whether `bytes` begins as a frame does.
bool BeginsFrame(std::string_view bytes);

struct Frames {
  size_t end = 0;    // of the last whole frame
  size_t count = 0;  // of whole frames
};
// How many whole frames stand at the start of `bytes`. kInvalidArgument where something else stands than a frame.
Result<Frames> CountFrames(std::string_view bytes);

// The payload of the frame at the start of `bytes`, which is cut off behind it. `bytes` begins with a whole frame.
std::string_view TakeFrame(std::string_view& bytes);

struct RecordTensor {
  std::vector<float> values;
  std::vector<uint64_t> keys;   // as many as values, or none: the values are dense
  std::vector<uint64_t> shape;  // [width] or [1, width]; of a dense one perhaps empty

  // How many columns it has.
  uint64_t width() const;
  bool sparse() const { return !keys.empty() || (!shape.empty() && values.size() < width()); }
};

// Takes payloads apart, one after another, without allocating once its memory has grown.
class RecordDecoder {
 public:
  // kInvalidArgument when the bytes are no Record, or its tensors contradict themselves.
  Status Decode(std::string_view payload);
  const RecordTensor& features() const { return features_; }
  const RecordTensor& label() const { return label_; }  // without values: the record has none

 private:
  RecordTensor features_;
  RecordTensor label_;
};

// One named tensor of a record.
using NamedValues = std::pair<std::string_view, std::span<const float>>;
// Appends a frame whose record has these tensors (float32, dense) as its label: what a reply consists of …
void AppendLabelRecord(std::span<const NamedValues> label, std::string& out);
// … or with features and, when it is not empty, a label: what data consists of.
void AppendDataRecord(std::span<const float> features, std::span<const float> label, std::string& out);

}  // namespace argosy::data
