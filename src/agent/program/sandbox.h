// What a user's process sees of the machine: what may be read, without the owner's keys and other instances' files;
// nothing that may be written but its own directories; no process but its own; itself as /opt/ml.
//
// Made of user, mount and process-id namespaces, which the kernel takes down with the first process in them: what the
// program has started cannot outlive it. A plan (made before the fork, compared in tests) and its executor, which runs
// in the child between fork and exec and therefore makes system calls only. Where the kernel refuses namespaces the
// start fails with `sandbox_refused`, and programs run without (docs/decisions/user-programs.md).
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace argosy::agent {

// As the program sees its places.
inline constexpr std::string_view kSandboxMl = "/opt/ml";
inline constexpr std::string_view kSandboxShim = "/opt/argosy/shim";
inline constexpr std::string_view kSandboxScratch = "/tmp";

struct SandboxPlaces {
  std::filesystem::path root;                 // an empty directory, for the new root
  std::filesystem::path ml;                   // may be written
  std::filesystem::path scratch;              // may be written
  std::filesystem::path shim;                 // only read; empty: none
  std::vector<std::filesystem::path> hidden;  // directories that are empty inside
  // Directories that may be read although they lie in /tmp, of which otherwise nothing is seen; others are let be.
  std::vector<std::filesystem::path> shown = {};
};

class Sandbox {
 public:
  struct Step {
    enum class Kind {
      kDirectory,
      kSymlink,  // `from` is its text
      kBind,     // `from` with all below it
      kTmpfs,
      kHide,      // an empty tmpfs, if there is such a directory
      kProc,      // of the new process ids
      kReadOnly,  // `to` and all below it
      kRoot,      // `to` becomes the root
    };
    Kind kind;
    std::string from;
    std::string to;
    bool operator==(const Step&) const = default;
  };

  // `top` are the entries of / and of /opt: absolute paths; a symlink's text beside it.
  struct Entry {
    std::string path;
    std::string symlink;  // "" = a directory
  };
  static Sandbox Plan(const SandboxPlaces& places, const std::vector<Entry>& top);
  static Result<std::vector<Entry>> ReadTop();

  // Starts a child in namespaces of its own: 0 in the child, -1 and errno when the kernel refuses.
  static pid_t Fork();

  // In the child, once: 0, or the errno of what failed.
  int Enter() const;

  const std::vector<Step>& steps() const { return steps_; }

 private:
  std::vector<Step> steps_;
  std::string uid_map_;
  std::string gid_map_;
};

}  // namespace argosy::agent
