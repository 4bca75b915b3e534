"""IAM as far as the SDKs ask of it before they train or build: a role, and what it may do."""

import pytest
from botocore.exceptions import ClientError


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
    assert {r["EvalDecision"] for r in results} == {"allowed"} and {r["EvalResourceName"] for r in results} == {"*"}


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
