// Which object store the options ask for.
#pragma once

#include <filesystem>
#include <memory>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "main/options.h"
#include "objectstore/object_store.h"

namespace argosy::main {

// What the store keeps on this machine, told to agents.
std::filesystem::path ObjectsDirectory(const Options& options, const std::filesystem::path& data_dir);

// Opens it; errors say what to do. Clock and random must outlive the store.
Result<std::unique_ptr<objectstore::ObjectStore>> OpenObjects(const Options& options,
                                                              const std::filesystem::path& data_dir, const Clock* clock,
                                                              Random* random);

}  // namespace argosy::main
