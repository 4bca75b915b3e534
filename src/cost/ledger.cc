#include "cost/ledger.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "catalog/json_fields.h"

namespace argosy::cost {
namespace {

constexpr std::array<std::string_view, 3> kPurchases = {"on-demand", "spot", "reserved"};

constexpr const char* kOpen = "Open";
constexpr const char* kClosed = "Closed";

std::string StateJson(std::optional<Time> started, std::optional<Time> ended) {
  Json json = Json::object();
  catalog::SetTime(json, "started", started);
  catalog::SetTime(json, "ended", ended);
  return DumpJson(json);
}

}  // namespace

catalog::Resource ToResource(const LedgerEntry& entry) {
  catalog::Resource r;
  r.kind = catalog::Kind::kInstance;
  r.name = entry.instance_id;
  r.uid = entry.instance_id;
  r.created = entry.allocated;
  r.modified = entry.allocated;
  r.status = entry.closed ? kClosed : kOpen;
  r.principal = entry.principal;
  r.owner = entry.owner_uid;
  r.spec = DumpJson(Json{{"owner_kind", entry.owner_kind},
                         {"owner_name", entry.owner_name},
                         {"variant", entry.variant},
                         {"instance_type", entry.instance_type},
                         {"attempt", entry.attempt},
                         {"purchase", kPurchases[static_cast<size_t>(entry.purchase)]},
                         {"nano_dollars_per_hour", entry.nano_dollars_per_hour},
                         {"reach", catalog::ReachToJson(entry.reach)}});
  r.state = StateJson(entry.started, entry.ended);
  return r;
}

Result<LedgerEntry> FromResource(const catalog::Resource& resource) {
  Result<Json> spec = catalog::ParseObject(resource.spec, "ledger entry");
  if (!spec.ok()) return spec.error();
  Result<Json> state = catalog::ParseObject(resource.state, "ledger entry");
  if (!state.ok()) return state.error();
  LedgerEntry entry;
  entry.instance_id = resource.uid;
  entry.owner_uid = resource.owner;
  entry.owner_kind = catalog::TextField(*spec, "owner_kind");
  entry.owner_name = catalog::TextField(*spec, "owner_name");
  entry.variant = catalog::TextField(*spec, "variant");
  entry.principal = resource.principal;
  entry.instance_type = catalog::TextField(*spec, "instance_type");
  entry.attempt = static_cast<uint32_t>(catalog::IntField(*spec, "attempt"));
  const auto purchase = std::find(kPurchases.begin(), kPurchases.end(), catalog::TextField(*spec, "purchase"));
  if (purchase == kPurchases.end()) return Error(ErrorCode::kCorrupt, "ledger entry: unknown purchase option");
  entry.purchase = static_cast<Purchase>(purchase - kPurchases.begin());
  entry.nano_dollars_per_hour = catalog::IntField(*spec, "nano_dollars_per_hour");
  entry.reach = catalog::ReachFromJson(catalog::ArrayField(*spec, "reach"));
  entry.allocated = resource.created;
  entry.started = catalog::TimeField(*state, "started");
  entry.ended = catalog::TimeField(*state, "ended");
  entry.closed = resource.status == kClosed;
  return entry;
}

catalog::Transaction::Update CloseEntry(const LedgerEntry& entry, std::optional<Time> started,
                                        std::optional<Time> ended, Time now) {
  if (started && (!ended || *ended < *started)) ended = started;
  if (!started) ended = std::nullopt;
  return {.uid = entry.instance_id, .status = kClosed, .state = StateJson(started, ended), .modified = now};
}

}  // namespace argosy::cost
