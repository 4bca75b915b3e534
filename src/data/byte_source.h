// A stream of bytes from a file, unpacked on the way.
//
// One reader at a time. Memory is a fixed buffer whatever the file's size.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "data/input_file.h"

namespace argosy::data {

enum class Compression {
  kAuto,     // gzip, zstd or Parquet when the file begins with their magic bytes
  kGzip,     // must be gzip
  kParquet,  // must be Parquet, which becomes lines of CSV
};

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Fills `into` wholly unless the stream ends first; 0 means it has ended. A torn or broken compressed stream is
  // kInvalidArgument: the file is the user's.
  virtual Result<size_t> Read(std::span<char> into) = 0;
};

// Whether the file begins as Parquet does.
bool IsParquet(const std::filesystem::path& path);

// Whether the file is unpacked on the way.
Result<bool> IsCompressed(const InputFile& file, Compression compression);

// The lines of an uncompressed file that begin in [begin, end): what of a file falls to one of several readers.
Result<std::unique_ptr<ByteSource>> OpenLines(const InputFile& file, uint64_t begin, uint64_t end);

// Gzip files may have several members one after the other, zstd files several frames.
Result<std::unique_ptr<ByteSource>> OpenByteSource(const InputFile& file, Compression compression);

// `bytes` must outlive the source.
std::unique_ptr<ByteSource> MakeMemoryByteSource(std::string_view bytes);

}  // namespace argosy::data
