"""UpdateEndpointWeightsAndCapacities through boto3: instances come and go while requests are answered."""

import json
import threading

import pytest
from botocore.exceptions import ClientError

from harness import data, jobs
from harness.processes import agents, alive, wait_for


@pytest.fixture(scope="module")
def artifact(cancer_job):
    return cancer_job["ModelArtifacts"]["S3ModelArtifacts"]


@pytest.fixture
def endpoint(clients, artifact):
    name = jobs.deploy(clients, artifact)
    yield name
    jobs.delete_endpoint(clients, name)


def row():
    return data.rows(data.breast_cancer().test_features[:1])


def ask(clients, endpoint, **changes):
    variant = {"VariantName": "AllTraffic", **changes}
    return clients.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=endpoint, DesiredWeightsAndCapacities=[variant]
    )


def counts(description):
    return [(v["CurrentInstanceCount"], v["DesiredInstanceCount"]) for v in description["ProductionVariants"]]


def pids_of(server, endpoint):
    """Pids of the agents that serve the endpoint and live."""

    def serves(instance):
        return endpoint in (server.data_dir / "instances" / instance / "assignment.json").read_text()

    return {told["pid"] for instance, told in agents(server.data_dir).items() if serves(instance)}


class TestCounts:
    def test_more_and_fewer_instances_and_no_request_fails(self, clients, endpoint):
        errors, stop = [], threading.Event()

        def call():
            while not stop.is_set():
                try:
                    assert json.loads(jobs.invoke(clients, endpoint, row()))["predictions"]
                except Exception as error:  # whatever it is, no request may see it
                    errors.append(error)

        caller = threading.Thread(target=call)
        caller.start()
        for count in (3, 1, 2, 1):
            assert ask(clients, endpoint, DesiredInstanceCount=count)["EndpointArn"].endswith(f"endpoint/{endpoint}")
            description = jobs.await_endpoint(clients, endpoint)
            assert description["EndpointStatus"] == "InService"
            assert counts(description) == [(count, count)]
            assert "FailureReason" not in description
        stop.set()
        caller.join()
        assert not errors

    def test_what_is_desired_is_shown_at_once_and_what_is_there_until_it_is(self, clients, endpoint):
        ask(clients, endpoint, DesiredInstanceCount=2)
        description = clients.sagemaker.describe_endpoint(EndpointName=endpoint)
        assert description["EndpointStatus"] in ("Updating", "InService")
        ((current, desired),) = counts(description)
        assert desired == 2
        assert current == 2 if description["EndpointStatus"] == "InService" else current in (1, 2)
        jobs.await_endpoint(clients, endpoint)

    def test_zero_ends_the_instances_and_a_request_waits_until_there_is_one_again(self, server, clients, endpoint):
        # An agent writes who it is beside its work, not before.
        before = wait_for(lambda: pids_of(server, endpoint), jobs.JOB_SECONDS, "the instance to tell who it is")
        assert len(before) == 1
        ask(clients, endpoint, DesiredInstanceCount=0)
        assert counts(jobs.await_endpoint(clients, endpoint)) == [(0, 0)]
        wait_for(lambda: not any(alive(p) for p in before), jobs.JOB_SECONDS, "the instance to end")
        answers = []
        caller = threading.Thread(target=lambda: answers.append(jobs.invoke(clients, endpoint, row())))
        caller.start()
        ask(clients, endpoint, DesiredInstanceCount=1)
        caller.join()
        assert json.loads(answers[0])["predictions"]
        assert counts(jobs.await_endpoint(clients, endpoint)) == [(1, 1)]

    def test_more_than_can_ever_run_is_refused_at_once(self, clients, endpoint):
        with pytest.raises(ClientError) as refused:
            ask(clients, endpoint, DesiredInstanceCount=5000)
        error = refused.value.response["Error"]
        assert error["Code"] == "ResourceLimitExceeded"
        assert "5000 instances together" in error["Message"] and "--hosts-max" in error["Message"]
        assert clients.sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointStatus"] == "InService"


class TestWeights:
    def test_requests_follow_the_weights(self, clients, artifact):
        model = jobs.create_model(clients, artifact)
        name = jobs.unique("endpoint")
        config = jobs.create_config(clients, [jobs.variant(model, name="one"), jobs.variant(model, name="two", weight=0)])
        clients.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
        jobs.await_endpoint(clients, name)

        def variants():
            call = clients.runtime.invoke_endpoint
            return {call(EndpointName=name, Body=row(), ContentType="text/csv")["InvokedProductionVariant"] for _ in range(20)}

        assert variants() == {"one"}
        clients.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=name,
            DesiredWeightsAndCapacities=[
                {"VariantName": "one", "DesiredWeight": 0},
                {"VariantName": "two", "DesiredWeight": 3},
            ],
        )
        description = jobs.await_endpoint(clients, name)
        shown = {v["VariantName"]: (v["CurrentWeight"], v["DesiredWeight"]) for v in description["ProductionVariants"]}
        assert shown == {"one": (0.0, 0.0), "two": (3.0, 3.0)}
        assert variants() == {"two"}
        jobs.delete_endpoint(clients, name)


class TestRefusals:
    @pytest.mark.parametrize(
        "variant, words",
        [
            ({"VariantName": "Other", "DesiredInstanceCount": 1}, 'The variant name(s) "Other"'),
            ({"VariantName": "AllTraffic", "DesiredWeight": 0.0}, "must be greater than 0"),
            ({"VariantName": "AllTraffic", "ServerlessUpdateConfig": {"MaxConcurrency": 2}}, "serverless"),
        ],
    )
    def test_what_cannot_be_is_named(self, clients, endpoint, variant, words):
        with pytest.raises(ClientError) as refused:
            clients.sagemaker.update_endpoint_weights_and_capacities(
                EndpointName=endpoint, DesiredWeightsAndCapacities=[variant]
            )
        assert refused.value.response["Error"]["Code"] == "ValidationException"
        assert words in refused.value.response["Error"]["Message"]
