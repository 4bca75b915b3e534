#include "main/artifact.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "agent/archive.h"
#include "base/files.h"

namespace argosy::main {

Result<UnpackedArtifact> UnpackedArtifact::Open(const std::filesystem::path& file) {
  UnpackedArtifact artifact;
  artifact.directory_ = (std::filesystem::temp_directory_path() / "argosy-artifact-XXXXXX").string();
  if (mkdtemp(artifact.directory_.data()) == nullptr) {
    artifact.directory_.clear();
    return ErrnoError("making a temporary directory", errno);
  }
  Result<UniqueFd> archive = OpenFile(file, O_RDONLY);
  if (!archive.ok()) return archive.error();
  if (Status unpacked = agent::UnpackArchive(archive->get(), artifact.directory_, {}); !unpacked.ok()) {
    return unpacked.error();
  }
  const Result<const algorithms::Algorithm*> algorithm = algorithms::FindAlgorithmOfArtifact(artifact.directory_);
  if (!algorithm.ok()) return algorithm.error();
  artifact.algorithm_ = *algorithm;
  return artifact;
}

UnpackedArtifact::~UnpackedArtifact() {
  if (!directory_.empty()) (void)RemoveTree(directory_);
}

}  // namespace argosy::main
