// The operations by the kind of resource they are about; each declared in the file of its name.
#pragma once

#include <memory>
#include <vector>

#include "api/operation.h"
#include "api/sagemaker/context.h"

namespace argosy::api::sagemaker {

std::vector<Operation> TrainingJobOperations(std::shared_ptr<const Context> context);
std::vector<Operation> ModelOperations(std::shared_ptr<const Context> context);
std::vector<Operation> EndpointConfigOperations(std::shared_ptr<const Context> context);
std::vector<Operation> EndpointOperations(std::shared_ptr<const Context> context);
std::vector<Operation> TagOperations(std::shared_ptr<const Context> context);
std::vector<Operation> SearchOperations(std::shared_ptr<const Context> context);

}  // namespace argosy::api::sagemaker
