#include "agent/program/sandbox.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace argosy::agent {
namespace {

// Not root's number, so that exec takes the privileges away that the namespaces were made with.
constexpr unsigned kInnerUser = 1000;

constexpr const char* kTmpfsOptions = "mode=755,size=64m";

// Replaced by mounts of their own.
bool IsOwnMount(std::string_view path) {
  return path == "/proc" || path == "/tmp" || path == "/opt" || path == "/lost+found";
}

int WriteText(const char* path, const char* text, size_t size) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  const int error = write(fd, text, size) == static_cast<ssize_t>(size) ? 0 : errno;
  close(fd);
  return error;
}

int Made(int result) {
  return result == 0 ? 0 : errno;
}

int MakeReadOnly(const char* path) {
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID;
  return Made(
      static_cast<int>(syscall(SYS_mount_setattr, AT_FDCWD, path, AT_RECURSIVE, &attributes, sizeof attributes)));
}

int EnterRoot(const char* path) {
  if (chdir(path) != 0) return errno;
  // The old root is put over the new one and taken away from there: no directory for it is needed.
  if (syscall(SYS_pivot_root, ".", ".") != 0) return errno;
  if (umount2(".", MNT_DETACH) != 0) return errno;
  return Made(chdir("/"));
}

int Do(const Sandbox::Step& step) {
  const char* const from = step.from.c_str();
  const char* const to = step.to.c_str();
  using enum Sandbox::Step::Kind;
  switch (step.kind) {
    case kDirectory:
      return mkdir(to, 0755) == 0 || errno == EEXIST ? 0 : errno;
    case kSymlink:
      return Made(symlink(from, to));
    case kBind:
      return Made(mount(from, to, nullptr, MS_BIND | MS_REC, nullptr));
    case kTmpfs:
      return Made(mount("tmpfs", to, "tmpfs", MS_NOSUID | MS_NODEV, kTmpfsOptions));
    case kHide:
      if (mount("tmpfs", to, "tmpfs", MS_NOSUID | MS_NODEV | MS_RDONLY, "mode=755,size=4k") == 0) return 0;
      return errno == ENOENT || errno == ENOTDIR ? 0 : errno;
    case kProc:
      return Made(mount("proc", to, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr));
    case kReadOnly:
      return MakeReadOnly(to);
    case kRoot:
      return EnterRoot(to);
  }
  return EINVAL;
}

}  // namespace

Result<std::vector<Sandbox::Entry>> Sandbox::ReadTop() {
  std::vector<Entry> out;
  for (const char* directory : {"/", "/opt"}) {
    std::error_code error;
    for (std::filesystem::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
      std::error_code ignored;
      const std::string path = it->path();
      if (it->is_symlink(ignored)) {
        out.push_back({path, std::filesystem::read_symlink(path, ignored)});
      } else if (it->is_directory(ignored)) {
        out.push_back({path, ""});
      }
    }
    if (error && directory == std::string_view("/")) return ErrnoError("reading /", error.value());
  }
  return out;
}

Sandbox Sandbox::Plan(const SandboxPlaces& places, const std::vector<Entry>& top) {
  using Kind = Step::Kind;
  Sandbox out;
  std::vector<Step>& steps = out.steps_;
  const std::string root = places.root;
  const auto at = [&](std::string_view path) { return root + std::string(path); };
  const auto directory = [&](std::string_view path) { steps.push_back({Kind::kDirectory, "", at(path)}); };

  steps.push_back({Kind::kTmpfs, "", root});
  directory("/opt");
  for (const Entry& entry : top) {
    if (IsOwnMount(entry.path) || entry.path == kSandboxMl || entry.path == "/opt/argosy") continue;
    if (!entry.symlink.empty()) {
      steps.push_back({Kind::kSymlink, entry.symlink, at(entry.path)});
      continue;
    }
    directory(entry.path);
    steps.push_back({Kind::kBind, entry.path, at(entry.path)});
  }
  for (const std::string_view made :
       {kSandboxMl, std::string_view("/opt/argosy"), kSandboxShim, kSandboxScratch, std::string_view("/proc")}) {
    directory(made);
  }
  steps.push_back({Kind::kReadOnly, "", root});
  // From here on mounts may be written.
  steps.push_back({Kind::kBind, places.ml, at(kSandboxMl)});
  steps.push_back({Kind::kBind, places.scratch, at(kSandboxScratch)});
  if (!places.shim.empty()) steps.push_back({Kind::kBind, places.shim, at(kSandboxShim)});
  steps.push_back({Kind::kTmpfs, "", at("/dev/shm")});
  steps.push_back({Kind::kProc, "", at("/proc")});
  for (const std::filesystem::path& hidden : places.hidden) {
    // Of the machine's /tmp nothing is to be seen.
    if (hidden.string().starts_with("/tmp/")) continue;
    steps.push_back({Kind::kHide, "", at(hidden.string())});
  }
  for (const std::filesystem::path& shown : places.shown) {
    if (!shown.string().starts_with("/tmp/")) continue;
    std::filesystem::path made;
    for (const std::filesystem::path& part : shown) {
      made /= part;
      if (made != "/" && made != kSandboxScratch) directory(made.string());
    }
    steps.push_back({Kind::kBind, shown, at(shown.string())});
    steps.push_back({Kind::kReadOnly, "", at(shown.string())});
  }
  steps.push_back({Kind::kRoot, "", root});
  out.uid_map_ = fmt::format("{} {} 1\n", kInnerUser, geteuid());
  out.gid_map_ = fmt::format("{} {} 1\n", kInnerUser, getegid());
  return out;
}

pid_t Sandbox::Fork() {
  constexpr unsigned long kFlags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | SIGCHLD;
  return static_cast<pid_t>(syscall(SYS_clone, kFlags, nullptr, nullptr, nullptr, 0UL));
}

int Sandbox::Enter() const {
  if (const int error = WriteText("/proc/self/setgroups", "deny", 4); error != 0 && error != ENOENT) return error;
  if (const int error = WriteText("/proc/self/uid_map", uid_map_.data(), uid_map_.size()); error != 0) return error;
  if (const int error = WriteText("/proc/self/gid_map", gid_map_.data(), gid_map_.size()); error != 0) return error;
  // Nothing that happens here is to be seen outside.
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return errno;
  for (const Step& step : steps_) {
    if (const int error = Do(step); error != 0) return error;
  }
  return 0;
}

}  // namespace argosy::agent
