#include "agent/libarchive.h"

#include <dlfcn.h>

#include <optional>
#include <string>

namespace argosy::agent {
namespace {

// Its binary interface since version 3.0 (2011).
constexpr const char* kSoname = "libarchive.so.13";

template <class Function>
bool Find(void* handle, const char* name, Function& out) {
  out = reinterpret_cast<Function>(dlsym(handle, name));
  return out != nullptr;
}

bool FindAll(void* handle, LibArchive& out) {
  return Find(handle, "archive_write_set_format_option", out.archive_write_set_format_option) &&
         Find(handle, "archive_entry_pathname_utf8", out.archive_entry_pathname_utf8) &&
         Find(handle, "archive_errno", out.archive_errno) &&
         Find(handle, "archive_error_string", out.archive_error_string) &&
         Find(handle, "archive_read_new", out.archive_read_new) &&
         Find(handle, "archive_read_free", out.archive_read_free) &&
         Find(handle, "archive_read_support_filter_gzip", out.archive_read_support_filter_gzip) &&
         Find(handle, "archive_read_support_format_tar", out.archive_read_support_format_tar) &&
         Find(handle, "archive_read_open_fd", out.archive_read_open_fd) &&
         Find(handle, "archive_read_next_header", out.archive_read_next_header) &&
         Find(handle, "archive_read_data", out.archive_read_data) &&
         Find(handle, "archive_write_new", out.archive_write_new) &&
         Find(handle, "archive_write_free", out.archive_write_free) &&
         Find(handle, "archive_write_set_format_pax_restricted", out.archive_write_set_format_pax_restricted) &&
         Find(handle, "archive_write_add_filter_gzip", out.archive_write_add_filter_gzip) &&
         Find(handle, "archive_write_set_filter_option", out.archive_write_set_filter_option) &&
         Find(handle, "archive_write_set_bytes_in_last_block", out.archive_write_set_bytes_in_last_block) &&
         Find(handle, "archive_write_open_fd", out.archive_write_open_fd) &&
         Find(handle, "archive_write_header", out.archive_write_header) &&
         Find(handle, "archive_write_data", out.archive_write_data) &&
         Find(handle, "archive_write_close", out.archive_write_close) &&
         Find(handle, "archive_entry_new", out.archive_entry_new) &&
         Find(handle, "archive_entry_free", out.archive_entry_free) &&
         Find(handle, "archive_entry_pathname", out.archive_entry_pathname) &&
         Find(handle, "archive_entry_set_pathname", out.archive_entry_set_pathname) &&
         Find(handle, "archive_entry_filetype", out.archive_entry_filetype) &&
         Find(handle, "archive_entry_set_filetype", out.archive_entry_set_filetype) &&
         Find(handle, "archive_entry_perm", out.archive_entry_perm) &&
         Find(handle, "archive_entry_set_perm", out.archive_entry_set_perm) &&
         Find(handle, "archive_entry_set_size", out.archive_entry_set_size) &&
         Find(handle, "archive_entry_set_mtime", out.archive_entry_set_mtime) &&
         Find(handle, "archive_entry_hardlink", out.archive_entry_hardlink) &&
         Find(handle, "archive_entry_symlink", out.archive_entry_symlink);
}

struct Loaded {
  LibArchive functions{};
  std::optional<Error> error;
};

Loaded Load() {
  Loaded out;
  void* const handle = dlopen(kSoname, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr || !FindAll(handle, out.functions)) {
    const char* const why = dlerror();
    out.error =
        Error(ErrorCode::kUnavailable, std::string("libarchive cannot be loaded (Debian: install libarchive13): ") +
                                           (why == nullptr ? kSoname : why));
  }
  return out;
}

}  // namespace

Result<const LibArchive*> LoadLibArchive() {
  static const Loaded loaded = Load();
  if (loaded.error) return *loaded.error;
  return &loaded.functions;
}

}  // namespace argosy::agent
