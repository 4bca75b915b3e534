#include "auth/sigv4.h"

#include <gtest/gtest.h>

#include <chrono>

#include "auth/credentials.h"
#include "auth/hmac.h"
#include "auth/key_ring.h"
#include "auth/test_request.h"
#include "base/bytes.h"

namespace argosy::auth {
namespace {

constexpr std::string_view kEmptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr std::string_view kSuiteSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

Time At(int year, unsigned month, unsigned day, int hour = 0, int minute = 0, int second = 0) {
  return Time(std::chrono::sys_days(std::chrono::year(year) / month / day)) + std::chrono::hours(hour) +
         std::chrono::minutes(minute) + std::chrono::seconds(second);
}

const Time kSuiteTime = At(2015, 8, 30, 12, 36);

Credential SuiteCredential(std::string token = "") {
  return {"AKIDEXAMPLE", std::string(kSuiteSecret), std::move(token), OwnerPrincipal()};
}

struct World {
  explicit World(Credential credential = SuiteCredential(), Time now = kSuiteTime)
      : store(std::move(credential)), clock(now), verifier(&store, &clock) {}

  // "ok", or the failure and its sentence.
  std::string Ask(TestRequest& request, std::string_view payload_hash = kEmptyHash) {
    const http::RequestView view = request.View();
    const auto authorization = ParseAuthorization(view);
    if (const auto* error = std::get_if<AuthError>(&authorization)) return Say(*error);
    const auto verdict = verifier.Verify(view, std::get<AuthorizationView>(authorization), payload_hash);
    if (const auto* error = std::get_if<AuthError>(&verdict)) return Say(*error);
    EXPECT_EQ(std::get<std::shared_ptr<const Principal>>(verdict).get(), &store.owner().principal);
    return "ok";
  }

  KeyRing store;
  ManualClock clock;
  Verifier verifier;
};

struct Vector {
  const char* name;
  const char* method;
  const char* path;
  const char* query;
  Headers headers;  // besides Host and X-Amz-Date
  const char* signed_headers;
  const char* signature;
  const char* body = "";
};

void PrintTo(const Vector& vector, std::ostream* out) {
  *out << vector.name;
}

// AWS's published Signature Version 4 test suite.
class PublishedVector : public testing::TestWithParam<Vector> {};

TEST_P(PublishedVector, IsBelieved) {
  const Vector& vector = GetParam();
  World world;
  TestRequest request(vector.method, vector.path, vector.query, vector.headers);
  request.headers().emplace_back("Host", "example.amazonaws.com");
  request.headers().emplace_back("X-Amz-Date", "20150830T123600Z");
  const std::string scope =
      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=";
  request.Set("Authorization", scope + vector.signed_headers + ", Signature=" + vector.signature);
  EXPECT_EQ(world.Ask(request, Sha256Hex(vector.body)), "ok");
  request.path() += "x";
  EXPECT_TRUE(world.Ask(request, Sha256Hex(vector.body)).starts_with("bad signature"));
}

INSTANTIATE_TEST_SUITE_P(
    Suite, PublishedVector,
    testing::Values(
        Vector{"get_vanilla",
               "GET",
               "/",
               "",
               {},
               "host;x-amz-date",
               "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
        Vector{"post_vanilla",
               "POST",
               "/",
               "",
               {},
               "host;x-amz-date",
               "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
        Vector{"get_vanilla_query_order_key_case",
               "GET",
               "/",
               "Param2=value2&Param1=value1",
               {},
               "host;x-amz-date",
               "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
        Vector{"get_vanilla_empty_query_key",
               "GET",
               "/",
               "Param1=value1",
               {},
               "host;x-amz-date",
               "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
        Vector{"get_vanilla_query_order_encoded",
               "GET",
               "/",
               "Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
               {},
               "host;x-amz-date",
               "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"},
        Vector{"get_vanilla_utf8_query",
               "GET",
               "/",
               "\xe1\x88\xb4=bar",
               {},
               "host;x-amz-date",
               "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
        Vector{"get_unreserved",
               "GET",
               "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
               "",
               {},
               "host;x-amz-date",
               "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
        Vector{"get_utf8",
               "GET",
               "/\xe1\x88\xb4",
               "",
               {},
               "host;x-amz-date",
               "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
        Vector{"get_space",
               "GET",
               "/example space/",
               "",
               {},
               "host;x-amz-date",
               "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
        Vector{"get_slashes",
               "GET",
               "//example//",
               "",
               {},
               "host;x-amz-date",
               "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"},
        Vector{"get_slash_pointless_dot",
               "GET",
               "/./example",
               "",
               {},
               "host;x-amz-date",
               "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"},
        Vector{"get_relative_relative",
               "GET",
               "/example1/example2/../..",
               "",
               {},
               "host;x-amz-date",
               "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
        Vector{"get_header_key_duplicate",
               "GET",
               "/",
               "",
               {{"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}},
               "host;my-header1;x-amz-date",
               "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
        Vector{"get_header_value_order",
               "GET",
               "/",
               "",
               {{"My-Header1", "value4"}, {"My-Header1", "value1"}, {"My-Header1", "value3"}, {"My-Header1", "value2"}},
               "host;my-header1;x-amz-date",
               "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"},
        Vector{"get_header_value_trim",
               "GET",
               "/",
               "",
               {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}},
               "host;my-header1;my-header2;x-amz-date",
               "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
        Vector{"post_header_key_sort",
               "POST",
               "/",
               "",
               {{"My-Header1", "value1"}},
               "host;my-header1;x-amz-date",
               "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
        Vector{"post_header_value_case",
               "POST",
               "/",
               "",
               {{"My-Header1", "VALUE1"}},
               "host;my-header1;x-amz-date",
               "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"},
        Vector{"post_x_www_form_urlencoded",
               "POST",
               "/",
               "",
               {{"Content-Type", "application/x-www-form-urlencoded"},
                {"Content-Length", "13"},
                {"x-amz-content-sha256", "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"}},
               "content-length;content-type;host;x-amz-content-sha256;x-amz-date",
               "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
               "Param1=value1"}),
    [](const testing::TestParamInfo<Vector>& info) { return std::string(info.param.name); });

TEST(SigV4, PublishedSessionTokenVectorIsBelieved) {
  const std::string token = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267";
  World world(SuiteCredential(token));
  TestRequest request("GET", "/", "",
                      {{"Host", "example.amazonaws.com"},
                       {"X-Amz-Date", "20150830T123600Z"},
                       {"X-Amz-Security-Token", token},
                       {"Authorization",
                        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
                        "SignedHeaders=host;x-amz-date;x-amz-security-token, Signature="
                        "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"}});
  EXPECT_EQ(world.Ask(request), "ok");
}

// The worked examples of the S3 API reference, "Signature Calculations for the Authorization Header".
TEST(SigV4, PublishedS3ExamplesAreSignedAndBelieved) {
  const Time time = At(2013, 5, 24);
  const Credential credential{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "", OwnerPrincipal()};
  struct Example {
    const char* method;
    const char* path;
    const char* query;
    Headers headers;
    std::string hash;
    const char* signature;
  };
  const Example examples[] = {
      {"GET",
       "/test.txt",
       "",
       {{"Range", "bytes=0-9"}},
       std::string(kEmptyHash),
       "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
      {"PUT",
       "/test%24file.text",
       "",
       {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
       Sha256Hex("Welcome to Amazon S3."),
       "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
      {"GET",
       "/",
       "lifecycle",
       {},
       std::string(kEmptyHash),
       "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
      {"GET",
       "/",
       "max-keys=2&prefix=J",
       {},
       std::string(kEmptyHash),
       "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
  };
  World world(credential, time);
  for (const Example& example : examples) {
    Headers headers = example.headers;
    headers.emplace_back("Host", "examplebucket.s3.amazonaws.com");
    headers.emplace_back("x-amz-content-sha256", example.hash);
    const Headers added =
        Sign(credential, "us-east-1", "s3", example.method, example.path, example.query, headers, example.hash, time);
    EXPECT_TRUE(added.back().second.ends_with(example.signature)) << example.path << ": " << added.back().second;
    headers.insert(headers.end(), added.begin(), added.end());
    TestRequest request(example.method, example.path, example.query, headers);
    EXPECT_EQ(world.Ask(request, example.hash), "ok") << example.path;
  }
}

TestRequest Signed(std::string service, std::string path, std::string query = "", Headers extra = {},
                   const Credential& credential = SuiteCredential(), Time now = kSuiteTime) {
  extra.emplace_back("Host", "localhost:9000");
  const Headers added = Sign(credential, "us-east-1", service, "GET", path, query, extra, kEmptyHash, now);
  extra.insert(extra.end(), added.begin(), added.end());
  return TestRequest("GET", std::move(path), std::move(query), std::move(extra));
}

TEST(SigV4, S3TakesThePathAsSentAndOtherServicesNormaliseIt) {
  World world;
  TestRequest dotted = Signed("sagemaker", "/a/../b//c/./d");
  dotted.path() = "/b/c/d";
  EXPECT_EQ(world.Ask(dotted), "ok");
  TestRequest object = Signed("s3", "/bucket/a/../b");
  EXPECT_EQ(world.Ask(object), "ok");
  object.path() = "/bucket/b";
  EXPECT_TRUE(world.Ask(object).starts_with("bad signature"));
}

TEST(SigV4, CharactersSentBareAreBelievedWhenTheEncodedFormWasSigned) {
  World world;
  TestRequest path = Signed("s3", "/bucket/dt%3D2020%2B1/x");
  path.path() = "/bucket/dt=2020+1/x";
  EXPECT_EQ(world.Ask(path), "ok");
  TestRequest query = Signed("s3", "/bucket", "prefix=a%2Fb&list-type=2");
  query.query() = "list-type=2&prefix=a/b";
  EXPECT_EQ(world.Ask(query), "ok");
  // An encoded separator stays inside its value.
  TestRequest trick = Signed("s3", "/bucket", "prefix=a%26list-type%3D2");
  trick.query() = "prefix=a&list-type=2";
  EXPECT_TRUE(world.Ask(trick).starts_with("bad signature"));
}

TEST(SigV4, SkewIsBoundedOnBothSides) {
  World world;
  TestRequest request = Signed("sts", "/");
  world.clock.Advance(kSkewMax);
  EXPECT_EQ(world.Ask(request), "ok");
  world.clock.Advance(std::chrono::seconds(1));
  EXPECT_EQ(
      world.Ask(request),
      "skewed: Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T125101Z - 15 min.)");
  world.clock.Advance(-2 * kSkewMax - std::chrono::seconds(1));
  EXPECT_EQ(world.Ask(request), "ok");
  world.clock.Advance(std::chrono::seconds(-1));
  EXPECT_TRUE(
      world.Ask(request).starts_with("skewed: Signature not yet current: 20150830T123600Z is still later than "));
}

TEST(SigV4, KeptKeysAreOfOneSecretAndScope) {
  World world;
  TestRequest first = Signed("sts", "/");
  EXPECT_EQ(world.Ask(first), "ok");
  // The same scope with another secret, then another service's scope with the first signature.
  Credential thief = SuiteCredential();
  thief.secret_access_key += "x";
  TestRequest forged = Signed("sts", "/", "", {}, thief);
  EXPECT_TRUE(world.Ask(forged).starts_with("bad signature"));
  TestRequest logs = Signed("logs", "/");
  EXPECT_EQ(world.Ask(logs), "ok");
  EXPECT_EQ(world.Ask(first), "ok");
  Credential second{
      "AKIASECOND", "another-secret", "", {PrincipalKind::kMember, "second", "arn:aws:iam::000000000000:user/second"}};
  world.store.Put(second);
  TestRequest theirs = Signed("sts", "/", "", {}, second);
  const http::RequestView view = theirs.View();
  const auto authorization = ParseAuthorization(view);
  const auto verdict = world.verifier.Verify(view, std::get<AuthorizationView>(authorization), kEmptyHash);
  ASSERT_TRUE(std::holds_alternative<std::shared_ptr<const Principal>>(verdict));
  EXPECT_EQ(std::get<std::shared_ptr<const Principal>>(verdict)->name, "second");
}

TEST(SigV4, MoreScopesThanAreKeptAreStillBelieved) {
  World world;
  for (int i = 0; i < 1500; ++i) {
    TestRequest request = Signed("service" + std::to_string(i), "/");
    ASSERT_EQ(world.Ask(request), "ok") << i;
  }
  TestRequest again = Signed("service0", "/");
  EXPECT_EQ(world.Ask(again), "ok");
}

TEST(SigV4, AmzHeadersMustBeSigned) {
  World world;
  TestRequest request = Signed("s3", "/bucket/key");
  request.Set("X-Amz-Meta-Owner", "mallory");
  EXPECT_EQ(world.Ask(request),
            "bad signature: The header 'x-amz-meta-owner' is present in the request but not among its SignedHeaders.");
}

TEST(SigV4, TokensAreComparedWithTheCredentials) {
  const Credential with_token = SuiteCredential("token");
  World world(with_token);
  TestRequest good = Signed("sts", "/", "", {}, with_token);
  EXPECT_EQ(world.Ask(good), "ok");
  TestRequest without = Signed("sts", "/");
  EXPECT_TRUE(world.Ask(without).starts_with("bad token"));
  TestRequest other = Signed("sts", "/", "", {}, SuiteCredential("tokeN"));
  EXPECT_TRUE(world.Ask(other).starts_with("bad token"));
  World plain;
  EXPECT_TRUE(plain.Ask(good).starts_with("bad token"));
}

TEST(SigV4, TheDateHeaderServesWhereXAmzDateIsMissing) {
  World world;
  // As a client of the first days signs: no x-amz-date; the string to sign has the Date in the other form.
  const Credential credential = SuiteCredential();
  TestRequest request("GET", "/", "", {{"Host", "h"}, {"Date", "Sun, 30 Aug 2015 12:36:00 GMT"}});
  const std::string canonical =
      "GET\n/\n\ndate:Sun, 30 Aug 2015 12:36:00 GMT\nhost:h\n\ndate;host\n" + std::string(kEmptyHash);
  const std::string text =
      "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/sts/aws4_request\n" + Sha256Hex(canonical);
  std::string key = "AWS4" + credential.secret_access_key;
  for (const char* part : {"20150830", "us-east-1", "sts", "aws4_request"}) {
    const Sha256Digest next = HmacKey(key).Sign(part);
    key = std::string(AsBytes(next));
  }
  request.Set("Authorization",
              "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/sts/aws4_request,SignedHeaders=date;host,"
              "Signature=" +
                  std::string(AsText(ToHexDigest(HmacKey(key).Sign(text)))));
  EXPECT_EQ(world.Ask(request), "ok");
  request.Set("Date", "Sun, 30 Foo 2015 12:36:00 GMT");
  EXPECT_EQ(world.Ask(request), "malformed: The Date header is not an HTTP date.");
}

TEST(SigV4, SigningLeavesOutWhatTransportsChange) {
  const Headers headers{{"Host", "h"}, {"User-Agent", "argosy"}, {"Expect", "100-continue"}, {"B", "2"}, {"a", "1"}};
  const Headers added = Sign(SuiteCredential("tok"), "r", "s3", "GET", "/", "", headers, kEmptyHash, kSuiteTime);
  ASSERT_EQ(added.size(), 3U);
  EXPECT_EQ(added[0], (std::pair<std::string, std::string>{"x-amz-date", "20150830T123600Z"}));
  EXPECT_EQ(added[1], (std::pair<std::string, std::string>{"x-amz-security-token", "tok"}));
  EXPECT_NE(added[2].second.find("SignedHeaders=a;b;host;x-amz-date;x-amz-security-token, "), std::string::npos)
      << added[2].second;
}

struct BadHeader {
  const char* header;
  const char* verdict;
};

TEST(ParseAuthorization, RefusesWithASentence) {
  const std::string sixty_four(64, 'a');
  const BadHeader bad[] = {
      {"", "missing: The request has no Authorization header."},
      {"Basic dXNlcjpwYXNz",
       "malformed: The Authorization header does not begin with AWS4-HMAC-SHA256, the only algorithm supported."},
      {"AWS4-HMAC-SHA256",
       "malformed: The Authorization header does not begin with AWS4-HMAC-SHA256, the only algorithm supported."},
      {"AWS4-HMAC-SHA256 Credential=A/20150830/r/s/aws4_request, SignedHeaders=host",
       "malformed: Authorization header requires 'Signature' parameter."},
      {"AWS4-HMAC-SHA256 SignedHeaders=host, Signature=$",
       "malformed: Authorization header requires 'Credential' parameter."},
      {"AWS4-HMAC-SHA256 Credential=A/20150830/r/s/aws4_request, Signature=$",
       "malformed: Authorization header requires 'SignedHeaders' parameter."},
      {"AWS4-HMAC-SHA256 Credential=A/20150830/r/s/aws4_request, SignedHeaders=host, Signature=abc",
       "malformed: Signature must be 64 hexadecimal digits."},
      {"AWS4-HMAC-SHA256 Credential=A/2015083/r/s/aws4_request, SignedHeaders=host, Signature=$",
       "malformed: Date in Credential scope must be YYYYMMDD."},
      {"AWS4-HMAC-SHA256 Credential=A/20150830/r/s/aws3, SignedHeaders=host, Signature=$",
       "malformed: Credential must end in 'aws4_request'."},
      {"AWS4-HMAC-SHA256 Credential=A/20150830//s/aws4_request, SignedHeaders=host, Signature=$",
       "malformed: Credential must be <access key id>/<YYYYMMDD>/<region>/<service>/aws4_request."},
      {"AWS4-HMAC-SHA256 Credential=A/20150830/r/s/aws4_request/x, SignedHeaders=host, Signature=$",
       "malformed: Credential must be <access key id>/<YYYYMMDD>/<region>/<service>/aws4_request."},
      {"AWS4-HMAC-SHA256 Credential=A/20150830/r/s/aws4_request, SignedHeaders=host, Signature=$, Signature=$",
       "malformed: The Authorization header gives 'Signature' twice."},
      {"AWS4-HMAC-SHA256 Credential=A/20150830/r/s/aws4_request, Extra=1, SignedHeaders=host, Signature=$",
       "malformed: The Authorization header has a part that is not Credential, SignedHeaders or Signature."},
  };
  World world;
  for (const BadHeader& row : bad) {
    std::string header = row.header;
    for (size_t at; (at = header.find('$')) != std::string::npos;) header.replace(at, 1, sixty_four);
    TestRequest request("GET", "/", "", {{"Host", "h"}, {"Authorization", header}});
    EXPECT_EQ(world.Ask(request), row.verdict) << header;
  }
}

TEST(ParseAuthorization, SplitsTheScope) {
  TestRequest request(
      "GET", "/", "",
      {{"authorization", "AWS4-HMAC-SHA256 Signature=" + std::string(64, 'b') +
                             ",SignedHeaders=host;x-amz-date,Credential=AKIA1/20240501/eu-central-1/s3/aws4_request"}});
  const http::RequestView request_view = request.View();
  const auto parsed = ParseAuthorization(request_view);
  const auto& view = std::get<AuthorizationView>(parsed);
  EXPECT_EQ(view.access_key_id, "AKIA1");
  EXPECT_EQ(view.date, "20240501");
  EXPECT_EQ(view.region, "eu-central-1");
  EXPECT_EQ(view.service, "s3");
  EXPECT_EQ(view.scope, "20240501/eu-central-1/s3/aws4_request");
  EXPECT_EQ(view.signed_headers, "host;x-amz-date");
}

TEST(Verify, NamesWhatIsMissing) {
  World world;
  TestRequest no_host = Signed("sts", "/");
  std::string& authorization = no_host.headers().back().second;
  authorization.replace(authorization.find("=host;"), 6, "=");
  EXPECT_EQ(world.Ask(no_host), "malformed: 'Host' must be a 'SignedHeader' in the AWS Authorization.");
  TestRequest bad_date = Signed("sts", "/");
  bad_date.Set("x-amz-date", "2015-08-30T12:36:00Z");
  EXPECT_EQ(world.Ask(bad_date), "malformed: X-Amz-Date must be YYYYMMDD'T'HHMMSS'Z'.");
  TestRequest other_day = Signed("sts", "/");
  other_day.Set("x-amz-date", "20150831T123600Z");
  EXPECT_TRUE(world.Ask(other_day).starts_with("bad signature: Credential should be scoped to correct date"));
}

}  // namespace
}  // namespace argosy::auth
