#include "api/shape.h"

#include <utility>

namespace argosy::api {

Shape::Shape(ShapeType shape_type) : type(shape_type) {}
Shape::Shape(const Shape&) = default;
Shape::Shape(Shape&&) noexcept = default;
Shape& Shape::operator=(const Shape&) = default;
Shape& Shape::operator=(Shape&&) noexcept = default;
Shape::~Shape() = default;

Shape Shape::Length(int64_t least, int64_t most) && {
  min = least;
  max = most;
  return std::move(*this);
}

Shape Shape::Range(int64_t least, int64_t most) && {
  return std::move(*this).Length(least, most);
}

Shape Shape::AtLeast(int64_t least) && {
  min = least;
  return std::move(*this);
}

Shape Shape::AtMost(int64_t most) && {
  max = most;
  return std::move(*this);
}

Shape Shape::Matching(const Pattern& p) && {
  pattern = &p;
  return std::move(*this);
}

Shape Shape::OneOf(std::vector<std::string> allowed) && {
  values = std::move(allowed);
  return std::move(*this);
}

Member Member::Echoed() && {
  support = Support::kEchoed;
  return std::move(*this);
}

Member Member::Refused(std::string what_it_is) && {
  support = Support::kRefused;
  what = std::move(what_it_is);
  return std::move(*this);
}

Member Member::Only(std::vector<std::string> supported_values) && {
  support = Support::kOnly;
  supported = std::move(supported_values);
  return std::move(*this);
}

Member Member::UpTo(int64_t most, std::string what_it_is) && {
  support = Support::kAtMost;
  supported_max = most;
  what = std::move(what_it_is);
  return std::move(*this);
}

Shape String() {
  return Shape(ShapeType::kString);
}
Shape Integer() {
  return Shape(ShapeType::kInteger);
}
Shape Long() {
  return Shape(ShapeType::kLong);
}
Shape Double() {
  return Shape(ShapeType::kDouble);
}
Shape Boolean() {
  return Shape(ShapeType::kBoolean);
}
Shape Timestamp() {
  return Shape(ShapeType::kTimestamp);
}
Shape Document() {
  return Shape(ShapeType::kDocument);
}
Shape Enum(std::vector<std::string> values) {
  return Shape(ShapeType::kString).OneOf(std::move(values));
}

Shape List(Shape element) {
  Shape shape(ShapeType::kList);
  shape.parts.push_back(std::move(element));
  return shape;
}

Shape Map(Shape key, Shape value) {
  Shape shape(ShapeType::kMap);
  shape.parts.push_back(std::move(key));
  shape.parts.push_back(std::move(value));
  return shape;
}

Shape Structure(std::vector<Member> members) {
  Shape shape(ShapeType::kStructure);
  shape.members = std::move(members);
  return shape;
}

Member Required(std::string name, Shape shape) {
  return Member{std::move(name), std::move(shape), true};
}
Member Optional(std::string name, Shape shape) {
  return Member{std::move(name), std::move(shape), false};
}

namespace {

std::string_view TypeName(ShapeType type) {
  switch (type) {
    case ShapeType::kString:
      return "string";
    case ShapeType::kInteger:
      return "integer";
    case ShapeType::kLong:
      return "long";
    case ShapeType::kDouble:
      return "number";
    case ShapeType::kBoolean:
      return "boolean";
    case ShapeType::kTimestamp:
      return "timestamp";
    case ShapeType::kList:
      return "list";
    case ShapeType::kMap:
      return "map";
    case ShapeType::kStructure:
      return "structure";
    case ShapeType::kDocument:
      return "anything";
  }
  return "";
}

// Longer enums (instance types) are summarised in the guide.
constexpr size_t kValuesListedMax = 16;

std::string Bounds(const Shape& shape) {
  const bool has_min = shape.min != Shape::kNoMin && shape.min != 0;
  const bool has_max = shape.max != Shape::kNoMax;
  std::string unit;
  switch (shape.type) {
    case ShapeType::kString:
      unit = " characters";
      break;
    case ShapeType::kList:
    case ShapeType::kMap:
      unit = " entries";
      break;
    default:
      break;
  }
  if (has_min && has_max) return ", " + std::to_string(shape.min) + "–" + std::to_string(shape.max) + unit;
  if (has_min) return ", at least " + std::to_string(shape.min) + unit;
  if (has_max) return ", at most " + std::to_string(shape.max) + unit;
  return "";
}

}  // namespace

std::string DescribeShape(const Shape& shape) {
  std::string text(TypeName(shape.type));
  if (shape.type == ShapeType::kList) text += " of " + DescribeShape(shape.parts[0]);
  text += Bounds(shape);
  if (shape.pattern != nullptr) text += ", pattern `" + std::string(shape.pattern->text) + "`";
  if (!shape.values.empty()) {
    if (shape.values.size() > kValuesListedMax) {
      text += ", one of " + std::to_string(shape.values.size()) + " values";
    } else {
      text += ": ";
      for (size_t i = 0; i < shape.values.size(); ++i) text += (i == 0 ? "" : ", ") + shape.values[i];
    }
  }
  return text;
}

}  // namespace argosy::api
