// Making an attempt's results visible. Idempotent: publishing the same files again changes nothing.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "control/jobs_planner.h"

namespace argosy::control {

struct PublishRequest {
  std::string owner_uid;
  uint32_t attempt = 0;
  std::vector<PublishedFile> files;
};

class Publisher {
 public:
  virtual ~Publisher() = default;

  // All files are durable and visible when `done` is told so; it is called on the control thread. kNotFound: the bucket
  // is not there. kInvalidArgument: not an S3 URI. Others may pass.
  virtual void Publish(PublishRequest request, Callback<void> done) = 0;
};

}  // namespace argosy::control
