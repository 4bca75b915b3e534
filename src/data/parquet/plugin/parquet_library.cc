// libargosy_parquet.so: Parquet as CSV, by Arrow's libraries.
#include <arrow/api.h>
#include <parquet/arrow/reader.h>
#include <parquet/exception.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "data/parquet/library.h"

namespace {

constexpr int64_t kRowsAtOnce = 4096;

class NotReadable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

void Require(const arrow::Status& status) {
  if (!status.ok()) throw NotReadable(status.message());
}

template <class T>
T Value(arrow::Result<T> result) {
  Require(result.status());
  return std::move(result).ValueUnsafe();
}

// As data/csv.h's QuoteCsvField. A line end would end the record.
void AppendText(std::string_view text, std::string& out) {
  if (text.find_first_of("\r\n") != std::string_view::npos) throw NotReadable("a text has a line end in it");
  const bool spaced =
      !text.empty() && (text.front() == ' ' || text.front() == '\t' || text.back() == ' ' || text.back() == '\t');
  if (!spaced && text.find_first_of(",\"") == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

template <class Number>
void AppendNumber(Number value, std::string& out) {
  char text[40];
  out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

// Writes one value of a column; of a null, nothing.
using Writer = std::function<void(int64_t row, std::string& out)>;

template <class Array>
Writer NumberWriter(const arrow::Array& column) {
  const auto& array = static_cast<const Array&>(column);
  return [&array](int64_t row, std::string& out) {
    if (array.IsValid(row)) AppendNumber(array.Value(row), out);
  };
}

template <class Array>
Writer TextWriter(const arrow::Array& column) {
  const auto& array = static_cast<const Array&>(column);
  return [&array](int64_t row, std::string& out) {
    if (array.IsValid(row)) AppendText(array.GetView(row), out);
  };
}

// Nothing when columns of this type are not read. The array must outlive the writer.
Writer WriterOf(const arrow::Array& column) {
  switch (column.type_id()) {
    case arrow::Type::NA:
      return [](int64_t, std::string&) {};
    case arrow::Type::BOOL: {
      const auto& array = static_cast<const arrow::BooleanArray&>(column);
      return [&array](int64_t row, std::string& out) {
        if (array.IsValid(row)) out += array.Value(row) ? '1' : '0';
      };
    }
    case arrow::Type::INT8:
      return NumberWriter<arrow::Int8Array>(column);
    case arrow::Type::INT16:
      return NumberWriter<arrow::Int16Array>(column);
    case arrow::Type::INT32:
      return NumberWriter<arrow::Int32Array>(column);
    case arrow::Type::INT64:
      return NumberWriter<arrow::Int64Array>(column);
    case arrow::Type::UINT8:
      return NumberWriter<arrow::UInt8Array>(column);
    case arrow::Type::UINT16:
      return NumberWriter<arrow::UInt16Array>(column);
    case arrow::Type::UINT32:
      return NumberWriter<arrow::UInt32Array>(column);
    case arrow::Type::UINT64:
      return NumberWriter<arrow::UInt64Array>(column);
    case arrow::Type::FLOAT:
      return NumberWriter<arrow::FloatArray>(column);
    case arrow::Type::DOUBLE:
      return NumberWriter<arrow::DoubleArray>(column);
    case arrow::Type::DECIMAL128: {
      const auto& array = static_cast<const arrow::Decimal128Array&>(column);
      return [&array](int64_t row, std::string& out) {
        if (array.IsValid(row)) out += array.FormatValue(row);
      };
    }
    case arrow::Type::STRING:
      return TextWriter<arrow::StringArray>(column);
    case arrow::Type::LARGE_STRING:
      return TextWriter<arrow::LargeStringArray>(column);
    case arrow::Type::DICTIONARY: {
      const auto& array = static_cast<const arrow::DictionaryArray&>(column);
      Writer values = WriterOf(*array.dictionary());
      if (!values) return values;
      return [&array, values = std::move(values)](int64_t row, std::string& out) {
        if (array.IsValid(row)) values(array.GetValueIndex(row), out);
      };
    }
    default:
      return nullptr;
  }
}

}  // namespace

struct ArgosyParquetFile {
 public:
  explicit ArgosyParquetFile(const std::string& path) {
    parquet::ReaderProperties properties;
    properties.enable_buffered_stream();  // not a whole row group at once
    parquet::ArrowReaderProperties arrow_properties;
    arrow_properties.set_use_threads(false);
    arrow_properties.set_pre_buffer(false);
    arrow_properties.set_batch_size(kRowsAtOnce);
    parquet::arrow::FileReaderBuilder builder;
    Require(builder.OpenFile(path, /*memory_map=*/false, properties));
    file_ = Value(builder.properties(arrow_properties)->Build());
    batches_ = Value(file_->GetRecordBatchReader());
    const auto& fields = batches_->schema()->fields();
    if (fields.empty()) throw NotReadable("it has no columns");
    for (const auto& field : fields) {
      const std::shared_ptr<arrow::Array> none = Value(arrow::MakeArrayOfNull(field->type(), 0));
      if (!WriterOf(*none)) {
        throw NotReadable("column '" + field->name() + "' is of type " + field->type()->ToString() +
                          "; numbers, booleans and texts are read");
      }
      if (&field != &fields.front()) text_ += ',';  // a name may be empty
      AppendText(field->name(), text_);
    }
    EndLine(0);
  }

  size_t Read(char* into, size_t size) {
    size_t done = 0;
    while (done < size) {
      if (at_ == text_.size() && !Fill()) break;
      const size_t some = std::min(size - done, text_.size() - at_);
      std::memcpy(into + done, text_.data() + at_, some);
      at_ += some;
      done += some;
    }
    return done;
  }

 private:
  bool Fill() {
    std::shared_ptr<arrow::RecordBatch> batch;
    do {
      Require(batches_->ReadNext(&batch));
      if (batch == nullptr) return false;
    } while (batch->num_rows() == 0);
    std::vector<Writer> writers;
    for (const auto& column : batch->columns()) writers.push_back(WriterOf(*column));
    text_.clear();
    at_ = 0;
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      const size_t begin = text_.size();
      for (size_t column = 0; column < writers.size(); ++column) {
        if (column > 0) text_ += ',';
        writers[column](row, text_);
      }
      EndLine(begin);
    }
    return true;
  }

  // A line that is empty would be no row: the one field in it is written as an empty text.
  void EndLine(size_t begin) {
    if (text_.size() == begin) text_ += "\"\"";
    text_ += '\n';
  }

  std::unique_ptr<parquet::arrow::FileReader> file_;
  std::unique_ptr<arrow::RecordBatchReader> batches_;
  std::string text_;
  size_t at_ = 0;  // what of it has been given
};

namespace {

// Runs `work`; of what is thrown the message goes to `error`, and `failed` is given.
template <class T>
T Guarded(T failed, char* error, size_t error_size, const std::function<T()>& work) {
  try {
    return work();
  } catch (const std::exception& thrown) {
    std::snprintf(error, error_size, "%s", thrown.what());
    return failed;
  }
}

}  // namespace

ArgosyParquetFile* argosy_parquet_open(const char* path, char* error, size_t error_size) {
  return Guarded<ArgosyParquetFile*>(nullptr, error, error_size, [&] { return new ArgosyParquetFile(path); });
}

int64_t argosy_parquet_read(ArgosyParquetFile* file, char* into, size_t size, char* error, size_t error_size) {
  return Guarded<int64_t>(-1, error, error_size, [&] { return static_cast<int64_t>(file->Read(into, size)); });
}

void argosy_parquet_close(ArgosyParquetFile* file) {
  delete file;
}
