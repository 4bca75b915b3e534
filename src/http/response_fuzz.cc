// Bytes from a program: in whatever pieces they come the response is the same, or refused the same.
#include <algorithm>
#include <string>

#include "base/result.h"
#include "http/response_parser.h"

namespace {

using argosy::http::ResponseParser;

struct Outcome {
  ResponseParser::State state = ResponseParser::State::kMore;
  int status = 0;
  std::string body;
  size_t used = 0;
  bool operator==(const Outcome&) const = default;
};

Outcome Read(std::string_view bytes, size_t piece) {
  ResponseParser parser;
  Outcome out;
  std::string buffer;
  size_t given = 0;
  for (;;) {
    const ResponseParser::Step step = parser.Next(buffer);
    argosy::Check(step.consumed <= buffer.size());
    out.state = step.state;
    out.body.append(step.data);
    buffer.erase(0, step.consumed);
    out.used += step.consumed;
    if (step.state == ResponseParser::State::kHead) out.status = parser.head().status;
    if (step.state == ResponseParser::State::kMalformed) return {.state = step.state};
    if (step.state == ResponseParser::State::kDone) return out;
    if (step.state != ResponseParser::State::kMore) continue;
    argosy::Check(buffer.size() <= argosy::http::kResponseHeadBytesMax);
    if (given == bytes.size()) {
      out.state = parser.Closed();
      if (out.state == ResponseParser::State::kMalformed) return {.state = out.state};
      return out;
    }
    const size_t n = std::min(piece, bytes.size() - given);
    buffer.append(bytes.substr(given, n));
    given += n;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  argosy::Check(Read(bytes, 1 + data[0] % 64) == Read(bytes, std::max<size_t>(bytes.size(), 1)),
                "the answer depends on its pieces");
  return 0;
}
