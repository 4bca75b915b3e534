// Authorization headers and presigned URLs from anybody: parsed, and checked against a store that knows the key.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "auth/credentials.h"
#include "auth/key_ring.h"
#include "auth/sigv4.h"

namespace {

using argosy::auth::AuthorizationView;

// First line: the Authorization header; second: the path; third: the query; the rest: another header's value.
std::string_view TakeLine(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static argosy::auth::KeyRing store({"AKIA", "secret", "", argosy::auth::OwnerPrincipal()});
  static argosy::ManualClock clock(argosy::FromUnixSeconds(1440938160));
  static argosy::auth::Verifier verifier(&store, &clock);

  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const argosy::http::HeaderView headers[] = {
      {"Authorization", TakeLine(rest)}, {"Host", "h"}, {"X-Amz-Date", "20150830T123600Z"}, {"X-Other", ""}};
  argosy::http::HeaderView all[std::size(headers)];
  std::copy(std::begin(headers), std::end(headers), std::begin(all));
  argosy::http::RequestView request;
  request.method = "GET";
  request.path = TakeLine(rest);
  request.query = TakeLine(rest);
  all[3].value = rest;
  request.headers = all;
  const auto authorization = argosy::auth::ParseAuthorization(request);
  if (const auto* view = std::get_if<AuthorizationView>(&authorization)) {
    AuthorizationView known = *view;
    known.access_key_id = "AKIA";
    const auto verdict = verifier.Verify(request, known, "UNSIGNED-PAYLOAD");
    // Nobody guesses a signature.
    if (verdict.index() == 0) __builtin_trap();
  }
  if (verifier.VerifyPresigned(request).index() == 0) __builtin_trap();
  return 0;
}
