"""What runs outlives the server, and is taken over by the next one as it is."""

import json
import re

import pytest

from harness import data, jobs
from harness.processes import agents, alive, await_agents, kill_and_wait, start_time, wait_for

TRAINING = "/aws/sagemaker/TrainingJobs"
EPOCHS = 40
ROW = data.rows(data.breast_cancer().test_features[:1])


def begin_training(clients, seconds=1.5):
    """A job that trains for about so long, telling of EPOCHS epochs, once it trains."""
    request = jobs.lasting(clients, seconds, lines=EPOCHS)()
    clients.sagemaker.create_training_job(**request)
    name = request["TrainingJobName"]
    wait_for(
        lambda: clients.sagemaker.describe_training_job(TrainingJobName=name)["SecondaryStatus"] == "Training",
        jobs.JOB_SECONDS,
        f"{name} to train",
        every=0.005,
    )
    return name


def log_lines(clients, name):
    pages = clients.logs.get_paginator("filter_log_events").paginate(
        logGroupName=TRAINING, logStreamNamePrefix=name + "/"
    )
    return [e["message"] for page in pages for e in page["events"]]


def assert_log_is_complete_and_once(clients, name):
    epochs = [
        int(found[1])
        for line in log_lines(clients, name)
        if (found := re.search(r"#quality_metric: host=algo-1, epoch=(\d+), train ", line))
    ]
    first = epochs[0]
    per_epoch = len(epochs) // EPOCHS
    assert epochs == [e for e in range(first, first + EPOCHS) for _ in range(per_epoch)]


@pytest.fixture
def server(start_server):
    return start_server()


@pytest.fixture
def clients(server, clients_of):
    return clients_of(server)


class TestJobs:
    def test_a_job_that_ends_while_the_server_is_down_is_completed_by_the_next(self, server, clients):
        name = begin_training(clients)
        (agent,) = await_agents(server.data_dir, 1).values()
        server.kill()
        assert alive(agent["pid"]), "the agent died with the server"
        wait_for(lambda: not alive(agent["pid"]), jobs.JOB_SECONDS, "the agent to finish by itself")
        server.start()
        job = jobs.await_job(clients, name)
        assert job["TrainingJobStatus"] == "Completed"
        assert jobs.artifact_members(clients, job["ModelArtifacts"]["S3ModelArtifacts"])
        assert [t["Status"] for t in job["SecondaryStatusTransitions"]].count("Completed") == 1
        assert_log_is_complete_and_once(clients, name)

    def test_a_running_job_goes_on_in_the_same_process(self, server, clients):
        name = begin_training(clients, seconds=3)
        (before,) = await_agents(server.data_dir, 1).values()
        server.kill()
        server.start()
        (after,) = agents(server.data_dir).values()
        assert after["pid"] == before["pid"]
        assert clients.sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"] == "InProgress"
        job = jobs.await_job(clients, name)
        assert job["TrainingJobStatus"] == "Completed"
        assert_log_is_complete_and_once(clients, name)
        seconds = (job["TrainingEndTime"] - job["TrainingStartTime"]).total_seconds()
        assert job["BillableTimeInSeconds"] >= int(seconds)

    def test_a_job_can_be_stopped_after_its_adoption(self, server, clients):
        name = begin_training(clients, seconds=8)
        server.kill()
        server.start()
        clients.sagemaker.stop_training_job(TrainingJobName=name)
        assert jobs.await_job(clients, name)["TrainingJobStatus"] == "Stopped"

    def test_a_job_whose_agent_died_meanwhile_is_run_again(self, server, clients):
        name = begin_training(clients, seconds=2)
        (agent,) = await_agents(server.data_dir, 1).values()
        server.kill()
        kill_and_wait([agent["pid"]])
        server.start()
        job = jobs.await_job(clients, name)
        assert job["TrainingJobStatus"] == "Completed"
        assert jobs.artifact_members(clients, job["ModelArtifacts"]["S3ModelArtifacts"])

    def test_jobs_that_waited_for_a_host_wait_on_and_run(self, start_server, clients_of):
        server = start_server("--hosts-max", "1")
        clients = clients_of(server)
        uri = clients.put("t.csv", data.breast_cancer().train_csv)
        names = [begin_training(clients, seconds=2)]
        for _ in range(4):
            request = jobs.training_request(clients, uri, hyperparameters={"epochs": "1"})
            clients.sagemaker.create_training_job(**request)
            names.append(request["TrainingJobName"])
        server.kill_everything()
        server.start()
        assert {jobs.await_job(clients, n)["TrainingJobStatus"] for n in names} == {"Completed"}


def test_what_a_program_finds_in_its_instance(server, clients):
    """The container contract's files, as long as the instance is there; then nothing is left of it."""
    name = begin_training(clients, seconds=8)
    request = clients.sagemaker.describe_training_job(TrainingJobName=name)
    (instance,) = await_agents(server.data_dir, 1)
    folder = server.data_dir / "instances" / instance / "ml" / "input"
    config = {f.stem: json.loads(f.read_text()) for f in (folder / "config").glob("*.json")}
    assert config["hyperparameters"] == request["HyperParameters"]
    assert config["inputdataconfig"]["train"]["ContentType"] == "text/csv"
    assert config["resourceconfig"]["hosts"] == ["algo-1"]
    assert len(list((folder / "data" / "train").iterdir())) == 1
    clients.sagemaker.stop_training_job(TrainingJobName=name)
    wait_for(lambda: not (server.data_dir / "instances" / instance).exists(), 30, "the instance's directory to go")


class TestEndpoints:
    @pytest.fixture
    def endpoint(self, clients):
        job = jobs.train(clients, clients.put("t.csv", data.breast_cancer().train_csv))
        return jobs.deploy(clients, job["ModelArtifacts"]["S3ModelArtifacts"], count=2)

    @pytest.mark.parametrize("end", ["kill", "stop"])
    def test_instances_answer_for_the_next_server_with_the_same_pids(self, server, clients, endpoint, end):
        before = {i: (a["pid"], start_time(a["pid"])) for i, a in await_agents(server.data_dir, 2).items()}
        assert len(before) == 2
        answer = jobs.invoke(clients, endpoint, ROW)
        for _ in range(3):
            getattr(server, end)()
            server.start()
            # The ready line means that it answers: endpoints in service included.
            assert jobs.invoke(clients, endpoint, ROW) == answer
            after = {i: (a["pid"], start_time(a["pid"])) for i, a in agents(server.data_dir).items()}
            assert after == before
            described = clients.sagemaker.describe_endpoint(EndpointName=endpoint)
            assert described["EndpointStatus"] == "InService"
            assert described["ProductionVariants"][0]["CurrentInstanceCount"] == 2

    def test_an_instance_that_dies_is_replaced_while_the_other_answers(self, server, clients, endpoint):
        before = {a["pid"] for a in await_agents(server.data_dir, 2).values()}
        victim = min(before)
        kill_and_wait([victim])
        for _ in range(50):
            try:
                jobs.invoke(clients, endpoint, ROW)
            except clients.runtime.exceptions.ClientError as failure:
                # The one request that was on its way to the dead instance.
                assert failure.response["ResponseMetadata"]["HTTPStatusCode"] in (424, 500, 503)

        def replaced():
            now = {a["pid"] for a in agents(server.data_dir).values()}
            return len(now) == 2 and victim not in now

        wait_for(replaced, 60, "the dead instance to be replaced")
        described = clients.sagemaker.describe_endpoint(EndpointName=endpoint)
        assert described["EndpointStatus"] == "InService"
        for _ in range(10):
            assert jobs.invoke(clients, endpoint, ROW)

    def test_an_endpoint_deleted_is_gone_after_a_restart_too(self, server, clients, endpoint):
        pids = [a["pid"] for a in await_agents(server.data_dir, 2).values()]
        clients.sagemaker.delete_endpoint(EndpointName=endpoint)
        server.kill()
        server.start()
        wait_for(lambda: endpoint not in jobs.endpoint_names(clients), 60, "the endpoint to be gone")
        wait_for(lambda: not any(map(alive, pids)), 60, "its instances to end")
