#include "api/patterns.h"

#include <gtest/gtest.h>

#include <regex>

#include "base/random.h"

namespace argosy::api {
namespace {

// The service's expression in ECMAScript's dialect; kTagPattern's Unicode classes have no equivalent there.
struct PatternCase {
  const char* name;
  const Pattern* pattern;
  const char* expression;
  // Random strings are made of these pieces, so that many come close to matching.
  std::vector<std::string> pieces;
};

std::vector<PatternCase> Cases() {
  const std::vector<std::string> name_pieces = {
      "a", "Z", "9", "-", "--", "_", ".", " ", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
  const std::vector<std::string> arn_pieces = {"arn:aws", "-cn",   ":iam::", ":sagemaker:", "us-east-1", "123456789012",
                                               "12",      ":role", "/",      "x_1",         ":",         "\n",
                                               "A"};
  return {
      {"name", &kNamePattern, "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", name_pieces},
      {"long name", &kLongNamePattern, "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,119}", name_pieces},
      {"model name", &kModelNamePattern, "[a-zA-Z0-9]([\\-a-zA-Z0-9]*[a-zA-Z0-9])?", name_pieces},
      {"name contains", &kNameContainsPattern, "[a-zA-Z0-9\\-]+", name_pieces},
      {"role", &kRoleArnPattern, "arn:aws[a-z\\-]*:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+", arn_pieces},
      {"s3 uri",
       &kS3UriPattern,
       "(https|s3)://([^/]+)/?(.*)",
       {"s3://", "https://", "http://", "b", "/", "k y", "\n", "é"}},
      {"sagemaker arn", &kSagemakerArnPattern, "arn:aws[a-z-]*:sagemaker:[a-z0-9-]*:[0-9]{12}:.+", arn_pieces},
      {"channel", &kChannelNamePattern, "[A-Za-z0-9\\.\\-_]+", name_pieces},
      {"environment key", &kEnvironmentKeyPattern, "[a-zA-Z_][a-zA-Z0-9_]*", name_pieces},
      {"kms key", &kKmsKeyPattern, "[a-zA-Z0-9:/_-]*", arn_pieces},
      {"no space", &kNoSpacePattern, "[\\S]+", {"a", "/", ":", " ", "\t", "\n"}},
      {"non-empty line", &kNonEmptyLinePattern, ".+", {"a", " ", "\n", "\r", "(.*)"}},
      {"line", &kLinePattern, ".*", {"a", " ", "\n", "\r", "[]"}},
      {"log group", &kLogGroupPattern, "[\\.\\-_/#A-Za-z0-9]+", {"/aws", "#", "-", "_", ".", " ", ":"}},
      {"iam name", &kIamNamePattern, "[\\w+=,.@-]+", {"a", "Z", "9", "_", "+", "=", ",", ".", "@", "-", "/", " "}},
      {"log stream", &kLogStreamPattern, "[^:*]*", {"a/b", ":", "*", " ", "\n"}},
  };
}

TEST(Patterns, MatchersAgreeWithTheRegularExpressions) {
  SeededRandom random(7);
  for (const PatternCase& c : Cases()) {
    const std::regex expression(c.expression);
    int matched = 0;
    for (int i = 0; i < 3000; ++i) {
      std::string text;
      for (uint64_t pieces = random.Below(7); pieces > 0; --pieces) text += c.pieces[random.Below(c.pieces.size())];
      const bool expected = std::regex_match(text, expression);
      matched += expected ? 1 : 0;
      ASSERT_EQ(c.pattern->matches(text), expected) << c.name << ": '" << text << "'";
    }
    // Roles need many pieces in a row: the fixed examples below cover what chance does not.
    if (c.pattern != &kRoleArnPattern && c.pattern != &kSagemakerArnPattern) EXPECT_GT(matched, 0) << c.name;
  }
}

TEST(Patterns, ArnsOfTheSdksMatch) {
  EXPECT_TRUE(kRoleArnPattern.matches("arn:aws:iam::000000000000:role/argosy"));
  EXPECT_TRUE(kRoleArnPattern.matches("arn:aws-cn:iam::000000000000:role/service-role/Amazon_X+=,.@-1"));
  EXPECT_FALSE(kRoleArnPattern.matches("argosy"));
  EXPECT_FALSE(kRoleArnPattern.matches("arn:aws:iam::000000000000:role"));
  EXPECT_FALSE(kRoleArnPattern.matches("arn:aws:iam::00000000000:role/x"));
  EXPECT_FALSE(kRoleArnPattern.matches("arn:aws:iam::000000000000:user/x"));
  EXPECT_TRUE(kSagemakerArnPattern.matches("arn:aws:sagemaker:us-east-1:000000000000:training-job/x"));
  EXPECT_FALSE(kSagemakerArnPattern.matches("arn:aws:s3:us-east-1:000000000000:x"));
}

TEST(Patterns, TagsTakeLettersOfAnyScript) {
  EXPECT_TRUE(kTagPattern.matches("team größe/1 :=+-@."));
  EXPECT_TRUE(kTagPattern.matches(""));
  EXPECT_FALSE(kTagPattern.matches("a{b}"));
}

}  // namespace
}  // namespace argosy::api
