#include "data/record_reader.h"

#include <algorithm>

#include "data/csv.h"
#include "data/delimiters.h"

namespace argosy::data {

RecordReader::RecordReader(std::vector<std::filesystem::path> files, Framing framing, Compression compression)
    : files_(std::move(files)), framing_(framing), compression_(compression) {}

Result<Frames> RecordReader::Whole(std::string_view bytes) const {
  if (framing_ == Framing::kRecordIo) return CountFrames(bytes);
  const size_t newline = bytes.rfind('\n');
  if (newline == std::string_view::npos) return Frames{};
  return Frames{.end = newline + 1, .count = CountByte(bytes, '\n')};
}

Error RecordReader::At(std::string_view what) const {
  return Error(ErrorCode::kInvalidArgument, "file '" + files_[file_].filename().string() + "', " +
                                                (framing_ == Framing::kLines ? "line " : "record ") +
                                                std::to_string(record_) + ": " + std::string(what));
}

Result<std::optional<RecordBlock>> RecordReader::Next(std::string recycled) {
  RecordBlock block;
  block.bytes = std::move(recycled);
  while (file_ < files_.size()) {
    if (source_ == nullptr) {
      auto source = OpenByteSource(files_[file_], compression_);
      if (!source) return source.error();
      source_ = std::move(*source);
      record_ = 1;
      at_start_ = true;
      rest_.clear();
    }
    block.bytes.assign(rest_);
    rest_.clear();
    bool ended = false;
    Frames whole;
    while (!ended && whole.end == 0) {
      const size_t begin = block.bytes.size();
      if (begin >= kRecordBytesMax) {
        return At("the record is longer than " + std::to_string(kRecordBytesMax) + " bytes");
      }
      const size_t want = begin < kBlockBytes ? kBlockBytes - begin : std::min(begin, kRecordBytesMax - begin);
      block.bytes.resize(begin + want);
      auto n = source_->Read(std::span<char>(block.bytes.data() + begin, want));
      if (!n) return n.error();
      ended = *n < want;
      block.bytes.resize(begin + *n);
      if (at_start_ && framing_ == Framing::kLines && block.bytes.starts_with(kByteOrderMark)) {
        block.bytes.erase(0, kByteOrderMark.size());
      }
      at_start_ = false;
      auto found = Whole(block.bytes);
      if (!found) return At(found.error().message());
      whole = *found;
    }
    block.file = file_;
    block.first_record = record_;
    if (ended && framing_ == Framing::kRecordIo && whole.end != block.bytes.size()) {
      record_ += whole.count;
      return At("the file ends in the middle of it");
    }
    if (ended) {
      source_.reset();
      ++file_;
    } else {
      rest_.assign(block.bytes, whole.end);
      block.bytes.resize(whole.end);
      record_ += whole.count;
    }
    if (block.bytes.empty()) continue;
    block.index = index_++;
    return std::optional<RecordBlock>(std::move(block));
  }
  return std::optional<RecordBlock>();
}

}  // namespace argosy::data
