#include "catalog/visit.h"

#include <gtest/gtest.h>

namespace argosy::catalog {
namespace {

// Gives resources called 0, 1, …, as many pages of them as it takes.
class Numbers final : public Catalog {
 public:
  explicit Numbers(size_t count) : count_(count) {}
  void Commit(Transaction, Callback<Change>) override {}
  Result<Resource> Get(Kind, std::string_view) override { return Error(ErrorCode::kNotFound, ""); }
  Result<Resource> GetByUid(std::string_view) override { return Error(ErrorCode::kNotFound, ""); }
  Result<Page> List(const Query& query) override {
    ++pages;
    const size_t first = query.page_token.empty() ? 0 : std::stoul(query.page_token);
    if (first >= broken_from) return Error(ErrorCode::kIo, "a page that cannot be read");
    Page page;
    for (size_t i = first; i < count_ && page.resources.size() < query.max_results; ++i) {
      page.resources.emplace_back().name = std::to_string(i);
    }
    const size_t next = first + page.resources.size();
    if (next < count_) page.next_token = std::to_string(next);
    return page;
  }
  void SetChangeListener(std::function<void(const Change&)>) override {}

  size_t pages = 0;
  size_t broken_from = static_cast<size_t>(-1);

 private:
  const size_t count_;
};

TEST(Visit, EveryResourceIsSeenOnceWhateverThePages) {
  for (const size_t count : {0U, 1U, 199U, 200U, 201U, 1000U}) {
    Numbers catalog(count);
    size_t seen = 0;
    ASSERT_TRUE(VisitAll(catalog, {}, [&](const Resource& one) { EXPECT_EQ(one.name, std::to_string(seen++)); }).ok());
    EXPECT_EQ(seen, count);
    EXPECT_EQ(CountUpTo(catalog, {}, 5000).value(), count);
  }
}

TEST(Visit, WhoHasSeenEnoughIsShownNoMore) {
  Numbers catalog(1000);
  size_t seen = 0;
  ASSERT_TRUE(Visit(catalog, {}, [&](const Resource&) { return ++seen < 3; }).ok());
  EXPECT_EQ(seen, 3U);
  EXPECT_EQ(CountUpTo(catalog, {}, 7).value(), 7U);
  EXPECT_EQ(catalog.pages, 2U);
}

TEST(Visit, APageThatCannotBeReadIsTold) {
  Numbers catalog(1000);
  catalog.broken_from = 1;
  EXPECT_EQ(VisitAll(catalog, {}, [](const Resource&) {}).error().code(), ErrorCode::kIo);
  EXPECT_EQ(CountUpTo(catalog, {}, 5000).error().code(), ErrorCode::kIo);
  EXPECT_EQ(CountUpTo(catalog, {}, 100).value(), 100U) << "it was not needed";
}

}  // namespace
}  // namespace argosy::catalog
