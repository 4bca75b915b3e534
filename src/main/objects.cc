#include "main/objects.h"

#include "base/log.h"
#include "main/data_directory.h"
#include "objectstore/embedded/embedded_store.h"
#include "objectstore/outside/outside_store.h"

namespace argosy::main {
namespace {

Result<auth::Credential> OutsideCredential(const Options& options) {
  if (!options.object_store_access_key_id.empty()) {
    auth::Credential given;
    given.access_key_id = options.object_store_access_key_id;
    given.secret_access_key = options.object_store_secret_access_key;
    return given;
  }
  Result<auth::Credential> read =
      objectstore::ReadAwsCredentials(options.object_store_credentials, options.object_store_profile);
  if (read.ok()) return read;
  return Error(read.error().code(), "there is no key to " + options.object_store +
                                        ": set ARGOSY_OBJECT_STORE_ACCESS_KEY_ID and " +
                                        "ARGOSY_OBJECT_STORE_SECRET_ACCESS_KEY, or name an AWS credentials file by " +
                                        "--object-store-credentials (" + read.error().message() + ")");
}

// Objects of the time before are neither moved nor lost, only not seen.
void WarnOfEmbedded(const std::filesystem::path& data_dir) {
  std::error_code error;
  const std::filesystem::directory_iterator buckets(data_dir / "objects" / "buckets", error);
  if (error || buckets == std::filesystem::directory_iterator()) return;
  Log(LogLevel::kWarning, "the data directory has objects of its own, which are not seen while object-store is given",
      {{"directory", (data_dir / "objects").string()}});
}

}  // namespace

std::filesystem::path ObjectsDirectory(const Options& options, const std::filesystem::path& data_dir) {
  return data_dir / (options.object_store.empty() ? "objects" : "objects-outside");
}

Result<std::unique_ptr<objectstore::ObjectStore>> OpenObjects(const Options& options,
                                                              const std::filesystem::path& data_dir, const Clock* clock,
                                                              Random* random) {
  const std::filesystem::path dir = ObjectsDirectory(options, data_dir);
  if (Status made = DataDirectory::MakeFolder(dir); !made.ok()) return made.error();
  if (options.object_store.empty()) return objectstore::EmbeddedStore::Open(dir, clock, random);
  Result<objectstore::Location> location =
      objectstore::MakeLocation(options.object_store, options.object_store_endpoint, options.object_store_region);
  if (!location.ok()) return location.error();
  Result<auth::Credential> credential = OutsideCredential(options);
  if (!credential.ok()) return credential.error();
  location->credential = std::move(*credential);
  WarnOfEmbedded(data_dir);
  Log(LogLevel::kInfo, "objects lie outside", {{"store", location->ToString()}});
  objectstore::OutsideOptions outside;
  outside.location = std::move(*location);
  outside.cache_bytes_max = options.object_store_cache_bytes;
  return objectstore::OutsideStore::Open(dir, std::move(outside), clock, random);
}

}  // namespace argosy::main
