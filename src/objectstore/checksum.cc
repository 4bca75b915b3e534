#include "objectstore/checksum.h"

#include <openssl/evp.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"

namespace argosy::objectstore {
namespace {

struct AlgorithmName {
  ChecksumAlgorithm algorithm;
  std::string_view name;
};
constexpr AlgorithmName kAlgorithms[] = {
    {ChecksumAlgorithm::kCrc32, "CRC32"},         {ChecksumAlgorithm::kCrc32c, "CRC32C"},
    {ChecksumAlgorithm::kCrc64Nvme, "CRC64NVME"}, {ChecksumAlgorithm::kSha1, "SHA1"},
    {ChecksumAlgorithm::kSha256, "SHA256"},
};

// A CRC with reflected input and output, all ones before and after, eight bytes at a time (Kounavis and Berry, "Novel
// table lookup-based algorithms for high-performance CRC generation", 2008). `kPolynomial` is bit-reversed.
template <class Word, Word kPolynomial>
class SlicedCrc {
 public:
  static Word Update(Word crc, std::string_view bytes) {
    const Tables& tables = GetTables();
    crc = static_cast<Word>(~crc);
    const auto* p = reinterpret_cast<const unsigned char*>(bytes.data());
    size_t n = bytes.size();
    for (; n >= 8; n -= 8, p += 8) {
      uint64_t block = crc;
      for (int i = 0; i < 8; ++i) block ^= static_cast<uint64_t>(p[i]) << (8 * i);
      crc = 0;
      for (size_t i = 0; i < 8; ++i) crc ^= tables[7 - i][(block >> (8 * i)) & 255];
    }
    for (; n > 0; --n, ++p) crc = static_cast<Word>((crc >> 8) ^ tables[0][(crc ^ *p) & 255]);
    return static_cast<Word>(~crc);
  }

  // The CRC of a followed by b, of which `b_size` is the length: a's CRC is carried over b_size zero bytes by squaring
  // the operator for one zero bit, a matrix over GF(2).
  static Word Combine(Word a, Word b, uint64_t b_size) {
    constexpr size_t kBits = sizeof(Word) * 8;
    using Matrix = std::array<Word, kBits>;
    auto times = [](const Matrix& matrix, Word vector) {
      Word sum = 0;
      for (size_t i = 0; vector != 0; ++i, vector = static_cast<Word>(vector >> 1)) {
        if (vector & 1) sum ^= matrix[i];
      }
      return sum;
    };
    Matrix zeros;  // for one zero bit
    zeros[0] = kPolynomial;
    for (size_t i = 1; i < kBits; ++i) zeros[i] = static_cast<Word>(Word{1} << (i - 1));
    auto square = [&](const Matrix& matrix) {
      Matrix out;
      for (size_t i = 0; i < kBits; ++i) out[i] = times(matrix, matrix[i]);
      return out;
    };
    for (int i = 0; i < 3; ++i) zeros = square(zeros);  // for one zero byte
    for (; b_size != 0; b_size >>= 1, zeros = square(zeros)) {
      if (b_size & 1) a = times(zeros, a);
    }
    return a ^ b;
  }

 private:
  using Tables = std::array<std::array<Word, 256>, 8>;
  static const Tables& GetTables() {
    static const Tables tables = [] {
      Tables out{};
      for (size_t i = 0; i < 256; ++i) {
        Word crc = static_cast<Word>(i);
        for (int bit = 0; bit < 8; ++bit) crc = static_cast<Word>((crc >> 1) ^ ((crc & 1) ? kPolynomial : 0));
        out[0][i] = crc;
      }
      for (size_t slice = 1; slice < 8; ++slice) {
        for (size_t i = 0; i < 256; ++i) {
          const Word before = out[slice - 1][i];
          out[slice][i] = static_cast<Word>((before >> 8) ^ out[0][before & 255]);
        }
      }
      return out;
    }();
    return tables;
  }
};

using Crc32Ieee = SlicedCrc<uint32_t, 0xEDB88320u>;
using Crc32Castagnoli = SlicedCrc<uint32_t, 0x82F63B78u>;
using Crc64Nvme = SlicedCrc<uint64_t, 0x9A6C9329AC4BC9B5u>;

template <class Word>
std::string BigEndian(Word word) {
  std::string out(sizeof(Word), '\0');
  for (size_t i = 0; i < sizeof(Word); ++i) out[i] = static_cast<char>(word >> (8 * (sizeof(Word) - 1 - i)));
  return out;
}

template <class Word>
Word FromBigEndian(std::string_view bytes) {
  Word out = 0;
  for (const char c : bytes) out = static_cast<Word>((out << 8) | static_cast<unsigned char>(c));
  return out;
}

// zlib's is the fastest at hand for the common polynomial.
uint32_t ZlibCrc32(uint32_t crc, std::string_view bytes) {
  return Crc32(crc, bytes);
}

template <class Word, Word (*kUpdate)(Word, std::string_view)>
class CrcHasher final : public ChecksumHasher {
 public:
  void Update(std::string_view piece) override { crc_ = kUpdate(crc_, piece); }
  std::string Finish() override { return BigEndian(crc_); }

 private:
  Word crc_ = 0;
};

class DigestHasher final : public ChecksumHasher {
 public:
  explicit DigestHasher(const EVP_MD* algorithm) : context_(EVP_MD_CTX_new()) {
    Check(context_ != nullptr && EVP_DigestInit_ex2(context_, algorithm, nullptr) == 1, "no digest");
  }
  ~DigestHasher() override { EVP_MD_CTX_free(context_); }
  DigestHasher(const DigestHasher&) = delete;
  DigestHasher& operator=(const DigestHasher&) = delete;
  void Update(std::string_view piece) override {
    Check(EVP_DigestUpdate(context_, piece.data(), piece.size()) == 1, "digest update");
  }
  std::string Finish() override {
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    Check(EVP_DigestFinal_ex(context_, out, &size) == 1, "digest final");
    return std::string(reinterpret_cast<const char*>(out), size);
  }

 private:
  EVP_MD_CTX* context_;
};

size_t RawSize(ChecksumAlgorithm algorithm) {
  switch (algorithm) {
    case ChecksumAlgorithm::kCrc32:
    case ChecksumAlgorithm::kCrc32c:
      return 4;
    case ChecksumAlgorithm::kCrc64Nvme:
      return 8;
    case ChecksumAlgorithm::kSha1:
      return 20;
    case ChecksumAlgorithm::kSha256:
      return 32;
  }
  return 0;
}

std::string CombineTwo(ChecksumAlgorithm algorithm, std::string_view a, std::string_view b, uint64_t b_size) {
  if (algorithm == ChecksumAlgorithm::kCrc64Nvme) {
    return BigEndian(Crc64Nvme::Combine(FromBigEndian<uint64_t>(a), FromBigEndian<uint64_t>(b), b_size));
  }
  const auto left = FromBigEndian<uint32_t>(a);
  const auto right = FromBigEndian<uint32_t>(b);
  return BigEndian(algorithm == ChecksumAlgorithm::kCrc32 ? Crc32Ieee::Combine(left, right, b_size)
                                                          : Crc32Castagnoli::Combine(left, right, b_size));
}

}  // namespace

std::string_view ChecksumName(ChecksumAlgorithm algorithm) {
  for (const AlgorithmName& known : kAlgorithms) {
    if (known.algorithm == algorithm) return known.name;
  }
  return {};
}

std::optional<ChecksumAlgorithm> ParseChecksumName(std::string_view name) {
  for (const AlgorithmName& known : kAlgorithms) {
    if (EqualsIgnoreCase(known.name, name)) return known.algorithm;
  }
  return std::nullopt;
}

std::string_view ChecksumTypeName(ChecksumType type) {
  return type == ChecksumType::kFullObject ? "FULL_OBJECT" : "COMPOSITE";
}

std::optional<ChecksumType> ParseChecksumTypeName(std::string_view name) {
  if (EqualsIgnoreCase(name, "FULL_OBJECT")) return ChecksumType::kFullObject;
  if (EqualsIgnoreCase(name, "COMPOSITE")) return ChecksumType::kComposite;
  return std::nullopt;
}

std::unique_ptr<ChecksumHasher> NewChecksumHasher(ChecksumAlgorithm algorithm) {
  switch (algorithm) {
    case ChecksumAlgorithm::kCrc32:
      return std::make_unique<CrcHasher<uint32_t, ZlibCrc32>>();
    case ChecksumAlgorithm::kCrc32c:
      return std::make_unique<CrcHasher<uint32_t, Crc32Castagnoli::Update>>();
    case ChecksumAlgorithm::kCrc64Nvme:
      return std::make_unique<CrcHasher<uint64_t, Crc64Nvme::Update>>();
    case ChecksumAlgorithm::kSha1:
      return std::make_unique<DigestHasher>(EVP_sha1());
    case ChecksumAlgorithm::kSha256:
      return std::make_unique<DigestHasher>(EVP_sha256());
  }
  return nullptr;
}

struct Md5Hasher::Context {
  Context() : md(EVP_MD_CTX_new()) { Check(md != nullptr, "no digest context"); }
  ~Context() { EVP_MD_CTX_free(md); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  EVP_MD_CTX* md;
};

Md5Hasher::Md5Hasher() : context_(std::make_unique<Context>()) {
  Check(EVP_DigestInit_ex2(context_->md, EVP_md5(), nullptr) == 1, "no MD5");
}
Md5Hasher::~Md5Hasher() = default;
Md5Hasher::Md5Hasher(Md5Hasher&&) noexcept = default;
Md5Hasher& Md5Hasher::operator=(Md5Hasher&&) noexcept = default;

void Md5Hasher::Update(std::string_view piece) {
  Check(EVP_DigestUpdate(context_->md, piece.data(), piece.size()) == 1, "MD5 update");
}

std::string Md5Hasher::Digest() const {
  Context copy;
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  Check(EVP_MD_CTX_copy_ex(copy.md, context_->md) == 1 && EVP_DigestFinal_ex(copy.md, out, &size) == 1, "MD5 final");
  return std::string(reinterpret_cast<const char*>(out), size);
}

bool CanCombine(ChecksumAlgorithm algorithm) {
  return algorithm != ChecksumAlgorithm::kSha1 && algorithm != ChecksumAlgorithm::kSha256;
}

std::optional<Checksum> CombineChecksums(ChecksumAlgorithm algorithm, ChecksumType type,
                                         const std::vector<PartChecksum>& parts) {
  if (type == ChecksumType::kFullObject && !CanCombine(algorithm)) return std::nullopt;
  const std::unique_ptr<ChecksumHasher> over_parts = NewChecksumHasher(algorithm);
  std::string whole = NewChecksumHasher(algorithm)->Finish();  // of nothing
  for (const PartChecksum& part : parts) {
    const std::optional<std::string> raw = FromBase64(part.value);
    if (!raw || raw->size() != RawSize(algorithm)) return std::nullopt;
    if (type == ChecksumType::kComposite) {
      over_parts->Update(*raw);
    } else {
      whole = CombineTwo(algorithm, whole, *raw, part.size);
    }
  }
  if (type == ChecksumType::kFullObject) return Checksum{algorithm, type, ToBase64(whole)};
  return Checksum{algorithm, type, ToBase64(over_parts->Finish()) + "-" + std::to_string(parts.size())};
}

}  // namespace argosy::objectstore
