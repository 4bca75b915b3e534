#include "objectstore/outside/listing.h"

#include <algorithm>

#include "base/bytes.h"
#include "objectstore/outside/upload_records.h"

namespace argosy::objectstore {
namespace {

constexpr size_t kTokensMax = 4096;  // remembered: pages of clients that are in the middle of a listing
constexpr size_t kPagesMax = 64;     // of theirs for one of ours: a common prefix may stand for any number
constexpr std::string_view kEnd = "\xf4\x8f\xbf\xbf";  // the greatest character: after all that a prefix stands for

// The greatest name on a page: what comes next comes after it.
std::string EndOf(const ListPage& page) {
  std::string end = page.objects.empty() ? std::string() : page.objects.back().key;
  if (!page.common_prefixes.empty()) end = std::max(end, page.common_prefixes.back() + std::string(kEnd));
  return end;
}

std::string PlaceName(const ListRequest& request, const std::string& end) {
  return request.bucket + '\0' + request.prefix + '\0' + request.delimiter + '\0' + end;
}

}  // namespace

std::string OutsideListing::ToToken(const Place& place) {
  return ToBase64(place.token) + "." + ToBase64(place.last);
}

Result<OutsideListing::Place> OutsideListing::FromToken(std::string_view token) {
  const size_t dot = token.find('.');
  const std::optional<std::string> theirs = FromBase64(token.substr(0, dot));
  const std::optional<std::string> last =
      dot == std::string_view::npos ? std::nullopt : FromBase64(token.substr(dot + 1));
  if (!theirs || !last) return Invalid("The continuation token provided is incorrect");
  return Place{*theirs, *last};
}

Result<ListPage> OutsideListing::List(const ListRequest& request) {
  const size_t max = std::min(request.max_keys, kPageKeysMax);
  if (max == 0) return ListPage();
  Place from;
  if (!request.token.empty()) {
    Result<Place> read = FromToken(request.token);
    if (!read.ok()) return read.error();
    from = std::move(*read);
  } else if (!request.start_after.empty()) {
    if (const std::string known = Recall(request); !known.empty()) {
      from = *FromToken(known);
    } else {
      from.last = request.start_after;
    }
  }
  Result<ListPage> page = Error(ErrorCode::kInternal, "no page");
  if (request.delimiter.empty() || request.delimiter == "/") {
    page = Ask(request, request.delimiter, from, max);
    if (page.ok() && !page->next_token.empty()) page->next_token = ToToken({page->next_token, ""});
  } else {
    page = RollUp(request, std::move(from), max);
  }
  if (page.ok()) Remember(request, *page);
  return page;
}

Result<ListPage> OutsideListing::Ask(const ListRequest& request, const std::string& delimiter, const Place& from,
                                     size_t max) {
  const std::string base = ObjectKey(client_->location(), request.bucket, "");
  std::map<std::string, std::string> query{{"prefix", base + request.prefix}, {"max-keys", std::to_string(max)}};
  if (!delimiter.empty()) query["delimiter"] = delimiter;
  if (!from.token.empty()) {
    query["continuation-token"] = from.token;
  } else if (!from.last.empty()) {
    query["start-after"] = base + from.last;
  }
  Result<ListPage> page = ListPageOutside(*client_, std::move(query));
  if (!page.ok()) return page;
  for (ObjectInfo& info : page->objects) info.key.erase(0, base.size());
  for (std::string& prefix : page->common_prefixes) prefix.erase(0, base.size());
  return page;
}

Result<ListPage> OutsideListing::RollUp(const ListRequest& request, Place place, size_t max) {
  ListPage out;
  for (size_t pages = 0;; ++pages) {
    if (pages == kPagesMax) return out.next_token = ToToken(place), out;
    Result<ListPage> page = Ask(request, "", place, kPageKeysMax);
    if (!page.ok()) return page;
    for (ObjectInfo& info : page->objects) {
      if (info.key <= place.last) continue;  // told, or below a prefix that was
      if (out.objects.size() + out.common_prefixes.size() == max) return out.next_token = ToToken(place), out;
      const size_t cut = info.key.find(request.delimiter, request.prefix.size());
      if (cut == std::string::npos) {
        place.last = info.key;
        out.objects.push_back(std::move(info));
      } else {
        out.common_prefixes.push_back(info.key.substr(0, cut + request.delimiter.size()));
        place.last = out.common_prefixes.back() + std::string(kEnd);
      }
    }
    if (page->next_token.empty()) return out;
    place.token = std::move(page->next_token);
  }
}

void OutsideListing::Remember(const ListRequest& request, const ListPage& page) {
  if (page.next_token.empty()) return;
  std::string name = PlaceName(request, EndOf(page));
  const std::lock_guard lock(mutex_);
  if (!tokens_.insert_or_assign(name, page.next_token).second) return;
  oldest_.push_back(std::move(name));
  if (oldest_.size() <= kTokensMax) return;
  tokens_.erase(oldest_.front());
  oldest_.pop_front();
}

std::string OutsideListing::Recall(const ListRequest& request) {
  const std::lock_guard lock(mutex_);
  const auto at = tokens_.find(PlaceName(request, request.start_after));
  return at == tokens_.end() ? "" : at->second;
}

}  // namespace argosy::objectstore
