#include "main/file_start.h"

#include <span>

#include "data/byte_source.h"

namespace argosy::main {
namespace {

constexpr size_t kTextBytesMax = 64 << 20;  // text can be a thousand times its gzip
// A read that meets the cut of a gzip stream gives nothing, so that this much text may be lost before it.
constexpr size_t kGzipReadBytes = 4096;

}  // namespace

Result<std::string> WholeLinesOfStart(const std::filesystem::path& file) {
  const Result<std::unique_ptr<data::ByteSource>> source = data::OpenByteSource(file, data::Compression::kAuto);
  if (!source.ok()) return source.error();
  std::string text;
  while (text.size() < kTextBytesMax) {
    const size_t before = text.size();
    text.resize(before + kGzipReadBytes);
    const Result<size_t> n = (*source)->Read(std::span(text).subspan(before));
    text.resize(before + (n.ok() ? *n : 0));
    if (!n.ok() && text.empty()) return n.error();
    if (!n.ok() || *n == 0) break;
  }
  if (const size_t end = text.rfind('\n'); end != std::string::npos) text.resize(end + 1);
  return text;
}

}  // namespace argosy::main
