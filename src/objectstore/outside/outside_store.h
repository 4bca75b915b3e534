// Objects in a bucket of any S3-compatible server, under their own names (docs/decisions/outside-object-store.md).
//
// On this machine:
//   <dir>/location.json       where and with which key, for agents; 0600
//   <dir>/staging/            writes in progress; swept by Open
//   <dir>/unfinished/         notes of uploads begun outside for them; those left over are aborted by Open
//   <dir>/cache/              objects that were read, see object_cache.h
//   <dir>/lock                held by the process that writes
//
// Promises beyond the interface's, or short of it:
//   - A commit is as durable as the outside's answer says.
//   - Preconditions hold exactly among this store's writers; against others where the outside heeds If-Match and
//     If-None-Match.
//   - Who has an object open keeps its bytes also when this store writes or deletes the key: what is missing is fetched
//     first. When somebody else writes it, reading ends with an error; versions are never mixed.
//   - Keys that the outside refuses are kInvalidArgument with its words, and keys end below 1,024 bytes by as much as
//     prefix and bucket are long.
//   - Nothing hangs: kUnavailable when the outside is away for longer than Patience says, or Stop has been called.
//   - Append waits for the outside when an object is large and comes faster than it goes on; it tells its errors.
//
// Threads: all thread-safe. Ranges and parts pass on threads of its own.
#pragma once

#include <filesystem>
#include <memory>

#include "base/clock.h"
#include "base/random.h"
#include "objectstore/object_store.h"
#include "objectstore/outside/location.h"
#include "objectstore/outside/s3_client.h"

namespace argosy::objectstore {

struct OutsideOptions {
  Location location;
  uint64_t cache_bytes_max = uint64_t{10} << 30;
  Patience patience;
};

class OutsideStore {
 public:
  // Finds out whether the bucket can be listed and written: kNotFound, kPermissionDenied or kUnavailable with what to
  // do otherwise. kConflict when another process has `dir`. Clock and random must outlive the store and be safe to use
  // from many threads.
  static Result<std::unique_ptr<ObjectStore>> Open(const std::filesystem::path& dir, OutsideOptions options,
                                                   const Clock* clock, Random* random);

  // For another process of the same machine, whether the writer lives or not. Writes nothing outside.
  static Result<std::unique_ptr<ObjectReader>> Attach(const std::filesystem::path& dir, const Clock* clock,
                                                      Random* random);
};

}  // namespace argosy::objectstore
