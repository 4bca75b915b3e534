// A job's channels made ready: which objects belong to each, and where the program sees them.
//
// SageMaker's rules. S3Prefix: S3Uri is a string prefix, not a folder: every object whose key begins with it belongs to
// the channel, and lies under the channel's directory by what follows the prefix's last '/'. ManifestFile: S3Uri is a
// JSON list whose first entry gives a prefix and whose others the rest of each object's URI.
//
// Objects of this machine are not copied: the channel's directory holds hard links to their files (symbolic ones where
// the file system cannot), for readers only. A hard link keeps the very bytes the job began with, whatever is written
// to the key meanwhile. Errors are the user's: kInvalidArgument naming channel and URI. All block on disk.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "algorithms/algorithm.h"
#include "base/result.h"
#include "catalog/training_job.h"
#include "objectstore/object_store.h"

namespace argosy::agent {

inline constexpr size_t kChannelObjectsMax = 500'000;  // names of one channel held in memory: about 100 MB
inline constexpr size_t kManifestBytesMax = 64 << 20;

// Which host of a job this is, from 0, and how many there are.
struct Hosts {
  uint32_t index = 0;
  uint32_t count = 1;
};

// Of a channel that is ShardedByS3Key every host gets some of the objects: of N hosts each N-th. Else all get all.
// `data_dir` is …/input/data; a directory is made in it for each channel.
Result<std::vector<algorithms::Channel>> PrepareChannels(const std::vector<catalog::ChannelSpec>& channels,
                                                         const Hosts& hosts, const std::filesystem::path& data_dir,
                                                         objectstore::ObjectReader& objects);

// Where the object `key` of a channel with this prefix lies, relative to the channel's directory; empty when its name
// cannot be a path of its own (a folder marker, "..", a part too long), and the caller picks a name.
std::filesystem::path PathInChannel(std::string_view prefix, std::string_view key);

// Where the artifact will go: said before the training rather than after it. kInvalidArgument when the bucket of the
// job's output path is not there.
Status CheckOutput(const catalog::TrainingJobSpec& spec, objectstore::ObjectReader& objects);

// What earlier attempts left under a job's checkpoint location, linked into `directory`; kInvalidArgument when its
// bucket is not there.
Status RestoreCheckpoints(const catalog::TrainingJobSpec& spec, const std::filesystem::path& directory,
                          objectstore::ObjectReader& objects);

// hyperparameters.json, inputdataconfig.json, resourceconfig.json as the container contract has them.
Status WriteInputConfig(const catalog::TrainingJobSpec& spec, const Hosts& hosts,
                        const std::filesystem::path& config_dir);

}  // namespace argosy::agent
