#include "main/model_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace argosy::main {
namespace {

using testing::HasSubstr;

std::string Guess(std::vector<std::string> names, ModelFile::Mode serve = ModelFile::Mode::kExecutable) {
  std::vector<ModelFile> files;
  for (std::string& name : names) {
    const bool program = name == "serve";
    files.push_back({std::move(name), program ? serve : ModelFile::Mode::kPlain});
  }
  const Result<ModelGuess> guess = GuessModel(files);
  if (!guess.ok()) return guess.error().message();
  switch (guess->kind) {
    case ModelKind::kProgram:
      return "program " + guess->file;
    case ModelKind::kScript:
      return "script " + guess->file;
    case ModelKind::kBuiltIn:
      return "builtin " + guess->file;
    case ModelKind::kPickle:
      return "pickle " + guess->file;
    case ModelKind::kTorchScript:
      return "torch " + guess->file;
    case ModelKind::kBooster:
      return "booster " + guess->file;
  }
  return "";
}

TEST(GuessModel, TheFileThatDecides) {
  EXPECT_EQ(Guess({"model.joblib"}), "pickle model.joblib");
  EXPECT_EQ(Guess({"readme.txt", "forest.pkl"}), "pickle forest.pkl");
  EXPECT_EQ(Guess({"net.pt"}), "torch net.pt");
  EXPECT_EQ(Guess({"trees.ubj"}), "booster trees.ubj");
  EXPECT_EQ(Guess({"xgboost-model"}), "builtin xgboost-model");
  EXPECT_EQ(Guess({"model.json", "weights.bin"}), "builtin model.json");
}

TEST(GuessModel, WhatTheUserWroteGoesBeforeWhatALibraryLeft) {
  EXPECT_EQ(Guess({"code/inference.py", "model.joblib"}), "script code/inference.py");
  EXPECT_EQ(Guess({"inference.py", "xgboost-model"}), "script inference.py");
  EXPECT_EQ(Guess({"inference.py", "serve"}), "program serve");
}

TEST(GuessModel, OfSeveralTheOneCalledModelIsServed) {
  EXPECT_EQ(Guess({"a.pkl", "model.pkl"}), "pickle model.pkl");
  EXPECT_THAT(Guess({"a.pkl", "b.pkl"}), HasSubstr("a.pkl and b.pkl may both be the pickled model"));
}

TEST(GuessModel, OnlyTheTopCounts) {
  EXPECT_THAT(Guess({"old/model.joblib"}), HasSubstr("nothing in it is known as a model. A model is one of"));
  EXPECT_THAT(Guess({}), HasSubstr("nothing in it is known"));
}

TEST(GuessModel, AProgramThatCannotBeRunIsSaid) {
  EXPECT_EQ(Guess({"serve"}, ModelFile::Mode::kPlain), "serve is not executable: chmod +x serve");
}

TEST(ModelSource, AScriptOfAnotherNameIsInferencePyAndSaysItsName) {
  char folder[] = "/tmp/argosy-source-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  const std::filesystem::path root = folder;
  using Environment = std::map<std::string, std::string>;
  for (const auto& [name, environment] :
       {std::pair{"inference.py", Environment{{"SAGEMAKER_PROGRAM", "inference.py"}}},
        {"foo.py", Environment{{"SAGEMAKER_PROGRAM", "inference.py"}, {"ARGOSY_SCRIPT_NAME", "foo.py"}}}}) {
    std::ofstream(root / name) << "";
    const Result<ModelSource> source = ModelSource::Open(root / name, "us-east-1");
    ASSERT_TRUE(source.ok()) << source.error().message();
    EXPECT_EQ(source->environment(), environment);
  }
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace argosy::main
