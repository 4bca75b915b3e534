// Pages of a bucket's listing, from the outside's.
//
// Without a delimiter, or with "/", a page is one of theirs. MinIO pages wrongly with other delimiters, and after a
// name (start-after) next to names such as `a b` and `a/c`: names are lost or come twice. Its own tokens are right. So
// other delimiters are rolled up here, over plain pages; and a client that asks for what comes after the end of a page
// that it got from here (ListObjects, version 1) is served by that page's token, as long as it is remembered.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <string>

#include "objectstore/object_store.h"
#include "objectstore/outside/s3_client.h"

namespace argosy::objectstore {

// Thread-safe.
class OutsideListing {
 public:
  explicit OutsideListing(S3Client* client) : client_(client) {}

  // That the bucket is there is for the caller to find out.
  Result<ListPage> List(const ListRequest& request);

 private:
  // A place in a listing: their token, and the last name of the page after it that has been told.
  struct Place {
    std::string token;
    std::string last;
  };
  static std::string ToToken(const Place& place);
  static Result<Place> FromToken(std::string_view token);
  Result<ListPage> Ask(const ListRequest& request, const std::string& delimiter, const Place& from, size_t max);
  Result<ListPage> RollUp(const ListRequest& request, Place place, size_t max);
  void Remember(const ListRequest& request, const ListPage& page);
  std::string Recall(const ListRequest& request);

  S3Client* const client_;
  std::mutex mutex_;
  std::map<std::string, std::string> tokens_;  // by bucket, prefix, delimiter and end of the page; guarded by mutex_
  std::deque<std::string> oldest_;             // its keys; guarded by mutex_
};

}  // namespace argosy::objectstore
