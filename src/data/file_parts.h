// What of some files each host of a group reads.
#pragma once

#include <filesystem>
#include <vector>

#include "base/result.h"
#include "data/byte_source.h"
#include "data/dataset.h"
#include "data/record_reader.h"

namespace argosy::data {

// Of all bytes of the files, one after the other, the rank-th of `hosts` equal parts: of a file of plain lines what
// lies in it, of others (compressed, RecordIO) those that begin in it, whole. In order, so that the hosts' rows one
// after the other are the rows of the files.
Result<std::vector<FilePart>> PartsOfHost(const std::vector<std::filesystem::path>& files, Framing framing,
                                          Compression compression, size_t rank, size_t hosts);

// Of a table, what this host of the group reads.
Result<std::vector<FilePart>> PartsHere(const TableFiles& table, const collective::Group& group);

// How messages call the block's file. Where records may be left out, lines of a part are counted from its begin.
std::string NameFor(const TableFiles& table, const RecordBlock& block, const ReadOptions& read);

// Of a block whose error is to be told: its records counted from the file's start.
Status CountFromStart(const RecordReader& reader, RecordBlock& block);

// Once all is read: what may be left out is bounded for all hosts together.
Status CheckLeftOut(const ReadOptions& read);

}  // namespace argosy::data
