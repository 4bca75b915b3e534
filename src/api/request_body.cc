#include "api/request_body.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "base/bytes.h"

namespace argosy::api {

Result<std::string> Gunzip(std::string_view bytes, size_t size_max) {
  constexpr int kGzipOnly = 16 + MAX_WBITS;
  constexpr size_t kStepBytes = 64 << 10;
  if (bytes.size() > std::numeric_limits<uInt>::max()) return Invalid("it is too large");
  z_stream stream{};
  if (inflateInit2(&stream, kGzipOnly) != Z_OK) return Error(ErrorCode::kResourceExhausted, "no memory to unpack it");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  int code = Z_OK;
  while (code == Z_OK && out.size() <= size_max) {
    const size_t before = out.size();
    out.resize(before + kStepBytes);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream.avail_out = kStepBytes;
    code = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
  }
  const bool whole = code == Z_STREAM_END && stream.avail_in == 0;
  inflateEnd(&stream);
  if (out.size() > size_max) return Invalid("it holds more than " + std::to_string(size_max) + " bytes");
  if (!whole) return Invalid("it is damaged or not complete");
  return out;
}

Result<std::string> DecodedBody(const http::RequestView& request) {
  const std::string_view encoding = request.Header("content-encoding");
  if (encoding.empty() || EqualsIgnoreCase(encoding, "identity")) return std::string(request.body);
  if (!EqualsIgnoreCase(encoding, "gzip")) {
    return Invalid("The Content-Encoding '" + std::string(encoding.substr(0, 64)) +
                   "' is not supported: it must be gzip.");
  }
  Result<std::string> body = Gunzip(request.body, kDecodedBytesMax);
  if (!body.ok()) return Invalid("The request body is no gzip data: " + body.error().message() + ".");
  return body;
}

}  // namespace argosy::api
