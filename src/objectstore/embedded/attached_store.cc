#include <fcntl.h>

#include <utility>

#include "objectstore/embedded/embedded_store.h"
#include "objectstore/embedded/file_reader.h"
#include "objectstore/embedded/layout.h"

namespace argosy::objectstore {
namespace {

// Another process's view: what it finds is taken from the files, nothing is written.
class Attached final : public ObjectReader {
 public:
  Attached(UniqueFd root, const std::filesystem::path& dir)
      : root_(std::move(root)), index_(dir / kIndexName), reader_(root_.get(), dir / kBucketsName, &index_) {}

  Status HeadBucket(std::string_view bucket) override { return reader_.HeadBucket(bucket); }
  Result<ObjectInfo> Head(std::string_view bucket, std::string_view key) override {
    Result<OpenObject> object = Open(bucket, key);
    if (!object.ok()) return object.error();
    return std::move(object->info);
  }
  Result<OpenObject> Open(std::string_view bucket, std::string_view key) override {
    Result<Found> found = reader_.Look(bucket, key);
    return found.ok() ? reader_.Open(std::move(*found), bucket, key) : Result<OpenObject>(found.error());
  }
  Result<ListPage> List(const ListRequest& request) override { return reader_.List(request); }
  Result<std::filesystem::path> LocalPath(std::string_view bucket, std::string_view key) override {
    return reader_.LocalPath(bucket, key);
  }

 private:
  const UniqueFd root_;
  IndexReader index_;
  const FileReader reader_;
};

}  // namespace

Result<std::unique_ptr<ObjectReader>> EmbeddedStore::Attach(const std::filesystem::path& given) {
  const std::filesystem::path dir = std::filesystem::absolute(given);
  Result<UniqueFd> root = OpenFile(dir / kBucketsName, O_RDONLY | O_DIRECTORY);
  if (!root.ok()) return root.error();
  return std::unique_ptr<ObjectReader>(std::make_unique<Attached>(std::move(*root), dir));
}

}  // namespace argosy::objectstore
