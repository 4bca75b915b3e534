#include "agent/channels.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/json.h"
#include "base/side_by_side.h"
#include "base/thread_pool.h"

namespace argosy::agent {
namespace {

constexpr size_t kFetchesAtOnce = 8;  // of small objects: what hides the way to a store that is not next door
constexpr size_t kFetchWindow = 64;

using objectstore::ObjectInfo;
using objectstore::ObjectReader;
using objectstore::S3Uri;

struct ChannelObject {
  std::string bucket;
  std::string key;
  std::filesystem::path place;  // in the channel's directory; empty: none of its own
};

Error ChannelError(const catalog::ChannelSpec& channel, std::string_view what) {
  return Error(ErrorCode::kInvalidArgument,
               "Data download failed: channel '" + channel.name + "' (" + channel.s3_uri + "): " + std::string(what));
}

// Errors of the store that the user can mend become the user's; the rest stays what it is.
Error StoreError(const catalog::ChannelSpec& channel, const S3Uri& uri, const Error& error) {
  switch (error.code()) {
    case ErrorCode::kNotFound:
      return ChannelError(channel, "NoSuchBucket (404): the bucket '" + uri.bucket + "' does not exist");
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kPermissionDenied:
      return ChannelError(channel, error.message());
    default:
      return error.Wrap("channel '" + channel.name + "' (" + channel.s3_uri + ")");
  }
}

bool IsFolderMarker(const ObjectInfo& object) {
  return object.key.ends_with('/') && object.size == 0;
}

Result<std::vector<ChannelObject>> ObjectsOfPrefix(const catalog::ChannelSpec& channel, const S3Uri& uri,
                                                   ObjectReader& objects) {
  const Result<std::vector<ObjectInfo>> listed = objectstore::ListAll(objects, uri.bucket, uri.key, kChannelObjectsMax);
  if (!listed.ok()) return StoreError(channel, uri, listed.error());
  std::vector<ChannelObject> out;
  for (const ObjectInfo& object : *listed) {
    if (IsFolderMarker(object)) continue;
    out.push_back({uri.bucket, object.key, PathInChannel(uri.key, object.key)});
  }
  if (out.empty()) {
    return ChannelError(channel,
                        "no S3 objects were found under this URI: check that the bucket holds objects whose keys begin "
                        "with '" +
                            uri.key + "'");
  }
  return out;
}

Result<std::vector<ChannelObject>> ObjectsOfManifest(const catalog::ChannelSpec& channel, const S3Uri& uri,
                                                     ObjectReader& objects) {
  const Result<std::string> text = objectstore::ReadBytes(objects, uri.bucket, uri.key, kManifestBytesMax);
  if (!text.ok()) {
    if (text.error().code() == ErrorCode::kNotFound) return ChannelError(channel, "the manifest object does not exist");
    return StoreError(channel, uri, text.error());
  }
  const Result<Json> json = ParseJson(*text);
  if (!json.ok()) return ChannelError(channel, "the manifest is " + json.error().message());
  if (!json->is_array() || json->empty() || !(*json)[0].is_object() || !(*json)[0].contains("prefix") ||
      !(*json)[0]["prefix"].is_string()) {
    return ChannelError(channel, R"(a manifest is a JSON list that begins with {"prefix": "s3://bucket/…"})");
  }
  if (json->size() > kChannelObjectsMax) return ChannelError(channel, "the manifest names too many objects");
  const std::string prefix = (*json)[0]["prefix"].get<std::string>();
  std::vector<ChannelObject> out;
  for (size_t i = 1; i < json->size(); ++i) {
    const Json& entry = (*json)[i];
    if (!entry.is_string()) return ChannelError(channel, "entry " + std::to_string(i) + " of the manifest is no text");
    const std::string whole = prefix + entry.get<std::string>();
    const Result<S3Uri> object = objectstore::ParseS3Uri(whole);
    if (!object.ok()) return ChannelError(channel, "the manifest names '" + whole + "': " + object.error().message());
    out.push_back({object->bucket, object->key, PathInChannel(prefix, whole)});
  }
  if (out.empty()) return ChannelError(channel, "the manifest names no objects");
  return out;
}

Status ShowFile(const std::filesystem::path& file, const std::filesystem::path& place) {
  std::error_code error;
  std::filesystem::create_directories(place.parent_path(), error);
  if (error) return ErrnoError("making " + place.parent_path().string(), error.value());
  if (link(file.c_str(), place.c_str()) == 0) return {};
  if (errno == EEXIST || errno == ENOENT || errno == ENOTDIR) return ErrnoError("linking " + place.string(), errno);
  if (symlink(file.c_str(), place.c_str()) == 0) return {};
  return ErrnoError("linking " + place.string(), errno);
}

// Links the file into the channel. A key that another one's path stands in the way of ("a" beside "a/b") gets a name by
// its number. kNotFound when the file has gone.
Result<std::filesystem::path> PlaceFile(const std::filesystem::path& file, const ChannelObject& object, size_t number,
                                        const std::filesystem::path& channel_dir) {
  if (!object.place.empty()) {
    const std::filesystem::path place = channel_dir / object.place;
    const Status shown = ShowFile(file, place);
    if (shown.ok()) return place;
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored)) {
      return Error(ErrorCode::kNotFound, "s3://" + object.bucket + "/" + object.key + " was deleted");
    }
  }
  const std::filesystem::path place = channel_dir / ("~" + std::to_string(number));
  if (Status shown = ShowFile(file, place); !shown.ok()) return shown.error();
  return place;
}

// Objects of one directory, in their order. Those that lie elsewhere are fetched several at a time; all of a window are
// linked before the next one begins, since a cache keeps what it has fetched for a while only.
Status PlaceObjects(const std::vector<ChannelObject>& members, const std::vector<size_t>& numbers,
                    const std::filesystem::path& directory, ObjectReader& objects, ThreadPool& pool,
                    const std::function<Status(const ChannelObject&, Result<std::filesystem::path>)>& placed) {
  for (size_t begin = 0; begin < numbers.size(); begin += kFetchWindow) {
    const size_t count = std::min(kFetchWindow, numbers.size() - begin);
    std::vector<Result<std::filesystem::path>> files(count, std::filesystem::path());
    const Status fetched = RunSideBySide(pool, count, kFetchesAtOnce, [&](size_t i) -> Status {
      const ChannelObject& object = members[numbers[begin + i]];
      files[i] = objects.LocalPath(object.bucket, object.key);
      return {};
    });
    Check(fetched.ok());
    for (size_t i = 0; i < count; ++i) {
      const size_t number = numbers[begin + i];
      const ChannelObject& object = members[number];
      Result<std::filesystem::path> place = files[i].ok() ? PlaceFile(*files[i], object, number, directory) : files[i];
      if (files[i].ok() && !place.ok()) {
        // A large neighbour took longer than the cache waits: once more, by itself.
        files[i] = objects.LocalPath(object.bucket, object.key);
        place = files[i].ok() ? PlaceFile(*files[i], object, number, directory) : files[i];
      }
      if (Status taken = placed(object, std::move(place)); !taken.ok()) return taken;
    }
  }
  return {};
}

}  // namespace

std::filesystem::path PathInChannel(std::string_view prefix, std::string_view key) {
  const size_t slash = prefix.rfind('/');
  std::string_view rest = slash == std::string_view::npos ? key : key.substr(std::min(slash + 1, key.size()));
  std::filesystem::path out;
  for (;;) {
    const size_t end = rest.find('/');
    const std::string_view part = rest.substr(0, end);
    if (part.empty() || part == "." || part == ".." || part.size() > 255) return {};
    out /= part;
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  // A path that would be longer than the system takes has no place either.
  return out.native().size() > 1024 ? std::filesystem::path() : out;
}

Result<std::vector<algorithms::Channel>> PrepareChannels(const std::vector<catalog::ChannelSpec>& channels,
                                                         const Hosts& hosts, const std::filesystem::path& data_dir,
                                                         ObjectReader& objects) {
  ThreadPool pool("channel", kFetchesAtOnce - 1, kFetchesAtOnce);
  std::vector<algorithms::Channel> out;
  for (const catalog::ChannelSpec& spec : channels) {
    const Result<S3Uri> uri = objectstore::ParseS3Uri(spec.s3_uri);
    if (!uri.ok()) return ChannelError(spec, uri.error().message());
    const Result<std::vector<ChannelObject>> members = spec.s3_data_type == "ManifestFile"
                                                           ? ObjectsOfManifest(spec, *uri, objects)
                                                           : ObjectsOfPrefix(spec, *uri, objects);
    if (!members.ok()) return members.error();
    const std::filesystem::path channel_dir = data_dir / spec.name;
    if (Status made = MakeDirectories(channel_dir); !made.ok()) return made.error();
    algorithms::Channel channel;
    channel.name = spec.name;
    channel.content_type = spec.content_type;
    channel.compression = spec.compression;
    channel.own = spec.distribution == "ShardedByS3Key" && hosts.count > 1;
    std::vector<size_t> numbers;
    for (size_t i = 0; i < members->size(); ++i) {
      if (!channel.own || i % hosts.count == hosts.index) numbers.push_back(i);
    }
    const Status placed = PlaceObjects(
        *members, numbers, channel_dir, objects, pool,
        [&](const ChannelObject& object, Result<std::filesystem::path> place) -> Status {
          if (place.ok()) {
            channel.files.emplace_back(std::move(*place), object.place.empty() ? object.key : object.place.string());
            return {};
          }
          if (place.error().code() != ErrorCode::kNotFound) return place.error().Wrap("channel '" + spec.name + "'");
          return ChannelError(spec, "the object s3://" + object.bucket + "/" + object.key + " does not exist");
        });
    if (!placed.ok()) return placed.error();
    out.push_back(std::move(channel));
  }
  return out;
}

Status CheckOutput(const catalog::TrainingJobSpec& spec, ObjectReader& objects) {
  const Result<S3Uri> uri = objectstore::ParseS3Uri(spec.output_path);
  Status there = uri.ok() ? objects.HeadBucket(uri->bucket) : uri.error();
  if (there.ok()) return {};
  if (there.error().code() == ErrorCode::kNotFound || there.error().code() == ErrorCode::kInvalidArgument) {
    return Error(ErrorCode::kInvalidArgument,
                 "the output path " + spec.output_path + " cannot be written: " + there.error().message());
  }
  return there.error().Wrap("the output path " + spec.output_path);
}

Status RestoreCheckpoints(const catalog::TrainingJobSpec& spec, const std::filesystem::path& directory,
                          ObjectReader& objects) {
  const catalog::ChannelSpec place{.name = "checkpoints", .s3_uri = catalog::CheckpointUri(spec.checkpoint_uri, "")};
  const Result<S3Uri> uri = objectstore::ParseS3Uri(place.s3_uri);
  if (!uri.ok()) return ChannelError(place, uri.error().message());
  const Result<std::vector<ObjectInfo>> listed =
      objectstore::ListAll(objects, uri->bucket, uri->key, kChannelObjectsMax);
  if (!listed.ok()) return StoreError(place, *uri, listed.error());
  std::vector<ChannelObject> members;
  std::vector<size_t> numbers;
  for (const ObjectInfo& object : *listed) {
    if (!IsFolderMarker(object)) numbers.push_back(members.size());
    members.push_back({uri->bucket, object.key, PathInChannel(uri->key, object.key)});
  }
  ThreadPool pool("checkpoint", kFetchesAtOnce - 1, kFetchesAtOnce);
  return PlaceObjects(members, numbers, directory, objects, pool,
                      [](const ChannelObject&, const Result<std::filesystem::path>& shown) -> Status {
                        // One that has been deleted meanwhile is not there to be restored.
                        if (shown.ok() || shown.error().code() == ErrorCode::kNotFound) return {};
                        return shown.error().Wrap("restoring checkpoints");
                      });
}

Status WriteInputConfig(const catalog::TrainingJobSpec& spec, const Hosts& hosts,
                        const std::filesystem::path& config_dir) {
  Json hyperparameters = Json::object();
  for (const auto& [name, value] : spec.hyperparameters) hyperparameters[name] = value;
  Json channels = Json::object();
  for (const catalog::ChannelSpec& channel : spec.channels) {
    Json entry{{"TrainingInputMode", channel.input_mode.empty() ? spec.input_mode : channel.input_mode},
               {"S3DistributionType", channel.distribution.empty() ? "FullyReplicated" : channel.distribution},
               {"RecordWrapperType", "None"}};
    if (!channel.content_type.empty()) entry["ContentType"] = channel.content_type;
    channels[channel.name] = std::move(entry);
  }
  Json names = Json::array();
  for (uint32_t host = 0; host < hosts.count; ++host) names.push_back(catalog::HostName(host));
  const Json resources{{"current_host", catalog::HostName(hosts.index)},
                       {"hosts", names},
                       {"network_interface_name", "lo"},
                       {"current_instance_type", spec.instance_type},
                       {"current_group_name", "homogeneousCluster"},
                       {"instance_groups", Json::array({Json{{"instance_group_name", "homogeneousCluster"},
                                                             {"instance_type", spec.instance_type},
                                                             {"hosts", names}}})}};
  std::vector<std::pair<const char*, const Json*>> files = {{"hyperparameters.json", &hyperparameters},
                                                            {"inputdataconfig.json", &channels},
                                                            {"resourceconfig.json", &resources}};
  const Json checkpoint{{"S3Uri", spec.checkpoint_uri}, {"LocalPath", spec.checkpoint_path}};
  if (!spec.checkpoint_uri.empty()) files.emplace_back("checkpointconfig.json", &checkpoint);
  for (const auto& [name, json] : files) {
    // The job's own scratch: written again by the next attempt, so no flush.
    if (Status written = WriteFileAtomically(config_dir / name, DumpJsonPretty(*json)); !written.ok()) return written;
  }
  return {};
}

}  // namespace argosy::agent
