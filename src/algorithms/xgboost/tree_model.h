// A boosted model as XGBoost saves it, laid out for prediction: trees whose nodes lie one behind the other, or the
// weights of a linear booster. Values and their order of summing are the library's, so answers are too.
// Format: XGBoost's model schema (its documentation, "Introduction to Model IO"), as JSON text or UBJSON.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace argosy::algorithms::xgboost {

class TreeModel {
 public:
  // kCorrupt when the bytes are no model, or their parts contradict each other: nothing is taken on trust.
  static Result<TreeModel> Parse(std::string_view bytes);

  size_t features() const { return features_; }
  // Values to a row's prediction: the classes of multi:softprob, else 1.
  size_t outputs() const { return transform_ == Transform::kSoftmax ? groups_ : 1; }
  const std::string& objective() const { return objective_; }
  // Whether a prediction is the number of a class, so that several models are voted on instead of averaged.
  bool is_class() const { return transform_ == Transform::kArgmax || transform_ == Transform::kStep; }
  bool IsLike(const TreeModel& other) const {
    return features_ == other.features_ && outputs() == other.outputs() && objective_ == other.objective_;
  }

  // `rows`: [count × features], NaN where a value is missing; `values`: [count × outputs]. Thread-safe.
  void Predict(std::span<const float> rows, size_t count, std::span<float> values) const;

 private:
  enum class Transform { kNone, kSigmoid, kStep, kExp, kArgmax, kSoftmax };
  struct Node {
    float value;   // of a leaf; else rows below it go left
    int32_t left;  // within the tree; -1: a leaf
    int32_t right;
    uint32_t feature;  // with the bit kDefaultLeft
  };
  static constexpr uint32_t kDefaultLeft = 0x8000'0000;
  struct Tree {
    size_t root = 0;  // first of its nodes
    uint32_t group = 0;
    float weight = 1;  // of dart
  };
  class Reader;

  void AddTrees(std::span<const float> rows, size_t count, float* margins) const;
  void AddLinear(std::span<const float> rows, size_t count, float* margins) const;
  void Finish(const float* margins, float* values) const;

  size_t features_ = 0;
  size_t groups_ = 1;
  std::vector<float> base_margins_;  // one for each group
  std::string objective_;
  Transform transform_ = Transform::kNone;
  std::vector<Node> nodes_;
  std::vector<Tree> trees_;
  std::vector<float> linear_;  // [(features + 1) × groups], the last row being biases
};

}  // namespace argosy::algorithms::xgboost
