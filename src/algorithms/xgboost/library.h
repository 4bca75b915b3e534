// XGBoost's C interface, as far as training needs it, with owned handles and errors as values.
//
// The library is loaded at the first use: serving walks the trees itself (tree_model.h), so a process that does not
// train with it neither pays for its start nor needs it. Not thread-safe: one training at a time.
#pragma once

#include <xgboost/c_api.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "data/libsvm.h"

namespace argosy::algorithms::xgboost {

// kUnavailable, saying what to install, when the library is not there.
Status LoadLibrary();

// What the library has said since the last call; at most some hundred lines.
std::vector<std::string> TakeLogLines();

// While it lives, boosters of this process work together with those of the other hosts. One at a time.
class Communicator {
 public:
  // The tracker is at that address; blocks until all hosts are there.
  static Result<Communicator> Join(const std::string& tracker_address, uint16_t tracker_port, const std::string& token,
                                   size_t rank, size_t hosts);
  ~Communicator();
  Communicator(Communicator&& other) noexcept : joined_(std::exchange(other.joined_, false)) {}
  Communicator& operator=(Communicator&&) = delete;

 private:
  Communicator() = default;
  bool joined_ = true;
};

// Rows and what is known of them. Missing values are NaN.
class DMatrix {
 public:
  // `values`: [rows × columns], copied.
  static Result<DMatrix> Dense(std::span<const float> values, size_t rows, size_t columns, unsigned threads);
  // At least rows.width columns.
  static Result<DMatrix> Sparse(const data::SparseRows& rows, size_t columns, unsigned threads);
  ~DMatrix();
  DMatrix(DMatrix&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  DMatrix& operator=(DMatrix&&) = delete;

  // `field`: label, weight, label_lower_bound, label_upper_bound; one value for each row.
  Status Set(const char* field, std::span<const float> values);
  // These rows, with what is known of them.
  Result<DMatrix> Slice(std::span<const int> rows) const;

  // Rows of each group, in order.
  Status SetGroups(std::span<const uint32_t> sizes);

  DMatrixHandle handle() const { return handle_; }

 private:
  explicit DMatrix(DMatrixHandle handle) : handle_(handle) {}
  DMatrixHandle handle_;
};

class Booster {
 public:
  // All matrices that it will see: their predictions are kept from round to round.
  static Result<Booster> Create(std::span<const DMatrix* const> matrices);
  ~Booster();
  Booster(Booster&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Booster& operator=(Booster&&) = delete;

  Status Set(const std::string& parameter, const std::string& value);
  Status Update(int round, const DMatrix& train);
  // "[round]\ttrain-rmse:0.5\tvalidation-rmse:0.6"
  Result<std::string> Evaluate(int round, std::span<const DMatrix* const> matrices, std::span<const char* const> names);
  // Transformed by the objective: [rows] or [rows × classes].
  Result<std::vector<float>> Predict(const DMatrix& matrix);
  Status SetAttribute(const std::string& name, const std::string& value);

  Result<int> Rounds();
  // Of the first `rounds`.
  Result<Booster> Slice(int rounds);
  // The model as any XGBoost reads it, as JSON text.
  Result<std::string> SaveModel();
  Status LoadModel(std::string_view bytes);

 private:
  explicit Booster(BoosterHandle handle) : handle_(handle) {}
  BoosterHandle handle_;
};

}  // namespace argosy::algorithms::xgboost
