#include "api/autoscaling/common.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "auth/principal.h"
#include "catalog/json_fields.h"

namespace argosy::api::autoscaling {

using catalog::TextField;

namespace {

constexpr size_t kListAllMax = 1000;  // more than a target may have of anything

Shape NamespaceShape() {
  return Enum({"ecs", "elasticmapreduce", "ec2", "appstream", "dynamodb", "rds", "sagemaker", "custom-resource",
               "comprehend", "lambda", "cassandra", "kafka", "elasticache", "neptune", "workspaces"});
}

ServiceError TooManyAtOnce(const Error& /*last*/) {
  return {400, "ConcurrentUpdateException", "Concurrent updates caused an exception: try again."};
}

}  // namespace

std::string Common::Arn(std::string_view service, std::string_view rest) const {
  std::string arn = "arn:aws:";
  arn.append(service).append(":").append(region).append(":").append(auth::kAccountId).append(":").append(rest);
  return arn;
}

Shape TextShape(int64_t most) {
  return String().Length(1, most);
}

Shape TargetShape(std::vector<Member> more) {
  std::vector<Member> members = {
      Required("ServiceNamespace", NamespaceShape()).Only({std::string(catalog::kScalingNamespace)}),
      Required("ResourceId", TextShape()),
      Required("ScalableDimension", String()).Only({std::string(catalog::kScalingDimension)}),
  };
  std::move(more.begin(), more.end(), std::back_inserter(members));
  return Structure(std::move(members));
}

Shape ListShape(std::vector<Member> more) {
  std::vector<Member> members = {
      Required("ServiceNamespace", NamespaceShape()).Only({std::string(catalog::kScalingNamespace)}),
      Optional("ScalableDimension", String()).Only({std::string(catalog::kScalingDimension)}),
      Optional("MaxResults", Integer().Range(1, kListMax)),
      Optional("NextToken", String()),
  };
  std::move(more.begin(), more.end(), std::back_inserter(members));
  return Structure(std::move(members));
}

Shape TagMapShape() {
  return Map(String().Length(1, 128), String().Length(0, 256)).Length(0, 50);
}

std::optional<ServiceError> CheckResourceId(std::string_view resource_id) {
  if (catalog::ParseResourceId(resource_id)) return std::nullopt;
  return ValidationError("Unsupported service namespace, resource type or scalable dimension: the ResourceId '" +
                         std::string(resource_id) +
                         "' must be endpoint/<name of the endpoint>/variant/<name of the variant>.");
}

ServiceError NoTarget(std::string_view resource_id) {
  return {400, "ObjectNotFoundException",
          "No scalable target registered for service namespace: sagemaker, resource ID: " + std::string(resource_id) +
              ", scalable dimension: " + std::string(catalog::kScalingDimension)};
}

std::variant<catalog::Resource, ServiceError> FindTarget(const Common& common, const Json& input) {
  const std::string resource_id = TextField(input, "ResourceId");
  if (auto error = CheckResourceId(resource_id)) return std::move(*error);
  Result<catalog::Resource> target = common.deps.catalog->Get(catalog::Kind::kScalableTarget, resource_id);
  if (target.ok()) return std::move(*target);
  if (target.error().code() == ErrorCode::kNotFound) return NoTarget(resource_id);
  return FromError(target.error());
}

void HoldTarget(const catalog::Resource& target, catalog::Transaction& transaction) {
  transaction.updates.push_back({.uid = target.uid, .version = target.version, .modified = target.modified});
}

Result<std::vector<catalog::Resource>> ListAll(const Common& common, catalog::Kind kind, const std::string& owner) {
  catalog::Query query;
  query.kind = kind;
  query.owner = owner;
  query.max_results = kListAllMax;
  Result<catalog::Page> page = common.deps.catalog->List(query);
  if (!page.ok()) return page.error();
  return std::move(page->resources);
}

void Change(const std::shared_ptr<const Common>& common, Decide decide, Reply reply) {
  const auto propose = [decide = std::move(decide)]() -> Proposal {
    std::variant<Decision, ServiceError> decided = decide();
    if (auto* error = std::get_if<ServiceError>(&decided)) return Answer(std::move(*error));
    return std::get<Decision>(std::move(decided));
  };
  CommitProposal(common->deps.catalog, common->deps.pool, propose, std::move(reply), &TooManyAtOnce);
}

Answer ListAnswer(const Common& common, const Json& input, catalog::Query query, const char* member,
                  const std::function<Json(const catalog::Resource&)>& describe) {
  if (!TextField(input, "ScalableDimension").empty() && TextField(input, "ResourceId").empty() &&
      catalog::ArrayField(input, "ResourceIds").empty()) {
    return ValidationError("A ScalableDimension is asked for of a resource: give its resource ID beside it.");
  }
  query.max_results = static_cast<size_t>(catalog::IntField(input, "MaxResults", kListMax));
  query.page_token = TextField(input, "NextToken");
  Result<catalog::Page> page = common.deps.catalog->List(query);
  if (!page.ok()) {
    if (page.error().code() == ErrorCode::kInvalidArgument) {
      return ServiceError{400, "InvalidNextTokenException", "The next token is invalid."};
    }
    return FromError(page.error());
  }
  Json list = Json::array();
  for (const catalog::Resource& resource : page->resources) {
    Json described = describe(resource);
    if (!described.is_null()) list.push_back(std::move(described));
  }
  Json answer = {{member, std::move(list)}};
  if (!page->next_token.empty()) answer["NextToken"] = page->next_token;
  return DumpJson(answer);
}

Answer ListOfTarget(const Common& common, const Json& input, const TargetList& list,
                    const std::function<Json(const catalog::Resource&)>& describe) {
  catalog::Query query;
  query.kind = list.kind;
  query.order = catalog::SortOrder::kAscending;
  if (!TextField(input, "ResourceId").empty()) {
    std::variant<catalog::Resource, ServiceError> target = FindTarget(common, input);
    if (auto* error = std::get_if<ServiceError>(&target)) {
      if (error->code != "ObjectNotFoundException") return std::move(*error);
      return DumpJson(Json{{list.member, Json::array()}});
    }
    query.owner = std::get<0>(target).uid;
  }
  const Json& names = catalog::ArrayField(input, list.asked_names);
  return ListAnswer(common, input, query, list.member, [&](const catalog::Resource& resource) -> Json {
    Json described = describe(resource);
    const bool asked = names.empty() || std::find(names.begin(), names.end(), described[list.name]) != names.end();
    return asked ? described : Json();
  });
}

bool HasCount(const Json& json, const char* name) {
  const auto it = json.find(name);
  return it != json.end() && it->is_number();
}

Json Picked(const Json& sent, std::initializer_list<const char*> members) {
  Json picked = Json::object();
  for (const char* member : members) {
    const auto it = sent.find(member);
    if (it != sent.end() && !it->is_null()) picked[member] = *it;
  }
  return picked;
}

Json SpecOf(const catalog::Resource& resource) {
  const Result<Json> spec = ParseJson(resource.spec);
  return spec.ok() && spec->is_object() ? *spec : Json::object();
}

}  // namespace argosy::api::autoscaling
