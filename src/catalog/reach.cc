#include "catalog/reach.h"

#include "catalog/json_fields.h"

namespace argosy::catalog {

Json ReachToJson(const Reach& reach) {
  Json out = Json::array();
  for (const auth::DataGrant& grant : reach) {
    out.push_back(Json{{"bucket", grant.bucket},
                       {"prefix", grant.key_prefix},
                       {"write", grant.use == auth::DataGrant::Use::kReadWrite}});
  }
  return out;
}

Reach ReachFromJson(const Json& json) {
  Reach reach;
  if (!json.is_array()) return reach;
  for (const Json& grant : json) {
    // Without its prefix it would be the whole bucket.
    if (!grant.is_object() || !grant.contains("prefix") || !grant["prefix"].is_string()) continue;
    reach.push_back({TextField(grant, "bucket"), TextField(grant, "prefix"),
                     FlagField(grant, "write") ? auth::DataGrant::Use::kReadWrite : auth::DataGrant::Use::kRead});
  }
  return reach;
}

}  // namespace argosy::catalog
