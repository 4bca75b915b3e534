#include "api/cloudwatch/cbor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/bytes.h"

namespace argosy::api::cloudwatch {
namespace {

std::string Bytes(std::string_view hex) {
  return FromHex(hex).value_or("");
}

TEST(Cbor, IsReadAsTheStandardsExamplesSay) {
  // RFC 8949, appendix A.
  const struct {
    const char* hex;
    Json value;
  } rows[] = {{"00", 0},
              {"1903e8", 1000},
              {"1b000000e8d4a51000", 1000000000000},
              {"3863", -100},
              {"f93e00", 1.5},
              {"f90001", 5.960464477539063e-8},
              {"f9c400", -4.0},
              {"fa47c35000", 100000.0},
              {"fb3ff199999999999a", 1.1},
              {"f4", false},
              {"f6", nullptr},
              {"c11a514b67b0", 1363896240},
              {"c1fb41d452d9ed200000", 1363896244.5},
              {"62c3bc", "\u00fc"},
              {"8301820203820405", Json::parse("[1,[2,3],[4,5]]")},
              {"9f018202039f0405ffff", Json::parse("[1,[2,3],[4,5]]")},
              {"a26161016162820203", Json::parse(R"({"a":1,"b":[2,3]})")},
              {"bf61610161629f0203ffff", Json::parse(R"({"a":1,"b":[2,3]})")},
              {"7f657374726561646d696e67ff", "streaming"}};
  for (const auto& row : rows) {
    const Result<Json> read = JsonOfCbor(Bytes(row.hex));
    ASSERT_TRUE(read.ok()) << row.hex << ": " << read.error().message();
    EXPECT_EQ(*read, row.value) << row.hex;
  }
}

TEST(Cbor, WhatIsNoneOrUnbounded) {
  for (const char* hex : {"", "18", "1c", "1f", "62c3", "62c328", "4101", "8201", "9f01", "a101", "a10102", "bf6161ff",
                          "7f01ff", "f818", "0000", "ff", "9bffffffffffffffff", "7bffffffffffffffff41"}) {
    EXPECT_FALSE(JsonOfCbor(Bytes(hex)).ok()) << hex;
  }
  EXPECT_FALSE(JsonOfCbor(std::string(1'000'000, '\x81')).ok());
  EXPECT_FALSE(JsonOfCbor(std::string(1'000'000, '\xc1')).ok());
}

TEST(Cbor, AnswersComeBackAsTheyWereWithTimesTagged) {
  const Json answer = Json::parse(
      R"({"A":[1,-1,23,24,255,256,65536,4294967296,-500,1.5,true,false,null,"x"],"Timestamp":60.5,"N":{"M":{}}})");
  const std::string bytes = CborOfJson(answer);
  EXPECT_EQ(*JsonOfCbor(bytes), answer);
  EXPECT_EQ(ToHex(CborOfJson(Json::parse(R"({"Timestamps":[1.0]})"))),
            "a16a54696d657374616d707381c1fb3ff0000000000000");
  EXPECT_EQ(ToHex(CborOfJson(Json::parse(R"({"Values":[1.0]})"))), "a16656616c75657381fb3ff0000000000000");
}

}  // namespace
}  // namespace argosy::api::cloudwatch
