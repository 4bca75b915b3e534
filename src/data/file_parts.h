// What of some files each host of a group reads.
#pragma once

#include <filesystem>
#include <vector>

#include "base/result.h"
#include "data/byte_source.h"
#include "data/dataset.h"
#include "data/record_reader.h"

namespace argosy::data {

// Of all bytes of a table's files, one after the other, one of as many equal parts as there are hosts: of a file of
// plain lines what lies in it, of others (compressed, RecordIO) those that begin in it, whole. In order, so that the
// hosts' rows one after the other are the rows of the files. Files of a host's own are all its part.
Result<std::vector<FilePart>> PartsHere(const TableFiles& table, const collective::Group& group);

// How messages call the block's file. Where records may be left out, lines of a part are counted from its begin.
std::string NameFor(const TableFiles& table, const RecordBlock& block, const ReadOptions& read);

// Parses a block of a part: `parse` gives what is wrong with it. When that has to be told of a file's middle, whose
// lines were counted from the part's begin, it is called once more with the right numbers.
template <class Parse>
Status ParsePart(const RecordReader& reader, RecordBlock& block, const Parse& parse) {
  Status parsed = parse();
  if (parsed || block.part_begin == 0 || parsed.error().code() != ErrorCode::kInvalidArgument) return parsed;
  const auto place = reader.PlaceInFile(block);
  if (!place) return place.error();
  block.first_record = *place;
  return parse();
}

// Once all is read: what may be left out is bounded for all hosts together.
Status CheckLeftOut(const ReadOptions& read);

}  // namespace argosy::data
