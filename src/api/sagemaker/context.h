// What every SageMaker operation needs: the catalog and how it is read, listed and changed.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "api/changes.h"
#include "api/operation.h"
#include "api/sagemaker/sagemaker_service.h"
#include "catalog/resource.h"

namespace argosy::api::sagemaker {

struct Context {
  SageMakerOptions options;
  SageMakerDeps deps;

  std::string Arn(catalog::Kind kind, std::string_view name) const;
  Time Now() const { return deps.clock->Now(); }

  // The request as a new resource: name, uid, times, principal, spec (the request as sent), tags.
  catalog::Resource NewResource(catalog::Kind kind, std::string name, const Call& call) const;
};

// Inserts and answers {"<arn_member>": arn}; a taken name is answered with `taken`.
void Insert(const Context& context, catalog::Resource resource, std::string_view arn_member, ServiceError taken,
            Reply reply);

// What to do with the resource as it is now.
using Decide = std::function<Proposal(const catalog::Resource&)>;

// Reads, decides, commits; again from the start when the resource was changed in between. `decide` sets uid and
// version. Runs on a pool thread.
void Change(std::shared_ptr<const Context> context, catalog::Kind kind, std::string name, ServiceError missing,
            Decide decide, Reply reply);

// An update of all that Change() read, to be filled in.
catalog::Transaction::Update UpdateOf(const catalog::Resource& resource, Time now);

// Lists: the members that every List operation has, and the query they make.
struct ListMembers {
  std::vector<std::string> sort_by;   // the enum of SortBy
  std::vector<std::string> statuses;  // the enum of StatusEquals; empty = the operation has none
  bool by_modified = false;           // LastModifiedTimeAfter and …Before
};
Shape ListInput(ListMembers members);
// What SageMaker's lists differ in, by their reference: the order when none is asked for, and whether CreationTimeAfter
// finds what was created at that very time.
enum class ListRules {
  kOldestFirst,           // and created after that time: training jobs
  kNewestFirstInclusive,  // and created at that time or after: models, endpoint configs, endpoints
};
catalog::Query ListQuery(catalog::Kind kind, const Json& input, ListRules rules);
// {"<list_member>": [summarise(resource) and CreatedBy, …], "NextToken": …}
Answer ListAnswer(const Context& context, const catalog::Query& query, const char* list_member,
                  const std::function<Json(const catalog::Resource&)>& summarise);

// What was sent, for Describe to give back: the spec without Tags and nulls.
Result<Json> SentRequest(const catalog::Resource& resource);

// [{"Key": …, "Value": …}, …], by key.
Json TagsJson(const catalog::Tags& tags);
// Who made the resource, as SageMaker says it of model packages, pipelines and others; here of every resource.
Json CreatedBy(const catalog::Resource& resource);

// A timestamp as the JSON services write it.
Json Seconds(Time time);

Answer JsonAnswer(const Json& json);
Answer ErrorAnswer(const Error& error);
Answer ErrorAnswer(ServiceError error);

// Members that several operations share.
Shape NameShape(int64_t least = 0);
Shape RoleArnShape();
Shape S3UriShape();
Shape TagsShape();
Shape VpcConfigShape();

// Nothing when the tags of a request are in order (no key twice).
std::optional<ServiceError> CheckTags(const Json& input);

// Nothing when a built-in algorithm stands behind the image.
std::optional<ServiceError> CheckImage(const Context& context, std::string_view image);

// Nothing when a model of the image can be served: by a built-in algorithm, or as a program or script of the user's.
std::optional<ServiceError> CheckServingImage(const Context& context, std::string_view image);

}  // namespace argosy::api::sagemaker
