#include "objectstore/outside/s3_xml.h"

#include <gtest/gtest.h>

namespace argosy::objectstore {
namespace {

TEST(S3Xml, AListingHasNamesDecodedAndItsNextPage) {
  const ListPage page = ParseListing(
                            "<ListBucketResult xmlns='http://s3.amazonaws.com/doc/2006-03-01/'><IsTruncated>true"
                            "</IsTruncated><NextContinuationToken>t</NextContinuationToken><Contents><Key>a%20b/"
                            "%C3%A4+c</Key><Size>7</Size><ETag>&quot;abc&quot;</ETag><LastModified>"
                            "2024-05-01T12:34:56.789Z</LastModified></Contents><CommonPrefixes><Prefix>p%2F</Prefix>"
                            "</CommonPrefixes></ListBucketResult>")
                            .value();
  ASSERT_EQ(page.objects.size(), 1u);
  EXPECT_EQ(page.objects[0].key, "a b/ä c");  // '+' is a space there
  EXPECT_EQ(page.objects[0].size, 7u);
  EXPECT_EQ(page.objects[0].etag, "abc");
  EXPECT_EQ(FormatIso8601(page.objects[0].last_modified), "2024-05-01T12:34:56.789Z");
  EXPECT_EQ(page.common_prefixes, std::vector<std::string>{"p/"});
  EXPECT_EQ(page.next_token, "t");
}

TEST(S3Xml, WhatIsNoListingIsCorrupt) {
  for (const char* text : {"", "<html>proxy error</html>", "<ListBucketResult>", "<Error><Code>X</Code></Error>",
                           "<ListBucketResult><Contents><Key>%zz</Key><Size>1</Size></Contents></ListBucketResult>",
                           "<ListBucketResult><Contents><Key>k</Key><Size>-1</Size></Contents></ListBucketResult>",
                           "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"}) {
    const Result<ListPage> page = ParseListing(text);
    ASSERT_FALSE(page.ok()) << text;
    EXPECT_EQ(page.error().code(), ErrorCode::kCorrupt) << text;
  }
}

TEST(S3Xml, AnErrorIsKnownAlsoInAnAnswerThatSeemsGood) {
  EXPECT_TRUE(IsError("<?xml version=\"1.0\"?>\n<Error><Code>InternalError</Code></Error>"));
  EXPECT_FALSE(IsError("<CopyObjectResult><ETag>e</ETag></CopyObjectResult>"));
  EXPECT_EQ(ParseError("<Error><Code>SlowDown</Code><Message>later</Message></Error>").message, "later");
}

TEST(S3Xml, TagsComeBackWhateverTheyHold) {
  const Tags tags = {{"team", "a & b"}, {"stage <1>", ""}, {"ü", "+ \"%"}};
  EXPECT_EQ(ParseTagging(TaggingDocument(tags)).value(), tags);
  EXPECT_EQ(ParseTagging(TaggingDocument({})).value(), Tags());
  EXPECT_FALSE(ParseTagging("<Error><Code>NoSuchTagSet</Code></Error>").ok());
}

TEST(S3Xml, PartsComeBackInTheDocumentThatCompletesThem) {
  const PartsPage page =
      ParseParts(
          "<ListPartsResult><IsTruncated>true</IsTruncated><NextPartNumberMarker>2</NextPartNumberMarker><Part>"
          "<PartNumber>2</PartNumber><ETag>\"e\"</ETag><Size>5</Size><ChecksumCRC32>AAAAAA==</ChecksumCRC32>"
          "</Part></ListPartsResult>")
          .value();
  EXPECT_EQ(page.next, "2");
  ASSERT_EQ(page.parts.size(), 1u);
  EXPECT_EQ(CompleteDocument(page.parts),
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Part><PartNumber>2"
            "</PartNumber><ETag>&quot;e&quot;</ETag><ChecksumCRC32>AAAAAA==</ChecksumCRC32></Part>"
            "</CompleteMultipartUpload>");
  EXPECT_FALSE(ParseParts("<ListPartsResult><Part><PartNumber>0</PartNumber></Part></ListPartsResult>").ok());
}

}  // namespace
}  // namespace argosy::objectstore
