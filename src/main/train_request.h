// From the words of `argosy train` to a CreateTrainingJob request. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "algorithms/algorithm.h"
#include "base/json.h"
#include "base/result.h"
#include "main/verbs.h"

namespace argosy::main {

// --set, --label, --positive, --negative and --type as hyperparameters. kInvalidArgument for a --set without '=' and
// for one thing said twice.
Result<algorithms::Hyperparameters> GivenHyperparameters(const TrainArgs& args);

struct TrainingRequestParts {
  std::string name;
  algorithms::Hyperparameters hyperparameters;
  std::vector<std::pair<std::string, std::string>> channels;  // name, s3:// prefix
  std::string output;                                         // s3:// prefix
  std::string checkpoints;                                    // s3:// prefix
  std::string content_type = "text/csv";                      // of the channels, unless the user has said it
};

Json TrainingRequest(const TrainArgs& args, const TrainingRequestParts& parts, std::string_view region);

// What a job on these sources is called: the first file's, folder's or prefix's last part without its ending.
std::string JobStem(const std::vector<std::string>& sources);

}  // namespace argosy::main
