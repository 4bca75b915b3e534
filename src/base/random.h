// Randomness is handed in: a seed replays what happened.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace argosy {

class Random {
 public:
  virtual ~Random() = default;
  virtual uint64_t Next() = 0;

  // Uniform in [0, bound); bound > 0.
  uint64_t Below(uint64_t bound);
  // Uniform in [0, 1).
  double Uniform() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }
  // Standard normal (Box-Muller; takes two draws, keeps none).
  double Normal();
};

// xoshiro256** seeded by splitmix64 (Blackman and Vigna, 2018). Not for secrets.
class SeededRandom : public Random {
 public:
  explicit SeededRandom(uint64_t seed);
  uint64_t Next() override;

 private:
  uint64_t state_[4];
};

// A seed for draws of one purpose at one place, so that they do not repeat those of others.
uint64_t MixSeed(uint64_t seed, uint64_t purpose, uint64_t place);

// The kernel's generator; fit for credentials. Thread-safe.
class SystemRandom : public Random {
 public:
  uint64_t Next() override;
};

// 32 lower-case hex digits, never used twice.
std::string NewUid(Random& random);
// The same for what is created at `now`: the first 12 digits are its milliseconds since 1970, so that uids sort by age
// and an index of them grows at its end.
std::string NewUid(Random& random, Time now);
// 8-4-4-4-12 form, version 4: request ids.
using UuidText = std::array<char, 36>;
UuidText NewUuidText(Random& random);
inline std::string_view AsText(const UuidText& uuid) {
  return {uuid.data(), uuid.size()};
}
std::string NewUuid(Random& random);

}  // namespace argosy
