"""Search: every property that botocore's model gives a record may be asked for, and what is found is what was made."""

import datetime

import botocore.session
import pytest
from botocore.exceptions import ClientError

from harness import jobs

MODEL = botocore.session.get_session().get_service_model("sagemaker")
# What SageMaker's record of each resource is; a model's is that of its dashboard.
RECORDS = {"TrainingJob": "TrainingJob", "Endpoint": "Endpoint", "Model": "ModelDashboardModel"}


def properties(shape, prefix="", depth=0):
    """The names of all plain properties of a shape; what Argosy has nothing of is named as a whole by the model too."""
    for name, member in shape.members.items():
        inner = member
        while inner.type_name == "list":
            inner = inner.member
        if inner.type_name == "structure" and depth < 6:
            yield from properties(inner, f"{prefix}{name}.", depth + 1)
        elif inner.type_name == "map":
            yield f"{prefix}{name}.key"
        else:
            yield f"{prefix}{name}"


def search(clients, resource, filters=None, **more):
    if filters:
        more["SearchExpression"] = {"Filters": filters}
    return clients.sagemaker.search(Resource=resource, **more)


def equals(name, value):
    return {"Name": name, "Operator": "Equals", "Value": value}


@pytest.mark.parametrize("resource", RECORDS)
def test_every_property_of_the_model_may_be_asked_for(clients, resource):
    names = sorted(set(properties(MODEL.shape_for(RECORDS[resource]))))
    assert len(names) > 30
    refused = []
    for begin in range(0, len(names), 20):
        filters = [{"Name": n, "Operator": "Exists"} for n in names[begin : begin + 20]]
        try:
            search(clients, resource, filters, MaxResults=1)
        except ClientError:
            for one in filters:
                try:
                    search(clients, resource, [one], MaxResults=1)
                except ClientError as error:
                    refused.append(error.response["Error"]["Message"])
    assert refused == []


def test_a_job_is_found_by_what_it_was_asked_and_what_it_reached(clients, cancer_job):
    name = cancer_job["TrainingJobName"]
    loss = next(m for m in cancer_job["FinalMetricDataList"] if m["MetricName"] == "train:objective_loss")["Value"]
    created = cancer_job["CreationTime"].astimezone(datetime.timezone.utc)
    better, worse = (
        {"Name": "Metrics.train:objective_loss", "Operator": operator, "Value": str(loss * 1.01)}
        for operator in ("LessThan", "GreaterThan")
    )
    for filters in (
        [],
        [equals("HyperParameters.epochs", "10"), equals("TrainingJobStatus", "Completed")],
        [better],
        [equals("CreationTime", created.strftime("%Y-%m-%dT%H:%M:%S"))],
    ):
        (found,) = search(clients, "TrainingJob", [equals("TrainingJobName", name), *filters])["Results"]
        assert found["TrainingJob"]["TrainingJobArn"] == cancer_job["TrainingJobArn"]
    assert search(clients, "TrainingJob", [equals("TrainingJobName", name), worse])["Results"] == []
    # What is found is what Describe tells, as far as SageMaker's record has it.
    members = MODEL.shape_for("TrainingJob").members
    record = found["TrainingJob"]
    assert record.pop("Tags") == []
    assert record == {k: v for k, v in cancer_job.items() if k in members}


def test_channels_are_found_by_several_properties_of_one(clients, cancer_job):
    def nested(channel, part):
        uri = {"Name": "InputDataConfig.DataSource.S3DataSource.S3Uri", "Operator": "Contains", "Value": part}
        filters = [equals("InputDataConfig.ChannelName", channel), uri]
        return {
            "NestedFilters": [{"NestedPropertyName": "InputDataConfig", "Filters": filters}],
            "Filters": [equals("TrainingJobName", cancer_job["TrainingJobName"])],
        }

    for channel, part, count in (("train", "cancer/train", 1), ("train", "nowhere", 0), ("test", "cancer/train", 0)):
        found = clients.sagemaker.search(Resource="TrainingJob", SearchExpression=nested(channel, part))
        assert len(found["Results"]) == count, (channel, part)


def test_models_come_with_their_endpoints_in_pages_of_one(clients, cancer_endpoint):
    config = clients.sagemaker.describe_endpoint(EndpointName=cancer_endpoint)["EndpointConfigName"]
    (variant,) = clients.sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    (found,) = search(clients, "Model", [equals("Model.ModelName", variant["ModelName"])])["Results"]
    assert cancer_endpoint in [e["EndpointName"] for e in found["Model"]["Endpoints"]]
    (found,) = search(clients, "Endpoint", [equals("EndpointName", cancer_endpoint)])["Results"]
    assert found["Endpoint"]["EndpointStatus"] == "InService"

    tag = [{"Key": "search", "Value": jobs.unique("pages")}]
    names = [jobs.unique("searched") for _ in range(5)]
    for name in names:
        clients.sagemaker.create_model(
            ModelName=name,
            ExecutionRoleArn=clients.role,
            PrimaryContainer={"Image": jobs.LINEAR_LEARNER, "ModelDataUrl": "s3://nowhere/model.tar.gz"},
            Tags=tag,
        )
    pages = clients.sagemaker.get_paginator("search").paginate(
        Resource="Model",
        SearchExpression={"Filters": [equals("Tags.search", tag[0]["Value"])]},
        SortBy="ModelName",
        SortOrder="Ascending",
        PaginationConfig={"PageSize": 1},
    )
    pages = list(pages)
    assert [len(p["Results"]) for p in pages] == [1] * 5
    assert {p["TotalHits"]["Value"] for p in pages} == {5}
    assert [p["Results"][0]["Model"]["Model"]["ModelName"] for p in pages] == sorted(names)


def test_trap_16_what_argosy_has_none_of_is_searched_without_a_result(clients):
    """The requests that SDK v2 sends around experiments and the model registry."""
    parents = {"NestedPropertyName": "Parents", "Filters": [equals("Parents.ExperimentName", "e")]}
    for resource, expression in (
        ("ExperimentTrialComponent", {"Filters": [equals("TrialComponentName", "x")], "NestedFilters": [parents]}),
        ("ModelPackageGroup", {"Filters": [equals("ModelPackageGroupName", "g")]}),
    ):
        assert clients.sagemaker.search(Resource=resource, SearchExpression=expression)["Results"] == []


def test_the_cli_searches_and_is_offered_names(aws, cancer_job):
    expression = '{"Filters": [{"Name": "TrainingJobName", "Value": "%s"}]}' % cancer_job["TrainingJobName"]
    told = aws("sagemaker", "search", "--resource", "TrainingJob", "--search-expression", expression)
    assert [r["TrainingJob"]["TrainingJobArn"] for r in told["Results"]] == [cancer_job["TrainingJobArn"]]
    told = aws(
        *("sagemaker", "get-search-suggestions", "--resource", "TrainingJob"),
        *("--suggestion-query", '{"PropertyNameQuery": {"PropertyNameHint": "HyperParameters.ep"}}'),
    )
    assert {"PropertyName": "HyperParameters.epochs"} in told["PropertyNameSuggestions"]
