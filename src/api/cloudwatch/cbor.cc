#include "api/cloudwatch/cbor.h"

#include <bit>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "api/time_members.h"
#include "base/bytes.h"

namespace argosy::api::cloudwatch {
namespace {

// Major types, as they stand in the first three bits.
enum class Major : uint8_t { kUnsigned, kNegative, kBytes, kText, kArray, kMap, kTag, kSimple };

constexpr uint8_t kIndefinite = 31;
constexpr uint8_t kFalse = 20, kTrue = 21, kNull = 22, kUndefined = 23;
constexpr uint8_t kHalf = 25, kSingle = 26, kDouble = 27;
constexpr unsigned char kBreak = 0xff;
constexpr uint64_t kEpochTag = 1;

double OfHalf(uint16_t bits) {
  const int exponent = (bits >> 10) & 0x1f;
  const int mantissa = bits & 0x3ff;
  double value = 0;
  if (exponent == 0) {
    value = std::ldexp(mantissa, -24);
  } else if (exponent != 31) {
    value = std::ldexp(mantissa + 1024, exponent - 25);
  } else {
    value = mantissa == 0 ? INFINITY : NAN;
  }
  return (bits & 0x8000) != 0 ? -value : value;
}

class CborReader {
 public:
  explicit CborReader(std::string_view bytes) : rest_(bytes) {}

  Result<Json> Whole() {
    Result<Json> value = Value(0);
    if (value.ok() && !rest_.empty()) return Bad("something follows the request");
    return value;
  }

 private:
  struct Head {
    Major major;
    uint8_t info;
    uint64_t argument;
  };

  static Error Bad(const std::string& why) { return Invalid("not CBOR as requests have it: " + why); }

  Result<Head> ReadHead() {
    if (rest_.empty()) return Bad("it ends too early");
    const auto first = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    Head head{static_cast<Major>(first >> 5), static_cast<uint8_t>(first & 0x1f), 0};
    if (head.info < 24) {
      head.argument = head.info;
    } else if (head.info < 28) {
      const size_t size = size_t{1} << (head.info - 24);
      if (rest_.size() < size) return Bad("it ends too early");
      for (size_t i = 0; i < size; ++i) head.argument = head.argument << 8 | static_cast<unsigned char>(rest_[i]);
      rest_.remove_prefix(size);
    } else if (head.info != kIndefinite) {
      return Bad("a length of a kind that there is not");
    }
    return head;
  }

  // Whether the items of an array, map or text of indefinite length end here.
  bool TakeBreak() {
    if (rest_.empty() || static_cast<unsigned char>(rest_.front()) != kBreak) return false;
    rest_.remove_prefix(1);
    return true;
  }

  Result<Json> Value(int depth) {
    if (depth > kJsonDepthMax) return Bad("it nests deeper than " + std::to_string(kJsonDepthMax) + " levels");
    const Result<Head> head = ReadHead();
    if (!head.ok()) return head.error();
    const bool open = head.value().info == kIndefinite;
    const uint64_t argument = head.value().argument;
    switch (head.value().major) {
      case Major::kUnsigned:
        if (open) break;
        return Json(argument);
      case Major::kNegative:
        if (open) break;
        if (argument > static_cast<uint64_t>(INT64_MAX)) return Json(-1.0 - static_cast<double>(argument));
        return Json(-1 - static_cast<int64_t>(argument));
      case Major::kText:
        return Text(head.value(), depth);
      case Major::kArray:
        return Array(head.value(), depth);
      case Major::kMap:
        return Map(head.value(), depth);
      case Major::kTag:
        if (open) break;
        return Value(depth + 1);
      case Major::kSimple:
        return Simple(head.value());
      case Major::kBytes:
        return Bad("no member holds bytes");
    }
    return Bad("a number or tag without an end");
  }

  Result<Json> Simple(const Head& head) {
    switch (head.info) {
      case kFalse:
        return Json(false);
      case kTrue:
        return Json(true);
      case kNull:
      case kUndefined:
        return Json(nullptr);
      case kHalf:
        return Json(OfHalf(static_cast<uint16_t>(head.argument)));
      case kSingle:
        return Json(static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(head.argument))));
      case kDouble:
        return Json(std::bit_cast<double>(head.argument));
      default:
        return Bad("a simple value that means nothing here");
    }
  }

  Result<Json> Text(const Head& head, int depth) {
    std::string text;
    if (head.info != kIndefinite) {
      if (head.argument > rest_.size()) return Bad("it ends too early");
      text = rest_.substr(0, static_cast<size_t>(head.argument));
      rest_.remove_prefix(text.size());
    } else {
      while (!TakeBreak()) {
        const Result<Head> part = ReadHead();
        if (!part.ok()) return part.error();
        if (part.value().major != Major::kText || part.value().info == kIndefinite) return Bad("text in wrong pieces");
        const Result<Json> piece = Text(part.value(), depth);
        if (!piece.ok()) return piece;
        text += piece.value().get_ref<const std::string&>();
      }
    }
    if (!IsValidUtf8(text)) return Bad("text that is not UTF-8");
    return Json(std::move(text));
  }

  Result<Json> Array(const Head& head, int depth) {
    Json out = Json::array();
    const bool open = head.info == kIndefinite;
    for (uint64_t i = 0; open ? !TakeBreak() : i < head.argument; ++i) {
      Result<Json> element = Value(depth + 1);
      if (!element.ok()) return element;
      out.push_back(std::move(*element));
    }
    return out;
  }

  Result<Json> Map(const Head& head, int depth) {
    Json out = Json::object();
    const bool open = head.info == kIndefinite;
    for (uint64_t i = 0; open ? !TakeBreak() : i < head.argument; ++i) {
      Result<Json> key = Value(depth + 1);
      if (!key.ok()) return key;
      if (!key.value().is_string()) return Bad("a key that is not text");
      Result<Json> value = Value(depth + 1);
      if (!value.ok()) return value;
      out[key.value().get_ref<const std::string&>()] = std::move(*value);
    }
    return out;
  }

  std::string_view rest_;
};

void AppendHead(Major major, uint64_t argument, std::string& out) {
  const auto first = static_cast<unsigned>(major) << 5;
  int bytes = 8;
  if (argument < 24) {
    out.push_back(static_cast<char>(first | argument));
    return;
  }
  if (argument <= UINT8_MAX) {
    bytes = 1;
  } else if (argument <= UINT16_MAX) {
    bytes = 2;
  } else if (argument <= UINT32_MAX) {
    bytes = 4;
  }
  out.push_back(
      static_cast<char>(first | (24U + static_cast<unsigned>(std::countr_zero(static_cast<unsigned>(bytes))))));
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out.push_back(static_cast<char>(argument >> shift));
}

void AppendDouble(double value, std::string& out) {
  out.push_back(static_cast<char>(static_cast<unsigned>(Major::kSimple) << 5 | kDouble));
  const auto bits = std::bit_cast<uint64_t>(value);
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(bits >> shift));
}

enum class Meaning { kPlain, kTime };

void AppendCbor(const Json& json, Meaning meaning, std::string& out) {
  if (meaning == Meaning::kTime && json.is_number()) AppendHead(Major::kTag, kEpochTag, out);
  switch (json.type()) {
    case Json::value_t::object:
      AppendHead(Major::kMap, json.size(), out);
      for (const auto& [key, value] : json.items()) {
        AppendHead(Major::kText, key.size(), out);
        out += key;
        AppendCbor(value, IsTimeMember(key) ? Meaning::kTime : Meaning::kPlain, out);
      }
      return;
    case Json::value_t::array:
      AppendHead(Major::kArray, json.size(), out);
      for (const Json& element : json) AppendCbor(element, meaning, out);
      return;
    case Json::value_t::string: {
      const auto& text = json.get_ref<const std::string&>();
      AppendHead(Major::kText, text.size(), out);
      out += text;
      return;
    }
    case Json::value_t::boolean:
      return AppendHead(Major::kSimple, json.get<bool>() ? kTrue : kFalse, out);
    case Json::value_t::number_float:
      return AppendDouble(json.get<double>(), out);
    case Json::value_t::number_unsigned:
      return AppendHead(Major::kUnsigned, json.get<uint64_t>(), out);
    case Json::value_t::number_integer: {
      const auto value = json.get<int64_t>();
      return value >= 0 ? AppendHead(Major::kUnsigned, static_cast<uint64_t>(value), out)
                        : AppendHead(Major::kNegative, static_cast<uint64_t>(-1 - value), out);
    }
    default:
      return AppendHead(Major::kSimple, kNull, out);
  }
}

}  // namespace

Result<Json> JsonOfCbor(std::string_view bytes) {
  return CborReader(bytes).Whole();
}

std::string CborOfJson(const Json& json) {
  std::string out;
  AppendCbor(json, Meaning::kPlain, out);
  return out;
}

}  // namespace argosy::api::cloudwatch
