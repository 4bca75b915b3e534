#include "observe/metric_periods.h"

#include <optional>
#include <utility>

namespace argosy::observe {
namespace {

void AppendVarint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

// Takes one off the front; nothing when the bytes end in it or it is too large.
std::optional<uint64_t> TakeVarint(std::string_view& bytes) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    if (shift == 63 && byte > 1) return std::nullopt;
    value |= uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

Error BadBuckets() {
  return Error(ErrorCode::kCorrupt, "the buckets of a metric's period are no buckets");
}

}  // namespace

int64_t StartOfPeriod(int64_t second, int64_t length) {
  const int64_t over = second % length;
  return second - (over < 0 ? over + length : over);
}

void AddTo(Periods& periods, int64_t start, const Distribution& values) {
  periods[start].Merge(values);
}

Periods Refine(Periods coarse, const Periods& fine, int64_t length) {
  auto from = fine.begin();
  while (from != fine.end()) {
    const int64_t start = StartOfPeriod(from->first, length);
    uint64_t count = 0;
    auto to = from;
    for (; to != fine.end() && to->first < start + length; ++to) count += to->second.count();
    const auto whole = coarse.find(start);
    if (whole != coarse.end() && whole->second.count() == count) {
      coarse.erase(whole);
      coarse.insert(from, to);
    }
    from = to;
  }
  return coarse;
}

Periods Gather(const Periods& periods, int64_t length) {
  Periods out;
  for (const auto& [start, values] : periods) AddTo(out, StartOfPeriod(start, length), values);
  return out;
}

std::string EncodeBuckets(const Distribution& values) {
  std::string out;
  int64_t before = INT16_MIN;
  for (const auto& [at, times] : values.buckets()) {
    AppendVarint(out, static_cast<uint64_t>(at - before));
    AppendVarint(out, times);
    before = at;
  }
  return out;
}

Result<std::vector<Distribution::Bucket>> DecodeBuckets(std::string_view bytes) {
  std::vector<Distribution::Bucket> out;
  uint64_t at = 0;  // from INT16_MIN
  while (!bytes.empty()) {
    const std::optional<uint64_t> step = TakeVarint(bytes);
    const std::optional<uint64_t> times = TakeVarint(bytes);
    if (!step || !times || *step > UINT16_MAX || at + *step > UINT16_MAX) return BadBuckets();
    if (*times == 0 || (*step == 0 && !out.empty())) return BadBuckets();
    at += *step;
    out.emplace_back(static_cast<int16_t>(static_cast<int64_t>(at) + INT16_MIN), *times);
  }
  return out;
}

}  // namespace argosy::observe
