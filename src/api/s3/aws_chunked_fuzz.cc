#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "api/s3/aws_chunked.h"
#include "base/result.h"

// The first byte says how the rest is cut into pieces; the outcome must not depend on it.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  auto run = [&](size_t piece) {
    argosy::api::s3::AwsChunkedDecoder decoder(nullptr, false, "x-amz-checksum-crc32");
    std::string out;
    argosy::Status status;
    for (size_t at = 0; at < body.size() && status.ok(); at += piece) {
      status = decoder.Feed(body.substr(at, piece), [&](std::string_view bytes) {
        out += bytes;
        return argosy::Status();
      });
    }
    return std::to_string(status.ok()) + (status.ok() && decoder.finished() ? out : std::string());
  };
  argosy::api::s3::AwsChunkedDecoder signed_decoder(
      std::make_unique<argosy::auth::ChunkSignatures>(argosy::auth::HmacKey("key"), "date", "scope", "seed"), true);
  const argosy::Status taken = signed_decoder.Feed(body, [](std::string_view) { return argosy::Status(); });
  argosy::Check(!taken.ok() || !signed_decoder.finished(), "nobody guesses a signature");
  argosy::Check(run(std::max<size_t>(body.size(), 1)) == run(size_t{1} + data[0] % 64), "cuts change the outcome");
  return 0;
}
