#include "api/s3/xml.h"

#include <gtest/gtest.h>

namespace argosy::api::s3 {
namespace {

TEST(Xml, WritesEscapedText) {
  XmlWriter xml("Root", XmlNamespace::kNone);
  xml.Text("Key", "a&b<c>\"d\"");
  xml.Open("Inner");
  xml.Number("N", -5);
  xml.Close();
  xml.Truth("T", false);
  xml.Text("Empty", "");
  EXPECT_EQ(xml.Finish(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<Root><Key>a&amp;b&lt;c&gt;\"d\"</Key><Inner><N>-5</N></Inner><T>false</T><Empty/></Root>");
}

TEST(Xml, ReadsCompleteMultipartUpload) {
  const auto parts = ParseCompleteMultipartUpload(
      "<?xml version=\"1.0\"?><CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
      "<Part><ETag>&quot;abc&quot;</ETag><PartNumber> 1 </PartNumber><ChecksumCRC32>AAAAAA==</ChecksumCRC32></Part>"
      "<Part><PartNumber>10000</PartNumber><ETag>def</ETag></Part></CompleteMultipartUpload>");
  ASSERT_TRUE(parts.has_value());
  ASSERT_EQ(parts->size(), 2u);
  EXPECT_EQ((*parts)[0].number, 1);
  EXPECT_EQ((*parts)[0].etag, "abc");
  EXPECT_EQ((*parts)[0].checksums.at(0), (std::pair<std::string, std::string>("CRC32", "AAAAAA==")));
  EXPECT_EQ((*parts)[1].etag, "def");
  for (const char* bad :
       {"", "<a/>", "<CompleteMultipartUpload/>", "<CompleteMultipartUpload><Part/></CompleteMultipartUpload>",
        "<CompleteMultipartUpload><Part><PartNumber>0</PartNumber><ETag>a</ETag></Part></CompleteMultipartUpload>",
        "<CompleteMultipartUpload><Part><PartNumber>10001</PartNumber><ETag>a</ETag></Part></CompleteMultipartUpload>",
        "<CompleteMultipartUpload><Part>"}) {
    EXPECT_FALSE(ParseCompleteMultipartUpload(bad).has_value()) << bad;
  }
}

TEST(Xml, ReadsDelete) {
  const auto request = ParseDelete(
      "<Delete><Quiet>true</Quiet><Object><Key> a&amp;b </Key><ETag>&quot;e&quot;</ETag><Size> 3 "
      "</Size></Object><Object><Key> </Key></Object></Delete>");
  ASSERT_TRUE(request.has_value());
  EXPECT_TRUE(request->quiet);
  ASSERT_EQ(request->entries.size(), 2u);
  EXPECT_EQ(request->entries[0].key, " a&b ");
  EXPECT_EQ(request->entries[0].etag, "e");
  EXPECT_EQ(request->entries[0].size, "3");
  EXPECT_EQ(request->entries[1].key, " ");
  EXPECT_EQ(request->entries[1].etag + request->entries[1].size + request->entries[1].last_modified, "");
  EXPECT_FALSE(request->versions);
  std::string many = "<Delete>";
  for (int i = 0; i < 1000; ++i) many += "<Object><Key>k</Key></Object>";
  EXPECT_TRUE(ParseDelete(many + "</Delete>").has_value());
  EXPECT_FALSE(ParseDelete(many + "<Object><Key>k</Key></Object></Delete>").has_value());
  EXPECT_FALSE(ParseDelete("<Delete></Delete>").has_value());
}

TEST(Xml, ReadsWhatABucketIsToHave) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(ParseCreateBucketConfiguration(" "), Names());
  EXPECT_EQ(
      ParseCreateBucketConfiguration("<CreateBucketConfiguration><LocationConstraint>x</LocationConstraint><Tags/>"
                                     "</CreateBucketConfiguration>"),
      (Names{"LocationConstraint", "Tags"}));
  EXPECT_FALSE(ParseCreateBucketConfiguration("<Delete/>").has_value());
}

TEST(Xml, WhatWouldNameAnotherKeyIsRefused) {
  const auto key = [](const std::string& text) {
    const auto request = ParseDelete("<Delete><Object><Key>" + text + "</Key></Object></Delete>");
    return request ? request->entries[0].key : "(refused)";
  };
  EXPECT_EQ(key("&lt;&#x41;&#66;&apos;"), "<AB'");
  EXPECT_EQ(key("<![CDATA[a&b;]]>"), "a&b;");
  EXPECT_EQ(key("a<!-- & -->"), "a");
  for (const char* text :
       {"a&foo;", "a&", "a&b", "a&;", "&#0;", "a&#x0;b", "&#;", "&#x;", "&#1a;", "<!-- ", "<![CDATA[a"}) {
    EXPECT_EQ(key(text), "(refused)") << text;
  }
  EXPECT_EQ(key(std::string("a\0b", 3)), "(refused)");
  const std::string body = "<Delete><Object><Key>k</Key></Object></Delete>";
  EXPECT_TRUE(ParseDelete("<?xml version=\"1.0\"?>" + body).has_value());
  EXPECT_FALSE(ParseDelete("<!DOCTYPE Delete>" + body).has_value());
  EXPECT_FALSE(ParseDelete("<!DOCTYPE Delete [<!ENTITY foo \"bar\">]>" + body).has_value());
}

TEST(Xml, DeepNestingIsHarmless) {
  std::string deep = "<Delete>";
  for (int i = 0; i < 300'000; ++i) deep += "<a>";
  EXPECT_FALSE(ParseDelete(deep).has_value());
  for (int i = 0; i < 300'000; ++i) deep += "</a>";
  EXPECT_FALSE(ParseDelete(deep + "</Delete>").has_value());
}

}  // namespace
}  // namespace argosy::api::s3
