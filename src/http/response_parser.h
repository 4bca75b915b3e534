// An HTTP/1.x response read as its bytes come: the client's side of parser.h.
//
// Source: RFC 9110 and 9112. The peer is a program that its owner wrote, often by hand, so that lines may end in a bare
// LF; what would leave open where the body ends (two lengths, a coding but `chunked`) is refused all the same. Interim
// answers (1xx) are passed over. Holds no bytes of the body.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/parser.h"

namespace argosy::http {

inline constexpr size_t kResponseHeadBytesMax = 64 * 1024;  // interim answers and leading empty lines included

struct ResponseHead {
  int status = 0;
  HttpVersion version = HttpVersion::k11;
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<uint64_t> content_length;
  bool chunked = false;
  Persistence persistence = Persistence::kKeepAlive;

  // The first header of that name, letter case ignored; empty when there is none.
  std::string_view Header(std::string_view name) const;
};

class ResponseParser {
 public:
  enum class State {
    kMore,       // all given bytes are used, or more are needed before any can be
    kHead,       // head() is good from now on
    kData,       // `data` is a piece of the body
    kDone,       // the response is over; what follows `consumed` is none of it
    kMalformed,  // reason() says why; the connection cannot be used any more
  };
  struct Step {
    State state;
    size_t consumed;  // bytes of `input` that are done with; the rest is to be given again, with more behind it
    std::string_view data;
  };

  // Until kDone or kMalformed. With kMore at most kResponseHeadBytesMax are left unconsumed.
  Step Next(std::string_view input);

  // The peer has closed: kDone when that was the body's end, kMalformed when it was torn.
  State Closed();

  const ResponseHead& head() const { return head_; }
  std::string_view reason() const { return reason_; }
  // Whether another request may follow on the connection. After kDone.
  bool reusable() const { return reusable_; }

 private:
  enum class Place { kHead, kChunked, kLength, kUntilClose, kDone, kMalformed };
  Step Malformed(std::string_view why);
  Step ReadHead(std::string_view input);
  bool ParseHead(std::string_view text);
  bool TakeHeader(std::string_view line);
  void ChooseBody();

  Place place_ = Place::kHead;
  ResponseHead head_;
  uint64_t left_ = 0;
  size_t head_bytes_ = 0;  // of interim answers passed over
  ChunkedDecoder chunks_;
  std::string_view reason_;
  bool reusable_ = false;
};

}  // namespace argosy::http
