#include "control/session_feed.h"

#include <utility>

#include "base/log.h"
#include "catalog/visit.h"
#include "control/session_reach.h"
#include "cost/ledger.h"

namespace argosy::control {
namespace {

// As somebody who has taken on the role of the job: …:assumed-role/argosy-training-job/NAME.
auth::Principal SessionOf(const cost::LedgerEntry& entry) {
  return {.kind = auth::PrincipalKind::kJob,
          .name = entry.owner_name,
          .arn = "arn:aws:sts::" + std::string(auth::kAccountId) + ":assumed-role/argosy-" + entry.owner_kind + "/" +
                 entry.owner_name,
          .id = entry.owner_uid + ":" + entry.owner_name,
          .team = auth::MakerOf(entry.principal).team,
          .grants = entry.reach};
}

}  // namespace

protocol::Session SignIn(const auth::SessionKey& key, const protocol::Assignment& assignment, std::string endpoint,
                         Time now) {
  // A training also waits for data, and leaves its artifact; an endpoint's instance has no time of its own.
  constexpr auto kBesideTraining = std::chrono::hours(24);
  constexpr auto kOfServing = std::chrono::hours(24 * 3650);
  const Duration length = assignment.training
                              ? std::chrono::seconds(assignment.training->max_runtime_seconds) + kBesideTraining
                              : Duration(kOfServing);
  const auth::Credential issued = key.Issue({assignment.instance_id, assignment.owner_uid, now + length});
  return {.access_key_id = issued.access_key_id,
          .secret_access_key = issued.secret_access_key,
          .token = issued.session_token,
          .endpoint = std::move(endpoint),
          .reach = assignment.training ? ReachOf(*assignment.training)
                   : assignment.model  ? ReachOf(*assignment.model)
                                       : catalog::Reach()};
}

Status SessionFeed::Load(catalog::Catalog& catalog) {
  return catalog::VisitAll(catalog, {.kind = catalog::Kind::kInstance, .status = "Open"},
                           [this](const catalog::Resource& resource) { Write(resource); });
}

void SessionFeed::OnChange(const catalog::Change& change) {
  for (const catalog::Resource& resource : change.written) Write(resource);
  for (const catalog::Resource& resource : change.removed) {
    if (resource.kind == catalog::Kind::kInstance) sessions_->Close(resource.uid);
  }
}

void SessionFeed::Write(const catalog::Resource& resource) {
  if (resource.kind != catalog::Kind::kInstance) return;
  const Result<cost::LedgerEntry> entry = cost::FromResource(resource);
  if (!entry.ok()) {
    Log(LogLevel::kError, "a ledger entry cannot be read",
        {{"instance", resource.uid}, {"error", entry.error().message()}});
  }
  if (!entry.ok() || entry->closed) return sessions_->Close(resource.uid);
  sessions_->Open(entry->instance_id, entry->owner_uid, SessionOf(*entry));
}

}  // namespace argosy::control
