#include "algorithms/hyperparameters.h"

#include <algorithm>
#include <cmath>

#include "base/bytes.h"

namespace argosy::algorithms {
namespace declare {

HyperparameterSpec Choice(std::string_view name, std::vector<std::string_view> words, std::string_view standard,
                          std::string_view doc) {
  return {.name = name,
          .type = HyperparameterType::kChoice,
          .words = std::move(words),
          .default_value = standard,
          .doc = doc};
}

HyperparameterSpec Flag(std::string_view name, std::string_view standard, std::string_view doc) {
  return Choice(name, {"true", "false"}, standard, doc);
}

HyperparameterSpec FlagOrAuto(std::string_view name, std::string_view standard, std::string_view doc) {
  return Choice(name, {"auto", "true", "false"}, standard, doc);
}

HyperparameterSpec Count(std::string_view name, std::vector<std::string_view> words, std::string_view standard,
                         std::string_view doc) {
  return {.name = name,
          .type = HyperparameterType::kInteger,
          .min = 1,
          .max = kIntegerMax,
          .words = std::move(words),
          .default_value = standard,
          .required = standard.empty(),
          .doc = doc};
}

HyperparameterSpec Positive(std::string_view name, std::vector<std::string_view> words, std::string_view standard,
                            std::string_view doc) {
  return {.name = name,
          .type = HyperparameterType::kFloat,
          .min = 0,
          .max = std::numeric_limits<double>::infinity(),
          .min_bound = Bound::kExclusive,
          .words = std::move(words),
          .default_value = standard,
          .doc = doc};
}

HyperparameterSpec NotNegative(std::string_view name, std::string_view doc) {
  return {.name = name,
          .type = HyperparameterType::kFloat,
          .min = 0,
          .max = std::numeric_limits<double>::infinity(),
          .words = {"auto"},
          .default_value = "auto",
          .doc = doc};
}

HyperparameterSpec Fraction(std::string_view name, Bound bounds, std::vector<std::string_view> words,
                            std::string_view standard, std::string_view doc) {
  return {.name = name,
          .type = HyperparameterType::kFloat,
          .min = 0,
          .max = 1,
          .min_bound = bounds,
          .max_bound = bounds,
          .words = std::move(words),
          .default_value = standard,
          .doc = doc};
}

HyperparameterSpec Seed() {
  return {.name = "argosy_seed",
          .type = HyperparameterType::kInteger,
          .min = 0,
          .max = 9007199254740991.0,
          .doc = "Seed of all that is random. Not given: the same for every training."};
}

HyperparameterSpec BadRecordsMax() {
  return {.name = kBadRecordsMax,
          .type = HyperparameterType::kInteger,
          .min = 0,
          .max = 9007199254740991.0,
          .default_value = "0",
          .doc =
              "Records of a channel that may be unreadable (a bad number, another number of columns): they are left "
              "out, counted and the first is shown in the log. With more the job fails."};
}

HyperparameterSpec CheckpointSeconds() {
  return {.name = kCheckpointSeconds,
          .type = HyperparameterType::kFloat,
          .min = 0,
          .max = kIntegerMax,
          .default_value = "10",
          .doc =
              "Seconds between two checkpoints, for a job with a CheckpointConfig; more when saving is slow. 0: as "
              "often as possible."};
}

}  // namespace declare

namespace {

constexpr std::string_view kTuningObjective = "_tuning_objective_metric";
constexpr double kIntegerMax = 9007199254740992.0;  // beyond it a double does not tell integers apart

std::string FormatBound(double bound) {
  if (bound == std::floor(bound) && std::abs(bound) < kIntegerMax) {
    return std::to_string(static_cast<int64_t>(bound));
  }
  std::string text = std::to_string(bound);
  text.erase(text.find_last_not_of('0') + 1);
  return text;
}

std::string JoinWords(const std::vector<std::string_view>& words) {
  std::string text;
  for (const std::string_view word : words) {
    if (!text.empty()) text += ", ";
    text += word;
  }
  return text;
}

// Whole numbers may come as 10.0, as JSON writers in between make of them.
std::optional<int64_t> ParseWhole(std::string_view text) {
  if (const auto whole = ParseInt(text)) return whole;
  const auto value = ParseDouble(text);
  if (!value || *value != std::floor(*value) || std::abs(*value) >= kIntegerMax) return std::nullopt;
  return static_cast<int64_t>(*value);
}

bool InRange(const HyperparameterSpec& spec, double value) {
  using Bound = HyperparameterSpec::Bound;
  if (!std::isfinite(value)) return false;
  if (spec.min_bound == Bound::kExclusive ? value <= spec.min : value < spec.min) return false;
  return spec.max_bound == Bound::kExclusive ? value < spec.max : value <= spec.max;
}

bool IsValid(const HyperparameterSpec& spec, std::string_view text) {
  if (std::find(spec.words.begin(), spec.words.end(), text) != spec.words.end()) return true;
  switch (spec.type) {
    case HyperparameterType::kChoice:
      return false;
    case HyperparameterType::kText:
      return true;
    case HyperparameterType::kInteger: {
      const auto value = ParseWhole(text);
      return value && InRange(spec, static_cast<double>(*value));
    }
    case HyperparameterType::kFloat: {
      const auto value = ParseDouble(text);
      return value && InRange(spec, *value);
    }
  }
  return false;
}

}  // namespace

const std::string& ParsedHyperparameters::Text(std::string_view name) const {
  const auto at = values_.find(name);
  Check(at != values_.end(), "hyperparameter not declared");
  return at->second.text;
}

bool ParsedHyperparameters::IsGiven(std::string_view name) const {
  const auto at = values_.find(name);
  Check(at != values_.end(), "hyperparameter not declared");
  return at->second.given;
}

std::optional<double> ParsedHyperparameters::Float(std::string_view name) const {
  return ParseDouble(Text(name));
}

std::optional<int64_t> ParsedHyperparameters::Integer(std::string_view name) const {
  return ParseWhole(Text(name));
}

Result<ParsedHyperparameters> ParseHyperparameters(std::span<const HyperparameterSpec> specs,
                                                   const Hyperparameters& given) {
  ParsedHyperparameters parsed;
  std::string faults;
  const auto fault = [&](const std::string& text) {
    if (!faults.empty()) faults += "; ";
    faults += text;
  };
  for (const auto& [name, value] : given) {
    const bool known = std::any_of(specs.begin(), specs.end(), [&](const auto& spec) { return spec.name == name; });
    if (!known && name != kTuningObjective) {
      fault("Additional properties are not allowed ('" + name + "' was unexpected)");
    }
  }
  for (const HyperparameterSpec& spec : specs) {
    ParsedHyperparameters::Value value;
    value.text = std::string(spec.default_value);
    if (const auto at = given.find(std::string(spec.name)); at != given.end()) {
      value.given = true;
      value.text = spec.type == HyperparameterType::kText ? at->second : std::string(Trim(at->second));
      // The SDK writes Python's True and False.
      const std::string lower = ToLower(value.text);
      if (std::find(spec.words.begin(), spec.words.end(), lower) != spec.words.end()) value.text = lower;
      if (!IsValid(spec, value.text)) {
        fault("Hyperparameter " + std::string(spec.name) + ": '" + value.text + "' is not valid: it must be " +
              DescribeRange(spec));
      }
    } else if (spec.required) {
      fault("Hyperparameter " + std::string(spec.name) + ": '" + std::string(spec.name) +
            "' is a required property: it must be " + DescribeRange(spec));
    }
    parsed.values_.emplace(spec.name, std::move(value));
  }
  if (!faults.empty()) return Error(ErrorCode::kInvalidArgument, std::move(faults));
  return parsed;
}

Error InvalidHyperparameter(std::string_view name, std::string_view value, std::string_view rule) {
  return Error(ErrorCode::kInvalidArgument, "Hyperparameter " + std::string(name) + ": '" + std::string(value) +
                                                "' is not valid: " + std::string(rule));
}

std::string DescribeRange(const HyperparameterSpec& spec) {
  using Bound = HyperparameterSpec::Bound;
  if (spec.type == HyperparameterType::kText) return "text";
  if (spec.type == HyperparameterType::kChoice) return "one of " + JoinWords(spec.words);
  std::string text = spec.type == HyperparameterType::kInteger ? "an integer" : "a float";
  const bool has_min = std::isfinite(spec.min);
  const bool has_max = std::isfinite(spec.max);
  if (has_min) text += (spec.min_bound == Bound::kExclusive ? " > " : " ≥ ") + FormatBound(spec.min);
  if (has_max) {
    text += std::string(has_min ? " and" : "") + (spec.max_bound == Bound::kExclusive ? " < " : " ≤ ") +
            FormatBound(spec.max);
  }
  if (!spec.words.empty()) text += ", or " + JoinWords(spec.words);
  return text;
}

std::string RenderHyperparameterTable(std::span<const HyperparameterSpec> specs) {
  std::string table = "| name | value | default | meaning |\n|---|---|---|---|\n";
  for (const HyperparameterSpec& spec : specs) {
    std::string standard = spec.required                ? "required"
                           : spec.default_value.empty() ? "–"
                                                        : std::string(spec.default_value);
    table += "| `" + std::string(spec.name) + "` | " + DescribeRange(spec) + " | " + standard + " | " +
             std::string(spec.doc) + " |\n";
  }
  return table;
}

}  // namespace argosy::algorithms
