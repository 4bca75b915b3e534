"""Requests that most tests start from, and waits on what became of them."""

import io
import itertools
import tarfile
import uuid

from harness.processes import wait_for

LINEAR_LEARNER = "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1"
WAITER = {"Delay": 1, "MaxAttempts": 120}
TERMINAL = ("Completed", "Failed", "Stopped")
JOB_SECONDS = 120  # what a job of these sizes may take on a busy machine before it counts as hung

_count = itertools.count()


def unique(prefix):
    return f"{prefix}-{next(_count)}-{uuid.uuid4().hex[:8]}"


def csv_channel(uri, name="train", content_type="text/csv", **extra):
    channel = {
        "ChannelName": name,
        "DataSource": {
            "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
        },
        **extra,
    }
    if content_type:
        channel["ContentType"] = content_type
    return channel


def training_request(clients, channels, name=None, predictor_type="binary_classifier", **changes):
    """A CreateTrainingJob request; `hyperparameters` are added to predictor_type, other changes replace members."""
    hyperparameters = {"predictor_type": predictor_type, "epochs": "3", "mini_batch_size": "50"}
    hyperparameters.update(changes.pop("hyperparameters", {}))
    if isinstance(channels, str):
        channels = [csv_channel(channels)]
    request = {
        "TrainingJobName": name or unique("job"),
        "AlgorithmSpecification": {"TrainingImage": LINEAR_LEARNER, "TrainingInputMode": "File"},
        "RoleArn": clients.role,
        "InputDataConfig": channels,
        "OutputDataConfig": {"S3OutputPath": f"s3://{clients.bucket}/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        "HyperParameters": {k: v for k, v in hyperparameters.items() if v is not None},
    }
    request.update(changes)
    return {k: v for k, v in request.items() if v is not None}


def await_job(clients, name, seconds=JOB_SECONDS):
    """The description of the job once it has ended."""

    def ended():
        job = clients.sagemaker.describe_training_job(TrainingJobName=name)
        return job if job["TrainingJobStatus"] in TERMINAL else None

    return wait_for(ended, seconds, f"training job {name} to end", every=0.05)


def train(clients, channels, **changes):
    """Creates a job and waits until it has Completed; gives its description."""
    request = training_request(clients, channels, **changes)
    clients.sagemaker.create_training_job(**request)
    job = await_job(clients, request["TrainingJobName"])
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    return job


def lasting(clients, seconds, lines=None):
    """Gives a maker of requests for jobs that train for about so many seconds on this machine as busy as it is now. They
    tell of `lines` epochs when that is given (the data is then as long as it takes), else of as many as it takes."""
    from harness import data

    epochs = lines or 50
    copies = 4

    def make(uri):
        return training_request(
            clients,
            uri,
            predictor_type="multiclass_classifier",
            hyperparameters={
                "num_classes": "10",
                "epochs": str(epochs),
                "early_stopping_patience": str(epochs),
                "num_models": "1",
            },
        )

    # Scaled by what a probe took, again and again until a probe takes long enough.
    for attempt in range(6):
        uri = clients.put(f"lasting-{seconds}-{attempt}.csv", data.digits().train_csv * copies)
        probe = make(uri)
        clients.sagemaker.create_training_job(**probe)
        job = await_job(clients, probe["TrainingJobName"])
        assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
        took = (job["TrainingEndTime"] - job["TrainingStartTime"]).total_seconds()
        if took >= seconds * 0.8:
            break
        factor = max(1.5, min(20.0, seconds / max(took, 0.01)))
        if lines:
            copies = round(copies * factor)
        else:
            epochs = round(epochs * factor)
    return lambda: make(uri)


def artifact_members(clients, uri):
    """{name: bytes} of a model.tar.gz."""
    with tarfile.open(fileobj=io.BytesIO(clients.get(uri)), mode="r:gz") as archive:
        return {m.name: archive.extractfile(m).read() for m in archive.getmembers() if m.isfile()}


def create_model(clients, artifact, name=None):
    name = name or unique("model")
    clients.sagemaker.create_model(
        ModelName=name,
        ExecutionRoleArn=clients.role,
        PrimaryContainer={"Image": LINEAR_LEARNER, "ModelDataUrl": artifact, "Environment": {}},
    )
    return name


def variant(model, name="AllTraffic", count=1, weight=1.0):
    return {
        "VariantName": name,
        "ModelName": model,
        "InitialInstanceCount": count,
        "InstanceType": "ml.m5.large",
        "InitialVariantWeight": weight,
    }


def create_config(clients, variants, name=None):
    name = name or unique("config")
    if isinstance(variants, str):
        variants = [variant(variants)]
    clients.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)
    return name


def await_endpoint(clients, name, seconds=JOB_SECONDS):
    """The description of the endpoint once it is neither Creating nor Updating."""

    def settled():
        endpoint = clients.sagemaker.describe_endpoint(EndpointName=name)
        return endpoint if endpoint["EndpointStatus"] not in ("Creating", "Updating") else None

    return wait_for(settled, seconds, f"endpoint {name} to settle", every=0.02)


def deploy(clients, artifact, name=None, count=1):
    """Model, config and endpoint of an artifact; returns the endpoint's name once it is InService."""
    name = name or unique("endpoint")
    config = create_config(clients, [variant(create_model(clients, artifact), count=count)])
    clients.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
    endpoint = await_endpoint(clients, name)
    assert endpoint["EndpointStatus"] == "InService", endpoint.get("FailureReason")
    return name


def delete_endpoint(clients, name):
    clients.sagemaker.delete_endpoint(EndpointName=name)
    wait_for(lambda: name not in endpoint_names(clients), JOB_SECONDS, f"endpoint {name} to be deleted")


def endpoint_names(clients):
    pages = clients.sagemaker.get_paginator("list_endpoints").paginate()
    return [e["EndpointName"] for page in pages for e in page["Endpoints"]]


def invoke(clients, endpoint, body, content_type="text/csv", accept="application/json", **more):
    """The body that an endpoint answers."""
    reply = clients.runtime.invoke_endpoint(
        EndpointName=endpoint, Body=body, ContentType=content_type, Accept=accept, **more
    )
    return reply["Body"].read()
