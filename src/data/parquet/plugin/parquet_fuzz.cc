// Any bytes as a Parquet file, and any table of numbers and texts as Parquet and back: what is read as CSV has its
// rows, its columns and its values, or an error says why not. Arrow's own libraries are not instrumented.
#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <fcntl.h>
#include <parquet/arrow/writer.h>
#include <sys/mman.h>

#include <cmath>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/files.h"
#include "data/csv.h"
#include "data/parquet/library.h"

namespace {

using argosy::Check;

constexpr size_t kColumnsMax = 4;
constexpr size_t kTextMax = 1 << 20;
enum class Kind { kDouble, kInteger, kText, kDictionary };

struct Column {
  Kind kind = Kind::kDouble;
  std::string name;
  std::vector<std::optional<std::string>> cells;  // of numbers, their bytes
};

// Pieces divided by a byte that is in no UTF-8. An empty one is a null.
std::string_view TakePiece(std::string_view& bytes) {
  const size_t end = std::min(bytes.find('\xfe'), bytes.size());
  const std::string_view piece = bytes.substr(0, end);
  bytes.remove_prefix(std::min(end + 1, bytes.size()));
  return piece;
}

std::vector<Column> TakeColumns(std::string_view bytes) {
  std::vector<Column> columns(1 + static_cast<uint8_t>(bytes[0]) % kColumnsMax);
  size_t kinds = static_cast<uint8_t>(bytes[0]) / kColumnsMax;
  bytes.remove_prefix(1);
  for (Column& column : columns) {
    column.kind = static_cast<Kind>(kinds % 4);
    kinds /= 4;
    column.name = TakePiece(bytes);
  }
  while (!bytes.empty()) {
    for (Column& column : columns) {
      const std::string_view piece = TakePiece(bytes);
      column.cells.push_back(piece.empty() ? std::nullopt : std::optional<std::string>(piece));
    }
  }
  return columns;
}

template <class Number>
Number NumberOf(const std::string& bytes) {
  Number number = 0;
  std::memcpy(&number, bytes.data(), std::min(bytes.size(), sizeof number));
  return number;
}

template <class Builder, class Append>
std::shared_ptr<arrow::Array> Build(const Column& column, Builder builder, const Append& append) {
  for (const auto& cell : column.cells) Check((cell ? append(builder, *cell) : builder.AppendNull()).ok());
  return builder.Finish().ValueOrDie();
}

std::shared_ptr<arrow::Array> ArrayOf(const Column& column) {
  const auto text = [](auto& builder, const std::string& cell) { return builder.Append(cell); };
  switch (column.kind) {
    case Kind::kDouble:
      return Build(column, arrow::DoubleBuilder(),
                   [](auto& builder, const std::string& cell) { return builder.Append(NumberOf<double>(cell)); });
    case Kind::kInteger:
      return Build(column, arrow::Int64Builder(),
                   [](auto& builder, const std::string& cell) { return builder.Append(NumberOf<int64_t>(cell)); });
    case Kind::kText:
      return Build(column, arrow::StringBuilder(), text);
    case Kind::kDictionary:
      return Build(column, arrow::StringDictionaryBuilder(), text);
  }
  return nullptr;
}

std::string ParquetOf(const std::vector<Column>& columns) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const Column& column : columns) {
    arrays.push_back(ArrayOf(column));
    fields.push_back(arrow::field(column.name, arrays.back()->type()));
  }
  const auto table = arrow::Table::Make(arrow::schema(fields), arrays);
  const auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  Check(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), sink, 3).ok());
  return sink->Finish().ValueOrDie()->ToString();
}

// Nothing when it cannot be read.
std::optional<std::string> AsCsv(std::string_view parquet, size_t at_once) {
  const argosy::UniqueFd fd(memfd_create("parquet", MFD_CLOEXEC));
  Check(argosy::WriteAll(fd.get(), parquet).ok());
  char error[256] = {};
  const std::string path = "/proc/self/fd/" + std::to_string(fd.get());
  ArgosyParquetFile* const file = argosy_parquet_open(path.c_str(), error, sizeof error);
  std::optional<std::string> text;
  if (file != nullptr) {
    text.emplace();
    std::vector<char> buffer(at_once);
    int64_t n = 0;
    do {
      n = argosy_parquet_read(file, buffer.data(), buffer.size(), error, sizeof error);
      if (n > 0) text->append(buffer.data(), static_cast<size_t>(n));
    } while (n == static_cast<int64_t>(buffer.size()) && text->size() < kTextMax);
    if (n < 0) text.reset();
    argosy_parquet_close(file);
  }
  Check(text || error[0] != '\0', "nothing is said of what cannot be read");
  return text;
}

void CheckCell(Kind kind, const std::optional<std::string>& cell, const std::string& text) {
  if (!cell) return Check(text.empty(), "a null has a text");
  if (kind == Kind::kInteger) return Check(argosy::ParseInt(text) == NumberOf<int64_t>(*cell), text);
  if (kind == Kind::kText || kind == Kind::kDictionary) return Check(text == *cell, text);
  const auto number = argosy::ParseDouble(text);
  const double wanted = NumberOf<double>(*cell);
  if (number && !std::isnan(wanted)) Check(*number == wanted, text);  // what is no number has a word
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3) return 0;
  const size_t at_once = 1 + data[1];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  if (data[0] % 4 == 0) {
    (void)AsCsv(bytes, at_once);
    return 0;
  }
  const std::vector<Column> columns = TakeColumns(bytes);
  const auto csv = AsCsv(ParquetOf(columns), at_once);
  if (!csv || csv->size() >= kTextMax || csv->find('\r') != std::string::npos) return 0;
  const char* p = csv->data();
  const char* const end = p + csv->size();
  for (size_t line = 0; line <= columns[0].cells.size(); ++line) {
    Check(p != end, "a row is missing");
    const argosy::data::CsvLine here = argosy::data::ReadCsvLine(p, end);
    Check(here.end != p, "a row is a blank line");
    const auto fields = argosy::data::SplitCsvLine(std::string_view(p, static_cast<size_t>(here.end - p)));
    Check(fields && fields->size() == columns.size(), "the row has other columns");
    for (size_t c = 0; c < columns.size(); ++c) {
      if (line == 0) {
        Check((*fields)[c] == columns[c].name, "a column has another name");
      } else {
        CheckCell(columns[c].kind, columns[c].cells[line - 1], (*fields)[c]);
      }
    }
    p = here.next;
  }
  Check(p == end, "there are more rows");
  return 0;
}
