// Cuts files into blocks of whole records, in a fixed way: the same files give the same blocks, whoever reads them and
// however many threads parse them. The unit that shards are made of.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/byte_source.h"
#include "data/input_file.h"
#include "data/recordio.h"

namespace argosy::data {

// Text of one block. A multiple of the disk's and the cache's units; large enough that handing a block to a thread
// costs little beside parsing it, small enough that hundreds of parsed ones, which training mixes, are some megabytes.
inline constexpr size_t kBlockBytes = 64 << 10;
// One record. A row of 100,000 features of 20 characters is 2 MB; a file without line ends must not be held whole.
inline constexpr size_t kRecordBytesMax = 16 << 20;

// What divides records.
enum class Framing {
  kLines,     // each ends in '\n' but perhaps the last of a file
  kRecordIo,  // see data/recordio.h
};

// What of a file is to be read.
struct FilePart {
  static constexpr uint64_t kEnd = std::numeric_limits<uint64_t>::max();
  size_t file = 0;
  uint64_t begin = 0;   // of lines: those that begin in [begin, end); else the whole file
  uint64_t end = kEnd;  // kEnd: to the file's end
};

struct RecordBlock {
  uint64_t index = 0;         // place among all blocks of the files, from 0
  size_t file = 0;            // index of the file it comes from
  uint64_t part_begin = 0;    // where in that file the reading began
  uint64_t first_record = 1;  // number of its first line or record, counted from there
  std::string bytes;          // whole records
};

// Not thread-safe: one thread at a time asks for the next block.
class RecordReader {
 public:
  RecordReader(const std::vector<InputFile>& files, Framing framing, Compression compression);
  RecordReader(std::vector<InputFile> files, Framing framing, Compression compression, std::vector<FilePart> parts);

  // Nothing when all files are read. `recycled` lends its memory to the block. A byte order mark at the start of a file
  // of lines is dropped; an empty file gives no block.
  Result<std::optional<RecordBlock>> Next(std::string recycled);

  // The block's first record counted from the file's start: of a part in the middle that takes reading all before it.
  Result<uint64_t> PlaceInFile(const RecordBlock& block) const;

 private:
  // The whole records at the start of `bytes`.
  Result<Frames> Whole(std::string_view bytes) const;
  Error At(std::string_view what) const;

  std::vector<InputFile> files_;
  Framing framing_;
  Compression compression_;
  std::vector<FilePart> parts_;
  size_t part_ = 0;
  uint64_t index_ = 0;
  uint64_t record_ = 1;
  bool at_start_ = true;                // of the part
  std::unique_ptr<ByteSource> source_;  // null between parts
  std::string rest_;                    // begun record at the end of the last block
};

}  // namespace argosy::data
