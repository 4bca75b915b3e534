#include "data/row_blocks.h"

#include <algorithm>
#include <utility>

#include "data/table_schema.h"

namespace argosy::data {
namespace {

// Of numbers. Trainings mix the rows of 32 blocks for each of some shards: these are some megabytes.
constexpr size_t kRowBlockBytes = 64 << 10;

struct OwnedBlock {
  RowBlock block;
  RowView view;
};

}  // namespace

RowBlocks::RowBlocks(std::unique_ptr<const RowStore> store, Translations translations, uint64_t first_row,
                     uint64_t row_count)
    : translations_(std::move(translations)),
      shape_(store->shape()),
      row_count_(row_count),
      rows_per_block_(std::max<size_t>(1, kRowBlockBytes / shape_.bytes_per_row())) {
  AddBehind(std::move(store), first_row);
}

void RowBlocks::AddBefore(std::unique_ptr<const RowStore> store, uint64_t first_row) {
  const std::vector<Piece> here = std::exchange(pieces_, {});
  AddBehind(std::move(store), first_row);
  pieces_.insert(pieces_.end(), here.begin(), here.end());
}

void RowBlocks::AddBehind(std::unique_ptr<const RowStore> store, uint64_t first_row) {
  for (size_t i = 0; i < store->pieces(); ++i) {
    if (store->rows(i) == 0) continue;
    pieces_.push_back({store.get(), i, first_row});
    first_row += store->rows(i);
  }
  stores_.push_back(std::move(store));
}

size_t RowBlocks::rows(size_t index) const {
  const uint64_t first = index * rows_per_block_;
  return static_cast<size_t>(std::min<uint64_t>(rows_per_block_, row_count_ - first));
}

size_t RowBlocks::PieceOf(uint64_t row) const {
  const auto behind = std::upper_bound(pieces_.begin(), pieces_.end(), row,
                                       [](uint64_t value, const Piece& piece) { return value < piece.first_row; });
  Check(behind != pieces_.begin(), "a row that is not here");
  return static_cast<size_t>(behind - pieces_.begin()) - 1;
}

Result<RowView> RowBlocks::View(size_t index, RowBlock& space) const {
  const uint64_t first = index * rows_per_block_;
  const size_t count = rows(index);
  const Piece& piece = pieces_[PieceOf(first)];
  const size_t from = first - piece.first_row;
  const bool final = translations_.places.empty() || piece.store->dictionary(piece.index) == kTranslated;
  if (final && from + count <= piece.store->rows(piece.index)) {
    if (auto view = piece.store->ViewOf(piece.index, from, count)) return *view;
  }
  space.Clear();
  space.numeric.reserve(count * shape_.numeric);
  space.categories.reserve(count * shape_.categorical);
  space.labels.reserve(count);
  if (Status s = Append(first, count, space); !s) return s.error();
  return RowView{.rows = space.rows,
                 .numeric = space.numeric,
                 .categories = space.categories,
                 .labels = space.labels,
                 .dictionary = 0};
}

Result<std::shared_ptr<const RowView>> RowBlocks::Get(size_t index) const {
  const auto owned = std::make_shared<OwnedBlock>();
  auto view = View(index, owned->block);
  if (!view) return view.error();
  owned->view = *view;
  return std::shared_ptr<const RowView>(owned, &owned->view);
}

Status RowBlocks::Append(uint64_t first, size_t count, RowBlock& out) const {
  for (size_t p = PieceOf(first); count > 0; ++p) {
    Check(p < pieces_.size(), "a row that is not here");
    const Piece& piece = pieces_[p];
    const size_t from = first - piece.first_row;
    const size_t some = std::min<size_t>(count, piece.store->rows(piece.index) - from);
    const size_t before = out.rows;
    if (Status s = piece.store->Append(piece.index, from, some, out); !s) return s;
    Translate(out, before, piece.store->dictionary(piece.index));
    first += some;
    count -= some;
  }
  return {};
}

void RowBlocks::Translate(RowBlock& block, size_t first_row, uint32_t dictionary) const {
  if (translations_.places.empty() || dictionary == kTranslated) return;
  const std::vector<std::vector<uint32_t>>& places = translations_.places[dictionary];
  const size_t columns = shape().categorical;
  for (size_t r = first_row; r < block.rows; ++r) {
    for (size_t c = 0; c < columns; ++c) {
      uint32_t& number = block.categories[r * columns + c];
      if (number != kUnseenCategory) number = places[c][number];
    }
    if (translations_.label_column == Translations::kNoColumn) continue;
    float& label = block.labels[r];
    label = static_cast<float>(places[translations_.label_column][static_cast<size_t>(label)]);
  }
}

}  // namespace argosy::data
