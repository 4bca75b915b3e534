#include "base/time_zone.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/files.h"

namespace argosy {
namespace {

constexpr size_t kHeaderBytes = 44;
constexpr size_t kNameMax = 64;
constexpr size_t kZoneFileMax = 64 << 10;  // the largest has a few kilobytes
constexpr size_t kChangesMax = 4096;

class ZoneBytes {
 public:
  explicit ZoneBytes(std::string_view bytes) : left_(bytes) {}
  bool Has(size_t count) const { return left_.size() >= count; }
  std::string_view Take(size_t count) {
    const std::string_view taken = left_.substr(0, count);
    left_.remove_prefix(taken.size());
    return taken;
  }
  int64_t Int(size_t bytes) {
    const std::string_view taken = Take(bytes);
    uint64_t value = !taken.empty() && static_cast<signed char>(taken[0]) < 0 ? ~uint64_t{0} : 0;
    for (const char c : taken) value = value << 8 | static_cast<unsigned char>(c);
    return static_cast<int64_t>(value);
  }
  std::string_view rest() const { return left_; }

 private:
  std::string_view left_;
};

struct ZoneHeader {
  char version = 0;
  size_t utc_flags = 0, standard_flags = 0, leaps = 0, changes = 0, types = 0, letters = 0;
  size_t BodyBytes(size_t time_bytes) const {
    return changes * (time_bytes + 1) + types * 6 + letters + leaps * (time_bytes + 4) + standard_flags + utc_flags;
  }
};

std::optional<ZoneHeader> TakeHeader(ZoneBytes& bytes) {
  if (!bytes.Has(kHeaderBytes) || bytes.Take(4) != "TZif") return std::nullopt;
  ZoneHeader header;
  header.version = bytes.Take(1)[0];
  bytes.Take(15);
  for (size_t* field :
       {&header.utc_flags, &header.standard_flags, &header.leaps, &header.changes, &header.types, &header.letters}) {
    const int64_t count = bytes.Int(4);
    if (count < 0 || count > static_cast<int64_t>(kChangesMax)) return std::nullopt;
    *field = static_cast<size_t>(count);
  }
  return header;
}

// The parts of a POSIX TZ text, taken from its front.
class RuleText {
 public:
  explicit RuleText(std::string_view text) : left_(text) {}
  bool empty() const { return left_.empty(); }
  bool TakeChar(char c) {
    if (left_.empty() || left_[0] != c) return false;
    left_.remove_prefix(1);
    return true;
  }
  // "CET" or "<+0330>"
  bool TakeName() {
    size_t length = 0;
    if (TakeChar('<')) {
      length = left_.find('>');
      if (length == std::string_view::npos) return false;
      left_.remove_prefix(length + 1);
      return true;
    }
    while (length < left_.size() && std::isalpha(static_cast<unsigned char>(left_[length])) != 0) ++length;
    left_.remove_prefix(length);
    return length >= 3;
  }
  std::optional<int> TakeNumber() {
    int value = 0;
    size_t digits = 0;
    while (digits < left_.size() && digits < 4 && left_[digits] >= '0' && left_[digits] <= '9') {
      value = value * 10 + (left_[digits++] - '0');
    }
    if (digits == 0) return std::nullopt;
    left_.remove_prefix(digits);
    return value;
  }
  // [+-]hh[:mm[:ss]] in seconds
  std::optional<int32_t> TakeTime() {
    const int sign = TakeChar('-') ? -1 : 1;
    if (sign > 0) TakeChar('+');
    int32_t seconds = 0;
    int32_t unit = 3600;
    do {
      const std::optional<int> part = TakeNumber();
      if (!part) return std::nullopt;
      seconds += *part * unit;
      unit /= 60;
    } while (unit > 0 && TakeChar(':'));
    return sign * seconds;
  }

 private:
  std::string_view left_;
};

bool IsZoneName(std::string_view name) {
  if (name.size() > kNameMax || name.front() == '/') return false;
  const auto allowed = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '/' || c == '_' || c == '-' || c == '+';
  };
  return std::all_of(name.begin(), name.end(), allowed) && name.find("//") == std::string_view::npos;
}

}  // namespace

Result<TimeZone> TimeZone::Find(std::string_view name) {
  if (name.empty() || name == "UTC" || name == "Etc/UTC") return TimeZone();
  const std::string unknown = "'" + std::string(name) +
                              "' is no time zone: give a name of the IANA time zone database, "
                              "such as Europe/Vienna";
  if (!IsZoneName(name)) return Invalid(unknown);
  Result<std::string> file = ReadFile("/usr/share/zoneinfo/" + std::string(name), kZoneFileMax);
  if (!file.ok()) return Error(ErrorCode::kNotFound, unknown);
  return Parse(*file);
}

Result<TimeZone> TimeZone::Parse(std::string_view file) {
  const Error broken(ErrorCode::kCorrupt, "this is no time zone file of version 2 or later");
  ZoneBytes bytes(file);
  std::optional<ZoneHeader> header = TakeHeader(bytes);
  if (!header || header->version < '2' || !bytes.Has(header->BodyBytes(4))) return broken;
  bytes.Take(header->BodyBytes(4));  // the same for readers of 32 bits
  header = TakeHeader(bytes);
  if (!header || header->types == 0 || !bytes.Has(header->BodyBytes(8))) return broken;
  TimeZone zone;
  for (size_t i = 0; i < header->changes; ++i) zone.changes_.push_back({bytes.Int(8), 0});
  const std::string_view kinds = bytes.Take(header->changes);
  std::vector<int32_t> offsets;
  for (size_t i = 0; i < header->types; ++i) {
    offsets.push_back(static_cast<int32_t>(bytes.Int(4)));
    bytes.Take(2);
  }
  for (size_t i = 0; i < header->changes; ++i) {
    const auto kind = static_cast<unsigned char>(kinds[i]);
    if (kind >= offsets.size() || (i > 0 && zone.changes_[i].at <= zone.changes_[i - 1].at)) return broken;
    zone.changes_[i].offset = offsets[kind];
  }
  zone.first_offset_ = offsets[0];
  bytes.Take(header->letters + header->leaps * 12 + header->standard_flags + header->utc_flags);
  std::string_view footer = bytes.rest();
  if (footer.size() < 2 || footer.front() != '\n' || footer.back() != '\n') return broken;
  footer = footer.substr(1, footer.size() - 2);
  if (!footer.empty()) {
    zone.rule_ = ParseRule(footer);
    if (!zone.rule_) return broken;
  }
  return zone;
}

std::optional<TimeZone::Rule> TimeZone::ParseRule(std::string_view text) {
  RuleText left(text);
  Rule rule;
  if (!left.TakeName()) return std::nullopt;
  const std::optional<int32_t> west = left.TakeTime();
  if (!west) return std::nullopt;
  rule.standard = -*west;
  if (left.empty()) return rule;
  if (!left.TakeName()) return std::nullopt;
  rule.has_summer = true;
  rule.summer = rule.standard + 3600;
  if (!left.TakeChar(',')) {
    const std::optional<int32_t> summer_west = left.TakeTime();
    if (!summer_west || !left.TakeChar(',')) return std::nullopt;
    rule.summer = -*summer_west;
  }
  const auto take_day = [&left](YearDay& day) {
    if (!left.TakeChar('M')) return false;
    const auto month = left.TakeNumber();
    if (!month || !left.TakeChar('.')) return false;
    const auto week = left.TakeNumber();
    if (!week || !left.TakeChar('.')) return false;
    const auto weekday = left.TakeNumber();
    if (!weekday || *month < 1 || *month > 12 || *week < 1 || *week > 5 || *weekday > 6) return false;
    day = {*month, *week, *weekday};
    if (!left.TakeChar('/')) return true;
    const auto time = left.TakeTime();
    if (time) day.seconds = *time;
    return time.has_value();
  };
  if (!take_day(rule.begin) || !left.TakeChar(',') || !take_day(rule.end) || !left.empty()) return std::nullopt;
  return rule;
}

int64_t TimeZone::LocalMoment(int year, const YearDay& day) {
  using std::chrono::sys_days;
  const auto month = std::chrono::year(year) / std::chrono::month(static_cast<unsigned>(day.month));
  const std::chrono::weekday on(static_cast<unsigned>(day.day));
  const sys_days date =
      day.week == 5 ? sys_days(month / on[std::chrono::last]) : sys_days(month / on[static_cast<unsigned>(day.week)]);
  return std::chrono::duration_cast<std::chrono::seconds>(date.time_since_epoch()).count() + day.seconds;
}

int32_t TimeZone::OffsetByRule(int64_t unix_seconds) const {
  if (!rule_->has_summer) return rule_->standard;
  const std::chrono::sys_seconds standard(std::chrono::seconds(unix_seconds + rule_->standard));
  const auto today = std::chrono::floor<std::chrono::days>(standard);
  const int year = static_cast<int>(std::chrono::year_month_day(today).year());
  const int64_t begin = LocalMoment(year, rule_->begin) - rule_->standard;
  const int64_t end = LocalMoment(year, rule_->end) - rule_->summer;
  const bool summer =
      begin < end ? unix_seconds >= begin && unix_seconds < end : unix_seconds >= begin || unix_seconds < end;
  return summer ? rule_->summer : rule_->standard;
}

int32_t TimeZone::OffsetAt(int64_t unix_seconds) const {
  const auto after = std::upper_bound(changes_.begin(), changes_.end(), unix_seconds,
                                      [](int64_t at, const Change& change) { return at < change.at; });
  if (after == changes_.end() && rule_) return OffsetByRule(unix_seconds);
  return after == changes_.begin() ? first_offset_ : std::prev(after)->offset;
}

int64_t TimeZone::ToUnix(int64_t local_seconds) const {
  // The offsets in force a day before and after; one of them, or both, fits.
  const int32_t before = OffsetAt(local_seconds - 86'400);
  const int32_t after = OffsetAt(local_seconds + 86'400);
  const int64_t early = local_seconds - std::max(before, after);
  const int64_t late = local_seconds - std::min(before, after);
  if (OffsetAt(early) == std::max(before, after)) return early;
  if (OffsetAt(late) == std::min(before, after)) return late;
  return local_seconds - before;  // left out: clocks were put forward over it
}

}  // namespace argosy
