#include "api/s3/tags.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace argosy::api::s3 {
namespace {

using objectstore::Tags;
using Read = std::variant<Tags, S3Error>;

std::string Document(const std::string& tags) {
  return "<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TagSet>" + tags + "</TagSet></Tagging>";
}
std::string Tag(const std::string& name, const std::string& value) {
  return "<Tag><Key>" + name + "</Key><Value>" + value + "</Value></Tag>";
}
std::string Many(size_t count) {
  std::string tags;
  for (size_t i = 0; i < count; ++i) tags += Tag("k" + std::to_string(i), "v");
  return Document(tags);
}
std::string CodeOf(const Read& read) {
  const auto* error = std::get_if<S3Error>(&read);
  return error == nullptr ? "" : error->code;
}

TEST(Tags, AHeaderIsFormEncoded) {
  EXPECT_EQ(std::get<Tags>(ReadTagHeader("")), Tags());
  EXPECT_EQ(std::get<Tags>(ReadTagHeader("a=1&b+c=%C3%A9%2F&empty=&bare")),
            (Tags{{"a", "1"}, {"b c", "é/"}, {"bare", ""}, {"empty", ""}}));
  for (const char* wrong : {"a=%zz", "a=1&a=2", "=1", "aws:x=1", "a=b%00", "a=%ff", "a=b;c"}) {
    EXPECT_NE(CodeOf(ReadTagHeader(wrong)), "") << wrong;
  }
}

TEST(Tags, ADocumentIsReadWithS3sBounds) {
  EXPECT_EQ(std::get<Tags>(ReadTagDocument(Document(""), kObjectTagsMax)), Tags());
  EXPECT_EQ(std::get<Tags>(ReadTagDocument(Document(Tag("a", "1") + Tag("b", "")), kObjectTagsMax)),
            (Tags{{"a", "1"}, {"b", ""}}));
  EXPECT_EQ(std::get<Tags>(ReadTagDocument(Many(10), kObjectTagsMax)).size(), 10U);
  EXPECT_EQ(CodeOf(ReadTagDocument(Many(11), kObjectTagsMax)), "BadRequest");
  EXPECT_EQ(std::get<Tags>(ReadTagDocument(Many(50), kBucketTagsMax)).size(), 50U);
  EXPECT_EQ(CodeOf(ReadTagDocument(Many(51), kBucketTagsMax)), "BadRequest");
  EXPECT_EQ(CodeOf(ReadTagDocument(Document(Tag("a", "1") + Tag("a", "2")), kObjectTagsMax)), "InvalidTag");
  // Characters count, not bytes.
  std::string longest;
  for (int i = 0; i < 128; ++i) longest += "é";
  EXPECT_EQ(CodeOf(ReadTagDocument(Document(Tag(longest, longest + longest)), kObjectTagsMax)), "");
  EXPECT_EQ(CodeOf(ReadTagDocument(Document(Tag(longest + "x", "")), kObjectTagsMax)), "InvalidTag");
  EXPECT_EQ(CodeOf(ReadTagDocument(Document(Tag("a", longest + longest + "x")), kObjectTagsMax)), "InvalidTag");
  for (const char* wrong : {"", "<Tagging>", "<Other/>", "<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>",
                            "<Tagging><TagSet><Other/></TagSet></Tagging>"}) {
    EXPECT_EQ(CodeOf(ReadTagDocument(wrong, kObjectTagsMax)), "MalformedXML") << wrong;
  }
}

}  // namespace
}  // namespace argosy::api::s3
