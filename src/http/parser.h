// The head of an HTTP/1.1 request, and a chunked body, read where they lie. Nothing is allocated or copied.
//
// Source: RFC 9110 and 9112. Where the RFC lets a server be lenient this parser is not, since two programs that read
// the same bytes differently are how one client's request is smuggled into another's: no bare LF or CR, no folded
// lines, no blank before a colon, no second Content-Length (not even an equal one), never Content-Length beside
// Transfer-Encoding, no transfer coding but `chunked`, no control characters, exactly one Host in HTTP/1.1.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/message.h"

namespace argosy::http {

// Real clients send a dozen or two; more is an attempt to make the many linear searches expensive.
inline constexpr size_t kHeaderCountMax = 128;
// Line of a chunk's size with its extensions: real ones are a few digits long.
inline constexpr size_t kChunkLineMax = 1024;
// All trailer lines of one body together.
inline constexpr size_t kTrailerBytesMax = 8 * 1024;

enum class HeadOutcome {
  kComplete,
  kIncomplete,  // so far right; give the same bytes again with more behind them
  kRefused,     // refusal() says why
};

// What to answer to a head that cannot be accepted. The connection cannot be used afterwards.
struct HeadRefusal {
  int status = 400;
  std::string_view reason;  // static text
};

enum class Persistence { kKeepAlive, kClose };
enum class HttpVersion { k10, k11 };

class HeadParser {
 public:
  HeadParser() = default;
  HeadParser(const HeadParser&) = delete;  // request() points into this object
  HeadParser& operator=(const HeadParser&) = delete;

  // `bytes` begins where the head begins. Of them the first `seen` were given to the last call, which said kIncomplete
  // (0 for a new head): they are not looked at again until the end of the head is there, so that a head that comes byte
  // by byte costs no more than one that comes whole.
  HeadOutcome Parse(std::string_view bytes, size_t seen = 0);

  // The rest is good after kComplete, while the bytes stay where they are.
  const RequestView& request() const { return request_; }
  RequestView& request() { return request_; }
  size_t size() const { return size_; }  // bytes of the head, blank line and leading empty lines included
  HttpVersion version() const { return version_; }
  Persistence persistence() const { return persistence_; }
  bool expects_continue() const { return expects_continue_; }
  bool has_body() const { return request_.chunked || request_.content_length > 0; }

  // Good after kRefused.
  const HeadRefusal& refusal() const { return refusal_; }

 private:
  HeadOutcome Refuse(int status, std::string_view reason);
  HeadOutcome ParseWhole(std::string_view bytes);
  HeadOutcome ParseTarget(std::string_view target);
  HeadOutcome Note(const HeaderView& header);
  HeadOutcome Finish();

  RequestView request_;
  size_t size_ = 0;
  HttpVersion version_ = HttpVersion::k11;
  Persistence persistence_ = Persistence::kKeepAlive;
  bool expects_continue_ = false;
  bool has_length_ = false;
  bool asks_close_ = false;
  bool asks_keep_alive_ = false;
  int hosts_ = 0;
  HeadRefusal refusal_;
  std::array<HeaderView, kHeaderCountMax> headers_;
};

// Takes a chunked body apart. Holds no bytes: the pieces of data it returns are views into what it was given.
class ChunkedDecoder {
 public:
  enum class State {
    kMore,       // all given bytes are used: give what comes next
    kData,       // `data` is a piece of the body; call again with what follows `consumed`
    kDone,       // the body and its trailers are over
    kMalformed,  // not a chunked body; the connection cannot be used any more
  };
  struct Step {
    State state;
    size_t consumed;  // bytes of `input` that are done with
    std::string_view data;
  };

  Step Next(std::string_view input);

 private:
  enum class Place {
    kSizeFirst,
    kSize,
    kExtension,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailerFirst,
    kTrailerName,
    kTrailerValue,
    kTrailerLf,
    kLastLf,
    kDone,
    kMalformed
  };

  Place place_ = Place::kSizeFirst;
  uint64_t left_ = 0;      // of the chunk being read
  size_t line_bytes_ = 0;  // of the size line being read
  size_t trailer_bytes_ = 0;
};

}  // namespace argosy::http
