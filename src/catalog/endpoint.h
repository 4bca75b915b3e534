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
#include "catalog/data_capture.h"
#include "catalog/deployment.h"

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
  std::string capture_request;  // DataCaptureConfig as sent; "" = none
  std::string request_json;
  static Result<EndpointConfigSpec> FromRequestJson(std::string_view json);
};

struct VariantCapacity {
  uint32_t instance_count = 0;
  double weight = 0;
};

// A variant as an endpoint holds it: config and model are copied in when the endpoint is created or updated, so that
// both may be deleted while it lives. Of the fleet that serves, count and weight are the desired ones.
struct VariantPlan {
  VariantSpec variant;
  ModelSpec model;
  std::optional<VariantCapacity> before =
      std::nullopt;  // a change of capacity is under way: what was desired until then

  // What the route goes by: other weights come into force when the capacity asked for with them is there.
  double weight_in_force() const { return before ? before->weight : variant.initial_weight; }
};

// What UpdateEndpointWeightsAndCapacities or a scaling policy asks of one variant.
struct DesiredCapacity {
  std::string variant_name;
  std::optional<uint32_t> instance_count;
  std::optional<double> weight;
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
  std::string capture_request = {};  // DataCaptureConfig as sent; "" = none
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
  std::string requested_capture;         // DataCaptureConfig of the requested config
  std::string deployment_request;        // DeploymentConfig as it was last sent; "" = never
  std::optional<Deployment> deployment;  // of `next`, while there is a `current`

  // Asks for other counts and weights of the fleet that serves; Updating until it has them. The variants are there.
  void ChangeCapacity(const std::vector<DesiredCapacity>& desired);
  // Such a change is under way; another may come on top of it.
  bool capacity_changing() const;

  static Result<EndpointState> FromJson(std::string_view json);
  std::string ToJson() const;
};

}  // namespace argosy::catalog
