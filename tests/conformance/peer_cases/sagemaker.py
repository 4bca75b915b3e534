"""SageMaker: jobs, models and their tags; endpoints: sagemaker_endpoints.py."""

from harness import jobs
from harness.peers import Cases, error

ARTIFACT = "s3://bucket/model.tar.gz"
CONTAINER = {"Image": jobs.LINEAR_LEARNER, "ModelDataUrl": ARTIFACT}
UNCHECKED = "SageMaker holds a request against its model; moto takes it"
ABSENT = "moto has no such operation"
BROKEN = "moto fails inside, with a 500"
INVALID = ("ValidationException", 400)
case = Cases()


def listed(told, key, *members):
    """The members of a list's entries that a client goes by, and whether there is more."""
    return [tuple(one.get(m) for m in members) for one in told[key]], "NextToken" in told


def tags(peer, arn):
    return {tag["Key"]: tag["Value"] for tag in peer.sagemaker.list_tags(ResourceArn=arn)["Tags"]}


def model(peer, name, **changes):
    request = {"ModelName": name, "ExecutionRoleArn": peer.role, "PrimaryContainer": CONTAINER, **changes}
    return peer.sagemaker.create_model(**{member: value for member, value in request.items() if value is not None})


def config(peer, name, *variants, **more):
    variants = variants or (jobs.variant(name),)
    return peer.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants, **more)


def only(told, *members):
    return {member: told.get(member) for member in members}


@case(
    {
        "describe job": INVALID,
        "stop job": INVALID,
        "update job": INVALID,
        "delete job": INVALID,
        "describe model": INVALID,
        "delete model": INVALID,
        "describe config": INVALID,
        "delete config": INVALID,
        "config of no model": INVALID,
        "describe endpoint": INVALID,
        "delete endpoint": INVALID,
        "endpoint of no config": INVALID,
        "update endpoint": INVALID,
        "update weights": INVALID,
    },
    moto={
        ABSENT: ["stop job", "update job", "delete job", "update endpoint"],
    },
)
def missing_things(peer, name):
    sm = peer.sagemaker
    profiler = {"DisableProfiler": True}
    weights = [{"VariantName": "v", "DesiredWeight": 1}]
    return {
        "describe job": error(sm.describe_training_job, TrainingJobName=name),
        "stop job": error(sm.stop_training_job, TrainingJobName=name),
        "update job": error(sm.update_training_job, TrainingJobName=name, ProfilerConfig=profiler),
        "delete job": error(sm.delete_training_job, TrainingJobName=name),
        "describe model": error(sm.describe_model, ModelName=name),
        "delete model": error(sm.delete_model, ModelName=name),
        "describe config": error(sm.describe_endpoint_config, EndpointConfigName=name),
        "delete config": error(sm.delete_endpoint_config, EndpointConfigName=name),
        "config of no model": error(config, peer=peer, name=name),
        "describe endpoint": error(sm.describe_endpoint, EndpointName=name),
        "delete endpoint": error(sm.delete_endpoint, EndpointName=name),
        "endpoint of no config": error(sm.create_endpoint, EndpointName=name, EndpointConfigName=name),
        "update endpoint": error(sm.update_endpoint, EndpointName=name, EndpointConfigName=name),
        "update weights": error(
            sm.update_endpoint_weights_and_capacities, EndpointName=name, DesiredWeightsAndCapacities=weights
        ),
    }


@case(
    {
        "list training-job": INVALID,
        "add training-job": INVALID,
        "delete training-job": INVALID,
        "list model": INVALID,
        "add model": INVALID,
        "delete model": INVALID,
        "list endpoint-config": INVALID,
        "add endpoint-config": INVALID,
        "delete endpoint-config": INVALID,
        "list endpoint": INVALID,
        "add endpoint": INVALID,
        "delete endpoint": INVALID,
    },
    moto={
        BROKEN: Cases.ALL,
    },
)
def tags_of_missing_things(peer, name):
    sm = peer.sagemaker
    found = {}
    for kind in ("training-job", "model", "endpoint-config", "endpoint"):
        arn = peer.arn(kind, name)
        found[f"list {kind}"] = error(sm.list_tags, ResourceArn=arn)
        found[f"add {kind}"] = error(sm.add_tags, ResourceArn=arn, Tags=[{"Key": "k", "Value": "v"}])
        found[f"delete {kind}"] = error(sm.delete_tags, ResourceArn=arn, TagKeys=["k"])
    return found


@case(
    {
        "arn": "arn:aws:sagemaker:us-east-1:ACCOUNT:training-job/@",
        "described arn": "arn:aws:sagemaker:us-east-1:ACCOUNT:training-job/@",
        "other than sent": [],
        "image": "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1",
        "input mode": "File",
        "metrics of the image": True,
        "output": {"KmsKeyId": "", "CompressionType": "GZIP"},
        "listed": ["arn:aws:sagemaker:us-east-1:ACCOUNT:training-job/@"],
        "tags": {"k": "v"},
        "tags in the description": False,
        "times": True,
        "first state": "Starting",
    },
    moto={
        "SageMaker gives the Environment back": ["other than sent"],
        "SageMaker tells both always, and clients index the key": ["output"],
    },
)
def a_training_job_as_it_is_described(peer, name):
    sm = peer.sagemaker
    request = jobs.training_request(peer, "s3://bucket/train", name=name, Environment={"E": "1"})
    arn = sm.create_training_job(**request, Tags=[{"Key": "k", "Value": "v"}])["TrainingJobArn"]
    told = sm.describe_training_job(TrainingJobName=name)
    found = sm.list_training_jobs(NameContains=name)["TrainingJobSummaries"]
    sent = [member for member in request if member not in ("AlgorithmSpecification", "OutputDataConfig")]
    return {
        "arn": arn,
        "described arn": told["TrainingJobArn"],
        "other than sent": [member for member in sent if told.get(member) != request[member]],
        "image": told["AlgorithmSpecification"]["TrainingImage"],
        "input mode": told["AlgorithmSpecification"]["TrainingInputMode"],
        "metrics of the image": bool(told["AlgorithmSpecification"]["MetricDefinitions"]),
        "output": only(told["OutputDataConfig"], "KmsKeyId", "CompressionType"),
        "listed": [one["TrainingJobArn"] for one in found],
        "tags": tags(peer, arn),
        "tags in the description": "Tags" in told,
        "times": {"CreationTime", "LastModifiedTime"} <= told.keys(),
        "first state": told["SecondaryStatusTransitions"][0]["Status"],
    }


@case(
    {
        "status": ("Completed", "Completed"),
        "artifact": "out/@/output/model.tar.gz",
        "seconds": True,
        "times": True,
        "listed": ([("@", "Completed")], False),
        "the name again": ("ResourceInUse", 400),
        "stop": INVALID,
        "update": INVALID,
        "delete": 200,
        "describe when deleted": INVALID,
    },
    moto={
        "SageMaker tells both of every job that has run": ["seconds"],
        UNCHECKED: ["the name again"],
        ABSENT: ["stop", "update", "delete", "describe when deleted"],
    },
)
def a_training_job_that_has_ended(peer, name):
    sm = peer.sagemaker
    request = jobs.training_request(peer, peer.data, name=name)
    sm.create_training_job(**request)
    told = jobs.await_job(peer, name)
    completed = sm.list_training_jobs(NameContains=name, StatusEquals="Completed")
    profiler = {"DisableProfiler": True}
    return {
        "status": (told["TrainingJobStatus"], told["SecondaryStatus"]),
        "artifact": told["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{peer.bucket}/"),
        "seconds": {"TrainingTimeInSeconds", "BillableTimeInSeconds"} <= told.keys(),
        "times": {"TrainingStartTime", "TrainingEndTime"} <= told.keys(),
        "listed": listed(completed, "TrainingJobSummaries", "TrainingJobName", "TrainingJobStatus"),
        "the name again": error(sm.create_training_job, **request),
        "stop": error(sm.stop_training_job, TrainingJobName=name),
        "update": error(sm.update_training_job, TrainingJobName=name, ProfilerConfig=profiler),
        "delete": error(sm.delete_training_job, TrainingJobName=name),
        "describe when deleted": error(sm.describe_training_job, TrainingJobName=name),
    }


@case(
    {
        "a name with a space": INVALID,
        "a name of 64": INVALID,
        "two channels of a name": INVALID,
        "21 channels": INVALID,
        "an unknown instance type": INVALID,
        "no instances": INVALID,
        "51 tags": INVALID,
        "a tag of aws": INVALID,
        "a tag twice": INVALID,
        "a role that is none": INVALID,
        "an output that is no URI": INVALID,
        "no image": INVALID,
        "an unknown input mode": INVALID,
        "a hyperparameter of 2501": INVALID,
        "no time": INVALID,
    },
    moto={
        UNCHECKED: Cases.ALL,
    },
)
def training_jobs_that_cannot_be(peer, name):
    def create(**changes):
        request = jobs.training_request(peer, "s3://bucket/train", name=name, **changes)
        return error(peer.sagemaker.create_training_job, **request)

    channel = jobs.csv_channel("s3://bucket/train")
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10}
    algorithm = {"TrainingImage": jobs.LINEAR_LEARNER, "TrainingInputMode": "File"}
    return {
        "a name with a space": create(TrainingJobName="a b"),
        "a name of 64": create(TrainingJobName="a" * 64),
        "two channels of a name": create(InputDataConfig=[channel, channel]),
        "21 channels": create(InputDataConfig=[{**channel, "ChannelName": f"c{i}"} for i in range(21)]),
        "an unknown instance type": create(ResourceConfig={**cluster, "InstanceType": "ml.none"}),
        "no instances": create(ResourceConfig={**cluster, "InstanceCount": 0}),
        "51 tags": create(Tags=[{"Key": f"k{i}", "Value": "v"} for i in range(51)]),
        "a tag of aws": create(Tags=[{"Key": "aws:k", "Value": "v"}]),
        "a tag twice": create(Tags=[{"Key": "k", "Value": "v"}] * 2),
        "a role that is none": create(RoleArn="arn:aws:iam::000000000000:user/somebody"),
        "an output that is no URI": create(OutputDataConfig={"S3OutputPath": "/tmp/out"}),
        "no image": create(AlgorithmSpecification={"TrainingInputMode": "File"}),
        "an unknown input mode": create(AlgorithmSpecification={**algorithm, "TrainingInputMode": "Fast"}),
        "a hyperparameter of 2501": create(hyperparameters={"mini_batch_size": "9" * 2501}),
        "no time": create(StoppingCondition={"MaxRuntimeInSeconds": 0}),
    }


@case(
    {
        "arn": "arn:aws:sagemaker:us-east-1:ACCOUNT:model/@",
        "container as sent": True,
        "described": {
            "ModelArn": "arn:aws:sagemaker:us-east-1:ACCOUNT:model/@",
            "ExecutionRoleArn": "arn:aws:iam::ACCOUNT:role/argosy",
        },
        "isolated": False,
        "time": True,
        "tags": {"k": "v"},
        "the name again": INVALID,
        "listed": True,
        "delete": 200,
        "delete again": INVALID,
        "tags when deleted": INVALID,
    },
    moto={
        UNCHECKED: ["the name again"],
        BROKEN: ["tags when deleted"],
    },
)
def models(peer, name):
    sm = peer.sagemaker
    container = {**CONTAINER, "Environment": {"A": "1"}}
    arn = model(peer, name, PrimaryContainer=container, Tags=[{"Key": "k", "Value": "v"}])["ModelArn"]
    told = sm.describe_model(ModelName=name)
    return {
        "arn": arn,
        "container as sent": told["PrimaryContainer"] == container,
        "described": only(told, "ModelArn", "ExecutionRoleArn"),
        "isolated": told.get("EnableNetworkIsolation"),
        "time": "CreationTime" in told,
        "tags": tags(peer, arn),
        "the name again": error(model, peer=peer, name=name),
        "listed": name in [one["ModelName"] for one in sm.list_models(NameContains=name)["Models"]],
        "delete": error(sm.delete_model, ModelName=name),
        "delete again": error(sm.delete_model, ModelName=name),
        "tags when deleted": error(sm.list_tags, ResourceArn=arn),
    }


@case(
    {
        "both kinds of containers": INVALID,
        "a name with a space": INVALID,
        "a name that begins with a dash": INVALID,
        "a role that is none": INVALID,
        "17 subnets": INVALID,
        "a mode that is none": INVALID,
    },
    moto={
        UNCHECKED: Cases.ALL,
    },
)
def models_that_cannot_be(peer, name):
    def create(**changes):
        return error(model, peer=peer, **{"name": name, **changes})

    return {
        "both kinds of containers": create(Containers=[CONTAINER]),
        "a name with a space": create(name="a b"),
        "a name that begins with a dash": create(name="-a"),
        "a role that is none": create(ExecutionRoleArn="not-an-arn-at-all-of-a-role"),
        "17 subnets": create(VpcConfig={"SecurityGroupIds": ["sg-1"], "Subnets": ["s"] * 17}),
        "a mode that is none": create(PrimaryContainer={**CONTAINER, "Mode": "Several"}),
    }


@case(
    {
        "add answers": [("a", "2"), ("b", "")],
        "added": {"a": "2", "b": ""},
        "delete": 200,
        "then": {"b": ""},
        "a key of aws": INVALID,
        "an odd key": INVALID,
        "a key of 129": INVALID,
        "a value of 257": INVALID,
        "49 more": 200,
        "then one more": INVALID,
        "of another account": INVALID,
    },
    moto={
        "a resource has a tag of a key once": ["add answers"],
        UNCHECKED: [
            "a key of aws", "an odd key", "a key of 129", "a value of 257", "then one more", "of another account",
        ],
    },
)
def tags_of_a_model(peer, name):
    sm = peer.sagemaker
    arn = model(peer, name, Tags=[{"Key": "a", "Value": "1"}])["ModelArn"]
    told = sm.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "2"}, {"Key": "b", "Value": ""}])["Tags"]

    def add(*pairs):
        return error(sm.add_tags, ResourceArn=arn, Tags=[{"Key": k, "Value": v} for k, v in pairs])

    found = {
        "add answers": sorted((tag["Key"], tag["Value"]) for tag in told),
        "added": tags(peer, arn),
        "delete": error(sm.delete_tags, ResourceArn=arn, TagKeys=["a", "none"]),
        "then": tags(peer, arn),
        "a key of aws": add(("aws:x", "1")),
        "an odd key": add(("a?", "1")),
        "a key of 129": add(("k" * 129, "1")),
        "a value of 257": add(("k", "v" * 257)),
        "49 more": add(*((f"k{i}", "v") for i in range(49))),
        "then one more": add(("one", "more")),
    }
    found["of another account"] = error(sm.list_tags, ResourceArn=arn.replace(f":{peer.account}:", ":999999999999:"))
    return found


@case(
    {"containers as sent": True, "primary container": None, "network as sent": True, "isolated": True},
    moto={
        "a model has one or the other": ["primary container"],
        "moto leaves EnableNetworkIsolation out": ["isolated"],
    },
)
def models_in_other_words(peer, name):
    network = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
    model(peer, name, PrimaryContainer=None, Containers=[CONTAINER])
    listed_one = peer.sagemaker.describe_model(ModelName=name)
    model(peer, name + "-2", VpcConfig=network, EnableNetworkIsolation=True)
    isolated_one = peer.sagemaker.describe_model(ModelName=name + "-2")
    return {
        "containers as sent": listed_one.get("Containers") == [CONTAINER],
        "primary container": listed_one.get("PrimaryContainer"),
        "network as sent": isolated_one.get("VpcConfig") == network,
        "isolated": isolated_one["EnableNetworkIsolation"],
    }


@case(
    {
        "50 tags": (50, False),
        "50 a page": 200,
        "49 a page": INVALID,
        "a token that is none": INVALID,
        "no keys": INVALID,
        "no tags": 200,
        "an odd ARN": INVALID,
    },
    moto={
        UNCHECKED: ["49 a page", "no keys"],
        "the model has no InvalidToken": ["a token that is none"],
        BROKEN: ["an odd ARN"],
    },
)
def tags_in_pages(peer, name):
    sm = peer.sagemaker
    arn = model(peer, name, Tags=[{"Key": f"k{i}", "Value": "v"} for i in range(50)])["ModelArn"]
    told = sm.list_tags(ResourceArn=arn)
    return {
        "50 tags": (len(told["Tags"]), "NextToken" in told),
        "50 a page": error(sm.list_tags, ResourceArn=arn, MaxResults=50),
        "49 a page": error(sm.list_tags, ResourceArn=arn, MaxResults=49),
        "a token that is none": error(sm.list_tags, ResourceArn=arn, NextToken="none"),
        "no keys": error(sm.delete_tags, ResourceArn=arn, TagKeys=[]),
        "no tags": error(sm.add_tags, ResourceArn=arn, Tags=[]),
        "an odd ARN": error(sm.list_tags, ResourceArn="me"),
    }


@case(
    {"delete while it runs": ("ResourceInUse", 400), "stop": 200, "end": "Stopped"},
    moto={ABSENT: ["delete while it runs", "stop", "end"]},
)
def a_training_job_that_is_stopped(peer, name):
    sm = peer.sagemaker
    endless = {"epochs": "100000", "early_stopping_patience": "100000"}
    sm.create_training_job(**jobs.training_request(peer, peer.data, name=name, hyperparameters=endless))
    return {
        "delete while it runs": error(sm.delete_training_job, TrainingJobName=name),
        "stop": error(sm.stop_training_job, TrainingJobName=name),
        "end": jobs.await_job(peer, name)["TrainingJobStatus"],
    }
