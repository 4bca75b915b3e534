// The declaration of what an operation takes: types, lengths, ranges, patterns, enums, what is required, and how far
// Argosy goes with each member. Parsing, AWS's validation messages and docs/guides/api.md all follow from it.
//
//   Structure({
//       Required("TrainingJobName", String().Length(1, 63).Matching(kNamePattern)),
//       Optional("EnableManagedSpotTraining", Boolean()).Refused("managed spot training"),
//       Optional("VpcConfig", Document()).Echoed(),
//   })
//
// Built once at start, read-only afterwards: any thread may validate against it.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace argosy::api {

enum class ShapeType {
  kString,
  kInteger,  // 32 bits
  kLong,     // 64 bits
  kDouble,
  kBoolean,
  kTimestamp,  // JSON: seconds since the epoch, fractional allowed
  kList,
  kMap,  // keys are strings
  kStructure,
  kDocument,  // anything: accepted and given back as it is
};

// A regular expression of the service's model and a function that decides it in linear time without an engine. (A
// backtracking engine on bytes from outside is a way to be held up.) patterns_test.cc holds both against each other.
struct Pattern {
  std::string_view text;
  bool (*matches)(std::string_view);
};

struct Member;

class Shape {
 public:
  // Out of line: a structure's members hold shapes, so Member is not complete here.
  explicit Shape(ShapeType shape_type);
  Shape(const Shape&);
  Shape(Shape&&) noexcept;
  Shape& operator=(const Shape&);
  Shape& operator=(Shape&&) noexcept;
  ~Shape();

  // Of strings (characters), lists and maps (entries): length. Of numbers: value.
  Shape Length(int64_t least, int64_t most) &&;
  Shape Range(int64_t least, int64_t most) &&;
  Shape AtLeast(int64_t least) &&;
  Shape AtMost(int64_t most) &&;
  Shape Matching(const Pattern& p) &&;
  Shape OneOf(std::vector<std::string> allowed) &&;

  static constexpr int64_t kNoMin = std::numeric_limits<int64_t>::min();
  static constexpr int64_t kNoMax = std::numeric_limits<int64_t>::max();

  ShapeType type;
  int64_t min = kNoMin;
  int64_t max = kNoMax;
  const Pattern* pattern = nullptr;
  std::vector<std::string> values;  // enum, in the order messages list them
  std::vector<Member> members;      // kStructure
  std::vector<Shape> parts;         // kList: the element. kMap: key, value
};

// How far Argosy goes with a member.
enum class Support {
  kUsed,     // it has its effect
  kEchoed,   // no effect on what a job or endpoint does here; given back by Describe
  kRefused,  // neglecting it would change the result: refused when it asks for anything (not null, false, 0, empty)
  kOnly,     // the values in `supported` are used, others refused
  kAtMost,   // numbers up to `supported_max` are used, larger refused
};

struct Member {
  std::string name;
  Shape shape;
  bool required = false;
  Support support = Support::kUsed;
  std::string what;                    // kRefused, kOnly, kAtMost: what Argosy does not have, in words
  std::vector<std::string> supported;  // kOnly
  int64_t supported_max = 0;           // kAtMost

  Member Echoed() &&;
  Member Refused(std::string what_it_is) &&;
  Member Only(std::vector<std::string> supported_values) &&;
  Member UpTo(int64_t most, std::string what_it_is) &&;
};

Shape String();
Shape Integer();
Shape Long();
Shape Double();
Shape Boolean();
Shape Timestamp();
Shape Document();
Shape Enum(std::vector<std::string> values);
Shape List(Shape element);
Shape Map(Shape key, Shape value);
Shape Structure(std::vector<Member> members);

Member Required(std::string name, Shape shape);
Member Optional(std::string name, Shape shape);

// "string, 1–63 characters, pattern `…`": for the guide.
std::string DescribeShape(const Shape& shape);

}  // namespace argosy::api
