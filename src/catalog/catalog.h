// The durable store of resources. A commit is acknowledged only once it would survive a power cut.
//
// Threads: Commit may be called from any thread and answers on the catalog's own writer thread (post onwards). The
// readers block for a page read: call them from pool threads or where that is fine. All are thread-safe.
#pragma once

#include <functional>

#include "catalog/resource.h"

namespace argosy::catalog {

class Catalog {
 public:
  virtual ~Catalog() = default;

  // Several callers' transactions share one disk flush (group commit); each succeeds or fails by itself. Refused with
  // kResourceExhausted when too many wait, kNoSpace on a full disk. The change feed has been told before `done` is
  // called.
  virtual void Commit(Transaction transaction, Callback<Change> done) = 0;

  // kNotFound when there is none.
  virtual Result<Resource> Get(Kind kind, std::string_view name) = 0;
  virtual Result<Resource> GetByUid(std::string_view uid) = 0;
  // kInvalidArgument for a page token that is not one of this query's.
  virtual Result<Page> List(const Query& query) = 0;

  // Told of every committed change, in order of sequence, on the writer thread. One listener; set before the first
  // commit.
  virtual void SetChangeListener(std::function<void(const Change&)> listener) = 0;
};

}  // namespace argosy::catalog
