#include "algorithms/xgboost/tree_model.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/bytes.h"
#include "base/json.h"
#include "data/number.h"
#include "data/table_schema.h"

namespace argosy::algorithms::xgboost {
namespace {

constexpr size_t kGroupsMax = 100'000;

Error Corrupt(std::string_view why) {
  return Error(ErrorCode::kCorrupt, "this is no XGBoost model: " + std::string(why));
}

// Thrown within Parse only, where the JSON library throws as well.
struct Fault {
  std::string why;
};

void Require(bool condition, std::string_view why) {
  if (!condition) throw Fault{std::string(why)};
}

double ParseWhole(std::string_view text) {
  const data::ParsedNumber number = data::ParseNumber(text.data(), text.data() + text.size());
  Require(!text.empty() && number.end == text.data() + text.size(), "'" + std::string(text) + "' is not a number");
  return number.value;
}

// Numbers of the learner are text: "5E-1".
double NumberOf(const Json& value) {
  return ParseWhole(value.get_ref<const std::string&>());
}

// Those of newer versions may be lists, one for each class: "[1E-1,5E-1]".
std::vector<float> NumbersOf(const Json& value) {
  std::string_view text = value.get_ref<const std::string&>();
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  std::vector<float> out;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(',', at), text.size());
    out.push_back(static_cast<float>(ParseWhole(text.substr(at, end - at))));
    at = end + 1;
  }
  return out;
}

size_t CountOf(const Json& value, size_t max) {
  const double number = NumberOf(value);
  Require(number >= 0 && number <= static_cast<double>(max) && number == std::floor(number), "a count is out of range");
  return static_cast<size_t>(number);
}

float FloatOf(const Json& value) {
  Require(value.is_number(), "a number is expected");
  return value.get<float>();
}

int64_t IntegerOf(const Json& value) {
  Require(value.is_number_integer() || value.is_boolean(), "an integer is expected");
  return value.is_boolean() ? (value.get<bool>() ? 1 : 0) : value.get<int64_t>();
}

// An object whose first key is given with its length, where JSON has a quote.
bool IsUbjson(std::string_view bytes) {
  constexpr std::string_view kLengthMarks = "iUIlL";
  return bytes.size() > 2 && bytes[0] == '{' && kLengthMarks.find(bytes[1]) != std::string_view::npos;
}

// Bounds what the library's own reader takes on trust: how deep it nests, and how long a list claims to be.
class BoundedUbjson {
 public:
  BoundedUbjson(Json& root, size_t bytes) : dom_(root, false), bytes_(bytes) {}

  bool null() { return dom_.null(); }
  bool boolean(bool value) { return dom_.boolean(value); }
  bool number_integer(Json::number_integer_t value) { return dom_.number_integer(value); }
  bool number_unsigned(Json::number_unsigned_t value) { return dom_.number_unsigned(value); }
  bool number_float(Json::number_float_t value, const std::string& text) { return dom_.number_float(value, text); }
  bool string(std::string& value) { return dom_.string(value); }
  bool binary(Json::binary_t& value) { return dom_.binary(value); }
  bool key(std::string& value) { return dom_.key(value); }
  bool start_object(size_t elements) { return Enter(elements) && dom_.start_object(elements); }
  bool end_object() { return --depth_, dom_.end_object(); }
  bool start_array(size_t elements) { return Enter(elements) && dom_.start_array(elements); }
  bool end_array() { return --depth_, dom_.end_array(); }
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception&) { return false; }

 private:
  bool Enter(size_t elements) {
    constexpr size_t kUnknown = static_cast<size_t>(-1);
    return ++depth_ <= kJsonDepthMax && (elements == kUnknown || elements <= bytes_);
  }

  nlohmann::detail::json_sax_dom_parser<Json> dom_;
  const size_t bytes_;
  int depth_ = 0;
};

bool ReadUbjson(std::string_view bytes, Json& out) {
  try {
    BoundedUbjson reader(out, bytes.size());
    return Json::sax_parse(bytes.begin(), bytes.end(), &reader, Json::input_format_t::ubjson);
  } catch (const Json::exception&) {
    return false;
  }
}

}  // namespace

class TreeModel::Reader {
 public:
  explicit Reader(TreeModel& model) : model_(model) {}

  void Read(const Json& json) {
    const Json& learner = json.at("learner");
    const Json& parameters = learner.at("learner_model_param");
    model_.features_ = CountOf(parameters.at("num_feature"), data::kColumnsMax);
    Require(model_.features_ > 0, "it has no features");
    model_.groups_ = std::max<size_t>(1, CountOf(parameters.at("num_class"), kGroupsMax));
    Require(!parameters.contains("num_target") || CountOf(parameters.at("num_target"), kGroupsMax) <= 1,
            "it has several targets, which are not supported");
    model_.objective_ = learner.at("objective").at("name").get<std::string>();
    const std::vector<float> base = NumbersOf(parameters.at("base_score"));
    Require(base.size() == 1 || base.size() == model_.groups_, "its base_score has not one number for each class");
    model_.base_margins_ = base.size() == 1 ? std::vector<float>(model_.groups_, base[0]) : base;
    SetTransform();
    const Json& booster = learner.at("gradient_booster");
    const std::string kind = booster.at("name").get<std::string>();
    if (kind == "gblinear") {
      const Json& weights = booster.at("model").at("weights");
      Require(weights.size() == (model_.features_ + 1) * model_.groups_, "the linear weights do not fit the features");
      for (const Json& weight : weights) model_.linear_.push_back(FloatOf(weight));
    } else if (kind == "dart") {
      ReadTrees(booster.at("gbtree").at("model"));
      const Json& weights = booster.at("weight_drop");
      Require(weights.size() == model_.trees_.size(), "there are not as many weights as trees");
      for (size_t t = 0; t < weights.size(); ++t) model_.trees_[t].weight = FloatOf(weights[t]);
    } else {
      Require(kind == "gbtree", "its booster '" + kind + "' is not known");
      ReadTrees(booster.at("model"));
    }
  }

 private:
  // base_score is in the space of predictions; trees add up in that of margins.
  void SetTransform() {
    const std::string& name = model_.objective_;
    std::vector<float>& base = model_.base_margins_;
    if (name == "reg:logistic" || name == "binary:logistic") {
      model_.transform_ = Transform::kSigmoid;
      Require(std::ranges::all_of(base, [](float p) { return p > 0 && p < 1; }), "its base_score is no probability");
      for (float& p : base) p = -std::log(1.0F / p - 1.0F);
    } else if (name == "binary:logitraw") {
      // Neither base_score nor predictions are probabilities.
    } else if (name == "binary:hinge") {
      model_.transform_ = Transform::kStep;
    } else if (name == "count:poisson" || name == "reg:gamma" || name == "reg:tweedie" || name == "survival:cox" ||
               name == "survival:aft") {
      model_.transform_ = Transform::kExp;
      Require(std::ranges::all_of(base, [](float mean) { return mean > 0; }), "its base_score is not positive");
      for (float& mean : base) mean = std::log(mean);
    } else if (name == "multi:softmax" || name == "multi:softprob") {
      Require(model_.groups_ > 1, "it has too few classes");
      model_.transform_ = name == "multi:softmax" ? Transform::kArgmax : Transform::kSoftmax;
    } else {
      Require(name.starts_with("reg:") || name.starts_with("rank:"), "its objective '" + name + "' is not known");
      Require(model_.groups_ == 1, "its objective has no classes");
    }
  }

  void ReadTrees(const Json& model) {
    const Json& trees = model.at("trees");
    const Json& groups = model.at("tree_info");
    Require(trees.is_array() && groups.size() == trees.size(), "its trees are not listed");
    if (const auto known = model.find("gbtree_model_param"); known != model.end()) {
      Require(CountOf(known->at("num_trees"), INT32_MAX) == trees.size(), "it has not as many trees as it says");
    }
    for (size_t t = 0; t < trees.size(); ++t) {
      const int64_t group = IntegerOf(groups[t]);
      Require(group >= 0 && static_cast<size_t>(group) < model_.groups_, "a tree is of no class");
      model_.trees_.push_back({.root = model_.nodes_.size(), .group = static_cast<uint32_t>(group)});
      ReadTree(trees[t]);
    }
  }

  void ReadTree(const Json& tree) {
    const Json& left = tree.at("left_children");
    const Json& right = tree.at("right_children");
    const Json& feature = tree.at("split_indices");
    const Json& value = tree.at("split_conditions");
    const Json& default_left = tree.at("default_left");
    const size_t size = left.size();
    Require(size > 0 && size < INT32_MAX && right.size() == size && feature.size() == size && value.size() == size &&
                default_left.size() == size,
            "a tree's lists differ in length");
    CheckForLibrary(tree, size);
    if (const auto kinds = tree.find("split_type"); kinds != tree.end()) {
      for (const Json& kind : *kinds) {
        Require(IntegerOf(kind) == 0, "it splits by XGBoost's own categories, which are not supported");
      }
    }
    // Every node but the root is the child of exactly one other: then no walk goes in circles.
    std::vector<bool> reached(size);
    const auto child = [&](const Json& json) {
      const int64_t number = IntegerOf(json);
      Require(number > 0 && static_cast<size_t>(number) < size && !reached[static_cast<size_t>(number)],
              "a tree's nodes are no tree");
      reached[static_cast<size_t>(number)] = true;
      return static_cast<int32_t>(number);
    };
    for (size_t i = 0; i < size; ++i) {
      Node node{.value = FloatOf(value[i]), .left = -1, .right = -1, .feature = 0};
      if (IntegerOf(left[i]) != -1) {
        node.left = child(left[i]);
        node.right = child(right[i]);
        const int64_t column = IntegerOf(feature[i]);
        Require(column >= 0 && static_cast<size_t>(column) < model_.features_, "a split is of no feature");
        node.feature = static_cast<uint32_t>(column) | (IntegerOf(default_left[i]) != 0 ? kDefaultLeft : 0);
      }
      model_.nodes_.push_back(node);
    }
  }

  // What is of no use here, and read by the library without a look when a training goes on from the model.
  static void CheckForLibrary(const Json& tree, size_t size) {
    for (const char* name : {"base_weights", "loss_changes", "sum_hessian", "parents", "split_type"}) {
      const auto list = tree.find(name);
      Require(list == tree.end() || list->size() == size, "a tree's lists differ in length");
    }
    if (const auto parents = tree.find("parents"); parents != tree.end()) {
      for (size_t i = 1; i < size; ++i) {
        const int64_t parent = IntegerOf((*parents)[i]);
        Require(parent >= 0 && static_cast<size_t>(parent) < size, "a node's parent is no node");
      }
    }
    if (const auto known = tree.find("tree_param"); known != tree.end()) {
      Require(CountOf(known->at("num_nodes"), INT32_MAX) == size, "a tree has not as many nodes as it says");
    }
  }

  TreeModel& model_;
};

Result<TreeModel> TreeModel::Parse(std::string_view bytes) {
  Json json;
  if (IsUbjson(bytes)) {
    if (!ReadUbjson(bytes, json)) return Corrupt("it is not UBJSON");
  } else {
    json = Json::parse(bytes, nullptr, false);
  }
  if (!json.is_object()) {
    return Corrupt("it is neither JSON nor UBJSON: save it by save_model(\"model.json\") or \"model.ubj\"");
  }
  try {
    TreeModel model;
    Reader(model).Read(json);
    return model;
  } catch (const Fault& fault) {
    return Corrupt(fault.why);
  } catch (const Json::exception&) {
    return Corrupt("it lacks members that a model has");
  }
}

void TreeModel::Predict(std::span<const float> rows, size_t count, std::span<float> values) const {
  std::vector<float> margins(count * groups_, base_margins_[0]);
  for (size_t r = 0; groups_ > 1 && r < count; ++r) std::ranges::copy(base_margins_, margins.data() + r * groups_);
  if (linear_.empty()) {
    AddTrees(rows, count, margins.data());
  } else {
    AddLinear(rows, count, margins.data());
  }
  for (size_t r = 0; r < count; ++r) Finish(margins.data() + r * groups_, values.data() + r * outputs());
}

// Tree by tree, so that a tree stays in the cache for all rows; each row still sums in the order of the trees.
void TreeModel::AddTrees(std::span<const float> rows, size_t count, float* margins) const {
  for (const Tree& tree : trees_) {
    const Node* const nodes = nodes_.data() + tree.root;
    const float* row = rows.data();
    float* margin = margins + tree.group;
    for (size_t r = 0; r < count; ++r, row += features_, margin += groups_) {
      const Node* node = nodes;
      while (node->left >= 0) {
        const float x = row[node->feature & ~kDefaultLeft];
        const bool left = std::isnan(x) ? (node->feature & kDefaultLeft) != 0 : x < node->value;
        node = nodes + (left ? node->left : node->right);
      }
      *margin += tree.weight * node->value;
    }
  }
}

void TreeModel::AddLinear(std::span<const float> rows, size_t count, float* margins) const {
  const float* const biases = linear_.data() + features_ * groups_;
  for (size_t r = 0; r < count; ++r) {
    const float* const row = rows.data() + r * features_;
    for (size_t g = 0; g < groups_; ++g) {
      float sum = biases[g] + margins[r * groups_ + g];
      for (size_t c = 0; c < features_; ++c) {
        if (!std::isnan(row[c])) sum += row[c] * linear_[c * groups_ + g];
      }
      margins[r * groups_ + g] = sum;
    }
  }
}

void TreeModel::Finish(const float* margins, float* values) const {
  const float margin = margins[0];
  switch (transform_) {
    case Transform::kNone:
      values[0] = margin;
      return;
    case Transform::kSigmoid:
      values[0] = 1.0F / (std::exp(std::min(-margin, 88.7F)) + 1.0F);  // the bound keeps it above 0
      return;
    case Transform::kStep:
      values[0] = margin > 0 ? 1.0F : 0.0F;
      return;
    case Transform::kExp:
      values[0] = std::exp(margin);
      return;
    case Transform::kArgmax:
      values[0] = static_cast<float>(std::max_element(margins, margins + groups_) - margins);
      return;
    case Transform::kSoftmax: {
      const float largest = *std::max_element(margins, margins + groups_);
      double sum = 0;
      for (size_t g = 0; g < groups_; ++g) sum += values[g] = std::exp(margins[g] - largest);
      for (size_t g = 0; g < groups_; ++g) values[g] /= static_cast<float>(sum);
      return;
    }
  }
}

}  // namespace argosy::algorithms::xgboost
