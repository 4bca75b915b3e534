#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace argosy::main {

// The role that jobs and models are given when nobody names another. SDKs want a full ARN; nothing looks behind it.
inline constexpr std::string_view kRoleArn = "arn:aws:iam::000000000000:role/argosy";

// The image under which the SDKs know an algorithm; a name with a slash or colon is an image already.
inline std::string ImageOf(std::string_view algorithm, std::string_view region) {
  if (algorithm.find_first_of("/:") != std::string_view::npos) return std::string(algorithm);
  return fmt::format("382416733822.dkr.ecr.{}.amazonaws.com/{}:1", region, algorithm);
}

}  // namespace argosy::main
