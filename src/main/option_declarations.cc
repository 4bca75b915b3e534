#include "main/option_declarations.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "base/bytes.h"
#include "main/byte_size.h"
#include "main/options.h"
#include "objectstore/object_store.h"

namespace argosy::main {
namespace {

constexpr uint64_t kMemoryBytesMin = 64ull << 20;  // an agent with a small model still fits
constexpr uint64_t kCacheBytesMin = 64ull << 20;   // a few objects at once
constexpr uint32_t kHostsMax = 1024;
constexpr uint32_t kEventLoopsMax = 64;
constexpr uint32_t kConnectionsMax = 100000;
constexpr std::chrono::seconds kUploadExpiryMax = std::chrono::days(3650);
constexpr size_t kSocketDirectoryMax = 4096;  // PATH_MAX

Error Refuse() {
  return Error(ErrorCode::kInvalidArgument, "");
}

Status ApplyCount(std::string_view text, uint32_t min, uint32_t max, uint32_t& target) {
  const std::optional<int64_t> n = ParseInt(text);
  if (!n || *n < min || *n > max) return Refuse();
  target = static_cast<uint32_t>(*n);
  return {};
}

Status ApplyDataDir(std::string_view text, Options& o) {
  if (text.empty() || text.size() > kSocketDirectoryMax || text.find('\0') != std::string_view::npos) return Refuse();
  o.data_dir = text;
  return {};
}

Status ApplyConfig(std::string_view text, Options& o) {
  o.config = text;
  return {};
}

Status ApplyListen(std::string_view text, Options& o) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return Refuse();
  std::string host(text.substr(0, colon));
  const std::optional<int64_t> port = ParseInt(text.substr(colon + 1));
  if (!port || *port < 0 || *port > 65535) return Refuse();
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    in6_addr v6{};
    if (inet_pton(AF_INET6, host.c_str(), &v6) != 1) return Refuse();
  } else if (host == "localhost") {
    host = "127.0.0.1";
  } else {
    in_addr v4{};
    if (inet_pton(AF_INET, host.c_str(), &v4) != 1) return Refuse();
  }
  o.listen = {host, static_cast<uint16_t>(*port)};
  return {};
}

bool IsRegion(std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(),
                                 [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
  return plain && text.size() >= 3 && text.size() <= 32 && text.front() != '-' && text.back() != '-';
}

// Of visible ASCII characters.
bool IsPlainText(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

Status ApplyRegion(std::string_view text, Options& o) {
  if (!IsRegion(text)) return Refuse();
  o.region = text;
  return {};
}

Status ApplyEndpoint(std::string_view text, Options& o) {
  if (!text.empty() && !text.starts_with("http://")) return Refuse();
  while (text.ends_with('/')) text.remove_suffix(1);
  o.endpoint = text;
  return {};
}

Status ApplyBucket(std::string_view text, Options& o) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
  if (!text.empty() && (!plain || text.size() < 3 || text.size() > 63)) return Refuse();
  o.bucket = text;
  return {};
}

Status ApplyAccessKeyId(std::string_view text, Options& o) {
  const bool plain =
      std::all_of(text.begin(), text.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; });
  if (!text.empty() && (!plain || text.size() < 16 || text.size() > 128)) return Refuse();
  o.access_key_id = text;
  return {};
}

Status ApplySecretAccessKey(std::string_view text, Options& o) {
  if (!text.empty() && text.size() < 16) return Refuse();
  o.secret_access_key = text;
  return {};
}

Status ApplyObjectStore(std::string_view text, Options& o) {
  if (!text.empty() && !objectstore::ParseS3Uri(text).ok()) return Refuse();
  o.object_store = text;
  return {};
}

Status ApplyObjectStoreEndpoint(std::string_view text, Options& o) {
  const bool url = text.starts_with("http://") || text.starts_with("https://");
  if (!text.empty() && (!url || text.find_first_of("?# ") != std::string_view::npos)) return Refuse();
  while (text.ends_with('/')) text.remove_suffix(1);
  o.object_store_endpoint = text;
  return {};
}

Status ApplyObjectStoreRegion(std::string_view text, Options& o) {
  if (!IsRegion(text)) return Refuse();
  o.object_store_region = text;
  return {};
}

Status ApplyObjectStoreAccessKeyId(std::string_view text, Options& o) {
  if (!text.empty() && (text.size() < 3 || text.size() > 128 || !IsPlainText(text))) return Refuse();
  o.object_store_access_key_id = text;
  return {};
}

Status ApplyObjectStoreSecretAccessKey(std::string_view text, Options& o) {
  if (!text.empty() && (text.size() < 8 || !IsPlainText(text))) return Refuse();
  o.object_store_secret_access_key = text;
  return {};
}

Status ApplyObjectStoreCredentials(std::string_view text, Options& o) {
  if (text.empty()) return Refuse();
  o.object_store_credentials = text;
  return {};
}

Status ApplyObjectStoreProfile(std::string_view text, Options& o) {
  if (text.empty() || !IsPlainText(text)) return Refuse();
  o.object_store_profile = text;
  return {};
}

Status ApplyObjectStoreCache(std::string_view text, Options& o) {
  const std::optional<uint64_t> bytes = ParseByteSize(text);
  if (!bytes || *bytes < kCacheBytesMin) return Refuse();
  o.object_store_cache_bytes = *bytes;
  return {};
}

std::optional<bool> ParseSwitch(std::string_view text) {
  if (text == "true" || text == "yes" || text == "on" || text == "1") return true;
  if (text == "false" || text == "no" || text == "off" || text == "0") return false;
  return std::nullopt;
}

Status ApplyDetach(std::string_view text, Options& o) {
  const std::optional<bool> on = ParseSwitch(text);
  if (!on) return Refuse();
  o.detach = *on ? DetachMode::kBackground : DetachMode::kForeground;
  return {};
}

Status ApplyStrictTypes(std::string_view text, Options& o) {
  const std::optional<bool> on = ParseSwitch(text);
  if (!on) return Refuse();
  o.strict_types = *on ? control::TypePolicy::kStrict : control::TypePolicy::kWish;
  return {};
}

Status ApplyMetricsAccess(std::string_view text, Options& o) {
  if (text == "loopback") return o.metrics_access = MetricsAccess::kLoopback, Status();
  if (text == "any") return o.metrics_access = MetricsAccess::kAny, Status();
  if (text == "none") return o.metrics_access = MetricsAccess::kNone, Status();
  return Refuse();
}

Status ApplyLogLevel(std::string_view text, Options& o) {
  constexpr std::array<std::pair<std::string_view, LogLevel>, 4> kLevels{{{"debug", LogLevel::kDebug},
                                                                          {"info", LogLevel::kInfo},
                                                                          {"warning", LogLevel::kWarning},
                                                                          {"error", LogLevel::kError}}};
  for (const auto& [name, level] : kLevels) {
    if (text == name) return o.log_level = level, Status();
  }
  return Refuse();
}

Status ApplyLogFormat(std::string_view text, Options& o) {
  if (text == "auto") return o.log_format = LogStyle::kAuto, Status();
  if (text == "logfmt") return o.log_format = LogStyle::kLogfmt, Status();
  if (text == "json") return o.log_format = LogStyle::kJson, Status();
  return Refuse();
}

Status ApplyPython(std::string_view text, Options& o) {
  if (text.find_first_of(" \t\n") != std::string_view::npos) return Refuse();
  o.python = text;
  return {};
}

Status ApplyHostsMax(std::string_view text, Options& o) {
  return ApplyCount(text, 1, kHostsMax, o.hosts_max);
}
Status ApplyEventLoops(std::string_view text, Options& o) {
  return ApplyCount(text, 1, kEventLoopsMax, o.event_loops);
}
Status ApplyConnectionsMax(std::string_view text, Options& o) {
  return ApplyCount(text, 1, kConnectionsMax, o.connections_max);
}

Status ApplyUploadExpiry(std::string_view text, Options& o) {
  constexpr std::array<std::pair<char, int64_t>, 4> kUnits{{{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}}};
  if (text == "never") return o.upload_expiry = {}, Status();
  if (text.empty()) return Refuse();
  const std::optional<int64_t> count = ParseInt(text.substr(0, text.size() - 1));
  for (const auto& [unit, seconds] : kUnits) {
    if (text.back() != unit || !count || *count < 1 || *count > kUploadExpiryMax.count() / seconds) continue;
    return o.upload_expiry = std::chrono::seconds(*count * seconds), Status();
  }
  return Refuse();
}

Status ApplyMount(std::string_view text, Options& o) {
  std::map<std::string, std::filesystem::path> mounts;
  while (!text.empty()) {
    const size_t end = std::min(text.find(','), text.size());
    const std::string_view one = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const size_t equals = one.find('=');
    if (equals == std::string_view::npos || !objectstore::IsValidBucketName(one.substr(0, equals))) return Refuse();
    const std::filesystem::path path = one.substr(equals + 1);
    if (path.empty() || !mounts.emplace(one.substr(0, equals), path).second) return Refuse();
  }
  return o.mounts = std::move(mounts), Status();
}

Status ApplyMemory(std::string_view text, Options& o) {
  if (text == "all") return o.memory_bytes = 0, Status();
  const std::optional<uint64_t> bytes = ParseByteSize(text);
  if (!bytes || *bytes < kMemoryBytesMin) return Refuse();
  o.memory_bytes = *bytes;
  return {};
}

constexpr OptionDeclaration kDeclarations[] = {
    {.name = "data-dir",
     .value = "DIR",
     .fallback = "~/.local/share/argosy",
     .help = "The one directory that holds everything: catalog, objects, instances, logs, credentials.",
     .rule = "a path",
     .apply = ApplyDataDir},
    {.name = "config",
     .value = "FILE",
     .fallback = "",
     .help = "The YAML file with these options; without it `argosy.yaml` in the data directory, when there is one.",
     .rule = "the path of a readable file",
     .apply = ApplyConfig},
    {.name = "listen",
     .value = "HOST:PORT",
     .fallback = "127.0.0.1:9000",
     .help = "The address that the server answers on; port 0 takes any free one.",
     .rule = "an IP address or localhost, a colon, and a port from 0 to 65535 ([::1]:9000 for IPv6)",
     .apply = ApplyListen},
    {.name = "region",
     .value = "NAME",
     .fallback = "us-east-1",
     .help = "The region that ARNs and signatures name.",
     .rule = "a region's name, such as us-east-1",
     .apply = ApplyRegion},
    {.name = "endpoint",
     .value = "URL",
     .fallback = "",
     .help = "The server that verbs such as `train` call; without it the one that runs in the data directory.",
     .rule = "a URL that starts with http://",
     .apply = ApplyEndpoint},
    {.name = "bucket",
     .value = "NAME",
     .fallback = "",
     .help = "The bucket that local files are put in; without it the SDKs' default, `sagemaker-<region>-<account>`.",
     .rule = "a bucket's name: 3 to 63 of a-z, 0-9, '-' and '.'",
     .apply = ApplyBucket},
    {.name = "access-key-id",
     .value = "ID",
     .fallback = "",
     .help = "The owner's access key; without it the one in the data directory's `credentials`, made on first start.",
     .rule = "16 to 128 letters and digits",
     .secrecy = Secrecy::kSecret,
     .apply = ApplyAccessKeyId},
    {.name = "secret-access-key",
     .value = "SECRET",
     .fallback = "",
     .help = "The owner's secret key; goes with access-key-id.",
     .rule = "at least 16 characters",
     .secrecy = Secrecy::kSecret,
     .apply = ApplySecretAccessKey},
    {.name = "detach",
     .value = "",
     .fallback = "false",
     .help = "Whether `up` returns once the server answers and leaves it running; its log is then `server.log`.",
     .rule = "true or false",
     .shape = ValueShape::kSwitch,
     .apply = ApplyDetach},
    {.name = "log-level",
     .value = "LEVEL",
     .fallback = "info",
     .help = "The least level that the server logs.",
     .rule = "debug, info, warning or error",
     .apply = ApplyLogLevel},
    {.name = "log-format",
     .value = "FORMAT",
     .fallback = "auto",
     .help = "How log lines are written; auto is logfmt on a terminal and JSON elsewhere.",
     .rule = "auto, logfmt or json",
     .apply = ApplyLogFormat},
    {.name = "python",
     .value = "FILE",
     .fallback = "",
     .help = "The Python that runs users' scripts and models of Python libraries; empty: the project's .venv, then "
             "python3 of the PATH.",
     .rule = "the name or path of an interpreter, without blanks",
     .apply = ApplyPython},
    {.name = "hosts-max",
     .value = "N",
     .fallback = "16",
     .help = "How many instances of jobs and endpoints run on this machine at once; more wait.",
     .rule = "a whole number from 1 to 1024",
     .apply = ApplyHostsMax},
    {.name = "memory",
     .value = "SIZE",
     .fallback = "all",
     .help = "How much memory all instances together may hold; jobs that do not fit wait.",
     .rule = "all, or a size of at least 64M such as 512M or 8G",
     .apply = ApplyMemory},
    {.name = "mount",
     .value = "NAME=PATH",
     .fallback = "",
     .help = "A folder of this machine to show as a bucket, for reading only; may be given more than once.",
     .rule = "a bucket's name (3 to 63 of a-z, 0-9, '-' and '.', a letter or digit at both ends), =, and a folder; "
             "several are divided by commas, and no name comes twice",
     .shape = ValueShape::kList,
     .apply = ApplyMount},
    {.name = "upload-expiry",
     .value = "TIME",
     .fallback = "7d",
     .help = "How long an upload in parts may go without a new part before it is aborted and its parts removed.",
     .rule = "never, or a time such as 12h or 7d (s, m, h, d), up to 3650d",
     .apply = ApplyUploadExpiry},
    {.name = "strict-types",
     .value = "",
     .fallback = "false",
     .help =
         "Whether an instance type bigger than this machine is refused (CapacityError) instead of meaning all of it.",
     .rule = "true or false",
     .shape = ValueShape::kSwitch,
     .apply = ApplyStrictTypes},
    {.name = "event-loops",
     .value = "N",
     .fallback = "1",
     .help = "How many threads serve connections; one was fastest on two cores.",
     .rule = "a whole number from 1 to 64",
     .apply = ApplyEventLoops},
    {.name = "connections-max",
     .value = "N",
     .fallback = "4096",
     .help = "How many connections may be open at once; one more is closed at once.",
     .rule = "a whole number from 1 to 100000",
     .apply = ApplyConnectionsMax},
    {.name = "metrics-access",
     .value = "WHO",
     .fallback = "loopback",
     .help = "Who may read the page `/-/metrics`: clients on this machine, any, or none; it is not signed for.",
     .rule = "loopback, any or none",
     .apply = ApplyMetricsAccess},
    {.name = "object-store",
     .value = "URI",
     .fallback = "",
     .help =
         "The bucket and prefix of any S3-compatible server that hold all objects; without it they are files in the "
         "data directory.",
     .rule = "an S3 URI such as s3://bucket/prefix; a bucket's name has 3 to 63 of a-z, 0-9, '-' and '.'",
     .apply = ApplyObjectStore},
    {.name = "object-store-endpoint",
     .value = "URL",
     .fallback = "",
     .help = "Where that server answers; without it Amazon's of object-store-region.",
     .rule = "a URL that starts with http:// or https://",
     .apply = ApplyObjectStoreEndpoint},
    {.name = "object-store-region",
     .value = "NAME",
     .fallback = "us-east-1",
     .help = "The region that requests to it are signed for.",
     .rule = "a region's name, such as us-east-1",
     .apply = ApplyObjectStoreRegion},
    {.name = "object-store-access-key-id",
     .value = "ID",
     .fallback = "",
     .help = "The key that requests to it are signed with; without it the one in object-store-credentials.",
     .rule = "3 to 128 characters without blanks",
     .secrecy = Secrecy::kSecret,
     .apply = ApplyObjectStoreAccessKeyId},
    {.name = "object-store-secret-access-key",
     .value = "SECRET",
     .fallback = "",
     .help = "Its secret key; goes with object-store-access-key-id.",
     .rule = "at least 8 characters without blanks",
     .secrecy = Secrecy::kSecret,
     .apply = ApplyObjectStoreSecretAccessKey},
    {.name = "object-store-credentials",
     .value = "FILE",
     .fallback = "~/.aws/credentials",
     .help = "The AWS credentials file that has the key to it.",
     .rule = "a path",
     .apply = ApplyObjectStoreCredentials},
    {.name = "object-store-profile",
     .value = "NAME",
     .fallback = "default",
     .help = "The section of that file.",
     .rule = "a name without blanks",
     .apply = ApplyObjectStoreProfile},
    {.name = "object-store-cache",
     .value = "SIZE",
     .fallback = "10G",
     .help = "How much of it is kept on this machine's disk; what was read longest ago goes first.",
     .rule = "a size of at least 64M",
     .apply = ApplyObjectStoreCache},
};

}  // namespace

std::span<const OptionDeclaration> OptionDeclarations() {
  return kDeclarations;
}

const OptionDeclaration* FindOption(std::string_view name) {
  for (const OptionDeclaration& option : kDeclarations) {
    if (option.name == name) return &option;
  }
  return nullptr;
}

std::string EnvironmentName(const OptionDeclaration& option) {
  std::string name = "ARGOSY_";
  for (const char c : option.name) {
    name.push_back(c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
  }
  return name;
}

}  // namespace argosy::main
