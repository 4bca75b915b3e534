// The misbehaving server's own code; its tests are those of the store.
#include "objectstore/outside/faulty_s3.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <functional>

#include "base/bytes.h"
#include "objectstore/outside/s3_xml.h"

namespace argosy::objectstore {
namespace {

// One more piece of the connection; false at its end.
bool ReadMore(int fd, std::string& input) {
  char buffer[65536];
  const ssize_t n = read(fd, buffer, sizeof buffer);
  if (n <= 0) return false;
  input.append(buffer, static_cast<size_t>(n));
  return true;
}

// Clients that have gone end the connection, not the process.
bool SendAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

std::map<std::string, std::string> ParseQuery(std::string_view text) {
  std::map<std::string, std::string> out;
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    const size_t equals = std::min(pair.find('='), pair.size());
    out[*PercentDecode(pair.substr(0, equals))] =
        equals < pair.size() ? *PercentDecode(pair.substr(equals + 1)) : std::string();
  }
  return out;
}

std::string InQuotes(const std::string& etag) {
  return "\"" + etag + "\"";
}

}  // namespace

FaultyS3::FaultyS3() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  Check(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) == 0 && listen(listener_.get(), 64) == 0);
  Check(getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port_ = ntohs(address.sin_port);
  accepter_ = std::thread([this] { Accept(); });
}

FaultyS3::~FaultyS3() {
  shutdown(listener_.get(), SHUT_RDWR);
  accepter_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int fd : open_) shutdown(fd, SHUT_RDWR);
  }
  for (std::thread& connection : connections_) connection.join();
}

void FaultyS3::Accept() {
  for (;;) {
    const int fd = accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const std::lock_guard lock(mutex_);
    open_.push_back(fd);
    connections_.emplace_back([this, fd] {
      Serve(fd);
      const std::lock_guard closing(mutex_);
      std::erase(open_, fd);
      close(fd);
    });
  }
}

void FaultyS3::Serve(int fd) {
  std::string input;
  for (;;) {
    size_t head_end = 0;
    while ((head_end = input.find("\r\n\r\n")) == std::string::npos) {
      if (!ReadMore(fd, input)) return;
    }
    Request request;
    const std::string head = input.substr(0, head_end + 2);
    input.erase(0, head_end + 4);
    const size_t line_end = head.find("\r\n");
    const std::string line = head.substr(0, line_end);
    request.method = line.substr(0, line.find(' '));
    request.target = line.substr(request.method.size() + 1, line.rfind(' ') - request.method.size() - 1);
    for (size_t at = line_end + 2; at < head.size();) {
      const size_t end = head.find("\r\n", at);
      const std::string header = head.substr(at, end - at);
      const size_t colon = header.find(':');
      request.headers[ToLower(header.substr(0, colon))] = std::string(Trim(header.substr(colon + 1)));
      at = end + 2;
    }
    const auto length = static_cast<size_t>(ParseInt(request.headers["content-length"]).value_or(0));
    while (input.size() < length) {
      if (!ReadMore(fd, input)) return;
    }
    request.body = input.substr(0, length);
    input.erase(0, length);
    const size_t question = std::min(request.target.find('?'), request.target.size());
    const std::string path = *PercentDecode(request.target.substr(0, question));
    const size_t slash = path.find('/', 1);
    if (slash != std::string::npos) request.key = path.substr(slash + 1);
    if (question < request.target.size()) request.query = ParseQuery(request.target.substr(question + 1));

    const Fault fault = NextFault(request);
    Answer answer;
    if (fault == Fault::kBusy) {
      answer = Refuse(503, "SlowDown");
    } else {
      const std::lock_guard lock(mutex_);
      answer = Do(request);
    }
    if (fault == Fault::kSilent) {
      while (ReadMore(fd, input)) {
      }
      return;
    }
    if (!Give(fd, request, std::move(answer), fault)) return;
  }
}

Fault FaultyS3::NextFault(const Request& request) {
  {
    const std::lock_guard lock(mutex_);
    seen_.push_back(request.method + " " + request.target);
  }
  const std::lock_guard lock(choosing_);
  return choose_ ? choose_(request.method, request.target) : Fault::kNone;
}

bool FaultyS3::Give(int fd, const Request& request, Answer answer, Fault fault) {
  if (fault == Fault::kAnswerLost) return false;
  const bool good = answer.status < 300;
  if (good && fault == Fault::kWrongEtag) answer.headers["ETag"] = InQuotes(std::string(32, '0'));
  if (good && fault == Fault::kWrongByte && !answer.body.empty()) answer.body[0] ^= 1;
  if (good && fault == Fault::kShort) answer.body.resize(answer.body.size() / 2);
  std::string out = "HTTP/1.1 " + std::to_string(answer.status) + " Told\r\n";
  if (answer.headers.count("Content-Length") == 0) {
    answer.headers["Content-Length"] = std::to_string(answer.body.size());
  }
  for (const auto& [name, value] : answer.headers) out.append(name).append(": ").append(value).append("\r\n");
  out += "\r\n";
  if (request.method != "HEAD") out += answer.body;
  if (good && fault == Fault::kDroppedMidway) out.resize(out.size() - answer.body.size() / 2);
  return SendAll(fd, out) && fault != Fault::kDroppedMidway;
}

void FaultyS3::SetFaults(Choose choose) {
  const std::lock_guard lock(choosing_);
  choose_ = std::move(choose);
}

size_t FaultyS3::Count(std::string_view beginning) const {
  const std::lock_guard lock(mutex_);
  return static_cast<size_t>(
      std::ranges::count_if(seen_, [&](const std::string& line) { return line.starts_with(beginning); }));
}

void FaultyS3::Put(const std::string& key, std::string bytes) {
  const std::lock_guard lock(mutex_);
  const std::string etag = Md5Hex(bytes);
  objects_[key] = {std::move(bytes), etag, {}};
}

std::vector<std::string> FaultyS3::Keys() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> out;
  for (const auto& [key, object] : objects_) out.push_back(key);
  return out;
}

size_t FaultyS3::Uploads() const {
  const std::lock_guard lock(mutex_);
  return uploads_.size();
}

FaultyS3::Answer FaultyS3::Refuse(int status, std::string_view code) {
  return {status, {}, "<Error><Code>" + std::string(code) + "</Code><Message>no</Message></Error>"};
}

FaultyS3::Answer FaultyS3::Do(const Request& request) {
  if (request.key.empty()) return List(request);
  if (request.query.count("tagging") != 0) return Tagging(request);
  if (request.method == "GET" || request.method == "HEAD") return Get(request);
  const auto upload = request.query.find("uploadId");
  if (request.method == "DELETE") {
    if (upload != request.query.end()) {
      uploads_.erase(upload->second);
    } else {
      objects_.erase(request.key);
    }
    return {204, {}, ""};
  }
  if (request.method == "PUT") return PutObject(request);
  if (upload != request.query.end()) return Complete(request);
  const std::string id = "upload/" + std::to_string(next_upload_++);
  uploads_[id];
  return {200, {}, "<InitiateMultipartUploadResult><UploadId>" + id + "</UploadId></InitiateMultipartUploadResult>"};
}

FaultyS3::Answer FaultyS3::Get(const Request& request) {
  const auto upload = request.query.find("uploadId");
  if (upload != request.query.end()) {
    if (uploads_.count(upload->second) == 0) return Refuse(404, "NoSuchUpload");
    std::string out = "<ListPartsResult><IsTruncated>false</IsTruncated>";
    for (const auto& [number, part] : uploads_[upload->second]) {
      out += "<Part><PartNumber>" + std::to_string(number) + "</PartNumber><ETag>&quot;" + part.etag +
             "&quot;</ETag><Size>" + std::to_string(part.bytes.size()) + "</Size></Part>";
    }
    return {200, {}, out + "</ListPartsResult>"};
  }
  const auto at = objects_.find(request.key);
  if (at == objects_.end()) return Refuse(404, "NoSuchKey");
  const Object& object = at->second;
  const auto match = request.headers.find("if-match");
  if (match != request.headers.end() && match->second != InQuotes(object.etag)) {
    return Refuse(412, "PreconditionFailed");
  }
  Answer answer{200, object.headers, object.bytes};
  if (!object.tags.empty()) answer.headers["x-amz-tagging-count"] = std::to_string(object.tags.size());
  answer.headers["ETag"] = InQuotes(object.etag);
  answer.headers["Last-Modified"] = "Wed, 01 May 2024 12:34:56 GMT";
  answer.headers["Content-Length"] = std::to_string(object.bytes.size());
  const auto range = request.headers.find("range");
  if (range == request.headers.end()) return answer;
  const size_t dash = range->second.find('-');
  const auto first = static_cast<size_t>(*ParseInt(range->second.substr(6, dash - 6)));
  const auto last = static_cast<size_t>(*ParseInt(range->second.substr(dash + 1)));
  answer.status = 206;
  answer.body = object.bytes.substr(first, last - first + 1);
  answer.headers.erase("Content-Length");
  return answer;
}

FaultyS3::Answer FaultyS3::PutObject(const Request& request) {
  const auto upload = request.query.find("uploadId");
  const auto md5 = request.headers.find("content-md5");
  const std::string etag = Md5Hex(request.body);
  if (md5 != request.headers.end() && md5->second != ToBase64(*FromHex(etag))) return Refuse(400, "BadDigest");
  Object object{request.body, etag, {}};
  if (upload != request.query.end()) {
    if (uploads_.count(upload->second) == 0) return Refuse(404, "NoSuchUpload");
    uploads_[upload->second][static_cast<int>(*ParseInt(request.query.at("partNumber")))] = std::move(object);
    return {200, {{"ETag", InQuotes(etag)}}, ""};
  }
  if (request.headers.count("if-none-match") != 0 && objects_.count(request.key) != 0) {
    return Refuse(412, "PreconditionFailed");
  }
  for (const auto& [name, value] : request.headers) {
    if (name == "content-type" || name == "cache-control" || name.starts_with("x-amz-meta-") ||
        name.starts_with("x-amz-checksum-")) {
      object.headers[name] = value;
    }
  }
  if (const auto tags = request.headers.find("x-amz-tagging"); tags != request.headers.end()) {
    object.tags = ParseQuery(tags->second);
  }
  objects_[request.key] = std::move(object);
  return {200, {{"ETag", InQuotes(etag)}}, ""};
}

FaultyS3::Answer FaultyS3::Tagging(const Request& request) {
  const auto at = objects_.find(request.key);
  if (at == objects_.end()) return Refuse(404, "NoSuchKey");
  if (request.method == "GET") return {200, {}, TaggingDocument(at->second.tags)};
  at->second.tags.clear();
  if (request.method == "PUT") at->second.tags = *ParseTagging(request.body);
  return {200, {}, ""};
}

FaultyS3::Answer FaultyS3::Complete(const Request& request) {
  const auto upload = uploads_.find(request.query.at("uploadId"));
  if (upload == uploads_.end()) return Refuse(404, "NoSuchUpload");
  Object whole;
  std::string digests;
  for (const auto& [number, part] : upload->second) {
    whole.bytes += part.bytes;
    digests += *FromHex(part.etag);
  }
  whole.etag = Md5Hex(digests) + "-" + std::to_string(upload->second.size());
  const std::string etag = whole.etag;
  objects_[request.key] = std::move(whole);
  uploads_.erase(upload);
  return {
      200, {}, "<CompleteMultipartUploadResult><ETag>&quot;" + etag + "&quot;</ETag></CompleteMultipartUploadResult>"};
}

// Delimiters are overlooked, as it happens.
FaultyS3::Answer FaultyS3::List(const Request& request) const {
  const auto told = [&](const char* name) {
    const auto at = request.query.find(name);
    return at == request.query.end() ? std::string() : at->second;
  };
  const std::string prefix = told("prefix");
  const std::string after = std::max(told("continuation-token"), told("start-after"));
  const auto max = static_cast<size_t>(ParseInt(told("max-keys")).value_or(1000));
  std::string out = "<ListBucketResult>";
  size_t count = 0;
  std::string last;
  bool more = false;
  for (auto at = objects_.lower_bound(prefix); at != objects_.end() && at->first.starts_with(prefix); ++at) {
    if (!after.empty() && at->first <= after) continue;
    if (count++ == max) {
      more = true;
      break;
    }
    last = at->first;
    out += "<Contents><Key>" + PercentEncode(at->first, "/") + "</Key><LastModified>2024-05-01T12:34:56.789Z" +
           "</LastModified><ETag>&quot;" + at->second.etag + "&quot;</ETag><Size>" +
           std::to_string(at->second.bytes.size()) + "</Size></Contents>";
  }
  out += std::string("<IsTruncated>") + (more ? "true" : "false") + "</IsTruncated>";
  if (more) out += "<NextContinuationToken>" + last + "</NextContinuationToken>";
  return {200, {}, out + "</ListBucketResult>"};
}

}  // namespace argosy::objectstore
