// What the store knows of a file besides its bytes, and how it is kept: in the file's own extended attribute, so that
// it survives the loss of the index, and in the index, so that listing need not open files.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "objectstore/object_store.h"

namespace argosy::objectstore {

inline constexpr char kRecordXattr[] = "user.argosy.object";

// Tells one content of a file from another without reading it.
struct FileIdentity {
  uint64_t inode = 0;
  uint64_t size = 0;
  int64_t mtime_ns = 0;

  bool operator==(const FileIdentity&) const = default;
};
FileIdentity IdentityOf(const struct stat& stat);

// What is known of one content.
struct Record {
  std::string etag;
  Attributes attributes;
  std::optional<Checksum> checksum;
  Tags tags;

  bool operator==(const Record&) const = default;
};

// All but the ETag as JSON; empty when there is nothing but defaults.
std::string EncodeDetails(const Record& record);
// Fills in what EncodeDetails wrote; kCorrupt when it is something else.
Result<Record> DecodeDetails(std::string_view details, std::string etag);

ObjectInfo ToObjectInfo(std::string_view key, const FileIdentity& identity, const Record& record);

enum class XattrKept { kYes, kNo };
// kNo when the file system has no extended attributes or too little room for this one.
Result<XattrKept> WriteRecordXattr(int fd, const FileIdentity& identity, const Record& record);
// Nothing when there is none, it cannot be read, or it speaks of other content than `identity` (the inode may differ: a
// restored backup has new ones).
std::optional<Record> ReadRecordXattr(int fd, const FileIdentity& identity);

// Reads the whole file.
Result<std::string> HashFileMd5(int fd);  // 16 bytes
Result<Checksum> HashFileChecksum(int fd, ChecksumAlgorithm algorithm);

// The record of an open file: from its attribute, or else made by reading it (defaults for all but the ETag).
Result<Record> RecordOfFile(int fd, const FileIdentity& identity);

}  // namespace argosy::objectstore
