#include "objectstore/outside/parts_sender.h"

#include <fcntl.h>

#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

#include "base/files.h"
#include "objectstore/outside/object_transfer.h"

namespace argosy::objectstore {

// Held by the sender and by each part under way.
struct PartsSender::Shared {
  World world;
  std::string key;
  std::string upload_id;
  UploadOptions options;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<PartInfo> parts;  // by number; guarded by mutex, as all below
  size_t under_way = 0;
  Status failure;
  bool given_up = false;

  Result<PartInfo> Put(PartInfo part, const std::filesystem::path& file, uint64_t offset) const {
    Result<UniqueFd> fd = OpenFile(file, O_RDONLY);
    if (!fd.ok()) return fd.error();
    const Result<PieceDigests> digests = HashPiece(fd->get(), offset, part.size, options.checksum_algorithm);
    if (!digests.ok()) return digests.error();
    if (options.checksum_algorithm) {
      part.checksum = Checksum{*options.checksum_algorithm, ChecksumType::kFullObject, digests->checksum};
    }
    return PutPart(*world.client, key, upload_id, part, {.path = file, .offset = offset, .length = part.size},
                   digests->md5);
  }

  void Take(size_t index, Result<PartInfo> put) {
    std::unique_lock lock(mutex);
    if (put.ok()) {
      parts[index] = std::move(*put);
    } else if (failure.ok()) {
      failure = put.error();
    }
    --under_way;
    changed.notify_all();
    if (!given_up || under_way > 0) return;
    lock.unlock();
    world.unfinished->Abort(key, upload_id);
  }
};

Result<std::unique_ptr<PartsSender>> PartsSender::Begin(World world, const std::string& key, UploadOptions options) {
  Result<std::string> id = CreateUploadOutside(*world.client, key, options);
  if (!id.ok()) return id.error();
  auto shared = std::make_shared<Shared>();
  shared->world = world;
  shared->key = key;
  shared->upload_id = std::move(*id);
  shared->options = std::move(options);
  std::unique_ptr<PartsSender> sender(new PartsSender(shared));
  if (Status noted = world.unfinished->Note(key, shared->upload_id); !noted.ok()) return noted.error();
  return sender;
}

PartsSender::~PartsSender() {
  std::unique_lock lock(shared_->mutex);
  if (std::exchange(shared_->given_up, true) || shared_->under_way > 0) return;
  lock.unlock();
  const auto abort = [shared = shared_] { shared->world.unfinished->Abort(shared->key, shared->upload_id); };
  if (!shared_->world.pool->Submit(abort).ok()) abort();
}

Status PartsSender::Send(const std::filesystem::path& file, uint64_t offset, uint64_t length,
                         std::function<void()> sent) {
  PartInfo part{.size = length};
  {
    std::unique_lock lock(shared_->mutex);
    shared_->changed.wait(lock, [this] { return shared_->under_way < kPartsAtOnce; });
    if (!shared_->failure.ok()) return shared_->failure;
    shared_->parts.emplace_back();
    part.number = static_cast<int>(shared_->parts.size());
    ++shared_->under_way;
  }
  const auto work = [shared = shared_, part, file, offset, sent = std::move(sent)] {
    Result<PartInfo> put = shared->Put(part, file, offset);
    if (put.ok() && sent) sent();
    shared->Take(static_cast<size_t>(part.number) - 1, std::move(put));
  };
  if (!shared_->world.pool->Submit(work).ok()) work();  // a busy pool only makes it slower
  return {};
}

Status PartsSender::AwaitAll() {
  std::unique_lock lock(shared_->mutex);
  shared_->changed.wait(lock, [this] { return shared_->under_way == 0; });
  return shared_->failure;
}

Result<ObjectInfo> PartsSender::Complete(const Precondition& precondition, const std::optional<Checksum>& whole) {
  Result<ObjectInfo> made = CompleteUploadOutside(*shared_->world.client, shared_->key, shared_->upload_id,
                                                  shared_->parts, precondition, whole);
  if (!made.ok()) return made;
  shared_->world.unfinished->Forget(shared_->upload_id);
  const std::lock_guard lock(shared_->mutex);
  shared_->given_up = true;  // there is nothing to abort any more
  made->size = 0;
  for (const PartInfo& part : shared_->parts) made->size += part.size;
  made->attributes = shared_->options.attributes;
  made->tags = shared_->options.tags;
  made->checksum = whole;
  return made;
}

}  // namespace argosy::objectstore
