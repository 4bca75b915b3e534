"""Application Auto Scaling through boto3 and the aws CLI: targets, policies, scheduled actions, activities, tags."""

import datetime
import json

import pytest
from botocore.exceptions import ClientError

from harness import jobs
from harness.processes import wait_for

NAMESPACE = {"ServiceNamespace": "sagemaker"}
DIMENSION = "sagemaker:variant:DesiredInstanceCount"
INVOCATIONS = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}


@pytest.fixture
def scaling(clients):
    return clients.client("application-autoscaling")


@pytest.fixture(scope="module")
def endpoint(shared_clients, cancer_job):
    name = jobs.deploy(shared_clients, cancer_job["ModelArtifacts"]["S3ModelArtifacts"])
    yield name
    jobs.delete_endpoint(shared_clients, name)


@pytest.fixture
def target(scaling, clients, endpoint):
    """The members that name the endpoint's variant, registered between 1 and 4, and one instance to begin with."""
    named = named_variant(endpoint)
    scaling.register_scalable_target(**named, MinCapacity=1, MaxCapacity=1)
    wait_for(lambda: counts(clients, endpoint) == (1, 1), jobs.JOB_SECONDS, "one instance")
    scaling.register_scalable_target(**named, MaxCapacity=4)
    yield named
    try:
        scaling.deregister_scalable_target(**named)
    except scaling.exceptions.ObjectNotFoundException:
        pass


def named_variant(endpoint, variant="AllTraffic"):
    return {**NAMESPACE, "ResourceId": f"endpoint/{endpoint}/variant/{variant}", "ScalableDimension": DIMENSION}


def tracking(**changes):
    return {"TargetValue": 1000.0, "PredefinedMetricSpecification": INVOCATIONS, **changes}


def refused(call, **members):
    with pytest.raises(ClientError) as error:
        call(**members)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def targets(scaling, target):
    return scaling.describe_scalable_targets(**NAMESPACE, ResourceIds=[target["ResourceId"]])["ScalableTargets"]


def counts(clients, endpoint):
    (variant,) = clients.sagemaker.describe_endpoint(EndpointName=endpoint)["ProductionVariants"]
    return variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]


class TestTargets:
    def test_registered_described_changed_and_gone(self, scaling, endpoint, target):
        (shown,) = targets(scaling, target)
        assert {k: shown[k] for k in target} == target
        assert (shown["MinCapacity"], shown["MaxCapacity"]) == (1, 4)
        assert shown["RoleARN"].startswith("arn:aws:iam::")
        assert shown["SuspendedState"] == {
            "DynamicScalingInSuspended": False,
            "DynamicScalingOutSuspended": False,
            "ScheduledScalingSuspended": False,
        }
        scaling.register_scalable_target(**target, MaxCapacity=3, SuspendedState={"DynamicScalingInSuspended": True})
        (changed,) = targets(scaling, target)
        assert (changed["MinCapacity"], changed["MaxCapacity"]) == (1, 3)
        assert changed["SuspendedState"]["DynamicScalingInSuspended"] is True
        assert changed["CreationTime"] == shown["CreationTime"]
        assert changed["ScalableTargetARN"] == shown["ScalableTargetARN"]
        scaling.deregister_scalable_target(**target)
        assert targets(scaling, target) == []
        code, text = refused(scaling.deregister_scalable_target, **target)
        assert code == "ObjectNotFoundException" and target["ResourceId"] in text

    def test_what_cannot_be_scaled_is_refused_by_name(self, scaling, endpoint):
        named = named_variant(endpoint)
        bounds = {"MinCapacity": 1, "MaxCapacity": 2}
        cases = [
            ({**named, "ServiceNamespace": "ecs"}, "ecs"),
            ({**named, "ScalableDimension": "sagemaker:inference-component:DesiredCopyCount"}, "DesiredCopyCount"),
            ({**named, "ResourceId": "endpoint/x"}, "endpoint/x"),
            (named_variant("no-such-endpoint"), "no-such-endpoint"),
            (named_variant(endpoint, "Other"), "Other"),
        ]
        for members, words in cases:
            code, text = refused(scaling.register_scalable_target, **members, **bounds)
            assert code == "ValidationException" and words in text
        code, text = refused(scaling.register_scalable_target, **named, MinCapacity=1)
        assert code == "ValidationException" and "MaxCapacity" in text
        code, text = refused(scaling.register_scalable_target, **named, MinCapacity=3, MaxCapacity=2)
        assert code == "ValidationException" and "less than minimum" in text

    def test_a_minimum_above_the_count_is_reached_at_once_and_told(self, scaling, clients, endpoint, target):
        scaling.register_scalable_target(**target, MinCapacity=2)
        wait_for(lambda: counts(clients, endpoint) == (2, 2), jobs.JOB_SECONDS, "two instances")

        def told():
            activities = scaling.describe_scaling_activities(**NAMESPACE, ResourceId=target["ResourceId"])
            newest = activities["ScalingActivities"][0]
            return newest if newest["StatusCode"] != "InProgress" else None

        activity = wait_for(told, jobs.JOB_SECONDS, "the activity to end")
        assert activity["StatusCode"] == "Successful"
        assert activity["Description"] == "Setting desired instance count to 2."
        assert activity["Cause"] == "minimum capacity was set to 2"
        assert activity["StatusMessage"].endswith("Change successfully fulfilled by sagemaker.")
        assert activity["StartTime"] <= activity["EndTime"]
        scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=1)
        wait_for(lambda: counts(clients, endpoint) == (1, 1), jobs.JOB_SECONDS, "one instance")
        assert scaling.describe_scaling_activities(**NAMESPACE, ResourceId=target["ResourceId"])["ScalingActivities"][0][
            "Cause"
        ] == ("maximum capacity was set to 1")


class TestPolicies:
    def test_a_policy_is_given_back_as_it_was_put(self, scaling, target):
        configuration = tracking(ScaleInCooldown=120, ScaleOutCooldown=5, DisableScaleIn=True)
        made = scaling.put_scaling_policy(
            **target,
            PolicyName="tracks",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration=configuration,
        )
        assert made["PolicyARN"].endswith(f"resource/sagemaker/{target['ResourceId']}:policyName/tracks")
        assert len(made["Alarms"]) == 1, "no low alarm when scaling in is disabled"
        steps = {
            "AdjustmentType": "PercentChangeInCapacity",
            "StepAdjustments": [
                {"MetricIntervalLowerBound": 0.0, "MetricIntervalUpperBound": 10.0, "ScalingAdjustment": 10},
                {"MetricIntervalLowerBound": 10.0, "ScalingAdjustment": 30},
            ],
            "MinAdjustmentMagnitude": 1,
            "Cooldown": 60,
            "MetricAggregationType": "Average",
        }
        scaling.put_scaling_policy(
            **target, PolicyName="steps", PolicyType="StepScaling", StepScalingPolicyConfiguration=steps
        )
        ahead = {
            "MetricSpecifications": [
                {
                    "TargetValue": 900.0,
                    "PredefinedMetricPairSpecification": {"PredefinedMetricType": "SageMakerVariantInvocations"},
                }
            ],
            "Mode": "ForecastAndScale",
            "SchedulingBufferTime": 60,
        }
        scaling.put_scaling_policy(
            **target, PolicyName="ahead", PolicyType="PredictiveScaling", PredictiveScalingPolicyConfiguration=ahead
        )
        paginator = scaling.get_paginator("describe_scaling_policies")
        pages = list(paginator.paginate(**NAMESPACE, ResourceId=target["ResourceId"], PaginationConfig={"PageSize": 1}))
        assert len([p for p in pages if p["ScalingPolicies"]]) == 3
        policies = {p["PolicyName"]: p for page in pages for p in page["ScalingPolicies"]}
        assert policies["tracks"]["TargetTrackingScalingPolicyConfiguration"] == configuration
        assert policies["tracks"]["PolicyARN"] == made["PolicyARN"]
        assert policies["steps"]["StepScalingPolicyConfiguration"] == steps
        assert policies["ahead"]["PredictiveScalingPolicyConfiguration"] == ahead
        (named,) = scaling.describe_scaling_policies(**NAMESPACE, PolicyNames=["steps"])["ScalingPolicies"]
        assert named["PolicyName"] == "steps"
        again = scaling.put_scaling_policy(
            **target,
            PolicyName="tracks",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration=tracking(),
        )
        assert again["PolicyARN"] == made["PolicyARN"]
        scaling.delete_scaling_policy(**target, PolicyName="tracks")
        code, text = refused(scaling.delete_scaling_policy, **target, PolicyName="tracks")
        assert code == "ObjectNotFoundException" and "tracks" in text
        scaling.deregister_scalable_target(**target)
        assert scaling.describe_scaling_policies(**NAMESPACE, PolicyNames=["steps"])["ScalingPolicies"] == []

    def test_policies_that_cannot_be_are_refused_by_name(self, scaling, target, endpoint):
        def put(**members):
            return refused(scaling.put_scaling_policy, **{**target, "PolicyName": "p", **members})

        def track(configuration):
            return put(PolicyType="TargetTrackingScaling", TargetTrackingScalingPolicyConfiguration=configuration)

        assert "greater than 0" in track(tracking(TargetValue=0.0))[1]
        assert "Exactly one" in track({"TargetValue": 1.0})[1]
        custom = {"MetricName": "m", "Namespace": "n", "Statistic": "Average"}
        assert "Exactly one" in track(tracking(CustomizedMetricSpecification=custom))[1]
        assert "Statistic" in track(
            {"TargetValue": 1.0, "CustomizedMetricSpecification": {"MetricName": "m", "Namespace": "n"}}
        )[1]
        assert "metric math" in track(
            {"TargetValue": 1.0, "CustomizedMetricSpecification": {"Metrics": [{"Id": "a", "Expression": "b"}]}}
        )[1]
        assert "ECSServiceAverageCPUUtilization" in track(
            {
                "TargetValue": 1.0,
                "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
            }
        )[1]
        code, text = put(PolicyType="StepScaling", TargetTrackingScalingPolicyConfiguration=tracking())
        assert code == "ValidationException" and "StepScalingPolicyConfiguration" in text
        gap = [
            {"MetricIntervalLowerBound": 0.0, "MetricIntervalUpperBound": 5.0, "ScalingAdjustment": 1},
            {"MetricIntervalLowerBound": 6.0, "ScalingAdjustment": 2},
        ]
        steps = {"AdjustmentType": "ChangeInCapacity", "StepAdjustments": gap}
        assert "gap" in put(PolicyType="StepScaling", StepScalingPolicyConfiguration=steps)[1]
        forecast = {
            "MetricSpecifications": [
                {
                    "TargetValue": 1.0,
                    "PredefinedMetricPairSpecification": {"PredefinedMetricType": "SageMakerVariantInvocations"},
                }
            ]
        }
        assert "ForecastOnly" in put(PolicyType="PredictiveScaling", PredictiveScalingPolicyConfiguration=forecast)[1]
        code, _ = refused(
            scaling.put_scaling_policy,
            **named_variant(endpoint, "Other"),
            PolicyName="p",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration=tracking(),
        )
        assert code == "ObjectNotFoundException"


class TestAlarms:
    def test_an_alarm_whose_action_is_a_step_policy_adds_by_how_far_it_is_breached(
        self, scaling, clients, endpoint, target
    ):
        policy = scaling.put_scaling_policy(
            **target,
            PolicyName="steps",
            PolicyType="StepScaling",
            StepScalingPolicyConfiguration={
                "AdjustmentType": "ExactCapacity",
                "StepAdjustments": [
                    {"MetricIntervalLowerBound": 0.0, "MetricIntervalUpperBound": 20.0, "ScalingAdjustment": 2},
                    {"MetricIntervalLowerBound": 20.0, "ScalingAdjustment": 3},
                ],
            },
        )
        cloudwatch = clients.client("cloudwatch")
        space, alarm = jobs.unique("Scaling"), jobs.unique("busy")
        cloudwatch.put_metric_alarm(
            AlarmName=alarm,
            Namespace=space,
            MetricName="load",
            Statistic="Average",
            Period=10,
            EvaluationPeriods=1,
            Threshold=50.0,
            ComparisonOperator="GreaterThanThreshold",
            AlarmActions=[policy["PolicyARN"]],
        )

        def scaled():
            cloudwatch.put_metric_data(Namespace=space, MetricData=[{"MetricName": "load", "Value": 75.0}])
            return counts(clients, endpoint) == (3, 3)

        wait_for(scaled, jobs.JOB_SECONDS, "three instances", every=0.5)
        cloudwatch.delete_alarms(AlarmNames=[alarm])
        activities = scaling.describe_scaling_activities(**NAMESPACE, ResourceId=target["ResourceId"])
        assert activities["ScalingActivities"][0]["Cause"] == (
            f"monitor alarm {alarm} in state ALARM triggered policy steps"
        )

    def test_a_custom_metric_is_tracked(self, scaling, clients, endpoint, target):
        """Three minutes above the target, told afterwards with their times."""
        space = jobs.unique("Scaling")
        (before,) = clients.sagemaker.describe_endpoint(EndpointName=endpoint)["ProductionVariants"]
        now = datetime.datetime.now(datetime.timezone.utc)
        clients.client("cloudwatch").put_metric_data(
            Namespace=space,
            MetricData=[
                {
                    "MetricName": "queue",
                    "Dimensions": [{"Name": "endpoint", "Value": endpoint}],
                    "Timestamp": now - datetime.timedelta(minutes=minutes),
                    "Value": 40.0,
                }
                for minutes in range(5)
            ],
        )
        scaling.put_scaling_policy(
            **target,
            PolicyName="custom",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": 10.0,
                "CustomizedMetricSpecification": {
                    "Namespace": space,
                    "MetricName": "queue",
                    "Dimensions": [{"Name": "endpoint", "Value": endpoint}],
                    "Statistic": "Average",
                },
                "DisableScaleIn": True,
            },
        )
        assert before["DesiredInstanceCount"] < 4
        wait_for(lambda: counts(clients, endpoint) == (4, 4), jobs.JOB_SECONDS, "four instances, the maximum")


class TestScheduledActions:
    def test_put_described_changed_and_deleted(self, scaling, target):
        later = datetime.datetime(2040, 1, 1, tzinfo=datetime.timezone.utc)
        scaling.put_scheduled_action(
            **target,
            ScheduledActionName="mornings",
            Schedule="cron(0 8 ? * MON-FRI *)",
            Timezone="Europe/Vienna",
            EndTime=later,
            ScalableTargetAction={"MinCapacity": 2, "MaxCapacity": 4},
        )
        (action,) = scaling.describe_scheduled_actions(**NAMESPACE, ResourceId=target["ResourceId"])["ScheduledActions"]
        assert action["Schedule"] == "cron(0 8 ? * MON-FRI *)" and action["Timezone"] == "Europe/Vienna"
        assert action["EndTime"] == later
        assert action["ScalableTargetAction"] == {"MinCapacity": 2, "MaxCapacity": 4}
        scaling.put_scheduled_action(
            **target, ScheduledActionName="mornings", ScalableTargetAction={"MinCapacity": 1}
        )
        (action,) = scaling.describe_scheduled_actions(**NAMESPACE, ScheduledActionNames=["mornings"])["ScheduledActions"]
        assert action["Schedule"] == "cron(0 8 ? * MON-FRI *)", "what is not given stays"
        assert "EndTime" not in action, "but for the times"
        scaling.delete_scheduled_action(**target, ScheduledActionName="mornings")
        code, _ = refused(scaling.delete_scheduled_action, **target, ScheduledActionName="mornings")
        assert code == "ObjectNotFoundException"

    def test_one_that_is_due_sets_the_bounds(self, scaling, clients, endpoint, target):
        soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=5)
        scaling.put_scheduled_action(
            **target,
            ScheduledActionName="soon",
            Schedule=f"at({soon:%Y-%m-%dT%H:%M:%S})",
            ScalableTargetAction={"MinCapacity": 2},
        )
        wait_for(lambda: counts(clients, endpoint) == (2, 2), jobs.JOB_SECONDS, "the scheduled minimum")
        assert targets(scaling, target)[0]["MinCapacity"] == 2
        activities = scaling.describe_scaling_activities(**NAMESPACE, ResourceId=target["ResourceId"])
        causes = [a["Cause"] for a in activities["ScalingActivities"]]
        assert causes[:2] == ["minimum capacity was set to 2", "scheduled action name soon was triggered"]

    @pytest.mark.parametrize(
        "changes, words",
        [
            ({"Schedule": "every day"}, "it must be at("),
            ({"Schedule": "cron(0 8 * * *)"}, "six fields"),
            ({"Schedule": "at(2001-01-01T00:00:00)"}, "past"),
            ({"Schedule": "rate(1 day)", "Timezone": "Mars/Olympus"}, "Mars/Olympus"),
            ({"Schedule": "rate(1 day)", "ScalableTargetAction": {"MinCapacity": 3, "MaxCapacity": 1}}, "less than"),
            ({"ScalableTargetAction": {"MinCapacity": 1}}, "Schedule is required"),
            ({"Schedule": "rate(1 day)", "ScalableTargetAction": {}}, "ScalableTargetAction"),
        ],
    )
    def test_what_is_wrong_is_said(self, scaling, target, changes, words):
        members = {"ScalableTargetAction": {"MinCapacity": 1}, **changes}
        code, text = refused(scaling.put_scheduled_action, **target, ScheduledActionName="x", **members)
        assert code == "ValidationException" and words in text


class TestTags:
    def test_tags_come_and_go(self, scaling, target):
        arn = targets(scaling, target)[0]["ScalableTargetARN"]
        scaling.tag_resource(ResourceARN=arn, Tags={"team": "a", "env": "test"})
        assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"team": "a", "env": "test"}
        scaling.untag_resource(ResourceARN=arn, TagKeys=["env"])
        assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"team": "a"}
        other = arn[:-4] + "0000"
        assert refused(scaling.list_tags_for_resource, ResourceARN=other)[0] == "ResourceNotFoundException"


class TestEndpoints:
    def test_an_update_may_not_change_what_a_target_was_registered_for(self, scaling, clients, endpoint, target):
        config = clients.sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
        sent = clients.sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
        for changes in ({"InstanceType": "ml.m5.xlarge"}, {"VariantName": "Other"}):
            other = jobs.create_config(clients, [{**sent[0], **changes}])
            code, text = refused(clients.sagemaker.update_endpoint, EndpointName=endpoint, EndpointConfigName=other)
            assert code == "ValidationException" and "Deregister" in text and "AllTraffic" in text

    def test_deleting_the_endpoint_deregisters_its_target(self, scaling, clients, cancer_job):
        name = jobs.deploy(clients, cancer_job["ModelArtifacts"]["S3ModelArtifacts"])
        named = named_variant(name)
        scaling.register_scalable_target(**named, MinCapacity=2, MaxCapacity=2)
        scaling.put_scaling_policy(
            **named,
            PolicyName="p",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration=tracking(),
        )
        wait_for(lambda: counts(clients, name) == (2, 2), jobs.JOB_SECONDS, "two instances")
        jobs.delete_endpoint(clients, name)
        wait_for(lambda: targets(scaling, named) == [], jobs.JOB_SECONDS, "the target to go")
        assert scaling.describe_scaling_policies(**NAMESPACE, PolicyNames=["p"])["ScalingPolicies"] == []
        activities = scaling.describe_scaling_activities(**NAMESPACE, ResourceId=named["ResourceId"])
        assert activities["ScalingActivities"] == []


class TestProtocol:
    def test_an_operation_that_is_not_here_is_refused_by_name(self, scaling, target):
        code, text = refused(
            scaling.get_predictive_scaling_forecast,
            **target,
            PolicyName="p",
            StartTime=datetime.datetime(2030, 1, 1),
            EndTime=datetime.datetime(2030, 1, 2),
        )
        assert code == "UnknownOperationException" and "GetPredictiveScalingForecast" in text

    def test_a_token_of_nobody_is_refused(self, scaling, target):
        code, _ = refused(scaling.describe_scalable_targets, **NAMESPACE, NextToken="nonsense")
        assert code == "InvalidNextTokenException"

    def test_the_aws_cli_does_it_too(self, clients, target):
        def aws(*words):
            return clients.aws("application-autoscaling", *words, "--service-namespace", "sagemaker")

        variant = ["--resource-id", target["ResourceId"], "--scalable-dimension", DIMENSION]
        made = aws(
            "put-scaling-policy",
            *variant,
            "--policy-name",
            "cli",
            "--policy-type",
            "TargetTrackingScaling",
            "--target-tracking-scaling-policy-configuration",
            json.dumps(tracking(ScaleInCooldown=60)),
        )
        assert "policyName/cli" in made["PolicyARN"]
        policies = aws("describe-scaling-policies", "--resource-id", target["ResourceId"])["ScalingPolicies"]
        assert [p["PolicyName"] for p in policies] == ["cli"]
        shown = aws("describe-scalable-targets", "--resource-ids", target["ResourceId"])["ScalableTargets"]
        assert shown[0]["MaxCapacity"] == 4
        assert not aws("deregister-scalable-target", *variant)
