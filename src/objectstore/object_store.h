// Objects: named bytes in buckets, the way everything in the program reads and writes data.
//
// ObjectReader is what a reader of data needs; ObjectStore adds writing. All calls block (disk, network): event loops
// run them on a ThreadPool. All are thread-safe; a writer belongs to one thread at a time.
//
// Promises of every implementation:
//   - A write happens at its Commit, whole or not at all; when Commit has returned it survives a power cut.
//   - Listing shows an object from the moment its Commit has returned, and not after Delete has returned.
//   - Who has an object open keeps reading the bytes it opened, whatever is written or deleted meanwhile.
//   - Any key of 1 to 1,024 bytes of UTF-8 is a valid name of its own; keys order as bytes.
//
// Errors: kNotFound (bucket, object or upload), kAlreadyExists (bucket), kConflict (bucket not empty; a precondition
// does not hold), kInvalidArgument (a name, number or part that the rules forbid), kNoSpace (disk full),
// kPermissionDenied (a store attached for reading only), kUnavailable (a store elsewhere is away), kIo, kCorrupt.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/arriving_file.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/result.h"

namespace argosy::objectstore {

inline constexpr size_t kKeyBytesMax = 1024;   // as S3
inline constexpr int kPartNumberMax = 10'000;  // as S3: parts are 1 … kPartNumberMax
inline constexpr size_t kPageKeysMax = 1000;   // entries on one page of any listing, as S3
inline constexpr std::string_view kDefaultContentType = "binary/octet-stream";  // as S3

enum class ChecksumAlgorithm { kCrc32, kCrc32c, kCrc64Nvme, kSha1, kSha256 };
enum class ChecksumType { kFullObject, kComposite };

// A checksum beside the ETag, as the client asked for it.
struct Checksum {
  ChecksumAlgorithm algorithm = ChecksumAlgorithm::kCrc32;
  ChecksumType type = ChecksumType::kFullObject;
  std::string value;  // base64, big-endian; a composite one ends in "-<parts>"

  bool operator==(const Checksum&) const = default;
};

// What travels with an object's bytes.
struct Attributes {
  std::string content_type;  // empty: kDefaultContentType
  std::map<std::string, std::string>
      headers;  // cache-control, content-encoding, …: lower-case names, sent back as given
  std::map<std::string, std::string> metadata;  // the user's own; lower-case names, without x-amz-meta-

  bool operator==(const Attributes&) const = default;
};

// Labels beside an object or bucket, which can be changed without touching it. The rules of AWS (how many, how long, no
// name twice) are the API's to keep.
using Tags = std::map<std::string, std::string>;

struct ObjectInfo {
  std::string key;
  uint64_t size = 0;
  std::string etag;  // without quotes: MD5 in hex; of an upload in parts MD5 of the parts' MD5s, "-", number of parts
  Time last_modified;
  Attributes attributes;
  std::optional<Checksum> checksum;
  Tags tags;

  bool operator==(const ObjectInfo&) const = default;
};

struct BucketInfo {
  std::string name;
  Time created;
};

struct OpenObject {
  std::shared_ptr<UniqueFd> file;  // read with pread; shared by all who send parts of it
  ObjectInfo info;
  std::shared_ptr<ArrivingFile> arriving;  // null: all bytes are there; else they are asked for before they are read
};

// Blocks until that part of an open object is in its file.
inline Status Fetch(const OpenObject& object, uint64_t offset, uint64_t length) {
  return object.arriving && length > 0 ? object.arriving->Fetch(offset, length) : Status();
}

struct ListRequest {
  std::string bucket;
  std::string prefix;
  std::string delimiter;    // keys that have it after `prefix` are rolled up into one common prefix
  std::string start_after;  // only keys greater than this
  std::string token;        // next_token of the page before; overrules start_after
  size_t max_keys = kPageKeysMax;
};

struct ListPage {
  std::vector<ObjectInfo> objects;           // in byte order of their keys; attributes and tags are not filled in
  std::vector<std::string> common_prefixes;  // in byte order
  std::string next_token;                    // opaque; empty on the last page
};

class ObjectReader {
 public:
  virtual ~ObjectReader() = default;

  virtual Status HeadBucket(std::string_view bucket) = 0;
  virtual Result<ObjectInfo> Head(std::string_view bucket, std::string_view key) = 0;
  virtual Result<OpenObject> Open(std::string_view bucket, std::string_view key) = 0;
  // kInvalidArgument for a token that is none.
  virtual Result<ListPage> List(const ListRequest& request) = 0;

  // Where the object's file lies, for a process of this machine that opens it in place, reading only. The next write to
  // the key puts another file there.
  virtual Result<std::filesystem::path> LocalPath(std::string_view bucket, std::string_view key) = 0;
};

// One write in progress. Destroyed before Commit: nothing happened.
class ObjectWriter {
 public:
  virtual ~ObjectWriter() = default;

  virtual Status Append(std::string_view piece) = 0;
  virtual uint64_t size() const = 0;
  // MD5 of what has been appended so far: 16 bytes. Only where PutOptions announced it; of a part always.
  virtual std::string Md5() const = 0;
  // Kept with the object; the caller has compared it with the bytes. Of the algorithm in PutOptions.
  virtual void SetChecksum(Checksum checksum) = 0;
  // At most once. For a part of an upload only size, etag, last_modified and checksum of the answer mean something.
  virtual Result<ObjectInfo> Commit() = 0;
};

// What must hold of the key at the moment of the write; otherwise it gives kConflict, and where `etag` meets nothing
// kNotFound.
struct Precondition {
  bool must_not_exist = false;        // If-None-Match: *
  std::string etag;                   // If-Match: the present object's ETag, "*": whichever it is; empty: any or none
  std::optional<uint64_t> size;       // of the present object, if there is one
  std::optional<Time> last_modified;  // likewise, to the second

  bool IsEmpty() const { return !must_not_exist && etag.empty() && !size && !last_modified; }
};
// `present`: what the key holds now; null: nothing.
Status CheckPrecondition(const Precondition& precondition, const ObjectInfo* present);

struct PutOptions {
  Attributes attributes;
  Tags tags;
  Precondition precondition;
  // What the writer will be asked, which may pass bytes on before it has all of them.
  std::optional<ChecksumAlgorithm> checksum_algorithm = {};  // of SetChecksum
  bool md5_asked = false;                                    // Md5() will be called
};

struct CopyOptions {
  std::optional<Attributes> attributes;  // in place of the source's
  std::optional<Tags> tags;              // in place of the source's
  std::string source_etag;               // kConflict when the source is another one; empty: any
  // What the copy's checksum is to be: computed of its bytes where the source has none of these. Empty: the source's.
  std::optional<ChecksumAlgorithm> checksum_algorithm;
  Precondition precondition;  // of the destination
};

struct UploadOptions {
  Attributes attributes;
  Tags tags;
  std::optional<ChecksumAlgorithm> checksum_algorithm;
  ChecksumType checksum_type = ChecksumType::kComposite;
};

struct UploadInfo {
  std::string key;
  std::string upload_id;
  Time initiated;
  UploadOptions options;
};

struct PartInfo {
  int number = 0;
  uint64_t size = 0;
  std::string etag;
  Time last_modified;
  std::optional<Checksum> checksum;
};

// A part as the client names it when it completes an upload.
struct CompletedPart {
  int number = 0;
  std::string etag;
};

class ObjectStore : public ObjectReader {
 public:
  // Idempotent calls are those that say so. Bucket names follow S3's rules (see IsValidBucketName).
  virtual Status CreateBucket(std::string_view bucket) = 0;  // kAlreadyExists
  virtual Status DeleteBucket(
      std::string_view bucket) = 0;  // kConflict unless empty; its unfinished uploads go with it
  virtual Result<std::vector<BucketInfo>> ListBuckets() = 0;  // by name

  virtual Result<std::unique_ptr<ObjectWriter>> StartPut(std::string_view bucket, std::string_view key,
                                                         PutOptions options) = 0;
  // An object that is not there is no error, but to a precondition.
  virtual Status DeleteIf(std::string_view bucket, std::string_view key, const Precondition& precondition) = 0;
  Status Delete(std::string_view bucket, std::string_view key) { return DeleteIf(bucket, key, {}); }
  // kNotFound names the source; a destination bucket that is not there is kNotFound too (ask HeadBucket).
  virtual Result<ObjectInfo> Copy(std::string_view source_bucket, std::string_view source_key, std::string_view bucket,
                                  std::string_view key, CopyOptions options) = 0;

  // In place of those that it has. The object stays what it is: bytes, ETag and time.
  virtual Status SetTags(std::string_view bucket, std::string_view key, Tags tags) = 0;
  virtual Status SetBucketTags(std::string_view bucket, Tags tags) = 0;
  virtual Result<Tags> BucketTags(std::string_view bucket) = 0;

  // Makes a finished local file, which nobody writes any more, an object. `source` stays; it may share its bytes with
  // the object (hard link or reflink) where the file system can. Idempotent: publishing the same file again changes
  // nothing.
  virtual Result<ObjectInfo> PublishFile(const std::filesystem::path& source, std::string_view bucket,
                                         std::string_view key, Attributes attributes) = 0;

  // Uploads in parts. An upload and its committed parts survive restarts until completed or aborted.
  virtual Result<std::string> CreateUpload(std::string_view bucket, std::string_view key, UploadOptions options) = 0;
  virtual Result<UploadInfo> FindUpload(std::string_view bucket, std::string_view key, std::string_view upload_id) = 0;
  // A part of the same number is replaced at Commit.
  virtual Result<std::unique_ptr<ObjectWriter>> StartPart(std::string_view bucket, std::string_view key,
                                                          std::string_view upload_id, int part_number) = 0;
  virtual Result<std::vector<PartInfo>> ListParts(std::string_view bucket, std::string_view key,
                                                  std::string_view upload_id) = 0;  // by number
  // `parts` by strictly rising number; kInvalidArgument when one is not there or has another ETag. Idempotent: an
  // upload that is gone because this very list completed it is answered with the object.
  virtual Result<ObjectInfo> CompleteUpload(std::string_view bucket, std::string_view key, std::string_view upload_id,
                                            const std::vector<CompletedPart>& parts, Precondition precondition) = 0;
  virtual Status AbortUpload(std::string_view bucket, std::string_view key, std::string_view upload_id) = 0;
  virtual Result<std::vector<UploadInfo>> ListUploads(std::string_view bucket) = 0;  // by key, then by time
  // Aborts uploads of which nothing has been heard since `before`; gives how many.
  virtual Result<size_t> ExpireUploads(Time before) = 0;

  // The program is ending: who waits for a store elsewhere has kUnavailable within about a second, and so has who asks
  // later. Nothing, where nobody waits for anything but the disk.
  virtual void Stop() {}
};

// S3's rules for the names of buckets.
inline constexpr std::string_view kBucketNameRule =
    "3 to 63 characters of a-z, 0-9, '.' and '-', a letter or digit at both ends, no '..', no IPv4 address";
bool IsValidBucketName(std::string_view bucket);
// Says so, and the rule.
Error InvalidBucketName(std::string_view bucket);
// 1 to kKeyBytesMax bytes of UTF-8 without NUL.
Status ValidateKey(std::string_view key);

// s3://bucket/any/prefix. The key may be empty; it may also be a prefix of many keys.
struct S3Uri {
  std::string bucket;
  std::string key;

  std::string ToString() const { return "s3://" + bucket + "/" + key; }
};
// kInvalidArgument when it does not begin with s3:// or names no valid bucket.
Result<S3Uri> ParseS3Uri(std::string_view uri);

// Small objects in one call.
Result<ObjectInfo> PutBytes(ObjectStore& store, std::string_view bucket, std::string_view key, std::string_view bytes,
                            std::string_view content_type);
// kInvalidArgument when the object is larger than `size_max` bytes.
Result<std::string> ReadBytes(ObjectReader& reader, std::string_view bucket, std::string_view key, size_t size_max);
// All keys under a prefix, page after page; kInvalidArgument past `keys_max`.
Result<std::vector<ObjectInfo>> ListAll(ObjectReader& reader, std::string_view bucket, std::string_view prefix,
                                        size_t keys_max);

}  // namespace argosy::objectstore
