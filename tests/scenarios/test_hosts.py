"""Trainings on several hosts: what one host would have trained, each reading its part; and what becomes of them when
hosts or the server are killed."""

import re
import signal
import time

import pytest

from harness import data, jobs, processes
from harness.processes import wait_for

COPIES = 24  # of the digits: enough rows that they are divided
GROUP = "/aws/sagemaker/TrainingJobs"
READ = re.compile(r"channel 'train': read (\d+) bytes, (\d+) of (\d+) rows, on this host")
TRAFFIC = re.compile(r"between the hosts: (\d+) rounds, (\d+) bytes sent, (\d+) bytes received")


def request_for(clients, hosts, uri=None, name=None, **hyperparameters):
    uri = uri or clients.put("digits.csv", data.digits().train_csv * COPIES)
    return jobs.training_request(
        clients,
        uri,
        name=name or jobs.unique("hosts"),
        predictor_type="multiclass_classifier",
        hyperparameters={"num_classes": "10", "epochs": "4", "mini_batch_size": "500", **hyperparameters},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": hosts, "VolumeSizeInGB": 10},
    )


def run(clients, request):
    clients.sagemaker.create_training_job(**request)
    job = jobs.await_job(clients, request["TrainingJobName"])
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    return job


def streams(clients, name):
    """{host: its log lines} of the newest attempt."""
    if not clients.logs.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]:
        return {}
    found = {}
    for stream in clients.logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix=name + "/")["logStreams"]:
        host = stream["logStreamName"].split("/")[1].rsplit("-", 1)[0]
        events = clients.logs.get_log_events(
            logGroupName=GROUP, logStreamName=stream["logStreamName"], startFromHead=True
        )["events"]
        found[host] = [e["message"] for e in events]
    return found


def first(pattern, lines):
    found = [m for line in lines if (m := pattern.search(line))]
    return tuple(map(int, found[0].groups())) if found else None


@pytest.fixture
def lasting_job(start_server, clients_of):
    """(a server, its clients, the name of a job whose two hosts are in the midst of their training)"""
    server = start_server()
    clients = clients_of(server)
    # It ends only when it is told to, or after far more than a test's time.
    request = request_for(clients, 2, epochs="1000000", early_stopping_patience="1000000")
    name = request["TrainingJobName"]
    clients.sagemaker.create_training_job(**request)
    wait_for(lambda: any("completed" in line for line in streams(clients, name).get("algo-2", [])), 60, "an epoch")
    return server, clients, name


def members(clients, job):
    return jobs.artifact_members(clients, job["ModelArtifacts"]["S3ModelArtifacts"])


def test_two_hosts_train_what_one_does_each_from_its_part(clients):
    uri = clients.put("digits.csv", data.digits().train_csv * COPIES)
    size = len(data.digits().train_csv.encode()) * COPIES
    alone = run(clients, request_for(clients, 1, uri))
    both = run(clients, request_for(clients, 2, uri))
    assert members(clients, both) == members(clients, alone)
    assert {m["MetricName"]: m["Value"] for m in both["FinalMetricDataList"]} == {
        m["MetricName"]: m["Value"] for m in alone["FinalMetricDataList"]
    }
    told = streams(clients, both["TrainingJobName"])
    assert sorted(told) == ["algo-1", "algo-2"]
    read = {host: first(READ, lines) for host, lines in told.items()}
    assert sum(part[0] for part in read.values()) == size, "every byte is read by one of them"
    assert all(abs(part[0] - size / 2) < 1000 for part in read.values())
    assert sum(part[1] for part in read.values()) == read["algo-1"][2]
    traffic = {host: first(TRAFFIC, lines) for host, lines in told.items()}
    assert traffic["algo-1"][1] == traffic["algo-2"][2] > 1000
    # Both hosts' time is billed, each for itself, and none of them lives on.
    assert both["BillableTimeInSeconds"] >= 1
    assert both["ResourceConfig"]["InstanceCount"] == 2


def test_objects_sharded_by_key_are_read_by_one_host_each(clients):
    text = data.digits().train_csv * (COPIES // 4)
    prefix = jobs.unique("shards")
    for i in range(4):
        clients.put(f"{prefix}/part-{i}.csv", text)
    uri = f"s3://{clients.bucket}/{prefix}/"
    request = request_for(clients, 2, uri)
    request["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3DataDistributionType"] = "ShardedByS3Key"
    job = run(clients, request)
    told = streams(clients, job["TrainingJobName"])
    assert [first(READ, told[host])[0] for host in ("algo-1", "algo-2")] == [2 * len(text.encode())] * 2
    # All parts are alike, so that the order of the shards does not show.
    assert members(clients, job) == members(clients, run(clients, request_for(clients, 1, uri)))


@pytest.mark.parametrize("first", ["", None])
def test_hosts_without_a_text_go_by_those_that_have_one(clients, first):
    """No content type, and objects for one of the hosts alone: the one that has nothing goes along."""
    prefix = jobs.unique("lonely")
    if first is not None:
        clients.put(f"{prefix}/0-empty", first)
    lines = data.digits().train_csv.splitlines()
    rows = ['{"label": %s, "features": [%s]}' % tuple(line.split(",", 1)) for line in lines]
    clients.put(f"{prefix}/1-rows", "\n".join(rows) + "\n")
    request = request_for(clients, 2, f"s3://{clients.bucket}/{prefix}/")
    request["InputDataConfig"][0].pop("ContentType")
    request["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3DataDistributionType"] = "ShardedByS3Key"
    job = run(clients, request)
    metrics = {m["MetricName"]: m["Value"] for m in job["FinalMetricDataList"]}
    assert metrics["train:objective_loss"] < 0.5


def test_boosting_on_two_hosts_is_as_good(clients):
    def boost(hosts):
        request = request_for(clients, hosts)
        request["AlgorithmSpecification"]["TrainingImage"] = "811284229777.dkr.ecr.us-east-1.amazonaws.com/xgboost:1"
        request["InputDataConfig"] = [
            jobs.csv_channel(clients.put("digits.csv", data.digits().train_csv * COPIES)),
            jobs.csv_channel(clients.put("held-out.csv", data.csv(data.digits().test_labels, data.digits().test_features)), "validation"),
        ]
        request["HyperParameters"] = {
            "objective": "multi:softprob",
            "num_class": "10",
            "num_round": "5",
            "tree_method": "hist",
            "eval_metric": "merror,accuracy",
        }
        job = run(clients, request)
        return job, {m["MetricName"]: m["Value"] for m in job["FinalMetricDataList"]}

    _, alone = boost(1)
    job, both = boost(2)
    assert sum(first(READ, lines)[1] for lines in streams(clients, job["TrainingJobName"]).values()) == first(
        READ, streams(clients, job["TrainingJobName"])["algo-1"]
    )[2]
    for name, value in alone.items():
        assert both[name] == pytest.approx(value, abs=0.02), name
    assert both["validation:accuracy"] == pytest.approx(1 - both["validation:merror"], abs=1e-4)


@pytest.mark.parametrize("victim", ["algo-1", "algo-2"])
def test_a_host_killed_in_mid_epoch_ends_the_attempt_at_once(victim, lasting_job):
    server, clients, name = lasting_job

    def described():
        return clients.sagemaker.describe_training_job(TrainingJobName=name)

    living = processes.agents(server.data_dir)
    by_host = {"algo-1": min(living, key=len), "algo-2": max(living, key=len)}
    processes.kill(living[by_host[victim]]["pid"])
    killed = time.time()

    def interrupted():
        return [t for t in described()["SecondaryStatusTransitions"] if t["Status"] == "Interrupted"]

    wait_for(interrupted, 30, "the attempt to end")
    transition = interrupted()[0]
    assert f"({victim}: its process was killed by signal 9)" in transition["StatusMessage"]
    print(f"ended {transition['StartTime'].timestamp() - killed:+.3f} s after the kill")
    # Another attempt with both hosts follows; what was lost is nobody's model.
    wait_for(lambda: len(processes.agents(server.data_dir)) == 2, 60, "the next attempt")
    assert not set(processes.agents(server.data_dir)) & set(living)
    clients.sagemaker.stop_training_job(TrainingJobName=name)
    job = jobs.await_job(clients, name)
    assert job["TrainingJobStatus"] == "Stopped"


def test_a_host_told_to_end_by_somebody_else_is_no_success(lasting_job):
    """All hosts stop when one is told to: what they have then is no finished model."""
    server, clients, name = lasting_job
    living = processes.agents(server.data_dir)
    processes.kill(living[max(living, key=len)]["pid"], signal.SIGTERM)

    def transitions():
        job = clients.sagemaker.describe_training_job(TrainingJobName=name)
        assert job["TrainingJobStatus"] == "InProgress", job
        return [t["Status"] for t in job["SecondaryStatusTransitions"]]

    wait_for(lambda: "Interrupted" in transitions(), 30, "the attempt to end")
    wait_for(lambda: len(processes.agents(server.data_dir)) == 2, 60, "the next attempt")
    clients.sagemaker.stop_training_job(TrainingJobName=name)
    jobs.await_job(clients, name)


def test_the_hosts_outlive_the_server(lasting_job, clients_of):
    server, clients, name = lasting_job
    before = {i: a["pid"] for i, a in processes.agents(server.data_dir).items()}
    server.kill()
    server.start()
    assert {i: a["pid"] for i, a in processes.agents(server.data_dir).items()} == before
    clients = clients_of(server)
    clients.sagemaker.stop_training_job(TrainingJobName=name)
    job = jobs.await_job(clients, name)
    assert job["TrainingJobStatus"] == "Stopped"
    assert job["ModelArtifacts"]["S3ModelArtifacts"], "the head's model, as it stood when all stopped"
    assert not any(t["Status"] == "Interrupted" for t in job["SecondaryStatusTransitions"])


@pytest.mark.parametrize("victim", ["one", "everything"])
def test_killed_hosts_go_on_from_the_checkpoint_to_the_same_bytes(victim, start_server, clients_of):
    server = start_server()
    clients = clients_of(server)
    uri = clients.put("digits.csv", data.digits().train_csv * COPIES)
    steady = {"epochs": "60", "early_stopping_patience": "1000", "argosy_checkpoint_seconds": "0.05"}
    expected = members(clients, run(clients, request_for(clients, 2, uri, **steady)))
    request = request_for(clients, 2, uri, **steady)
    request["CheckpointConfig"] = {"S3Uri": f"s3://{clients.bucket}/kept/"}
    name = request["TrainingJobName"]
    clients.sagemaker.create_training_job(**request)
    wait_for(lambda: clients.s3.list_objects_v2(Bucket=clients.bucket, Prefix="kept/").get("Contents"), 60, "a checkpoint")
    if victim == "one":
        processes.kill(list(processes.agents(server.data_dir).values())[1]["pid"])
    else:
        server.kill_everything()
        server.start()
        clients = clients_of(server)
    job = jobs.await_job(clients, name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert members(clients, job) == expected
    lines = [e["message"] for e in clients.logs.filter_log_events(logGroupName=GROUP, logStreamNamePrefix=name + "/")["events"]]
    assert any("resuming from the checkpoint" in line for line in lines)


def test_a_bad_row_in_one_hosts_part_is_the_jobs_failure(clients):
    text = data.digits().train_csv * COPIES
    cut = text.index("\n", len(text) * 3 // 4) + 1
    line = text[:cut].count("\n") + 1
    request = request_for(clients, 2, clients.put("bad.csv", text[:cut] + "1,2,three\n" + text[cut:]))
    clients.sagemaker.create_training_job(**request)
    job = jobs.await_job(clients, request["TrainingJobName"])
    assert job["TrainingJobStatus"] == "Failed"
    assert f"line {line}" in job["FailureReason"]


def test_more_hosts_than_there_can_be_fail_with_the_reason(clients):
    request = request_for(clients, 17)
    with pytest.raises(clients.sagemaker.exceptions.ClientError, match="(?i)instanceCount"):
        clients.sagemaker.create_training_job(**request)
