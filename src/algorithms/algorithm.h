// Built-in learners: what an agent asks for by image name, trains, and loads.
//
// An Algorithm is a stateless description; Train and Load may run on any thread, several at once. Inside, each is a
// state of fixed size with update(batch), merge, finalize, save and load (see algorithms/state.h), run over a fixed
// number of virtual shards: the artifact's bytes depend on data, hyperparameters and seed, not on the number of
// threads.
//
// Errors: kInvalidArgument is the user's doing (hyperparameters, data) and says so in SageMaker's words where it has
// any; kCancelled means the observer asked to stop before a model existed; all else is the algorithm's or the machine's
// fault.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "collective/group.h"
#include "data/input_file.h"
#include "model/predictor.h"

namespace argosy::algorithms {

using Hyperparameters = std::map<std::string, std::string>;  // as they arrive: all strings

struct Channel {
  std::string name;                    // train, validation, test
  std::string content_type;            // may carry parameters: text/csv;label_size=0; empty means text/csv
  std::string compression;             // "" or None, Gzip; gzip is also known by its first two bytes
  std::vector<data::InputFile> files;  // in the order they are read
  bool own = false;                    // of several hosts each has files of its own; else all have the same
};

struct TrainingRequest {
  Hyperparameters hyperparameters;
  std::vector<Channel> channels;
  std::filesystem::path model_dir;  // exists; gets the artifact's files
  // Holds parsed rows that do not fit in memory, in files without a name; empty: the system's temporary directory.
  std::filesystem::path scratch_dir;
  unsigned threads = 1;
  uint64_t memory_bytes = 0;  // what the instance may use; 0: not limited
  uint64_t seed = 0;          // of all that is random in the training
  // Where states are saved on the way, and an interrupted training finds them (algorithms/checkpoints.h); empty: none.
  std::filesystem::path checkpoint_dir;
  // An artifact's directory that the training goes on from (SageMaker's channel `model`); empty: none.
  std::filesystem::path initial_model;
  // Who train together. The request is the same on all hosts but for files of their own and directories; the model of
  // the head is the one to keep, and only the head is given a directory for checkpoints.
  collective::Group* group = &collective::Alone();
};

// Told of a training while it runs, on the thread that called Train and in the order of events.
class TrainingObserver {
 public:
  virtual ~TrainingObserver() = default;
  virtual void OnLogLine(std::string_view line) = 0;  // without its newline
  // As published in FinalMetricDataList: train:objective_loss, validation:binary_classification_accuracy, …
  virtual void OnMetric(std::string_view name, double value) = 0;
  // `fraction` of the whole training, 0 to 1, never less than before; `rows` read so far over all epochs.
  virtual void OnProgress(double fraction, uint64_t rows) = 0;
  // A file of the checkpoint directory has been replaced.
  virtual void OnCheckpoint(const std::filesystem::path& file) { (void)file; }
  // All hosts of the training have agreed to stop, since one of them is to: what follows is as if StopRequested were
  // true.
  virtual void OnStopAgreed() {}
  // Asked at least a few times a second, from any thread. Once true, the model as it stands is finished and written;
  // Train returns kCancelled when there is none yet.
  virtual bool StopRequested() const = 0;
};

// A metric that a training reports, and how its values stand in the log: what SageMaker calls a metric definition.
// Group 1 of `regex` (ECMAScript) is the value.
struct LoggedMetric {
  std::string name;  // train:objective_loss
  std::string regex;
};

class Algorithm {
 public:
  virtual ~Algorithm() = default;
  virtual std::string_view name() const = 0;             // the image's repository name: linear-learner
  virtual std::string_view artifact_format() const = 0;  // `format` of its artifacts' model.json
  virtual Status Validate(const Hyperparameters& hyperparameters) const = 0;
  // What a training with these reports, in all channels it may be given; none when they are not valid.
  virtual std::vector<LoggedMetric> Metrics(const Hyperparameters& hyperparameters) const = 0;
  // Writes the artifact's files into model_dir. Nothing is written on an error.
  virtual Status Train(const TrainingRequest& request, TrainingObserver& observer) const = 0;
  // Takes nothing on trust: torn or hostile files are kCorrupt.
  virtual Result<std::unique_ptr<model::Predictor>> Load(const std::filesystem::path& model_dir) const = 0;
  // The hyperparameter reference as Markdown, rendered from the declarations.
  virtual std::string HyperparameterTable() const = 0;
};

// By an image's repository name: "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1" and plain
// "linear-learner" are the same; account, region, tag and digest do not count. Null when there is none.
const Algorithm* FindAlgorithm(std::string_view image_uri);

std::vector<const Algorithm*> AllAlgorithms();

// Whose artifact lies in a directory. kCorrupt when it is nobody's.
Result<const Algorithm*> FindAlgorithmOfArtifact(const std::filesystem::path& directory);

}  // namespace argosy::algorithms
