// Publishes an attempt's files by making them objects of the store: the Publisher of the running program.
#pragma once

#include "base/scheduler.h"
#include "base/thread_pool.h"
#include "control/publisher.h"
#include "objectstore/object_store.h"

namespace argosy::main {

class ObjectPublisher final : public control::Publisher {
 public:
  // All outlive the publisher and what it has under way. `control` is the control thread.
  ObjectPublisher(objectstore::ObjectStore* store, ThreadPool* pool, Scheduler* control)
      : store_(store), pool_(pool), control_(control) {}

  void Publish(control::PublishRequest request, Callback<void> done) override;

 private:
  objectstore::ObjectStore* const store_;
  ThreadPool* const pool_;
  Scheduler* const control_;
};

}  // namespace argosy::main
