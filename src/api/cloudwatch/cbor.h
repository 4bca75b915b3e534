// CloudWatch's requests and answers in CBOR (RFC 8949), as smithy-rpc-v2-cbor has them: what today's SDKs for Go, Java
// and JavaScript speak. What is between is the JSON of the other protocols.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace argosy::api::cloudwatch {

// One data item, whole: maps with text keys, arrays, text, numbers, booleans, null; of definite and indefinite length.
// Tags are passed over: a time is the number in it. kInvalidArgument for anything else, and for what nests deeper than
// kJsonDepthMax.
Result<Json> JsonOfCbor(std::string_view bytes);

// Times (members that IsTimeMember) get the tag of epoch seconds.
std::string CborOfJson(const Json& json);

}  // namespace argosy::api::cloudwatch
