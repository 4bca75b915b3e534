#include "data/json_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "data/dataset.h"
#include "data/test_files.h"

namespace argosy::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string Joined(JsonLineReader& reader, std::string_view line) {
  const auto fields = reader.Read(line);
  if (!fields) return "refused: " + fields.error().message();
  std::string out;
  for (const std::string_view field : *fields) out += "[" + std::string(field) + "]";
  return out;
}

TEST(JsonLines, ValuesInTheirOrder) {
  JsonLineReader reader({{}, true});
  EXPECT_EQ(Joined(reader, R"({"features": [1.5, -2e3, "a b", null, true, false], "label": 7})"),
            "[7][1.5][-2e3][a b][][1][0]");
  EXPECT_EQ(Joined(reader, R"({"label":"x","data":{"features":{"values":[1,2]}}})"), "[x][1][2]");
  EXPECT_EQ(Joined(reader, R"({"label":1,"features":[],"uid":[{"any":"thing"}]})"), "[1]");
  EXPECT_EQ(Joined(reader, R"({"label":1,"features":["quo\"te","\u00e9"]})"), "[1][quo\"te][é]");
  EXPECT_EQ(Joined(reader, R"({"features":[1]})"), "refused: it has no label");
  EXPECT_EQ(Joined(reader, R"({"label":1})"), "refused: it has no features");
  EXPECT_EQ(Joined(reader, R"({"label":1,"features":[1,[2]]})"), "refused: feature 2 is neither a number nor text");
  EXPECT_EQ(Joined(reader, R"({"label":1,"features":7})"), "refused: its features are no list");
  for (const char* text : {R"({"label":1,"features":[1]} x)", R"({"label":1,"features":[1]} {})", "[1]", "7", "{",
                           "{\"label\":1,\"features\":[1}", "\"\"", "{]}"}) {
    EXPECT_THAT(Joined(reader, text), HasSubstr("refused")) << text;
  }
}

TEST(JsonLines, NamedColumnsInAnyOrder) {
  JsonLineReader reader({{"size", "colour", "kind"}, false});
  EXPECT_EQ(Joined(reader, R"({"size":1,"colour":"red","kind":"a"})"), "[1][red][a]");
  EXPECT_EQ(Joined(reader, R"({"kind":"a","size":1})"), "[1][][a]");
  EXPECT_EQ(Joined(reader, R"({"size":1,"weight":2})"), "refused: the table has no column 'weight'");
  EXPECT_EQ(Joined(reader, R"({"size":{"a":1}})"), "refused: 'size' is neither a number nor text");
}

ReadOptions Options() {
  return {.threads = 2, .scratch_dir = std::filesystem::temp_directory_path()};
}

TEST(JsonLines, ATableAsInCsv) {
  const TestDirectory files;
  std::string json;
  std::string csv;
  for (int i = 0; i < 5000; ++i) {
    const std::string colour = i % 3 == 0 ? "red" : "blue";
    csv += std::to_string(i % 2) + "," + std::to_string(i) + ".5," + colour + "\n";
    json += i % 2 == 0 ? "{\"label\":0,\"size\":" + std::to_string(i) + ".5,\"colour\":\"" + colour + "\"}\n"
                       : "{\"colour\":\"" + colour + "\",\"label\":1,\"size\":" + std::to_string(i) + ".5}\n\n";
  }
  const ProbeOptions options{.categorical_auto = true, .label_kind = LabelKind::kNumber};
  const auto a = ReadNewTable({.channel = "train", .files = {files.Write("a.csv", csv)}}, options, Options());
  const auto b = ReadNewTable(
      {.channel = "train", .files = {files.Write("b.jsonl", json)}, .format = Format::kJsonLines}, options, Options());
  ASSERT_TRUE(a.ok() && b.ok()) << (b.ok() ? "" : b.error().message());
  ASSERT_EQ(b->rows().row_count(), 5000U);
  EXPECT_EQ(b->schema().columns[1].name, "colour");
  EXPECT_EQ(b->schema().columns[1].categories, a->schema().columns[1].categories);
  const auto sums = [](const Dataset& dataset) {
    double numbers = 0;
    double labels = 0;
    double categories = 0;
    for (size_t i = 0; i < dataset.rows().blocks(); ++i) {
      const auto block = *dataset.rows().Get(i);
      for (size_t r = 0; r < block->rows; ++r) {
        numbers += block->numeric[r];
        labels += block->labels[r] * block->numeric[r];
        categories += block->categories[r] * block->numeric[r];
      }
    }
    return std::vector{numbers, labels, categories};
  };
  EXPECT_EQ(sums(*a), sums(*b));

  // A second table, names in another order, of the first one's schema.
  const auto schema = std::make_shared<const TableSchema>(b->schema());
  const auto again = ReadTable({.channel = "test",
                                .files = {files.Write("c.jsonl", R"({"colour":"green","size":2,"label":1})")},
                                .format = Format::kJsonLines},
                               schema, options, Options());
  ASSERT_TRUE(again.ok()) << again.error().message();
  EXPECT_EQ(again->unseen_categories(), 1U);
  EXPECT_EQ((*again->rows().Get(0))->numeric[0], 2.0F);
  EXPECT_EQ((*again->rows().Get(0))->labels[0], 1.0F);
}

TEST(JsonLines, ListsNeedNoNames) {
  const TestDirectory files;
  const auto path = files.Write("a.jsonl", R"({"label": 1, "features": [1, 2]}
{"features": [3, 4], "label": 0}
)");
  const auto table = ReadNewTable({.channel = "train", .files = {path}, .format = Format::kJsonLines}, {}, Options());
  ASSERT_TRUE(table.ok()) << table.error().message();
  EXPECT_THAT((*table->rows().Get(0))->numeric, ElementsAre(1, 2, 3, 4));
  EXPECT_THAT((*table->rows().Get(0))->labels, ElementsAre(1, 0));
  const auto fault = [&](const std::string& text, const ProbeOptions& options = {}) {
    const auto read =
        ReadNewTable({.channel = "train", .files = {files.Write("b.jsonl", text)}, .format = Format::kJsonLines},
                     options, Options());
    return read.ok() ? std::string() : read.error().message();
  };
  EXPECT_THAT(fault(R"({"features":[1]})"), HasSubstr("line 1 has no \"label\""));
  EXPECT_THAT(fault(R"({"a":1,"b":2})"), HasSubstr("argosy_label: the table has no column 'label'"));
  EXPECT_EQ(fault(R"({"a":1,"b":2})", {.label = "a"}), "");
  EXPECT_THAT(fault("{\"label\":1,\"features\":[1]}\n{\"label\":1,\"features\":[1,2]}"),
              HasSubstr("line 2: the row has 3 columns where 2 are expected"));
  EXPECT_THAT(fault("{\"label\":1,\"features\":[1]}\n{\"label\":1,\"features\":[\"x\"]}"),
              HasSubstr("line 2: column 2: 'x' is not a number"));
  EXPECT_THAT(fault("{}\n{\"label\":1,\n", {.has_label = false, .lenient = true}), HasSubstr("can be read"));
}

}  // namespace
}  // namespace argosy::data
