#include "agent/program/sandbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>

#include "agent/program/child_process.h"

namespace argosy::agent {
namespace {

using Kind = Sandbox::Step::Kind;
using testing::HasSubstr;

size_t PlaceOf(const Sandbox& sandbox, const Sandbox::Step& step) {
  const auto it = std::find(sandbox.steps().begin(), sandbox.steps().end(), step);
  EXPECT_NE(it, sandbox.steps().end()) << step.from << " at " << step.to;
  return static_cast<size_t>(it - sandbox.steps().begin());
}

TEST(SandboxPlan, EverythingIsReadOnlyBeforeWhatMayBeWrittenIsMounted) {
  const Sandbox sandbox =
      Sandbox::Plan({"/r", "/d/ml", "/d/scratch", "/d/shim", {"/d", "/keys/.aws"}}, {{"/usr", ""},
                                                                                     {"/bin", "usr/bin"},
                                                                                     {"/proc", ""},
                                                                                     {"/tmp", ""},
                                                                                     {"/opt", ""},
                                                                                     {"/opt/conda", ""},
                                                                                     {"/opt/ml", ""}});
  const size_t read_only = PlaceOf(sandbox, {Kind::kReadOnly, "", "/r"});
  EXPECT_LT(PlaceOf(sandbox, {Kind::kBind, "/usr", "/r/usr"}), read_only);
  EXPECT_LT(PlaceOf(sandbox, {Kind::kBind, "/opt/conda", "/r/opt/conda"}), read_only);
  EXPECT_LT(PlaceOf(sandbox, {Kind::kSymlink, "usr/bin", "/r/bin"}), read_only);
  EXPECT_GT(PlaceOf(sandbox, {Kind::kBind, "/d/ml", "/r/opt/ml"}), read_only);
  EXPECT_GT(PlaceOf(sandbox, {Kind::kBind, "/d/scratch", "/r/tmp"}), read_only);
  EXPECT_GT(PlaceOf(sandbox, {Kind::kHide, "", "/r/keys/.aws"}), read_only);
  // What is hidden has been bound from by then.
  EXPECT_GT(PlaceOf(sandbox, {Kind::kHide, "", "/r/d"}), PlaceOf(sandbox, {Kind::kBind, "/d/ml", "/r/opt/ml"}));
  EXPECT_EQ(sandbox.steps().back(), (Sandbox::Step{Kind::kRoot, "", "/r"}));
  for (const Sandbox::Step& step : sandbox.steps()) {
    EXPECT_NE(step.from, "/tmp");
    EXPECT_NE(step.from, "/proc");
    EXPECT_NE(step.from, "/opt/ml");
  }
}

TEST(SandboxPlan, AnInterpreterBelowTmpIsShownAfterThatIsTheScratchDirectory) {
  SandboxPlaces places{"/r", "/d/ml", "/d/scratch", "/d/shim", {}};
  places.shown = {"/tmp/work/.venv", "/usr"};
  const Sandbox sandbox = Sandbox::Plan(places, {{"/usr", ""}});
  const size_t scratch = PlaceOf(sandbox, {Kind::kBind, "/d/scratch", "/r/tmp"});
  const size_t made = PlaceOf(sandbox, {Kind::kDirectory, "", "/r/tmp/work/.venv"});
  const size_t bound = PlaceOf(sandbox, {Kind::kBind, "/tmp/work/.venv", "/r/tmp/work/.venv"});
  EXPECT_LT(scratch, made);
  EXPECT_LT(PlaceOf(sandbox, {Kind::kDirectory, "", "/r/tmp/work"}), made);
  EXPECT_LT(made, bound);
  EXPECT_LT(bound, PlaceOf(sandbox, {Kind::kReadOnly, "", "/r/tmp/work/.venv"}));
}

class ChildTest : public testing::Test {
 protected:
  ChildTest() {
    char name[] = "/var/tmp/argosy-child-XXXXXX";
    Check(mkdtemp(name) != nullptr);
    root_ = name;
    for (const char* made : {"root", "ml", "scratch", "secret"}) std::filesystem::create_directory(root_ / made);
    Check(WriteFileAtomically(root_ / "secret/key", "the owner's").ok());
    Check(WriteFileAtomically(root_ / "ml/model", "weights").ok());
  }
  ~ChildTest() override { std::filesystem::remove_all(root_); }

  // Runs a shell's script to its end; its lines are in lines_.
  std::string Run(const std::string& script, const Sandbox* sandbox = nullptr) {
    EventLoop loop;
    std::string how = "never";
    auto child = ChildProcess::Start(loop,
                                     {.arguments = {"/bin/sh", "-c", script},
                                      .environment = {"PATH=/usr/bin:/bin"},
                                      .directory = "/",
                                      .sandbox = sandbox},
                                     {.on_line = [&](std::string_view line) { lines_.emplace_back(line); },
                                      .on_end =
                                          [&](const std::string& told) {
                                            how = told;
                                            loop.Stop();
                                          }});
    if (!child.ok()) return SandboxRefused(child.error()) ? "refused" : child.error().message();
    const TimerId guard = loop.After(std::chrono::seconds(60), [&] { loop.Stop(); });
    loop.Run();
    loop.Cancel(guard);
    return how;
  }

  std::filesystem::path root_;
  std::vector<std::string> lines_;
};

TEST_F(ChildTest, ItsOutputComesLineByLineAndItsEndAfterIt) {
  EXPECT_EQ(Run("echo one; echo two >&2; printf three; exit 5"), "ended with exit code 5");
  EXPECT_THAT(lines_, testing::ElementsAre("one", "two", "three"));
}

TEST_F(ChildTest, ASignalIsSaid) {
  EXPECT_EQ(Run("kill -9 $$"), "was killed by signal 9");
}

TEST_F(ChildTest, OnlyTheStandardStreamsAreOpenInIt) {
  EXPECT_EQ(Run("ls /proc/self/fd | wc -l"), "ended with exit code 0");
  ASSERT_EQ(lines_.size(), 1u);
  EXPECT_EQ(std::stoi(lines_[0]), 4);  // and the one that ls reads by
}

TEST_F(ChildTest, WhatItStartsEndsWithIt) {
  EXPECT_EQ(Run("sleep 1000 & echo $!; exit 0"), "ended with exit code 0");
  ASSERT_EQ(lines_.size(), 1u);
  const std::filesystem::path process = "/proc/" + lines_[0] + "/exe";
  // Killed, it may still be on its way out.
  std::error_code error;
  for (int i = 0; i < 5000 && !std::filesystem::read_symlink(process, error).empty(); ++i) usleep(1000);
  EXPECT_TRUE(std::filesystem::read_symlink(process, error).empty());
}

TEST_F(ChildTest, AFileThatCannotBeRunIsAnErrorAtOnce) {
  EventLoop loop;
  const auto child =
      ChildProcess::Start(loop, {.arguments = {(root_ / "nothing").string()}, .environment = {}, .directory = "/"}, {});
  ASSERT_FALSE(child.ok());
  EXPECT_EQ(child.error().code(), ErrorCode::kNotFound);
  EXPECT_FALSE(SandboxRefused(child.error()));
}

TEST_F(ChildTest, InTheSandboxItSeesItsModelAndNotTheOwnersKeys) {
  const auto top = Sandbox::ReadTop();
  ASSERT_TRUE(top.ok());
  const Sandbox sandbox =
      Sandbox::Plan({root_ / "root", root_ / "ml", root_ / "scratch", {}, {root_ / "secret"}}, *top);
  const std::string how = Run("cat /opt/ml/model; echo; ls " + (root_ / "secret").string() +
                                  " | wc -l; echo x > /opt/ml/written && echo may write; "
                                  "(echo x > /etc/argosy-test) 2>/dev/null || echo read only; echo $$; id -u; "
                                  "umount " +
                                  (root_ / "secret").string() + " 2>/dev/null || echo stays hidden; exit 3",
                              &sandbox);
  if (how == "refused") GTEST_SKIP() << "the kernel makes no namespaces here";
  EXPECT_EQ(how, "ended with exit code 3");
  EXPECT_THAT(lines_, testing::ElementsAre("weights", "0", "may write", "read only", "2", "1000", "stays hidden"));
  EXPECT_EQ(*ReadFile(root_ / "ml/written", 10), "x\n");
}

TEST_F(ChildTest, InTheSandboxASignalIsSaidToo) {
  const auto top = Sandbox::ReadTop();
  ASSERT_TRUE(top.ok());
  const Sandbox sandbox = Sandbox::Plan({root_ / "root", root_ / "ml", root_ / "scratch", {}, {}}, *top);
  const std::string how = Run("kill -9 $$", &sandbox);
  if (how == "refused") GTEST_SKIP() << "the kernel makes no namespaces here";
  EXPECT_EQ(how, "was killed by signal 9");
}

}  // namespace
}  // namespace argosy::agent
