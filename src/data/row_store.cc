#include "data/row_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string>

namespace argosy::data {
namespace {

Status WriteAt(int fd, const void* bytes, size_t size, uint64_t offset) {
  const char* p = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t n = ::pwrite(fd, p, size, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoError("writing parsed rows to the scratch directory", errno);
    p += n;
    size -= static_cast<size_t>(n);
    offset += static_cast<uint64_t>(n);
  }
  return {};
}

Status ReadAt(int fd, void* bytes, size_t size, uint64_t offset) {
  char* p = static_cast<char*>(bytes);
  while (size > 0) {
    const ssize_t n = ::pread(fd, p, size, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoError("reading parsed rows from the scratch directory", errno);
    if (n == 0) return Error(ErrorCode::kIo, "the scratch file of parsed rows has become shorter");
    p += n;
    size -= static_cast<size_t>(n);
    offset += static_cast<uint64_t>(n);
  }
  return {};
}

// A file without a name: gone when closed, also after a crash.
Result<UniqueFd> OpenScratchFile(const std::filesystem::path& directory) {
  const int fd = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0) return UniqueFd(fd);
  // Some file systems do not have O_TMPFILE.
  std::string name = (directory / "argosy-rows-XXXXXX").string();
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named < 0) return ErrnoError("making a scratch file in '" + directory.string() + "'", errno);
  ::unlink(name.c_str());
  return UniqueFd(named);
}

}  // namespace

RowStore::RowStore(RowShape shape, size_t memory_bytes_max, std::filesystem::path scratch_dir)
    : shape_(shape), memory_bytes_max_(memory_bytes_max), scratch_dir_(std::move(scratch_dir)) {}

Status RowStore::Put(uint64_t index, const RowBlock& block) {
  Check(block.numeric.size() == block.rows * shape_.numeric, "numeric values do not fit the shape");
  Check(block.categories.size() == block.rows * shape_.categorical, "categories do not fit the shape");
  Check(block.labels.size() == block.rows, "labels do not fit the rows");
  const size_t bytes = block.rows * shape_.bytes_per_row();
  Entry entry;
  entry.rows = block.rows;
  entry.dictionary = block.dictionary;
  std::span<char> memory;
  int fd = -1;
  {
    const std::lock_guard lock(mutex_);
    if (memory_bytes_ + bytes <= memory_bytes_max_) {
      auto taken = arena_.Take(bytes);
      if (!taken) return taken.error();
      memory = *taken;
      memory_bytes_ += bytes;
    } else {
      if (!file_.valid()) {
        auto opened = OpenScratchFile(scratch_dir_);
        if (!opened) return opened.error();
        file_ = std::move(*opened);
      }
      fd = file_.get();
      entry.offset = file_bytes_;
      file_bytes_ += bytes;
    }
  }
  if (!memory.empty()) {
    entry.memory = memory;
    std::copy(block.numeric.begin(), block.numeric.end(), NumericOf(entry));
    std::copy(block.categories.begin(), block.categories.end(), CategoriesOf(entry));
    std::copy(block.labels.begin(), block.labels.end(), LabelsOf(entry));
  } else {
    uint64_t at = entry.offset;
    const auto write = [&](const auto& values) -> Status {
      const size_t size = values.size() * sizeof(values[0]);
      const uint64_t offset = at;
      at += size;
      return WriteAt(fd, values.data(), size, offset);
    };
    if (Status s = write(block.numeric); !s) return s;
    if (Status s = write(block.categories); !s) return s;
    if (Status s = write(block.labels); !s) return s;
  }
  const std::lock_guard lock(mutex_);
  if (index >= entries_.size()) entries_.resize(index + 1);
  Check(entries_[index].rows == 0, "two blocks at one place");
  row_count_ += entry.rows;
  entries_[index] = entry;
  return {};
}

float* RowStore::NumericOf(const Entry& entry) const {
  return reinterpret_cast<float*>(entry.memory.data());
}
uint32_t* RowStore::CategoriesOf(const Entry& entry) const {
  return reinterpret_cast<uint32_t*>(NumericOf(entry) + entry.rows * shape_.numeric);
}
float* RowStore::LabelsOf(const Entry& entry) const {
  return reinterpret_cast<float*>(CategoriesOf(entry) + entry.rows * shape_.categorical);
}

std::optional<RowView> RowStore::ViewOf(size_t index, size_t first, size_t count) const {
  const Entry& entry = entries_[index];
  if (entry.memory.empty()) return std::nullopt;
  return RowView{
      .rows = count,
      .numeric = {NumericOf(entry) + first * shape_.numeric, count * shape_.numeric},
      .categories = {CategoriesOf(entry) + first * shape_.categorical, count * shape_.categorical},
      .labels = {LabelsOf(entry) + first, count},
      .dictionary = entry.dictionary,
  };
}

void RowStore::Rewrite(
    const std::function<void(std::span<uint32_t> categories, std::span<float> labels, uint32_t of)>& change,
    uint32_t dictionary) {
  for (Entry& entry : entries_) {
    if (entry.memory.empty()) continue;
    change({CategoriesOf(entry), entry.rows * shape_.categorical}, {LabelsOf(entry), entry.rows}, entry.dictionary);
    entry.dictionary = dictionary;
  }
}

Status RowStore::Append(size_t index, size_t first, size_t count, RowBlock& out) const {
  out.rows += count;
  if (const auto view = ViewOf(index, first, count)) {
    out.numeric.insert(out.numeric.end(), view->numeric.begin(), view->numeric.end());
    out.categories.insert(out.categories.end(), view->categories.begin(), view->categories.end());
    out.labels.insert(out.labels.end(), view->labels.begin(), view->labels.end());
    return {};
  }
  const Entry& entry = entries_[index];
  uint64_t column = entry.offset;
  const auto read = [&]<class T>(std::vector<T>& values, size_t width) -> Status {
    const size_t before = values.size();
    values.resize(before + count * width);
    const uint64_t from = column + first * width * sizeof(T);
    column += entry.rows * width * sizeof(T);
    return ReadAt(file_.get(), values.data() + before, count * width * sizeof(T), from);
  };
  if (Status s = read(out.numeric, shape_.numeric); !s) return s;
  if (Status s = read(out.categories, shape_.categorical); !s) return s;
  return read(out.labels, 1);
}

}  // namespace argosy::data
