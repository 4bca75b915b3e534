// Bytes of a state, for a file or another host: a name, arrays of plain values in the machine's (little-endian) order,
// a checksum at the end. The lengths of most arrays are known to who reads: bytes of another shape are refused.
#pragma once

#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace argosy {

class StateWriter {
 public:
  explicit StateWriter(std::string_view name) : bytes_(name) { bytes_ += '\0'; }

  template <class T>
  void Values(std::span<const T> values) {
    static_assert(std::is_trivially_copyable_v<T>);
    const uint64_t count = values.size();
    bytes_.append(reinterpret_cast<const char*>(&count), sizeof count);
    bytes_.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  }

  template <class T>
  void Value(const T& value) {
    Values(std::span<const T>(&value, 1));
  }
  // Of any length.
  void Text(std::string_view text) { Values(std::span<const char>(text)); }

  std::string Finish() {
    const uint32_t crc = Crc32(0, bytes_);
    bytes_.append(reinterpret_cast<const char*>(&crc), sizeof crc);
    return std::move(bytes_);
  }

 private:
  std::string bytes_;
};

class StateReader {
 public:
  StateReader(std::string_view name, std::string_view bytes) : name_(name), bytes_(bytes) {
    uint32_t crc = 0;
    if (bytes_.size() < name.size() + 1 + sizeof crc) {
      failed_ = true;
      return;
    }
    std::memcpy(&crc, bytes_.data() + bytes_.size() - sizeof crc, sizeof crc);
    bytes_.remove_suffix(sizeof crc);
    if (crc != Crc32(0, bytes_) || !bytes_.starts_with(name) || bytes_[name.size()] != '\0') {
      failed_ = true;
      return;
    }
    bytes_.remove_prefix(name.size() + 1);
  }

  // Fills `values`; what was written must have as many.
  template <class T>
  void Values(std::span<T> values) {
    static_assert(std::is_trivially_copyable_v<T>);
    uint64_t count = 0;
    if (failed_ || bytes_.size() < sizeof count) return Fail();
    bytes_.copy(reinterpret_cast<char*>(&count), sizeof count);
    bytes_.remove_prefix(sizeof count);
    if (count != values.size() || bytes_.size() < values.size_bytes()) return Fail();
    bytes_.copy(reinterpret_cast<char*>(values.data()), values.size_bytes());
    bytes_.remove_prefix(values.size_bytes());
  }

  template <class T>
  void Value(T& value) {
    Values(std::span<T>(&value, 1));
  }
  // As many as were written: at most the bytes that are there.
  template <class T>
  void Some(std::vector<T>& values) {
    uint64_t count = 0;
    if (failed_ || bytes_.size() < sizeof count) return Fail();
    bytes_.copy(reinterpret_cast<char*>(&count), sizeof count);
    if (count > bytes_.size() / sizeof(T)) return Fail();
    values.resize(count);
    Values(std::span<T>(values));
  }
  void Text(std::string& text) {
    std::vector<char> chars;
    Some(chars);
    text.assign(chars.begin(), chars.end());
  }

  bool failed() const { return failed_; }

  // kCorrupt unless everything was there and nothing is left.
  Status Finish() const {
    if (failed_ || !bytes_.empty()) return Error(ErrorCode::kCorrupt, "broken bytes of a " + name_ + " state");
    return {};
  }

 private:
  void Fail() { failed_ = true; }

  std::string name_;
  std::string_view bytes_;
  bool failed_ = false;
};

}  // namespace argosy
