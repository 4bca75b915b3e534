#include "http/response_parser.h"

#include <algorithm>

#include "base/bytes.h"
#include "http/response_writer.h"

namespace argosy::http {
namespace {

// Bytes up to and with the blank line that ends a head; nothing when it is not there yet.
std::optional<size_t> FindHeadEnd(std::string_view input) {
  size_t at = 0;
  for (;;) {
    at = input.find('\n', at);
    if (at == std::string_view::npos) return std::nullopt;
    ++at;
    if (at < input.size() && input[at] == '\n') return at + 1;
    if (at + 1 < input.size() && input[at] == '\r' && input[at + 1] == '\n') return at + 2;
  }
}

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

bool HasListMember(std::string_view list, std::string_view member) {
  while (!list.empty()) {
    const size_t comma = list.find(',');
    if (EqualsIgnoreCase(Trim(list.substr(0, comma)), member)) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
  return false;
}

}  // namespace

std::string_view ResponseHead::Header(std::string_view name) const {
  for (const auto& [known, value] : headers) {
    if (EqualsIgnoreCase(known, name)) return value;
  }
  return {};
}

ResponseParser::Step ResponseParser::Malformed(std::string_view why) {
  place_ = Place::kMalformed;
  reason_ = why;
  return {State::kMalformed, 0, {}};
}

ResponseParser::Step ResponseParser::Next(std::string_view input) {
  switch (place_) {
    case Place::kHead:
      return ReadHead(input);
    case Place::kChunked: {
      const ChunkedDecoder::Step step = chunks_.Next(input);
      switch (step.state) {
        case ChunkedDecoder::State::kMore:
          return {State::kMore, step.consumed, {}};
        case ChunkedDecoder::State::kData:
          return {State::kData, step.consumed, step.data};
        case ChunkedDecoder::State::kDone:
          place_ = Place::kDone;
          return {State::kDone, step.consumed, {}};
        case ChunkedDecoder::State::kMalformed:
          return Malformed("the body is not in chunks as announced");
      }
      return Malformed("the body is not in chunks as announced");
    }
    case Place::kLength: {
      if (left_ == 0) {
        place_ = Place::kDone;
        return {State::kDone, 0, {}};
      }
      const size_t n = static_cast<size_t>(std::min<uint64_t>(left_, input.size()));
      if (n == 0) return {State::kMore, 0, {}};
      left_ -= n;
      return {State::kData, n, input.substr(0, n)};
    }
    case Place::kUntilClose:
      if (input.empty()) return {State::kMore, 0, {}};
      return {State::kData, input.size(), input};
    case Place::kDone:
      return {State::kDone, 0, {}};
    case Place::kMalformed:
      return {State::kMalformed, 0, {}};
  }
  return Malformed("");
}

ResponseParser::State ResponseParser::Closed() {
  if (place_ == Place::kUntilClose || place_ == Place::kDone) {
    place_ = Place::kDone;
    reusable_ = false;
    return State::kDone;
  }
  if (place_ == Place::kLength && left_ == 0) {
    place_ = Place::kDone;
    return State::kDone;
  }
  if (place_ != Place::kMalformed) Malformed("the connection was closed in the middle of an answer");
  return State::kMalformed;
}

ResponseParser::Step ResponseParser::ReadHead(std::string_view input) {
  size_t skipped = 0;
  while (skipped < input.size() && (input[skipped] == '\r' || input[skipped] == '\n')) ++skipped;
  const std::string_view rest = input.substr(skipped);
  const std::optional<size_t> end = FindHeadEnd(rest);
  if (head_bytes_ + skipped + (end ? *end : rest.size()) > kResponseHeadBytesMax) {
    return Malformed("the head of the answer is larger than 64 KiB");
  }
  // What is no answer at all is told by its first bytes, however long the rest is kept back.
  constexpr std::string_view kBegin = "HTTP/1.";
  if (rest.substr(0, kBegin.size()) != kBegin.substr(0, std::min(rest.size(), kBegin.size()))) {
    return Malformed("what answers does not speak HTTP/1.1");
  }
  if (!end) {
    head_bytes_ += skipped;
    return {State::kMore, skipped, {}};
  }
  head_ = ResponseHead();
  if (!ParseHead(rest.substr(0, *end))) return Malformed(reason_);
  const size_t consumed = skipped + *end;
  if (head_.status < 200) {
    if (head_.status == 101) return Malformed("the answer switches protocols, which nobody asked for");
    head_bytes_ += consumed;
    const Step next = ReadHead(input.substr(consumed));
    return {next.state, next.state == State::kMalformed ? 0 : consumed + next.consumed, next.data};
  }
  ChooseBody();
  return {State::kHead, consumed, {}};
}

bool ResponseParser::ParseHead(std::string_view text) {
  const auto take_line = [&] {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
  };
  const std::string_view status = take_line();
  reason_ = "the answer's first line is no status line";
  if (status.size() < 12 || !IsDigit(status[7]) || status[8] != ' ') return false;
  if (!IsDigit(status[9]) || !IsDigit(status[10]) || !IsDigit(status[11])) return false;
  if (status.size() > 12 && status[12] != ' ') return false;
  head_.status = (status[9] - '0') * 100 + (status[10] - '0') * 10 + (status[11] - '0');
  if (head_.status < 100 || head_.status > 599) return false;
  head_.version = status[7] == '0' ? HttpVersion::k10 : HttpVersion::k11;
  head_.persistence = head_.version == HttpVersion::k10 ? Persistence::kClose : Persistence::kKeepAlive;
  for (std::string_view line = take_line(); !line.empty(); line = take_line()) {
    if (!TakeHeader(line)) return false;
  }
  reason_ = {};
  return true;
}

bool ResponseParser::TakeHeader(std::string_view line) {
  const size_t colon = line.find(':');
  reason_ = "a header line of the answer has no name";
  if (colon == std::string_view::npos || colon == 0 || line[0] == ' ' || line[0] == '\t') return false;
  reason_ = "the answer has too many headers";
  if (head_.headers.size() == kHeaderCountMax) return false;
  const std::string_view name = Trim(line.substr(0, colon));
  const std::string_view value = Trim(line.substr(colon + 1));
  head_.headers.emplace_back(name, value);
  if (EqualsIgnoreCase(name, "content-length")) {
    const std::optional<int64_t> length = value.empty() || !IsDigit(value[0]) ? std::nullopt : ParseInt(value);
    reason_ = "the answer's Content-Length is no number";
    if (!length) return false;
    reason_ = "the answer has two Content-Lengths";
    if (head_.content_length && *head_.content_length != static_cast<uint64_t>(*length)) return false;
    head_.content_length = static_cast<uint64_t>(*length);
  } else if (EqualsIgnoreCase(name, "transfer-encoding")) {
    reason_ = "the answer has a transfer coding that was not asked for";
    if (head_.chunked || !EqualsIgnoreCase(value, "chunked")) return false;
    head_.chunked = true;
  } else if (EqualsIgnoreCase(name, "connection")) {
    if (HasListMember(value, "close")) head_.persistence = Persistence::kClose;
    if (head_.version == HttpVersion::k10 && HasListMember(value, "keep-alive")) {
      head_.persistence = Persistence::kKeepAlive;
    }
  }
  return true;
}

void ResponseParser::ChooseBody() {
  reusable_ = head_.persistence == Persistence::kKeepAlive;
  if (StatusHasNoBody(head_.status)) {
    place_ = Place::kLength;
  } else if (head_.chunked) {
    // A length beside it counts for nothing, and the connection is not to be trusted after it.
    if (head_.content_length) reusable_ = false;
    place_ = Place::kChunked;
  } else if (head_.content_length) {
    left_ = *head_.content_length;
    place_ = Place::kLength;
  } else {
    reusable_ = false;
    place_ = Place::kUntilClose;
  }
}

}  // namespace argosy::http
