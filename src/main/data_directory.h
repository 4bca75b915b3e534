// The one directory of a server: who holds it, and where its server answers.
//
//   lock            flock held by the server as long as it lives; its text is the server's process id
//   server.json     where the running server answers; written when it does, removed when it stops
//   sagemaker-sdk.yaml   what SAGEMAKER_USER_CONFIG_OVERRIDE is to name
//   server.log      what a detached server writes
//
// The rest of the layout is docs/formats/data_directory.md.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "agent/instance_directory.h"
#include "base/files.h"
#include "base/result.h"

namespace argosy::main {

struct ServerRecord {
  agent::AgentIdentity process;  // a pid alone may be another's by now
  std::string endpoint;          // http://127.0.0.1:9000
  std::string version;
  std::string region;
  bool keys_given = false;  // from outside: the directory's credentials file, if any, is not its own
};

class DataDirectory {
 public:
  // Makes the directory, for its owner alone, when it is not there. Errors as of Open.
  static Status Make(const std::filesystem::path& path);
  // A folder for its owner alone, whatever mode it had. Errors as of Open.
  static Status MakeFolder(const std::filesystem::path& path);
  // Makes it when it is not there, closes what is ours in it to other users, proves that it can be written to, and
  // takes the lock. Errors are one line: kAlreadyExists (in use: names the process), kPermissionDenied, kNoSpace (disk
  // full), kIo.
  static Result<DataDirectory> Open(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  // Defaults for the SageMaker Python SDK: the bucket it would ask AWS for, and no telemetry.
  static std::filesystem::path SdkDefaultsFile(const std::filesystem::path& path) {
    return path / "sagemaker-sdk.yaml";
  }
  Status WriteSdkDefaults(const std::string& bucket) const;

  std::filesystem::path credentials_file() const { return path_ / "credentials"; }
  std::filesystem::path session_key_file() const { return path_ / "session-key"; }

  Status WriteRecord(const ServerRecord& record) const;
  void RemoveRecord() const;

 private:
  DataDirectory(std::filesystem::path path, UniqueFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  std::filesystem::path path_;
  UniqueFd lock_;
};

// The server that runs in that directory now; nothing when none does.
std::optional<ServerRecord> FindServer(const std::filesystem::path& path);

}  // namespace argosy::main
