#include "main/api_client.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>

#include "auth/credentials.h"
#include "auth/sigv4.h"
#include "base/bytes.h"
#include "base/files.h"
#include "http/client.h"
#include "main/api_error.h"
#include "main/data_directory.h"

namespace argosy::main {
namespace {

constexpr uint64_t kPartBytesMin = 16 << 20;  // what one request holds in memory
constexpr uint64_t kPartsMax = 9000;          // S3 allows 10,000
constexpr size_t kListedKeysMax = 1000;       // what S3 lists at once
constexpr uint64_t kReplyBytesMax = 256u << 20;
constexpr auto kStallTime = std::chrono::seconds(120);  // an endpoint may think for a minute
constexpr auto kHealthTime = std::chrono::seconds(5);

using Headers = std::vector<std::pair<std::string, std::string>>;

// "http://127.0.0.1:9000" → "127.0.0.1:9000", as the Host header has it.
std::string HostOf(const std::string& endpoint) {
  return endpoint.substr(endpoint.find("://") + 3);
}

std::string ObjectPath(const std::string& bucket, const std::string& key) {
  return "/" + PercentEncode(bucket) + "/" + PercentEncode(key, "/");
}

Result<std::string> ReadRange(int fd, uint64_t offset, uint64_t length) {
  std::string bytes(length, '\0');
  size_t done = 0;
  while (done < length) {
    const ssize_t n = pread(fd, bytes.data() + done, length - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoError("reading", errno);
    if (n == 0) return Error(ErrorCode::kConflict, "the file has become shorter while it was read");
    done += static_cast<size_t>(n);
  }
  return bytes;
}

Result<pugi::xml_document> ParseXml(const std::string& text) {
  pugi::xml_document document;
  if (!document.load_buffer(text.data(), text.size())) {
    return Error(ErrorCode::kInternal, "the server's answer is not XML");
  }
  return document;
}

// Of the query protocol's answers.
Json ElementsOf(const pugi::xml_node& parent, int depth) {
  constexpr int kDepthMax = 16;
  Json out = Json::object();
  if (depth > kDepthMax) return out;
  for (const pugi::xml_node& child : parent.children()) {
    if (child.type() != pugi::node_element) continue;
    if (!child.child("member").empty()) {
      Json list = Json::array();
      for (const pugi::xml_node& member : child.children("member")) list.push_back(ElementsOf(member, depth + 1));
      out[child.name()] = std::move(list);
    } else if (child.first_child().type() == pugi::node_element) {
      out[child.name()] = ElementsOf(child, depth + 1);
    } else {
      out[child.name()] = child.text().get();
    }
  }
  return out;
}

}  // namespace

struct ApiClient::Impl {
  Impl(std::string endpoint_url, std::string region_name, auth::Credential key)
      : endpoint(std::move(endpoint_url)), region(std::move(region_name)), credential(std::move(key)) {}

  Result<ApiReply> Send(std::string_view service, const std::string& method, const std::string& path,
                        const std::string& query, Headers headers, std::string body);
  // As above; anything but 2xx is an error.
  Result<ApiReply> SendOk(std::string_view service, const std::string& method, const std::string& path,
                          const std::string& query, Headers headers, std::string body);
  Result<Json> Call(std::string_view service, std::string target, const Json& request);
  Status PutInParts(const std::string& path, int fd, uint64_t size, const std::function<void(uint64_t)>& progress);

  const std::string endpoint;
  const std::string region;
  const auth::Credential credential;
  const SystemClock clock;
  http::Client client;
};

Result<ApiReply> ApiClient::Impl::Send(std::string_view service, const std::string& method, const std::string& path,
                                       const std::string& query, Headers headers, std::string body) {
  const std::string hash = Sha256Hex(body);
  headers.emplace_back("host", HostOf(endpoint));
  if (service == "s3") headers.emplace_back("x-amz-content-sha256", hash);
  Headers signed_headers = auth::Sign(credential, region, service, method, path, query, headers, hash, clock.Now());
  headers.insert(headers.end(), signed_headers.begin(), signed_headers.end());

  http::ClientRequest request;
  request.method = method;
  request.url = endpoint + path + (query.empty() ? "" : "?" + query);
  request.headers = std::move(headers);
  if (!body.empty()) request.body = std::move(body);
  request.response_bytes_max = kReplyBytesMax;
  request.stall_time_max = kStallTime;
  Result<http::ClientResponse> response = client.Send(request);
  if (!response.ok()) {
    return Error(ErrorCode::kUnavailable,
                 fmt::format("no server answers at {} ({}); start one with `argosy up --detach`", endpoint,
                             response.error().message()));
  }
  return ApiReply{response->status, std::move(response->headers), std::move(response->body)};
}

Result<ApiReply> ApiClient::Impl::SendOk(std::string_view service, const std::string& method, const std::string& path,
                                         const std::string& query, Headers headers, std::string body) {
  Result<ApiReply> reply = Send(service, method, path, query, std::move(headers), std::move(body));
  if (reply.ok() && (reply->status < 200 || reply->status > 299)) return ServiceRefusal(*reply);
  return reply;
}

Result<Json> ApiClient::Impl::Call(std::string_view service, std::string target, const Json& request) {
  Headers headers{{"content-type", "application/x-amz-json-1.1"}, {"x-amz-target", std::move(target)}};
  const Result<ApiReply> reply = SendOk(service, "POST", "/", "", std::move(headers), DumpJson(request));
  if (!reply.ok()) return reply.error();
  if (reply->body.empty()) return Json::object();
  return ParseJson(reply->body);
}

ApiClient::ApiClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ApiClient::~ApiClient() = default;
ApiClient::ApiClient(ApiClient&&) noexcept = default;

Result<auth::Credential> ReadCredential(const Options& options) {
  if (!options.access_key_id.empty()) {
    return auth::Credential{options.access_key_id, options.secret_access_key, "", auth::OwnerPrincipal()};
  }
  if (const std::optional<ServerRecord> server = FindServer(options.data_dir); server && server->keys_given) {
    return Error(ErrorCode::kPermissionDenied,
                 fmt::format("the server in {} runs with keys that it was given from outside; set the same "
                             "ARGOSY_ACCESS_KEY_ID and ARGOSY_SECRET_ACCESS_KEY here",
                             options.data_dir.string()));
  }
  constexpr size_t kCredentialsBytesMax = 64 * 1024;
  const std::filesystem::path file = options.data_dir / "credentials";
  const Result<std::string> text = ReadFile(file, kCredentialsBytesMax);
  if (!text.ok()) {
    if (text.error().code() != ErrorCode::kNotFound) return text.error();
    return Error(ErrorCode::kUnavailable,
                 fmt::format("no server has been started in {} yet; start one with `argosy up --detach`",
                             options.data_dir.string()));
  }
  Result<auth::Credential> credential = auth::ParseCredentialsFile(*text);
  if (!credential.ok()) return credential.error().Wrap(file.string());
  return credential;
}

Result<ApiClient> ApiClient::Connect(const Options& options) {
  if (!options.endpoint.empty()) {
    const auto id = ProcessEnvironment("AWS_ACCESS_KEY_ID");
    const auto secret = ProcessEnvironment("AWS_SECRET_ACCESS_KEY");
    if (options.access_key_id.empty() && id && secret) {
      auth::Credential credential{*id, *secret, ProcessEnvironment("AWS_SESSION_TOKEN").value_or(""), {}};
      return ApiClient(std::make_unique<Impl>(options.endpoint, options.region, std::move(credential)));
    }
  }
  Result<auth::Credential> credential = ReadCredential(options);
  if (!credential.ok()) return credential.error();
  std::string endpoint = options.endpoint;
  if (endpoint.empty()) {
    const std::optional<ServerRecord> server = FindServer(options.data_dir);
    if (!server) {
      return Error(ErrorCode::kUnavailable,
                   fmt::format("no server runs in {}; start one with `argosy up --detach`", options.data_dir.string()));
    }
    endpoint = server->endpoint;
  }
  return ApiClient(std::make_unique<Impl>(std::move(endpoint), options.region, std::move(*credential)));
}

const std::string& ApiClient::endpoint() const {
  return impl_->endpoint;
}

const std::string& ApiClient::region() const {
  return impl_->region;
}

Result<Json> ApiClient::SageMaker(std::string_view operation, const Json& request) {
  return impl_->Call("sagemaker", "SageMaker." + std::string(operation), request);
}

Result<Json> ApiClient::Logs(std::string_view operation, const Json& request) {
  return impl_->Call("logs", "Logs_20140328." + std::string(operation), request);
}

Result<Json> ApiClient::Iam(std::string_view action, const std::vector<std::pair<std::string, std::string>>& fields) {
  std::string form = fmt::format("Action={}&Version=2010-05-08", action);
  for (const auto& [name, value] : fields) form += fmt::format("&{}={}", name, PercentEncode(value));
  Headers headers{{"content-type", "application/x-www-form-urlencoded"}};
  const Result<ApiReply> reply = impl_->SendOk("iam", "POST", "/", "", std::move(headers), std::move(form));
  if (!reply.ok()) return reply.error();
  const Result<pugi::xml_document> xml = ParseXml(reply->body);
  if (!xml.ok()) return xml.error();
  const std::string name(action);
  return ElementsOf(xml->child((name + "Response").c_str()).child((name + "Result").c_str()), 0);
}

Status ApiClient::EnsureBucket(const std::string& bucket) {
  const std::string path = "/" + PercentEncode(bucket);
  const Result<ApiReply> there = impl_->Send("s3", "HEAD", path, "", {}, "");
  if (!there.ok()) return there.error();
  if (there->status == 200) return {};
  const Result<ApiReply> made = impl_->SendOk("s3", "PUT", path, "", {}, "");
  if (made.ok() || made.error().code() == ErrorCode::kAlreadyExists) return {};
  return made.error().Wrap("making the bucket " + bucket);
}

Result<std::optional<uint64_t>> ApiClient::ObjectSize(const std::string& bucket, const std::string& key) {
  const Result<ApiReply> reply = impl_->Send("s3", "HEAD", ObjectPath(bucket, key), "", {}, "");
  if (!reply.ok()) return reply.error();
  if (reply->status == 404) return std::optional<uint64_t>();
  if (reply->status != 200) return ServiceRefusal(*reply);
  const std::optional<int64_t> size = ParseInt(reply->Header("content-length"));
  return size ? std::optional<uint64_t>(static_cast<uint64_t>(*size)) : std::nullopt;
}

Status ApiClient::Impl::PutInParts(const std::string& path, int fd, uint64_t size,
                                   const std::function<void(uint64_t)>& progress) {
  const Result<ApiReply> begun = SendOk("s3", "POST", path, "uploads=", {}, "");
  if (!begun.ok()) return begun.error();
  const Result<pugi::xml_document> begun_xml = ParseXml(begun->body);
  if (!begun_xml.ok()) return begun_xml.error();
  const std::string upload = begun_xml->child("InitiateMultipartUploadResult").child("UploadId").text().get();

  const uint64_t part_bytes = std::max(kPartBytesMin, size / kPartsMax + 1);
  std::string list = "<CompleteMultipartUpload>";
  Status done;
  for (uint64_t offset = 0, number = 1; offset < size && done.ok(); offset += part_bytes, ++number) {
    const Result<std::string> bytes = ReadRange(fd, offset, std::min(part_bytes, size - offset));
    if (!bytes.ok()) {
      done = bytes.error();
      break;
    }
    const std::string query = fmt::format("partNumber={}&uploadId={}", number, PercentEncode(upload));
    const Result<ApiReply> sent = SendOk("s3", "PUT", path, query, {}, *bytes);
    if (!sent.ok()) {
      done = sent.error();
      break;
    }
    list += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", number, sent->Header("etag"));
    progress(offset + bytes->size());
  }
  const std::string by_upload = "uploadId=" + PercentEncode(upload);
  if (done.ok()) {
    const Result<ApiReply> completed = SendOk("s3", "POST", path, by_upload, {{"content-type", "application/xml"}},
                                              list + "</CompleteMultipartUpload>");
    if (!completed.ok()) done = completed.error();
  }
  // What was sent of a failed upload is of no use to anyone.
  if (!done.ok()) (void)Send("s3", "DELETE", path, by_upload, {}, "");
  return done;
}

Status ApiClient::PutFile(const std::string& bucket, const std::string& key, const std::filesystem::path& file,
                          const std::function<void(uint64_t)>& progress) {
  Result<UniqueFd> fd = OpenFile(file, O_RDONLY);
  if (!fd.ok()) return fd.error();
  struct stat info{};
  if (fstat(fd->get(), &info) != 0) return ErrnoError("reading " + file.string(), errno);
  const auto size = static_cast<uint64_t>(info.st_size);
  const std::string path = ObjectPath(bucket, key);
  if (size > kPartBytesMin) return impl_->PutInParts(path, fd->get(), size, progress);
  const Result<std::string> bytes = ReadRange(fd->get(), 0, size);
  if (!bytes.ok()) return bytes.error();
  const Result<ApiReply> sent = impl_->SendOk("s3", "PUT", path, "", {{"content-type", "text/csv"}}, *bytes);
  if (!sent.ok()) return sent.error();
  progress(size);
  return {};
}

Result<std::string> ApiClient::GetStart(const std::string& bucket, const std::string& key, uint64_t bytes_max) {
  Headers headers{{"range", fmt::format("bytes=0-{}", bytes_max - 1)}};
  Result<ApiReply> reply = impl_->SendOk("s3", "GET", ObjectPath(bucket, key), "", std::move(headers), "");
  if (!reply.ok()) return reply.error();
  return std::move(reply->body);
}

Status ApiClient::GetFile(const std::string& bucket, const ListedObject& object, const std::filesystem::path& file) {
  constexpr uint64_t kPieceBytes = 8 << 20;
  Result<UniqueFd> out = OpenFile(file, O_WRONLY | O_CREAT | O_EXCL, 0600);
  if (!out.ok()) return out.error();
  for (uint64_t at = 0; at < object.size; at += kPieceBytes) {
    Headers headers{{"range", fmt::format("bytes={}-{}", at, std::min(at + kPieceBytes, object.size) - 1)}};
    const Result<ApiReply> reply =
        impl_->SendOk("s3", "GET", ObjectPath(bucket, object.key), "", std::move(headers), "");
    if (!reply.ok()) return reply.error().Wrap(fmt::format("s3://{}/{}", bucket, object.key));
    if (Status written = WriteAll(out->get(), reply->body); !written.ok()) return written;
  }
  return {};
}

Result<std::vector<ListedObject>> ApiClient::ListObjects(const std::string& bucket, const std::string& prefix) {
  const std::string query =
      fmt::format("encoding-type=url&list-type=2&max-keys={}&prefix={}", kListedKeysMax, PercentEncode(prefix));
  const Result<ApiReply> reply = impl_->SendOk("s3", "GET", "/" + PercentEncode(bucket), query, {}, "");
  if (!reply.ok()) return reply.error();
  const Result<pugi::xml_document> xml = ParseXml(reply->body);
  if (!xml.ok()) return xml.error();
  std::vector<ListedObject> objects;
  for (const pugi::xml_node& object : xml->child("ListBucketResult").children("Contents")) {
    const std::optional<std::string> key = FormDecode(object.child("Key").text().get());
    const uint64_t size = object.child("Size").text().as_ullong();
    if (key && size > 0) objects.push_back({*key, size});
  }
  return objects;
}

Result<ApiReply> ApiClient::Invoke(const std::string& endpoint_name, std::string_view content_type,
                                   std::string_view accept, const std::string& body) {
  const std::string path = "/endpoints/" + PercentEncode(endpoint_name) + "/invocations";
  Headers headers{{"content-type", std::string(content_type)}, {"accept", std::string(accept)}};
  return impl_->SendOk("sagemaker", "POST", path, "", std::move(headers), body);
}

Status CheckHealth(const std::string& endpoint) {
  http::Client client;
  http::ClientRequest request;
  request.method = "GET";
  request.url = endpoint + "/-/health";
  request.response_bytes_max = 4096;
  request.time_max = kHealthTime;
  const Result<http::ClientResponse> response = client.Send(request);
  if (!response.ok()) return response.error();
  if (response->status != 200) {
    return Error(ErrorCode::kUnavailable, fmt::format("{} answers with status {}", endpoint, response->status));
  }
  return {};
}

}  // namespace argosy::main
