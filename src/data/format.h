// What training data is written in.
#pragma once

#include <optional>
#include <string_view>

#include "data/record_reader.h"

namespace argosy::data {

enum class Format {
  kCsv,        // text/csv
  kRecordIo,   // application/x-recordio-protobuf
  kLibsvm,     // text/libsvm, text/x-libsvm
  kJsonLines,  // application/jsonlines
  kParquet,    // application/x-parquet; its rows are read as those of a CSV file with a header
};

// By media type without parameters, in lower case; also by its short name (csv, libsvm).
std::optional<Format> FormatOf(std::string_view media_type);
std::string_view MediaTypeOf(Format format);
Framing FramingOf(Format format);

}  // namespace argosy::data
