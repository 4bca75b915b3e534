// libarchive, loaded when first needed.
//
// Linked in the ordinary way it would bring fourteen libraries (XML, ICU, ACLs, …) into every start of the program, 8
// ms of the 50 that a job has until its algorithm runs, for an archive that is packed at the end. Thread-safe.
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include "base/result.h"

namespace argosy::agent {

// The functions used, under their own names.
struct LibArchive {
  decltype(&::archive_errno) archive_errno;
  decltype(&::archive_error_string) archive_error_string;

  decltype(&::archive_read_new) archive_read_new;
  decltype(&::archive_read_free) archive_read_free;
  decltype(&::archive_read_support_filter_gzip) archive_read_support_filter_gzip;
  decltype(&::archive_read_support_format_tar) archive_read_support_format_tar;
  decltype(&::archive_read_open_fd) archive_read_open_fd;
  decltype(&::archive_read_next_header) archive_read_next_header;
  decltype(&::archive_read_data) archive_read_data;

  decltype(&::archive_write_new) archive_write_new;
  decltype(&::archive_write_free) archive_write_free;
  decltype(&::archive_write_set_format_pax_restricted) archive_write_set_format_pax_restricted;
  decltype(&::archive_write_add_filter_gzip) archive_write_add_filter_gzip;
  decltype(&::archive_write_set_format_option) archive_write_set_format_option;
  decltype(&::archive_write_set_filter_option) archive_write_set_filter_option;
  decltype(&::archive_write_set_bytes_in_last_block) archive_write_set_bytes_in_last_block;
  decltype(&::archive_write_open_fd) archive_write_open_fd;
  decltype(&::archive_write_header) archive_write_header;
  decltype(&::archive_write_data) archive_write_data;
  decltype(&::archive_write_close) archive_write_close;

  decltype(&::archive_entry_new) archive_entry_new;
  decltype(&::archive_entry_free) archive_entry_free;
  decltype(&::archive_entry_pathname) archive_entry_pathname;
  decltype(&::archive_entry_pathname_utf8) archive_entry_pathname_utf8;
  decltype(&::archive_entry_set_pathname) archive_entry_set_pathname;
  decltype(&::archive_entry_filetype) archive_entry_filetype;
  decltype(&::archive_entry_set_filetype) archive_entry_set_filetype;
  decltype(&::archive_entry_perm) archive_entry_perm;
  decltype(&::archive_entry_set_perm) archive_entry_set_perm;
  decltype(&::archive_entry_set_size) archive_entry_set_size;
  decltype(&::archive_entry_set_mtime) archive_entry_set_mtime;
  decltype(&::archive_entry_hardlink) archive_entry_hardlink;
  decltype(&::archive_entry_symlink) archive_entry_symlink;
};

// Loads it at the first call; good for the program's life. kUnavailable when it is not installed.
Result<const LibArchive*> LoadLibArchive();

}  // namespace argosy::agent
