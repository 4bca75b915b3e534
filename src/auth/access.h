// Who may do what: the one table. Operations declare what they are beside their other declarations; whoever carries
// them out asks May() before anything else.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "auth/principal.h"

namespace argosy::auth {

// What an operation is, for the question who may ask for it.
enum class Access {
  kIdentify,  // who am I: for everybody
  kRead,      // shows
  kInvoke,    // asks an endpoint
  kChange,    // makes, changes, stops, deletes
  kManage,    // users, teams and keys
};

// Of the services' operations. Objects: MayReach().
bool May(const Principal& principal, Access access);

enum class DataUse { kRead, kWrite };

// Whether the key, as it is written, lies within the grant for that use.
bool IsWithin(const DataGrant& grant, DataUse use, std::string_view bucket, std::string_view key);

// One object, or as a prefix all whose keys begin so (a listing). A job's session reaches what its grants say, key by
// key as they are written: a key with a part "." or ".." is never within a grant, whatever a store behind makes of it.
bool MayReach(const Principal& principal, DataUse use, std::string_view bucket, std::string_view key);

// Whether the principal may know that the bucket is there.
bool MaySee(const Principal& principal, std::string_view bucket);

// What an ARN of S3's names: arn:aws:s3:::BUCKET or arn:aws:s3:::BUCKET/KEY; of "*" both are empty. Nothing: it is
// none.
struct ObjectName {
  std::string bucket;
  std::string key;
};
std::optional<ObjectName> ObjectOfArn(std::string_view arn);

// "User: ARN is not authorized to perform: ACTION, since …".
std::string DenialOf(const Principal& principal, std::string_view action);

}  // namespace argosy::auth
