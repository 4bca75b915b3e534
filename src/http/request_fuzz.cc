// Bytes from anybody, as the server reads them: head, body, next head. What is read must not depend on how the bytes
// are cut, and all views must lie in what was given.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "http/parser.h"

namespace {

using argosy::http::ChunkedDecoder;
using argosy::http::HeadOutcome;
using argosy::http::HeadParser;

void Require(bool condition) {
  if (!condition) __builtin_trap();
}

bool Inside(std::string_view all, std::string_view part) {
  return part.empty() || part == "/" ||
         (part.data() >= all.data() && part.data() + part.size() <= all.data() + all.size());
}

struct Body {
  std::string data;
  size_t consumed = 0;
  ChunkedDecoder::State state = ChunkedDecoder::State::kMore;
};

Body Decode(std::string_view text, size_t step) {
  ChunkedDecoder decoder;
  Body out;
  for (size_t at = 0; at < text.size(); at += step) {
    std::string_view rest = text.substr(at, step);
    while (!rest.empty()) {
      const ChunkedDecoder::Step got = decoder.Next(rest);
      Require(got.consumed <= rest.size() && Inside(rest, got.data));
      out.data += got.data;
      out.consumed += got.consumed;
      out.state = got.state;
      rest.remove_prefix(got.consumed);
      if (got.state == ChunkedDecoder::State::kDone || got.state == ChunkedDecoder::State::kMalformed) return out;
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t step = 1 + data[0] % 64;
  std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  while (!text.empty()) {
    HeadParser whole;
    const HeadOutcome outcome = whole.Parse(text);
    HeadParser pieces;
    HeadOutcome by_piece = HeadOutcome::kIncomplete;
    size_t seen = 0;
    while (by_piece == HeadOutcome::kIncomplete && seen < text.size()) {
      const size_t given = std::min(text.size(), seen + step);
      by_piece = pieces.Parse(text.substr(0, given), seen);
      seen = given;
    }
    // A head that will be refused may be seen to be so earlier or later, but a good one is good either way.
    Require((outcome == HeadOutcome::kComplete) == (by_piece == HeadOutcome::kComplete));
    if (outcome != HeadOutcome::kComplete) return 0;
    Require(whole.size() == pieces.size() && whole.size() <= text.size());
    const auto& request = whole.request();
    const std::string_view head = text.substr(0, whole.size());
    Require(Inside(head, request.method) && Inside(head, request.target) && Inside(head, request.path) &&
            Inside(head, request.query));
    Require(request.headers.size() == pieces.request().headers.size());
    for (const auto& header : request.headers) {
      Require(Inside(head, header.name) && Inside(head, header.value) && !header.name.empty());
      Require(header.value.find_first_of("\r\n") == std::string_view::npos);
    }
    Require(!(request.chunked && request.content_length > 0));
    text.remove_prefix(whole.size());
    if (request.chunked) {
      const Body at_once = Decode(text, std::max<size_t>(text.size(), 1));
      const Body cut = Decode(text, step);
      Require(at_once.data == cut.data && at_once.state == cut.state && at_once.consumed == cut.consumed);
      if (at_once.state != ChunkedDecoder::State::kDone) return 0;
      text.remove_prefix(at_once.consumed);
    } else {
      text.remove_prefix(std::min<uint64_t>(text.size(), request.content_length));
    }
  }
  return 0;
}
