#include "objectstore/outside/location.h"

#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/files.h"
#include "base/json.h"
#include "objectstore/json_texts.h"
#include "objectstore/object_store.h"

namespace argosy::objectstore {
namespace {

constexpr char kLocationName[] = "location.json";
constexpr size_t kLocationBytesMax = 1 << 20;

}  // namespace

std::string Location::ToString() const {
  return "s3://" + bucket + "/" + prefix + " at " + endpoint;
}

Result<Location> MakeLocation(std::string_view uri, std::string_view endpoint, std::string_view region) {
  const Result<S3Uri> parsed = ParseS3Uri(uri);
  if (!parsed.ok()) return parsed.error();
  Location out{.bucket = parsed->bucket, .prefix = parsed->key, .region = std::string(region)};
  while (out.prefix.ends_with('/')) out.prefix.pop_back();
  if (!out.prefix.empty()) out.prefix += '/';
  if (out.prefix.size() > kOutsidePrefixBytesMax) {
    return Invalid("the prefix in " + std::string(uri) + " is longer than " + std::to_string(kOutsidePrefixBytesMax) +
                   " bytes");
  }
  while (endpoint.ends_with('/')) endpoint.remove_suffix(1);
  out.endpoint = endpoint.empty() ? "https://s3." + out.region + ".amazonaws.com" : std::string(endpoint);
  return out;
}

Result<auth::Credential> ReadAwsCredentials(const std::filesystem::path& file, std::string_view profile) {
  const Result<std::string> text = ReadFile(file, kLocationBytesMax);
  if (!text.ok()) return text.error();
  const std::string wanted(profile.empty() ? "default" : profile);
  auth::Credential out;
  std::string section;
  for (size_t at = 0; at < text->size();) {
    const size_t end = std::min(text->find('\n', at), text->size());
    const std::string_view line = Trim(std::string_view(*text).substr(at, end - at));
    at = end + 1;
    if (line.starts_with('[') && line.ends_with(']')) section = Trim(line.substr(1, line.size() - 2));
    const size_t equals = line.find('=');
    if (section != wanted || equals == std::string_view::npos) continue;
    const std::string_view name = Trim(line.substr(0, equals));
    const std::string value(Trim(line.substr(equals + 1)));
    if (name == "aws_access_key_id") out.access_key_id = value;
    if (name == "aws_secret_access_key") out.secret_access_key = value;
    if (name == "aws_session_token") out.session_token = value;
  }
  if (out.access_key_id.empty() || out.secret_access_key.empty()) {
    return Error(ErrorCode::kNotFound,
                 file.string() + " has no aws_access_key_id and aws_secret_access_key in [" + wanted + "]");
  }
  return out;
}

Status WriteLocation(const std::filesystem::path& dir, const Location& location, uint64_t cache_bytes_max) {
  const Json json{{"endpoint", location.endpoint},
                  {"bucket", location.bucket},
                  {"prefix", location.prefix},
                  {"region", location.region},
                  {"access_key_id", location.credential.access_key_id},
                  {"secret_access_key", location.credential.secret_access_key},
                  {"session_token", location.credential.session_token},
                  {"cache_bytes_max", cache_bytes_max}};
  return WriteFileDurably(dir / kLocationName, DumpJson(json), 0600);
}

Result<Attachment> ReadLocation(const std::filesystem::path& dir) {
  const Result<std::string> text = ReadFile(dir / kLocationName, kLocationBytesMax);
  if (!text.ok()) return text.error();
  const Result<Json> json = ParseJson(*text);
  if (!json.ok()) return json.error().Wrap((dir / kLocationName).string());
  Location out{.endpoint = TextAt(*json, "endpoint"),
               .bucket = TextAt(*json, "bucket"),
               .prefix = TextAt(*json, "prefix"),
               .region = TextAt(*json, "region")};
  out.credential.access_key_id = TextAt(*json, "access_key_id");
  out.credential.secret_access_key = TextAt(*json, "secret_access_key");
  out.credential.session_token = TextAt(*json, "session_token");
  if (out.endpoint.empty() || out.bucket.empty()) {
    return Error(ErrorCode::kCorrupt, (dir / kLocationName).string() + " names no endpoint and bucket");
  }
  const auto bytes = json->find("cache_bytes_max");
  const bool known = bytes != json->end() && bytes->is_number_unsigned();
  return Attachment{std::move(out), known ? bytes->get<uint64_t>() : 0};
}

}  // namespace argosy::objectstore
