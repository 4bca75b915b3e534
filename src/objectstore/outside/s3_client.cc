#include "objectstore/outside/s3_client.h"

#include <algorithm>

#include "auth/sigv4.h"
#include "base/bytes.h"
#include "base/log.h"
#include "objectstore/outside/s3_xml.h"

namespace argosy::objectstore {
namespace {

constexpr size_t kIdleMax = 32;                        // connections kept: as many as threads that use them
constexpr size_t kAnswerBytesMax = 16 << 20;           // of documents: a page of 1,000 names stays below 4 MiB
constexpr uint64_t kBytesPerSecondMin = 128 * 1024;    // slower is as good as away
constexpr auto kAttemptMin = std::chrono::minutes(2);  // for answers that take work there: completing, copying
constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

std::string QueryOf(const std::map<std::string, std::string>& query) {
  std::string out;
  for (const auto& [name, value] : query) {
    if (!out.empty()) out += '&';
    out += PercentEncode(name) + "=" + PercentEncode(value);
  }
  return out;
}

std::string HostOf(const std::string& endpoint) {
  return endpoint.substr(endpoint.find("://") + 3);
}

uint64_t BodySizeOf(const S3Request& request) {
  if (const auto* text = std::get_if<std::string>(&request.body)) return text->size();
  const auto* file = std::get_if<http::BodyFile>(&request.body);
  return file != nullptr ? file->length.value_or(0) : 0;
}

Duration AskedPause(const http::ClientResponse& response) {
  const std::optional<int64_t> seconds = ParseInt(response.Header("retry-after"));
  return seconds && *seconds > 0 ? Duration(std::chrono::seconds(std::min<int64_t>(*seconds, 60))) : Duration::zero();
}

// An answer of status 300 or more, or one of 200 whose body is an error (completing and copying are answered so).
Error ErrorOf(const http::ClientResponse& response) {
  const S3ErrorText told = ParseError(response.body);
  const std::string text = "the outside object store says " + std::to_string(response.status) +
                           (told.code.empty() ? "" : " " + told.code) +
                           (told.message.empty() ? "" : " (" + told.message + ")");
  const auto is = [&](std::string_view code) { return told.code == code; };
  if (is("RequestTimeout") || is("BadDigest") || is("IncompleteBody") || is("SlowDown") || is("InternalError")) {
    return Error(ErrorCode::kUnavailable, text);
  }
  if (is("NoSuchBucket")) return Error(ErrorCode::kIo, text);
  if (is("EntityTooSmall") || is("InvalidPart")) return Error(ErrorCode::kInvalidArgument, text);
  switch (response.status) {
    case 404:
      return Error(ErrorCode::kNotFound, text);
    case 412:
      return Error(ErrorCode::kConflict, text);
    case 409:  // others write to the key at this moment
    case 408:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
    case 200:
      return Error(ErrorCode::kUnavailable, text);
    case 400:
    case 405:
    case 411:
    case 414:
    case 416:
      return Error(ErrorCode::kInvalidArgument, text);
    case 507:
      return Error(ErrorCode::kNoSpace, text);
    default:
      return Error(ErrorCode::kIo, text);
  }
}

}  // namespace

std::string Unquoted(std::string_view etag) {
  etag = Trim(etag);
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

S3Client::S3Client(Location location, Patience patience, const Clock* clock, Random* random)
    : location_(std::move(location)), patience_(std::move(patience)), clock_(clock), random_(random) {}

std::unique_ptr<http::Client> S3Client::Take() {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return std::make_unique<http::Client>();
  std::unique_ptr<http::Client> client = std::move(idle_.back());
  idle_.pop_back();
  return client;
}

void S3Client::Give(std::unique_ptr<http::Client> client) {
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kIdleMax) idle_.push_back(std::move(client));
}

Result<http::ClientResponse> S3Client::SendOnce(const S3Request& request) {
  const std::string path = "/" + location_.bucket + (request.key.empty() ? "" : "/" + PercentEncode(request.key, "/"));
  const std::string query = QueryOf(request.query);
  http::ClientRequest out;
  out.method = request.method;
  out.url = location_.endpoint + path + (query.empty() ? "" : "?" + query);
  out.headers = request.headers;
  out.headers.emplace_back("host", HostOf(location_.endpoint));
  // The body is vouched for by Content-MD5, which is signed; hashing it twice would show in the time.
  out.headers.emplace_back("x-amz-content-sha256", kUnsignedPayload);
  for (auto& header : auth::Sign(location_.credential, location_.region, "s3", request.method, path, query, out.headers,
                                 kUnsignedPayload, clock_->Now())) {
    out.headers.push_back(std::move(header));
  }
  out.body = request.body;
  out.response_sink = request.sink;
  out.response_bytes_max = kAnswerBytesMax;
  out.connection = request.repeat == Repeat::kFreely ? http::ConnectionUse::kKept : http::ConnectionUse::kFresh;
  out.connect_time_max = patience_.connect_max;
  out.stall_time_max = patience_.stall_max;
  const uint64_t bytes = BodySizeOf(request) + request.answer_bytes;
  out.given_up = [this] { return stopping_.load(); };
  out.time_max = kAttemptMin + std::chrono::seconds(bytes / kBytesPerSecondMin);
  if (request.on_attempt) request.on_attempt();
  std::unique_ptr<http::Client> client = Take();
  Result<http::ClientResponse> response = client->Send(out);
  // A connection that broke is not used again.
  if (response.ok()) Give(std::move(client));
  return response;
}

Result<http::ClientResponse> S3Client::Send(const S3Request& request) {
  Retries retries(patience_.retries, clock_->Monotonic());
  for (;;) {
    if (stopping_)
      return Error(ErrorCode::kUnavailable, "the server is ending: nothing is asked of the outside any more");
    Result<http::ClientResponse> response = SendOnce(request);
    Duration asked{};
    bool taken = true;  // the outside may have done what was asked
    Status outcome;
    if (!response.ok()) {
      outcome = response.error();
    } else if (response->status >= 300 || IsError(response->body)) {
      outcome = ErrorOf(*response);
      asked = AskedPause(*response);
      taken = response->status != 503 && response->status != 429;
    } else if (request.check) {
      outcome = request.check(*response);
    }
    if (outcome.ok()) {
      NoteAnswer();
      return std::move(*response);
    }
    if (!MayPass(outcome.error())) {
      NoteAnswer();
      return outcome.error();
    }
    if (stopping_) return outcome.error();
    const bool repeatable = request.repeat != Repeat::kOnlyWhenNotTaken || !taken;
    const std::optional<Duration> pause =
        repeatable && !away_ ? retries.Next(clock_->Monotonic(), asked, *random_) : std::optional<Duration>();
    if (!pause) {
      if (repeatable) NoteAway(outcome.error());
      return Error(ErrorCode::kUnavailable, location_.ToString() + ": " + outcome.error().message());
    }
    Wait(*pause);
  }
}

void S3Client::Stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  stopped_.notify_all();
}

void S3Client::Wait(Duration pause) {
  if (patience_.pause) return patience_.pause(pause);
  std::unique_lock lock(mutex_);
  stopped_.wait_for(lock, pause, [this] { return stopping_.load(); });
}

void S3Client::NoteAnswer() {
  if (!away_.exchange(false)) return;
  Log(LogLevel::kInfo, "the outside object store answers again", {{"store", location_.ToString()}});
}

void S3Client::NoteAway(const Error& why) {
  if (away_.exchange(true)) return;
  Log(LogLevel::kError, "the outside object store does not answer as it should",
      {{"store", location_.ToString()}, {"error", why.message()}});
}

}  // namespace argosy::objectstore
