// Hyperparameters of the linear learner guessed from a file, for people who only have the file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "algorithms/algorithm.h"
#include "base/result.h"

namespace argosy::algorithms {

struct GuessOptions {
  Hyperparameters given;  // what the user has set: never overridden, and used in guessing the rest (argosy_label, …)
};

struct Guess {
  Hyperparameters hyperparameters;     // only what was guessed; merge with the given ones
  std::vector<std::string> sentences;  // what was guessed and why, one sentence each
};

// Looks at the rows of `file` (CSV, may be gzip) up to a fixed amount of text. kInvalidArgument when nothing sensible
// can be made of it.
Result<Guess> InferHyperparameters(const std::filesystem::path& file, const GuessOptions& options);

}  // namespace argosy::algorithms
