#include "objectstore/checksum.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/random.h"

namespace argosy::objectstore {
namespace {

std::string HexOf(ChecksumAlgorithm algorithm, std::string_view bytes) {
  const auto hasher = NewChecksumHasher(algorithm);
  hasher->Update(bytes);
  return ToHex(hasher->Finish());
}

// Check values of "123456789": the catalogue of parametrised CRC algorithms; digests: FIPS 180 examples.
TEST(Checksum, KnownValues) {
  EXPECT_EQ(HexOf(ChecksumAlgorithm::kCrc32, "123456789"), "cbf43926");
  EXPECT_EQ(HexOf(ChecksumAlgorithm::kCrc32c, "123456789"), "e3069283");
  EXPECT_EQ(HexOf(ChecksumAlgorithm::kCrc64Nvme, "123456789"), "ae8b14860a799888");
  EXPECT_EQ(HexOf(ChecksumAlgorithm::kSha1, "abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(HexOf(ChecksumAlgorithm::kSha256, "abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Checksum, PiecesGiveWhatTheWholeGives) {
  SeededRandom random(3);
  std::string bytes(10'000, '\0');
  for (char& c : bytes) c = static_cast<char>(random.Next());
  for (const auto algorithm : {ChecksumAlgorithm::kCrc32, ChecksumAlgorithm::kCrc32c, ChecksumAlgorithm::kCrc64Nvme,
                               ChecksumAlgorithm::kSha1, ChecksumAlgorithm::kSha256}) {
    const auto hasher = NewChecksumHasher(algorithm);
    for (size_t at = 0; at < bytes.size();) {
      const size_t n = std::min<size_t>(bytes.size() - at, random.Below(37));
      hasher->Update(std::string_view(bytes).substr(at, n));
      at += n;
    }
    EXPECT_EQ(ToHex(hasher->Finish()), HexOf(algorithm, bytes)) << ChecksumName(algorithm);
  }
}

TEST(Checksum, CrcsOfPartsCombineToThatOfTheWhole) {
  SeededRandom random(4);
  for (const auto algorithm : {ChecksumAlgorithm::kCrc32, ChecksumAlgorithm::kCrc32c, ChecksumAlgorithm::kCrc64Nvme}) {
    for (int round = 0; round < 20; ++round) {
      std::string whole;
      std::vector<PartChecksum> parts;
      for (int i = 0; i < 4; ++i) {
        std::string part(random.Below(3000), '\0');
        for (char& c : part) c = static_cast<char>(random.Next());
        parts.push_back({ToBase64(*FromHex(HexOf(algorithm, part))), part.size()});
        whole += part;
      }
      const auto combined = CombineChecksums(algorithm, ChecksumType::kFullObject, parts);
      ASSERT_TRUE(combined.has_value());
      EXPECT_EQ(combined->value, ToBase64(*FromHex(HexOf(algorithm, whole))));
    }
  }
}

TEST(Checksum, CompositeIsTheChecksumOfTheRawValuesAndCountsThem) {
  const std::string a = *FromHex(HexOf(ChecksumAlgorithm::kSha256, "one"));
  const std::string b = *FromHex(HexOf(ChecksumAlgorithm::kSha256, "two"));
  const auto composite =
      CombineChecksums(ChecksumAlgorithm::kSha256, ChecksumType::kComposite, {{ToBase64(a), 3}, {ToBase64(b), 3}});
  ASSERT_TRUE(composite.has_value());
  EXPECT_EQ(composite->value, ToBase64(*FromHex(HexOf(ChecksumAlgorithm::kSha256, a + b))) + "-2");
  EXPECT_FALSE(CombineChecksums(ChecksumAlgorithm::kSha256, ChecksumType::kFullObject, {{ToBase64(a), 3}}).has_value());
  EXPECT_FALSE(CombineChecksums(ChecksumAlgorithm::kCrc32, ChecksumType::kComposite, {{ToBase64(a), 3}}).has_value());
}

TEST(Checksum, Md5CanBeReadInBetween) {
  Md5Hasher hasher;
  hasher.Update("ab");
  EXPECT_EQ(ToHex(hasher.Digest()), Md5Hex("ab"));
  hasher.Update("c");
  EXPECT_EQ(ToHex(hasher.Digest()), Md5Hex("abc"));
}

}  // namespace
}  // namespace argosy::objectstore
