// What serves the models of an image that is not a built-in algorithm's.
//
// There are no containers here: an image's name says which of the servers on this machine takes its place. Registry,
// account, region, tag and digest do not count.
#pragma once

#include <string_view>

namespace argosy::model {

inline constexpr std::string_view kProgramImage = "argosy/program";
inline constexpr std::string_view kPythonImage = "argosy/python";

enum class ImageServer {
  kNone,     // a built-in algorithm's image, or nobody's
  kPython,   // the Python shim: a script's model_fn, predict_fn, …, or what a library's own file needs
  kProgram,  // the artifact's own executable `serve`, which answers /ping and /invocations
};

// Whether CreateModel's Environment names a script (SAGEMAKER_PROGRAM): the XGBoost images serve it by Python then, and
// a booster without one themselves.
enum class Script { kNone, kGiven };

ImageServer ServerOfImage(std::string_view image, Script script);

// Whether the names of images that ServerOfImage knows hold this one, with or without a script.
inline bool IsServedImage(std::string_view image) {
  return ServerOfImage(image, Script::kGiven) != ImageServer::kNone;
}

// "registry.host:5000/path/repository:tag@digest" → "path/repository".
std::string_view RepositoryOfImage(std::string_view image);

}  // namespace argosy::model
