// The public HTTP API as the verbs call it: signed requests to one server, as any AWS client would send them.
//
// Calls block. Errors: kUnavailable when no server answers; kNotFound and kAlreadyExists when the service says so in
// its words; kInvalidArgument, kPermissionDenied and kInternal for its other refusals. The message is the service's
// own, led by its code. Threads: one at a time.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/principal.h"
#include "base/json.h"
#include "main/options.h"

namespace argosy::main {

struct ApiReply {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  std::string Header(std::string_view name) const;  // "" when there is none
};

struct ListedObject {
  std::string key;
  uint64_t size = 0;
};

class ApiClient {
 public:
  // To the server that `options` mean, with their credentials: the ones given, else AWS_ACCESS_KEY_ID and its secret
  // when the endpoint was named, else the data directory's.
  static Result<ApiClient> Connect(const Options& options);
  ~ApiClient();
  ApiClient(ApiClient&&) noexcept;
  ApiClient& operator=(ApiClient&&) = delete;

  const std::string& endpoint() const;
  const std::string& region() const;

  Result<Json> SageMaker(std::string_view operation, const Json& request);
  Result<Json> Logs(std::string_view operation, const Json& request);
  // The answer's elements by name; lists as arrays, everything else as text.
  Result<Json> Iam(std::string_view action, const std::vector<std::pair<std::string, std::string>>& fields);

  // Makes the bucket unless it is there.
  Status EnsureBucket(const std::string& bucket);
  // Size of the object; nothing when there is none.
  Result<std::optional<uint64_t>> ObjectSize(const std::string& bucket, const std::string& key);
  // Streams the file in parts when it is large. `progress` is told the bytes sent so far.
  Status PutFile(const std::string& bucket, const std::string& key, const std::filesystem::path& file,
                 const std::function<void(uint64_t)>& progress);
  // The first `bytes_max` bytes of the object.
  Result<std::string> GetStart(const std::string& bucket, const std::string& key, uint64_t bytes_max);
  // All of the object, in a new file; memory is bounded.
  Status GetFile(const std::string& bucket, const ListedObject& object, const std::filesystem::path& file);
  // The first thousand objects under the prefix, by key, without empty ones (as the markers of folders are).
  Result<std::vector<ListedObject>> ListObjects(const std::string& bucket, const std::string& prefix);

  // The answer of an endpoint; one that is not 200 is an error.
  Result<ApiReply> Invoke(const std::string& endpoint_name, std::string_view content_type, std::string_view accept,
                          const std::string& body);

 private:
  struct Impl;
  explicit ApiClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// A connection of its own to ask `GET /-/health`; ok when the answer is 200.
Status CheckHealth(const std::string& endpoint);

// The keys of the data directory's credentials file (or of the options).
Result<auth::Credential> ReadCredential(const Options& options);

}  // namespace argosy::main
