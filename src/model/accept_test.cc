#include "model/accept.h"

#include <gtest/gtest.h>

#include <array>

namespace argosy::model {
namespace {

TEST(AcceptTest, ChoosesByNameWildcardAndWeight) {
  constexpr std::array kOffered = {kJson, kJsonLines, kCsv};
  const auto choose = [&](std::string_view accept) {
    return std::string(ChooseContentType(accept, kOffered).value_or("none"));
  };
  EXPECT_EQ(choose(""), "application/json");
  EXPECT_EQ(choose("  "), "application/json");
  EXPECT_EQ(choose("text/csv"), "text/csv");
  EXPECT_EQ(choose("Text/CSV; charset=utf-8"), "text/csv");
  EXPECT_EQ(choose("*/*"), "application/json");
  EXPECT_EQ(choose("text/*"), "text/csv");
  EXPECT_EQ(choose("application/*"), "application/json");
  EXPECT_EQ(choose("text/csv, application/json"), "text/csv");
  EXPECT_EQ(choose("text/csv;q=0.5, application/json;q=0.9"), "application/json");
  EXPECT_EQ(choose("image/png, */*;q=0.1"), "application/json");
  EXPECT_EQ(choose("image/png"), "none");
  EXPECT_EQ(choose("text/csv;q=0"), "none");
  EXPECT_EQ(choose("application/jsonlines;verbose=true"), "application/jsonlines");
  EXPECT_EQ(choose(",,;"), "none");
}

}  // namespace
}  // namespace argosy::model
