#include "data/recordio.h"

#include <bit>
#include <cstring>

namespace argosy::data {
namespace {

static_assert(std::endian::native == std::endian::little, "values are copied as they lie in the file");

uint32_t ReadUint32(const char* p) {
  uint32_t value = 0;
  std::memcpy(&value, p, sizeof value);
  return value;
}

size_t Padded(size_t length) {
  return (length + 3) & ~size_t{3};
}

// The fields of one protobuf message. Once something does not fit, ok() is false and Next() ends.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : p_(bytes.data()), end_(p_ + bytes.size()) {}

  // To the next field; its value must then be taken or skipped.
  bool Next() {
    if (p_ == end_ || !ok_) return false;
    const uint64_t tag = Varint();
    number_ = tag >> 3;
    type_ = static_cast<uint32_t>(tag & 7);
    return ok_;
  }
  uint64_t number() const { return number_; }
  bool IsBytes() const { return type_ == 2; }
  bool IsFixed32() const { return type_ == 5; }
  bool IsFixed64() const { return type_ == 1; }
  bool IsVarint() const { return type_ == 0; }

  uint64_t Varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && p_ != end_; shift += 7) {
      const auto byte = static_cast<uint8_t>(*p_++);
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    ok_ = false;
    return 0;
  }
  std::string_view Bytes() {
    const uint64_t size = Varint();
    return Take(size);
  }
  std::string_view Take(uint64_t size) {
    if (!ok_ || size > static_cast<uint64_t>(end_ - p_)) {
      ok_ = false;
      return {};
    }
    const std::string_view bytes(p_, size);
    p_ += size;
    return bytes;
  }
  void Skip() {
    if (IsBytes()) {
      Bytes();
    } else if (IsVarint()) {
      Varint();
    } else if (IsFixed32() || IsFixed64()) {
      Take(IsFixed32() ? 4 : 8);
    } else {
      ok_ = false;
    }
  }
  void Fail() { ok_ = false; }
  bool ok() const { return ok_; }
  bool AtEnd() const { return p_ == end_; }

 private:
  const char* p_;
  const char* end_;
  uint64_t number_ = 0;
  uint32_t type_ = 0;
  bool ok_ = true;
};

void AppendVarints(std::string_view packed, std::vector<uint64_t>& out, bool& ok) {
  Fields values(packed);
  while (!values.AtEnd() && values.ok()) out.push_back(values.Varint());
  ok = ok && values.ok();
}

enum class Element { kFloat32, kFloat64, kInt32 };

// Packed values, or one that is not.
void AppendValues(Element element, std::string_view packed, std::vector<float>& out, bool& ok) {
  if (element == Element::kInt32) {
    std::vector<uint64_t> integers;
    AppendVarints(packed, integers, ok);
    for (const uint64_t value : integers) out.push_back(static_cast<float>(static_cast<int32_t>(value)));
    return;
  }
  const size_t size = element == Element::kFloat32 ? sizeof(float) : sizeof(double);
  if (packed.size() % size != 0) {
    ok = false;
    return;
  }
  const size_t count = packed.size() / size;
  const size_t before = out.size();
  out.resize(before + count);
  if (element == Element::kFloat32) {
    std::memcpy(out.data() + before, packed.data(), packed.size());
    return;
  }
  for (size_t i = 0; i < count; ++i) {
    double value = 0;
    std::memcpy(&value, packed.data() + i * size, size);
    out[before + i] = static_cast<float>(value);
  }
}

bool ReadTensor(Element element, std::string_view bytes, RecordTensor& tensor) {
  Fields fields(bytes);
  bool ok = true;
  while (fields.Next()) {
    if (fields.number() == 1 && fields.IsBytes()) {
      AppendValues(element, fields.Bytes(), tensor.values, ok);
    } else if (fields.number() == 1 && fields.IsFixed32()) {
      AppendValues(Element::kFloat32, fields.Take(4), tensor.values, ok);
    } else if (fields.number() == 1 && fields.IsFixed64()) {
      AppendValues(Element::kFloat64, fields.Take(8), tensor.values, ok);
    } else if (fields.number() == 1 && fields.IsVarint()) {
      tensor.values.push_back(static_cast<float>(static_cast<int32_t>(fields.Varint())));
    } else if ((fields.number() == 2 || fields.number() == 3) && fields.IsBytes()) {
      AppendVarints(fields.Bytes(), fields.number() == 2 ? tensor.keys : tensor.shape, ok);
    } else if ((fields.number() == 2 || fields.number() == 3) && fields.IsVarint()) {
      (fields.number() == 2 ? tensor.keys : tensor.shape).push_back(fields.Varint());
    } else {
      fields.Skip();
    }
  }
  return ok && fields.ok();
}

// Why it cannot be read, or nothing.
std::string_view ReadValue(std::string_view bytes, RecordTensor& tensor) {
  Fields fields(bytes);
  while (fields.Next()) {
    Element element = Element::kFloat32;
    switch (fields.number()) {
      case 2:
        break;
      case 3:
        element = Element::kFloat64;
        break;
      case 7:
        element = Element::kInt32;
        break;
      case 9:
        return "holds bytes where numbers are wanted";
      default:
        fields.Skip();
        continue;
    }
    if (!fields.IsBytes() || !ReadTensor(element, fields.Bytes(), tensor)) return "has a tensor that cannot be read";
  }
  return fields.ok() ? "" : "has a value that cannot be read";
}

// One entry of a map<string, Value>; of several, the one called "values" counts, else the last.
std::string_view ReadEntry(std::string_view bytes, RecordTensor& tensor, bool& named_values) {
  Fields fields(bytes);
  std::string_view key;
  std::string_view value;
  while (fields.Next()) {
    if (fields.number() == 1 && fields.IsBytes()) {
      key = fields.Bytes();
    } else if (fields.number() == 2 && fields.IsBytes()) {
      value = fields.Bytes();
    } else {
      fields.Skip();
    }
  }
  if (!fields.ok()) return "has an entry that cannot be read";
  if (named_values) return "";
  named_values = key == "values";
  tensor.values.clear();
  tensor.keys.clear();
  tensor.shape.clear();
  return ReadValue(value, tensor);
}

std::string_view Contradiction(const RecordTensor& tensor) {
  if (!tensor.keys.empty() && tensor.keys.size() != tensor.values.size()) return "has not as many keys as values";
  if (tensor.shape.size() > 2 || (tensor.shape.size() == 2 && tensor.shape[0] != 1)) {
    return "has a tensor that is no row";
  }
  if (!tensor.shape.empty() && tensor.keys.empty() && !tensor.values.empty() &&
      tensor.values.size() != tensor.width()) {
    return "has not as many values as its shape says";
  }
  for (const uint64_t key : tensor.keys) {
    if (key >= tensor.width()) return "has a key outside its shape";
  }
  return "";
}

// --- writing ---

void PutVarint(uint64_t value, std::string& out) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

size_t VarintBytes(uint64_t value) {
  size_t bytes = 1;
  for (; value >= 0x80; value >>= 7) ++bytes;
  return bytes;
}

size_t FieldBytes(size_t size) {
  return 1 + VarintBytes(size) + size;
}

void PutHeader(uint64_t number, uint64_t size, std::string& out) {
  PutVarint(number << 3 | 2, out);
  PutVarint(size, out);
}

// Field `number` of a Record: one map entry.
size_t EntryBytes(const NamedValues& entry) {
  const size_t tensor = FieldBytes(entry.second.size_bytes());
  return FieldBytes(entry.first.size()) + FieldBytes(FieldBytes(tensor));
}
void PutEntry(uint64_t number, const NamedValues& entry, std::string& out) {
  const size_t tensor = FieldBytes(entry.second.size_bytes());
  PutHeader(number, EntryBytes(entry), out);
  PutHeader(1, entry.first.size(), out);
  out += entry.first;
  PutHeader(2, FieldBytes(tensor), out);
  PutHeader(2, tensor, out);
  PutHeader(1, entry.second.size_bytes(), out);
  out.append(reinterpret_cast<const char*>(entry.second.data()), entry.second.size_bytes());
}

void PutUint32(uint32_t value, std::string& out) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace

bool BeginsFrame(std::string_view bytes) {
  return bytes.size() >= sizeof kRecordIoMagic && ReadUint32(bytes.data()) == kRecordIoMagic;
}

Result<Frames> CountFrames(std::string_view bytes) {
  Frames frames;
  while (bytes.size() - frames.end >= kFrameHeaderBytes) {
    const char* const p = bytes.data() + frames.end;
    if (!BeginsFrame(bytes.substr(frames.end))) {
      return Invalid("what should be record " + std::to_string(frames.count + 1) +
                     " from here does not begin as RecordIO does");
    }
    const size_t size = kFrameHeaderBytes + Padded(ReadUint32(p + 4));
    if (size > bytes.size() - frames.end) break;
    frames.end += size;
    ++frames.count;
  }
  return frames;
}

std::string_view TakeFrame(std::string_view& bytes) {
  const size_t length = ReadUint32(bytes.data() + 4);
  const std::string_view payload = bytes.substr(kFrameHeaderBytes, length);
  bytes.remove_prefix(kFrameHeaderBytes + Padded(length));
  return payload;
}

uint64_t RecordTensor::width() const {
  return shape.empty() ? values.size() : shape.back();
}

Status RecordDecoder::Decode(std::string_view payload) {
  for (RecordTensor* tensor : {&features_, &label_}) {
    tensor->values.clear();
    tensor->keys.clear();
    tensor->shape.clear();
  }
  bool named_features = false;
  bool named_label = false;
  Fields fields(payload);
  while (fields.Next()) {
    if ((fields.number() != 1 && fields.number() != 2) || !fields.IsBytes()) {
      fields.Skip();
      continue;
    }
    const bool is_label = fields.number() == 2;
    const std::string_view entry = fields.Bytes();
    if (!fields.ok()) break;
    const std::string_view fault =
        ReadEntry(entry, is_label ? label_ : features_, is_label ? named_label : named_features);
    if (!fault.empty()) return Invalid("the record " + std::string(fault));
  }
  if (!fields.ok()) return Invalid("the record is no protobuf message aialgs.data.Record");
  for (const RecordTensor* tensor : {&features_, &label_}) {
    if (const std::string_view fault = Contradiction(*tensor); !fault.empty()) {
      return Invalid("the record " + std::string(fault));
    }
  }
  return {};
}

namespace {

// A frame around the map entries of one or two fields.
void AppendFrame(std::span<const NamedValues> features, std::span<const NamedValues> label, std::string& out) {
  size_t size = 0;
  for (const NamedValues& entry : features) size += FieldBytes(EntryBytes(entry));
  for (const NamedValues& entry : label) size += FieldBytes(EntryBytes(entry));
  PutUint32(kRecordIoMagic, out);
  PutUint32(static_cast<uint32_t>(size), out);
  for (const NamedValues& entry : features) PutEntry(1, entry, out);
  for (const NamedValues& entry : label) PutEntry(2, entry, out);
  out.append(Padded(size) - size, '\0');
}

}  // namespace

void AppendLabelRecord(std::span<const NamedValues> label, std::string& out) {
  AppendFrame({}, label, out);
}

void AppendDataRecord(std::span<const float> features, std::span<const float> label, std::string& out) {
  const NamedValues feature_entry("values", features);
  const NamedValues label_entry("values", label);
  AppendFrame({&feature_entry, 1}, label.empty() ? std::span<const NamedValues>() : std::span(&label_entry, 1), out);
}

}  // namespace argosy::data
