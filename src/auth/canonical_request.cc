#include "auth/canonical_request.h"

#include <algorithm>
#include <array>
#include <deque>

namespace argosy::auth {
namespace {

constexpr std::array<bool, 256> MakeUnreservedTable() {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[static_cast<size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[static_cast<size_t>(c)] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<size_t>(c)] = true;
  for (const char c : std::string_view("-._~")) table[static_cast<unsigned char>(c)] = true;
  return table;
}
constexpr std::array<bool, 256> kUnreserved = MakeUnreservedTable();

void AppendEncodedPath(std::string& out, std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  size_t from = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (kUnreserved[byte] || byte == '/') continue;
    out.append(text.substr(from, i - from));
    from = i + 1;
    out.push_back('%');
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
  out.append(text.substr(from));
}

// RFC 3986 section 5.2.4, and empty segments removed as well.
std::string WithoutDotSegments(std::string_view path) {
  std::vector<std::string_view> kept;
  for (size_t at = 0; at <= path.size();) {
    const size_t slash = std::min(path.find('/', at), path.size());
    const std::string_view segment = path.substr(at, slash - at);
    at = slash + 1;
    if (segment.empty() || segment == ".") continue;
    if (segment == "..") {
      if (!kept.empty()) kept.pop_back();
    } else {
      kept.push_back(segment);
    }
  }
  std::string out = path.starts_with('/') ? "/" : "";
  for (size_t i = 0; i < kept.size(); ++i) {
    if (i > 0) out.push_back('/');
    out.append(kept[i]);
  }
  if (path.ends_with('/') && !kept.empty()) out.push_back('/');
  return out;
}

bool NeedsNormalising(std::string_view path) {
  unsigned found = 0;
  for (size_t i = 1; i < path.size(); ++i) {
    found |= static_cast<unsigned>(path[i - 1] == '/') &
             (static_cast<unsigned>(path[i] == '/') | static_cast<unsigned>(path[i] == '.'));
  }
  return found != 0;
}

std::string Reencode(std::string_view text, std::string_view keep) {
  const std::optional<std::string> decoded = PercentDecode(text);
  return decoded ? PercentEncode(*decoded, keep) : std::string(text);
}

// Without branches in the loop, so that the compiler makes vectors of it.
bool IsFolded(std::string_view value) {
  if (value.empty()) return true;
  unsigned blanks = static_cast<unsigned>(value.front() == ' ') | static_cast<unsigned>(value.back() == ' ') |
                    static_cast<unsigned>(value.front() == '\t');
  for (size_t i = 1; i < value.size(); ++i) {
    blanks |= static_cast<unsigned>(value[i] == '\t') |
              (static_cast<unsigned>(value[i] == ' ') & static_cast<unsigned>(value[i - 1] == ' '));
  }
  return blanks == 0;
}

// Runs of blanks become one space; none at the ends.
void AppendFolded(std::string& out, std::string_view value) {
  if (IsFolded(value)) {
    out.append(value);
    return;
  }
  bool between = false;
  bool first = true;
  for (const char c : value) {
    if (c == ' ' || c == '\t') {
      between = true;
      continue;
    }
    if (between && !first) out.push_back(' ');
    between = first = false;
    out.push_back(c);
  }
}

}  // namespace

std::string_view Canonicalizer::Write(const CanonicalParts& parts, Reading reading) {
  text_.clear();
  text_.append(parts.method);
  text_.push_back('\n');
  WritePath(parts.service, parts.path, reading);
  text_.push_back('\n');
  WriteQuery(parts.query, reading);
  text_.push_back('\n');
  WriteHeaders(parts);
  text_.push_back('\n');
  text_.append(parts.signed_headers);
  text_.push_back('\n');
  text_.append(parts.payload_hash);
  return text_;
}

void Canonicalizer::WritePath(std::string_view service, std::string_view path, Reading reading) {
  if (path.empty()) path = "/";
  if (service == "s3") {
    if (reading == Reading::kAsSent) {
      text_.append(path);
    } else {
      text_.append(Reencode(path, "/"));
    }
    return;
  }
  if (NeedsNormalising(path)) {
    AppendEncodedPath(text_, WithoutDotSegments(path));
  } else {
    AppendEncodedPath(text_, path);
  }
}

void Canonicalizer::WriteQuery(std::string_view query, Reading reading) {
  if (query.empty()) return;
  pairs_.clear();
  std::deque<std::string> encoded;  // stays empty when the query is read as sent
  const auto read = [&](std::string_view part) -> std::string_view {
    return reading == Reading::kAsSent ? part : encoded.emplace_back(Reencode(part, ""));
  };
  for (size_t at = 0; at <= query.size();) {
    const size_t end = std::min(query.find('&', at), query.size());
    const std::string_view pair = query.substr(at, end - at);
    const size_t equals = std::min(pair.find('='), pair.size());
    pairs_.emplace_back(read(pair.substr(0, equals)), read(pair.substr(std::min(equals + 1, pair.size()))));
    at = end + 1;
  }
  std::sort(pairs_.begin(), pairs_.end());
  for (size_t i = 0; i < pairs_.size(); ++i) {
    if (i > 0) text_.push_back('&');
    text_.append(pairs_[i].first);
    text_.push_back('=');
    text_.append(pairs_[i].second);
  }
}

void Canonicalizer::WriteHeaders(const CanonicalParts& parts) {
  std::string_view rest = parts.signed_headers;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find(';'), rest.size());
    const std::string_view name = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    text_.append(name);
    text_.push_back(':');
    bool first = true;
    for (const http::HeaderView& header : parts.headers) {
      if (!NameIs(header.name, name)) continue;
      if (!first) text_.push_back(',');
      first = false;
      AppendFolded(text_, header.value);
    }
    text_.push_back('\n');
  }
}

}  // namespace argosy::auth
