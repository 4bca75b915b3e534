// Schedule expressions from requests: refused with a reason, or due at times that lie ahead and come one after another.
#include <array>

#include "base/schedule.h"

namespace {

using argosy::Result;
using argosy::Schedule;
using argosy::Time;

// Bytes as what expressions are made of, so that many are whole.
std::string Spelt(const char* begin, std::string_view bytes, const char* end) {
  constexpr std::string_view kLetters = "0123456789?*-,/ LW#12";
  constexpr std::array<const char*, 8> kWords = {" * ", " ? ", "MON", "FEB", " 1 ", "0/5", " 29 ", "20"};
  std::string text = begin;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte % 4 == 0) {
      text += kWords[byte / 4 % kWords.size()];
    } else {
      text.push_back(kLetters[byte / 4 % kLetters.size()]);
    }
  }
  return text + end;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  constexpr std::array<const char*, 4> kZones = {"", "Europe/Vienna", "America/St_Johns", "Australia/Lord_Howe"};
  std::string expression;
  switch (data[0] % 4) {
    case 0:
      expression = bytes;
      break;
    case 1:
      expression = Spelt("rate(", bytes, data[0] < 128 ? ")" : " days)");
      break;
    case 2:
      expression = Spelt("at(20", bytes, ")");
      break;
    default:
      expression = Spelt("cron(", bytes, ")");
  }
  const Result<Schedule> schedule = Schedule::Parse(expression, kZones[data[1] % kZones.size()]);
  if (!schedule.ok()) {
    argosy::Check(!schedule.error().message().empty(), "a refusal has its reason");
    return 0;
  }
  for (const double begin : {0.0, 1.7e9, 1.774e9, 9.2e9}) {
    Time after = argosy::FromUnixSeconds(begin);
    for (int i = 0; i < 3; ++i) {
      const std::optional<Time> next = schedule->Next(after, argosy::FromUnixSeconds(1.7e9));
      if (!next) break;
      argosy::Check(*next > after, "what is due next lies ahead");
      argosy::Check(!schedule->once() || i == 0, "what comes once comes once");
      after = *next;
    }
  }
  return 0;
}
