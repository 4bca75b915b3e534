// Cuts a stream of lines into bodies that an endpoint takes.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace argosy::main {

class RowChunks {
 public:
  // Endpoints take 6 MB a request; a little less leaves room for a last row.
  static constexpr size_t kBodyBytesMax = 5 * 1000 * 1000;

  explicit RowChunks(std::function<Status(const std::string& body)> take, size_t body_bytes_max = kBodyBytesMax)
      : take_(std::move(take)), body_bytes_max_(body_bytes_max) {}

  // Any piece of text. Gives out whole rows whenever they fill a body; the first error ends it. kInvalidArgument when
  // one row alone is larger than a body.
  Status Append(std::string_view text);
  // A file's last row may lack its line end.
  Status EndOfFile();
  Status Finish();

 private:
  Status Give(size_t bytes);

  std::function<Status(const std::string&)> take_;
  const size_t body_bytes_max_;
  std::string rows_;
};

}  // namespace argosy::main
