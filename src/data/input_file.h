// A file that is read, and what messages call it.
#pragma once

#include <filesystem>
#include <string>
#include <utility>

namespace argosy::data {

struct InputFile {
  // Called by the path's last part.
  InputFile(std::filesystem::path file)  // NOLINT(google-explicit-constructor): where it lies is all there is to it
      : path(std::move(file)), name(path.filename().string()) {}
  // Of a channel, what its user knows it by: two folders may hold files of one name.
  InputFile(std::filesystem::path file, std::string called) : path(std::move(file)), name(std::move(called)) {}

  std::filesystem::path path;
  std::string name;
};

}  // namespace argosy::data
