#include "main/sources.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <glob.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "base/bytes.h"
#include "base/files.h"

namespace argosy::main {
namespace {

namespace fs = std::filesystem;

constexpr size_t kDigestDigits = 20;  // 80 bits: no two data sets of a person collide
constexpr size_t kDigestReadBytes = 1 << 20;

// SHA-256 of what is appended.
class Digest {
 public:
  Digest() : context_(EVP_MD_CTX_new()) { Check(EVP_DigestInit_ex(context_, EVP_sha256(), nullptr) == 1); }
  ~Digest() { EVP_MD_CTX_free(context_); }
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;

  void Append(std::string_view bytes) { Check(EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1); }
  std::string Hex() {
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    Check(EVP_DigestFinal_ex(context_, out, &length) == 1);
    return ToHex({reinterpret_cast<const char*>(out), length});
  }

 private:
  EVP_MD_CTX* context_;
};

bool Hidden(const fs::path& path) {
  return path.filename().string().starts_with('.');
}

Status AddFile(const fs::path& path, const std::string& name, SourceSet& set) {
  if (set.files.size() >= kSourceFilesMax) {
    return Error(ErrorCode::kInvalidArgument,
                 fmt::format("more than {} files; put them in a bucket and give its s3:// prefix", kSourceFilesMax));
  }
  std::error_code error;
  const uint64_t size = fs::file_size(path, error);
  if (error) return ErrnoError("reading " + path.string(), error.value());
  if (access(path.c_str(), R_OK) != 0) return ErrnoError("reading " + path.string(), errno);
  set.files.push_back({path, name, size});
  return {};
}

Status AddFolder(const fs::path& folder, SourceSet& set) {
  std::error_code error;
  const size_t before = set.files.size();
  fs::recursive_directory_iterator walk(folder, error);
  for (; !error && walk != fs::recursive_directory_iterator(); walk.increment(error)) {
    if (Hidden(walk->path())) {
      if (walk->is_directory()) walk.disable_recursion_pending();
      continue;
    }
    if (!walk->is_regular_file()) continue;
    const Status added = AddFile(walk->path(), fs::relative(walk->path(), folder).string(), set);
    if (!added.ok()) return added;
  }
  if (error) return ErrnoError("reading the folder " + folder.string(), error.value());
  if (set.files.size() == before) return Error(ErrorCode::kNotFound, "no files in the folder " + folder.string());
  return {};
}

Status AddGlob(const std::string& pattern, SourceSet& set) {
  glob_t found{};
  const int rc = glob(pattern.c_str(), GLOB_TILDE, nullptr, &found);
  std::vector<std::string> paths(found.gl_pathv, found.gl_pathv + (rc == 0 ? found.gl_pathc : 0));
  globfree(&found);
  if (paths.empty()) return Error(ErrorCode::kNotFound, "no such file or folder: " + pattern);
  for (const std::string& path : paths) {
    std::error_code error;
    const Status added =
        fs::is_directory(path, error) ? AddFolder(path, set) : AddFile(path, fs::path(path).filename().string(), set);
    if (!added.ok()) return added;
  }
  return {};
}

}  // namespace

uint64_t SourceSet::bytes() const {
  uint64_t sum = 0;
  for (const LocalFile& file : files) sum += file.size;
  return sum;
}

bool IsS3Uri(std::string_view text) {
  return text.starts_with("s3://");
}

Result<S3Location> ParseS3Location(std::string_view uri) {
  if (!IsS3Uri(uri)) return Error(ErrorCode::kInvalidArgument, fmt::format("'{}' is no s3:// address", uri));
  const std::string_view rest = uri.substr(5);
  const size_t slash = rest.find('/');
  S3Location location{std::string(rest.substr(0, slash)),
                      slash == std::string_view::npos ? "" : std::string(rest.substr(slash + 1))};
  if (location.bucket.empty()) return Error(ErrorCode::kInvalidArgument, fmt::format("'{}' names no bucket", uri));
  return location;
}

Result<SourceSet> ExpandSources(const std::vector<std::string>& sources) {
  SourceSet set;
  for (const std::string& source : sources) {
    if (IsS3Uri(source)) {
      if (sources.size() > 1) {
        return Error(ErrorCode::kInvalidArgument, "an s3:// prefix stands alone: give one prefix that all data share");
      }
      set.s3_uri = source;
      return set;
    }
    std::error_code error;
    const fs::file_status status = fs::status(source, error);
    Status added;
    if (fs::is_directory(status)) {
      added = AddFolder(source, set);
    } else if (fs::is_regular_file(status)) {
      added = AddFile(source, fs::path(source).filename().string(), set);
    } else if (fs::exists(status)) {
      added = Error(ErrorCode::kInvalidArgument, source + " is neither a file nor a folder");
    } else if (source.find_first_of("*?[") != std::string::npos) {
      added = AddGlob(source, set);
    } else {
      added = Error(ErrorCode::kNotFound, "no such file or folder: " + source);
    }
    if (!added.ok()) return added.error();
  }
  std::sort(set.files.begin(), set.files.end(), [](const LocalFile& a, const LocalFile& b) { return a.name < b.name; });
  std::set<std::string> names;
  for (size_t i = 0; i < set.files.size(); ++i) {
    LocalFile& file = set.files[i];
    if (!names.insert(file.name).second) file.name = fmt::format("{}-{}", i, file.name);
    names.insert(file.name);
  }
  return set;
}

Result<std::string> FileDigest(const fs::path& path) {
  Result<UniqueFd> fd = OpenFile(path, O_RDONLY);
  if (!fd.ok()) return fd.error();
  Digest digest;
  std::string buffer(kDigestReadBytes, '\0');
  for (;;) {
    const ssize_t n = read(fd->get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoError("reading " + path.string(), errno);
    if (n == 0) return digest.Hex();
    digest.Append(std::string_view(buffer).substr(0, static_cast<size_t>(n)));
  }
}

Result<Upload> UploadFiles(ApiClient& client, const std::string& bucket, const SourceSet& set,
                           const std::function<void(uint64_t)>& progress) {
  Digest all;
  for (const LocalFile& file : set.files) {
    const Result<std::string> one = FileDigest(file.path);
    if (!one.ok()) return one.error();
    all.Append(fmt::format("{} {}\n", *one, file.name));
  }
  if (const Status bucket_there = client.EnsureBucket(bucket); !bucket_there.ok()) return bucket_there.error();
  const std::string prefix = fmt::format("argosy-uploads/{}/", all.Hex().substr(0, kDigestDigits));
  Upload upload{fmt::format("s3://{}/{}", bucket, prefix), 0};
  uint64_t done = 0;
  for (const LocalFile& file : set.files) {
    const std::string key = prefix + file.name;
    const Result<std::optional<uint64_t>> there = client.ObjectSize(bucket, key);
    if (!there.ok()) return there.error();
    if (*there != file.size) {
      const Status sent = client.PutFile(bucket, key, file.path, [&](uint64_t bytes) { progress(done + bytes); });
      if (!sent.ok()) return sent.error().Wrap("uploading " + file.path.string());
      upload.bytes_sent += file.size;
    }
    done += file.size;
    progress(done);
  }
  return upload;
}

Result<bool> IsThere(ApiClient& client, std::string_view s3_uri) {
  if (s3_uri.empty()) return false;
  const Result<S3Location> where = ParseS3Location(s3_uri);
  if (!where.ok()) return where.error();
  const Result<std::optional<uint64_t>> size = client.ObjectSize(where->bucket, where->key);
  if (!size.ok()) return size.error();
  return size->has_value();
}

Result<Downloads> Downloads::Of(ApiClient& client, std::string_view s3_uri) {
  const Result<S3Location> where = ParseS3Location(s3_uri);
  if (!where.ok()) return where.error();
  const Result<std::vector<ListedObject>> objects = client.ListObjects(where->bucket, where->key);
  if (!objects.ok()) return objects.error();
  if (objects->empty()) {
    return Error(ErrorCode::kNotFound, fmt::format("there is no object with any content under {}", s3_uri));
  }
  Downloads downloads;
  downloads.directory_ = (fs::temp_directory_path() / "argosy-download-XXXXXX").string();
  if (mkdtemp(downloads.directory_.data()) == nullptr) {
    downloads.directory_.clear();
    return ErrnoError("making a temporary directory", errno);
  }
  for (const ListedObject& object : *objects) {
    const fs::path file = fs::path(downloads.directory_) / fmt::format("{:04}", downloads.files_.size());
    if (Status got = client.GetFile(where->bucket, object, file); !got.ok()) return got.error();
    downloads.files_.push_back(file);
  }
  return downloads;
}

Downloads::~Downloads() {
  if (!directory_.empty()) (void)RemoveTree(directory_);
}

std::string MakeName(std::string_view stem, std::string_view suffix) {
  constexpr size_t kNameMax = 63;
  const size_t room = kNameMax - (suffix.empty() ? 0 : suffix.size() + 1);
  std::string name;
  for (const char c : stem) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (plain) name.push_back(c);
    if (!plain && !name.empty() && name.back() != '-') name.push_back('-');
  }
  name.resize(std::min(name.size(), room));
  while (!name.empty() && name.back() == '-') name.pop_back();
  if (name.empty()) name = "model";
  return suffix.empty() ? name : name + "-" + std::string(suffix);
}

std::string TimeSuffix(Time now) {
  const std::string iso = FormatIso8601(now);  // 2024-05-01T12:34:56.789Z
  std::string out;
  for (const char c : iso) {
    if (c == 'T' || c == '.') out.push_back('-');
    if (std::isdigit(static_cast<unsigned char>(c)) != 0) out.push_back(c);
  }
  return out;
}

bool IsNameOf(std::string_view stem, std::string_view name) {
  constexpr std::string_view kForm = "-00000000-000000-000";
  if (!name.starts_with(stem) || name.size() != stem.size() + kForm.size()) return false;
  return std::equal(kForm.begin(), kForm.end(), name.begin() + static_cast<std::ptrdiff_t>(stem.size()),
                    [](char form, char c) { return form == '0' ? c >= '0' && c <= '9' : c == form; });
}

}  // namespace argosy::main
