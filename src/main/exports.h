// What a shell needs so that AWS tools talk to a server: `export` lines.
#pragma once

#include <string>
#include <string_view>

#include "auth/principal.h"

namespace argosy::main {

std::string ExportLine(std::string_view name, std::string_view value);

// Endpoint, region, keys, the role for estimators, no proxy.
std::string AwsExports(const std::string& endpoint, const std::string& region, const auth::Credential& credential);

}  // namespace argosy::main
