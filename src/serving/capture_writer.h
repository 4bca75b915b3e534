// Writes captured requests as objects: files of JSON lines under destination/endpoint/variant/yyyy/mm/dd/hh/.
//
// A thread of its own. What waits to be written is bounded; beyond it requests are lost, and so are those
// of a file that cannot be written; each is counted and logged as what it is.
// At most kCaptureAge of what was captured is lost when the server is killed; one that ends in order loses nothing.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "base/random.h"
#include "objectstore/object_store.h"
#include "serving/capture.h"

namespace argosy::serving {

inline constexpr size_t kCaptureBytesWaiting = 32 << 20;
inline constexpr size_t kCaptureFileBytes = 4 << 20;               // a file is closed when it is so large
inline constexpr Duration kCaptureAge = std::chrono::seconds(10);  // or its first line so old

class CaptureWriter final : public CaptureSink {
 public:
  // All outlive the writer.
  CaptureWriter(objectstore::ObjectStore* store, const Clock* clock, Random* random);
  ~CaptureWriter() override;

  void Take(CapturedRequest request) override;

  // Requests, since the start.
  struct Lost {
    uint64_t too_fast = 0;     // there was no room to wait
    uint64_t not_written = 0;  // the store refused the file
  };
  Lost lost() const;

 private:
  struct File {
    std::string destination;
    VariantName name;
    Duration begun{};
    Time first{};
    std::string lines;
    uint64_t requests = 0;
  };
  using FileKey = std::pair<std::string, VariantName>;

  void Work();
  void Add(const CapturedRequest& request, Duration now);
  // What cannot be written is lost.
  void Write(File& file);
  Status Put(const File& file);

  objectstore::ObjectStore* const store_;
  const Clock* const clock_;
  Random* const random_;
  std::map<FileKey, File> files_;  // of the thread

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<CapturedRequest> waiting_;  // guarded by mutex_
  size_t waiting_bytes_ = 0;             // guarded by mutex_
  Lost lost_;                            // guarded by mutex_
  bool stopping_ = false;                // guarded by mutex_
  std::thread thread_;
};

}  // namespace argosy::serving
