// States that a training saves on its way, and where an interrupted one begins again.
//
// A checkpoint is one file, `checkpoint`, in the request's directory (a container's /opt/ml/checkpoints): replaced as a
// whole, checksummed, and marked with what it belongs to. What is trained does not depend on when, or whether, one is
// saved: states are saved only where all threads have met. Format: docs/formats/checkpoint.md.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "algorithms/algorithm.h"
#include "base/clock.h"
#include "base/state_bytes.h"

namespace argosy::algorithms {

inline constexpr const char* kCheckpointFile = "checkpoint";

// What is whole by its checksum and yet nothing that this training saves: kCorrupt.
Error UnfitCheckpoint();

class Checkpoints {
 public:
  // Both must outlive it. The interval is the hyperparameter argosy_checkpoint_seconds. `changeable`: names of
  // hyperparameters that a training may be continued with another value of.
  Checkpoints(std::string_view algorithm, const TrainingRequest& request, TrainingObserver& observer,
              std::initializer_list<std::string_view> changeable = {});

  // Hands `read` what an earlier attempt at this training saved, on all hosts what the head found. False when there is
  // nothing, or when what is there is damaged or belongs to other data or hyperparameters, which the log then says. To
  // be called once, before the first is saved. The bytes come from outside: `read` answers UnfitCheckpoint when sizes
  // or places in them are not such as this training has.
  Result<bool> Resume(const std::function<Status(StateReader&)>& read);

  // Whether the time for the next one has come. Saving takes at most a twentieth of the time; an interval of 0 is
  // always over.
  bool Due() const;
  // Saves what `write` puts there. A disk that is full or broken is said in the log and is no error: the training goes
  // on.
  void Save(const std::function<void(StateWriter&)>& write);

 private:
  bool enabled() const { return !request_.checkpoint_dir.empty(); }
  std::filesystem::path File() const { return request_.checkpoint_dir / kCheckpointFile; }

  // Nothing when there is none to go on from.
  Result<std::string> Find() const;

  const TrainingRequest& request_;
  TrainingObserver& observer_;
  const SystemClock clock_;
  uint64_t belongs_to_ = 0;  // a number of the algorithm, its hyperparameters and its data; from Resume on all hosts'
  Duration interval_{};
  Duration next_{};
};

}  // namespace argosy::algorithms
