"""Every list of SageMaker, and Search. (test_lists.py tries every member of every list of Argosy alone.)"""

import time

from botocore.exceptions import ClientError

from harness import jobs
from harness.peers import Cases, error

CONTAINER = {"Image": jobs.LINEAR_LEARNER, "ModelDataUrl": "s3://bucket/model.tar.gz"}
UNCHECKED = "SageMaker holds a request against its model; moto takes it"
UNFILTERED = "SageMaker's lists of models have filters, orders and pages; moto's is the whole, always"
UNORDERED = "SageMaker sorts by what SortBy and SortOrder say; moto gives jobs as they came"
NEWEST_FIRST = "when no order is asked for SageMaker lists the newest first"
CODE = "the model has no InvalidToken"
INVALID = ("ValidationException", 400)
case = Cases()


def looked_at(call, key, name_of, name):
    """What a list tells of three things that were made in the order c, a, b."""

    def ask(**query):
        told = call(**{"NameContains": name, **query})
        return [one[name_of] for one in told[key]]

    by_name = {"SortBy": "Name", "SortOrder": "Ascending"}
    first = call(NameContains=name, **by_name, MaxResults=2)
    tomorrow = time.time() + 86400
    return {
        "by name": ask(**by_name),
        "by name, backwards": ask(SortBy="Name", SortOrder="Descending"),
        "by time": ask(SortBy="CreationTime", SortOrder="Ascending"),
        "by time, backwards": ask(SortBy="CreationTime", SortOrder="Descending"),
        "as it comes": ask(),
        "of a name": ask(NameContains=name + "-a"),
        "of no such name": ask(NameContains=name + "-none"),
        "first page": ([one[name_of] for one in first[key]], "NextToken" in first),
        "second page": ask(**by_name, MaxResults=2, NextToken=first.get("NextToken", "none")),
        "after tomorrow": ask(CreationTimeAfter=tomorrow),
        "before tomorrow": sorted(ask(CreationTimeBefore=tomorrow)),
        "before 2001": ask(CreationTimeBefore=978307200),
        "a token that is none": error(call, NextToken="none-of-ours"),
        "0 results": error(call, MaxResults=0),
        "101 results": error(call, MaxResults=101),
        "an order that is none": error(call, SortOrder="Sideways"),
        "a key that is none": error(call, SortBy="Colour"),
    }


def make_model(peer, name):
    peer.sagemaker.create_model(ModelName=name, ExecutionRoleArn=peer.role, PrimaryContainer=CONTAINER)


def make_config(peer, name, model):
    peer.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[jobs.variant(model)])


@case(
    {
        "by name": ["@-a", "@-b", "@-c"],
        "by name, backwards": ["@-c", "@-b", "@-a"],
        "by time": ["@-c", "@-a", "@-b"],
        "by time, backwards": ["@-b", "@-a", "@-c"],
        "as it comes": ["@-b", "@-a", "@-c"],
        "of a name": ["@-a"],
        "of no such name": [],
        "first page": (["@-a", "@-b"], True),
        "second page": ["@-c"],
        "after tomorrow": [],
        "before tomorrow": ["@-a", "@-b", "@-c"],
        "before 2001": [],
        "a token that is none": INVALID,
        "0 results": INVALID,
        "101 results": INVALID,
        "an order that is none": INVALID,
        "a key that is none": INVALID,
    },
    moto={
        UNFILTERED: [
            "by name", "by name, backwards", "by time", "by time, backwards", "as it comes", "of a name",
            "of no such name", "first page", "second page", "after tomorrow", "before tomorrow", "before 2001",
        ],
        UNCHECKED: [
            "a token that is none", "0 results", "101 results", "an order that is none", "a key that is none",
        ],
    },
)
def models(peer, name):
    make_model(peer, jobs.unique("another"))
    for end in "cab":
        make_model(peer, f"{name}-{end}")
        time.sleep(0.002)  # the times of both servers are to the millisecond at least
    return looked_at(peer.sagemaker.list_models, "Models", "ModelName", name)


@case(
    {
        "by name": ["@-a", "@-b", "@-c"],
        "by name, backwards": ["@-c", "@-b", "@-a"],
        "by time": ["@-c", "@-a", "@-b"],
        "by time, backwards": ["@-b", "@-a", "@-c"],
        "as it comes": ["@-b", "@-a", "@-c"],
        "of a name": ["@-a"],
        "of no such name": [],
        "first page": (["@-a", "@-b"], True),
        "second page": ["@-c"],
        "after tomorrow": [],
        "before tomorrow": ["@-a", "@-b", "@-c"],
        "before 2001": [],
        "a token that is none": INVALID,
        "0 results": INVALID,
        "101 results": INVALID,
        "an order that is none": INVALID,
        "a key that is none": INVALID,
    },
    moto={
        NEWEST_FIRST: ["as it comes"],
        CODE: ["a token that is none"],
        UNCHECKED: ["0 results", "101 results", "an order that is none", "a key that is none"],
    },
)
def endpoint_configs(peer, name):
    make_model(peer, name)
    for end in "cab":
        make_config(peer, f"{name}-{end}", name)
        time.sleep(0.002)
    return looked_at(peer.sagemaker.list_endpoint_configs, "EndpointConfigs", "EndpointConfigName", name)


@case(
    {
        "by name": ["@-a", "@-b", "@-c"],
        "by name, backwards": ["@-c", "@-b", "@-a"],
        "by time": ["@-c", "@-a", "@-b"],
        "by time, backwards": ["@-b", "@-a", "@-c"],
        "as it comes": ["@-b", "@-a", "@-c"],
        "of a name": ["@-a"],
        "of no such name": [],
        "first page": (["@-a", "@-b"], True),
        "second page": ["@-c"],
        "after tomorrow": [],
        "before tomorrow": ["@-a", "@-b", "@-c"],
        "before 2001": [],
        "a token that is none": INVALID,
        "0 results": INVALID,
        "101 results": INVALID,
        "an order that is none": INVALID,
        "a key that is none": INVALID,
        "of a status": 3,
        "of another status": [],
        "a status that is none": INVALID,
    },
    moto={
        NEWEST_FIRST: ["as it comes"],
        CODE: ["a token that is none"],
        UNCHECKED: [
            "0 results", "101 results", "an order that is none", "a key that is none", "a status that is none",
        ],
    },
)
def endpoints(peer, name):
    sm = peer.sagemaker
    jobs.create_model(peer, peer.artifact, name)
    make_config(peer, name, name)
    for end in "cab":
        sm.create_endpoint(EndpointName=f"{name}-{end}", EndpointConfigName=name)
        jobs.await_endpoint(peer, f"{name}-{end}")
    found = looked_at(sm.list_endpoints, "Endpoints", "EndpointName", name)
    found["of a status"] = len(sm.list_endpoints(NameContains=name, StatusEquals="InService")["Endpoints"])
    found["of another status"] = sm.list_endpoints(NameContains=name, StatusEquals="Failed")["Endpoints"]
    found["a status that is none"] = error(sm.list_endpoints, StatusEquals="Fine")
    for end in "cab":
        sm.delete_endpoint(EndpointName=f"{name}-{end}")
    return found


@case(
    {
        "by name": ["@-a", "@-b", "@-c"],
        "by name, backwards": ["@-c", "@-b", "@-a"],
        "by time": ["@-c", "@-a", "@-b"],
        "by time, backwards": ["@-b", "@-a", "@-c"],
        "as it comes": ["@-c", "@-a", "@-b"],
        "of a name": ["@-a"],
        "of no such name": [],
        "first page": (["@-a", "@-b"], True),
        "second page": ["@-c"],
        "after tomorrow": [],
        "before tomorrow": ["@-a", "@-b", "@-c"],
        "before 2001": [],
        "a token that is none": INVALID,
        "0 results": INVALID,
        "101 results": INVALID,
        "an order that is none": INVALID,
        "a key that is none": INVALID,
        "of a status": 3,
        "of another status": 0,
        "a status that is none": INVALID,
    },
    moto={
        UNORDERED: ["by name", "by name, backwards", "by time, backwards"],
        "moto cuts the page before it filters": ["first page", "second page"],
        UNCHECKED: ["0 results"],
    },
)
def training_jobs(peer, name):
    sm = peer.sagemaker
    for end in "cab":
        sm.create_training_job(**jobs.training_request(peer, peer.data, name=f"{name}-{end}"))
        jobs.await_job(peer, f"{name}-{end}")
    found = looked_at(sm.list_training_jobs, "TrainingJobSummaries", "TrainingJobName", name)
    for key, status in (("of a status", "Completed"), ("of another status", "Failed")):
        told = sm.list_training_jobs(NameContains=name, StatusEquals=status)
        found[key] = len(told["TrainingJobSummaries"])
    found["a status that is none"] = error(sm.list_training_jobs, StatusEquals="Done")
    return found


@case(
    {
        "of a name": (["@-a"], False),
        "of part of a name": (["@-a", "@-b"], False),
        "of a tag": (["@-b"], False),
        "of a status": (["@-a", "@-b"], False),
        "of another status": ([], False),
        "of a hyperparameter": (["@-a", "@-b"], False),
        "backwards": (["@-b", "@-a"], False),
        "one a page": (["@-a"], True),
        "of a property that is none": "ValidationException",
        "an operator that is none": "ValidationException",
        "a resource that is none": INVALID,
        "101 results": INVALID,
        "of experiments": [],
    },
    moto={
        "moto has no such property": ["of a hyperparameter"],
        "moto neither sorts nor pages": ["backwards", "one a page"],
        "moto takes it and finds nothing": ["an operator that is none"],
        UNCHECKED: ["101 results"],
    },
)
def searches(peer, name):
    sm = peer.sagemaker
    for end in "ab":
        request = jobs.training_request(peer, peer.data, name=f"{name}-{end}", Tags=[{"Key": "end", "Value": end}])
        sm.create_training_job(**request)
        jobs.await_job(peer, f"{name}-{end}")
    ours = ("TrainingJobName", "Contains", name)

    def search(*filters, **more):
        names = ("Name", "Operator", "Value")
        expression = {"Filters": [dict(zip(names, one)) for one in filters]}
        request = {"SortBy": "TrainingJobName", "SortOrder": "Ascending", **more}
        try:
            told = sm.search(Resource="TrainingJob", SearchExpression=expression, **request)
        except ClientError as refused:
            return refused.response["Error"]["Code"]
        return [one["TrainingJob"]["TrainingJobName"] for one in told["Results"]], "NextToken" in told

    return {
        "of a name": search(("TrainingJobName", "Equals", name + "-a")),
        "of part of a name": search(ours),
        "of a tag": search(ours, ("Tags.end", "Equals", "b")),
        "of a status": search(ours, ("TrainingJobStatus", "Equals", "Completed")),
        "of another status": search(ours, ("TrainingJobStatus", "NotEquals", "Completed")),
        "of a hyperparameter": search(ours, ("HyperParameters.epochs", "Equals", "3")),
        "backwards": search(ours, SortOrder="Descending"),
        "one a page": search(ours, MaxResults=1),
        "of a property that is none": search(("Colour", "Equals", "blue")),
        "an operator that is none": search(("TrainingJobName", "Like", "x")),
        "a resource that is none": error(sm.search, Resource="Teapot"),
        "101 results": error(sm.search, Resource="TrainingJob", MaxResults=101),
        "of experiments": sm.search(Resource="Experiment")["Results"],
    }

