// Manifests of a stranger, as bytes and as lists of the names in them: the objects are found or refused, and each lies
// in the channel's own directory.
#include <sys/mman.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "agent/channels.h"
#include "agent/scoped_objects.h"
#include "base/files.h"
#include "base/json.h"

namespace {

using namespace argosy;

// The manifest, and under every other key a file.
class OneManifest final : public objectstore::ObjectReader {
 public:
  explicit OneManifest(std::string_view manifest)
      : size_(manifest.size()), file_(std::make_shared<UniqueFd>(memfd_create("manifest", MFD_CLOEXEC))) {
    Check(WriteAll(file_->get(), manifest).ok());
  }
  Status HeadBucket(std::string_view) override { return {}; }
  Result<objectstore::ObjectInfo> Head(std::string_view, std::string_view key) override {
    objectstore::ObjectInfo info;
    info.key = key;
    info.size = size_;
    return info;
  }
  Result<objectstore::OpenObject> Open(std::string_view bucket, std::string_view key) override {
    return objectstore::OpenObject{file_, *Head(bucket, key), nullptr};
  }
  Result<objectstore::ListPage> List(const objectstore::ListRequest&) override { return objectstore::ListPage{}; }
  Result<std::filesystem::path> LocalPath(std::string_view, std::string_view) override {
    return std::filesystem::path("/dev/null");
  }

 private:
  const size_t size_;
  const std::shared_ptr<UniqueFd> file_;
};

// The first line is what all names begin with.
std::string ManifestOf(std::string_view lines) {
  Json manifest = Json::array();
  while (!lines.empty()) {
    const size_t end = std::min(lines.find('\n'), lines.size());
    const std::string line(lines.substr(0, end));
    manifest.push_back(manifest.empty() ? Json{{"prefix", "s3://bucket/" + line}} : Json(line));
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return DumpJson(manifest);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::filesystem::path root = [] {
    char name[] = "/tmp/argosy-fuzz-XXXXXX";
    Check(mkdtemp(name) != nullptr);
    return std::filesystem::path(name);
  }();
  const std::filesystem::path inputs = root / "data";
  std::filesystem::remove_all(inputs);
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string manifest = data[0] % 2 == 0 ? ManifestOf(bytes) : std::string(bytes);
  const std::vector<catalog::ChannelSpec> channels = {
      {.name = "train", .s3_data_type = "ManifestFile", .s3_uri = "s3://bucket/manifest"}};
  agent::ScopedObjects objects(std::make_unique<OneManifest>(manifest),
                               {{"bucket", "manifest", auth::DataGrant::Use::kRead}});
  objects.AdmitManifests(channels);
  const auto prepared = agent::PrepareChannels(channels, {}, inputs, objects);
  if (!prepared) {
    Check(!prepared.error().message().empty());
    return 0;
  }
  Check(prepared->size() == 1 && !prepared->front().files.empty());
  for (const auto& file : prepared->front().files) {
    const std::filesystem::path place = file.path.lexically_relative(inputs / "train");
    Check(!place.empty() && *place.begin() != "..", "an object lies outside its channel");
  }
  return 0;
}
