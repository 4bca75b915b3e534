"""Autoscaling of an endpoint: registered, tracked, scaled out by traffic, on a schedule, suspended, deregistered.

    eval "$(argosy env)"
    python sdk_autoscaling.py ENDPOINT '5.1,3.5,1.4,0.2'      # an endpoint in service, and a row of CSV to ask it

The last line that it prints is what it saw, as JSON. test_sdk_serving.py runs it as it stands.
"""

import json
import sys
import time

import boto3
from sagemaker.predictor import Predictor
from sagemaker.serializers import CSVSerializer

endpoint, row = sys.argv[1:]
predictor = Predictor(endpoint, serializer=CSVSerializer())
client = boto3.client("sagemaker")
scaling = boto3.client("application-autoscaling")
(variant,) = client.describe_endpoint(EndpointName=endpoint)["ProductionVariants"]
resource = f"endpoint/{endpoint}/variant/{variant['VariantName']}"
target = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": resource,
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
of_target = {"ServiceNamespace": "sagemaker", "ResourceId": resource}


def targets():
    found = scaling.describe_scalable_targets(ServiceNamespace="sagemaker", ResourceIds=[resource])
    return found["ScalableTargets"]


scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=2)
policy = scaling.put_scaling_policy(
    **target,
    PolicyName="InvocationsPerInstance",
    PolicyType="TargetTrackingScaling",
    TargetTrackingScalingPolicyConfiguration={
        "TargetValue": 60.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
        "ScaleInCooldown": 600,
        "ScaleOutCooldown": 60,
    },
)
seen = {"alarms": len(policy["Alarms"])}
(policy,) = scaling.describe_scaling_policies(**of_target)["ScalingPolicies"]
seen["policy"] = policy["TargetTrackingScalingPolicyConfiguration"]

# Far more than 60 a minute, until there are two.
for _ in range(2000):
    predictor.predict(row)
    (variant,) = client.describe_endpoint(EndpointName=endpoint)["ProductionVariants"]
    if variant["CurrentInstanceCount"] == 2:
        break
    time.sleep(0.02)
seen["instances"] = variant["CurrentInstanceCount"]
activity = scaling.describe_scaling_activities(**of_target)["ScalingActivities"][-1]
seen["activity"] = {"description": activity["Description"], "cause": activity["Cause"]}

scaling.put_scheduled_action(
    **target,
    ScheduledActionName="Evenings",
    Schedule="cron(0 18 * * ? *)",
    ScalableTargetAction={"MinCapacity": 0, "MaxCapacity": 1},
)
(action,) = scaling.describe_scheduled_actions(**of_target)["ScheduledActions"]
seen["schedule"] = {action["Schedule"]: action["ScalableTargetAction"]}

parts = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
scaling.register_scalable_target(**target, SuspendedState=dict.fromkeys(parts, True))
seen["suspended"] = targets()[0]["SuspendedState"]
scaling.register_scalable_target(**target, SuspendedState=dict.fromkeys(parts, False))
seen["resumed"] = targets()[0]["SuspendedState"]

scaling.delete_scheduled_action(**target, ScheduledActionName="Evenings")
scaling.delete_scaling_policy(**target, PolicyName="InvocationsPerInstance")
scaling.deregister_scalable_target(**target)
seen["left"] = targets()
print("\n" + json.dumps(seen))
