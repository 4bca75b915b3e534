#include "cost/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace argosy::cost {
namespace {

using std::chrono::seconds;

LedgerEntry SomeEntry() {
  return {
      .instance_id = "i-1",
      .owner_uid = "j-7",
      .owner_kind = "training-job",
      .owner_name = "digits",
      .variant = "",
      .principal = "owner",
      .instance_type = "ml.m5.large",
      .attempt = 2,
      .purchase = Purchase::kSpot,
      .nano_dollars_per_hour = 115'000'000,
      .allocated = Time(seconds(100)),
      .started = Time(seconds(101)),
      .ended = std::nullopt,
      .closed = false,
      .reach = {{"in", "data/", auth::DataGrant::Use::kRead}, {"out", "digits/", auth::DataGrant::Use::kReadWrite}}};
}

TEST(Ledger, AnEntryComesBackFromTheCatalogAsItWasWritten) {
  const LedgerEntry entry = SomeEntry();
  const catalog::Resource resource = ToResource(entry);
  EXPECT_EQ(resource.kind, catalog::Kind::kInstance);
  EXPECT_EQ(resource.uid, "i-1");
  EXPECT_EQ(resource.owner, "j-7");
  EXPECT_EQ(resource.status, "Open");
  const Result<LedgerEntry> back = FromResource(resource);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->owner_name, entry.owner_name);
  EXPECT_EQ(back->owner_kind, entry.owner_kind);
  EXPECT_EQ(back->principal, entry.principal);
  EXPECT_EQ(back->instance_type, entry.instance_type);
  EXPECT_EQ(back->attempt, entry.attempt);
  EXPECT_EQ(back->purchase, Purchase::kSpot);
  EXPECT_EQ(back->nano_dollars_per_hour, entry.nano_dollars_per_hour);
  EXPECT_EQ(back->allocated, entry.allocated);
  EXPECT_EQ(back->started, entry.started);
  EXPECT_FALSE(back->ended);
  EXPECT_FALSE(back->closed);
  ASSERT_EQ(back->reach.size(), 2U);
  EXPECT_EQ(back->reach[0].bucket, "in");
  EXPECT_EQ(back->reach[0].key_prefix, "data/");
  EXPECT_EQ(back->reach[0].use, auth::DataGrant::Use::kRead);
  EXPECT_EQ(back->reach[1].use, auth::DataGrant::Use::kReadWrite);
}

TEST(Ledger, WhatIsNotUnderstoodReachesNothing) {
  catalog::Resource resource = ToResource(SomeEntry());
  const size_t at = resource.spec.find("\"prefix\":\"data/\"");
  ASSERT_NE(at, std::string::npos);
  resource.spec.replace(at, 16, "\"prefix\":null   ");
  const Result<LedgerEntry> back = FromResource(resource);
  ASSERT_TRUE(back.ok());
  ASSERT_EQ(back->reach.size(), 1U);
  EXPECT_EQ(back->reach[0].bucket, "out");
}

// What closing writes, read back.
LedgerEntry Closed(std::optional<Time> started, std::optional<Time> ended) {
  const LedgerEntry entry = SomeEntry();
  const catalog::Transaction::Update update = CloseEntry(entry, started, ended, Time(seconds(300)));
  EXPECT_EQ(update.uid, entry.instance_id);
  catalog::Resource resource = ToResource(entry);
  resource.status = *update.status;
  resource.state = *update.state;
  Result<LedgerEntry> back = FromResource(resource);
  EXPECT_TRUE(back.ok());
  EXPECT_TRUE(back->closed);
  return *back;
}

TEST(Ledger, AnInstanceThatNeverStartedHasNoTimes) {
  const LedgerEntry entry = Closed(std::nullopt, Time(seconds(200)));
  EXPECT_FALSE(entry.started);
  EXPECT_FALSE(entry.ended);
}

TEST(Ledger, AnEndBeforeTheStartOrUnknownIsTheStart) {
  EXPECT_EQ(Closed(Time(seconds(150)), Time(seconds(120))).ended, Time(seconds(150)));
  EXPECT_EQ(Closed(Time(seconds(150)), std::nullopt).ended, Time(seconds(150)));
  EXPECT_EQ(Closed(Time(seconds(150)), Time(seconds(190))).ended, Time(seconds(190)));
}

TEST(Ledger, WhatCannotBeReadIsRefused) {
  catalog::Resource resource = ToResource(SomeEntry());
  resource.spec = R"({"purchase":"stolen"})";
  EXPECT_EQ(FromResource(resource).error().code(), ErrorCode::kCorrupt);
  resource.spec = "not json";
  EXPECT_FALSE(FromResource(resource).ok());
}

}  // namespace
}  // namespace argosy::cost
