// Bytes as text and back: hex, base64, percent-encoding; digests and checksums of bytes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace argosy {

std::string ToHex(std::string_view bytes);                     // lower case
std::optional<std::string> FromHex(std::string_view hex);      // either case; nothing when it is not hex
std::string ToBase64(std::string_view bytes);                  // with padding
std::optional<std::string> FromBase64(std::string_view text);  // strict: padding required, no spaces

// RFC 3986: all but A-Z a-z 0-9 - . _ ~ becomes %XX (upper case); '/' is kept when `keep` has it.
std::string PercentEncode(std::string_view text, std::string_view keep = "");
// %XX back to bytes; nothing on a broken escape. '+' stays '+'.
std::optional<std::string> PercentDecode(std::string_view text);
// As above for a form body or query value, where '+' is a space.
std::optional<std::string> FormDecode(std::string_view text);

using Sha256Digest = std::array<unsigned char, 32>;
Sha256Digest Sha256(std::string_view bytes);
std::string Sha256Hex(std::string_view bytes);
std::string Md5Hex(std::string_view bytes);
uint32_t Crc32(uint32_t crc, std::string_view bytes);  // zlib's polynomial; start with 0

bool IsValidUtf8(std::string_view text);
bool EqualsIgnoreCase(std::string_view a, std::string_view b);  // ASCII
std::string ToLower(std::string_view text);                     // ASCII
std::string_view Trim(std::string_view text);                   // spaces, tabs, CR, LF at both ends

// Whole text as a number; nothing when anything is left over or it does not fit.
std::optional<int64_t> ParseInt(std::string_view text);
std::optional<double> ParseDouble(std::string_view text);

}  // namespace argosy
