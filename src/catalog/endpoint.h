// Models, endpoint configs and endpoints: what was asked and what is so.
//
// Names and states are SageMaker's (API reference: CreateModel, CreateEndpointConfig, CreateEndpoint,
// DescribeEndpoint).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace argosy::catalog {

struct ModelSpec {
  std::string model_name;
  std::string image;
  std::string model_data_url;  // s3:// of a model.tar.gz
  std::map<std::string, std::string> environment;
  std::string request_json;
  static Result<ModelSpec> FromRequestJson(std::string_view json);
};

struct VariantSpec {
  std::string variant_name;
  std::string model_name;
  std::string instance_type;
  uint32_t initial_instance_count = 1;
  double initial_weight = 1.0;
};

struct EndpointConfigSpec {
  std::string config_name;
  std::vector<VariantSpec> variants;
  std::string request_json;
  static Result<EndpointConfigSpec> FromRequestJson(std::string_view json);
};

// A variant as an endpoint holds it: config and model are copied in when the endpoint is created or updated, so that
// both may be deleted while it lives.
struct VariantPlan {
  VariantSpec variant;
  ModelSpec model;
};

struct EndpointInstance {
  std::string instance_id;
  std::string variant_name;
  uint32_t attempt = 1;
  std::optional<Time> ready_at;    // when it first answered a ping
  uint32_t losses = 0;             // instances lost in its place in a row; the next waits longer each time
  std::optional<Time> not_before;  // it is not started earlier
};

// A complete set of instances of one config.
struct Fleet {
  std::string config_name;
  std::vector<VariantPlan> variants;
  std::vector<EndpointInstance> instances;
};

struct EndpointState {
  std::string status = "Creating";  // Creating, Updating, InService, RollingBack, Deleting, Failed
  std::string failure_reason;
  std::optional<Fleet> current;           // what the route shows
  std::optional<Fleet> next;              // being brought up (Creating, Updating)
  std::vector<EndpointInstance> retired;  // to be drained and released
  uint32_t starts_failed = 0;             // instances of `next` that ended before they answered
  uint32_t next_attempt = 1;              // number for the next instance started
  bool delete_requested = false;
  std::string requested_config;  // set by UpdateEndpoint/CreateEndpoint with `requested_variants` until the controller
                                 // has taken it up
  std::vector<VariantPlan> requested_variants;

  static Result<EndpointState> FromJson(std::string_view json);
  std::string ToJson() const;
};

}  // namespace argosy::catalog
