#include "http/client.h"

#include <curl/curl.h>

#include <mutex>

#include "base/bytes.h"

namespace argosy::http {
namespace {

constexpr auto kConnectTime = std::chrono::seconds(5);

struct Receiving {
  ClientResponse response;
  size_t body_bytes_max = 0;
  bool too_long = false;
};

size_t OnBody(char* data, size_t size, size_t count, void* user) {
  auto* receiving = static_cast<Receiving*>(user);
  const size_t bytes = size * count;
  if (receiving->response.body.size() + bytes > receiving->body_bytes_max) {
    receiving->too_long = true;
    return 0;
  }
  receiving->response.body.append(data, bytes);
  return bytes;
}

size_t OnHeader(char* data, size_t size, size_t count, void* user) {
  auto* receiving = static_cast<Receiving*>(user);
  const std::string_view line(data, size * count);
  if (line.starts_with("HTTP/")) {  // a new head: what an interim answer (100) brought is over
    receiving->response.headers.clear();
  } else if (const size_t colon = line.find(':'); colon != std::string_view::npos) {
    receiving->response.headers.emplace_back(ToLower(line.substr(0, colon)), Trim(line.substr(colon + 1)));
  }
  return size * count;
}

Error SendError(CURLcode code, const char* detail) {
  const std::string text = *detail != '\0' ? detail : curl_easy_strerror(code);
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return {ErrorCode::kDeadlineExceeded, text};
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return {ErrorCode::kInvalidArgument, text};
    default:
      return {ErrorCode::kUnavailable, text};
  }
}

}  // namespace

std::string_view ClientResponse::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

struct Client::Impl {
  CURL* curl = nullptr;
  char detail[CURL_ERROR_SIZE] = {};
};

Client::Client() : impl_(std::make_unique<Impl>()) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  impl_->curl = curl_easy_init();
  Check(impl_->curl != nullptr, "curl_easy_init");
}

Client::~Client() {
  if (impl_) curl_easy_cleanup(impl_->curl);
}
Client::Client(Client&& other) noexcept = default;
Client& Client::operator=(Client&& other) noexcept {
  std::swap(impl_, other.impl_);
  return *this;
}

Result<ClientResponse> Client::Send(const ClientRequest& request) {
  CURL* curl = impl_->curl;
  curl_easy_reset(curl);  // options only: the connection stays
  Receiving receiving;
  receiving.body_bytes_max = request.body_bytes_max;
  impl_->detail[0] = '\0';

  curl_slist* headers = nullptr;
  for (const auto& [name, value] : request.headers) {
    // "name;" is how libcurl spells a header without a value.
    headers = curl_slist_append(headers, (value.empty() ? name + ";" : name + ": " + value).c_str());
  }
  for (const char* unwanted : {"Expect:", "Accept:", "Content-Type:"}) {
    const std::string_view name = std::string_view(unwanted).substr(0, std::string_view(unwanted).size() - 1);
    bool given = false;
    for (const auto& [key, value] : request.headers) given = given || EqualsIgnoreCase(key, name);
    if (!given) headers = curl_slist_append(headers, unwanted);
  }

  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_PROXY, "");  // the server is where the URL says
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, impl_->detail);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::chrono::milliseconds(kConnectTime).count()));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &receiving);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, OnHeader);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &receiving);
  if (request.method == "HEAD") {
    curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  } else if (request.method != "GET") {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.empty() ? "" : request.body.data());
  }
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method == "HEAD" ? nullptr : request.method.c_str());

  const CURLcode code = curl_easy_perform(curl);
  curl_slist_free_all(headers);
  if (receiving.too_long) {
    return Error(ErrorCode::kResourceExhausted,
                 "the answer is longer than the " + std::to_string(request.body_bytes_max) + " bytes allowed");
  }
  if (code != CURLE_OK) return SendError(code, impl_->detail);
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  receiving.response.status = static_cast<int>(status);
  return std::move(receiving.response);
}

}  // namespace argosy::http
