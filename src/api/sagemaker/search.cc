#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>
#include <utility>

#include "api/patterns.h"
#include "api/sagemaker/families.h"
#include "api/sagemaker/search_expression.h"
#include "api/sagemaker/search_record.h"
#include "base/bytes.h"
#include "catalog/json_fields.h"
#include "catalog/visit.h"

namespace argosy::api::sagemaker {
namespace {

using catalog::TextField;

constexpr int64_t kFoundDefault = 10;       // results of a page; the lists' default
constexpr size_t kSuggestionsMax = 100;     // of one answer
constexpr size_t kSuggestedFromMax = 1000;  // the newest resources, whose hyperparameters, tags and metrics are offered

// Where a record stands in the order asked for. Those without the property come last, those that are alike in the order
// of their uids, so that pages neither repeat nor lose any.
struct Rank {
  bool missing = false;
  double number = 0;
  std::string text;
  std::string uid;

  Json ToJson() const { return Json::array({missing, number, text, uid}); }
};

std::optional<Rank> RankOfJson(const Json& json) {
  if (!json.is_array() || json.size() != 4 || !json[0].is_boolean() || !json[1].is_number() || !json[2].is_string() ||
      !json[3].is_string()) {
    return std::nullopt;
  }
  return Rank{json[0].get<bool>(), json[1].get<double>(), json[2].get<std::string>(), json[3].get<std::string>()};
}

bool Before(const Rank& a, const Rank& b, catalog::SortOrder order) {
  if (a.missing != b.missing) return b.missing;
  const auto left = std::tie(a.number, a.text, a.uid);
  const auto right = std::tie(b.number, b.text, b.uid);
  return order == catalog::SortOrder::kAscending ? left < right : right < left;
}

Rank RankOf(const std::optional<Property>& sort_by, const Json& record, const catalog::Resource& resource) {
  Rank rank;
  rank.uid = resource.uid;
  if (!sort_by) {
    rank.number = ToUnixSeconds(resource.modified);
    return rank;
  }
  const std::vector<const Json*> values = ValuesOf(*sort_by, record);
  rank.missing = values.empty();
  if (rank.missing) return rank;
  const Json& value = *values.front();
  if (value.is_number()) rank.number = value.get<double>();
  if (value.is_boolean()) rank.number = value.get<bool>() ? 1 : 0;
  if (value.is_string()) rank.text = value.get<std::string>();
  // Hyperparameters that are numbers stand in the order of numbers, before those that are not.
  if (sort_by->type == PropertyType::kHyperParameter) {
    const std::optional<double> number = ParseDouble(rank.text);
    rank.number = number.value_or(std::numeric_limits<double>::max());
  }
  return rank;
}

// One Search, as asked.
struct Asked {
  std::optional<SearchExpression> expression;
  std::optional<Property> sort_by;  // nothing: LastModifiedTime, which every stored resource has
  catalog::SortOrder order = catalog::SortOrder::kDescending;
  size_t results_max = 0;
  std::vector<std::pair<Property, std::string>> visible;  // tags, and the value that those which have them must have
  std::optional<Rank> after;                              // of the last result of the page before
  std::string fingerprint;                                // of what the pages of one search have in common
};

std::string FingerprintOf(const Json& input) {
  Json same = input;
  same.erase("NextToken");
  same.erase("MaxResults");
  return Sha256Hex(DumpJson(same)).substr(0, 12);
}

std::optional<Rank> ReadToken(const std::string& token, const std::string& fingerprint) {
  const std::optional<std::string> text = FromBase64(token);
  const Result<Json> json = ParseJson(text.value_or(""));
  if (!json.ok() || !json->is_array() || json->size() != 2 || (*json)[0] != Json(fingerprint)) return std::nullopt;
  return RankOfJson((*json)[1]);
}

std::variant<Asked, ServiceError> ReadAsked(const Shape& record, const Json& input) {
  Asked asked;
  if (input.contains("SearchExpression")) {
    std::variant<SearchExpression, ServiceError> read =
        ReadSearchExpression(record, catalog::ObjectField(input, "SearchExpression"));
    if (auto* error = std::get_if<ServiceError>(&read)) return std::move(*error);
    asked.expression = std::get<SearchExpression>(std::move(read));
  }
  const std::string sort_by = TextField(input, "SortBy", "LastModifiedTime");
  if (sort_by != "LastModifiedTime") {
    asked.sort_by = FindProperty(record, sort_by);
    if (!asked.sort_by || asked.sort_by->type == PropertyType::kWhole) {
      return ValidationError("The results cannot be sorted by '" + sort_by +
                             "': it is no plain property of the resource that is searched.");
    }
  }
  if (TextField(input, "SortOrder") == "Ascending") asked.order = catalog::SortOrder::kAscending;
  asked.results_max = static_cast<size_t>(catalog::IntField(input, "MaxResults", kFoundDefault));
  for (const Json& condition : catalog::ArrayField(input, "VisibilityConditions")) {
    const std::string key = TextField(condition, "Key");
    std::optional<Property> tag = FindProperty(record, key);
    if (!tag || tag->place != Property::Place::kTag) {
      return ValidationError("The key '" + key + "' of VisibilityConditions must be like Tags.<key>.");
    }
    asked.visible.emplace_back(std::move(*tag), TextField(condition, "Value"));
  }
  asked.fingerprint = FingerprintOf(input);
  if (const std::string token = TextField(input, "NextToken"); !token.empty()) {
    asked.after = ReadToken(token, asked.fingerprint);
    if (!asked.after) return ValidationError("Invalid pagination token.");
  }
  return asked;
}

bool IsFound(const Asked& asked, const Json& record) {
  for (const auto& [tag, value] : asked.visible) {
    const std::vector<const Json*> values = ValuesOf(tag, record);
    if (!values.empty() && *values.front() != Json(value)) return false;
  }
  return !asked.expression || Matches(*asked.expression, record);
}

// The best of what was found, at most one more than a page.
class BestFound {
 public:
  explicit BestFound(const Asked& asked) : asked_(asked) {}

  void Add(Rank rank, Json record) {
    ++total_;
    if (asked_.after && !Before(*asked_.after, rank, asked_.order)) return;
    const auto place = std::upper_bound(best_.begin(), best_.end(), rank, [this](const Rank& a, const Found& b) {
      return Before(a, b.rank, asked_.order);
    });
    if (best_.size() > asked_.results_max && place == best_.end()) return;
    best_.insert(place, Found{std::move(rank), std::move(record)});
    if (best_.size() > asked_.results_max + 1) best_.pop_back();
  }

  Json Answer(const RecordKind& kind) {
    Json answer = {{"Results", Json::array()}, {"TotalHits", {{"Value", total_}, {"Relation", "EqualTo"}}}};
    if (best_.size() > asked_.results_max) {
      best_.pop_back();
      answer["NextToken"] = ToBase64(DumpJson(Json::array({asked_.fingerprint, best_.back().rank.ToJson()})));
    }
    for (Found& found : best_) answer["Results"].push_back(SearchResult(kind, std::move(found.record)));
    return answer;
  }

 private:
  struct Found {
    Rank rank;
    Json record;
  };
  const Asked& asked_;
  std::vector<Found> best_;
  size_t total_ = 0;
};

const RecordKind* FindKind(const std::vector<RecordKind>& kinds, const std::string& name) {
  const auto found =
      std::find_if(kinds.begin(), kinds.end(), [&](const RecordKind& kind) { return kind.name == name; });
  return found == kinds.end() ? nullptr : &*found;
}

Answer Search(const Context& context, const std::vector<RecordKind>& kinds, const Json& input) {
  const RecordKind* const kind = FindKind(kinds, TextField(input, "Resource"));
  if (kind == nullptr) {  // SageMaker has them, Argosy does not: there are none
    return JsonAnswer({{"Results", Json::array()}, {"TotalHits", {{"Value", 0}, {"Relation", "EqualTo"}}}});
  }
  const std::variant<Asked, ServiceError> asked = ReadAsked(kind->shape, input);
  if (const auto* error = std::get_if<ServiceError>(&asked)) return *error;
  const Result<RecordReader> read = MakeRecordReader(context, *kind);
  if (!read.ok()) return ErrorAnswer(read.error());
  BestFound found(std::get<Asked>(asked));
  Status broken;
  const Status visited =
      catalog::Visit(*context.deps.catalog, {.kind = kind->kind}, [&](const catalog::Resource& resource) {
        Result<Json> record = (*read)(resource);
        if (!record.ok()) {
          broken = record.error();
          return false;
        }
        if (IsFound(std::get<Asked>(asked), *record)) {
          Rank rank = RankOf(std::get<Asked>(asked).sort_by, *record, resource);
          found.Add(std::move(rank), std::move(*record));
        }
        return true;
      });
  if (!visited.ok()) return ErrorAnswer(visited.error());
  if (!broken.ok()) return ErrorAnswer(broken.error());
  return JsonAnswer(found.Answer(*kind));
}

// Names of tags, hyperparameters and metrics that a resource brings with it.
void AppendOwnNames(const Json& record, std::set<std::string>& names) {
  for (const Json& tag : catalog::ArrayField(record, "Tags")) names.insert("Tags." + TextField(tag, "Key"));
  for (const auto& [name, value] : catalog::ObjectField(record, "HyperParameters").items()) {
    names.insert("HyperParameters." + name);
  }
  for (const Json& metric : catalog::ArrayField(record, "FinalMetricDataList")) {
    names.insert("Metrics." + TextField(metric, "MetricName"));
  }
}

Answer Suggest(const Context& context, const std::vector<RecordKind>& kinds, const Json& input) {
  const RecordKind* const kind = FindKind(kinds, TextField(input, "Resource"));
  if (kind == nullptr) return JsonAnswer({{"PropertyNameSuggestions", Json::array()}});
  const Result<RecordReader> read = MakeRecordReader(context, *kind);
  if (!read.ok()) return ErrorAnswer(read.error());
  const std::vector<std::string> declared = PropertyNames(kind->shape);
  std::set<std::string> names(declared.begin(), declared.end());
  size_t looked_at = 0;
  const Status visited =
      catalog::Visit(*context.deps.catalog, {.kind = kind->kind}, [&](const catalog::Resource& resource) {
        if (const Result<Json> record = (*read)(resource); record.ok()) AppendOwnNames(*record, names);
        return ++looked_at < kSuggestedFromMax;
      });
  if (!visited.ok()) return ErrorAnswer(visited.error());
  const Json& query = catalog::ObjectField(input, "SuggestionQuery");
  const std::string hint = TextField(catalog::ObjectField(query, "PropertyNameQuery"), "PropertyNameHint");
  Json suggestions = Json::array();
  for (auto name = names.lower_bound(hint); name != names.end() && name->starts_with(hint); ++name) {
    if (name->ends_with('.')) continue;  // a map: its keys are suggested
    if (suggestions.size() == kSuggestionsMax) break;
    suggestions.push_back({{"PropertyName", *name}});
  }
  return JsonAnswer({{"PropertyNameSuggestions", std::move(suggestions)}});
}

Shape ResourceShape(const std::vector<RecordKind>& kinds) {
  std::vector<std::string> names;
  for (const RecordKind& kind : kinds) names.emplace_back(kind.name);
  for (std::string& other : OtherSearchedResources()) names.push_back(std::move(other));
  return Enum(std::move(names));
}

Shape SearchInput(const std::vector<RecordKind>& kinds) {
  return Structure({
      Required("Resource", ResourceShape(kinds)),
      Optional("SearchExpression", SearchExpressionShape()),
      Optional("SortBy", String().Length(1, 255).Matching(kNonEmptyLinePattern)),
      Optional("SortOrder", Enum({"Ascending", "Descending"})),
      Optional("NextToken", String().AtMost(8192)),
      Optional("MaxResults", Integer().Range(1, 100)),
      Optional("CrossAccountFilterOption", Enum({"SameAccount", "CrossAccount"})).Only({"SameAccount"}),
      Optional("VisibilityConditions",
               List(Structure({Optional("Key", String().Length(1, 128).Matching(kTagPattern)),
                               Optional("Value", String().Length(0, 256).Matching(kTagPattern))}))
                   .Length(1, 5)),
  });
}

Shape SuggestInput(const std::vector<RecordKind>& kinds) {
  return Structure({
      Required("Resource", ResourceShape(kinds)),
      Optional(
          "SuggestionQuery",
          Structure({Optional("PropertyNameQuery", Structure({Required("PropertyNameHint", String().AtMost(100))}))})),
  });
}

}  // namespace

std::vector<Operation> SearchOperations(std::shared_ptr<const Context> context) {
  const auto kinds = std::make_shared<const std::vector<RecordKind>>(RecordKinds(*context));
  std::vector<Operation> operations;
  operations.push_back(
      {.name = "Search",
       .summary = "Training jobs, models and endpoints by what Describe tells of them, their tags and metrics. Of the "
                  "other resources there are none.",
       .access = auth::Access::kRead,
       .input = SearchInput(*kinds),
       .handle = [context, kinds](const Call& call, const Reply& reply) {
         reply(Search(*context, *kinds, call.input));
       }});
  operations.push_back({.name = "GetSearchSuggestions",
                        .summary = "Names of properties to search by, those of tags, hyperparameters and metrics of "
                                   "the newest resources among them.",
                        .access = auth::Access::kRead,
                        .input = SuggestInput(*kinds),
                        .handle = [context, kinds](const Call& call, const Reply& reply) {
                          reply(Suggest(*context, *kinds, call.input));
                        }});
  return operations;
}

}  // namespace argosy::api::sagemaker
