// model.tar.gz and output.tar.gz: packed so that the same files give the same bytes, unpacked as if an enemy had made
// them.
//
// Both block on disk. Packing: paths sorted as bytes, owner 0, time 0, gzip level 1 without a time stamp. Unpacking
// takes regular files and directories only; links, devices, absolute names, "..", and sizes over the limits end it with
// kInvalidArgument, bytes that are no archive with kCorrupt. What was unpacked until then stays: give it a directory
// that is thrown away on an error.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "base/result.h"

namespace argosy::agent {

enum class PackOutcome {
  kPacked,
  kNothing,  // no file in the directory; no archive was made
};

// All files under `directory` into `archive`, fsynced.
Result<PackOutcome> PackDirectory(const std::filesystem::path& directory, const std::filesystem::path& archive);

struct UnpackLimits {
  uint64_t bytes_max = 16ULL << 30;  // of all files together: a small archive can claim any size
  uint64_t entries_max = 100'000;
  size_t depth_max = 32;
};

// `file` is an open archive (tar, plain or compressed by gzip), read from where it stands. `target` exists and is
// empty.
Status UnpackArchive(int file, const std::filesystem::path& target, const UnpackLimits& limits);

}  // namespace argosy::agent
