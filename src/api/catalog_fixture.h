// For the tests of services over the catalog: a real one in a directory of its own, asked as the front door would.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "api/fake_exchange.h"
#include "api/json_service.h"
#include "base/random.h"
#include "catalog/endpoint.h"
#include "catalog/sqlite_catalog.h"

namespace argosy::api {

using catalog::EndpointState;
using catalog::Kind;

// Advances by itself, so that no two resources are made at the same time.
class TickingClock : public Clock {
 public:
  Time Now() const override { return Time(std::chrono::seconds(1'700'000'000 + ticks_.fetch_add(1))); }
  Duration Monotonic() const override { return Now().time_since_epoch(); }

 private:
  mutable std::atomic<int64_t> ticks_{0};
};

// Lets a test come between the reading and the writing of a change: once, or each time that it asks for it again.
class InterposedCatalog : public catalog::Catalog {
 public:
  explicit InterposedCatalog(catalog::Catalog* inner) : inner_(inner) {}
  void Commit(catalog::Transaction transaction, Callback<catalog::Change> done) override {
    if (before_commit) std::exchange(before_commit, nullptr)();
    inner_->Commit(std::move(transaction), std::move(done));
  }
  Result<catalog::Resource> Get(Kind kind, std::string_view name) override { return inner_->Get(kind, name); }
  Result<catalog::Resource> GetByUid(std::string_view uid) override { return inner_->GetByUid(uid); }
  Result<catalog::Page> List(const catalog::Query& query) override { return inner_->List(query); }
  void SetChangeListener(std::function<void(const catalog::Change&)> listener) override {
    inner_->SetChangeListener(std::move(listener));
  }
  std::function<void()> before_commit;

 private:
  catalog::Catalog* inner_;
};

// Makes `service_` in its constructor, of `interposed_`, `pool_`, `clock_` and `random_`.
class CatalogServiceTest : public testing::Test {
 protected:
  // What X-Amz-Target has before the operation.
  explicit CatalogServiceTest(std::string target_prefix) : target_prefix_(std::move(target_prefix)) {
    const auto* const test = testing::UnitTest::GetInstance()->current_test_info();
    directory_ = std::filesystem::temp_directory_path() / (std::string("argosy-") + test->test_suite_name() + "-" +
                                                           std::to_string(getpid()) + "-" + test->name());
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
    store_ = std::move(catalog::SqliteCatalog::Open(directory_.string())).value();
    interposed_ = std::make_unique<InterposedCatalog>(store_.get());
    pool_ = std::make_unique<ThreadPool>("test", 2, 100);
  }
  ~CatalogServiceTest() override {
    service_.reset();
    pool_.reset();
    store_.reset();
    std::filesystem::remove_all(directory_);
  }

  struct Outcome {
    int status;
    Json json;
    std::string code() const { return json.is_object() ? json.value("__type", "") : ""; }
    std::string message() const { return json.is_object() ? json.value("message", "") : ""; }
  };
  Outcome Ask(const std::string& operation, const Json& request) {
    auto exchange = std::make_shared<FakeExchange>(
        "POST", "/", FakeExchange::Headers{{"X-Amz-Target", target_prefix_ + "." + operation}}, request.dump());
    service_->OnRequest(exchange, nullptr, kPrincipal, "id");
    const http::Response& response = exchange->Wait();
    const std::string& body = BodyOf(response);
    return {response.status, body.empty() ? Json() : Json::parse(body)};
  }
  Json Good(const std::string& operation, const Json& request) {
    const Outcome outcome = Ask(operation, request);
    EXPECT_EQ(outcome.status, 200) << operation << " " << outcome.json.dump();
    return outcome.json;
  }
  void Bad(const std::string& operation, const Json& request, const std::string& code, const std::string& message) {
    const Outcome outcome = Ask(operation, request);
    EXPECT_EQ(outcome.status, 400) << operation;
    EXPECT_EQ(outcome.code(), code) << operation << " " << outcome.json.dump();
    EXPECT_NE(outcome.message().find(message), std::string::npos) << outcome.message() << "\n  has no  " << message;
  }

  // What a controller would do.
  void ChangeEndpoint(const std::string& name, const std::function<void(EndpointState&)>& change) {
    catalog::Resource resource = store_->Get(Kind::kEndpoint, name).value();
    EndpointState state = EndpointState::FromJson(resource.state).value();
    change(state);
    Write(resource, state.status, state.ToJson());
  }
  void Write(const catalog::Resource& resource, const std::string& status, const std::string& state) {
    catalog::Transaction transaction;
    transaction.updates.push_back(
        {.uid = resource.uid, .version = resource.version, .status = status, .state = state, .modified = clock_.Now()});
    Commit(std::move(transaction));
  }
  void Commit(catalog::Transaction transaction) {
    std::promise<bool> done;
    store_->Commit(std::move(transaction), [&](const Result<catalog::Change>& change) { done.set_value(change.ok()); });
    ASSERT_TRUE(done.get_future().get());
  }

  const std::string target_prefix_;
  std::filesystem::path directory_;
  TickingClock clock_;
  SystemRandom random_;
  std::unique_ptr<catalog::SqliteCatalog> store_;
  std::unique_ptr<InterposedCatalog> interposed_;
  std::unique_ptr<ThreadPool> pool_;
  std::unique_ptr<JsonService> service_;
};

}  // namespace argosy::api
