// argosy env: what a shell needs so that AWS tools talk to this server.
#include <fmt/format.h>

#include "main/api_client.h"
#include "main/data_directory.h"
#include "main/roles.h"
#include "main/terminal.h"
#include "main/verbs.h"

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

int RunEnv(const Settings& settings, const EnvArgs&) {
  const Options& options = settings.options;
  const std::optional<ServerRecord> server = FindServer(options.data_dir);
  std::string endpoint = options.endpoint;
  if (endpoint.empty() && server) endpoint = server->endpoint;
  if (endpoint.empty()) {
    return FailWith(kExitNoServer,
                    fmt::format("no server runs in {}; start it with `argosy up --detach`", options.data_dir.string()));
  }
  const Result<auth::Credential> credential = ReadCredential(options);
  if (!credential.ok()) return Fail(credential.error());

  std::string out;
  const auto export_line = [&](std::string_view name, std::string_view value) {
    out += fmt::format("export {}={}\n", name, Quoted(value));
  };
  export_line("AWS_ENDPOINT_URL", endpoint);
  export_line("AWS_REGION", options.region);
  export_line("AWS_DEFAULT_REGION", options.region);
  export_line("AWS_ACCESS_KEY_ID", credential->access_key_id);
  export_line("AWS_SECRET_ACCESS_KEY", credential->secret_access_key);
  export_line("ARGOSY_ROLE", kRoleArn);
  export_line("ARGOSY_DATA_DIR", options.data_dir.string());
  const std::string no_proxy = WithoutProxy(endpoint);
  export_line("NO_PROXY", no_proxy);
  export_line("no_proxy", no_proxy);
  std::error_code error;
  const std::filesystem::path sdk_defaults = DataDirectory::SdkDefaultsFile(options.data_dir);
  // A file of the user's own is left alone; one that an earlier `argosy env` named is not.
  const std::filesystem::path named = ProcessEnvironment("SAGEMAKER_USER_CONFIG_OVERRIDE").value_or("");
  if ((named.empty() || named.filename() == sdk_defaults.filename()) && std::filesystem::exists(sdk_defaults, error)) {
    export_line("SAGEMAKER_USER_CONFIG_OVERRIDE", sdk_defaults.string());
  }
  // A token or profile of another account would be sent along with these keys.
  out += "unset AWS_SESSION_TOKEN AWS_PROFILE\n";
  Print(out);
  return kExitOk;
}

}  // namespace argosy::main
