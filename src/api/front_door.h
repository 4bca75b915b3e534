// The one handler behind the one port: finds the service a request is for, checks its signature, hands it on.
//
// A service is known by the credential scope; without one (no or broken signature) by X-Amz-Target, path and body type,
// so that the error speaks the caller's protocol. Every answer carries x-amzn-RequestId. Our own pages live under /-/,
// which no bucket can be called.
//
// Threads: one FrontDoor for each event loop (it keeps a Verifier); the services behind are shared.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "api/service.h"
#include "auth/sigv4.h"
#include "base/clock.h"
#include "base/random.h"
#include "http/handler.h"

namespace argosy::api {

// A page of our own: unauthenticated, answered on the loop.
using OwnPage = std::function<http::Response(const http::RequestView&)>;

// What stands behind the door. A null service is answered as one whose operations are all unknown.
struct FrontDoorTable {
  Service* sagemaker = nullptr;    // JSON
  Service* logs = nullptr;         // JSON
  Service* cloudwatch = nullptr;   // JSON, query, CBOR
  Service* autoscaling = nullptr;  // JSON
  Service* runtime = nullptr;      // REST: /endpoints/…; writes x-amzn-RequestId itself
  Service* s3 = nullptr;
  Service* sts = nullptr;                             // query
  Service* iam = nullptr;                             // query
  std::map<std::string, OwnPage, std::less<>> pages;  // "/-/health"
};

class FrontDoor : public http::Handler {
 public:
  // `seed` makes request ids; it should be random. `table`, `credentials` and `clock` outlive the door.
  FrontDoor(const FrontDoorTable* table, const auth::CredentialStore* credentials, const Clock* clock, uint64_t seed);
  ~FrontDoor() override;

  http::BodyPlan OnHead(const http::RequestView& head) override;
  void OnRequest(std::shared_ptr<http::Exchange> exchange, std::shared_ptr<http::BodySink> sink) override;
  http::Response OnTooLarge(const http::RequestView& head, size_t size_max) override;
  http::Response OnMalformed(int status, std::string_view text) override;

 private:
  enum class Protocol { kJson, kRest, kS3, kQuery, kOwn };
  struct Route {
    Protocol protocol = Protocol::kS3;
    Service* service = nullptr;
  };
  Route Find(const http::RequestView& request) const;
  // The principal, or the response that says why not.
  std::variant<std::shared_ptr<const auth::Principal>, http::Response> Authenticate(const http::RequestView& request,
                                                                                    Protocol protocol,
                                                                                    std::string_view payload_hash,
                                                                                    std::string_view request_id);
  // What to answer at the head to somebody who sends a large body and names no known key.
  std::optional<http::Response> RefuseStranger(const http::RequestView& head, Protocol protocol);
  void Dispatch(const Route& route, std::shared_ptr<http::Exchange> exchange, std::shared_ptr<http::BodySink> sink,
                std::shared_ptr<const auth::Principal> principal, std::string_view request_id) const;
  static http::Response AuthErrorResponse(const auth::AuthError& error, Protocol protocol,
                                          const http::RequestView& request, std::string_view request_id);
  static http::Response UnknownService(const http::RequestView& request, Protocol protocol,
                                       std::string_view request_id);

  const FrontDoorTable* table_;
  const auth::CredentialStore* credentials_;
  // Of the last head: a small request is whole with its head. Headers lie where they lay only as long as no other head
  // has come to that place, which would have been the last one then.
  Route found_;
  const http::HeaderView* found_for_ = nullptr;
  auth::Verifier verifier_;
  SeededRandom random_;
};

// {"status":"ready"}: the page of /-/health once everything answers.
http::Response HealthPage(const http::RequestView& request);

}  // namespace argosy::api
