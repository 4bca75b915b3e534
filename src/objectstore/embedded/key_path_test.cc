#include "objectstore/embedded/key_path.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "base/random.h"
#include "objectstore/object_store.h"

namespace argosy::objectstore {
namespace {

std::vector<std::string> Components(const std::string& path) {
  std::vector<std::string> out;
  size_t at = 0;
  for (;;) {
    const size_t slash = path.find('/', at);
    out.push_back(path.substr(at, slash - at));
    if (slash == std::string::npos) return out;
    at = slash + 1;
  }
}

// Keys made of the pieces most likely to be confused.
std::string RandomKey(Random& random) {
  static const std::vector<std::string> kPieces = {"a",
                                                   "b",
                                                   "/",
                                                   "/",
                                                   "//",
                                                   ".",
                                                   "..",
                                                   "%",
                                                   "%25",
                                                   "%2F",
                                                   "%+",
                                                   "%-",
                                                   "+",
                                                   "-",
                                                   " ",
                                                   "\n",
                                                   "\\",
                                                   "\"",
                                                   "'",
                                                   "é",
                                                   "漢",
                                                   "𝄞",
                                                   "A",
                                                   "~",
                                                   "?",
                                                   "*",
                                                   "\x7f",
                                                   "\x01",
                                                   "%%",
                                                   ".tmp",
                                                   "&",
                                                   std::string(200, 'x'),
                                                   std::string(39, 'y'),
                                                   std::string("\xEF\xBB\xBF")};
  std::string key;
  const uint64_t pieces = 1 + random.Below(12);
  for (uint64_t i = 0; i < pieces; ++i) {
    const std::string& piece = kPieces[random.Below(kPieces.size())];
    if (key.size() + piece.size() <= kKeyBytesMax) key += piece;
  }
  return key.empty() ? "a" : key;
}

TEST(KeyPath, OrdinaryKeysReadAsTheyAre) {
  EXPECT_EQ(KeyToPath("train.csv"), "train.csv");
  EXPECT_EQ(KeyToPath("data/train.csv"), "data%/train.csv");
  EXPECT_EQ(KeyToPath("a b/é.txt"), "a b%/é.txt");
}

TEST(KeyPath, SpecialKeysHaveTheirDocumentedPaths) {
  EXPECT_EQ(KeyToPath("a/"), "a%/%-");
  EXPECT_EQ(KeyToPath("/"), "%/%-");
  EXPECT_EQ(KeyToPath("a//b"), "a%/%/b");
  EXPECT_EQ(KeyToPath(".."), "%2E.");
  EXPECT_EQ(KeyToPath("."), "%2E");
  EXPECT_EQ(KeyToPath("../x"), "..%/x");
  EXPECT_EQ(KeyToPath("100%"), "100%25");
  EXPECT_EQ(KeyToPath("a\nb"), "a%0Ab");
  EXPECT_EQ(KeyToPath(std::string(241, 'x')), std::string(240, 'x') + "%+/x");
  EXPECT_EQ(KeyToPath(std::string(240, 'x') + "."), std::string(240, 'x') + "%+/%2E");
}

TEST(KeyPath, EveryKeyComesBackNoTwoSharePathsAndNoneLeavesItsBucket) {
  SeededRandom random(7);
  std::map<std::string, std::string> key_of_file;
  std::map<std::string, std::string> file_above;  // directory → a file in it
  for (int i = 0; i < 60'000; ++i) {
    const std::string key = RandomKey(random);
    ASSERT_TRUE(ValidateKey(key).ok());
    const std::string path = KeyToPath(key);
    ASSERT_EQ(PathToKey(path), key) << path;
    const auto [at, fresh] = key_of_file.emplace(path, key);
    ASSERT_TRUE(fresh || at->second == key) << path;
    const std::vector<std::string> components = Components(path);
    for (const std::string& component : components) {
      ASSERT_FALSE(component.empty() || component == "." || component == "..") << path;
      ASSERT_LE(component.size(), 255u);
      ASSERT_EQ(component.find('\0'), std::string::npos);
    }
    for (size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
      file_above.emplace(path.substr(0, slash), path);
    }
    ASSERT_LE(path.size(), 3500u);
  }
  for (const auto& [file, key] : key_of_file)
    ASSERT_FALSE(file_above.contains(file)) << file << " is file and directory";
}

TEST(KeyPath, TheLongestKeysFitTheFileSystem) {
  for (const std::string unit : {"a", "/", "%", "a/", "\x01", "漢", ".", "x/%"}) {
    std::string key;
    while (key.size() + unit.size() <= kKeyBytesMax) key += unit;
    const std::string path = KeyToPath(key);
    EXPECT_EQ(PathToKey(path), key);
    EXPECT_LE(path.size(), 3500u);
    for (const std::string& component : Components(path)) EXPECT_LE(component.size(), 255u);
  }
}

TEST(KeyPath, OtherPathsAreNoKeys) {
  for (const std::string path :
       {"", "a/b", "a%", "%2e", "%61", "a%2Fb", "%", "a%+/b", "..", ".", "x%2", "a%//b", "%-x", "a%/", "\xff"}) {
    EXPECT_EQ(PathToKey(path), std::nullopt) << path;
  }
}

}  // namespace
}  // namespace argosy::objectstore
