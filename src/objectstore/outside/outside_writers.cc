#include "objectstore/outside/outside_writers.h"

#include <utility>

namespace argosy::objectstore {

OutsidePutWriter::OutsidePutWriter(PartsSender::World world, std::string key, PutOptions options,
                                   std::shared_ptr<SpoolFile> spool, AtCommit commit)
    : world_(world),
      key_(std::move(key)),
      options_(std::move(options)),
      spool_(std::move(spool)),
      commit_(std::move(commit)) {}

bool OutsidePutWriter::MayGoInParts() const {
  return !options_.checksum_algorithm || CanCombine(*options_.checksum_algorithm);
}

Status OutsidePutWriter::Append(std::string_view piece) {
  const uint64_t size = spool_->size() + piece.size();
  if (sender_ == nullptr && size > kOnePutBytesMax && MayGoInParts()) {
    Result<std::unique_ptr<PartsSender>> begun = PartsSender::Begin(world_, key_,
                                                                    {.attributes = options_.attributes,
                                                                     .tags = options_.tags,
                                                                     .checksum_algorithm = options_.checksum_algorithm,
                                                                     .checksum_type = ChecksumType::kFullObject});
    if (!begun.ok()) return begun.error();
    sender_ = std::move(*begun);
  }
  if (Status appended = spool_->Append(piece); !appended.ok()) return appended;
  if (sender_ == nullptr || options_.md5_asked) md5_.Update(piece);
  while (sender_ != nullptr && size - sent_ >= kPartBytes) {
    if (Status sent = SendPart(sent_ + kPartBytes); !sent.ok()) return sent;
  }
  return {};
}

Status OutsidePutWriter::SendPart(uint64_t end) {
  const uint64_t offset = std::exchange(sent_, end);
  const uint64_t length = end - offset;
  return sender_->Send(spool_->path(), offset, length,
                       [spool = spool_, offset, length] { spool->Drop(offset, length); });
}

std::string OutsidePutWriter::Md5() const {
  Check(sender_ == nullptr || options_.md5_asked, "the MD5 of an object that went in parts was not asked for");
  return md5_.Digest();
}

void OutsidePutWriter::SetChecksum(Checksum checksum) {
  Check(options_.checksum_algorithm == checksum.algorithm, "another checksum than was announced");
  checksum_ = std::move(checksum);
}

Result<ObjectInfo> OutsidePutWriter::Commit() {
  if (sender_ == nullptr) {
    const Outgoing object{.key = key_,
                          .file = spool_->path(),
                          .size = spool_->size(),
                          .md5 = md5_.Digest(),
                          .attributes = options_.attributes,
                          .tags = options_.tags,
                          .checksum = checksum_,
                          .precondition = options_.precondition};
    return commit_([&] { return PutWhole(*world_.client, object); });
  }
  Status sent = spool_->size() > sent_ ? SendPart(spool_->size()) : Status();
  if (sent.ok()) sent = sender_->AwaitAll();
  if (!sent.ok()) return sent.error();
  return commit_([&] { return sender_->Complete(options_.precondition, checksum_); });
}

Status OutsidePartWriter::Append(std::string_view piece) {
  md5_.Update(piece);
  return spool_->Append(piece);
}

Result<ObjectInfo> OutsidePartWriter::Commit() {
  Result<PartInfo> put =
      commit_({.number = number_, .size = spool_->size(), .checksum = std::move(checksum_)}, spool_->path(), Md5());
  if (!put.ok()) return put.error();
  ObjectInfo info;
  info.size = put->size;
  info.etag = put->etag;
  info.last_modified = put->last_modified;
  info.checksum = std::move(put->checksum);
  return info;
}

}  // namespace argosy::objectstore
