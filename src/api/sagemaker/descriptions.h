// What the Describe operations answer of a stored resource, and what the Create operations take: Search makes its
// records and their properties of both.
#pragma once

#include "api/sagemaker/context.h"

namespace argosy::api::sagemaker {

Shape CreateTrainingJobInput(const Context& context);
Result<Json> DescribeTrainingJob(const Context& context, const catalog::Resource& resource);

Shape CreateModelInput();
Result<Json> DescribeModel(const Context& context, const catalog::Resource& resource);

Result<Json> DescribeEndpoint(const Context& context, const catalog::Resource& resource);

}  // namespace argosy::api::sagemaker
