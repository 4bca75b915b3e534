// Declared operations in the query protocol (IAM; CloudWatch for SDKs before 2024): forms in, XML out. What is between
// is the JSON that handlers take and give.
#pragma once

#include <string>
#include <string_view>

#include "api/query_service.h"
#include "api/shape.h"
#include "base/json.h"

namespace argosy::api {

// The form's fields as the members of the structure: `MetricData.member.1.MetricName=x` becomes
// {"MetricData":[{"MetricName":"x"}]}. A value that is not of its member's type stays text, for validation to refuse.
// Fields that are not declared are left out.
Json JsonOfForm(const Form& form, const Shape& structure);

// The answer of an operation as XML, without the element around it: lists of <member>, maps of <entry>, times in ISO
// 8601 (IsTimeMember).
std::string XmlOfJson(const Json& answer);

}  // namespace argosy::api
