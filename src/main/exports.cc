#include "main/exports.h"

#include <fmt/format.h>

#include "main/options.h"
#include "main/roles.h"

namespace argosy::main {
namespace {

// As one word for a POSIX shell.
std::string Quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out.push_back(c);
    }
  }
  return out + "'";
}

// A proxy set for the outside must not be asked for a server on this machine.
std::string WithoutProxy(const std::string& endpoint) {
  std::string host = endpoint.substr(endpoint.find("://") + 3);
  host = host.substr(0, host.rfind(':'));
  std::string hosts = ProcessEnvironment("NO_PROXY").value_or("");
  if ((',' + hosts + ',').find(',' + host + ',') != std::string::npos) return hosts;
  return hosts.empty() ? host : hosts + "," + host;
}

}  // namespace

std::string ExportLine(std::string_view name, std::string_view value) {
  return fmt::format("export {}={}\n", name, Quoted(value));
}

std::string AwsExports(const std::string& endpoint, const std::string& region, const auth::Credential& credential) {
  const std::string no_proxy = WithoutProxy(endpoint);
  return ExportLine("AWS_ENDPOINT_URL", endpoint) + ExportLine("AWS_REGION", region) +
         ExportLine("AWS_DEFAULT_REGION", region) + ExportLine("AWS_ACCESS_KEY_ID", credential.access_key_id) +
         ExportLine("AWS_SECRET_ACCESS_KEY", credential.secret_access_key) + ExportLine("ARGOSY_ROLE", kRoleArn) +
         ExportLine("NO_PROXY", no_proxy) + ExportLine("no_proxy", no_proxy) +
         // A token or profile of another account would be sent along with these keys.
         "unset AWS_SESSION_TOKEN AWS_PROFILE\n";
}

}  // namespace argosy::main
