// Texts of categorical columns and their numbers.
//
// Growing: while a table is read for the first time; numbers are given in the order of appearance, so every reading
// thread has a dictionary of its own and the numbers are translated when all have been merged into one schema.
// Fixed: of a schema; numbers are places in its sorted lists, and what it does not have is kUnseenCategory.
// Not thread-safe while growing; a fixed one may be asked from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/table_schema.h"

namespace argosy::data {

class CategoryDictionary {
 public:
  explicit CategoryDictionary(size_t columns);                                               // growing, empty
  explicit CategoryDictionary(const std::vector<const std::vector<std::string>*>& columns);  // fixed

  uint32_t Find(size_t column, std::string_view text) const;
  // Adds what is not there. kInvalidArgument when the text is no UTF-8 or too long, or a bound on their number is
  // reached (see table_schema.h).
  Result<uint32_t> FindOrAdd(size_t column, std::string_view text);

  size_t columns() const { return columns_.size(); }
  const std::vector<std::string>& texts(size_t column) const { return columns_[column].texts; }

 private:
  struct ColumnTexts {
    std::vector<std::string> texts;
    std::vector<uint32_t> slots;  // open addressing, a power of two, at most half full; kUnseenCategory is empty
  };
  static void Insert(ColumnTexts& column, uint32_t number);
  static void Grow(ColumnTexts& column);

  std::vector<ColumnTexts> columns_;
  size_t count_ = 0;  // over all columns
};

}  // namespace argosy::data
