// What CreateModel names, fetched to where the instance keeps it: the artifact, and the script's archive.
#pragma once

#include <filesystem>
#include <string>

#include "agent/instance_directory.h"
#include "base/result.h"
#include "objectstore/object_store.h"

namespace argosy::agent {

inline constexpr std::string_view kModelDataField = "ModelDataUrl";

// Unpacks the model.tar.gz of an s3:// URI into `target`, which is made; gives the archive's size. `field` is who named
// it, for the message. kInvalidArgument for what the user must mend. Blocks on disk.
Result<uint64_t> FetchArchive(objectstore::ObjectReader& objects, const std::string& s3_uri, std::string_view field,
                              const std::filesystem::path& target);

}  // namespace argosy::agent
