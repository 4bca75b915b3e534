"""SageMaker: jobs, models, endpoint configs, endpoints and their tags."""

from harness import jobs
from harness.peers import Cases, error
from harness.processes import wait_for

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
    return peer.sagemaker.create_model(**request)


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
        "arn": "arn:aws:sagemaker:us-east-1:ACCOUNT:endpoint-config/@",
        "described": {
            "EndpointConfigName": "@",
            "EndpointConfigArn": "arn:aws:sagemaker:us-east-1:ACCOUNT:endpoint-config/@",
        },
        "capture as sent": True,
        "variants as sent": True,
        "tags": {"k": "v"},
        "the name again": INVALID,
        "listed": ([("@",)], False),
        "delete": 200,
        "delete again": INVALID,
        "the model then": 200,
    },
    moto={
        UNCHECKED: ["the name again"],
    },
)
def endpoint_configs(peer, name):
    sm = peer.sagemaker
    model(peer, name)
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 50,
        "DestinationS3Uri": "s3://bucket/captured",
        "CaptureOptions": [{"CaptureMode": "Input"}],
    }
    made = config(peer, name, DataCaptureConfig=capture, Tags=[{"Key": "k", "Value": "v"}])
    told = sm.describe_endpoint_config(EndpointConfigName=name)
    found = sm.list_endpoint_configs(NameContains=name)
    return {
        "arn": made["EndpointConfigArn"],
        "described": only(told, "EndpointConfigName", "EndpointConfigArn"),
        "capture as sent": told["DataCaptureConfig"] == capture,
        "variants as sent": told["ProductionVariants"] == [jobs.variant(name)],
        "tags": tags(peer, made["EndpointConfigArn"]),
        "the name again": error(config, peer=peer, name=name),
        "listed": listed(found, "EndpointConfigs", "EndpointConfigName"),
        "delete": error(sm.delete_endpoint_config, EndpointConfigName=name),
        "delete again": error(sm.delete_endpoint_config, EndpointConfigName=name),
        "the model then": error(sm.describe_model, ModelName=name),
    }


@case(
    {
        "no variants": INVALID,
        "two variants of a name": INVALID,
        "11 variants": INVALID,
        "an unknown instance type": INVALID,
        "a negative weight": INVALID,
        "a missing model": INVALID,
        "1000 MB of memory": INVALID,
        "a name with a space": INVALID,
    },
    moto={
        UNCHECKED: [
            "no variants", "two variants of a name", "11 variants", "a negative weight", "a name with a space",
        ],
    },
)
def endpoint_configs_that_cannot_be(peer, name):
    model(peer, name)
    one = jobs.variant(name)
    memory = {"MemorySizeInMB": 1000, "MaxConcurrency": 1}

    def create(*variants, end=""):
        return error(
            peer.sagemaker.create_endpoint_config, EndpointConfigName=name + end, ProductionVariants=list(variants)
        )

    return {
        "no variants": create(),
        "two variants of a name": create(one, one),
        "11 variants": create(*[{**one, "VariantName": f"v{i}"} for i in range(11)]),
        "an unknown instance type": create({**one, "InstanceType": "ml.none"}),
        "a negative weight": create({**one, "InitialVariantWeight": -1.0}, end="-w"),
        "a missing model": create({**one, "ModelName": name + "-none"}),
        "1000 MB of memory": create({"VariantName": "v", "ModelName": name, "ServerlessConfig": memory}),
        "a name with a space": create(one, end=" b"),
    }


@case(
    {
        "arn": "arn:aws:sagemaker:us-east-1:ACCOUNT:endpoint/@",
        "described": {
            "EndpointName": "@",
            "EndpointConfigName": "@",
            "EndpointStatus": "InService",
            "EndpointArn": "arn:aws:sagemaker:us-east-1:ACCOUNT:endpoint/@",
        },
        "weights of its variant": {"VariantName": "AllTraffic", "CurrentWeight": 1.0, "DesiredWeight": 1.0},
        "counts of its variant": {"CurrentInstanceCount": 1, "DesiredInstanceCount": 1},
        "image": ["382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1"],
        "tags": {"k": "v"},
        "the name again": INVALID,
        "listed": ([("@",)], False),
        "weigh": 200,
        "weight then": 3.0,
        "weigh no variant": INVALID,
        "a negative weight": INVALID,
        "update to no config": INVALID,
        "update": 200,
        "updated": ("@-2", ["other"]),
        "delete config": 200,
        "delete": 200,
        "describe when deleted": INVALID,
    },
    moto={
        "SageMaker tells the images that are deployed": ["image"],
        UNCHECKED: ["the name again", "a negative weight"],
        ABSENT: ["update to no config", "update", "updated"],
    },
)
def an_endpoint(peer, name):
    sm = peer.sagemaker
    jobs.create_model(peer, peer.artifact, name)
    config(peer, name)
    config(peer, name + "-2", jobs.variant(name, "other"))
    made = sm.create_endpoint(EndpointName=name, EndpointConfigName=name, Tags=[{"Key": "k", "Value": "v"}])
    told = jobs.await_endpoint(peer, name)
    (variant,) = told["ProductionVariants"]

    def weigh(variant, weight):
        changes = [{"VariantName": variant, "DesiredWeight": weight}]
        return error(sm.update_endpoint_weights_and_capacities, EndpointName=name, DesiredWeightsAndCapacities=changes)

    found = {
        "arn": made["EndpointArn"],
        "described": only(told, "EndpointName", "EndpointConfigName", "EndpointStatus", "EndpointArn"),
        "weights of its variant": only(variant, "VariantName", "CurrentWeight", "DesiredWeight"),
        "counts of its variant": only(variant, "CurrentInstanceCount", "DesiredInstanceCount"),
        "image": [one["SpecifiedImage"] for one in variant.get("DeployedImages", [])],
        "tags": tags(peer, made["EndpointArn"]),
        "the name again": error(sm.create_endpoint, EndpointName=name, EndpointConfigName=name),
        "listed": listed(sm.list_endpoints(NameContains=name, StatusEquals="InService"), "Endpoints", "EndpointName"),
        "weigh": weigh("AllTraffic", 3),
        "weight then": jobs.await_endpoint(peer, name)["ProductionVariants"][0]["DesiredWeight"],
        "weigh no variant": weigh("none", 1),
        "a negative weight": weigh("AllTraffic", -1),
        "update to no config": error(sm.update_endpoint, EndpointName=name, EndpointConfigName=name + "-none"),
        "update": error(sm.update_endpoint, EndpointName=name, EndpointConfigName=name + "-2"),
    }
    told = jobs.await_endpoint(peer, name)
    found["updated"] = told["EndpointConfigName"], [one["VariantName"] for one in told["ProductionVariants"]]
    found["delete config"] = error(sm.delete_endpoint_config, EndpointConfigName=name)
    found["delete"] = error(sm.delete_endpoint, EndpointName=name)
    wait_for(lambda: error(sm.describe_endpoint, EndpointName=name) != 200, 60, "the endpoint to be gone")
    found["describe when deleted"] = error(sm.describe_endpoint, EndpointName=name)
    return found


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

