#include "base/random.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <bit>
#include <cmath>
#include <numbers>

#include "base/result.h"

namespace argosy {

uint64_t Random::Below(uint64_t bound) {
  Check(bound > 0, "Below(0)");
  const uint64_t threshold = -bound % bound;  // draws under it would favour small results
  for (;;) {
    const uint64_t x = Next();
    if (x >= threshold) return x % bound;
  }
}

double Random::Normal() {
  const double u = 1.0 - Uniform();
  const double v = Uniform();
  return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
}

SeededRandom::SeededRandom(uint64_t seed) {
  for (uint64_t& word : state_) {
    seed += 0x9e3779b97f4a7c15ULL;
    uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    word = z ^ (z >> 31);
  }
}

uint64_t SeededRandom::Next() {
  const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

uint64_t SystemRandom::Next() {
  uint64_t word = 0;
  Check(getrandom(&word, sizeof word, 0) == static_cast<ssize_t>(sizeof word), "getrandom failed");
  return word;
}

std::string NewUid(Random& random) {
  return fmt::format("{:016x}{:016x}", random.Next(), random.Next());
}

std::string NewUid(Random& random, Time now) {
  const auto millis = static_cast<uint64_t>(ToUnixNanos(now) / 1'000'000);
  return fmt::format("{:012x}{:04x}{:016x}", millis & 0xffff'ffff'ffff, random.Next() >> 48, random.Next());
}

UuidText NewUuidText(Random& random) {
  constexpr char kDigits[] = "0123456789abcdef";
  const uint64_t a = (random.Next() & ~0xf000ULL) | 0x4000;         // version 4
  const uint64_t b = (random.Next() & ~(3ULL << 62)) | 1ULL << 63;  // variant 1
  UuidText text;
  size_t at = 0;
  const auto write = [&](uint64_t word, int digits_left, int digits) {
    for (int i = 1; i <= digits; ++i) text[at++] = kDigits[(word >> (4 * (digits_left - i))) & 15];
  };
  write(a, 16, 8);
  text[at++] = '-';
  write(a, 8, 4);
  text[at++] = '-';
  write(a, 4, 4);
  text[at++] = '-';
  write(b, 16, 4);
  text[at++] = '-';
  write(b, 12, 12);
  return text;
}

std::string NewUuid(Random& random) {
  return std::string(AsText(NewUuidText(random)));
}

uint64_t MixSeed(uint64_t seed, uint64_t purpose, uint64_t place) {
  uint64_t z = seed + 0x9e3779b97f4a7c15ULL * (purpose + 1) + 0xd1b54a32d192ed03ULL * (place + 1);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

}  // namespace argosy
