#include "catalog/json_members.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "catalog/training_job.h"

namespace argosy::catalog {
namespace {

TEST(JsonMembers, AreThoseThatAreNamed) {
  const std::string text =
      R"({"a":"x","b":-7,"c":true,"d":1.5,"e":{"a":"inner"},"f":[1],"g":null,"h":18446744073709551615})";
  EXPECT_EQ(ParseMembers(text, {"a", "b", "c", "d", "h", "z"}).value(),
            Json({{"a", "x"}, {"b", -7}, {"c", true}, {"d", 1.5}, {"h", 18446744073709551615U}}));
  EXPECT_EQ(ParseMembers(text, {"e", "f", "g"}).value(), Json::object());
  EXPECT_EQ(ParseMembers("{}", {"a"}).value(), Json::object());
}

TEST(JsonMembers, AreOfAnObject) {
  for (const char* text : {"", "[1]", "\"a\"", "{\"a\":", "{\"a\":1}}"}) {
    EXPECT_FALSE(ParseMembers(text, {"a"}).ok()) << text;
  }
}

TEST(JsonMembers, OfAJobsStateAreWhatTheWholeStateSays) {
  TrainingJobState state;
  state.Enter("Training", FromUnixMillis(1'700'000'000'123), "Training");
  EXPECT_EQ(TrainingJobProgress::FromStateJson(state.ToJson())->secondary_status, state.secondary_status);
  EXPECT_EQ(TrainingJobProgress::FromStateJson(state.ToJson())->training_end, std::nullopt);
  state.training_end = FromUnixNanos(1'700'000'001'234'567'891);
  EXPECT_EQ(TrainingJobProgress::FromStateJson(state.ToJson())->training_end, state.training_end);
}

}  // namespace
}  // namespace argosy::catalog
