"""Tags on every kind of resource that has an ARN."""

import pytest
from botocore.exceptions import ClientError

from harness import jobs


def tags_of(clients, arn):
    pages = clients.sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
    return {t["Key"]: t["Value"] for page in pages for t in page["Tags"]}


@pytest.fixture(scope="module")
def tagged(shared_clients, cancer_job):
    """ARN by kind, each made with the tag made=yes."""
    clients = shared_clients
    tags = [{"Key": "made", "Value": "yes"}]
    artifact = cancer_job["ModelArtifacts"]["S3ModelArtifacts"]
    model, config, endpoint = (jobs.unique(k) for k in ("model", "config", "endpoint"))
    arns = {
        "model": clients.sagemaker.create_model(
            ModelName=model,
            ExecutionRoleArn=clients.role,
            PrimaryContainer={"Image": jobs.LINEAR_LEARNER, "ModelDataUrl": artifact},
            Tags=tags,
        )["ModelArn"],
        "config": clients.sagemaker.create_endpoint_config(
            EndpointConfigName=config, ProductionVariants=[jobs.variant(model)], Tags=tags
        )["EndpointConfigArn"],
        "endpoint": clients.sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=config, Tags=tags)[
            "EndpointArn"
        ],
    }
    request = jobs.training_request(
        clients, cancer_job["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"], Tags=tags
    )
    arns["job"] = clients.sagemaker.create_training_job(**request)["TrainingJobArn"]
    jobs.await_endpoint(clients, endpoint)
    jobs.await_job(clients, request["TrainingJobName"])
    return arns


@pytest.mark.parametrize("kind", ["job", "model", "config", "endpoint"])
def test_tags_are_kept_added_replaced_and_removed(clients, tagged, kind):
    arn = tagged[kind]
    assert tags_of(clients, arn) == {"made": "yes"}
    added = clients.sagemaker.add_tags(
        ResourceArn=arn, Tags=[{"Key": "team", "Value": "ä b/c"}, {"Key": "made", "Value": "twice"}]
    )
    assert {"Key": "team", "Value": "ä b/c"} in added["Tags"]
    assert tags_of(clients, arn) == {"made": "twice", "team": "ä b/c"}
    clients.sagemaker.delete_tags(ResourceArn=arn, TagKeys=["team", "not-there"])
    assert tags_of(clients, arn) == {"made": "twice"}


def test_fifty_tags_in_pages(clients, tagged):
    arn = tagged["model"]
    wanted = {f"key-{i:02}": str(i) for i in range(40)}
    clients.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": k, "Value": v} for k, v in wanted.items()])
    pages = clients.sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn, PaginationConfig={"PageSize": 50})
    found = {t["Key"]: t["Value"] for page in pages for t in page["Tags"]}
    assert wanted.items() <= found.items()
    clients.sagemaker.delete_tags(ResourceArn=arn, TagKeys=list(wanted))


def test_an_arn_of_nothing_is_refused(clients):
    arn = f"arn:aws:sagemaker:{clients.region}:{clients.account}:model/never-was"
    for call, more in (
        ("list_tags", {}),
        ("add_tags", {"Tags": [{"Key": "a", "Value": "b"}]}),
        ("delete_tags", {"TagKeys": ["a"]}),
    ):
        with pytest.raises(ClientError) as refused:
            getattr(clients.sagemaker, call)(ResourceArn=arn, **more)
        assert refused.value.response["Error"]["Code"] in ("ValidationException", "ResourceNotFound")


def test_sagemakers_limits(clients, tagged):
    arn = tagged["config"]

    def refused(*tags):
        with pytest.raises(ClientError) as error:
            clients.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": k, "Value": v} for k, v in tags])
        assert error.value.response["Error"]["Code"] == "ValidationException"
        return error.value.response["Error"]["Message"]

    before = tags_of(clients, arn)
    assert "at most 50" in refused(*((f"k{i}", "") for i in range(50)))  # one too many, with the one that is there
    assert "reserved" in refused(("aws:mine", "x"))
    assert "given twice" in refused(("a", "1"), ("a", "2"))
    assert "less than or equal to 128" in refused(("k" * 129, "x"))
    assert "less than or equal to 256" in refused(("k", "v" * 257))
    assert "regular expression" in refused(("a\n", "x"))
    assert tags_of(clients, arn) == before
    clients.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "k" * 128, "Value": "v" * 256}])
    clients.sagemaker.delete_tags(ResourceArn=arn, TagKeys=["k" * 128])


def test_an_alarm_is_tagged_through_its_own_api(clients):
    name = jobs.unique("tagged")
    clients.cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="suite",
        MetricName="m",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
        Tags=[{"Key": "made", "Value": "yes"}],
    )
    described = clients.cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
    arn = described["AlarmArn"]

    def tags():
        return {t["Key"]: t["Value"] for t in clients.cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"]}

    assert tags() == {"made": "yes"}
    added = [{"Key": "made", "Value": "twice"}, {"Key": "team", "Value": "b"}]
    clients.cloudwatch.tag_resource(ResourceARN=arn, Tags=added)
    assert tags() == {"made": "twice", "team": "b"}
    clients.cloudwatch.untag_resource(ResourceARN=arn, TagKeys=["team", "not-there"])
    assert tags() == {"made": "twice"}
    assert clients.cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0] == described  # its times stay
    for tags_too_many, code in (
        ([{"Key": f"k{i}", "Value": ""} for i in range(50)], "InvalidParameterValue"),
        ([{"Key": "aws:k", "Value": ""}], "InvalidParameterValue"),
    ):
        with pytest.raises(ClientError) as refused:
            clients.cloudwatch.tag_resource(ResourceARN=arn, Tags=tags_too_many)
        assert refused.value.response["Error"]["Code"].startswith(code)
    clients.cloudwatch.delete_alarms(AlarmNames=[name])
    with pytest.raises(ClientError) as refused:
        clients.cloudwatch.list_tags_for_resource(ResourceARN=arn)
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"
