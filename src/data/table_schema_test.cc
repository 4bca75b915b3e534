#include "data/table_schema.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace argosy::data {
namespace {

TableSchema Example() {
  TableSchema schema;
  schema.columns = {{"duration", ColumnKind::kNumeric, {}},
                    {"protocol", ColumnKind::kCategorical, {"icmp", "tcp", "udp"}},
                    {"", ColumnKind::kNumeric, {}}};
  schema.label_position = 3;
  schema.label = *ParseLabelMap("normal.=normal,*=attack");
  schema.missing = MissingValues::kMean;
  schema.header = true;
  return schema;
}

TEST(TableSchemaTest, JsonGivesTheSchemaBack) {
  const TableSchema schema = Example();
  EXPECT_EQ(*TableSchemaFromJson(ToJson(schema)), schema);
  EXPECT_EQ(schema.numeric_count(), 2U);
  EXPECT_EQ(schema.feature_count(), 5U);
}

TEST(TableSchemaTest, BrokenJsonIsCorruptNeverMore) {
  const std::pair<const char*, const char*> kEdits[] = {
      {"/version", "2"},
      {"/format", "\"other\""},
      {"/columns", "[]"},
      {"/columns", "{}"},
      {"/columns/0/kind", "\"odd\""},
      {"/columns/0/kind", "7"},
      {"/columns/1/categories", R"(["udp","tcp"])"},
      {"/columns/1/categories", R"(["tcp","tcp"])"},
      {"/columns/1/categories", "[1]"},
      {"/label", "3"},
      {"/label/position", "4"},
      {"/label/position", "-1"},
      {"/label/classes", "[]"},
      {"/label/members", "[]"},
      {"/label/members/normal.", "2"},
      {"/label/others", "-1"},
      {"/missing", "\"zero\""},
      {"/header", "1"},
  };
  for (const auto& [place, value] : kEdits) {
    Json json = ToJson(Example());
    json[Json::json_pointer(place)] = *ParseJson(value);
    const auto schema = TableSchemaFromJson(json);
    ASSERT_FALSE(schema.ok()) << place << " = " << value;
    EXPECT_EQ(schema.error().code(), ErrorCode::kCorrupt) << place;
  }
  EXPECT_FALSE(TableSchemaFromJson(Json::array()).ok());
}

TEST(LabelMapTest, TextAndJsonSayTheSame) {
  const auto text = ParseLabelMap("normal.=normal, smurf.=dos ,*=other");
  const auto json = ParseLabelMap(R"({"normal.": "normal", "smurf.": "dos", "*": "other"})");
  ASSERT_TRUE(text.ok());
  ASSERT_TRUE(json.ok());
  EXPECT_EQ(*text, *json);
  EXPECT_EQ(text->classes, (std::vector<std::string>{"normal", "dos", "other"}));
  EXPECT_EQ(text->Find("normal."), 0U);
  EXPECT_EQ(text->Find("smurf."), 1U);
  EXPECT_EQ(text->Find("neptune."), 2U);
}

TEST(LabelMapTest, NumbersAreTheClassNumbersThemselves) {
  const auto map = ParseLabelMap("<=50K=0,>50K=1");
  ASSERT_TRUE(map.ok());
  EXPECT_EQ(map->classes, (std::vector<std::string>{"0", "1"}));
  EXPECT_EQ(map->Find("<=50K"), 0U);
  EXPECT_EQ(map->Find(">50K"), 1U);
  EXPECT_EQ(map->Find("?"), std::nullopt);
}

TEST(LabelMapTest, NonsenseIsRefused) {
  for (const char* text : {"", "a", "a=", "a=0,a=1", "a=5", "{", "[1]", R"({"a": 1.5})", R"({"a": []})"}) {
    EXPECT_FALSE(ParseLabelMap(text).ok()) << text;
  }
}

}  // namespace
}  // namespace argosy::data
