// Hyperparameters guessed from a file, for people who only have the file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "algorithms/algorithm.h"
#include "base/result.h"
#include "data/input_file.h"

namespace argosy::algorithms {

struct GuessOptions {
  Hyperparameters given;  // what the user has set: never overridden, and used in guessing the rest (argosy_label, …)
};

struct Guess {
  Hyperparameters hyperparameters;     // only what was guessed; merge with the given ones
  std::vector<std::string> sentences;  // what was guessed and why, one sentence each
  std::string content_type = "text/csv";
};

// For the algorithm of this name; nothing is guessed for one that is not built in. Looks at the rows of `file` (CSV,
// for xgboost also LIBSVM's text; may be gzip) up to a fixed amount of text. kInvalidArgument when nothing sensible can
// be made of it, with line, column and value where it is a few values that are odd: a number misspelt, a label missing.
Result<Guess> InferHyperparameters(std::string_view algorithm, const data::InputFile& file,
                                   const GuessOptions& options);

// For the linear learner.
Result<Guess> InferLinearHyperparameters(const data::InputFile& file, const GuessOptions& options);

}  // namespace argosy::algorithms
