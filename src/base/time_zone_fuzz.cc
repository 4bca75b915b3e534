// Time zone files: refused, or a zone whose clocks can be read at any time of the program's centuries.
#include <string>

#include "base/time_zone.h"

namespace {

// A file of version 2 that is right but for what the bytes make of its changes and its rule.
std::string FileOf(std::string_view bytes) {
  constexpr std::string_view kRule = "CETSD<>+-0123456789,,.M/:";
  const auto number = [](uint32_t value) {
    std::string text;
    for (int shift = 24; shift >= 0; shift -= 8) text.push_back(static_cast<char>(value >> shift));
    return text;
  };
  const auto header = [&](uint32_t changes, uint32_t types) {
    return "TZif2" + std::string(15, '\0') + number(0) + number(0) + number(0) + number(changes) + number(types) +
           number(0);
  };
  const auto take = [&bytes](size_t count) {
    std::string taken(bytes.substr(0, count));
    bytes.remove_prefix(taken.size());
    taken.resize(count);
    return taken;
  };
  const auto changes = static_cast<uint32_t>(static_cast<unsigned char>(take(1)[0]) % 4);
  const auto types = 1 + static_cast<uint32_t>(static_cast<unsigned char>(take(1)[0]) % 3);
  std::string file = header(0, 0) + header(changes, types);
  for (uint32_t i = 0; i < changes; ++i) file += number(i) + take(4);  // ascending
  for (uint32_t i = 0; i < changes; ++i) file.push_back(static_cast<char>(static_cast<unsigned char>(take(1)[0]) % 4));
  for (uint32_t i = 0; i < types; ++i) file += take(4) + std::string(2, '\0');
  file += "\n";
  if (!bytes.empty() && bytes[0] % 2 == 0) file += "CET-1CEST,M3.5.0,M10.5.0/";
  for (const char c : bytes) file.push_back(kRule[static_cast<unsigned char>(c) % kRule.size()]);
  return file + "\n";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto zone = argosy::TimeZone::Parse(data[0] % 4 == 0 ? std::string(bytes) : FileOf(bytes));
  if (!zone.ok()) return 0;
  for (int64_t at = -2'208'988'800; at < 9'300'000'000; at += 86'400LL * 777 + 4'321) {
    const int64_t offset = at - zone->ToUnix(at);
    argosy::Check(std::abs(offset) <= int64_t{1} << 31, "further from UTC than a file can say");
    (void)zone->OffsetAt(at);
  }
  return 0;
}
