#include "api/validation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace argosy::api {
namespace {

// Values are quoted in messages; a long one is cut.
constexpr size_t kQuotedMax = 512;

size_t CountCharacters(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

// As Java prints values, which is what the services put into their messages.
void AppendValue(const Json& value, std::string& out) {
  if (out.size() > kQuotedMax) return;
  switch (value.type()) {
    case Json::value_t::string:
      out += value.get_ref<const std::string&>();
      break;
    case Json::value_t::array: {
      out += '[';
      bool first = true;
      for (const Json& element : value) {
        if (!std::exchange(first, false)) out += ", ";
        AppendValue(element, out);
      }
      out += ']';
      break;
    }
    case Json::value_t::object: {
      out += '{';
      bool first = true;
      for (const auto& [key, element] : value.items()) {
        if (!std::exchange(first, false)) out += ", ";
        out += key;
        out += '=';
        AppendValue(element, out);
      }
      out += '}';
      break;
    }
    default:
      out += value.dump();
  }
}

std::string Quoted(const Json& value) {
  std::string text;
  AppendValue(value, text);
  if (text.size() > kQuotedMax) {
    size_t cut = kQuotedMax;
    while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;  // not within a character
    text.resize(cut);
    text += "...";
  }
  return "'" + text + "'";
}

// Where a value is, kept as a chain on the stack and written out only for a message:
// "inputDataConfig.1.member.channelName".
struct Place {
  const Place* parent = nullptr;
  std::string_view name;  // of a member
  size_t index = 0;       // of a list's element, from 1

  std::string Text() const {
    std::string text = parent == nullptr ? "" : parent->Text();
    if (index > 0) return text + "." + std::to_string(index) + ".member";
    if (name.empty()) return text;
    if (!text.empty()) text += '.';
    text += name;
    char& first = text[text.size() - name.size()];
    if (first >= 'A' && first <= 'Z') first = static_cast<char>(first - 'A' + 'a');
    return text;
  }
};

std::string JoinedValues(const std::vector<std::string>& values) {
  std::string text = "[";
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) text += ", ";
    text += values[i];
  }
  return text + "]";
}

// The constraints of a string as sentences; used for the string itself and for what map values must satisfy.
std::vector<std::string> BrokenStringConstraints(const Shape& shape, std::string_view text) {
  std::vector<std::string> broken;
  if (shape.min != Shape::kNoMin || shape.max != Shape::kNoMax) {
    const int64_t length = static_cast<int64_t>(CountCharacters(text));
    if (length > shape.max)
      broken.push_back("Member must have length less than or equal to " + std::to_string(shape.max));
    if (length < shape.min) {
      broken.push_back("Member must have length greater than or equal to " + std::to_string(shape.min));
    }
  }
  if (shape.pattern != nullptr && !shape.pattern->matches(text)) {
    broken.push_back("Member must satisfy regular expression pattern: " + std::string(shape.pattern->text));
  }
  if (!shape.values.empty() && std::find(shape.values.begin(), shape.values.end(), text) == shape.values.end()) {
    broken.push_back("Member must satisfy enum value set: " + JoinedValues(shape.values));
  }
  return broken;
}

std::vector<std::string> AllStringConstraints(const Shape& shape) {
  std::vector<std::string> all;
  if (shape.max != Shape::kNoMax) {
    all.push_back("Member must have length less than or equal to " + std::to_string(shape.max));
  }
  if (shape.min != Shape::kNoMin) {
    all.push_back("Member must have length greater than or equal to " + std::to_string(shape.min));
  }
  if (shape.pattern != nullptr) {
    all.push_back("Member must satisfy regular expression pattern: " + std::string(shape.pattern->text));
  }
  if (!shape.values.empty()) all.push_back("Member must satisfy enum value set: " + JoinedValues(shape.values));
  return all;
}

std::string_view TokenName(const Json& value) {
  switch (value.type()) {
    case Json::value_t::string:
      return "STRING_VALUE";
    case Json::value_t::boolean:
      return value.get<bool>() ? "TRUE_VALUE" : "FALSE_VALUE";
    case Json::value_t::number_float:
      return "DECIMAL_VALUE";
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
      return "NUMBER_VALUE";
    case Json::value_t::array:
      return "START_ARRAY";
    case Json::value_t::object:
      return "START_OBJECT";
    default:
      return "NULL";
  }
}

std::string_view JavaName(ShapeType type) {
  switch (type) {
    case ShapeType::kString:
      return "String";
    case ShapeType::kInteger:
      return "Integer";
    case ShapeType::kLong:
      return "Long";
    case ShapeType::kDouble:
      return "Double";
    case ShapeType::kBoolean:
      return "Boolean";
    case ShapeType::kTimestamp:
      return "Timestamp";
    default:
      return "";
  }
}

std::optional<int64_t> AsInteger(const Json& value) {
  if (value.is_number_unsigned()) {
    const uint64_t number = value.get<uint64_t>();
    if (number > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return std::nullopt;
    return static_cast<int64_t>(number);
  }
  if (value.is_number_integer()) return value.get<int64_t>();
  if (value.is_number_float()) {  // 3.0 is a whole number
    const double number = value.get<double>();
    if (std::trunc(number) == number && std::fabs(number) < 0x1p53) return static_cast<int64_t>(number);
  }
  return std::nullopt;
}

class Validator {
 public:
  explicit Validator(std::string_view operation) : operation_(operation) {}

  std::optional<ServiceError> Run(const Shape& shape, const Json& input) {
    if (!input.is_object()) {
      return ServiceError{400, "SerializationException", "The request body must be a JSON object."};
    }
    CheckValue(shape, input, Place{});
    if (serialization_) return serialization_;
    if (count_ > 0) {
      return ValidationError(std::to_string(count_) + (count_ == 1 ? " validation error" : " validation errors") +
                             " detected: " + messages_);
    }
    return refusal_;
  }

 private:
  void Broken(const Place& place, const Json& value, const std::string& constraint) {
    ++count_;
    if (count_ > kErrorsListedMax) return;
    if (!messages_.empty()) messages_ += "; ";
    messages_ += "Value " + (value.is_null() ? std::string("null") : Quoted(value)) + " at '" + place.Text() +
                 "' failed to satisfy constraint: " + constraint;
  }

  void WrongType(const Json& value, ShapeType wanted) {
    if (serialization_) return;
    std::string message;
    switch (wanted) {
      case ShapeType::kList:
      case ShapeType::kMap:
      case ShapeType::kStructure:
        message = "Unexpected field type: " + std::string(TokenName(value));
        break;
      default:
        message = value.is_structured()
                      ? "Start of structure or map found where not expected."
                      : std::string(TokenName(value)) + " can not be converted to a " + std::string(JavaName(wanted));
    }
    serialization_ = ServiceError{400, "SerializationException", std::move(message)};
  }

  void CheckValue(const Shape& shape, const Json& value, const Place& place) {
    switch (shape.type) {
      case ShapeType::kString:
        if (!value.is_string()) return WrongType(value, shape.type);
        for (const std::string& broken : BrokenStringConstraints(shape, value.get_ref<const std::string&>())) {
          Broken(place, value, broken);
        }
        return;
      case ShapeType::kInteger:
      case ShapeType::kLong: {
        const std::optional<int64_t> number = AsInteger(value);
        if (!number || (shape.type == ShapeType::kInteger && *number != static_cast<int32_t>(*number))) {
          return WrongType(value, shape.type);
        }
        return CheckRange(shape, value, static_cast<double>(*number), place);
      }
      case ShapeType::kDouble:
        if (!value.is_number()) return WrongType(value, shape.type);
        return CheckRange(shape, value, value.get<double>(), place);
      case ShapeType::kTimestamp:
        if (!value.is_number()) return WrongType(value, shape.type);
        return;
      case ShapeType::kBoolean:
        if (!value.is_boolean()) return WrongType(value, shape.type);
        return;
      case ShapeType::kList:
        return CheckList(shape, value, place);
      case ShapeType::kMap:
        return CheckMap(shape, value, place);
      case ShapeType::kStructure:
        return CheckStructure(shape, value, place);
      case ShapeType::kDocument:
        return;
    }
  }

  void CheckRange(const Shape& shape, const Json& value, double number, const Place& place) {
    if (shape.max != Shape::kNoMax && number > static_cast<double>(shape.max)) {
      Broken(place, value, "Member must have value less than or equal to " + std::to_string(shape.max));
    }
    if (shape.min != Shape::kNoMin && number < static_cast<double>(shape.min)) {
      Broken(place, value, "Member must have value greater than or equal to " + std::to_string(shape.min));
    }
  }

  void CheckSize(const Shape& shape, const Json& value, const Place& place) {
    const int64_t size = static_cast<int64_t>(value.size());
    if (size > shape.max) {
      Broken(place, value, "Member must have length less than or equal to " + std::to_string(shape.max));
    }
    if (size < shape.min) {
      Broken(place, value, "Member must have length greater than or equal to " + std::to_string(shape.min));
    }
  }

  void CheckList(const Shape& shape, const Json& value, const Place& place) {
    if (!value.is_array()) return WrongType(value, shape.type);
    CheckSize(shape, value, place);
    size_t index = 0;
    for (const Json& element : value) {
      const Place at{&place, {}, ++index};
      if (element.is_null()) {
        Broken(at, element, "Member must not be null");
      } else {
        CheckValue(shape.parts[0], element, at);
      }
    }
  }

  void CheckMap(const Shape& shape, const Json& value, const Place& place) {
    if (!value.is_object()) return WrongType(value, shape.type);
    CheckSize(shape, value, place);
    bool key_told = false;
    bool value_told = false;
    for (const auto& [key, element] : value.items()) {
      if (!key_told && !BrokenStringConstraints(shape.parts[0], key).empty()) {
        Broken(place, value, "Map keys must satisfy constraint: " + JoinedValues(AllStringConstraints(shape.parts[0])));
        key_told = true;
      }
      if (element.is_null()) {
        if (!std::exchange(value_told, true)) {
          Broken(place, value, "Map value must satisfy constraint: [Member must not be null]");
        }
      } else if (shape.parts[1].type != ShapeType::kString) {
        CheckValue(shape.parts[1], element, Place{&place, key, 0});
      } else if (!element.is_string()) {
        WrongType(element, ShapeType::kString);
      } else if (!value_told &&
                 !BrokenStringConstraints(shape.parts[1], element.get_ref<const std::string&>()).empty()) {
        Broken(place, value,
               "Map value must satisfy constraint: " + JoinedValues(AllStringConstraints(shape.parts[1])));
        value_told = true;
      }
    }
  }

  void CheckStructure(const Shape& shape, const Json& value, const Place& place) {
    if (!value.is_object()) return WrongType(value, shape.type);
    for (const Member& member : shape.members) {
      const Place at{&place, member.name, 0};
      const auto found = value.find(member.name);
      if (found == value.end() || found->is_null()) {
        if (member.required) Broken(at, Json(), "Member must not be null");
        continue;
      }
      CheckValue(member.shape, *found, at);
      CheckSupport(member, *found, at);
    }
  }

  void CheckSupport(const Member& member, const Json& value, const Place& place) {
    if (refusal_) return;
    switch (member.support) {
      case Support::kUsed:
      case Support::kEchoed:
        return;
      case Support::kRefused:
        if (AsksForNothing(value)) return;
        return Refuse(place, member.what);
      case Support::kOnly:
        if (!value.is_string()) return;
        if (std::find(member.supported.begin(), member.supported.end(), value.get_ref<const std::string&>()) !=
            member.supported.end()) {
          return;
        }
        return Refuse(place, Quoted(value) + "; supported are " + JoinedValues(member.supported));
      case Support::kAtMost:
        if (!value.is_number() || value.get<double>() <= static_cast<double>(member.supported_max)) return;
        return Refuse(place,
                      member.what + " (" + Quoted(value) + "; at most " + std::to_string(member.supported_max) + ")");
    }
  }

  static bool AsksForNothing(const Json& value) {
    return (value.is_structured() && value.empty()) || (value.is_boolean() && !value.get<bool>()) ||
           (value.is_string() && value.get_ref<const std::string&>().empty()) ||
           (value.is_number() && value.get<double>() == 0);
  }

  void Refuse(const Place& place, const std::string& what) {
    refusal_ = ValidationError("Argosy does not support '" + place.Text() + "' in " + std::string(operation_) + ": " +
                               what + ".");
  }

  std::string_view operation_;
  size_t count_ = 0;
  std::string messages_;
  std::optional<ServiceError> serialization_;
  std::optional<ServiceError> refusal_;
};

}  // namespace

std::optional<ServiceError> Validate(const Shape& shape, const Json& input, std::string_view operation) {
  return Validator(operation).Run(shape, input);
}

}  // namespace argosy::api
