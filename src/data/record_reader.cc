#include "data/record_reader.h"

#include <algorithm>

namespace argosy::data {

RecordReader::RecordReader(std::vector<std::filesystem::path> files, Compression compression)
    : files_(std::move(files)), compression_(compression) {}

Result<std::optional<RecordBlock>> RecordReader::Next(std::string recycled) {
  RecordBlock block;
  block.bytes = std::move(recycled);
  while (file_ < files_.size()) {
    if (source_ == nullptr) {
      auto source = OpenByteSource(files_[file_], compression_);
      if (!source) return source.error();
      source_ = std::move(*source);
      line_ = 1;
      at_start_ = true;
      rest_.clear();
    }
    block.bytes.assign(rest_);
    rest_.clear();
    bool ended = false;
    size_t last_newline = std::string::npos;
    while (!ended && last_newline == std::string::npos) {
      const size_t begin = block.bytes.size();
      if (begin >= kRecordBytesMax) {
        return Error(ErrorCode::kInvalidArgument, "file '" + files_[file_].filename().string() + "', line " +
                                                      std::to_string(line_) + ": the record is longer than " +
                                                      std::to_string(kRecordBytesMax) + " bytes");
      }
      const size_t want = begin < kBlockBytes ? kBlockBytes - begin : std::min(begin, kRecordBytesMax - begin);
      block.bytes.resize(begin + want);
      auto n = source_->Read(std::span<char>(block.bytes.data() + begin, want));
      if (!n) return n.error();
      ended = *n < want;
      block.bytes.resize(begin + *n);
      last_newline = block.bytes.rfind('\n');
    }
    if (at_start_ && block.bytes.starts_with("\xef\xbb\xbf")) {
      block.bytes.erase(0, 3);
      last_newline = block.bytes.rfind('\n');
    }
    at_start_ = false;
    block.file = file_;
    block.first_line = line_;
    if (ended) {
      source_.reset();
      ++file_;
    } else {
      rest_.assign(block.bytes, last_newline + 1);
      block.bytes.resize(last_newline + 1);
      line_ += static_cast<uint64_t>(std::count(block.bytes.begin(), block.bytes.end(), '\n'));
    }
    if (block.bytes.empty()) continue;
    block.index = index_++;
    return std::optional<RecordBlock>(std::move(block));
  }
  return std::optional<RecordBlock>();
}

}  // namespace argosy::data
