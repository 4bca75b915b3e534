// Files of a stranger, packed or said to be: unpacking ends in bytes or in an error, in the same ones however they are
// asked for, and what was well packed comes out as it went in.
#include <fcntl.h>
#include <sys/mman.h>
#include <zstd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/fuzz_edits.h"
#include "data/byte_source.h"
#include "data/test_files.h"

namespace {

using namespace argosy;
using namespace argosy::data;

constexpr size_t kUnpackedMax = 64 << 10;  // a few bytes may unpack to very many

std::string Zstd(std::string_view text) {
  std::string bytes(ZSTD_compressBound(text.size()), '\0');
  const size_t size = ZSTD_compress(bytes.data(), bytes.size(), text.data(), text.size(), 1);
  Check(ZSTD_isError(size) == 0);
  bytes.resize(size);
  return bytes;
}

struct Unpacked {
  std::string bytes;
  std::string error;
};

Unpacked Unpack(const std::filesystem::path& path, Compression compression, size_t at_once) {
  Unpacked out;
  auto source = OpenByteSource(path, compression);
  if (!source) return {{}, source.error().message()};
  std::vector<char> buffer(at_once);
  while (out.bytes.size() < kUnpackedMax) {
    const auto n = (*source)->Read(buffer);
    if (!n) {
      out.error = n.error().message();
      Check(n.error().code() == ErrorCode::kInvalidArgument && !out.error.empty());
      break;
    }
    Check(*n <= buffer.size());
    out.bytes.append(buffer.data(), *n);
    if (*n < buffer.size()) break;
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const uint8_t choice = data[0];
  const size_t at_once = 1 + size_t{data[1]} * data[1];
  const std::string_view rest(reinterpret_cast<const char*>(data) + 2, size - 2);
  const auto compression = (choice & 4) != 0 ? Compression::kGzip : Compression::kAuto;
  std::string packed(rest);
  const std::string_view text = rest.substr(rest.size() / 2);
  const std::string_view edits = rest.substr(0, rest.size() / 2);
  const bool gzip = (choice & 3) == 1;
  const bool zstd = (choice & 3) == 2;
  if (gzip || zstd) {
    packed = gzip ? GzipBytes(text) : Zstd(text);
    if ((choice & 8) != 0) packed += packed;  // members and frames may follow each other
    packed = Edited(std::move(packed), 0, edits);
  }
  const UniqueFd file(memfd_create("packed", MFD_CLOEXEC));
  Check(WriteAll(file.get(), packed).ok());
  const std::filesystem::path path = "/proc/self/fd/" + std::to_string(file.get());
  const Unpacked whole = Unpack(path, compression, kUnpackedMax);
  const Unpacked pieces = Unpack(path, compression, at_once);
  const size_t both = std::min(whole.bytes.size(), pieces.bytes.size());
  Check(whole.error.empty() ? whole.bytes.substr(0, both) == pieces.bytes.substr(0, both) : true);
  if (whole.bytes.size() < kUnpackedMax)
    Check(whole.error.empty() == pieces.error.empty(), "read in pieces it differs");
  const bool good = edits.empty() && (gzip || (zstd && compression == Compression::kAuto));
  if (good) {
    Check(whole.error.empty(), whole.error);
    Check(whole.bytes == ((choice & 8) != 0 ? std::string(text) + std::string(text) : std::string(text)));
  }
  (void)IsCompressed(path, compression);
  return 0;
}
