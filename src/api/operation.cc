#include "api/operation.h"

namespace argosy::api {
namespace {

std::string SupportText(const Member& member) {
  switch (member.support) {
    case Support::kUsed:
      return "used";
    case Support::kEchoed:
      return "accepted, given back; no effect";
    case Support::kRefused:
      return "refused: " + member.what;
    case Support::kOnly: {
      std::string text = "only ";
      for (size_t i = 0; i < member.supported.size(); ++i) text += (i == 0 ? "" : ", ") + member.supported[i];
      return text;
    }
    case Support::kAtMost:
      return "at most " + std::to_string(member.supported_max) + "; more refused: " + member.what;
  }
  return "";
}

// A cell of a Markdown table must not hold its separator.
std::string Cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

// What a structure is accepted for holds for its members, unless they say otherwise.
std::string SupportText(const Member& member, Support around) {
  if (member.support != Support::kUsed || around == Support::kUsed) return SupportText(member);
  return around == Support::kRefused ? "refused with it" : "accepted, given back; no effect";
}

void AppendMembers(const Shape& shape, const std::string& prefix, Support around, std::string& out) {
  for (const Member& member : shape.members) {
    const std::string name = prefix + member.name;
    out += "| `" + name + "`" + (member.required ? " (required)" : "") + " | " + Cell(DescribeShape(member.shape)) +
           " | " + Cell(SupportText(member, around)) + " |\n";
    const Shape* inner = &member.shape;
    std::string inner_prefix = name;
    while (inner->type == ShapeType::kList || inner->type == ShapeType::kMap) {
      inner_prefix += inner->type == ShapeType::kList ? "[]" : "{}";
      inner = &inner->parts.back();
    }
    if (inner->type == ShapeType::kStructure) {
      const bool passed_on = member.support == Support::kEchoed || member.support == Support::kRefused;
      AppendMembers(*inner, inner_prefix + ".", passed_on ? member.support : around, out);
    }
  }
}

}  // namespace

std::string DescribeOperations(std::string_view service, const std::vector<Operation>& operations) {
  std::string out = "## " + std::string(service) + "\n";
  for (const Operation& operation : operations) {
    out += "\n### " + operation.name + "\n\n" + operation.summary + "\n";
    if (operation.input.members.empty()) continue;
    out += "\n| member | type | here |\n|---|---|---|\n";
    AppendMembers(operation.input, "", Support::kUsed, out);
  }
  return out;
}

}  // namespace argosy::api
