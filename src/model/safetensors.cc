#include "model/safetensors.h"

#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/json.h"

namespace argosy::model {
namespace {

constexpr size_t kLengthBytes = 8;
constexpr uint64_t kHeaderBytesMax = 100'000'000;  // the format's own bound
constexpr size_t kAlignment = 8;                   // of the values, by spaces at the header's end
constexpr std::string_view kMetadata = "__metadata__";

Error Corrupt(std::string_view why) {
  return Error(ErrorCode::kCorrupt, "safetensors: " + std::string(why));
}

// Product of the shape; nothing when it is more than `max`.
std::optional<uint64_t> ElementCount(const std::vector<uint64_t>& shape, uint64_t max) {
  uint64_t count = 1;
  for (const uint64_t size : shape) {
    if (size != 0 && count > max / size) return std::nullopt;
    count *= size;
  }
  return count <= max ? std::optional(count) : std::nullopt;
}

Result<Tensor> ReadTensor(const Json& entry, std::string_view data) {
  const std::string dtype = entry.at("dtype").get<std::string>();
  if (dtype != "F64" && dtype != "F32") return Corrupt("type " + dtype + " is not read here");
  const size_t width = dtype == "F64" ? sizeof(double) : sizeof(float);
  Tensor tensor;
  const auto numbers = [](const Json& json) -> std::optional<std::vector<uint64_t>> {
    if (!json.is_array()) return std::nullopt;
    std::vector<uint64_t> values;
    for (const Json& value : json) {
      if (!value.is_number_unsigned()) return std::nullopt;
      values.push_back(value.get<uint64_t>());
    }
    return values;
  };
  auto shape = numbers(entry.at("shape"));
  const auto offsets = numbers(entry.at("data_offsets"));
  if (!shape || !offsets || offsets->size() != 2) return Corrupt("bad shape or offsets");
  const uint64_t begin = (*offsets)[0];
  const uint64_t end = (*offsets)[1];
  if (begin > end || end > data.size()) return Corrupt("offsets lie outside the file");
  const auto count = ElementCount(*shape, data.size());
  if (!count || *count * width != end - begin) return Corrupt("shape and offsets do not agree");
  tensor.shape = std::move(*shape);
  tensor.values.resize(*count);
  const char* const from = data.data() + begin;
  for (size_t i = 0; i < *count; ++i) {
    if (width == sizeof(double)) {
      std::memcpy(&tensor.values[i], from + i * width, width);
    } else {
      float value = 0;
      std::memcpy(&value, from + i * width, width);
      tensor.values[i] = value;
    }
  }
  return tensor;
}

}  // namespace

std::string WriteSafetensors(const Tensors& tensors) {
  Json header = Json::object();
  uint64_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    const uint64_t end = offset + tensor.values.size() * sizeof(double);
    header[name] = {{"dtype", "F64"}, {"shape", tensor.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = DumpJson(header);
  text.append((kAlignment - text.size() % kAlignment) % kAlignment, ' ');
  const uint64_t length = text.size();
  std::string bytes(reinterpret_cast<const char*>(&length), kLengthBytes);
  bytes += text;
  for (const auto& [name, tensor] : tensors) {
    bytes.append(reinterpret_cast<const char*>(tensor.values.data()), tensor.values.size() * sizeof(double));
  }
  return bytes;
}

Result<Tensors> ReadSafetensors(std::string_view bytes) {
  uint64_t length = 0;
  if (bytes.size() < kLengthBytes) return Corrupt("shorter than its own length field");
  std::memcpy(&length, bytes.data(), kLengthBytes);
  bytes.remove_prefix(kLengthBytes);
  if (length > kHeaderBytesMax || length > bytes.size()) return Corrupt("the header is longer than the file");
  auto header = ParseJson(bytes.substr(0, length));
  if (!header) return Corrupt(header.error().message());
  if (!header->is_object()) return Corrupt("the header is no object");
  const std::string_view data = bytes.substr(length);
  Tensors tensors;
  uint64_t values = 0;
  // The library throws where a member is absent or of another type than asked for.
  try {
    for (const auto& [name, entry] : header->items()) {
      if (name == kMetadata) continue;
      auto tensor = ReadTensor(entry, data);
      if (!tensor) return tensor.error();
      // Arrays may not overlap, else a small file could stand for any amount of memory.
      values += tensor->values.size();
      if (values * sizeof(float) > data.size()) return Corrupt("arrays overlap");
      tensors.emplace(name, std::move(*tensor));
    }
  } catch (const Json::exception& e) {
    return Corrupt(e.what());
  }
  return tensors;
}

}  // namespace argosy::model
