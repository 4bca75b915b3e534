// The nouns as they are stored: named things that the API creates and describes.
//
// A Resource has a uid (never reused), a name (unique among the living of its kind), a version (counts its updates),
// what was asked (spec), what is so (state), and the columns by which lists filter and sort. Spec and state are JSON
// texts; training_job.h, endpoint.h and model.h give them types.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace argosy::catalog {

// Stored by number: new ones come last.
enum class Kind {
  kTrainingJob,
  kModel,
  kEndpointConfig,
  kEndpoint,
  kInstance,
  kScalableTarget,
  kScalingPolicy,
  kScheduledAction,
  kScalingActivity,
  kAlarm,
  kUser,
  kTeam,
  kAccessKey,
};

std::string_view KindName(Kind kind);  // "training-job", as in ARNs

using Tags = std::map<std::string, std::string>;

struct Resource {
  Kind kind = Kind::kTrainingJob;
  std::string name;
  std::string uid;
  uint64_t version = 0;  // 1 when inserted
  Time created{};
  Time modified{};
  std::string status;     // the word lists filter by: "InProgress", "InService"; "" where a kind has none
  std::string principal;  // ARN of who made it
  std::string
      owner;         // uid of the resource this one belongs to (an instance's job or endpoint, a key's user); "" = none
  std::string spec;  // JSON
  std::string state;  // JSON
  Tags tags;
};

// One atomic, durable change. Inserts fail with kAlreadyExists when the kind has a living resource of that name;
// updates and removals with kConflict when the version is not the stored one any more, kNotFound when the uid is not
// there. Any failure leaves everything as it was.
struct Transaction {
  struct Insert {
    Resource resource;  // version is ignored
  };
  struct Update {
    std::string uid;
    uint64_t version = 0;  // as read; 0 = whatever it is
    std::optional<std::string> status;
    std::optional<std::string> spec;
    std::optional<std::string> state;
    std::optional<Tags> tags;
    Time modified{};
  };
  struct Remove {
    std::string uid;
    uint64_t version = 0;  // as read; 0 = whatever it is
  };
  std::vector<Insert> inserts;
  std::vector<Update> updates;
  std::vector<Remove> removes;

  bool empty() const { return inserts.empty() && updates.empty() && removes.empty(); }
};

// What a committed transaction changed, in the order of commit. `removed` resources are as they were last.
struct Change {
  uint64_t sequence = 0;
  std::vector<Resource> written;
  std::vector<Resource> removed;
};

enum class SortBy { kCreated, kName, kModified, kStatus };
enum class SortOrder { kAscending, kDescending };

struct Query {
  Kind kind = Kind::kTrainingJob;
  std::string name_contains;
  std::string status;  // "" = any
  std::optional<Time> created_after, created_before, modified_after, modified_before;
  std::string owner;  // "" = any
  SortBy sort_by = SortBy::kCreated;
  SortOrder order = SortOrder::kDescending;
  size_t max_results = 100;
  std::string page_token;  // from a Page of the same query; opaque
};

struct Page {
  std::vector<Resource> resources;
  std::string next_token;  // "" = no more
};

}  // namespace argosy::catalog
