#include "auth/presigned.h"

#include <gtest/gtest.h>

#include "auth/credentials.h"
#include "auth/key_ring.h"
#include "auth/test_request.h"

namespace argosy::auth {
namespace {

// AWS's published examples: Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters (AWS Signature
// Version 4)", and Amazon S3 User Guide, "Signing and authenticating REST requests".
constexpr std::string_view kExampleKey = "AKIAIOSFODNN7EXAMPLE";
constexpr std::string_view kExampleSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
constexpr std::string_view kQueryV4 =
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
    "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
    "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
constexpr std::string_view kQueryV2 =
    "AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D&Expires=1175139620";

class PresignedTest : public testing::Test {
 protected:
  TestRequest V4(std::string query = std::string(kQueryV4)) {
    return {"GET", "/test.txt", std::move(query), {{"Host", "examplebucket.s3.amazonaws.com"}}};
  }
  TestRequest V2(std::string query = std::string(kQueryV2)) {
    return {"GET", "/johnsmith/photos/puppy.jpg", std::move(query), {{"Host", "johnsmith.s3.amazonaws.com"}}};
  }
  std::string Ask(TestRequest request, Time now) {
    clock_.Advance(now - clock_.Now());
    const auto verdict = verifier_.VerifyPresigned(request.View());
    return std::holds_alternative<AuthError>(verdict) ? Say(std::get<AuthError>(verdict)) : "ok";
  }
  static std::string Without(std::string_view query, std::string_view name) {
    const size_t at = query.find(name);
    const size_t end = std::min(query.find('&', at), query.size());
    return std::string(query.substr(0, at)) + std::string(query.substr(std::min(end + 1, query.size())));
  }
  static std::string With(std::string_view query, std::string_view from, std::string_view to) {
    std::string text(query);
    return text.replace(text.find(from), from.size(), to);
  }

  const Time signed_at_ = Time(std::chrono::sys_days(std::chrono::year(2013) / 5 / 24));
  const Time expires_ = Time(std::chrono::seconds(1175139620));
  KeyRing store_{{std::string(kExampleKey), std::string(kExampleSecret), "", OwnerPrincipal()}};
  ManualClock clock_{signed_at_};
  Verifier verifier_{&store_, &clock_};
};

TEST_F(PresignedTest, ThePublishedExamplesAreBelievedForAsLongAsTheySay) {
  EXPECT_EQ(Ask(V4(), signed_at_), "ok");
  EXPECT_EQ(Ask(V4(), signed_at_ + std::chrono::hours(24)), "ok");
  EXPECT_EQ(Ask(V4(), signed_at_ + std::chrono::hours(24) + std::chrono::seconds(1)), "expired: Request has expired");
  EXPECT_EQ(Ask(V4(), signed_at_ - std::chrono::minutes(14)), "ok") << "clocks may differ a little";
  EXPECT_EQ(Ask(V4(), signed_at_ - std::chrono::minutes(16)), "expired: Request is not valid yet");
  EXPECT_EQ(Ask(V2(), expires_ - std::chrono::hours(1)), "ok");
  EXPECT_EQ(Ask(V2(), expires_ + std::chrono::seconds(1)), "expired: Request has expired");
}

TEST_F(PresignedTest, WhatWasSignedCannotBeChanged) {
  const auto spoilt = [&](TestRequest request, Time now) {
    return Ask(std::move(request), now).starts_with("bad sig");
  };
  TestRequest method("PUT", "/test.txt", std::string(kQueryV4), {{"Host", "examplebucket.s3.amazonaws.com"}});
  EXPECT_TRUE(spoilt(method, signed_at_));
  TestRequest path("GET", "/test.txt2", std::string(kQueryV4), {{"Host", "examplebucket.s3.amazonaws.com"}});
  EXPECT_TRUE(spoilt(path, signed_at_));
  TestRequest host("GET", "/test.txt", std::string(kQueryV4), {{"Host", "other.s3.amazonaws.com"}});
  EXPECT_TRUE(spoilt(host, signed_at_));
  EXPECT_TRUE(spoilt(V4(With(kQueryV4, "86400", "86401")), signed_at_));
  EXPECT_TRUE(spoilt(V4(std::string(kQueryV4) + "&versionId=1"), signed_at_));
  EXPECT_TRUE(spoilt(V4(With(kQueryV4, "aeeed", "beeed")), signed_at_));
  TestRequest header = V4();
  header.Set("x-amz-meta-a", "added");
  EXPECT_TRUE(spoilt(header, signed_at_));
  TestRequest hash = V4();
  hash.Set("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
  EXPECT_EQ(Ask(hash, signed_at_), "ok") << "which bytes come is left open";
  TestRequest behind = V4();
  behind.Set("x-amz-copy-source", "/secret/key");
  behind.Set("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
  EXPECT_TRUE(spoilt(behind, signed_at_)) << "and nothing else";

  EXPECT_TRUE(spoilt(V2(With(kQueryV2, "1175139620", "1175139621")), expires_));
  EXPECT_TRUE(spoilt(V2(std::string(kQueryV2) + "&uploadId=1"), expires_));
  EXPECT_TRUE(spoilt(V2(std::string(kQueryV2) + "&x-amz-acl=private"), expires_));
  TestRequest typed = V2();
  typed.Set("Content-Type", "text/plain");
  EXPECT_TRUE(spoilt(typed, expires_));
}

TEST_F(PresignedTest, MalformedOnesAreRefusedWithASentence) {
  const auto fault = [&](std::string query) { return Ask(V4(std::move(query)), signed_at_); };
  for (const char* name :
       {"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Expires"}) {
    EXPECT_NE(fault(Without(kQueryV4, name)).find(std::string("it has no ") + name), std::string::npos) << name;
  }
  EXPECT_NE(fault(With(kQueryV4, "SHA256&", "SHA1&")).find("only one supported"), std::string::npos);
  for (const char* seconds : {"0", "-5", "604801", "x"}) {
    EXPECT_NE(fault(With(kQueryV4, "86400", seconds)).find("from 1 to 604800"), std::string::npos) << seconds;
  }
  EXPECT_NE(fault(With(kQueryV4, "20130524T000000Z", "today")).find("YYYYMMDD'T'HHMMSS'Z'"), std::string::npos);
  EXPECT_NE(fault(With(kQueryV4, "20130524T000000Z", "20130525T000000Z")).find("that of X-Amz-Date"),
            std::string::npos);
  EXPECT_NE(fault(With(kQueryV4, "%2Fs3%2F", "%2Fsts%2F")).find("the service s3"), std::string::npos);
  EXPECT_NE(fault(With(kQueryV4, "=host", "=range")).find("'Host' must be"), std::string::npos);
  EXPECT_NE(fault(std::string(kQueryV4) + "&X-Amz-Expires=9").find("given twice"), std::string::npos);
  EXPECT_TRUE(fault(With(kQueryV4, "AKIAIOSFODNN7EXAMPLE", "AKIAOTHER")).starts_with("unknown key"));
  EXPECT_TRUE(fault(std::string(kQueryV4) + "&X-Amz-Security-Token=t").starts_with("bad token"));

  EXPECT_NE(Ask(V2(Without(kQueryV2, "Expires")), expires_).find("needs the parameters"), std::string::npos);
  EXPECT_NE(Ask(V2(With(kQueryV2, "1175139620", "soon")), expires_).find("needs the parameters"), std::string::npos);
  EXPECT_TRUE(Ask(V2(With(kQueryV2, "AKIAIOSFODNN7EXAMPLE", "AKIAOTHER")), expires_).starts_with("unknown key"));
}

TEST_F(PresignedTest, ABucketIsSignedWithASlashAtItsEnd) {
  const TestRequest bare("GET", "/johnsmith", "list-type=2", {});
  const TestRequest slash("GET", "/johnsmith/", "list-type=2", {});
  const TestRequest key("GET", "/johnsmith/a", "list-type=2", {});
  const auto signature = [](TestRequest request) { return SignatureV2(request.View(), 1, kExampleSecret); };
  EXPECT_EQ(signature(bare), signature(slash));
  EXPECT_NE(signature(key), signature(slash));
}

TEST_F(PresignedTest, AValueIsSignedAsItIsRead) {
  const auto signature = [](const std::string& value) {
    TestRequest request("PUT", "/b/k", "x-amz-meta-a=" + value, {});
    return SignatureV2(request.View(), 1, kExampleSecret);
  };
  EXPECT_EQ(signature("a+b"), signature("a%20b")) << "a plus is a blank in a query";
  EXPECT_NE(signature("a+b"), signature("a%2Bb"));
}

TEST(Presigning, IsToldByTheParametersOfTheSignature) {
  EXPECT_EQ(PresigningOf(""), Presigning::kNone);
  EXPECT_EQ(PresigningOf("list-type=2&prefix=AWSAccessKeyId%3D"), Presigning::kNone);
  EXPECT_EQ(PresigningOf(kQueryV2), Presigning::kV2);
  EXPECT_EQ(PresigningOf(std::string("x=1&") + std::string(kQueryV4)), Presigning::kV4);
}

}  // namespace
}  // namespace argosy::auth
