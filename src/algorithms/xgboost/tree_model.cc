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

// Numbers of the learner are text ("5E-1"), those of newer versions lists ("[5E-1]").
double NumberOf(const Json& value) {
  std::string text = value.get<std::string>();
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  const data::ParsedNumber number = data::ParseNumber(text.data(), text.data() + text.size());
  Require(!text.empty() && number.end == text.data() + text.size(), "'" + text + "' is not a number");
  return number.value;
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
    SetTransform(static_cast<float>(NumberOf(parameters.at("base_score"))));
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
  void SetTransform(float base) {
    const std::string& name = model_.objective_;
    model_.base_margin_ = base;
    if (name == "reg:logistic" || name == "binary:logistic") {
      model_.transform_ = Transform::kSigmoid;
      Require(base > 0 && base < 1, "its base_score is no probability");
      model_.base_margin_ = -std::log(1.0F / base - 1.0F);
    } else if (name == "binary:logitraw") {
      // Neither base_score nor predictions are probabilities.
    } else if (name == "binary:hinge") {
      model_.transform_ = Transform::kStep;
    } else if (name == "count:poisson" || name == "reg:gamma" || name == "reg:tweedie" || name == "survival:cox" ||
               name == "survival:aft") {
      model_.transform_ = Transform::kExp;
      Require(base > 0, "its base_score is not positive");
      model_.base_margin_ = std::log(base);
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

  TreeModel& model_;
};

Result<TreeModel> TreeModel::Parse(std::string_view bytes) {
  const Json json = Json::parse(bytes, nullptr, false);
  if (!json.is_object()) return Corrupt("it is not JSON");
  try {
    TreeModel model;
    Reader(model).Read(json);
    return model;
  } catch (const Fault& fault) {
    return Corrupt(fault.why);
  } catch (const Json::exception& e) {
    return Corrupt(e.what());
  }
}

void TreeModel::Predict(std::span<const float> rows, size_t count, std::span<float> values) const {
  std::vector<float> margins(count * groups_, base_margin_);
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
