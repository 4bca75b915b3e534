// Only for the tests of this folder: IAM over a catalog of its own, asked as the SDKs ask it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "api/catalog_fixture.h"
#include "api/iam/iam_service.h"

namespace argosy::api {

class IamServiceTest : public CatalogServiceTest {
 protected:
  explicit IamServiceTest(MayDo may_do = nullptr) : CatalogServiceTest("") {
    iam_ = MakeIamService({interposed_.get(), pool_.get(), &clock_, &random_, std::move(may_do)});
  }

  // `form` begins with the action's name; gives the answer's body.
  std::string Say(const std::string& form, int status = 200, const auth::Principal& who = kPrincipal) {
    auto exchange =
        std::make_shared<FakeExchange>("POST", "/", FakeExchange::Headers{}, "Action=" + form + "&Version=2010-05-08");
    iam_->OnRequest(exchange, nullptr, who, "id-1");
    const http::Response& response = exchange->Wait();
    EXPECT_EQ(response.status, status) << form << "\n" << BodyOf(response);
    return BodyOf(response);
  }
  // What the first such element of an answer holds; "" when there is none.
  static std::string Between(const std::string& text, const std::string& element) {
    const size_t start = text.find("<" + element + ">");
    if (start == std::string::npos) return "";
    const size_t from = start + element.size() + 2;
    return text.substr(from, text.find("</", from) - from);
  }

  std::unique_ptr<Service> iam_;
};

}  // namespace argosy::api
