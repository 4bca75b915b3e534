#include "agent/archive.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>

#include "agent/libarchive.h"
#include "base/files.h"

namespace argosy::agent {
namespace {

constexpr size_t kBlockBytes = 256 << 10;
constexpr size_t kPathBytesMax = 1024;

using Archive = std::unique_ptr<archive, int (*)(archive*)>;
using Entry = std::unique_ptr<archive_entry, void (*)(archive_entry*)>;

std::string Reason(const LibArchive& lib, archive* a) {
  const char* text = lib.archive_error_string(a);
  return text == nullptr ? "unknown error" : text;
}

Error WriteError(const LibArchive& lib, archive* a, const std::filesystem::path& path) {
  const int error = lib.archive_errno(a);
  if (error > 0) return ErrnoError("writing " + path.string(), error);
  return Error(ErrorCode::kIo, "writing " + path.string() + ": " + Reason(lib, a));
}

Status AppendFileBytes(const LibArchive& lib, archive* out, const std::filesystem::path& path, uint64_t size,
                       const std::filesystem::path& archive_path) {
  const Result<UniqueFd> fd = OpenFile(path, O_RDONLY | O_NOFOLLOW);
  if (!fd.ok()) return fd.error();
  std::string block(kBlockBytes, '\0');
  uint64_t left = size;
  while (left > 0) {
    const ssize_t n = read(fd->get(), block.data(), std::min<uint64_t>(left, block.size()));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoError("reading " + path.string(), errno);
    if (n == 0) return Error(ErrorCode::kIo, path.string() + " became shorter while it was packed");
    if (lib.archive_write_data(out, block.data(), static_cast<size_t>(n)) != n) {
      return WriteError(lib, out, archive_path);
    }
    left -= static_cast<uint64_t>(n);
  }
  return {};
}

// The entry's name as it stands in the archive; null when there is none. Names in UTF-8 that our locale cannot express
// are had only by the second call.
const char* NameOf(const LibArchive& lib, archive_entry* entry) {
  const char* const name = lib.archive_entry_pathname(entry);
  return name != nullptr ? name : lib.archive_entry_pathname_utf8(entry);
}

// Splits a name from an archive and says whether it may be used.
Result<std::vector<std::string>> SafeComponents(const char* raw, size_t depth_max) {
  if (raw == nullptr) return Error(ErrorCode::kInvalidArgument, "the archive holds a name that is not text");
  const std::string_view name(raw);
  const auto refuse = [&](std::string_view why) {
    return Error(ErrorCode::kInvalidArgument,
                 "the archive holds '" + std::string(name.substr(0, 200)) + "': " + std::string(why));
  };
  if (name.size() > kPathBytesMax) return refuse("the name is too long");
  // "/" alone is the archive's top: so the SageMaker SDK writes it when it packs a model anew with a script.
  if (name.starts_with('/') && name.find_first_not_of('/') != std::string_view::npos) {
    return refuse("absolute names are refused");
  }
  std::vector<std::string> out;
  for (size_t at = 0; at <= name.size();) {
    const size_t end = std::min(name.find('/', at), name.size());
    const std::string_view part = name.substr(at, end - at);
    if (part == "..") return refuse("names with '..' are refused");
    if (part.size() > 255) return refuse("a part of the name is too long");
    if (!part.empty() && part != ".") out.emplace_back(part);
    at = end + 1;
  }
  if (out.size() > depth_max) return refuse("it lies too deep");
  return out;
}

// The directory that is to hold the entry, made as needed, reached without following any link.
Result<UniqueFd> OpenDirectoryUnder(const UniqueFd& target, const std::vector<std::string>& components, size_t count) {
  UniqueFd at(fcntl(target.get(), F_DUPFD_CLOEXEC, 3));
  if (!at.valid()) return ErrnoError("opening a directory", errno);
  for (size_t i = 0; i < count; ++i) {
    if (mkdirat(at.get(), components[i].c_str(), 0755) != 0 && errno != EEXIST) {
      return ErrnoError("making the directory " + components[i], errno);
    }
    UniqueFd next(openat(at.get(), components[i].c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!next.valid()) return ErrnoError("opening the directory " + components[i], errno);
    at = std::move(next);
  }
  return at;
}

}  // namespace

Result<PackOutcome> PackDirectory(const std::filesystem::path& directory, const std::filesystem::path& archive_path) {
  std::vector<std::filesystem::path> relative;
  std::error_code error;
  bool any_file = false;
  for (auto it = std::filesystem::recursive_directory_iterator(directory, error);
       !error && it != std::filesystem::recursive_directory_iterator(); it.increment(error)) {
    const std::filesystem::file_status status = it->symlink_status(error);
    if (error) break;
    if (status.type() == std::filesystem::file_type::regular) {
      any_file = true;
    } else if (status.type() != std::filesystem::file_type::directory) {
      return Error(ErrorCode::kInvalidArgument,
                   it->path().string() + " is neither file nor directory: it cannot be part of an artifact");
    }
    relative.push_back(it->path().lexically_relative(directory));
  }
  if (error) return ErrnoError("reading " + directory.string(), error.value());
  if (!any_file) return PackOutcome::kNothing;
  std::sort(relative.begin(), relative.end(), [](const auto& a, const auto& b) { return a.native() < b.native(); });

  const Result<const LibArchive*> loaded = LoadLibArchive();
  if (!loaded.ok()) return loaded.error();
  const LibArchive& lib = **loaded;
  const Result<UniqueFd> file = OpenFile(archive_path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (!file.ok()) return file.error();
  const Archive out(lib.archive_write_new(), lib.archive_write_free);
  Check(out != nullptr, "no memory for an archive");
  // Names are bytes: without the option they would be translated from the locale, which says ASCII here. GNU tar warns
  // of it, so it is set only where it is needed.
  const bool plain = std::ranges::all_of(relative, [](const std::filesystem::path& path) {
    return std::ranges::all_of(path.native(), [](unsigned char c) { return c < 0x80; });
  });
  bool ok = lib.archive_write_set_format_pax_restricted(out.get()) == ARCHIVE_OK &&
            (plain || lib.archive_write_set_format_option(out.get(), "pax", "hdrcharset", "BINARY") == ARCHIVE_OK) &&
            lib.archive_write_add_filter_gzip(out.get()) == ARCHIVE_OK &&
            lib.archive_write_set_filter_option(out.get(), "gzip", "compression-level", "1") == ARCHIVE_OK &&
            lib.archive_write_set_filter_option(out.get(), "gzip", "timestamp", nullptr) == ARCHIVE_OK &&
            lib.archive_write_set_bytes_in_last_block(out.get(), 1) == ARCHIVE_OK &&
            lib.archive_write_open_fd(out.get(), file->get()) == ARCHIVE_OK;
  if (!ok) return WriteError(lib, out.get(), archive_path);
  for (const std::filesystem::path& name : relative) {
    const std::filesystem::path path = directory / name;
    struct stat info{};
    if (lstat(path.c_str(), &info) != 0) return ErrnoError("reading " + path.string(), errno);
    const bool is_directory = S_ISDIR(info.st_mode);
    const uint64_t size = is_directory ? 0 : static_cast<uint64_t>(info.st_size);
    const Entry entry(lib.archive_entry_new(), lib.archive_entry_free);
    Check(entry != nullptr, "no memory for an archive");
    lib.archive_entry_set_pathname(entry.get(), name.c_str());
    lib.archive_entry_set_filetype(entry.get(), is_directory ? AE_IFDIR : AE_IFREG);
    lib.archive_entry_set_perm(entry.get(), is_directory || (info.st_mode & 0100) != 0 ? 0755 : 0644);
    lib.archive_entry_set_size(entry.get(), static_cast<la_int64_t>(size));
    lib.archive_entry_set_mtime(entry.get(), 0, 0);
    if (lib.archive_write_header(out.get(), entry.get()) != ARCHIVE_OK) return WriteError(lib, out.get(), archive_path);
    if (is_directory) continue;
    if (Status done = AppendFileBytes(lib, out.get(), path, size, archive_path); !done.ok()) return done.error();
  }
  ok = lib.archive_write_close(out.get()) == ARCHIVE_OK;
  if (!ok) return WriteError(lib, out.get(), archive_path);
  if (Status synced = SyncFile(file->get()); !synced.ok()) return synced.error();
  if (Status synced = SyncDirectory(archive_path.parent_path()); !synced.ok()) return synced.error();
  return PackOutcome::kPacked;
}

Status UnpackArchive(int file, const std::filesystem::path& target, const UnpackLimits& limits) {
  const Result<const LibArchive*> loaded = LoadLibArchive();
  if (!loaded.ok()) return loaded.error();
  const LibArchive& lib = **loaded;
  const Result<UniqueFd> root = OpenFile(target, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!root.ok()) return root.error();
  const Archive in(lib.archive_read_new(), lib.archive_read_free);
  Check(in != nullptr, "no memory for an archive");
  if (lib.archive_read_support_filter_gzip(in.get()) != ARCHIVE_OK ||
      lib.archive_read_support_format_tar(in.get()) != ARCHIVE_OK ||
      lib.archive_read_open_fd(in.get(), file, kBlockBytes) != ARCHIVE_OK) {
    return Error(ErrorCode::kCorrupt, "not a .tar.gz archive: " + Reason(lib, in.get()));
  }
  uint64_t entries = 0;
  uint64_t bytes = 0;
  std::string block(kBlockBytes, '\0');
  for (;;) {
    archive_entry* entry = nullptr;
    const int header = lib.archive_read_next_header(in.get(), &entry);
    if (header == ARCHIVE_EOF) break;
    if (header != ARCHIVE_OK && header != ARCHIVE_WARN) {
      return Error(ErrorCode::kCorrupt, "not a .tar.gz archive: " + Reason(lib, in.get()));
    }
    if (++entries > limits.entries_max) {
      return Error(ErrorCode::kInvalidArgument,
                   "the archive holds more than " + std::to_string(limits.entries_max) + " entries");
    }
    const Result<std::vector<std::string>> name = SafeComponents(NameOf(lib, entry), limits.depth_max);
    if (!name.ok()) return name.error();
    const auto type = lib.archive_entry_filetype(entry);
    const bool is_link = lib.archive_entry_hardlink(entry) != nullptr || lib.archive_entry_symlink(entry) != nullptr;
    if (is_link || (type != AE_IFREG && type != AE_IFDIR)) {
      return Error(ErrorCode::kInvalidArgument,
                   std::string("the archive holds '") + NameOf(lib, entry) + "', which is neither file nor directory");
    }
    if (name->empty()) continue;  // "./", "/"
    const bool is_directory = type == AE_IFDIR;
    const Result<UniqueFd> parent = OpenDirectoryUnder(*root, *name, name->size() - (is_directory ? 0 : 1));
    if (!parent.ok()) return parent.error();
    if (is_directory) continue;
    const int mode = (lib.archive_entry_perm(entry) & 0100) != 0 ? 0755 : 0644;
    // A name that comes twice means the later one, as with tar.
    unlinkat(parent->get(), name->back().c_str(), 0);
    const UniqueFd out(
        openat(parent->get(), name->back().c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    if (!out.valid()) return ErrnoError("writing " + name->back(), errno);
    for (;;) {
      const la_ssize_t n = lib.archive_read_data(in.get(), block.data(), block.size());
      if (n == 0) break;
      if (n < 0) return Error(ErrorCode::kCorrupt, "the archive is damaged: " + Reason(lib, in.get()));
      bytes += static_cast<uint64_t>(n);
      if (bytes > limits.bytes_max) {
        return Error(ErrorCode::kInvalidArgument,
                     "the archive unpacks to more than " + std::to_string(limits.bytes_max) + " bytes");
      }
      if (Status wrote = WriteAll(out.get(), std::string_view(block).substr(0, static_cast<size_t>(n))); !wrote.ok()) {
        return wrote.error().Wrap("unpacking " + name->back());
      }
    }
  }
  if (entries == 0) return Error(ErrorCode::kCorrupt, "the archive is empty");
  return {};
}

}  // namespace argosy::agent
