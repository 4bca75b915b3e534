#include "data/format.h"

#include <array>
#include <utility>

namespace argosy::data {
namespace {

constexpr std::array<std::pair<Format, std::string_view>, 2> kMediaTypes = {{
    {Format::kCsv, "text/csv"},
    {Format::kRecordIo, "application/x-recordio-protobuf"},
}};

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
