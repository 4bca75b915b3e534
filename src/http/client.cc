#include "http/client.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/bytes.h"
#include "base/files.h"

namespace argosy::http {
namespace {

constexpr long kSocketBytes = 512 * 1024;  // curl's buffers for bodies: its largest

struct Freed {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using HeaderList = std::unique_ptr<curl_slist, Freed>;

struct Peer {
  std::string place;  // host:port
  bool loopback;
};

std::optional<Peer> PeerOf(const std::string& url) {
  const std::unique_ptr<CURLU, Freed> parsed(curl_url());
  if (!parsed || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
    return {};
  const auto part = [&](CURLUPart which) -> std::string {
    char* text = nullptr;
    if (curl_url_get(parsed.get(), which, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return "";
    std::string out(text);
    curl_free(text);
    return out;
  };
  const std::string scheme = part(CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return {};
  const std::string host = part(CURLUPART_HOST);
  return Peer{host + ":" + part(CURLUPART_PORT), host == "localhost" || host == "[::1]" || host.starts_with("127.")};
}

void Append(HeaderList& list, const std::string& line) {
  curl_slist* const own = list.release();
  curl_slist* const longer = curl_slist_append(own, line.c_str());
  Check(longer != nullptr, "out of memory");
  list.reset(longer);
}

long Millis(Duration time) {
  return static_cast<long>(std::chrono::ceil<std::chrono::milliseconds>(time).count());
}

std::string Seconds(Duration time) {
  return std::to_string(std::chrono::ceil<std::chrono::seconds>(time).count()) + " s";
}

// One exchange's state, seen by curl's callbacks.
struct Transfer {
  CURL* curl;
  const ClientRequest* request;
  ClientResponse response;
  Status failure;  // of ours, when a callback has ended the transfer

  UniqueFd body;
  uint64_t body_begin = 0;
  uint64_t body_size = 0;
  uint64_t body_sent = 0;

  UniqueFd file;  // open once a 2xx body comes
  std::filesystem::path file_aside;

  Status OpenBody(const BodyFile& from) {
    Result<UniqueFd> fd = OpenFile(from.path, O_RDONLY);
    if (!fd) return fd.error();
    struct stat info{};
    if (fstat(fd->get(), &info) != 0) return ErrnoError("reading " + from.path.string(), errno);
    if (!S_ISREG(info.st_mode)) return Error(ErrorCode::kInvalidArgument, from.path.string() + " is not a file");
    const auto size = static_cast<uint64_t>(info.st_size);
    if (from.offset > size || (from.length && *from.length > size - from.offset)) {
      return Error(ErrorCode::kInvalidArgument, from.path.string() + " is shorter than the part to be sent");
    }
    body = std::move(*fd);
    body_begin = from.offset;
    body_size = from.length.value_or(size - from.offset);
    return {};
  }

  Status OpenResponseFile() {
    file_aside = *request->response_file;
    file_aside += ".part" + std::to_string(getpid());
    Result<UniqueFd> fd = OpenFile(file_aside, O_WRONLY | O_CREAT | O_TRUNC);
    if (!fd) return fd.error();
    file = std::move(*fd);
    return {};
  }

  bool IsGood() const {
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    return status >= 200 && status < 300;
  }
  bool WantsFile() const { return request->response_file.has_value() && IsGood(); }

  Status Take(std::string_view bytes) {
    if (request->response_sink && IsGood()) return request->response_sink(response, bytes);
    if (WantsFile()) {
      if (!file.valid()) {
        if (Status status = OpenResponseFile(); !status) return status;
      }
      return WriteAll(file.get(), bytes);
    }
    if (bytes.size() > request->response_bytes_max - response.body.size()) {
      return Error(ErrorCode::kResourceExhausted,
                   "the answer is larger than " + std::to_string(request->response_bytes_max) + " bytes");
    }
    response.body.append(bytes);
    return {};
  }

  Status Publish() {
    if (!WantsFile()) return {};
    if (!file.valid()) {  // an empty body
      if (Status status = OpenResponseFile(); !status) return status;
    }
    file.reset();
    if (rename(file_aside.c_str(), request->response_file->c_str()) != 0) {
      return ErrnoError("writing " + request->response_file->string(), errno);
    }
    file_aside.clear();
    return {};
  }

  ~Transfer() {
    if (!file_aside.empty()) unlink(file_aside.c_str());
  }
};

size_t OnBody(char* data, size_t size, size_t count, void* context) {
  auto* transfer = static_cast<Transfer*>(context);
  transfer->failure = transfer->Take({data, size * count});
  return transfer->failure.ok() ? size * count : 0;
}

size_t OnHeader(char* data, size_t size, size_t count, void* context) {
  auto& headers = static_cast<Transfer*>(context)->response.headers;
  const std::string_view line(data, size * count);
  if (line.starts_with("HTTP/")) headers.clear();  // a 100 Continue came before
  const size_t colon = line.find(':');
  if (colon != std::string_view::npos) headers.emplace_back(line.substr(0, colon), Trim(line.substr(colon + 1)));
  return size * count;
}

size_t OnRead(char* data, size_t size, size_t count, void* context) {
  auto* transfer = static_cast<Transfer*>(context);
  const size_t want = static_cast<size_t>(std::min<uint64_t>(size * count, transfer->body_size - transfer->body_sent));
  if (want == 0) return 0;
  const ssize_t n =
      pread(transfer->body.get(), data, want, static_cast<off_t>(transfer->body_begin + transfer->body_sent));
  if (n <= 0) {
    transfer->failure = n < 0 ? ErrnoError("reading the file to be sent", errno)
                              : Error(ErrorCode::kIo, "the file to be sent has become shorter meanwhile");
    return CURL_READFUNC_ABORT;
  }
  transfer->body_sent += static_cast<uint64_t>(n);
  return static_cast<size_t>(n);
}

int OnProgress(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  auto* transfer = static_cast<Transfer*>(context);
  if (!transfer->request->given_up()) return 0;
  transfer->failure = Error(ErrorCode::kUnavailable, "the request was given up");
  return 1;
}

int OnSeek(void* context, curl_off_t offset, int origin) {
  if (origin != SEEK_SET || offset < 0) return CURL_SEEKFUNC_CANTSEEK;
  static_cast<Transfer*>(context)->body_sent = static_cast<uint64_t>(offset);
  return CURL_SEEKFUNC_OK;
}

Error Explain(CURLcode code, const Peer& peer, const ClientRequest& request, const char* details) {
  switch (code) {
    case CURLE_COULDNT_CONNECT:
      return Error(ErrorCode::kUnavailable,
                   "cannot connect to " + peer.place +
                       (peer.loopback ? ": is `argosy up` running?" : ": is the server up, and this its address?"));
    case CURLE_COULDNT_RESOLVE_HOST:
      return Error(ErrorCode::kUnavailable, "cannot connect to " + peer.place + ": no host of this name is known");
    case CURLE_OPERATION_TIMEDOUT:
      return Error(ErrorCode::kDeadlineExceeded,
                   peer.place + " did not answer within " +
                       Seconds(request.time_max > Duration::zero() ? std::min(request.time_max, request.stall_time_max)
                                                                   : request.stall_time_max));
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
      return Error(ErrorCode::kUnavailable,
                   peer.place + " closed the connection in the middle; the server's log may say why");
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return Error(ErrorCode::kUnavailable, "what answers at " + peer.place + " does not speak HTTP");
    default:
      return Error(ErrorCode::kUnavailable,
                   "talking to " + peer.place + ": " + (*details != '\0' ? details : curl_easy_strerror(code)));
  }
}

CURL* NewHandle() {
  static const CURLcode kReady = curl_global_init(CURL_GLOBAL_DEFAULT);
  Check(kReady == CURLE_OK, "libcurl does not start");
  CURL* handle = curl_easy_init();
  Check(handle != nullptr, "out of memory");
  return handle;
}

}  // namespace

std::string_view ClientResponse::Header(std::string_view name) const {
  for (const auto& [known, value] : headers) {
    if (EqualsIgnoreCase(known, name)) return value;
  }
  return {};
}

struct Client::Impl {
  std::unique_ptr<CURL, Freed> curl{NewHandle()};
};

Client::Client() : impl_(std::make_unique<Impl>()) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

Result<ClientResponse> Client::Send(const ClientRequest& request) {
  const std::optional<Peer> peer = PeerOf(request.url);
  if (!peer) return Error(ErrorCode::kInvalidArgument, "'" + request.url + "' is not an http or https URL");
  CURL* const curl = impl_->curl.get();
  curl_easy_reset(curl);  // keeps the connection
  Transfer transfer{.curl = curl, .request = &request};
  char details[CURL_ERROR_SIZE] = "";

  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, details);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  if (peer->loopback) curl_easy_setopt(curl, CURLOPT_PROXY, "");  // never through a proxy
  if (request.connection == ConnectionUse::kFresh) curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
  curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, kSocketBytes);
  curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, kSocketBytes);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, OnHeader);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, Millis(request.connect_time_max));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, Millis(request.time_max));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME,
                   static_cast<long>(std::chrono::ceil<std::chrono::seconds>(request.stall_time_max).count()));

  if (request.given_up) {
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, OnProgress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
  }

  HeaderList headers;
  bool has_expect = false;
  bool has_content_type = false;
  for (const auto& [name, value] : request.headers) {
    if (name.find_first_of("\r\n") != std::string::npos || value.find_first_of("\r\n") != std::string::npos) {
      return Error(ErrorCode::kInvalidArgument, "a header holds a line break");
    }
    Append(headers, value.empty() ? name + ";" : name + ": " + value);
    has_expect = has_expect || EqualsIgnoreCase(name, "expect");
    has_content_type = has_content_type || EqualsIgnoreCase(name, "content-type");
  }
  if (!has_expect) Append(headers, "Expect:");
  if (!has_content_type) Append(headers, "Content-Type:");
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());

  if (const auto* text = std::get_if<std::string>(&request.body)) {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(text->size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, text->c_str());
  } else if (const auto* file = std::get_if<BodyFile>(&request.body)) {
    if (Status status = transfer.OpenBody(*file); !status) return status.error();
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(transfer.body_size));
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, OnRead);
    curl_easy_setopt(curl, CURLOPT_READDATA, &transfer);
    curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, OnSeek);
    curl_easy_setopt(curl, CURLOPT_SEEKDATA, &transfer);
  } else if (request.method == "POST" || request.method == "PUT") {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t{0});  // says Content-Length: 0
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
  }
  if (request.method == "HEAD") {
    curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  } else {
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }

  const CURLcode code = curl_easy_perform(curl);
  if (!transfer.failure) return transfer.failure.error();
  if (code != CURLE_OK) return Explain(code, *peer, request, details);
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  transfer.response.status = static_cast<int>(status);
  if (Status published = transfer.Publish(); !published) return published.error();
  return std::move(transfer.response);
}

}  // namespace argosy::http
