#include "data/record_reader.h"

#include <algorithm>

#include "data/csv.h"
#include "data/delimiters.h"

namespace argosy::data {
namespace {

std::vector<FilePart> WholeFiles(size_t files) {
  std::vector<FilePart> parts(files);
  for (size_t i = 0; i < files; ++i) parts[i].file = i;
  return parts;
}

Result<std::unique_ptr<ByteSource>> Open(const InputFile& file, const FilePart& part, Compression compression) {
  const bool whole = part.begin == 0 && part.end == FilePart::kEnd;
  return whole ? OpenByteSource(file, compression) : OpenLines(file, part.begin, part.end);
}

}  // namespace

RecordReader::RecordReader(const std::vector<InputFile>& files, Framing framing, Compression compression)
    : RecordReader(files, framing, compression, WholeFiles(files.size())) {}

RecordReader::RecordReader(std::vector<InputFile> files, Framing framing, Compression compression,
                           std::vector<FilePart> parts)
    : files_(std::move(files)), framing_(framing), compression_(compression), parts_(std::move(parts)) {}

Result<Frames> RecordReader::Whole(std::string_view bytes) const {
  if (framing_ == Framing::kRecordIo) return CountFrames(bytes);
  const size_t newline = bytes.rfind('\n');
  if (newline == std::string_view::npos) return Frames{};
  return Frames{.end = newline + 1, .count = CountByte(bytes, '\n')};
}

Error RecordReader::At(std::string_view what) const {
  RecordBlock here;
  here.file = parts_[part_].file;
  here.part_begin = parts_[part_].begin;
  here.first_record = record_;
  const auto place = PlaceInFile(here);
  if (!place) return place.error();
  return Error(ErrorCode::kInvalidArgument, "file '" + files_[here.file].name + "', " +
                                                (framing_ == Framing::kLines ? "line " : "record ") +
                                                std::to_string(*place) + ": " + std::string(what));
}

Result<uint64_t> RecordReader::PlaceInFile(const RecordBlock& block) const {
  if (block.part_begin == 0) return block.first_record;
  auto source = OpenLines(files_[block.file], 0, block.part_begin);
  if (!source) return source.error();
  std::vector<char> bytes(kBlockBytes);
  uint64_t lines = 0;
  while (true) {
    auto n = (*source)->Read(bytes);
    if (!n) return n.error();
    lines += CountByte({bytes.data(), *n}, '\n');
    if (*n < bytes.size()) return lines + block.first_record;
  }
}

Result<std::optional<RecordBlock>> RecordReader::Next(std::string recycled) {
  RecordBlock block;
  block.bytes = std::move(recycled);
  while (part_ < parts_.size()) {
    const FilePart& part = parts_[part_];
    if (source_ == nullptr) {
      auto source = Open(files_[part.file], part, compression_);
      if (!source) return source.error();
      source_ = std::move(*source);
      record_ = 1;
      at_start_ = part.begin == 0;
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
      if (at_start_ && framing_ == Framing::kLines) {
        if (const std::string fault = EncodingFault(block.bytes); !fault.empty()) return At(fault);
      }
      at_start_ = false;
      auto found = Whole(block.bytes);
      if (!found) return At(found.error().message());
      whole = *found;
    }
    block.file = part.file;
    block.part_begin = part.begin;
    block.first_record = record_;
    if (ended && framing_ == Framing::kRecordIo && whole.end != block.bytes.size()) {
      record_ += whole.count;
      return At("the file ends in the middle of it");
    }
    if (ended) {
      source_.reset();
      ++part_;
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
