#include "catalog/data_capture.h"

#include <algorithm>

#include "catalog/json_fields.h"

namespace argosy::catalog {
namespace {

void ReadTypes(const Json& header, const char* name, std::vector<std::string>& types) {
  if (!header.contains(name)) return;
  types.clear();
  for (const Json& type : ArrayField(header, name)) {
    if (type.is_string()) types.push_back(type.get<std::string>());
  }
}

}  // namespace

Result<DataCapture> DataCapture::FromRequest(const Json& request) {
  DataCapture capture;
  if (!FlagField(request, "EnableCapture")) return capture;
  capture.percent = static_cast<uint32_t>(std::clamp<int64_t>(IntField(request, "InitialSamplingPercentage"), 0, 100));
  for (const Json& option : ArrayField(request, "CaptureOptions")) {
    const std::string mode = TextField(option, "CaptureMode");
    capture.input = capture.input || mode != "Output";
    capture.output = capture.output || mode != "Input";
  }
  capture.destination = TextField(request, "DestinationS3Uri");
  while (capture.destination.ends_with('/')) capture.destination.pop_back();
  constexpr std::string_view kScheme = "s3://";
  if (!capture.destination.starts_with(kScheme) || capture.destination.size() == kScheme.size()) {
    return Error(ErrorCode::kInvalidArgument,
                 "DestinationS3Uri must be s3://bucket/prefix; it is '" + TextField(request, "DestinationS3Uri") + "'");
  }
  const Json& header = ObjectField(request, "CaptureContentTypeHeader");
  ReadTypes(header, "CsvContentTypes", capture.csv_types);
  ReadTypes(header, "JsonContentTypes", capture.json_types);
  return capture;
}

}  // namespace argosy::catalog
