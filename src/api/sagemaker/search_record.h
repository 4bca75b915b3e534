// The kinds of resources that Search knows, and what it sees of each: the record, which is what Describe answers, with
// the tags.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "api/sagemaker/context.h"

namespace argosy::api::sagemaker {

struct RecordKind {
  std::string_view name;  // of the enum of Resource: "TrainingJob"
  catalog::Kind kind;
  Shape shape;  // the members of SageMaker's record, of which an answer has no others
};

// TrainingJob, Model and Endpoint.
std::vector<RecordKind> RecordKinds(const Context& context);

// The resources that SageMaker's Search takes and Argosy has none of: nothing is found.
std::vector<std::string> OtherSearchedResources();

// Reads one stored resource as a record.
using RecordReader = std::function<Result<Json>(const catalog::Resource&)>;
// Good for one search: that of models looks up once which endpoints serve them.
Result<RecordReader> MakeRecordReader(const Context& context, const RecordKind& kind);

// The record as an element of Results.
Json SearchResult(const RecordKind& kind, Json record);

}  // namespace argosy::api::sagemaker
