"""SageMaker: endpoint configs and endpoints."""

from peer_cases.sagemaker import ABSENT, INVALID, UNCHECKED, config, listed, model, only, tags

from harness import jobs
from harness.peers import Cases, error
from harness.processes import wait_for

case = Cases()


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
        "weights": [("a", 3.0), ("b", 1.0)],
        "one twice": INVALID,
        "none": INVALID,
        "a negative count": INVALID,
        "two instances": 200,
        "then": [("a", 1), ("b", 2)],
        "its config then": [1, 1],
        "end": 200,
    },
    moto={UNCHECKED: ["none", "a negative count", "then"]},
)
def two_variants(peer, name):
    sm = peer.sagemaker
    jobs.create_model(peer, peer.artifact, name)
    config(peer, name, jobs.variant(name, "a", weight=3.0), jobs.variant(name, "b", weight=1.0))
    sm.create_endpoint(EndpointName=name, EndpointConfigName=name)
    told = jobs.await_endpoint(peer, name)

    def change(*changes):
        return error(
            sm.update_endpoint_weights_and_capacities, EndpointName=name, DesiredWeightsAndCapacities=list(changes)
        )

    found = {
        "weights": [(one["VariantName"], one["CurrentWeight"]) for one in told["ProductionVariants"]],
        "one twice": change(*[{"VariantName": "a", "DesiredWeight": 1}] * 2),
        "none": change(),
        "a negative count": change({"VariantName": "a", "DesiredInstanceCount": -1}),
        "two instances": change({"VariantName": "b", "DesiredInstanceCount": 2}),
    }
    told = jobs.await_endpoint(peer, name)
    found["then"] = [(one["VariantName"], one["DesiredInstanceCount"]) for one in told["ProductionVariants"]]
    told = sm.describe_endpoint_config(EndpointConfigName=name)
    found["its config then"] = [one["InitialInstanceCount"] for one in told["ProductionVariants"]]
    found["end"] = error(sm.delete_endpoint, EndpointName=name)
    return found
