// A model.tar.gz on this machine.
#pragma once

#include <filesystem>
#include <string>
#include <utility>

#include "algorithms/algorithm.h"
#include "base/result.h"

namespace argosy::main {

// Its files in a temporary directory, which goes with this, and the algorithm that made them.
class UnpackedArtifact {
 public:
  // kCorrupt when it is no archive, or of nothing that is known.
  static Result<UnpackedArtifact> Open(const std::filesystem::path& file);
  ~UnpackedArtifact();
  UnpackedArtifact(UnpackedArtifact&& other) noexcept
      : directory_(std::exchange(other.directory_, {})), algorithm_(other.algorithm_) {}
  UnpackedArtifact& operator=(UnpackedArtifact&&) = delete;

  std::filesystem::path directory() const { return directory_; }
  const algorithms::Algorithm& algorithm() const { return *algorithm_; }

 private:
  UnpackedArtifact() = default;
  std::string directory_;
  const algorithms::Algorithm* algorithm_ = nullptr;
};

}  // namespace argosy::main
