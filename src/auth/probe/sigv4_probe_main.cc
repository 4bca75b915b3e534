// Lets a test in another language try the signature code: JSON requests on standard input, one a line, one JSON answer
// a line on standard output.
//
//   {"op":"verify","now":1714566896,"access_key":…,"secret":…,"token":"","request":"GET /
//   HTTP/1.1\r\n…","payload_hash":…}
//     → {"verdict":"ok","arn":…} or {"verdict":"kBadSignature","message":…}; "request" is a whole head as it is sent
//   {"op":"sign","now":…,"access_key":…,"secret":…,"token":…,"region":…,"service":…,"method":…,"path":…,"query":…,
//    "headers":[[name,value],…],"payload_hash":…}
//     → {"headers":[[name,value],…]}
//   sigv4_probe --bench prints what one check of a typical signed request costs.
#include <ctime>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "auth/credentials.h"
#include "auth/hmac.h"
#include "auth/key_ring.h"
#include "auth/sigv4.h"
#include "base/json.h"
#include "http/parser.h"

namespace argosy::auth {
namespace {

std::string_view FailureName(AuthFailure failure) {
  switch (failure) {
    case AuthFailure::kMissing:
      return "kMissing";
    case AuthFailure::kMalformed:
      return "kMalformed";
    case AuthFailure::kMalformedQuery:
      return "kMalformedQuery";
    case AuthFailure::kExpired:
      return "kExpired";
    case AuthFailure::kUnknownKey:
      return "kUnknownKey";
    case AuthFailure::kBadSignature:
      return "kBadSignature";
    case AuthFailure::kSkewed:
      return "kSkewed";
    case AuthFailure::kExpiredToken:
      return "kExpiredToken";
    case AuthFailure::kBadToken:
      return "kBadToken";
  }
  return "?";
}

Json Refused(const AuthError& error) {
  return {{"verdict", FailureName(error.failure)}, {"message", error.message}};
}

Credential ReadCredential(const Json& in) {
  return {in.at("access_key").get<std::string>(), in.at("secret").get<std::string>(), in.value("token", ""),
          OwnerPrincipal()};
}

Json Verify(const Json& in) {
  const KeyRing store(ReadCredential(in));
  const ManualClock clock(FromUnixSeconds(in.at("now").get<double>()));
  Verifier verifier(&store, &clock);
  const std::string text = in.at("request").get<std::string>();
  http::HeadParser head;
  if (head.Parse(text) != http::HeadOutcome::kComplete) {
    return {{"verdict", "not HTTP"}, {"message", std::string(head.refusal().reason)}};
  }
  const auto authorization = ParseAuthorization(head.request());
  if (const auto* error = std::get_if<AuthError>(&authorization)) return Refused(*error);
  const std::string payload_hash = in.at("payload_hash").get<std::string>();
  Json out;
  // Twice: with a derived key, and with the kept one when there is one.
  for (int i = 0; i < 2; ++i) {
    const auto verdict = verifier.Verify(head.request(), std::get<AuthorizationView>(authorization), payload_hash);
    const auto* error = std::get_if<AuthError>(&verdict);
    Json said = error != nullptr
                    ? Refused(*error)
                    : Json{{"verdict", "ok"}, {"arn", std::get<std::shared_ptr<const Principal>>(verdict)->arn}};
    if (i == 1 && said != out) return {{"verdict", "differs when asked twice"}};
    out = std::move(said);
  }
  return out;
}

Json SignRequest(const Json& in) {
  const auto headers =
      Sign(ReadCredential(in), in.at("region").get<std::string>(), in.at("service").get<std::string>(),
           in.at("method").get<std::string>(), in.at("path").get<std::string>(), in.at("query").get<std::string>(),
           in.at("headers").get<std::vector<std::pair<std::string, std::string>>>(),
           in.at("payload_hash").get<std::string>(), FromUnixSeconds(in.at("now").get<double>()));
  return {{"headers", headers}};
}

// An InvokeEndpoint as boto3 sends it, a CSV row of 143 bytes; parse, hash the body, check.
void Bench() {
  const Time now = FromUnixSeconds(1714566896);
  SeededRandom random(1);
  const KeyRing store(NewCredential(random, OwnerPrincipal()));
  const ManualClock clock(now);
  Verifier verifier(&store, &clock);
  const std::string body(143, '1');
  const HexDigest hash = ToHexDigest(FastSha256(body));
  std::vector<std::pair<std::string, std::string>> headers{
      {"Host", "127.0.0.1:9000"},
      {"Content-Type", "text/csv"},
      {"User-Agent",
       "Boto3/1.34.0 md/Botocore#1.34.0 ua/2.0 os/linux#6.1 md/arch#x86_64 lang/python#3.11 md/pyimpl#CPython"},
      {"amz-sdk-invocation-id", "0c3b8e5a-6a50-4e4c-8b52-9d1f8ad1b0ce"},
      {"amz-sdk-request", "attempt=1"},
      {"Accept-Encoding", "identity"},
      {"Content-Length", "143"}};
  const std::string path = "/endpoints/linear-learner-2024-05-01-12-34-56-789/invocations";
  for (auto& header : Sign(store.owner(), "us-east-1", "sagemaker", "POST", path, "", headers, AsText(hash), now)) {
    headers.push_back(std::move(header));
  }
  std::string text = "POST " + path + " HTTP/1.1\r\n";
  for (const auto& [name, value] : headers) text.append(name).append(": ").append(value).append("\r\n");
  text += "\r\n";

  constexpr int kRounds = 1'000'000;
  // Of this thread's processor time, so that a busy machine counts for less.
  const auto thread_time = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
  };
  const auto nanos = [&](auto work) {
    const double start = thread_time();
    for (int i = 0; i < kRounds; ++i) work();
    return (thread_time() - start) / kRounds;
  };
  http::HeadParser head;
  const double parse = nanos([&] { Check(head.Parse(text) == http::HeadOutcome::kComplete); });
  const double body_hash = nanos([&] { Check(AsText(ToHexDigest(FastSha256(body))) == AsText(hash)); });
  const double check = nanos([&] {
    const auto authorization = ParseAuthorization(head.request());
    Check(verifier.Verify(head.request(), std::get<AuthorizationView>(authorization), AsText(hash)).index() == 0);
  });
  std::cout << "head of " << text.size() << " bytes: parse " << parse << " ns; body of " << body.size()
            << " bytes: SHA-256 " << body_hash << " ns; signature check (all but the body's hash): " << check
            << " ns\n";
}

int Run() {
  std::string line;
  while (std::getline(std::cin, line)) {
    const Result<Json> in = ParseJson(line);
    if (!in) {
      std::cerr << in.error().message() << "\n";
      return 2;
    }
    const Json out = in->at("op") == "sign" ? SignRequest(*in) : Verify(*in);
    std::cout << DumpJson(out) << "\n" << std::flush;
  }
  return 0;
}

}  // namespace
}  // namespace argosy::auth

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "--bench") {
    argosy::auth::Bench();
    return 0;
  }
  return argosy::auth::Run();
}
