#include "compute/local/process_use.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace argosy::compute {
namespace {

TEST(ProcessStat, FieldsAreFoundWhateverTheProgramIsCalled) {
  const auto stat = ParseProcessStat(
      "4711 (a) 9 (b c) S 42 4711 4711 0 -1 4194560 100 0 0 0 7 5 20 10 20 0 3 0 123456 1000000 250 "
      "18446744073709551615 "
      "1 1 0 0\n");
  ASSERT_TRUE(stat.has_value());
  EXPECT_EQ(stat->parent, 42);
  EXPECT_EQ(stat->ticks, 42u);
  EXPECT_EQ(stat->resident_pages, 250u);
}

TEST(ProcessStat, WhatIsNoneIsRefused) {
  for (const char* line : {"", "4711 (a) S", "4711 (a) S x 1 1 0 -1 0 0 0 0 0 7 5 20 10 20 0 3 0 123456 1000000 250",
                           "4711 a S 42 4711", "4711 (a) S 1 1 1 0 -1 0 0 0 0 0 7 5 20 10 20 0 3 0 123456 1000000"}) {
    EXPECT_FALSE(ParseProcessStat(line).has_value()) << line;
  }
}

TEST(UseOfTrees, CountsAProcessWithItsChildrenAndNobodyElse) {
  constexpr size_t kBytes = size_t{32} << 20;
  int ready[2];
  int hold[2];
  ASSERT_EQ(pipe(ready), 0);
  ASSERT_EQ(pipe(hold), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(hold[1]);
    if (fork() == 0) {  // the grandchild holds memory that the child does not
      void* held = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
      const bool sent = held != MAP_FAILED && write(ready[1], "x", 1) == 1;
      char end = 0;
      const bool ended = read(hold[0], &end, 1) >= 0;
      _exit(sent && ended ? 0 : 1);
    }
    wait(nullptr);
    _exit(0);
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  const std::map<pid_t, ProcessUse> uses = UseOfTrees({child, getpid()});
  close(hold[1]);
  waitpid(child, nullptr, 0);
  for (const int fd : {ready[0], ready[1], hold[0]}) close(fd);
  ASSERT_EQ(uses.count(child), 1u);
  EXPECT_GE(uses.at(child).resident_bytes, kBytes);
  ASSERT_EQ(uses.count(getpid()), 1u) << "the nearest root gets it";
  EXPECT_TRUE(UseOfTrees({child}).empty()) << "it has ended";
}

}  // namespace
}  // namespace argosy::compute
