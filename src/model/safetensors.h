// Named arrays of numbers in the safetensors format: an 8-byte little-endian length, a JSON header of that length, and
// the raw values. Chosen because every language reads it and nothing in it is executed.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace argosy::model {

// An array of 64-bit floats, row-major.
struct Tensor {
  std::vector<uint64_t> shape;
  std::vector<double> values;

  bool operator==(const Tensor&) const = default;
};

using Tensors = std::map<std::string, Tensor>;

std::string WriteSafetensors(const Tensors& tensors);

// Reads F64 and F32 arrays (the latter widened). kCorrupt when the bytes break the format: lengths, offsets, shapes and
// types are all checked, nothing is taken on trust and no memory beyond the bytes' own size is asked for.
Result<Tensors> ReadSafetensors(std::string_view bytes);

}  // namespace argosy::model
