#include "main/row_chunks.h"

#include <fmt/format.h>

namespace argosy::main {

Status RowChunks::Give(size_t bytes) {
  const std::string body = rows_.substr(0, bytes);
  rows_.erase(0, bytes);
  return take_(body);
}

Status RowChunks::Append(std::string_view text) {
  rows_.append(text);
  while (rows_.size() > body_bytes_max_) {
    const size_t end = rows_.rfind('\n', body_bytes_max_ - 1);
    if (end == std::string::npos) {
      return Error(
          ErrorCode::kInvalidArgument,
          fmt::format("a row is longer than the {} bytes of a request; are these lines of text?", body_bytes_max_));
    }
    if (Status given = Give(end + 1); !given.ok()) return given;
  }
  return {};
}

Status RowChunks::EndOfFile() {
  if (rows_.empty() || rows_.ends_with('\n')) return {};
  return Append("\n");
}

Status RowChunks::Finish() {
  return rows_.empty() ? Status() : Give(rows_.size());
}

}  // namespace argosy::main
