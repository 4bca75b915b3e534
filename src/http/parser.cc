#include "http/parser.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace argosy::http {
namespace {

constexpr int kContentLengthDigitsMax = 18;  // any such number fits in 64 bits and is larger than any disk
constexpr int kChunkSizeDigitsMax = 15;      // likewise, in hex

// RFC 9110 section 5.6.2: tchar.
constexpr std::array<bool, 256> MakeTokenTable() {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[static_cast<size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[static_cast<size_t>(c)] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<size_t>(c)] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
  return table;
}
constexpr std::array<bool, 256> kToken = MakeTokenTable();

bool IsToken(char c) {
  return kToken[static_cast<unsigned char>(c)];
}
bool IsBlank(char c) {
  return c == ' ' || c == '\t';
}
bool IsControl(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

// The first byte from `at` on that no field value may hold (a control character; a tab is let pass by the caller), or
// `end`. Eight bytes at a time: bytes below 0x20 and the byte 0x7f raise the top bit of their lane. A lane may be
// raised wrongly only above one that is raised rightly, so the lowest is right.
const char* FindControl(const char* at, const char* end) {
  if constexpr (std::endian::native == std::endian::little) {
    constexpr uint64_t kOnes = 0x0101010101010101;
    constexpr uint64_t kTops = 0x8080808080808080;
    while (end - at >= 8) {
      uint64_t word = 0;
      std::memcpy(&word, at, 8);
      const uint64_t low = (word - kOnes * 0x20) & ~word;
      const uint64_t x = word ^ (kOnes * 0x7f);
      const uint64_t del = (x - kOnes) & ~x;
      const uint64_t hit = (low | del) & kTops;
      if (hit != 0) return at + (std::countr_zero(hit) >> 3);
      at += 8;
    }
  }
  while (at != end && !IsControl(*at)) ++at;
  return at;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The next member of a comma-separated list; takes it off the front of `list`.
std::string_view TakeMember(std::string_view& list) {
  const size_t comma = list.find(',');
  const std::string_view member = Trim(list.substr(0, comma));
  list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  return member;
}

}  // namespace

HeadOutcome HeadParser::Refuse(int status, std::string_view reason) {
  refusal_ = {status, reason};
  return HeadOutcome::kRefused;
}

HeadOutcome HeadParser::Parse(std::string_view bytes, size_t seen) {
  if (seen > 0) {
    // The blank line may begin in the bytes seen before.
    const size_t from = seen < 3 ? 0 : seen - 3;
    if (bytes.find("\r\n\r\n", from) == std::string_view::npos) {
      // Bare line feeds never make a blank line: without this look the client would wait for the time-out.
      if (bytes.find("\n\n", from) != std::string_view::npos)
        return Refuse(400, "A line ends without a carriage return.");
      return HeadOutcome::kIncomplete;
    }
  }
  return ParseWhole(bytes);
}

HeadOutcome HeadParser::ParseWhole(std::string_view bytes) {
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  request_ = {};
  has_length_ = asks_close_ = asks_keep_alive_ = expects_continue_ = false;
  hosts_ = 0;

  // Empty lines before a request are to be ignored (RFC 9112 section 2.2).
  while (at != end && *at == '\r') {
    if (at + 1 == end) return HeadOutcome::kIncomplete;
    if (at[1] != '\n') return Refuse(400, "A carriage return stands alone.");
    at += 2;
  }

  const char* start = at;
  while (at != end && IsToken(*at)) ++at;
  if (at == end) return HeadOutcome::kIncomplete;
  if (*at != ' ' || at == start) return Refuse(400, "The request line does not begin with a method.");
  request_.method = {start, static_cast<size_t>(at - start)};
  ++at;

  start = at;
  while (at != end && static_cast<unsigned char>(*at) > 0x20 && *at != 0x7f && *at != '#') ++at;
  if (at == end) return HeadOutcome::kIncomplete;
  if (*at != ' ') return Refuse(400, "The request target holds a character that must be percent-encoded.");
  if (const HeadOutcome outcome = ParseTarget({start, static_cast<size_t>(at - start)});
      outcome != HeadOutcome::kComplete) {
    return outcome;
  }
  ++at;

  constexpr size_t kVersionSize = 8;  // HTTP/1.1
  if (static_cast<size_t>(end - at) < kVersionSize + 2) {
    return memchr(at, '\n', static_cast<size_t>(end - at)) != nullptr
               ? Refuse(400, "The request line does not end in a version.")
               : HeadOutcome::kIncomplete;
  }
  if (std::memcmp(at, "HTTP/", 5) != 0) return Refuse(400, "The request line does not end in a version.");
  if (std::memcmp(at, "HTTP/1.1", kVersionSize) == 0) {
    version_ = HttpVersion::k11;
  } else if (std::memcmp(at, "HTTP/1.0", kVersionSize) == 0) {
    version_ = HttpVersion::k10;
  } else {
    return Refuse(505, "Only HTTP/1.0 and HTTP/1.1 are spoken here.");
  }
  at += kVersionSize;
  if (at[0] != '\r' || at[1] != '\n') return Refuse(400, "The request line does not end after the version.");
  at += 2;

  size_t count = 0;
  for (;;) {
    if (at == end) return HeadOutcome::kIncomplete;
    if (*at == '\r') {
      if (at + 1 == end) return HeadOutcome::kIncomplete;
      if (at[1] != '\n') return Refuse(400, "A carriage return stands alone.");
      at += 2;
      break;
    }
    if (count == kHeaderCountMax) return Refuse(431, "The request has more than 128 headers.");

    start = at;
    while (at != end && IsToken(*at)) ++at;
    if (at == end) return HeadOutcome::kIncomplete;
    if (*at != ':' || at == start) {
      return Refuse(400, IsBlank(*at) ? "A header line begins with a blank, or has one before its colon."
                                      : "A header name is empty or holds a character that is not allowed.");
    }
    HeaderView& header = headers_[count];
    header.name = {start, static_cast<size_t>(at - start)};
    ++at;
    while (at != end && IsBlank(*at)) ++at;

    start = at;
    at = FindControl(at, end);
    while (at != end && *at == '\t') at = FindControl(at + 1, end);
    if (at == end || at + 1 == end) {
      if (at != end && *at != '\r') return Refuse(400, "A header value holds a control character.");
      return HeadOutcome::kIncomplete;
    }
    if (at[0] != '\r' || at[1] != '\n') {
      return Refuse(
          400, at[0] == '\n' ? "A line ends without a carriage return." : "A header value holds a control character.");
    }
    const char* last = at;
    while (last != start && IsBlank(last[-1])) --last;
    header.value = {start, static_cast<size_t>(last - start)};
    at += 2;
    ++count;
    if (const HeadOutcome outcome = Note(header); outcome != HeadOutcome::kComplete) return outcome;
  }

  request_.headers = {headers_.data(), count};
  size_ = static_cast<size_t>(at - bytes.data());
  return Finish();
}

HeadOutcome HeadParser::ParseTarget(std::string_view target) {
  request_.target = target;
  std::string_view rest = target;
  if (rest.empty()) return Refuse(400, "The request target is empty.");
  if (rest.front() != '/') {
    if (rest == "*" && request_.method == "OPTIONS") {
      request_.path = rest;
      return HeadOutcome::kComplete;
    }
    // The absolute form, as sent to a proxy (RFC 9112 section 3.2.2): the authority is the Host header's business.
    const size_t colon = rest.find("://");
    if (colon == std::string_view::npos ||
        !(EqualsIgnoreCase(rest.substr(0, colon), "http") || EqualsIgnoreCase(rest.substr(0, colon), "https"))) {
      return Refuse(400, "The request target is neither a path nor an http URL.");
    }
    rest.remove_prefix(colon + 3);
    const size_t path = rest.find_first_of("/?");
    rest.remove_prefix(path == std::string_view::npos ? rest.size() : path);
  }
  const size_t mark = rest.find('?');
  request_.path = rest.substr(0, mark);
  if (request_.path.empty()) request_.path = "/";
  if (mark != std::string_view::npos) request_.query = rest.substr(mark + 1);
  return HeadOutcome::kComplete;
}

// What the transport itself must know of a header.
HeadOutcome HeadParser::Note(const HeaderView& header) {
  switch (header.name.size()) {
    case 4:
      if (EqualsIgnoreCase(header.name, "host")) {
        if (++hosts_ > 1) return Refuse(400, "The request has more than one Host.");
        if (header.value.find_first_of(" \t,/@") != std::string_view::npos)
          return Refuse(400, "The Host is not a host and port.");
      }
      break;
    case 6:
      if (EqualsIgnoreCase(header.name, "expect")) {
        if (!EqualsIgnoreCase(header.value, "100-continue")) return Refuse(417, "Only 100-continue can be expected.");
        expects_continue_ = true;
      }
      break;
    case 10:
      if (EqualsIgnoreCase(header.name, "connection")) {
        std::string_view list = header.value;
        while (!list.empty()) {
          const std::string_view member = TakeMember(list);
          if (EqualsIgnoreCase(member, "close")) asks_close_ = true;
          if (EqualsIgnoreCase(member, "keep-alive")) asks_keep_alive_ = true;
        }
      }
      break;
    case 14:
      if (EqualsIgnoreCase(header.name, "content-length")) {
        if (has_length_) return Refuse(400, "The request has more than one Content-Length.");
        if (header.value.empty() || header.value.size() > kContentLengthDigitsMax) {
          return Refuse(400, "The Content-Length is not a number of bytes.");
        }
        uint64_t length = 0;
        for (const char c : header.value) {
          if (c < '0' || c > '9') return Refuse(400, "The Content-Length is not a number of bytes.");
          length = length * 10 + static_cast<uint64_t>(c - '0');
        }
        has_length_ = true;
        request_.content_length = length;
      }
      break;
    case 17:
      if (EqualsIgnoreCase(header.name, "transfer-encoding")) {
        if (request_.chunked) return Refuse(400, "The request has more than one Transfer-Encoding.");
        if (!EqualsIgnoreCase(header.value, "chunked"))
          return Refuse(501, "The only transfer coding known here is chunked.");
        request_.chunked = true;
      }
      break;
    default:
      break;
  }
  return HeadOutcome::kComplete;
}

HeadOutcome HeadParser::Finish() {
  if (request_.chunked && has_length_) return Refuse(400, "Content-Length and Transfer-Encoding exclude each other.");
  if (version_ == HttpVersion::k10) {
    if (request_.chunked) return Refuse(400, "HTTP/1.0 has no Transfer-Encoding.");
    expects_continue_ = false;
    persistence_ = asks_keep_alive_ && !asks_close_ ? Persistence::kKeepAlive : Persistence::kClose;
    return HeadOutcome::kComplete;
  }
  if (hosts_ == 0) return Refuse(400, "The request has no Host.");
  persistence_ = asks_close_ ? Persistence::kClose : Persistence::kKeepAlive;
  return HeadOutcome::kComplete;
}

ChunkedDecoder::Step ChunkedDecoder::Next(std::string_view input) {
  size_t i = 0;
  const auto malformed = [&] {
    place_ = Place::kMalformed;
    return Step{State::kMalformed, i, {}};
  };
  while (i < input.size()) {
    const char c = input[i];
    switch (place_) {
      case Place::kSizeFirst:
        if (HexDigit(c) < 0) return malformed();
        left_ = 0;
        line_bytes_ = 0;
        place_ = Place::kSize;
        [[fallthrough]];
      case Place::kSize: {
        const int digit = HexDigit(c);
        if (digit >= 0) {
          if (++line_bytes_ > kChunkSizeDigitsMax) return malformed();
          left_ = left_ * 16 + static_cast<uint64_t>(digit);
        } else if (c == ';') {
          place_ = Place::kExtension;
        } else if (c == '\r') {
          place_ = Place::kSizeLf;
        } else {
          return malformed();
        }
        ++i;
        break;
      }
      case Place::kExtension:
        if (c == '\r') {
          place_ = Place::kSizeLf;
        } else if ((IsControl(c) && c != '\t') || ++line_bytes_ > kChunkLineMax) {
          return malformed();
        }
        ++i;
        break;
      case Place::kSizeLf:
        if (c != '\n') return malformed();
        place_ = left_ == 0 ? Place::kTrailerFirst : Place::kData;
        ++i;
        break;
      case Place::kData: {
        const size_t take = static_cast<size_t>(std::min<uint64_t>(left_, input.size() - i));
        left_ -= take;
        if (left_ == 0) place_ = Place::kDataCr;
        return {State::kData, i + take, input.substr(i, take)};
      }
      case Place::kDataCr:
        if (c != '\r') return malformed();
        place_ = Place::kDataLf;
        ++i;
        break;
      case Place::kDataLf:
        if (c != '\n') return malformed();
        place_ = Place::kSizeFirst;
        ++i;
        break;
      // Trailers are read for their form and dropped: nothing here may be said twice, in head and trailer.
      case Place::kTrailerFirst:
        if (c == '\r') {
          place_ = Place::kLastLf;
          ++i;
          break;
        }
        if (!IsToken(c)) return malformed();
        place_ = Place::kTrailerName;
        [[fallthrough]];
      case Place::kTrailerName:
        if (++trailer_bytes_ > kTrailerBytesMax) return malformed();
        if (c == ':') {
          place_ = Place::kTrailerValue;
        } else if (!IsToken(c)) {
          return malformed();
        }
        ++i;
        break;
      case Place::kTrailerValue:
        if (++trailer_bytes_ > kTrailerBytesMax) return malformed();
        if (c == '\r') {
          place_ = Place::kTrailerLf;
        } else if (IsControl(c) && c != '\t') {
          return malformed();
        }
        ++i;
        break;
      case Place::kTrailerLf:
        if (c != '\n') return malformed();
        place_ = Place::kTrailerFirst;
        ++i;
        break;
      case Place::kLastLf:
        if (c != '\n') return malformed();
        place_ = Place::kDone;
        return {State::kDone, i + 1, {}};
      case Place::kDone:
        return {State::kDone, i, {}};
      case Place::kMalformed:
        return {State::kMalformed, i, {}};
    }
  }
  if (place_ == Place::kDone) return {State::kDone, i, {}};
  if (place_ == Place::kMalformed) return {State::kMalformed, i, {}};
  return {State::kMore, i, {}};
}

}  // namespace argosy::http
