"""An endpoint that scales: out under load and in again, to zero and back with a request waiting, over a killed server."""

import json
import threading

import pytest

from harness import data, jobs
from harness.processes import agents, wait_for

ROW = data.rows(data.breast_cancer().test_features[:1])
IN_COOLDOWN = 5


@pytest.fixture
def server(start_server):
    return start_server()


@pytest.fixture
def clients(server, clients_of):
    return clients_of(server)


@pytest.fixture
def endpoint(clients):
    uri = clients.put("scaling/train.csv", data.breast_cancer().train_csv)
    return jobs.deploy(clients, jobs.train(clients, uri)["ModelArtifacts"]["S3ModelArtifacts"])


def scale(clients, endpoint, least, most, target_value):
    """Registers the endpoint's variant and gives it a target tracking policy; gives the service's client and the names."""
    scaling = clients.client("application-autoscaling")
    named = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/AllTraffic",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    scaling.register_scalable_target(**named, MinCapacity=least, MaxCapacity=most)
    scaling.put_scaling_policy(
        **named,
        PolicyName="invocations",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": target_value,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
            "ScaleInCooldown": IN_COOLDOWN,
            "ScaleOutCooldown": 0,
        },
    )
    return scaling, named


def counts(clients, endpoint):
    (variant,) = clients.sagemaker.describe_endpoint(EndpointName=endpoint)["ProductionVariants"]
    return variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]


def await_counts(clients, endpoint, count):
    wait_for(lambda: counts(clients, endpoint) == (count, count), jobs.JOB_SECONDS, f"{count} instances")


def causes(scaling, named):
    activities = scaling.describe_scaling_activities(ServiceNamespace="sagemaker", ResourceId=named["ResourceId"])
    return [(a["Description"], a["Cause"]) for a in activities["ScalingActivities"]]


class Load:
    """Calls the endpoint from some threads until it is told to stop, and remembers what failed."""

    def __init__(self, clients, endpoint, threads=2):
        self.errors, self.answers, self._stop = [], 0, threading.Event()

        def call():
            while not self._stop.is_set():
                try:
                    assert json.loads(jobs.invoke(clients, endpoint, ROW))["predictions"]
                    self.answers += 1
                except Exception as error:  # whatever it is, no request may see it
                    self.errors.append(error)

        self._threads = [threading.Thread(target=call) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join()
        assert self.answers > 0 and self.errors == []


def test_instances_come_under_load_and_go_after_it_and_no_request_fails(clients, endpoint):
    scaling, named = scale(clients, endpoint, least=1, most=3, target_value=60.0)
    load = Load(clients, endpoint)
    await_counts(clients, endpoint, 3)
    load.stop()
    await_counts(clients, endpoint, 1)
    told = causes(scaling, named)
    assert any("set" in d.lower() and "AlarmHigh" in c for d, c in told)
    assert any(d == "Setting desired instance count to 1." and "AlarmLow" in c for d, c in told)
    assert json.loads(jobs.invoke(clients, endpoint, ROW))["predictions"]


def test_to_zero_and_back_with_a_request_waiting(server, clients, endpoint):
    scaling, named = scale(clients, endpoint, least=0, most=2, target_value=1000.0)
    await_counts(clients, endpoint, 0)
    wait_for(lambda: not agents(server.data_dir), jobs.JOB_SECONDS, "no instance to be there")
    assert json.loads(jobs.invoke(clients, endpoint, ROW))["predictions"]
    assert "a request waits for an instance" in [c for _, c in causes(scaling, named)]
    await_counts(clients, endpoint, 0)


def test_a_killed_server_knows_what_it_scaled_and_wakes_what_sleeps(server, clients, endpoint):
    scaling, named = scale(clients, endpoint, least=0, most=2, target_value=1000.0)
    await_counts(clients, endpoint, 0)
    before = causes(scaling, named)
    server.kill()
    server.start()
    assert counts(clients, endpoint) == (0, 0)
    assert causes(scaling, named) == before
    assert json.loads(jobs.invoke(clients, endpoint, ROW))["predictions"]
    await_counts(clients, endpoint, 0)
