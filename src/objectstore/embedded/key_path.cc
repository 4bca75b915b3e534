#include "objectstore/embedded/key_path.h"

#include "base/bytes.h"
#include "objectstore/object_store.h"

namespace argosy::objectstore {
namespace {

constexpr std::string_view kDirectoryMark = "%";
constexpr std::string_view kContinuedMark = "%+";
constexpr std::string_view kEmptyFile = "%-";

bool NeedsEscape(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f || c == '%';
}

bool IsContinuationByte(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

void AppendEscaped(std::string& out, char c) {
  constexpr char kHex[] = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(c);
  out.push_back('%');
  out.push_back(kHex[byte >> 4]);
  out.push_back(kHex[byte & 15]);
}

// Appends one component's directories and its last piece, which is left for the caller to mark.
std::string AppendPieces(std::string& path, std::string_view component) {
  std::string piece;
  size_t at = 0;
  while (at < component.size()) {
    size_t end = at + 1;  // of one character
    while (end < component.size() && IsContinuationByte(component[end])) ++end;
    const size_t width = NeedsEscape(component[at]) ? 3 : end - at;
    if (piece.size() + width > kPieceBytesMax) {
      path += piece;
      path += kContinuedMark;
      path += '/';
      piece.clear();
    }
    if (NeedsEscape(component[at])) {
      AppendEscaped(piece, component[at]);
      ++at;
    } else {
      piece.append(component.substr(at, end - at));
      at = end;
    }
  }
  return piece;
}

}  // namespace

std::string KeyToPath(std::string_view key) {
  std::string path;
  path.reserve(key.size() + 16);
  for (;;) {
    const size_t slash = key.find('/');
    std::string piece = AppendPieces(path, key.substr(0, slash));
    if (slash == std::string_view::npos) {
      if (piece.empty()) {
        piece = kEmptyFile;
      } else if (piece == "." || piece == "..") {
        piece.replace(0, 1, "%2E");
      }
      return path + piece;
    }
    path += piece;
    path += kDirectoryMark;
    path += '/';
    key.remove_prefix(slash + 1);
  }
}

std::optional<std::string> PathToKey(std::string_view path) {
  std::string escaped;  // the key with its escapes
  std::string_view rest = path;
  for (;;) {
    const size_t slash = rest.find('/');
    std::string_view name = rest.substr(0, slash);
    if (slash == std::string_view::npos) {
      if (name != kEmptyFile) escaped += name;
      break;
    }
    if (name.ends_with(kContinuedMark)) {
      escaped += name.substr(0, name.size() - kContinuedMark.size());
    } else if (name.ends_with(kDirectoryMark)) {
      escaped += name.substr(0, name.size() - kDirectoryMark.size());
      escaped += '/';
    } else {
      return std::nullopt;
    }
    rest.remove_prefix(slash + 1);
  }
  std::optional<std::string> key = PercentDecode(escaped);
  // Only the one path that the key has counts: an escape nobody makes, or a file put here by hand, is no object.
  if (!key || !ValidateKey(*key).ok() || KeyToPath(*key) != path) return std::nullopt;
  return key;
}

}  // namespace argosy::objectstore
