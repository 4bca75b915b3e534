// The object store inside the program: every object an ordinary file, in one directory.
//
// On disk (docs/formats/object_store.md):
//   <dir>/buckets/<bucket>/<key as a path, see key_path.h>   the objects
//   <dir>/uploads/<upload id>/                                uploads in parts
//   <dir>/staging/                                            writes in progress; swept by Open
//   <dir>/index.db                                            SQLite: the listing, derived from the files
//   <dir>/lock                                                held by the process that writes
//
// A write goes to a staging file, is fsynced, and then renamed to its place with an fsync of the directory: the rename
// is the commit. Before the rename the index durably notes what is about to happen (an intent), after it the listing
// row follows; Open settles what intents are left over, so a crash costs no scan. Many writers share one commit of the
// index.
//
// Threads: all thread-safe. One thread of its own commits the index; it ends with the object.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "objectstore/object_store.h"

namespace argosy::objectstore {

// For tests: told of each step that durability rests on, before it is taken; an error takes the step's place.
using StepHook = std::function<Status(std::string_view step)>;

class EmbeddedStore {
 public:
  // Makes `dir` when absent, settles what a crash left, and takes the writer's lock: kConflict when another process has
  // it. Clock and random must outlive the store and be safe to use from many threads.
  static Result<std::unique_ptr<ObjectStore>> Open(const std::filesystem::path& dir, const Clock* clock, Random* random,
                                                   StepHook hook = nullptr);

  // For another process of the same machine: lists and opens, whether the writer lives or not. Writes nothing.
  static Result<std::unique_ptr<ObjectReader>> Attach(const std::filesystem::path& dir);
};

}  // namespace argosy::objectstore
