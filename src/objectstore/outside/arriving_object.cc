#include "objectstore/outside/arriving_object.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/bytes.h"
#include "base/log.h"
#include "objectstore/checksum.h"
#include "objectstore/outside/object_transfer.h"

namespace argosy::objectstore {
namespace {

constexpr size_t kVerifyPiece = 1 << 20;

Status WriteAt(int fd, std::string_view bytes, uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t n = pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return ErrnoError("writing an object that is fetched", n < 0 ? errno : EIO);
    bytes.remove_prefix(static_cast<size_t>(n));
    offset += static_cast<uint64_t>(n);
  }
  return {};
}

}  // namespace

Status VerifyContent(int fd, const ObjectInfo& info) {
  std::unique_ptr<ChecksumHasher> checksum;
  if (info.checksum && info.checksum->type == ChecksumType::kFullObject) {
    checksum = NewChecksumHasher(info.checksum->algorithm);
  }
  std::optional<Md5Hasher> md5;
  if (!checksum && IsMd5Etag(info.etag)) md5.emplace();
  if (!checksum && !md5) return {};
  std::string buffer(static_cast<size_t>(std::min<uint64_t>(info.size, kVerifyPiece)), '\0');
  for (uint64_t at = 0; at < info.size;) {
    const ssize_t n = pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return ErrnoError("reading an object that was fetched", n < 0 ? errno : EIO);
    const std::string_view piece(buffer.data(), static_cast<size_t>(n));
    checksum ? checksum->Update(piece) : md5->Update(piece);
    at += piece.size();
  }
  const std::string found = checksum ? ToBase64(checksum->Finish()) : ToHex(md5->Digest());
  const std::string& expected = checksum ? info.checksum->value : info.etag;
  if (found == expected) return {};
  return Error(ErrorCode::kCorrupt, "the bytes that came for " + info.key + " have the " +
                                        (checksum ? std::string(ChecksumName(info.checksum->algorithm)) : "MD5") + " " +
                                        found + ", not " + expected);
}

ArrivingObject::ArrivingObject(World world, std::string key, ObjectInfo info, std::unique_ptr<PartialFile> partial)
    : world_(world),
      key_(std::move(key)),
      info_(std::move(info)),
      partial_(std::move(partial)),
      ranges_((info_.size + kRangeBytes - 1) / kRangeBytes),
      missing_(ranges_.size()) {
  Check(info_.size > 0, "an empty object has nothing to fetch");
}

bool ArrivingObject::failed() const {
  const std::lock_guard lock(mutex_);
  return !failure_.ok();
}

uint64_t ArrivingObject::Present(uint64_t offset, uint64_t length) const {
  uint64_t end = offset;
  while (end < offset + length) {
    const size_t range = end / kRangeBytes;
    const uint64_t arrived = BeginOf(range) + ranges_[range].arrived;
    if (arrived <= end) break;
    end = std::min(arrived, offset + length);
    if (ranges_[range].state != RangeState::kHere) break;
  }
  return end - offset;
}

void ArrivingObject::Order(uint64_t offset, uint64_t length) {
  const size_t first = offset / kRangeBytes;
  const size_t last = std::min<size_t>((offset + length - 1) / kRangeBytes, first + kRangesAhead - 1);
  for (size_t range = first; range <= last; ++range) {
    if (ranges_[range].state != RangeState::kAbsent) continue;
    const Status queued = world_.pool->Submit([self = shared_from_this(), range] { self->Bring(range); });
    if (!queued.ok()) {
      failure_ = queued;
      return;
    }
    ranges_[range].state = RangeState::kComing;
  }
}

Result<uint64_t> ArrivingObject::Await(uint64_t offset, uint64_t length, Task changed) {
  Check(length > 0 && offset + length <= info_.size, "a place outside of the object");
  const std::lock_guard lock(mutex_);
  const uint64_t present = Present(offset, length);
  if (present < length && failure_.ok()) Order(offset, length);
  if (present > 0) return present;
  if (!failure_.ok()) return failure_.error();
  waiting_.push_back(std::move(changed));
  return uint64_t{0};
}

Status ArrivingObject::Fetch(uint64_t offset, uint64_t length) {
  std::unique_lock lock(mutex_);
  while (length > 0) {
    const uint64_t present = Present(offset, length);
    offset += present;
    length -= present;
    if (length == 0) break;
    if (!failure_.ok()) return failure_;
    Order(offset, length);
    if (failure_.ok()) changed_.wait(lock);
  }
  return {};
}

Status ArrivingObject::FetchWhole() {
  if (Status fetched = Fetch(0, info_.size); !fetched.ok()) return fetched;
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return finished_; });
  return failure_;
}

Status ArrivingObject::BringOnce(size_t range) {
  const uint64_t begin = BeginOf(range);
  const uint64_t length = LengthOf(range);
  uint64_t got = 0;
  uint64_t told = 0;
  S3Request request;
  request.key = key_;
  request.headers = {{"range", "bytes=" + std::to_string(begin) + "-" + std::to_string(begin + length - 1)},
                     {"if-match", "\"" + info_.etag + "\""}};
  request.answer_bytes = length;
  request.on_attempt = [&] { got = 0; };
  const auto check_etag = [&](const http::ClientResponse& head) -> Status {
    const std::string etag = Unquoted(head.Header("etag"));
    if (etag == info_.etag) return {};
    return Error(ErrorCode::kCorrupt,
                 "a range of " + info_.key + " came with the ETag '" + etag + "', not " + info_.etag);
  };
  request.sink = [&](const http::ClientResponse& head, std::string_view piece) -> Status {
    if (Status same = check_etag(head); got == 0 && !same.ok()) return same;
    if (piece.size() > length - got) return Error(ErrorCode::kCorrupt, "more bytes came than were asked for");
    if (Status written = WriteAt(partial_->file()->get(), piece, begin + got); !written.ok()) return written;
    got += piece.size();
    if (got >= told + kToldBytes) Arrived(range, told = got);
    return {};
  };
  request.check = [&](const http::ClientResponse& response) -> Status {
    if (Status same = check_etag(response); !same.ok()) return same;
    if (got == length) return {};
    return Error(ErrorCode::kCorrupt,
                 "of " + std::to_string(length) + " bytes asked for " + std::to_string(got) + " came");
  };
  const Result<http::ClientResponse> answer = world_.client->Send(request);
  return answer.ok() ? Status() : answer.error();
}

void ArrivingObject::Arrived(size_t range, uint64_t bytes) {
  std::unique_lock lock(mutex_);
  ranges_[range].arrived = std::max(ranges_[range].arrived, bytes);
  Tell(std::move(lock));
}

void ArrivingObject::Bring(size_t range) {
  const Status brought = BringOnce(range);
  std::unique_lock lock(mutex_);
  bool whole = false;
  if (brought.ok()) {
    ranges_[range] = {RangeState::kHere, LengthOf(range)};
    whole = --missing_ == 0;
  } else {
    ranges_[range].state = RangeState::kAbsent;
    // A version that somebody else has replaced, or a store that is away.
    if (failure_.ok()) failure_ = brought.error().Wrap("fetching " + info_.key);
  }
  Tell(std::move(lock));
  if (whole) Finish();
}

void ArrivingObject::Finish() {
  Status kept = VerifyContent(partial_->file()->get(), info_);
  if (kept.ok()) kept = world_.cache->Keep(*partial_, ObjectCache::NameOf(key_, info_.etag, info_.size));
  if (!kept.ok()) {
    Log(LogLevel::kError, "a fetched object cannot be kept", {{"key", key_}, {"error", kept.error().message()}});
  }
  std::unique_lock lock(mutex_);
  finished_ = true;
  if (!kept.ok() && failure_.ok()) failure_ = kept;
  Tell(std::move(lock));
}

void ArrivingObject::Tell(std::unique_lock<std::mutex> lock) {
  std::vector<Task> waiting = std::exchange(waiting_, {});
  lock.unlock();
  changed_.notify_all();
  for (const Task& task : waiting) task();
}

}  // namespace argosy::objectstore
