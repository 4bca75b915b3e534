// CloudWatch's requests as they come from outside, in each encoding: whatever the bytes, they are refused or checked.
#include <nlohmann/json.hpp>

#include "api/cloudwatch/cbor.h"
#include "api/cloudwatch/cloudwatch_service.h"
#include "api/query_encoding.h"
#include "api/request_body.h"
#include "api/validation.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace argosy;
  static const std::vector<api::Operation> operations = api::CloudWatchOperations({}, "us-east-1");
  if (size < 2) return 0;
  const api::Operation& operation = operations[data[0] % operations.size()];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const auto check = [&](const Json& input) { (void)api::Validate(operation.input, input, operation.name); };
  switch (data[1] % 4) {
    case 0:
      if (const Result<Json> json = ParseJson(bytes); json.ok()) check(*json);
      break;
    case 1:
      if (const std::optional<api::Form> form = api::ParseForm(bytes)) {
        check(api::JsonOfForm(*form, operation.input));
      }
      break;
    case 2:
      if (const Result<Json> json = api::cloudwatch::JsonOfCbor(bytes); json.ok()) {
        check(*json);
        const Result<Json> again = api::cloudwatch::JsonOfCbor(api::cloudwatch::CborOfJson(*json));
        Check(again.ok() && DumpJson(*again) == DumpJson(*json), "what was read comes back as it was");
      }
      break;
    default:
      (void)api::Gunzip(bytes, 1 << 16);
  }
  return 0;
}
