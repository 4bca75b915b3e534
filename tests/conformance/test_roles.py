"""IAM as far as the SDKs ask of it before they train or build: a role, and what it may do."""

import pytest
from botocore.exceptions import ClientError

from harness import jobs


@pytest.fixture
def iam(clients):
    return clients.client("iam")


def test_the_role_of_argosy_env_is_there_and_trusts_sagemaker(iam, clients):
    role = iam.get_role(RoleName=clients.role.rsplit("/", 1)[1])["Role"]
    assert role["Arn"] == clients.role
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]  # botocore decodes it
    assert statement["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert (statement["Effect"], statement["Action"]) == ("Allow", "sts:AssumeRole")


def test_what_a_role_may_do_comes_in_pages(iam, clients):
    actions = [f"s3:Get{i}" for i in range(7)]
    pages = list(
        iam.get_paginator("simulate_principal_policy").paginate(
            PolicySourceArn=clients.role, ActionNames=actions, PaginationConfig={"PageSize": 3}
        )
    )
    assert [len(p["EvaluationResults"]) for p in pages] == [3, 3, 1]
    results = [r for p in pages for r in p["EvaluationResults"]]
    assert [r["EvalActionName"] for r in results] == actions
    assert {r["EvalResourceName"] for r in results} == {"*"}


def decisions(iam, source, actions, *resources):
    more = {"ResourceArns": list(resources)} if resources else {}
    told = iam.simulate_principal_policy(PolicySourceArn=source, ActionNames=actions, **more)
    return {one["EvalActionName"]: one["EvalDecision"] for one in told["EvaluationResults"]}


def test_what_the_sdk_asks_of_a_role_is_allowed(iam, clients):
    """SDK v3 refuses a role that lacks one of these: what the work needs, and what AWS does in its name."""
    actions = ["ecr:GetAuthorizationToken", "cloudwatch:PutMetricData", "ec2:CreateNetworkInterface", "kms:Decrypt"]
    assert set(decisions(iam, clients.role, actions).values()) == {"allowed"}
    keys = [f"arn:aws:s3:::{clients.bucket}", f"arn:aws:s3:::{clients.bucket}/*"]
    assert decisions(iam, clients.role, ["s3:GetObject", "s3:PutObject", "s3:ListBucket"], *keys) == {
        "s3:GetObject": "allowed", "s3:PutObject": "allowed", "s3:ListBucket": "allowed",
    }  # fmt: skip


def test_what_is_told_of_a_user_is_what_then_happens(iam, clients):
    """One action of each service and kind, simulated and then tried with the user's own key."""
    reader, name = jobs.unique("reader"), jobs.unique("tried")
    clients.iam.create_user(UserName=reader)
    clients.iam.attach_user_policy(UserName=reader, PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    key = clients.iam.create_access_key(UserName=reader)["AccessKey"]
    session = clients.session(key["AccessKeyId"], key["SecretAccessKey"])
    services = "sagemaker sagemaker-runtime logs cloudwatch application-autoscaling s3 sts iam".split()
    own = {service: clients.client(service, session) for service in services}
    tried = {
        "sagemaker:ListModels": lambda: own["sagemaker"].list_models(),
        "sagemaker:DeleteModel": lambda: own["sagemaker"].delete_model(ModelName=name),
        "sagemaker:InvokeEndpoint": lambda: own["sagemaker-runtime"].invoke_endpoint(EndpointName=name, Body=b""),
        "logs:DescribeLogGroups": lambda: own["logs"].describe_log_groups(),
        "cloudwatch:ListMetrics": lambda: own["cloudwatch"].list_metrics(),
        "cloudwatch:DeleteAlarms": lambda: own["cloudwatch"].delete_alarms(AlarmNames=[name]),
        "application-autoscaling:DescribeScalableTargets": lambda: own[
            "application-autoscaling"
        ].describe_scalable_targets(ServiceNamespace="sagemaker"),
        "s3:ListAllMyBuckets": lambda: own["s3"].list_buckets(),
        "s3:ListBucket": lambda: own["s3"].list_objects_v2(Bucket=clients.bucket),
        "s3:CreateBucket": lambda: own["s3"].create_bucket(Bucket=name),
        "s3:PutObject": lambda: own["s3"].put_object(Bucket=clients.bucket, Key=name),
        "sts:GetCallerIdentity": lambda: own["sts"].get_caller_identity(),
        "iam:ListUsers": lambda: own["iam"].list_users(),
        "iam:CreateUser": lambda: own["iam"].create_user(UserName=name),
    }

    def happens(call):
        try:
            call()
        except ClientError as refused:
            return "implicitDeny" if "AccessDenied" in refused.response["Error"]["Code"] else "allowed"
        return "allowed"

    source = f"arn:aws:iam::{clients.account}:user/{reader}"
    told = decisions(iam, source, list(tried))
    assert told == {action: happens(call) for action, call in tried.items()}
    assert set(told.values()) == {"allowed", "implicitDeny"}


def test_an_action_that_nothing_here_has_is_denied(iam, clients):
    owner = clients.sts.get_caller_identity()["Arn"]
    assert decisions(iam, owner, ["dynamodb:GetItem", "sagemaker:CreatePipeline", "s3:GetObject"]) == {
        "dynamodb:GetItem": "implicitDeny", "sagemaker:CreatePipeline": "implicitDeny", "s3:GetObject": "allowed",
    }  # fmt: skip


def test_the_cli_sees_the_same(aws, clients):
    told = aws("iam", "get-role", "--role-name", "somebody-elses")
    assert told["Role"]["Arn"].endswith(":role/somebody-elses")
    resource = "arn:aws:s3:::bucket/*"
    told = aws(
        *("iam", "simulate-principal-policy", "--policy-source-arn", clients.role),
        *("--action-names", "s3:PutObject", "--resource-arns", resource),
    )
    assert [(r["EvalResourceName"], r["EvalDecision"]) for r in told["EvaluationResults"]] == [(resource, "allowed")]


def test_a_role_of_another_account_is_not_there(iam):
    with pytest.raises(ClientError) as refused:
        iam.simulate_principal_policy(
            PolicySourceArn="arn:aws:iam::123456789012:role/x", ActionNames=["s3:GetObject"]
        )
    assert refused.value.response["Error"]["Code"] == "NoSuchEntity"
