#include "data/format.h"

#include <utility>

namespace argosy::data {
namespace {

// The first name of a format is the one that is told. SageMaker's containers take short names, too.
constexpr std::pair<Format, std::string_view> kMediaTypes[] = {
    {Format::kCsv, "text/csv"},
    {Format::kCsv, "csv"},
    {Format::kRecordIo, "application/x-recordio-protobuf"},
    {Format::kRecordIo, "recordio-protobuf"},
    {Format::kJsonLines, "application/jsonlines"},
    {Format::kJsonLines, "application/x-jsonlines"},
    {Format::kParquet, "application/x-parquet"},
    {Format::kParquet, "parquet"},
    {Format::kLibsvm, "text/libsvm"},
    {Format::kLibsvm, "text/x-libsvm"},
    {Format::kLibsvm, "libsvm"},
    {Format::kLibsvm, "x-libsvm"},
};

}  // namespace

std::optional<Format> FormatOf(std::string_view media_type) {
  for (const auto& [format, name] : kMediaTypes) {
    if (name == media_type) return format;
  }
  return std::nullopt;
}

std::string_view MediaTypeOf(Format format) {
  for (const auto& [known, name] : kMediaTypes) {
    if (known == format) return name;
  }
  return "";
}

Framing FramingOf(Format format) {
  return format == Format::kRecordIo ? Framing::kRecordIo : Framing::kLines;
}

}  // namespace argosy::data
