// Hyperparameters declared once: name, type, range, default and meaning. Parsing, validation messages and the reference
// in docs/guides/ follow from the declaration.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "algorithms/algorithm.h"
#include "base/result.h"

namespace argosy::algorithms {

enum class HyperparameterType {
  kInteger,
  kFloat,
  kChoice,  // one of `words`
  kText,    // any
};

struct HyperparameterSpec {
  enum class Bound { kInclusive, kExclusive };

  std::string_view name;
  HyperparameterType type = HyperparameterType::kText;
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  Bound min_bound = Bound::kInclusive;
  Bound max_bound = Bound::kInclusive;
  std::vector<std::string_view> words;  // besides a number: auto, balanced; the choices of kChoice
  std::string_view default_value;       // as it would be written
  bool required = false;                // then there is no default
  std::string_view doc;                 // Markdown, one sentence or two
};

// Common kinds of declaration. `words` are what may stand in a number's place.
namespace declare {
using Bound = HyperparameterSpec::Bound;
inline constexpr double kIntegerMax = 2147483647;

HyperparameterSpec Choice(std::string_view name, std::vector<std::string_view> words, std::string_view standard,
                          std::string_view doc);
HyperparameterSpec Flag(std::string_view name, std::string_view standard, std::string_view doc);        // true, false
HyperparameterSpec FlagOrAuto(std::string_view name, std::string_view standard, std::string_view doc);  // and auto
// An integer from 1 on; required when `standard` is empty and there are no words.
HyperparameterSpec Count(std::string_view name, std::vector<std::string_view> words, std::string_view standard,
                         std::string_view doc);
// A number above 0.
HyperparameterSpec Positive(std::string_view name, std::vector<std::string_view> words, std::string_view standard,
                            std::string_view doc);
// A number from 0 on, or auto.
HyperparameterSpec NotNegative(std::string_view name, std::string_view doc);
// A number from 0 to 1.
HyperparameterSpec Fraction(std::string_view name, Bound bounds, std::vector<std::string_view> words,
                            std::string_view standard, std::string_view doc);
HyperparameterSpec Seed();  // argosy_seed
inline constexpr std::string_view kCheckpointSeconds = "argosy_checkpoint_seconds";
inline constexpr double kCheckpointSecondsDefault = 10;
HyperparameterSpec CheckpointSeconds();
inline constexpr std::string_view kBadRecordsMax = "argosy_bad_records_max";
HyperparameterSpec BadRecordsMax();
}  // namespace declare

// Values by name, as checked against a declaration; defaults filled in.
class ParsedHyperparameters {
 public:
  // Text as given, or the default. `name` must be declared; so below.
  const std::string& Text(std::string_view name) const;
  bool IsGiven(std::string_view name) const;
  bool IsTrue(std::string_view name) const { return Text(name) == "true"; }
  // Nothing when the value is a word (auto, balanced) or empty.
  std::optional<double> Float(std::string_view name) const;
  std::optional<int64_t> Integer(std::string_view name) const;

 private:
  friend Result<ParsedHyperparameters> ParseHyperparameters(std::span<const HyperparameterSpec>,
                                                            const Hyperparameters&);
  struct Value {
    std::string text;  // words in lower case
    bool given = false;
  };
  std::map<std::string, Value, std::less<>> values_;
};

// kInvalidArgument in SageMaker's words naming every hyperparameter that is unknown, absent or out of its range. Names
// the tuner adds for itself (`_tuning_objective_metric`) are let be.
Result<ParsedHyperparameters> ParseHyperparameters(std::span<const HyperparameterSpec> specs,
                                                   const Hyperparameters& given);

// kInvalidArgument in the words that ParseHyperparameters uses too.
Error InvalidHyperparameter(std::string_view name, std::string_view value, std::string_view rule);

// "float > 0, or auto", "one of sgd, adam"
std::string DescribeRange(const HyperparameterSpec& spec);

// | name | type, range | default | meaning |
std::string RenderHyperparameterTable(std::span<const HyperparameterSpec> specs);

}  // namespace argosy::algorithms
