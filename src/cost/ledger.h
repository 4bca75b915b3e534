// The ledger: who held which instance, when, at what price. Money is integer nano-dollars.
//
// An entry is a catalog resource of kind kInstance (name and uid = the instance id, owner = uid of its job or
// endpoint), so that it is written in the same transaction as the decision it belongs to: the entry is durable before
// the instance starts, and closed when the instance is proven gone.
#pragma once

#include <optional>
#include <string>

#include "catalog/reach.h"
#include "catalog/resource.h"
#include "cost/instance_types.h"

namespace argosy::cost {

enum class Purchase { kOnDemand, kSpot, kReserved };

struct LedgerEntry {
  std::string instance_id;
  std::string owner_uid;
  std::string owner_kind;  // training-job, endpoint
  std::string owner_name;
  std::string variant;  // endpoints
  std::string principal;
  std::string instance_type;
  uint32_t attempt = 0;
  Purchase purchase = Purchase::kOnDemand;
  int64_t nano_dollars_per_hour = 0;
  Time allocated{};             // when the entry was made
  std::optional<Time> started;  // when its process began; nothing = it never did
  std::optional<Time> ended;    // last sign of life; set when closed
  bool closed = false;
  catalog::Reach reach;  // of the session of its work
};

// `status` of the resource is "Open" or "Closed".
catalog::Resource ToResource(const LedgerEntry& entry);
Result<LedgerEntry> FromResource(const catalog::Resource& resource);

// The update that closes the entry. `started` nothing: it never ran and costs nothing.
catalog::Transaction::Update CloseEntry(const LedgerEntry& entry, std::optional<Time> started,
                                        std::optional<Time> ended, Time now);

}  // namespace argosy::cost
