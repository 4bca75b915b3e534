#include "api/patterns.h"

#include <algorithm>

namespace argosy::api {
namespace {

constexpr bool IsLower(char c) {
  return c >= 'a' && c <= 'z';
}
constexpr bool IsUpper(char c) {
  return c >= 'A' && c <= 'Z';
}
constexpr bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool IsAlnum(char c) {
  return IsLower(c) || IsUpper(c) || IsDigit(c);
}
constexpr bool IsAnyOf(char c, std::string_view set) {
  return set.find(c) != std::string_view::npos;
}

template <class Predicate>
bool All(std::string_view text, Predicate predicate) {
  return std::all_of(text.begin(), text.end(), predicate);
}

// Alphanumeric at both ends, hyphens between, at most `alnum_max` that are not hyphens.
bool IsHyphenated(std::string_view text, size_t alnum_max) {
  if (text.empty() || !IsAlnum(text.front()) || !IsAlnum(text.back())) return false;
  size_t alnum = 0;
  for (const char c : text) {
    if (IsAlnum(c)) {
      ++alnum;
    } else if (c != '-') {
      return false;
    }
  }
  return alnum <= alnum_max;
}

// Cuts `part` off the front.
bool Take(std::string_view& text, std::string_view part) {
  if (!text.starts_with(part)) return false;
  text.remove_prefix(part.size());
  return true;
}

template <class Predicate>
size_t TakeWhile(std::string_view& text, Predicate predicate) {
  size_t n = 0;
  while (n < text.size() && predicate(text[n])) ++n;
  text.remove_prefix(n);
  return n;
}

bool TakeAccount(std::string_view& text) {
  if (text.size() < 12 || !All(text.substr(0, 12), IsDigit)) return false;
  text.remove_prefix(12);
  return true;
}

bool IsRoleArn(std::string_view text) {
  if (!Take(text, "arn:aws")) return false;
  TakeWhile(text, [](char c) { return IsLower(c) || c == '-'; });
  if (!Take(text, ":iam::") || !TakeAccount(text) || !Take(text, ":role")) return false;
  // The '/' is optional, and also one of the characters that may follow.
  return !text.empty() && All(text, [](char c) { return IsAlnum(c) || IsAnyOf(c, "_+=,.@-/"); });
}

bool IsLineChar(char c) {
  return c != '\n' && c != '\r';
}

bool IsS3Uri(std::string_view text) {
  if (!Take(text, "https://") && !Take(text, "s3://")) return false;
  // ([^/]+)/?(.*): at least one character that is not '/'; what follows the first '/' is on one line. A line break is
  // allowed before it only.
  const size_t authority = TakeWhile(text, [](char c) { return c != '/'; });
  return authority > 0 && All(text, IsLineChar);
}

bool IsSagemakerArn(std::string_view text) {
  if (!Take(text, "arn:aws")) return false;
  TakeWhile(text, [](char c) { return IsLower(c) || c == '-'; });
  if (!Take(text, ":sagemaker:")) return false;
  TakeWhile(text, [](char c) { return IsLower(c) || IsDigit(c) || c == '-'; });
  if (!Take(text, ":") || !TakeAccount(text) || !Take(text, ":")) return false;
  return !text.empty() && All(text, IsLineChar);
}

bool IsEnvironmentKey(std::string_view text) {
  return !text.empty() && !IsDigit(text.front()) && All(text, [](char c) { return IsAlnum(c) || c == '_'; });
}

// Letters, separators and digits of any script, and a few signs. Characters beyond ASCII are let through whole: telling
// their classes apart needs Unicode's tables and nothing here depends on it.
bool IsTagText(std::string_view text) {
  return All(text,
             [](char c) { return IsAlnum(c) || static_cast<unsigned char>(c) >= 0x80 || IsAnyOf(c, " _.:/=+-@"); });
}

bool IsSpace(char c) {
  return IsAnyOf(c, " \t\n\v\f\r");
}

}  // namespace

const Pattern kNamePattern{"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
                           [](std::string_view text) { return IsHyphenated(text, 63); }};
const Pattern kLongNamePattern{"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,119}",
                               [](std::string_view text) { return IsHyphenated(text, 120); }};
const Pattern kModelNamePattern{"^[a-zA-Z0-9]([\\-a-zA-Z0-9]*[a-zA-Z0-9])?",
                                [](std::string_view text) { return IsHyphenated(text, text.size()); }};
const Pattern kNameContainsPattern{"[a-zA-Z0-9\\-]+", [](std::string_view text) {
                                     return !text.empty() && All(text, [](char c) { return IsAlnum(c) || c == '-'; });
                                   }};
const Pattern kRoleArnPattern{"^arn:aws[a-z\\-]*:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+$", IsRoleArn};
const Pattern kS3UriPattern{"^(https|s3)://([^/]+)/?(.*)$", IsS3Uri};
const Pattern kSagemakerArnPattern{"arn:aws[a-z-]*:sagemaker:[a-z0-9-]*:[0-9]{12}:.+", IsSagemakerArn};
const Pattern kChannelNamePattern{"[A-Za-z0-9\\.\\-_]+", [](std::string_view text) {
                                    return !text.empty() &&
                                           All(text, [](char c) { return IsAlnum(c) || IsAnyOf(c, ".-_"); });
                                  }};
const Pattern kEnvironmentKeyPattern{"[a-zA-Z_][a-zA-Z0-9_]*", IsEnvironmentKey};
const Pattern kKmsKeyPattern{"[a-zA-Z0-9:/_-]*", [](std::string_view text) {
                               return All(text, [](char c) { return IsAlnum(c) || IsAnyOf(c, ":/_-"); });
                             }};
const Pattern kNoSpacePattern{
    "[\\S]+", [](std::string_view text) { return !text.empty() && !std::any_of(text.begin(), text.end(), IsSpace); }};
const Pattern kNonEmptyLinePattern{".+", [](std::string_view text) { return !text.empty() && All(text, IsLineChar); }};
const Pattern kLinePattern{".*", [](std::string_view text) { return All(text, IsLineChar); }};
const Pattern kTagPattern{"^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)$", IsTagText};
const Pattern kLogGroupPattern{"[\\.\\-_/#A-Za-z0-9]+", [](std::string_view text) {
                                 return !text.empty() &&
                                        All(text, [](char c) { return IsAlnum(c) || IsAnyOf(c, ".-_/#"); });
                               }};
const Pattern kLogStreamPattern{
    "[^:*]*", [](std::string_view text) { return All(text, [](char c) { return c != ':' && c != '*'; }); }};
const Pattern kIamNamePattern{"[\\w+=,.@-]+", [](std::string_view text) {
                                return !text.empty() &&
                                       All(text, [](char c) { return IsAlnum(c) || IsAnyOf(c, "_+=,.@-"); });
                              }};

}  // namespace argosy::api
