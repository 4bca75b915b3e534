// Writes to a store outside: an object, sent in parts while it still comes when it is large, and a part of a client's
// upload.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "objectstore/checksum.h"
#include "objectstore/object_store.h"
#include "objectstore/outside/object_transfer.h"
#include "objectstore/outside/parts_sender.h"
#include "objectstore/outside/spool_file.h"

namespace argosy::objectstore {

class OutsidePutWriter final : public ObjectWriter {
 public:
  // Makes the object outside.
  using Make = std::function<Result<ObjectInfo>()>;
  // Runs `make` at the moment of the commit: nobody else writes the key, and the precondition holds here.
  using AtCommit = std::function<Result<ObjectInfo>(const Make& make)>;

  // `key` as it will lie outside.
  OutsidePutWriter(PartsSender::World world, std::string key, PutOptions options, std::shared_ptr<SpoolFile> spool,
                   AtCommit commit);

  Status Append(std::string_view piece) override;
  uint64_t size() const override { return spool_->size(); }
  std::string Md5() const override;
  void SetChecksum(Checksum checksum) override;
  Result<ObjectInfo> Commit() override;

 private:
  bool MayGoInParts() const;
  Status SendPart(uint64_t end);

  const PartsSender::World world_;
  const std::string key_;
  const PutOptions options_;
  const std::shared_ptr<SpoolFile> spool_;
  const AtCommit commit_;
  std::optional<Checksum> checksum_;
  Md5Hasher md5_;                        // of the whole; left off once parts are sent, unless it was asked for
  std::unique_ptr<PartsSender> sender_;  // once it is too large for one PUT
  uint64_t sent_ = 0;                    // where the next part begins
};

class OutsidePartWriter final : public ObjectWriter {
 public:
  using AtCommit = std::function<Result<PartInfo>(PartInfo part, const std::filesystem::path& file, std::string md5)>;
  OutsidePartWriter(int number, std::shared_ptr<SpoolFile> spool, AtCommit commit)
      : number_(number), spool_(std::move(spool)), commit_(std::move(commit)) {}

  Status Append(std::string_view piece) override;
  uint64_t size() const override { return spool_->size(); }
  std::string Md5() const override { return md5_.Digest(); }
  void SetChecksum(Checksum checksum) override { checksum_ = std::move(checksum); }
  Result<ObjectInfo> Commit() override;

 private:
  const int number_;
  const std::shared_ptr<SpoolFile> spool_;
  const AtCommit commit_;
  std::optional<Checksum> checksum_;
  Md5Hasher md5_;
};

}  // namespace argosy::objectstore
