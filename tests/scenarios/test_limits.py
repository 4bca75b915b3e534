"""What is bounded stays so in the built program: memory of the server and of a training, and what an instance may have."""

import hashlib
import os
import random
from pathlib import Path

import pytest

from harness import data, jobs
from harness.processes import agents, await_agents, wait_for
from harness.server import sanitized

MIB = 1 << 20


def peak_resident_bytes(pid):
    """The most that a process has had in memory; nothing once it is gone."""
    try:
        with open(f"/proc/{pid}/status") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except (FileNotFoundError, ProcessLookupError):
        pass
    return 0


def nice_values(pid):
    """Of each thread, since Linux has one for each."""
    stats = [task.read_text() for task in Path(f"/proc/{pid}/task").glob("*/stat")]
    return {int(stat.rsplit(")", 1)[1].split()[16]) for stat in stats}


def oom_score_adjustment(pid):
    return int(Path(f"/proc/{pid}/oom_score_adj").read_text())


class Noise:
    """A body of random bytes that is made as it is read, so that the client holds none of it."""

    def __init__(self, size, seed):
        self._random = random.Random(seed)
        self._left = size
        self.digest = hashlib.md5()

    def read(self, count=-1):
        take = self._left if count is None or count < 0 else min(count, self._left)
        self._left -= take
        piece = self._random.randbytes(take)
        self.digest.update(piece)
        return piece


@pytest.mark.skipif(sanitized(), reason="sanitizers keep freed memory")
def test_the_servers_memory_does_not_grow_with_the_objects(start_server, clients_of):
    server = start_server()
    clients = clients_of(server)
    for i, size in enumerate((8, 192, 192)):
        body = Noise(size * MIB, i)
        clients.s3.upload_fileobj(body, clients.bucket, "large")
        if size == 8:
            small = peak_resident_bytes(server.pid)
        back = hashlib.md5()
        for piece in clients.s3.get_object(Bucket=clients.bucket, Key="large")["Body"].iter_chunks(MIB):
            back.update(piece)
        assert back.digest() == body.digest.digest()
    # Parts of 8 MB come in ten at a time; none is held whole.
    assert peak_resident_bytes(server.pid) < small + 40 * MIB


def test_a_training_of_more_rows_than_its_memory_holds(start_server, clients_of):
    """Rows go to the disk beyond a bound: 24,000,000 numbers of four bytes each, in an instance that has 64 MiB in all."""
    clients = clients_of(start_server("--memory", "64M"))
    lines = "".join(f"{i % 2},{','.join(str((i * j) % 10) for j in range(29))}\n" for i in range(1, 10_001))
    uri = clients.put("limits/large.csv", lines.encode() * 80)
    job = jobs.train(clients, uri, hyperparameters={"epochs": "1", "mini_batch_size": "1000"})
    assert job["TrainingJobStatus"] == "Completed"


@pytest.mark.skipif(sanitized(), reason="sanitizers reserve address space that would count against the limit")
def test_a_training_that_outgrows_its_memory_says_so(start_server, clients_of):
    clients = clients_of(start_server("--memory", "64M"))
    wide = ",".join("0.5" for _ in range(400_000))
    request = jobs.training_request(
        clients,
        clients.put("limits/wide.csv", f"1,{wide}\n0,{wide}\n"),
        predictor_type="multiclass_classifier",
        hyperparameters={"num_classes": "20"},
    )
    clients.sagemaker.create_training_job(**request)
    job = jobs.await_job(clients, request["TrainingJobName"])
    assert job["TrainingJobStatus"] == "Failed"
    assert "memory" in job["FailureReason"] and "64" in job["FailureReason"], job["FailureReason"]


def test_jobs_wait_for_memory_and_run_in_turn(start_server, clients_of):
    """A job holds at least 256 MiB: on 300 MiB there is room for one."""
    server = start_server("--memory", "300M")
    clients = clients_of(server)
    requests = [jobs.lasting(clients, 2)()]
    uri = clients.put("t.csv", data.breast_cancer().train_csv)
    requests += [jobs.training_request(clients, uri, hyperparameters={"epochs": "1"}) for _ in range(2)]
    for request in requests:
        clients.sagemaker.create_training_job(**request)

    def describe(request):
        return clients.sagemaker.describe_training_job(TrainingJobName=request["TrainingJobName"])

    await_agents(server.data_dir, 1)
    waiting = describe(requests[1])
    assert waiting["SecondaryStatus"] in ("Pending", "Starting"), waiting["SecondaryStatus"]
    assert "Waiting for memory" in waiting["SecondaryStatusTransitions"][-1]["StatusMessage"]

    def all_ended():
        assert len(agents(server.data_dir)) <= 1
        return all(describe(r)["TrainingJobStatus"] != "InProgress" for r in requests)

    wait_for(all_ended, 120, "the jobs to end one after another")
    ended = [describe(r) for r in requests]
    assert [job["TrainingJobStatus"] for job in ended] == ["Completed"] * 3
    assert ended[1]["TrainingStartTime"] >= ended[0]["TrainingEndTime"]


def test_training_yields_to_serving_and_agents_to_the_server(start_server, clients_of):
    server = start_server()
    clients = clients_of(server)
    job = jobs.train(clients, clients.put("t.csv", data.breast_cancer().train_csv))
    jobs.deploy(clients, job["ModelArtifacts"]["S3ModelArtifacts"])
    (serving,) = await_agents(server.data_dir, 1).values()
    make = jobs.lasting(clients, 2)
    await_agents(server.data_dir, 1)
    clients.sagemaker.create_training_job(**make())
    (training,) = [a["pid"] for a in await_agents(server.data_dir, 2).values() if a["pid"] != serving["pid"]]
    own = os.getpriority(os.PRIO_PROCESS, 0)
    wait_for(lambda: own + 5 in nice_values(training), 30, "the threads that train to be nice")
    assert nice_values(serving["pid"]) == nice_values(server.pid) == {own}
    assert oom_score_adjustment(training) == oom_score_adjustment(serving["pid"]) == 500
    assert oom_score_adjustment(server.pid) == 0
