// argosy env: what a shell needs so that AWS tools talk to this server.
#include <fmt/format.h>

#include "main/api_client.h"
#include "main/data_directory.h"
#include "main/exports.h"
#include "main/terminal.h"
#include "main/verbs.h"

namespace argosy::main {

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

  std::string out = AwsExports(endpoint, options.region, *credential);
  out += ExportLine("ARGOSY_DATA_DIR", options.data_dir.string());
  std::error_code error;
  const std::filesystem::path sdk_defaults = DataDirectory::SdkDefaultsFile(options.data_dir);
  // A file of the user's own is left alone; one that an earlier `argosy env` named is not.
  const std::filesystem::path named = ProcessEnvironment("SAGEMAKER_USER_CONFIG_OVERRIDE").value_or("");
  if ((named.empty() || named.filename() == sdk_defaults.filename()) && std::filesystem::exists(sdk_defaults, error)) {
    out += ExportLine("SAGEMAKER_USER_CONFIG_OVERRIDE", sdk_defaults.string());
  }
  Print(out);
  return kExitOk;
}

}  // namespace argosy::main
