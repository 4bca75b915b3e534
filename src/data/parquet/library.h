// What libargosy_parquet.so offers. Arrow's libraries are large and Debian has no package of them: they stand behind
// these functions, in a library of their own that is loaded when the first Parquet file is read.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {

struct ArgosyParquetFile;

// Null when the file cannot be read as a table of numbers and texts; why stands in `error`, which has room for
// `error_size` bytes with the final 0.
ArgosyParquetFile* argosy_parquet_open(const char* path, char* error, size_t error_size);
// The next bytes of the table as CSV, its first line the columns' names: fills `into` wholly unless the table ends
// first. -1 as above. Memory is that of some thousand rows, whatever the file's size.
int64_t argosy_parquet_read(ArgosyParquetFile* file, char* into, size_t size, char* error, size_t error_size);
void argosy_parquet_close(ArgosyParquetFile* file);

}  // extern "C"
