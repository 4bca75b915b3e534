#include "model/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>

namespace argosy::model {
namespace {

std::string File(const std::string& header, const std::string& values) {
  const uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + header + values;
}

TEST(SafetensorsTest, WhatIsWrittenIsRead) {
  const Tensors tensors = {
      {"weight", {{2, 3}, {1, 2, 3, 4, 5, 6}}}, {"bias", {{2}, {-1, 1e300}}}, {"none", {{0, 7}, {}}}};
  EXPECT_EQ(*ReadSafetensors(WriteSafetensors(tensors)), tensors);
  EXPECT_TRUE(ReadSafetensors(WriteSafetensors({}))->empty());
}

TEST(SafetensorsTest, HeaderIsAsTheFormatSays) {
  const std::string bytes = WriteSafetensors({{"w", {{1}, {2.5}}}});
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  EXPECT_EQ(length % 8, 0U);
  EXPECT_EQ(bytes.substr(8, length).substr(0, bytes.substr(8, length).find_last_not_of(' ') + 1),
            R"({"w":{"data_offsets":[0,8],"dtype":"F64","shape":[1]}})");
  EXPECT_EQ(bytes.size(), 8 + length + 8);
}

TEST(SafetensorsTest, SinglePrecisionIsWidenedAndMetadataSkipped) {
  const float values[] = {1.5F, -2};
  const auto tensors =
      ReadSafetensors(File(R"({"__metadata__":{"a":"b"},"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
                           std::string(reinterpret_cast<const char*>(values), sizeof values)));
  ASSERT_TRUE(tensors.ok()) << tensors.error().message();
  EXPECT_EQ(tensors->at("x").values, (std::vector<double>{1.5, -2}));
}

TEST(SafetensorsTest, BrokenFilesAreCorrupt) {
  const std::string eight(8, '\0');
  const std::string files[] = {
      "",
      "short",
      std::string(8, '\xff'),
      File("{", ""),
      File("[]", ""),
      File(R"({"x":1})", eight),
      File(R"({"x":{"dtype":"F64","shape":[1]}})", eight),
      File(R"({"x":{"dtype":"I8","shape":[8],"data_offsets":[0,8]}})", eight),
      File(R"({"x":{"dtype":"F64","shape":[2],"data_offsets":[0,8]}})", eight),
      File(R"({"x":{"dtype":"F64","shape":[1],"data_offsets":[0,16]}})", eight),
      File(R"({"x":{"dtype":"F64","shape":[1],"data_offsets":[8,0]}})", eight),
      File(R"({"x":{"dtype":"F64","shape":[-1],"data_offsets":[0,8]}})", eight),
      File(R"({"x":{"dtype":"F64","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", eight),
      File(
          R"({"x":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},"y":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},)"
          R"("z":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}})",
          eight),
  };
  for (const std::string& file : files) {
    const auto tensors = ReadSafetensors(file);
    ASSERT_FALSE(tensors.ok()) << file.substr(std::min<size_t>(8, file.size()));
    EXPECT_EQ(tensors.error().code(), ErrorCode::kCorrupt);
  }
}

}  // namespace
}  // namespace argosy::model
