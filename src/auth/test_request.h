// Only for tests: a request that owns its text, and verdicts as text.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/sigv4.h"
#include "http/message.h"

namespace argosy::auth {

using Headers = std::vector<std::pair<std::string, std::string>>;

class TestRequest {
 public:
  TestRequest(std::string method, std::string path, std::string query, Headers headers)
      : method_(std::move(method)), path_(std::move(path)), query_(std::move(query)), headers_(std::move(headers)) {}

  http::RequestView View() {
    views_.clear();
    for (const auto& [name, value] : headers_) views_.push_back({name, value});
    http::RequestView view;
    view.method = method_;
    view.path = path_;
    view.query = query_;
    view.headers = views_;
    return view;
  }
  Headers& headers() { return headers_; }
  std::string& path() { return path_; }
  std::string& query() { return query_; }
  void Set(std::string_view name, std::string value) {
    for (auto& [known, old] : headers_) {
      if (known == name) {
        old = std::move(value);
        return;
      }
    }
    headers_.emplace_back(name, std::move(value));
  }

 private:
  std::string method_, path_, query_;
  Headers headers_;
  std::vector<http::HeaderView> views_;
};

// The failure and its sentence.
inline std::string Say(const AuthError& error) {
  static const std::map<AuthFailure, std::string> kNames{{AuthFailure::kMissing, "missing"},
                                                         {AuthFailure::kMalformed, "malformed"},
                                                         {AuthFailure::kUnknownKey, "unknown key"},
                                                         {AuthFailure::kBadSignature, "bad signature"},
                                                         {AuthFailure::kSkewed, "skewed"},
                                                         {AuthFailure::kMalformedQuery, "malformed query"},
                                                         {AuthFailure::kExpired, "expired"},
                                                         {AuthFailure::kBadToken, "bad token"},
                                                         {AuthFailure::kExpiredToken, "expired token"}};
  EXPECT_FALSE(error.message.empty());
  return kNames.at(error.failure) + ": " + error.message;
}

}  // namespace argosy::auth
