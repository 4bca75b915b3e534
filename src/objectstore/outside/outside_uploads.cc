#include "objectstore/outside/outside_uploads.h"

#include <algorithm>

#include "base/bytes.h"
#include "objectstore/outside/object_transfer.h"
#include "objectstore/outside/s3_xml.h"

namespace argosy::objectstore {

Result<std::string> OutsideUploads::Create(std::string_view bucket, std::string_view key, UploadOptions options,
                                           Time now) {
  const std::string outside = ObjectKey(client_->location(), bucket, key);
  Result<std::string> id = CreateUploadOutside(*client_, outside, options);
  if (!id.ok()) return id;
  const Status written = records_.Write(
      bucket, {.key = std::string(key), .upload_id = *id, .initiated = now, .options = std::move(options)});
  if (written.ok()) return id;
  (void)AbortUploadOutside(*client_, outside, *id);  // nobody knows of it; it costs the outside nothing yet
  return written.error();
}

Result<std::vector<PartInfo>> OutsideUploads::ListParts(std::string_view bucket, std::string_view key,
                                                        std::string_view upload_id) {
  std::vector<PartInfo> out;
  S3Request request;
  request.key = ObjectKey(client_->location(), bucket, key);
  request.query = {{"uploadId", std::string(upload_id)}};
  for (;;) {
    const Result<http::ClientResponse> answer = client_->Send(request);
    if (!answer.ok()) return answer.error();
    Result<PartsPage> page = ParseParts(answer->body);
    if (!page.ok()) return page.error();
    std::ranges::move(page->parts, std::back_inserter(out));
    if (page->next.empty()) return out;
    if (out.size() > kPartNumberMax)
      return Error(ErrorCode::kCorrupt, "the outside lists more parts than there can be");
    request.query["part-number-marker"] = page->next;
  }
}

Result<std::vector<PartInfo>> OutsideUploads::Choose(std::string_view bucket, std::string_view key,
                                                     std::string_view upload_id,
                                                     const std::vector<CompletedPart>& parts) {
  const Result<std::vector<PartInfo>> present = ListParts(bucket, key, upload_id);
  if (!present.ok()) return present.error();
  std::vector<PartInfo> chosen;
  for (const CompletedPart& part : parts) {
    if (!chosen.empty() && part.number <= chosen.back().number) return Invalid("the parts are not in rising order");
    const auto at = std::ranges::lower_bound(*present, part.number, {}, &PartInfo::number);
    if (at == present->end() || at->number != part.number || !EqualsIgnoreCase(at->etag, part.etag)) {
      return Invalid("part " + std::to_string(part.number) + " has not been uploaded with the ETag " + part.etag);
    }
    chosen.push_back(*at);
  }
  return chosen;
}

Status OutsideUploads::Abort(std::string_view bucket, std::string_view key, std::string_view upload_id) {
  const Result<UploadInfo> upload = Find(bucket, key, upload_id);
  if (!upload.ok()) return upload.error();
  const Status aborted =
      AbortUploadOutside(*client_, ObjectKey(client_->location(), bucket, key), std::string(upload_id));
  return aborted.ok() ? records_.Remove(bucket, upload_id) : aborted;
}

Status OutsideUploads::AbortAllOf(std::string_view bucket) {
  const Result<std::vector<UploadInfo>> uploads = List(bucket);
  if (!uploads.ok()) return uploads.error();
  for (const UploadInfo& upload : *uploads) {
    Status gone = AbortUploadOutside(*client_, ObjectKey(client_->location(), bucket, upload.key), upload.upload_id);
    if (gone.ok()) gone = records_.Remove(bucket, upload.upload_id);
    if (!gone.ok()) return gone;
  }
  return {};
}

Result<size_t> OutsideUploads::Expire(
    Time before, const std::function<Status(const std::string& bucket, const UploadInfo& upload)>& abort) {
  const Result<std::vector<UploadRecords::Old>> old = records_.ListOld(before);
  if (!old.ok()) return old.error();
  size_t expired = 0;
  for (const auto& [bucket, upload] : *old) {
    const Result<std::vector<PartInfo>> parts = ListParts(bucket, upload.key, upload.upload_id);
    if (!parts.ok() && parts.error().code() != ErrorCode::kNotFound) return parts.error();
    const bool goes_on =
        parts.ok() && std::ranges::any_of(*parts, [&](const PartInfo& part) { return part.last_modified >= before; });
    if (goes_on) continue;
    const Status aborted = abort(bucket, upload);
    if (!aborted.ok() && aborted.error().code() != ErrorCode::kNotFound) return aborted.error();
    ++expired;
  }
  return expired;
}

}  // namespace argosy::objectstore
