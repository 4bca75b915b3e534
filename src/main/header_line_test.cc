#include "main/header_line.h"

#include <gtest/gtest.h>

namespace argosy::main {
namespace {

data::TableSchema Trained() {
  data::TableSchema schema;
  schema.columns = {{.name = "length, cm"}, {.name = "colour", .kind = data::ColumnKind::kCategorical}};
  schema.label_position = 1;
  schema.header = true;
  return schema;
}

TEST(HeaderLine, TheNamesThatAModelWasTrainedOnAreAHeader) {
  const data::TableSchema schema = Trained();
  const std::string names = "\"length, cm\", colour\r\n";
  EXPECT_EQ(HeaderBytes(names + "1,red\n", &schema), names.size());
  EXPECT_EQ(HeaderBytes("\n" + names, &schema), names.size() + 1);
  const std::string with_label = "\"length, cm\",price,colour\n";
  EXPECT_EQ(HeaderBytes(with_label + "1,2,red\n", &schema), with_label.size());
  EXPECT_EQ(HeaderBytes("length,colour\n1,red\n", &schema), 0u);
  EXPECT_EQ(HeaderBytes("1,red\n", &schema), 0u);
}

TEST(HeaderLine, WithoutNamesALineWithoutNumbersAboveNumbersIsAHeader) {
  EXPECT_EQ(HeaderBytes("length,colour\n1,red\n2,blue", nullptr), 14u);
  data::TableSchema nameless = Trained();
  nameless.header = false;
  EXPECT_EQ(HeaderBytes("length,colour\n1,red\n", &nameless), 14u);
}

TEST(HeaderLine, ARowIsNoHeader) {
  EXPECT_EQ(HeaderBytes("1,red\n2,blue\n", nullptr), 0u);
  EXPECT_EQ(HeaderBytes("?,3\n1,2\n", nullptr), 0u) << "one field is missing in it";
  EXPECT_EQ(HeaderBytes("red,small\nblue,big\n", nullptr), 0u);
  EXPECT_EQ(HeaderBytes("red,small\n", nullptr), 0u) << "nothing to compare it with";
  EXPECT_EQ(HeaderBytes("a,\"b\n1,2\n", nullptr), 0u);
  EXPECT_EQ(HeaderBytes("", nullptr), 0u);
}

}  // namespace
}  // namespace argosy::main
