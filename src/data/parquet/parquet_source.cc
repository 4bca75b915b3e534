#include "data/parquet/parquet_source.h"

#include <dlfcn.h>

#include <array>
#include <string>
#include <type_traits>

#include "data/parquet/library.h"

namespace argosy::data {
namespace {

constexpr const char* kFile = "libargosy_parquet.so";  // beside the program
constexpr size_t kErrorTextBytes = 512;

struct Functions {
  decltype(&::argosy_parquet_open) open = nullptr;
  decltype(&::argosy_parquet_read) read = nullptr;
  decltype(&::argosy_parquet_close) close = nullptr;
};

// Loaded once, never unloaded: Arrow's threads may live.
Result<Functions> Load() {
  void* const library = ::dlopen(kFile, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return Error(ErrorCode::kUnavailable,
                 std::string("Parquet cannot be read: ") + ::dlerror() +
                     "; it comes with Arrow's libraries (pip install pyarrow, then build Argosy with "
                     "-DARGOSY_PYARROW=, see docs/guides/training-data.md)");
  }
  Functions functions;
  const auto find = [&](auto& function, const char* name) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(::dlsym(library, name));
    return function != nullptr;
  };
  if (!find(functions.open, "argosy_parquet_open") || !find(functions.read, "argosy_parquet_read") ||
      !find(functions.close, "argosy_parquet_close")) {
    return Error(ErrorCode::kUnavailable, std::string(kFile) + " is of another version of Argosy");
  }
  return functions;
}

const Result<Functions>& Library() {
  static const Result<Functions> functions = Load();
  return functions;
}

class ParquetSource final : public ByteSource {
 public:
  ParquetSource(const Functions& functions, ArgosyParquetFile* file, std::string name)
      : functions_(functions), file_(file), name_(std::move(name)) {}
  ~ParquetSource() override { functions_.close(file_); }
  ParquetSource(const ParquetSource&) = delete;
  ParquetSource& operator=(const ParquetSource&) = delete;

  Result<size_t> Read(std::span<char> into) override {
    std::array<char, kErrorTextBytes> message{};
    const int64_t n = functions_.read(file_, into.data(), into.size(), message.data(), message.size());
    if (n < 0) return Broken(name_, message.data());
    return static_cast<size_t>(n);
  }

  static Error Broken(const std::string& name, const char* why) {
    return Error(ErrorCode::kInvalidArgument, "cannot read '" + name + "' as Parquet: " + why);
  }

 private:
  const Functions functions_;
  ArgosyParquetFile* const file_;
  const std::string name_;
};

}  // namespace

Result<std::unique_ptr<ByteSource>> OpenParquet(const InputFile& file) {
  const Result<Functions>& library = Library();
  if (!library) return library.error();
  std::array<char, kErrorTextBytes> message{};
  ArgosyParquetFile* const opened = library->open(file.path.c_str(), message.data(), message.size());
  if (opened == nullptr) return ParquetSource::Broken(file.name, message.data());
  return std::unique_ptr<ByteSource>(new ParquetSource(*library, opened, file.name));
}

}  // namespace argosy::data
