#include "serving/capture_writer.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/log.h"

namespace argosy::serving {
namespace {

// destination/endpoint/variant/yyyy/mm/dd/hh/mm-ss-mmm-uuid.jsonl, below the bucket.
std::string KeyOf(const std::string& prefix, const VariantName& name, Time first, const std::string& uuid) {
  const auto millis = std::chrono::floor<std::chrono::milliseconds>(first);
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(first).time_since_epoch().count();
  const std::string path = fmt::format("{}/{}/{:%Y/%m/%d/%H/%M-%S}-{:03}-{}.jsonl", name.endpoint, name.variant,
                                       fmt::gmtime(seconds), millis.time_since_epoch().count() % 1000, uuid);
  return prefix.empty() ? path : prefix + "/" + path;
}

}  // namespace

CaptureWriter::CaptureWriter(objectstore::ObjectStore* store, const Clock* clock, Random* random)
    : store_(store), clock_(clock), random_(random), thread_([this] { Work(); }) {}

CaptureWriter::~CaptureWriter() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void CaptureWriter::Take(CapturedRequest request) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_bytes_ + request.bytes() > kCaptureBytesWaiting) {
      ++lost_.too_fast;
      return;
    }
    waiting_bytes_ += request.bytes();
    waiting_.push_back(std::move(request));
    if (waiting_.size() > 1) return;
  }
  wake_.notify_one();
}

CaptureWriter::Lost CaptureWriter::lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

void CaptureWriter::Work() {
  uint64_t told = 0;
  for (;;) {
    std::deque<CapturedRequest> taken;
    bool stopping = false;
    uint64_t too_fast = 0;
    {
      std::unique_lock lock(mutex_);
      const auto ready = [&] { return stopping_ || !waiting_.empty(); };
      if (files_.empty()) {
        wake_.wait(lock, ready);
      } else {
        wake_.wait_for(lock, kCaptureAge / 10, ready);
      }
      taken.swap(waiting_);
      waiting_bytes_ = 0;
      stopping = stopping_;
      too_fast = lost_.too_fast;
    }
    const Duration now = clock_->Monotonic();
    for (const CapturedRequest& request : taken) Add(request, now);
    for (auto it = files_.begin(); it != files_.end();) {
      const bool due = stopping || now - it->second.begun >= kCaptureAge;
      if (due) Write(it->second);
      it = due ? files_.erase(it) : std::next(it);
    }
    if (too_fast > told) {
      Log(LogLevel::kWarning, "captured requests were lost: they came faster than they could be written",
          {{"lost", std::to_string(too_fast - told)}});
      told = too_fast;
    }
    if (stopping) return;
  }
}

void CaptureWriter::Add(const CapturedRequest& request, Duration now) {
  File& file = files_[{request.plan->destination, request.name}];
  if (file.requests == 0) file = {request.plan->destination, request.name, now, request.at, "", 0};
  file.lines += CaptureLine(request, NewUuid(*random_));
  ++file.requests;
  if (file.lines.size() >= kCaptureFileBytes) Write(file);
}

void CaptureWriter::Write(File& file) {
  if (file.requests == 0) return;
  if (const Status put = Put(file); !put.ok()) {
    Log(LogLevel::kError, "captured requests could not be written and are lost",
        {{"endpoint", file.name.endpoint},
         {"destination", file.destination},
         {"requests", std::to_string(file.requests)},
         {"error", put.error().message()}});
    const std::lock_guard lock(mutex_);
    lost_.not_written += file.requests;
  }
  file.lines.clear();
  file.requests = 0;
}

Status CaptureWriter::Put(const File& file) {
  const Result<objectstore::S3Uri> uri = objectstore::ParseS3Uri(file.destination);
  if (!uri.ok()) return uri.error();
  objectstore::PutOptions options;
  options.attributes.content_type = "application/jsonlines";
  Result<std::unique_ptr<objectstore::ObjectWriter>> writer =
      store_->StartPut(uri->bucket, KeyOf(uri->key, file.name, file.first, NewUuid(*random_)), std::move(options));
  if (!writer.ok()) return writer.error();
  if (Status appended = (*writer)->Append(file.lines); !appended.ok()) return appended;
  const Result<objectstore::ObjectInfo> done = (*writer)->Commit();
  return done.ok() ? Status() : done.error();
}

}  // namespace argosy::serving
