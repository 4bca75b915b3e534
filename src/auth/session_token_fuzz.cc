// The token of a session as it comes in a header or a URL: whatever the bytes, nobody makes one without the key; and
// one that was issued and is sent changed is refused.
#include <string>

#include "auth/session.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace argosy;
  using namespace argosy::auth;
  static const SessionKey key("the secret of this server, 32 bytes");
  static const Time now = FromUnixSeconds(1'700'000'000);
  static const SessionClaims claims{"i-0123456789abcdef0", "0123456789abcdef", now + std::chrono::hours(1)};
  static const std::string issued = key.Issue(claims).session_token;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (text != issued && std::holds_alternative<SessionClaims>(key.Read(text, now))) __builtin_trap();
  if (size < 3) return 0;
  // One byte of a real one replaced, and the rest cut or kept.
  std::string changed = issued;
  const size_t at = (data[0] | static_cast<size_t>(data[1]) << 8) % changed.size();
  changed[at] = static_cast<char>(data[2]);
  if (size > 3) changed.resize(at + 1);
  if (changed != issued && std::holds_alternative<SessionClaims>(key.Read(changed, now))) __builtin_trap();
  return 0;
}
