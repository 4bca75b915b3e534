#include "algorithms/table_settings.h"

#include "base/bytes.h"
#include "data/csv.h"

namespace argosy::algorithms {
namespace {

HyperparameterSpec Header() {
  return declare::Choice("argosy_header", {"false", "true", "auto"}, "false",
                         "Whether files begin with a line of column names. auto: seen from the first lines.");
}

data::HeaderOption HeaderOf(const ParsedHyperparameters& values) {
  const std::string& header = values.Text("argosy_header");
  if (header == "auto") return data::HeaderOption::kAuto;
  return header == "true" ? data::HeaderOption::kYes : data::HeaderOption::kNo;
}

}  // namespace

std::vector<HyperparameterSpec> TableHyperparameters(std::string_view category_doc) {
  using Type = HyperparameterType;
  return {
      Header(),
      {.name = "argosy_label",
       .type = Type::kText,
       .default_value = "0",
       .doc = "The label's column: a name of the header, or a position from 0; negative positions count from the end "
              "(-1 is the last)."},
      {.name = "argosy_label_map",
       .type = Type::kText,
       .doc =
           "Labels that are text. auto: every text is a class, numbered in sorted order. Or a map of label to class, "
           "`normal.=normal,*=attack` or the same as a JSON object, `*` standing for all other labels; classes are "
           "numbered in the order of their first appearance unless they are numbers themselves. With two classes "
           "class 1 is the positive one."},
      {.name = "argosy_categorical", .type = Type::kText, .doc = category_doc},
  };
}

Result<TableSettings> ParseTableSettings(const ParsedHyperparameters& values, LabelMeaning meaning) {
  TableSettings settings;
  data::ProbeOptions& table = settings.options;
  table.header = HeaderOf(values);
  table.label = std::string(Trim(values.Text("argosy_label")));
  if (const std::string_view text = Trim(values.Text("argosy_categorical")); !text.empty()) {
    auto columns = data::SplitCsvLine(text);
    if (!columns) return InvalidHyperparameter("argosy_categorical", text, "a quote is not closed");
    for (std::string& column : *columns) {
      if (column == "auto") {
        table.categorical_auto = true;
      } else {
        table.categorical.push_back(std::move(column));
      }
    }
  }
  const std::string_view map = Trim(values.Text("argosy_label_map"));
  if (meaning == LabelMeaning::kNumber) {
    if (!map.empty()) return InvalidHyperparameter("argosy_label_map", map, "labels to be regressed on are numbers");
    table.label_kind = data::LabelKind::kNumber;
  } else if (map == "auto") {
    settings.label_text = true;
    table.label_kind = data::LabelKind::kText;
  } else if (!map.empty()) {
    auto encoding = data::ParseLabelMap(map);
    if (!encoding) return InvalidHyperparameter("argosy_label_map", map, encoding.error().message());
    table.label_kind = data::LabelKind::kEncoded;
    table.label_encoding = std::move(*encoding);
  } else {
    table.label_kind = data::LabelKind::kClassNumber;
  }
  return settings;
}

std::vector<HyperparameterSpec> UnlabelledTableHyperparameters() {
  return {
      Header(),
      {.name = "argosy_label",
       .type = HyperparameterType::kText,
       .doc = "A column that is not looked at (a label, an id): a name of the header, or a position from 0; negative "
              "positions count from the end. Not given: the first of a table with one column more than "
              "feature_dim."}};
}

data::ProbeOptions ParseUnlabelledTable(const ParsedHyperparameters& values) {
  data::ProbeOptions options;
  options.header = HeaderOf(values);
  options.has_label = false;
  if (const std::string_view label = Trim(values.Text("argosy_label")); !label.empty()) {
    options.has_label = true;
    options.label = std::string(label);
  }
  return options;
}

}  // namespace argosy::algorithms
