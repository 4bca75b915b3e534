// A Parquet file as the lines of a CSV file with a header.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "data/byte_source.h"
#include "data/input_file.h"

namespace argosy::data {

// The bytes that a Parquet file begins (and ends) with.
inline constexpr std::string_view kParquetMagic = "PAR1";

// kInvalidArgument when the file cannot be read so (the first Read may say it, too); kUnavailable when Argosy was built
// without Arrow's libraries.
Result<std::unique_ptr<ByteSource>> OpenParquet(const InputFile& file);

}  // namespace argosy::data
