#include "main/label_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/test_files.h"

namespace argosy::main {
namespace {

using ::testing::ElementsAre;

class LabelSearchTest : public ::testing::Test {
 protected:
  data::TestDirectory directory_;
};

TEST_F(LabelSearchTest, ALabelIsFoundInWhicheverFileItStands) {
  const auto a = directory_.Write("a.csv", "tumour,size\nbenign,1\n");
  const auto b = directory_.Write("b.csv.gz", data::GzipBytes("tumour,size\n\"malignant\" ,2\n"));
  const algorithms::Hyperparameters header = {{"argosy_header", "true"}, {"argosy_label", "tumour"}};
  EXPECT_TRUE(FindLabel({a, b}, header, "malignant")->found);
  const auto search = FindLabel({a, b}, header, "malignent");
  EXPECT_FALSE(search->found);
  EXPECT_THAT(search->others, ElementsAre("benign", "malignant"));
  EXPECT_EQ(NameLabels(*search), "'benign', 'malignant'");
}

TEST_F(LabelSearchTest, TheFirstColumnIsTheLabelWhenNothingIsSaid) {
  const auto file = directory_.Write("a.csv", "yes,1\nno,2");
  EXPECT_TRUE(FindLabel({file}, {}, "no")->found);
  EXPECT_FALSE(FindLabel({file}, {}, "2")->found);
  EXPECT_TRUE(FindLabel({file}, {{"argosy_label", "-1"}}, "2")->found);
  EXPECT_FALSE(FindLabel({file}, {{"argosy_label", "size"}}, "2").ok());
}

TEST_F(LabelSearchTest, OfManyLabelsAFewAreNamed) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += std::to_string(i) + ",1\n";
  const auto search = FindLabel({directory_.Write("a.csv", text)}, {}, "none");
  EXPECT_EQ(NameLabels(*search), "'0', '1', '2', '3', '4', '5', '6', '7', '8', '9' and more");
}

}  // namespace
}  // namespace argosy::main
