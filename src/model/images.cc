#include "model/images.h"

namespace argosy::model {

std::string_view RepositoryOfImage(std::string_view image) {
  const size_t slash = image.find('/');
  if (slash != std::string_view::npos) {
    const std::string_view first = image.substr(0, slash);
    // As container clients tell a registry from the first part of a path.
    if (first.find_first_of(".:") != std::string_view::npos || first == "localhost") image.remove_prefix(slash + 1);
  }
  return image.substr(0, image.find_first_of(":@"));
}

ImageServer ServerOfImage(std::string_view image, Script script) {
  const std::string_view repository = RepositoryOfImage(image);
  if (repository == kProgramImage) return ImageServer::kProgram;
  if (repository == kPythonImage) return ImageServer::kPython;
  for (const std::string_view framework : {"sagemaker-scikit-learn", "pytorch-inference"}) {
    if (repository == framework) return ImageServer::kPython;
  }
  if (script == Script::kGiven && (repository == "sagemaker-xgboost" || repository == "xgboost")) {
    return ImageServer::kPython;
  }
  return ImageServer::kNone;
}

}  // namespace argosy::model
