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
    auto view = std::make_shared<RowView>(RowView{.rows = block.rows, .dictionary = block.dictionary});
    char* at = memory.data();
    const auto keep = [&]<class T>(const std::vector<T>& values) {
      auto* const to = reinterpret_cast<T*>(at);
      std::copy(values.begin(), values.end(), to);
      at += values.size() * sizeof(T);
      return std::span<const T>(to, values.size());
    };
    view->numeric = keep(block.numeric);
    view->categories = keep(block.categories);
    view->labels = keep(block.labels);
    entry.in_memory = std::move(view);
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
  entries_[index] = std::move(entry);
  return {};
}

Result<std::shared_ptr<const RowView>> RowStore::Get(size_t index) const {
  const Entry& entry = entries_[index];
  if (entry.in_memory != nullptr) return entry.in_memory;
  struct Loaded {
    std::vector<char> bytes;
    RowView view;
  };
  auto loaded = std::make_shared<Loaded>();
  loaded->bytes.resize(entry.rows * shape_.bytes_per_row());
  if (Status s = ReadAt(file_.get(), loaded->bytes.data(), loaded->bytes.size(), entry.offset); !s) return s.error();
  const char* at = loaded->bytes.data();
  const auto take = [&]<class T>(std::span<const T>& values, size_t count) {
    values = std::span<const T>(reinterpret_cast<const T*>(at), count);
    at += count * sizeof(T);
  };
  loaded->view.rows = entry.rows;
  loaded->view.dictionary = entry.dictionary;
  take(loaded->view.numeric, entry.rows * shape_.numeric);
  take(loaded->view.categories, entry.rows * shape_.categorical);
  take(loaded->view.labels, entry.rows);
  return std::shared_ptr<const RowView>(loaded, &loaded->view);
}

}  // namespace argosy::data
