// Folders of this machine beside a store's own buckets, each a bucket for reading only (`argosy up --mount`).
//
// A server writes down what it mounts (mounts.json in the store's directory), so that agents see the same.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "objectstore/object_store.h"

namespace argosy::objectstore {

using Mounts = std::map<std::string, std::filesystem::path>;  // absolute, by bucket

// The store with the folders beside its buckets, written down in `dir`. kInvalidArgument for what is no folder or no
// bucket's name, and for a folder by which `data_dir` could be read, whose keys are for nobody; kAlreadyExists for a
// bucket that the store has itself.
Result<std::unique_ptr<ObjectStore>> MountFolders(std::unique_ptr<ObjectStore> store, const Mounts& mounts,
                                                  const std::filesystem::path& dir,
                                                  const std::filesystem::path& data_dir);

// The reader with those of the folders that are written down in `dir` which are still there.
Result<std::unique_ptr<ObjectReader>> MountFolders(std::unique_ptr<ObjectReader> reader,
                                                   const std::filesystem::path& dir);

}  // namespace argosy::objectstore
