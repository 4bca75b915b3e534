// A service's refusal as an Error: its own words, and a code that verbs act on.
#pragma once

#include "base/result.h"
#include "main/api_client.h"

namespace argosy::main {

// Of a JSON, query, S3 or runtime answer that is not 2xx.
Error ServiceRefusal(const ApiReply& reply);

}  // namespace argosy::main
