#include "api/logs/logs_service.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <variant>

#include "api/logs/event_merger.h"
#include "api/logs/filter_pattern.h"
#include "api/patterns.h"
#include "auth/principal.h"
#include "base/bytes.h"

namespace argosy::api {
namespace {

using observe::LogEvent;
using observe::LogStore;

constexpr size_t kEventsMax = 10'000;                // of one answer; the service's
constexpr size_t kAnswerBytesMax = size_t{1} << 20;  // of message text in one answer; the service's
constexpr size_t kListedDefault = 50;                // groups or streams of one page; the service's default and most
// What one FilterLogEvents looks through before it answers with what it has and a token to go on with.
constexpr size_t kSearchedBytesMax = size_t{64} << 20;
constexpr size_t kSearchedStreamsMax = 10'000;

ServiceError InvalidParameter(std::string message) {
  return {400, "InvalidParameterException", std::move(message)};
}
ServiceError GroupMissing() {
  return {400, "ResourceNotFoundException", "The specified log group does not exist."};
}
ServiceError StreamMissing() {
  return {400, "ResourceNotFoundException", "The specified log stream does not exist."};
}

std::string TextOf(const Json& input, const char* name) {
  const auto found = input.find(name);
  return found != input.end() && found->is_string() ? found->get<std::string>() : std::string();
}

int64_t NumberOf(const Json& input, const char* name, int64_t fallback) {
  const auto found = input.find(name);
  if (found == input.end() || !found->is_number()) return fallback;
  return found->is_number_float() ? static_cast<int64_t>(found->get<double>()) : found->get<int64_t>();
}

bool FlagOf(const Json& input, const char* name) {
  const auto found = input.find(name);
  return found != input.end() && found->is_boolean() && found->get<bool>();
}

// The service's times are milliseconds; beyond what nanoseconds can hold a time is as good as the last one.
Time TimeOfMillis(int64_t millis) {
  constexpr int64_t kMillisMax = std::numeric_limits<int64_t>::max() / 1'000'000;
  return FromUnixMillis(std::clamp<int64_t>(millis, 0, kMillisMax));
}

int64_t MillisOf(Time time) {
  return ToUnixMillis(time);
}

std::string TextToken(std::string_view kind, std::string_view value) {
  return std::string(kind) + "/" + ToBase64(value);
}

// The value of a token of that kind; nothing when it is none.
std::optional<std::string> TextOfToken(std::string_view kind, std::string_view token) {
  if (!token.starts_with(kind) || !token.substr(kind.size()).starts_with('/')) return std::nullopt;
  return FromBase64(token.substr(kind.size() + 1));
}

std::optional<uint64_t> ParseUnsigned(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::string PaddedNumber(uint64_t value) {
  std::string digits = std::to_string(value);
  return std::string(20 - digits.size(), '0') + digits;
}

class Logs {
 public:
  Logs(LogStore* store, std::string region) : store_(store), region_(std::move(region)) {}

  Answer DescribeGroups(const Json& input) const;
  Answer DescribeStreams(const Json& input) const;
  Answer GetEvents(const Json& input) const;
  Answer FilterEvents(const Json& input) const;

 private:
  std::string Arn(const std::string& group) const {
    return "arn:aws:logs:" + region_ + ":" + std::string(auth::kAccountId) + ":log-group:" + group;
  }

  // By name or by ARN, whichever is given.
  static std::variant<std::string, ServiceError> GroupOf(const Json& input) {
    std::string name = TextOf(input, "logGroupName");
    const std::string identifier = TextOf(input, "logGroupIdentifier");
    if (name.empty() == identifier.empty()) {
      return InvalidParameter("Give either logGroupName or logGroupIdentifier, and not both.");
    }
    if (!name.empty()) return name;
    name = identifier;
    constexpr std::string_view kMark = ":log-group:";
    if (const size_t mark = name.find(kMark); mark != std::string::npos) name.erase(0, mark + kMark.size());
    if (name.ends_with(":*")) name.resize(name.size() - 2);
    return name;
  }

  Json StreamJson(const std::string& group, const observe::LogStreamInfo& info) const {
    Json json = {{"logStreamName", info.name},
                 {"creationTime", MillisOf(info.created)},
                 {"arn", Arn(group) + ":log-stream:" + info.name},
                 {"storedBytes", info.stored_bytes}};
    if (info.first_event) json["firstEventTimestamp"] = MillisOf(*info.first_event);
    if (info.last_event) {
      json["lastEventTimestamp"] = MillisOf(*info.last_event);
      json["lastIngestionTime"] = MillisOf(*info.last_event);
    }
    return json;
  }

  Answer StreamsByName(const std::string& group, std::vector<std::string> names, const Json& input) const;
  Answer StreamsByTime(const std::string& group, const std::vector<std::string>& names, const Json& input) const;

  LogStore* store_;
  std::string region_;
};

ServiceError StoreError(LogStore& store, const std::string& group, const Error& error) {
  if (error.code() == ErrorCode::kNotFound) {
    return store.StreamNames(group, "").ok() ? StreamMissing() : GroupMissing();
  }
  if (error.code() == ErrorCode::kInvalidArgument) return InvalidParameter("The specified nextToken is invalid.");
  return FromError(error);
}

Answer Logs::DescribeGroups(const Json& input) const {
  const std::string pattern = TextOf(input, "logGroupNamePattern");
  const std::string prefix = TextOf(input, "logGroupNamePrefix");
  if (!pattern.empty() && !prefix.empty()) {
    return InvalidParameter("Give either logGroupNamePrefix or logGroupNamePattern, and not both.");
  }
  std::vector<observe::LogGroupInfo> groups = store_->Groups(prefix);
  std::erase_if(groups, [&](const auto& group) { return group.name.find(pattern) == std::string::npos; });
  auto first = groups.begin();
  if (const std::string token = TextOf(input, "nextToken"); !token.empty()) {
    const std::optional<std::string> after = TextOfToken("g", token);
    if (!after) return InvalidParameter("The specified nextToken is invalid.");
    first = std::find_if(groups.begin(), groups.end(), [&](const auto& group) { return group.name > *after; });
  }
  const size_t limit = static_cast<size_t>(NumberOf(input, "limit", kListedDefault));
  Json list = Json::array();
  for (; first != groups.end() && list.size() < limit; ++first) {
    list.push_back({{"logGroupName", first->name},
                    {"creationTime", MillisOf(first->created)},
                    {"metricFilterCount", 0},
                    {"arn", Arn(first->name) + ":*"},
                    {"logGroupArn", Arn(first->name)},
                    {"logGroupClass", "STANDARD"},
                    {"storedBytes", first->stored_bytes}});
  }
  const bool more = first != groups.end();
  Json answer = {{"logGroups", std::move(list)}};
  if (more) answer["nextToken"] = TextToken("g", std::prev(first)->name);
  return DumpJson(answer);
}

Answer Logs::StreamsByName(const std::string& group, std::vector<std::string> names, const Json& input) const {
  const bool descending = FlagOf(input, "descending");
  if (descending) std::reverse(names.begin(), names.end());
  auto name = names.begin();
  if (const std::string token = TextOf(input, "nextToken"); !token.empty()) {
    const std::optional<std::string> after = TextOfToken("n", token);
    if (!after) return InvalidParameter("The specified nextToken is invalid.");
    name = std::find_if(names.begin(), names.end(),
                        [&](const std::string& other) { return descending ? other < *after : other > *after; });
  }
  const size_t limit = static_cast<size_t>(NumberOf(input, "limit", kListedDefault));
  Json list = Json::array();
  std::string last;
  for (; name != names.end() && list.size() < limit; ++name) {
    const Result<observe::LogStreamInfo> info = store_->Describe(group, *name);
    if (!info.ok()) continue;  // gone since it was listed
    list.push_back(StreamJson(group, *info));
    last = *name;
  }
  Json answer = {{"logStreams", std::move(list)}};
  // Clients go on for as long as there is a token: only when streams remain.
  if (name != names.end()) answer["nextToken"] = TextToken("n", last);
  return DumpJson(answer);
}

Answer Logs::StreamsByTime(const std::string& group, const std::vector<std::string>& names, const Json& input) const {
  std::vector<observe::LogStreamInfo> streams;
  for (const std::string& name : names) {
    if (Result<observe::LogStreamInfo> info = store_->Describe(group, name); info.ok())
      streams.push_back(std::move(*info));
  }
  const bool descending = FlagOf(input, "descending");
  const auto key = [](const observe::LogStreamInfo& info) {
    return PaddedNumber(static_cast<uint64_t>(std::max<int64_t>(ToUnixNanos(info.last_event.value_or(Time{})), 0))) +
           info.name;
  };
  std::sort(streams.begin(), streams.end(),
            [&](const auto& a, const auto& b) { return descending ? key(a) > key(b) : key(a) < key(b); });
  auto stream = streams.begin();
  if (const std::string token = TextOf(input, "nextToken"); !token.empty()) {
    const std::optional<std::string> after = TextOfToken("t", token);
    if (!after) return InvalidParameter("The specified nextToken is invalid.");
    stream = std::find_if(streams.begin(), streams.end(),
                          [&](const auto& other) { return descending ? key(other) < *after : key(other) > *after; });
  }
  const size_t limit = static_cast<size_t>(NumberOf(input, "limit", kListedDefault));
  Json list = Json::array();
  for (; stream != streams.end() && list.size() < limit; ++stream) list.push_back(StreamJson(group, *stream));
  const bool more = stream != streams.end();
  Json answer = {{"logStreams", std::move(list)}};
  if (more) answer["nextToken"] = TextToken("t", key(*std::prev(stream)));
  return DumpJson(answer);
}

Answer Logs::DescribeStreams(const Json& input) const {
  const std::variant<std::string, ServiceError> given = GroupOf(input);
  if (const auto* error = std::get_if<ServiceError>(&given)) return *error;
  const auto& group = std::get<std::string>(given);
  const std::string prefix = TextOf(input, "logStreamNamePrefix");
  const bool by_time = TextOf(input, "orderBy") == "LastEventTime";
  if (by_time && !prefix.empty()) {
    return InvalidParameter("Cannot order by LastEventTime with a logStreamNamePrefix.");
  }
  Result<std::vector<std::string>> names = store_->StreamNames(group, prefix);
  if (!names.ok()) return names.error().code() == ErrorCode::kNotFound ? GroupMissing() : FromError(names.error());
  return by_time ? StreamsByTime(group, *names, input) : StreamsByName(group, std::move(*names), input);
}

struct EventsPage {
  std::vector<LogEvent> events;
  uint64_t begin = 0;  // where going back continues
  uint64_t end = 0;    // where going on continues
};

// Forward from `position`, leaving out what is not before `end_time`.
Result<EventsPage> PageForward(LogStore& store, const std::string& group, const std::string& stream, uint64_t position,
                               std::optional<Time> end_time, size_t limit) {
  Result<LogStore::Read> read = store.ReadForward(group, stream, position, limit, kAnswerBytesMax);
  if (!read.ok()) return read.error();
  if (end_time && !read->events.empty() && read->events.back().timestamp >= *end_time) {
    const size_t kept = static_cast<size_t>(std::find_if(read->events.begin(), read->events.end(),
                                                         [&](const LogEvent& e) { return e.timestamp >= *end_time; }) -
                                            read->events.begin());
    // Read again up to there: only the store knows where that is.
    if (kept == 0) return EventsPage{{}, position, position};
    read = store.ReadForward(group, stream, position, kept, kAnswerBytesMax);
    if (!read.ok()) return read.error();
  }
  // A position beyond the end was taken for the end.
  return EventsPage{std::move(read->events), std::min(position, read->next), read->next};
}

// Backward from `position`, leaving out what is before `start_time`.
Result<EventsPage> PageBackward(LogStore& store, const std::string& group, const std::string& stream, uint64_t position,
                                std::optional<Time> start_time, size_t limit) {
  Result<LogStore::Read> read = store.ReadBackward(group, stream, position, limit, kAnswerBytesMax);
  if (!read.ok()) return read.error();
  EventsPage page{std::move(read->events), read->next, position};
  if (start_time && !page.events.empty() && page.events.front().timestamp < *start_time) {
    std::erase_if(page.events, [&](const LogEvent& event) { return event.timestamp < *start_time; });
    const Result<uint64_t> first = store.Seek(group, stream, *start_time);
    if (!first.ok()) return first.error();
    page.begin = std::min(*first, position);
  }
  return page;
}

Answer Logs::GetEvents(const Json& input) const {
  const std::variant<std::string, ServiceError> given = GroupOf(input);
  if (const auto* error = std::get_if<ServiceError>(&given)) return *error;
  const auto& group = std::get<std::string>(given);
  const std::string stream = TextOf(input, "logStreamName");
  const size_t limit = static_cast<size_t>(NumberOf(input, "limit", kEventsMax));
  std::optional<Time> start_time;
  std::optional<Time> end_time;
  if (input.contains("startTime")) start_time = TimeOfMillis(NumberOf(input, "startTime", 0));
  if (input.contains("endTime")) end_time = TimeOfMillis(NumberOf(input, "endTime", 0));

  const std::string token = TextOf(input, "nextToken");
  bool forward = FlagOf(input, "startFromHead");
  std::optional<uint64_t> position;
  if (!token.empty()) {
    // The token says the direction as well.
    if (!token.starts_with("f/") && !token.starts_with("b/"))
      return InvalidParameter("The specified nextToken is invalid.");
    forward = token.starts_with("f/");
    position = ParseUnsigned(std::string_view(token).substr(2));
    if (!position) return InvalidParameter("The specified nextToken is invalid.");
  } else {
    const std::optional<Time> edge = forward ? start_time : end_time;
    // Nothing later than any event: its position is the end.
    const Result<uint64_t> found = store_->Seek(group, stream, edge.value_or(forward ? Time{} : Time::max()));
    if (!found.ok()) return StoreError(*store_, group, found.error());
    position = *found;
  }
  const Result<EventsPage> page = forward ? PageForward(*store_, group, stream, *position, end_time, limit)
                                          : PageBackward(*store_, group, stream, *position, start_time, limit);
  if (!page.ok()) return StoreError(*store_, group, page.error());
  Json events = Json::array();
  for (const LogEvent& event : page->events) {
    const int64_t millis = MillisOf(event.timestamp);
    events.push_back({{"timestamp", millis}, {"message", event.message}, {"ingestionTime", millis}});
  }
  // Always both tokens; at the end the same one comes back with no events, which is how clients know.
  return DumpJson(Json{{"events", std::move(events)},
                       {"nextForwardToken", "f/" + PaddedNumber(page->end)},
                       {"nextBackwardToken", "b/" + PaddedNumber(page->begin)}});
}

// A place as a token and back.
std::string TokenOf(const MergePlace& place) {
  return "m/" + PaddedNumber(static_cast<uint64_t>(ToUnixNanos(place.time))) + "/" + std::to_string(place.taken);
}

std::optional<MergePlace> PlaceOf(std::string_view token) {
  if (!token.starts_with("m/")) return std::nullopt;
  token.remove_prefix(2);
  const size_t slash = token.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::optional<uint64_t> nanos = ParseUnsigned(token.substr(0, slash));
  const std::optional<uint64_t> taken = ParseUnsigned(token.substr(slash + 1));
  if (!nanos || !taken || *nanos > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return std::nullopt;
  return MergePlace{FromUnixNanos(static_cast<int64_t>(*nanos)), *taken};
}

// The streams to search, by name.
std::variant<std::vector<std::string>, ServiceError> StreamsToSearch(LogStore& store, const std::string& group,
                                                                     const Json& input) {
  const std::string prefix = TextOf(input, "logStreamNamePrefix");
  std::vector<std::string> wanted;
  if (const auto names = input.find("logStreamNames"); names != input.end() && names->is_array()) {
    for (const Json& name : *names) wanted.push_back(name.get<std::string>());
  }
  if (!wanted.empty() && !prefix.empty()) {
    return InvalidParameter("Give logStreamNames or logStreamNamePrefix, not both.");
  }
  Result<std::vector<std::string>> all = store.StreamNames(group, prefix);
  if (!all.ok()) return all.error().code() == ErrorCode::kNotFound ? GroupMissing() : FromError(all.error());
  if (wanted.empty()) {
    if (all->size() > kSearchedStreamsMax) {
      return InvalidParameter("The search would be over " + std::to_string(all->size()) + " log streams; at most " +
                              std::to_string(kSearchedStreamsMax) +
                              " can be searched at once. Give a logStreamNamePrefix.");
    }
    return std::move(*all);
  }
  std::sort(wanted.begin(), wanted.end());
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  for (const std::string& name : wanted) {
    if (!std::binary_search(all->begin(), all->end(), name)) return StreamMissing();
  }
  return wanted;
}

Answer Logs::FilterEvents(const Json& input) const {
  const std::variant<std::string, ServiceError> given = GroupOf(input);
  if (const auto* error = std::get_if<ServiceError>(&given)) return *error;
  const auto& group = std::get<std::string>(given);
  const Result<FilterPattern> pattern = FilterPattern::Parse(TextOf(input, "filterPattern"));
  if (!pattern.ok()) return InvalidParameter(pattern.error().message());
  std::variant<std::vector<std::string>, ServiceError> found = StreamsToSearch(*store_, group, input);
  if (auto* error = std::get_if<ServiceError>(&found)) return std::move(*error);
  const std::vector<std::string> streams = std::get<0>(std::move(found));

  MergePlace from{TimeOfMillis(NumberOf(input, "startTime", 0)), 0};
  if (const std::string token = TextOf(input, "nextToken"); !token.empty()) {
    const std::optional<MergePlace> place = PlaceOf(token);
    if (!place) return InvalidParameter("The specified nextToken is invalid.");
    from = *place;
  }
  std::optional<Time> end_time;
  // What is of the end's own millisecond is found, other than by GetLogEvents.
  if (const int64_t last = NumberOf(input, "endTime", 0); input.contains("endTime")) {
    end_time = TimeOfMillis(std::min(last, std::numeric_limits<int64_t>::max() - 1) + 1);
  }
  const size_t limit = static_cast<size_t>(NumberOf(input, "limit", kEventsMax));

  EventMerger merger(store_, group, streams, from);
  Json events = Json::array();
  std::optional<MergePlace> more;
  size_t answer_bytes = 0;
  size_t searched_bytes = 0;
  while (true) {
    const MergePlace before = merger.place();
    Result<std::optional<EventMerger::Event>> next = merger.Next();
    if (!next.ok()) return StoreError(*store_, group, next.error());
    if (!*next) break;
    const LogEvent& event = (*next)->event;
    if (end_time && event.timestamp >= *end_time) break;
    searched_bytes += event.message.size();
    if (pattern->Matches(event.message)) {
      // Full: the event that did not fit any more is where the next page begins.
      if (events.size() >= limit || (!events.empty() && answer_bytes + event.message.size() > kAnswerBytesMax)) {
        more = before;
        break;
      }
      answer_bytes += event.message.size();
      const int64_t millis = MillisOf(event.timestamp);
      const MergePlace& place = merger.place();
      events.push_back(
          {{"logStreamName", streams[(*next)->stream]},
           {"timestamp", millis},
           {"message", event.message},
           {"ingestionTime", millis},
           {"eventId", PaddedNumber(static_cast<uint64_t>(ToUnixNanos(place.time))) + PaddedNumber(place.taken)}});
    }
    if (searched_bytes >= kSearchedBytesMax) {
      more = merger.place();
      break;
    }
  }
  Json answer = {{"events", std::move(events)}, {"searchedLogStreams", Json::array()}};
  if (more) answer["nextToken"] = TokenOf(*more);
  return DumpJson(answer);
}

Shape GroupName() {
  return String().Length(1, 512).Matching(kLogGroupPattern);
}
Shape StreamName() {
  return String().Length(1, 512).Matching(kLogStreamPattern);
}

Shape GroupsInput() {
  return Structure({
      Optional("accountIdentifiers", List(String().Length(12, 12)).Length(0, 20)).Echoed(),
      Optional("logGroupNamePrefix", GroupName()),
      Optional("logGroupNamePattern", String().AtMost(512)),
      Optional("nextToken", String().AtLeast(1)),
      Optional("limit", Integer().Range(1, 50)),
      Optional("includeLinkedAccounts", Boolean()).Echoed(),
      Optional("logGroupClass", Enum({"STANDARD", "INFREQUENT_ACCESS", "DELIVERY"})).Only({"STANDARD"}),
      Optional("logGroupIdentifiers", Document()).Refused("a choice of groups by identifier"),
  });
}

Shape StreamsInput() {
  return Structure({
      Optional("logGroupName", GroupName()),
      Optional("logGroupIdentifier", String().Length(1, 2048)),
      Optional("logStreamNamePrefix", StreamName()),
      Optional("orderBy", Enum({"LogStreamName", "LastEventTime"})),
      Optional("descending", Boolean()),
      Optional("nextToken", String().AtLeast(1)),
      Optional("limit", Integer().Range(1, 50)),
  });
}

Shape EventsInput() {
  return Structure({
      Optional("logGroupName", GroupName()),
      Optional("logGroupIdentifier", String().Length(1, 2048)),
      Required("logStreamName", StreamName()),
      Optional("startTime", Long().AtLeast(0)),
      Optional("endTime", Long().AtLeast(0)),
      Optional("nextToken", String().AtLeast(1)),
      Optional("limit", Integer().Range(1, kEventsMax)),
      Optional("startFromHead", Boolean()),
      Optional("unmask", Boolean()).Echoed(),
  });
}

Shape FilterInput() {
  return Structure({
      Optional("logGroupName", GroupName()),
      Optional("logGroupIdentifier", String().Length(1, 2048)),
      Optional("logStreamNames", List(StreamName()).Length(1, 100)),
      Optional("logStreamNamePrefix", StreamName()),
      Optional("startTime", Long().AtLeast(0)),
      Optional("endTime", Long().AtLeast(0)),
      Optional("filterPattern", String().AtMost(1024)),
      Optional("nextToken", String().AtLeast(1)),
      Optional("limit", Integer().Range(1, kEventsMax)),
      Optional("startFromHead", Boolean()).Echoed(),
      Optional("interleaved", Boolean()).Echoed(),
      Optional("unmask", Boolean()).Echoed(),
  });
}

}  // namespace

std::vector<Operation> LogsOperations(observe::LogStore* store, std::string region) {
  const auto logs = std::make_shared<const Logs>(store, std::move(region));
  std::vector<Operation> operations;
  operations.push_back({.name = "DescribeLogGroups",
                        .summary = "The log groups, by name.",
                        .access = auth::Access::kRead,
                        .input = GroupsInput(),
                        .handle = [logs](const Call& call, Reply reply) { reply(logs->DescribeGroups(call.input)); }});
  operations.push_back({.name = "DescribeLogStreams",
                        .summary = "The streams of a group, by name or by the time of their last event.",
                        .access = auth::Access::kRead,
                        .input = StreamsInput(),
                        .handle = [logs](const Call& call, Reply reply) { reply(logs->DescribeStreams(call.input)); }});
  operations.push_back({.name = "GetLogEvents",
                        .summary = "The events of a stream, forward or backward, in pages of at most 10,000 and 1 MB.",
                        .access = auth::Access::kRead,
                        .input = EventsInput(),
                        .handle = [logs](const Call& call, Reply reply) { reply(logs->GetEvents(call.input)); }});
  operations.push_back(
      {.name = "FilterLogEvents",
       .summary =
           "The events of several streams by time, those that match a pattern of terms: `a b` both, `\"a b\"` the "
           "phrase, `?a ?b` either, `-a` without.",
       .access = auth::Access::kRead,
       .input = FilterInput(),
       .handle = [logs](const Call& call, Reply reply) { reply(logs->FilterEvents(call.input)); }});
  return operations;
}

std::unique_ptr<JsonService> MakeLogsService(observe::LogStore* store, ThreadPool* pool, std::string region) {
  return std::make_unique<JsonService>(JsonServiceOptions{.name = "CloudWatch Logs",
                                                          .target_prefix = "Logs_20140328",
                                                          .action_prefix = "logs",
                                                          .invalid_code = "InvalidParameterException"},
                                       LogsOperations(store, std::move(region)), pool);
}

}  // namespace argosy::api
