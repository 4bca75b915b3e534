"""How an update moves traffic (DeploymentConfig), and which requests are kept (DataCaptureConfig), through boto3."""

import json
import threading
import time

import pytest
from botocore.exceptions import ClientError

from harness import data, jobs
from harness.processes import wait_for


def row():
    return data.rows(data.breast_cancer().test_features[:1])


@pytest.fixture(scope="module")
def model(shared_clients, cancer_job):
    return jobs.create_model(shared_clients, cancer_job["ModelArtifacts"]["S3ModelArtifacts"])


@pytest.fixture
def endpoint(clients, model):
    name = jobs.unique("deployment")
    config = jobs.create_config(clients, [jobs.variant(model)])
    clients.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
    jobs.await_endpoint(clients, name)
    yield name
    jobs.delete_endpoint(clients, name)


def routing(kind, wait, termination=0, **size):
    policy = {"Type": kind, "WaitIntervalInSeconds": wait, **size}
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": policy,
            "TerminationWaitInSeconds": termination,
            "MaximumExecutionTimeoutInSeconds": 600,
        }
    }


def percent(value):
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def shares_seen(clients, name):
    """The shares of traffic that the new fleet was said to have, in order, until the endpoint has settled."""
    seen = []
    while True:
        described = clients.sagemaker.describe_endpoint(EndpointName=name)
        if described["EndpointStatus"] != "Updating":
            return seen, described
        for variant in described.get("PendingDeploymentSummary", {}).get("ProductionVariants", []):
            for status in variant.get("VariantStatus", []):
                if status["Status"] == "Baking":
                    share = int(status["StatusMessage"].split()[0])
                    if share not in seen:
                        seen.append(share)
        time.sleep(0.02)


class TestDeployments:
    @pytest.mark.parametrize(
        "config, steps",
        [
            (routing("CANARY", 1, CanarySize=percent(10)), [10, 100]),
            (routing("LINEAR", 1, LinearStepSize=percent(40)), [40, 80, 100]),
            (routing("ALL_AT_ONCE", 1), [100]),
            ({"RollingUpdatePolicy": {"MaximumBatchSize": {"Type": "INSTANCE_COUNT", "Value": 1},
                                      "WaitIntervalInSeconds": 1}}, [50, 100]),
        ],
    )
    def test_traffic_moves_in_steps(self, clients, model, endpoint, config, steps):
        new = jobs.create_config(clients, [jobs.variant(model, count=2)])
        clients.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=new, DeploymentConfig=config)
        seen, described = shares_seen(clients, endpoint)
        # A step may pass between two looks on a busy machine.
        assert seen == [step for step in steps if step in seen] and len(seen) >= min(2, len(steps))
        assert described["EndpointStatus"] == "InService"
        assert described["EndpointConfigName"] == new
        assert described["LastDeploymentConfig"] == config

    def test_no_request_fails_while_traffic_moves(self, clients, model, endpoint):
        new = jobs.create_config(clients, [jobs.variant(model, count=2)])
        wrong, stop = [], threading.Event()

        def ask():
            while not stop.is_set():
                try:
                    assert json.loads(jobs.invoke(clients, endpoint, row()))["predictions"]
                except Exception as e:
                    wrong.append(e)
                    return

        askers = [threading.Thread(target=ask) for _ in range(4)]
        for asker in askers:
            asker.start()
        clients.sagemaker.update_endpoint(
            EndpointName=endpoint,
            EndpointConfigName=new,
            DeploymentConfig=routing("LINEAR", 1, LinearStepSize=percent(50)),
        )
        assert jobs.await_endpoint(clients, endpoint)["EndpointConfigName"] == new
        stop.set()
        for asker in askers:
            asker.join()
        assert not wrong, wrong[0]

    def test_a_deployment_is_kept_for_the_next_update(self, clients, model, endpoint):
        config = routing("ALL_AT_ONCE", 0)
        for keep in (False, True):
            new = jobs.create_config(clients, [jobs.variant(model)])
            more = {"RetainDeploymentConfig": True} if keep else {"DeploymentConfig": config}
            clients.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=new, **more)
            assert jobs.await_endpoint(clients, endpoint)["LastDeploymentConfig"] == config

    @pytest.mark.parametrize(
        "config, said",
        [
            (routing("CANARY", 1), "CanarySize is required"),
            (routing("CANARY", 1, CanarySize=percent(51)), "between 1 and 50; it is 51"),
            (routing("LINEAR", 1, LinearStepSize=percent(5)), "between 10 and 50; it is 5"),
            (routing("CANARY", 1, CanarySize={"Type": "INSTANCE_COUNT", "Value": 2}), "which is 1 to 1; it is 2"),
            ({"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "never-was"}]}}, "no alarm named 'never-was'"),
        ],
    )
    def test_what_is_wrong_is_said(self, clients, endpoint, config, said):
        current = clients.sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
        with pytest.raises(ClientError) as refused:
            clients.sagemaker.update_endpoint(
                EndpointName=endpoint, EndpointConfigName=current, DeploymentConfig=config
            )
        assert refused.value.response["Error"]["Code"] == "ValidationException"
        assert said in refused.value.response["Error"]["Message"]


class TestDataCapture:
    def captured(self, clients, prefix):
        lines = []
        listed = clients.s3.list_objects_v2(Bucket=clients.bucket, Prefix=prefix)
        for found in listed.get("Contents", []):
            body = clients.s3.get_object(Bucket=clients.bucket, Key=found["Key"])["Body"].read()
            lines += [(found["Key"], json.loads(line)) for line in body.decode().splitlines()]
        return lines

    def test_requests_and_answers_are_kept_as_json_lines(self, clients, model):
        prefix = jobs.unique("capture")
        name = jobs.unique("endpoint")
        request = {
            "EndpointConfigName": jobs.unique("config"),
            "ProductionVariants": [jobs.variant(model)],
            "DataCaptureConfig": {
                "EnableCapture": True,
                "InitialSamplingPercentage": 100,
                "DestinationS3Uri": f"s3://{clients.bucket}/{prefix}",
                "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
                "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]},
            },
        }
        clients.sagemaker.create_endpoint_config(**request)
        clients.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=request["EndpointConfigName"])
        described = jobs.await_endpoint(clients, name)
        assert described["DataCaptureConfig"]["CaptureStatus"] == "Started"
        answers = [jobs.invoke(clients, name, row(), InferenceId=f"id-{i}") for i in range(5)]
        jobs.invoke(clients, name, row(), accept="text/csv")
        # Nothing that failed is kept.
        with pytest.raises(ClientError):
            jobs.invoke(clients, name, b"1,2,3")
        kept = wait_for(lambda: len(lines := self.captured(clients, prefix)) >= 6 and lines, 60, "the captured requests")
        assert len(kept) == 6
        for i, (key, line) in enumerate(kept[:5]):
            assert key.startswith(f"{prefix}/{name}/AllTraffic/20") and key.endswith(".jsonl")
            put, got = line["captureData"]["endpointInput"], line["captureData"]["endpointOutput"]
            assert (put["data"], put["encoding"], put["mode"]) == (row(), "CSV", "INPUT")
            assert (got["data"].encode(), got["encoding"], got["mode"]) == (answers[i], "JSON", "OUTPUT")
            assert line["eventMetadata"]["inferenceId"] == f"id-{i}" and line["eventVersion"] == "0"
        assert len({line["eventMetadata"]["eventId"] for _, line in kept}) == 6
        jobs.delete_endpoint(clients, name)

    def test_a_destination_that_is_none(self, clients, model):
        with pytest.raises(ClientError) as refused:
            clients.sagemaker.create_endpoint_config(
                EndpointConfigName=jobs.unique("config"),
                ProductionVariants=[jobs.variant(model)],
                DataCaptureConfig={
                    "EnableCapture": True,
                    "InitialSamplingPercentage": 10,
                    "DestinationS3Uri": "https://elsewhere/x",
                    "CaptureOptions": [{"CaptureMode": "Input"}],
                },
            )
        assert "s3://bucket/prefix" in refused.value.response["Error"]["Message"]
