// The values of all options that are in force, and where each came from.
//
// Precedence: flag, environment, file, default. The file is <data-dir>/argosy.yaml (it need not be there) or the one
// that `config` names (it must be there).
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "control/allocation.h"
#include "main/option_declarations.h"

namespace argosy::main {

struct ListenAddress {
  std::string host = "127.0.0.1";  // an IPv4 or IPv6 address, or localhost
  uint16_t port = 9000;            // 0 = any free one
};

enum class DetachMode { kForeground, kBackground };
enum class MetricsAccess { kLoopback, kAny, kNone };  // who may read /-/metrics
enum class LogStyle { kAuto, kLogfmt, kJson };

struct Options {
  std::filesystem::path data_dir;  // absolute
  std::filesystem::path config;    // empty = <data_dir>/argosy.yaml
  ListenAddress listen;
  std::string region;
  std::string endpoint;  // URL that the verbs call; empty = the server of data_dir
  std::string bucket;    // for local files; empty = the default bucket of region
  std::string access_key_id;
  std::string secret_access_key;
  DetachMode detach = DetachMode::kForeground;
  LogLevel log_level = LogLevel::kInfo;
  LogStyle log_format = LogStyle::kAuto;
  std::string python;  // interpreter for users' models; "" = .venv of the project, python3 of the PATH
  uint32_t hosts_max = 0;
  uint64_t memory_bytes = 0;  // 0 = all that the machine has
  control::TypePolicy strict_types = control::TypePolicy::kWish;
  uint32_t event_loops = 1;
  std::map<std::string, std::filesystem::path> mounts;  // folders shown as buckets, by bucket; absolute
  std::chrono::seconds upload_expiry{0};                // 0: uploads in parts wait for ever
  uint32_t connections_max = 0;
  MetricsAccess metrics_access = MetricsAccess::kLoopback;
  std::string object_store;  // s3://bucket/prefix; empty: objects lie in data_dir
  std::string object_store_endpoint;
  std::string object_store_region;
  std::string object_store_access_key_id;
  std::string object_store_secret_access_key;
  std::filesystem::path object_store_credentials;  // an AWS credentials file
  std::string object_store_profile;
  uint64_t object_store_cache_bytes = 0;

  std::filesystem::path config_file() const { return config.empty() ? data_dir / "argosy.yaml" : config; }
  // The bucket that the SDKs call their default.
  std::string default_bucket() const;
};

enum class Origin { kDefault, kFile, kEnvironment, kFlag };

struct OptionInForce {
  const OptionDeclaration* option = nullptr;
  std::string text;
  Origin origin = Origin::kDefault;
  std::string where;  // "default", "/srv/argosy.yaml:3", "ARGOSY_LISTEN", "--listen"
};

struct Settings {
  Options options;
  std::vector<OptionInForce> in_force;  // in the order of the declarations
};

using Flags = std::map<std::string, std::string, std::less<>>;  // option name → text
using Environment = std::function<std::optional<std::string>(const std::string&)>;

// kInvalidArgument with one line that names the place (file and line, variable or flag), the value and the rule.
// `working_dir` makes relative paths absolute.
Result<Settings> ResolveOptions(const Flags& flags, const Environment& environment,
                                const std::filesystem::path& working_dir);

// kInvalidArgument when only half of the owner's key, or of the object store's, is given: nothing can be signed with
// it.
Status CheckKeyIsWhole(const Options& options);

std::optional<std::string> ProcessEnvironment(const std::string& name);

}  // namespace argosy::main
