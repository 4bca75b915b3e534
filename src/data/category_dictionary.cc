#include "data/category_dictionary.h"

#include <functional>

#include "base/bytes.h"

namespace argosy::data {
namespace {

constexpr size_t kSlotsMin = 16;

}  // namespace

CategoryDictionary::CategoryDictionary(size_t columns) : columns_(columns) {
  for (ColumnTexts& column : columns_) column.slots.assign(kSlotsMin, kUnseenCategory);
}

CategoryDictionary::CategoryDictionary(const std::vector<const std::vector<std::string>*>& columns)
    : CategoryDictionary(columns.size()) {
  for (size_t c = 0; c < columns.size(); ++c) {
    ColumnTexts& column = columns_[c];
    for (const std::string& text : *columns[c]) {
      column.texts.push_back(text);
      Insert(column, static_cast<uint32_t>(column.texts.size() - 1));
    }
    count_ += column.texts.size();
  }
}

uint32_t CategoryDictionary::Find(size_t column, std::string_view text) const {
  const ColumnTexts& entry = columns_[column];
  const size_t mask = entry.slots.size() - 1;
  for (size_t slot = std::hash<std::string_view>()(text) & mask;; slot = (slot + 1) & mask) {
    const uint32_t number = entry.slots[slot];
    if (number == kUnseenCategory || entry.texts[number] == text) return number;
  }
}

Result<uint32_t> CategoryDictionary::FindOrAdd(size_t column, std::string_view text) {
  if (const uint32_t number = Find(column, text); number != kUnseenCategory) return number;
  if (text.size() > kCategoryBytesMax) {
    return Error(ErrorCode::kInvalidArgument,
                 "a category may have at most " + std::to_string(kCategoryBytesMax) + " bytes");
  }
  if (!IsValidUtf8(text)) return Error(ErrorCode::kInvalidArgument, "a category must be UTF-8");
  if (count_ >= kCategoriesMax) {
    return Error(ErrorCode::kInvalidArgument,
                 "the categorical columns have more than " + std::to_string(kCategoriesMax) + " different values");
  }
  ColumnTexts& entry = columns_[column];
  entry.texts.emplace_back(text);
  ++count_;
  const auto number = static_cast<uint32_t>(entry.texts.size() - 1);
  Insert(entry, number);
  return number;
}

void CategoryDictionary::Insert(ColumnTexts& column, uint32_t number) {
  if (column.texts.size() * 2 > column.slots.size()) return Grow(column);
  const size_t mask = column.slots.size() - 1;
  size_t slot = std::hash<std::string_view>()(column.texts[number]) & mask;
  while (column.slots[slot] != kUnseenCategory) slot = (slot + 1) & mask;
  column.slots[slot] = number;
}

// Doubles the slots and inserts every text anew.
void CategoryDictionary::Grow(ColumnTexts& column) {
  column.slots.assign(column.slots.size() * 2, kUnseenCategory);
  for (uint32_t number = 0; number < column.texts.size(); ++number) Insert(column, number);
}

}  // namespace argosy::data
