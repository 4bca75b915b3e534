"""Application Auto Scaling of endpoints' variants."""

from harness import jobs
from harness.peers import Cases, error

UNCHECKED = "the service holds a request against its model and reference; moto takes it"
BROKEN = "moto fails inside, with a 500"
INVALID = ("ValidationException", 400)
NOT_FOUND = ("ObjectNotFoundException", 400)
RESOURCE_NOT_FOUND = ("ResourceNotFoundException", 400)
case = Cases()


def variant_of(peer, name):
    """Of a new endpoint, as Application Auto Scaling names it."""
    jobs.create_model(peer, peer.artifact, name)
    jobs.create_config(peer, name, name)
    peer.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    jobs.await_endpoint(peer, name)
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{name}/variant/AllTraffic",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }


def end(peer, name):
    return error(peer.sagemaker.delete_endpoint, EndpointName=name)


@case(
    {
        "register": 200,
        "described": {"ResourceId": "endpoint/@/variant/AllTraffic", "MinCapacity": 1, "MaxCapacity": 3},
        "what is suspended": {
            "DynamicScalingInSuspended": False,
            "DynamicScalingOutSuspended": False,
            "ScheduledScalingSuspended": False,
        },
        "arn": "arn:aws:application-autoscaling:us-east-1:ACCOUNT:scalable-target",
        "role": "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
        "again": 200,
        "a maximum alone": 200,
        "then": [(1, 4)],
        "suspended": 200,
        "then suspended": True,
        "a minimum above the maximum": INVALID,
        "a negative minimum": INVALID,
        "a missing endpoint": INVALID,
        "a missing variant": INVALID,
        "an odd resource": INVALID,
        "a dimension of another service": INVALID,
        "a namespace that is none": INVALID,
        "of no such resource": [],
        "of a dimension": 1,
        "51 a page": INVALID,
        "a token that is none": ("InvalidNextTokenException", 400),
        "deregister": 200,
        "deregister again": NOT_FOUND,
        "then none": [],
        "end": 200,
    },
    moto={
        "the model requires RoleARN, and tells what is suspended": ["what is suspended", "role"],
        "the code of the model is ObjectNotFoundException": ["deregister again"],
        UNCHECKED: [
            "a minimum above the maximum", "a negative minimum", "a missing endpoint", "a missing variant",
            "51 a page",
        ],
        BROKEN: ["a token that is none"],
    },
)
def scalable_targets(peer, name):
    scaling = peer.autoscaling
    where = variant_of(peer, name)

    def register(**changes):
        request = {**where, "MinCapacity": 1, "MaxCapacity": 3, **changes}
        return error(scaling.register_scalable_target, **{k: v for k, v in request.items() if v is not None})

    def shown(**query):
        query = {"ResourceIds": [where["ResourceId"]], **query}
        return scaling.describe_scalable_targets(ServiceNamespace="sagemaker", **query)["ScalableTargets"]

    found = {"register": register()}
    (target,) = shown()
    found |= {
        "described": {member: target[member] for member in ("ResourceId", "MinCapacity", "MaxCapacity")},
        "what is suspended": target.get("SuspendedState"),
        "arn": target["ScalableTargetARN"].rsplit("/", 1)[0],
        "role": target.get("RoleARN", "").rsplit("/", 1)[-1],
        "again": register(MaxCapacity=2),
        "a maximum alone": register(MinCapacity=None, MaxCapacity=4),
        "then": [(one["MinCapacity"], one["MaxCapacity"]) for one in shown()],
        "suspended": register(SuspendedState={"DynamicScalingInSuspended": True}),
        "then suspended": shown()[0]["SuspendedState"]["DynamicScalingInSuspended"],
        "a minimum above the maximum": register(MinCapacity=5),
        "a negative minimum": register(MinCapacity=-1),
        "a missing endpoint": register(ResourceId=f"endpoint/{name}-none/variant/AllTraffic"),
        "a missing variant": register(ResourceId=f"endpoint/{name}/variant/none"),
        "an odd resource": register(ResourceId="fleet"),
        "a dimension of another service": register(ScalableDimension="ecs:service:DesiredCount"),
        "a namespace that is none": error(scaling.describe_scalable_targets, ServiceNamespace="none"),
        "of no such resource": shown(ResourceIds=["endpoint/none/variant/v"]),
        "of a dimension": len(shown(ScalableDimension=where["ScalableDimension"])),
        "51 a page": error(
            scaling.describe_scalable_targets, ServiceNamespace="sagemaker", MaxResults=51
        ),
        "a token that is none": error(
            scaling.describe_scalable_targets, ServiceNamespace="sagemaker", NextToken="none"
        ),
        "deregister": error(scaling.deregister_scalable_target, **where),
        "deregister again": error(scaling.deregister_scalable_target, **where),
        "then none": shown(),
        "end": end(peer, name),
    }
    return found


@case(
    {
        "at first": {"k": "v"},
        "tag": 200,
        "untag": 200,
        "then": {"n": "1"},
        "of a missing target": RESOURCE_NOT_FOUND,
        "deregister": 200,
        "end": 200,
    },
    moto="moto knows no tags that a target was registered with",
)
def tags_of_scalable_targets(peer, name):
    scaling = peer.autoscaling
    where = variant_of(peer, name)
    made = scaling.register_scalable_target(**where, MinCapacity=1, MaxCapacity=3, Tags={"k": "v"})
    arn = made["ScalableTargetARN"]
    return {
        "at first": scaling.list_tags_for_resource(ResourceARN=arn)["Tags"],
        "tag": error(scaling.tag_resource, ResourceARN=arn, Tags={"n": "1"}),
        "untag": error(scaling.untag_resource, ResourceARN=arn, TagKeys=["k"]),
        "then": scaling.list_tags_for_resource(ResourceARN=arn)["Tags"],
        "of a missing target": error(scaling.list_tags_for_resource, ResourceARN=arn[:-4] + "none"),
        "deregister": error(scaling.deregister_scalable_target, **where),
        "end": end(peer, name),
    }


TRACKING = {
    "TargetValue": 10.0,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
}
STEPS = {
    "AdjustmentType": "ChangeInCapacity",
    "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
}


@case(
    {
        "without a target": NOT_FOUND,
        "delete a missing one": NOT_FOUND,
        "as sent": True,
        "described": ["p", "TargetTrackingScaling", "sagemaker:variant:DesiredInstanceCount"],
        "arn": "arn:aws:autoscaling:us-east-1:ACCOUNT:",
        "the same arn again": True,
        "alarms": 2,
        "by steps": 200,
        "no configuration": INVALID,
        "a type that is none": INVALID,
        "no steps": INVALID,
        "an adjustment that is none": INVALID,
        "steps that overlap": INVALID,
        "a metric that is none": INVALID,
        "two metrics": INVALID,
        "by name": ["s"],
        "one a page": 1,
        "delete": 200,
        "delete again": NOT_FOUND,
        "deregister the target": 200,
        "left": 0,
        "end": 200,
    },
    moto={
        UNCHECKED: [
            "without a target", "delete a missing one", "no configuration", "no steps", "an adjustment that is none",
            "steps that overlap", "a metric that is none", "two metrics",
        ],
        "a policy keeps its ARN when it is put again": ["the same arn again"],
        "target tracking has two alarms": ["alarms"],
        "moto leaves PolicyNames out": ["by name"],
        "the code of the model is ObjectNotFoundException": ["delete again"],
        "what a target has goes with it": ["left"],
    },
)
def scaling_policies(peer, name):
    scaling = peer.autoscaling
    where = variant_of(peer, name)
    tracking = {"PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": TRACKING}
    steps = {"PolicyType": "StepScaling", "StepScalingPolicyConfiguration": STEPS}

    def put(policy, **members):
        return error(scaling.put_scaling_policy, **where, PolicyName=policy, **members)

    def track(**changes):
        configuration = {"TargetTrackingScalingPolicyConfiguration": {**TRACKING, **changes}}
        return put("odd", **{**tracking, **configuration})

    def step(**changes):
        return put("odd", **{**steps, "StepScalingPolicyConfiguration": {**STEPS, **changes}})

    def shown(**query):
        query = {"ServiceNamespace": "sagemaker", "ResourceId": where["ResourceId"], **query}
        return scaling.describe_scaling_policies(**query)["ScalingPolicies"]

    found = {
        "without a target": put("p", **tracking),
        "delete a missing one": error(scaling.delete_scaling_policy, **where, PolicyName="p"),
    }
    scaling.register_scalable_target(**where, MinCapacity=1, MaxCapacity=2)
    made = scaling.put_scaling_policy(**where, PolicyName="p", **tracking)
    (policy,) = shown(PolicyNames=["p"])
    again = scaling.put_scaling_policy(**where, PolicyName="p", **tracking)
    twice = [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": change} for change in (1, 2)]
    customized = {"MetricName": "m", "Namespace": "n", "Statistic": "Sum"}
    found |= {
        "as sent": policy["TargetTrackingScalingPolicyConfiguration"] == TRACKING,
        "described": [policy[member] for member in ("PolicyName", "PolicyType", "ScalableDimension")],
        "arn": policy["PolicyARN"].split("scalingPolicy:")[0],
        "the same arn again": made["PolicyARN"] == again["PolicyARN"],
        "alarms": len(made["Alarms"]),
        "by steps": put("s", **steps),
        "no configuration": put("odd", PolicyType="TargetTrackingScaling"),
        "a type that is none": put("odd", PolicyType="Guessing"),
        "no steps": step(StepAdjustments=[]),
        "an adjustment that is none": step(AdjustmentType="Change"),
        "steps that overlap": step(StepAdjustments=twice),
        "a metric that is none": track(PredefinedMetricSpecification={"PredefinedMetricType": "Mood"}),
        "two metrics": track(CustomizedMetricSpecification=customized),
        "by name": [one["PolicyName"] for one in shown(PolicyNames=["s"])],
        "one a page": len(shown(MaxResults=1)),
        "delete": error(scaling.delete_scaling_policy, **where, PolicyName="s"),
        "delete again": error(scaling.delete_scaling_policy, **where, PolicyName="s"),
        "deregister the target": error(scaling.deregister_scalable_target, **where),
        "left": len(shown()),
        "end": end(peer, name),
    }
    return found


@case(
    {
        "without a target": NOT_FOUND,
        "delete a missing one": NOT_FOUND,
        "put": 200,
        "described": {
            "ScheduledActionName": "s",
            "ServiceNamespace": "sagemaker",
            "Schedule": "cron(0 0 * * ? *)",
            "ResourceId": "endpoint/@/variant/AllTraffic",
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
            "ScalableTargetAction": {"MinCapacity": 1},
        },
        "arn": "arn:aws:autoscaling:us-east-1:ACCOUNT:",
        "put again": 200,
        "then": {"MaxCapacity": 2},
        "at a rate": 200,
        "once": 200,
        "a schedule that is none": INVALID,
        "no schedule": INVALID,
        "no action": INVALID,
        "a minimum above the maximum": INVALID,
        "a time zone that is none": INVALID,
        "by name": ["r"],
        "delete": 200,
        "delete again": NOT_FOUND,
        "activities": 200,
        "deregister the target": 200,
        "left": 0,
        "end": 200,
    },
    moto={
        UNCHECKED: [
            "without a target", "delete a missing one", "a schedule that is none", "no schedule", "no action",
            "a minimum above the maximum", "a time zone that is none", "delete again",
        ],
        BROKEN: ["activities"],
        "what a target has goes with it": ["left"],
    },
)
def scheduled_actions(peer, name):
    scaling = peer.autoscaling
    where = variant_of(peer, name)

    def put(action, **changes):
        request = {"Schedule": "cron(0 0 * * ? *)", "ScalableTargetAction": {"MinCapacity": 1}, **changes}
        return error(
            scaling.put_scheduled_action,
            **where, ScheduledActionName=action, **{k: v for k, v in request.items() if v is not None},
        )

    def shown(**query):
        query = {"ServiceNamespace": "sagemaker", "ResourceId": where["ResourceId"], **query}
        return scaling.describe_scheduled_actions(**query)["ScheduledActions"]

    found = {
        "without a target": put("s"),
        "delete a missing one": error(scaling.delete_scheduled_action, **where, ScheduledActionName="s"),
    }
    scaling.register_scalable_target(**where, MinCapacity=1, MaxCapacity=2)
    found["put"] = put("s")
    (action,) = shown(ScheduledActionNames=["s"])
    found |= {
        "described": {k: v for k, v in action.items() if k not in ("CreationTime", "ScheduledActionARN")},
        "arn": action["ScheduledActionARN"].split("scheduledAction:")[0],
        "put again": put("s", ScalableTargetAction={"MaxCapacity": 2}),
        "then": shown(ScheduledActionNames=["s"])[0]["ScalableTargetAction"],
        "at a rate": put("r", Schedule="rate(1 hour)"),
        "once": put("o", Schedule="at(2099-01-01T00:00:00)"),
        "a schedule that is none": put("odd", Schedule="every day"),
        "no schedule": put("odd", Schedule=None),
        "no action": put("odd", ScalableTargetAction=None),
        "a minimum above the maximum": put("odd", ScalableTargetAction={"MinCapacity": 3, "MaxCapacity": 1}),
        "a time zone that is none": put("odd", Timezone="Mars/Olympus"),
        "by name": [one["ScheduledActionName"] for one in shown(ScheduledActionNames=["r"])],
        "delete": error(scaling.delete_scheduled_action, **where, ScheduledActionName="s"),
        "delete again": error(scaling.delete_scheduled_action, **where, ScheduledActionName="s"),
        "activities": error(
            scaling.describe_scaling_activities, ServiceNamespace="sagemaker", ResourceId=where["ResourceId"]
        ),
        "deregister the target": error(scaling.deregister_scalable_target, **where),
        "left": len(shown()),
        "end": end(peer, name),
    }
    return found


@case(
    {
        "as sent": True,
        "a negative cooldown": INVALID,
        "a target of 0": INVALID,
        "a second of the same metric": INVALID,
        "a name of 257": INVALID,
        "no name": INVALID,
        "targets of a dimension": INVALID,
        "policies of a dimension": INVALID,
        "activities of a dimension": INVALID,
        "51 resources": INVALID,
        "end": 200,
    },
    moto={
        UNCHECKED: [
            "a negative cooldown", "a target of 0", "a second of the same metric", "a name of 257", "no name",
            "targets of a dimension", "policies of a dimension", "51 resources",
        ],
        BROKEN: ["activities of a dimension"],
    },
)
def limits_of_scaling(peer, name):
    scaling = peer.autoscaling
    where = variant_of(peer, name)
    scaling.register_scalable_target(**where, MinCapacity=1, MaxCapacity=2)

    def put(policy, **changes):
        return error(
            scaling.put_scaling_policy, **where, PolicyName=policy, PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={**TRACKING, **changes},
        )  # fmt: skip

    cooldowns = {"ScaleInCooldown": 60, "ScaleOutCooldown": 30, "DisableScaleIn": True}
    put("p", **cooldowns)
    of_dimension = {"ServiceNamespace": "sagemaker", "ScalableDimension": where["ScalableDimension"]}
    resource = {"ServiceNamespace": "sagemaker", "ResourceId": where["ResourceId"]}
    (policy,) = scaling.describe_scaling_policies(**resource)["ScalingPolicies"]
    many = [f"endpoint/e{i}/variant/v" for i in range(51)]
    return {
        "as sent": policy["TargetTrackingScalingPolicyConfiguration"] == {**TRACKING, **cooldowns},
        "a negative cooldown": put("odd", ScaleInCooldown=-1),
        "a target of 0": put("odd", TargetValue=0.0),
        "a second of the same metric": put("odd"),
        "a name of 257": put("p" * 257),
        "no name": put(""),
        "targets of a dimension": error(scaling.describe_scalable_targets, **of_dimension),
        "policies of a dimension": error(scaling.describe_scaling_policies, **of_dimension),
        "activities of a dimension": error(scaling.describe_scaling_activities, **of_dimension),
        "51 resources": error(scaling.describe_scalable_targets, ServiceNamespace="sagemaker", ResourceIds=many),
        "end": end(peer, name),
    }
