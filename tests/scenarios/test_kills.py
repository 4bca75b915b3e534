"""kill -9 at random moments: of the server, of the agents, of everything; nothing acknowledged is lost.

One test per moment and victim, each a chain of kills on one data directory. ARGOSY_KILLS sets how many (50 for the full
run), ARGOSY_SEED which moments; a failing chain names both.
"""

import concurrent.futures
import hashlib
import os
import random
import time

import botocore.config
import numpy as np
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from harness import data, jobs
from harness.clients import CONFIG
from harness.processes import wait_for

KILLS = int(os.environ.get("ARGOSY_KILLS") or 5)
SEED = os.environ.get("ARGOSY_SEED", "1")
PART = 5 << 20  # the least that a part other than the last may have
ROW = data.rows(data.breast_cancer().test_features[:1])


class Chain:
    """One server through many kills, and what it has acknowledged so far."""

    def __init__(self, server, clients, victim, seed):
        self.server = server
        self.victim = victim
        self.random = random.Random(seed)
        self.clients = clients
        # What is checked after a restart may be asked again; what is being killed is asked once, so that an
        # acknowledgement is one.
        patient = CONFIG.merge(botocore.config.Config(retries={"total_max_attempts": 5, "mode": "standard"}))
        self.once = {name: clients.client(name) for name in ("s3", "sagemaker")}
        for name in ("s3", "sagemaker", "sagemaker-runtime"):
            clients.__dict__["runtime" if name == "sagemaker-runtime" else name] = clients.client(name, config=patient)
        self.pool = concurrent.futures.ThreadPoolExecutor(1)
        self.objects = {}  # key: bytes
        self.completed = {}  # job: (ETag of its artifact)

    def put_something(self, i):
        key, body = f"kept/{i}", self.random.randbytes(self.random.choice([0, 10, 1000, 100_000]))
        self.clients.put(key, body)
        self.objects[key] = body

    def strike(self, action, window):
        """Starts `action`, kills the victim at a random moment of the window (seconds), starts what must be started.
        Gives (acknowledged, result or None)."""
        running = self.pool.submit(action)
        time.sleep(self.random.uniform(0, window))
        self.kill()
        try:
            result = running.result(60)
        except (BotoCoreError, ClientError) as failure:
            if self.victim == "agent":
                raise  # the server lived: nothing may fail
            if isinstance(failure, ClientError):
                status = failure.response["ResponseMetadata"]["HTTPStatusCode"]
                assert status >= 500, failure  # shutting down is no fault of the caller's
            acknowledged, result = False, None
        else:
            acknowledged = True
        self.revive()
        return acknowledged, result

    def kill(self):
        if self.victim == "server":
            self.server.kill()
        elif self.victim == "agent":
            self.server.kill_agents()
        else:
            self.server.kill_everything()

    def revive(self):
        if self.victim != "agent":
            self.server.start()

    def check_job(self, request, acknowledged):
        """Exactly once and whole, or (never acknowledged) not at all."""
        name = request["TrainingJobName"]
        try:
            job = jobs.await_job(self.clients, name)
        except ClientError as missing:
            assert not acknowledged, f"acknowledged job {name} is lost"
            assert missing.response["Error"]["Code"] == "ValidationException"
            return None
        assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
        transitions = [t["Status"] for t in job["SecondaryStatusTransitions"]]
        assert transitions.count("Completed") == 1 and transitions[-1] == "Completed"
        assert job["BillableTimeInSeconds"] >= 1
        prefix = f"out/{name}/"
        listed = self.clients.s3.list_objects_v2(Bucket=self.clients.bucket, Prefix=prefix).get("Contents", [])
        assert [o["Key"] for o in listed] == [prefix + "output/model.tar.gz"]
        artifact = job["ModelArtifacts"]["S3ModelArtifacts"]
        assert artifact == f"s3://{self.clients.bucket}/{prefix}output/model.tar.gz"
        assert jobs.artifact_members(self.clients, artifact)
        self.completed[name] = listed[0]["ETag"], job["TrainingEndTime"]
        return job

    def check_everything(self):
        """At the end of the chain: all that was ever acknowledged is as it was."""
        for key, body in self.objects.items():
            assert self.clients.get(f"s3://{self.clients.bucket}/{key}") == body, f"object {key} has changed"
        for name, (etag, ended) in self.completed.items():
            job = self.clients.sagemaker.describe_training_job(TrainingJobName=name)
            assert (job["TrainingJobStatus"], job["TrainingEndTime"]) == ("Completed", ended)
            head = self.clients.s3.head_object(Bucket=self.clients.bucket, Key=f"out/{name}/output/model.tar.gz")
            assert head["ETag"] == etag, f"the artifact of {name} was published again"
        wait_for(lambda: not self.busy_staging(), 60, "staging areas to be swept")

    def busy_staging(self):
        staging = self.server.data_dir / "objects" / "staging"
        return staging.exists() and any(staging.iterdir())


@pytest.fixture
def chain(start_server, clients_of, request, record_property):
    def make(moment, victim, *options):
        server = start_server(*options)
        clients = clients_of(server)
        clients.bucket  # made before the first kill
        record_property("seed", SEED)
        return Chain(server, clients, victim, f"{SEED}/{moment}/{victim}")

    return make


def median_seconds(action, times=3):
    taken = []
    for _ in range(times):
        begin = time.monotonic()
        action()
        taken.append(time.monotonic() - begin)
    return sorted(taken)[times // 2]


def run_job(chain, request):
    chain.once["sagemaker"].create_training_job(**request)
    return jobs.await_job(chain.clients, request["TrainingJobName"])


@pytest.mark.parametrize("victim", ["server", "agent", "everything"])
def test_at_job_start(chain, victim):
    chain = chain("job start", victim)
    uri = chain.clients.put("t.csv", data.breast_cancer().train_csv)

    def request():
        return jobs.training_request(chain.clients, uri, hyperparameters={"epochs": "2"})

    whole = median_seconds(lambda: run_job(chain, request()))
    for i in range(KILLS):
        chain.put_something(i)
        asked = request()
        acknowledged, _ = chain.strike(lambda: chain.once["sagemaker"].create_training_job(**asked), whole)
        chain.check_job(asked, acknowledged)
    chain.check_everything()


@pytest.mark.parametrize("victim", ["server", "agent", "everything"])
def test_mid_job(chain, victim):
    chain = chain("mid job", victim)
    request = jobs.lasting(chain.clients, 0.6)
    whole = median_seconds(lambda: run_job(chain, request()), times=1)
    for i in range(KILLS):
        chain.put_something(i)
        asked = request()
        chain.once["sagemaker"].create_training_job(**asked)
        name = asked["TrainingJobName"]
        wait_for(
            lambda: (
                chain.clients.sagemaker.describe_training_job(TrainingJobName=name)["SecondaryStatus"]
                not in ("Starting", "Pending")
            ),
            jobs.JOB_SECONDS,
            f"{name} to begin",
            every=0.005,
        )
        chain.strike(lambda: None, whole)
        chain.check_job(asked, acknowledged=True)
    chain.check_everything()


def wide_csv():
    """300 rows of 1,500 random features: the artifact is some hundred kilobytes and its upload takes a while."""
    noise = np.random.default_rng(7).normal(size=(300, 1500))
    return data.csv(np.arange(300) % 10, noise.round(3))


@pytest.mark.parametrize("victim", ["server", "agent", "everything"])
def test_at_artifact_upload(chain, victim):
    chain = chain("artifact upload", victim)
    uri = chain.clients.put("wide.csv", wide_csv())

    def request():
        return jobs.training_request(
            chain.clients,
            uri,
            predictor_type="multiclass_classifier",
            hyperparameters={"num_classes": "10", "epochs": "1", "num_models": "1"},
        )

    whole = median_seconds(lambda: run_job(chain, request()), times=5)
    # From a while before the end, as long as it takes on this machine, to a little after it.
    before_end = min(whole / 2, 0.25)
    for i in range(KILLS):
        chain.put_something(i)
        asked = request()
        begin = time.monotonic()
        chain.once["sagemaker"].create_training_job(**asked)
        time.sleep(max(0.0, whole - before_end - (time.monotonic() - begin)))
        chain.strike(lambda: None, before_end * 1.2)
        chain.check_job(asked, acknowledged=True)
    chain.check_everything()


@pytest.mark.parametrize("victim", ["server", "everything"])
def test_at_multipart_complete(chain, victim):
    chain = chain("multipart complete", victim)
    s3, bucket = chain.once["s3"], chain.clients.bucket

    def upload(key, bodies):
        made = chain.clients.s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
        parts = []
        for number, body in enumerate(bodies, 1):
            told = chain.clients.s3.upload_part(Bucket=bucket, Key=key, UploadId=made, PartNumber=number, Body=body)
            parts.append({"PartNumber": number, "ETag": told["ETag"]})
        return made, parts

    def complete(key, upload_id, parts, client=s3):
        return client.complete_multipart_upload(
            Bucket=bucket, Key=key, UploadId=upload_id, MultipartUpload={"Parts": parts}
        )

    def timed(key="timing"):
        made, parts = upload(key, [b"\1" * PART, b"\2" * PART])
        begin = time.monotonic()
        complete(key, made, parts)
        return time.monotonic() - begin

    window = max(sorted(timed() for _ in range(3))[1] * 1.5, 0.005)
    for i in range(KILLS):
        chain.put_something(i)
        key = f"multi/{i}"
        old = None
        if i % 2:
            old = b"the object before"
            chain.clients.put(key, old)
        bodies = [chain.random.randbytes(1024) * (PART // 1024), chain.random.randbytes(1024) * (PART // 1024), b"tail"]
        whole = b"".join(bodies)
        made, parts = upload(key, bodies)
        acknowledged, _ = chain.strike(lambda: complete(key, made, parts), window)
        try:
            found = chain.clients.get(f"s3://{bucket}/{key}")
        except ClientError as missing:
            assert missing.response["Error"]["Code"] == "NoSuchKey"
            found = None
        assert found in (old, whole), f"object {key} is torn: {len(found)} bytes"
        if acknowledged:
            assert found == whole
        if found != whole:
            # The parts are all there still.
            complete(key, made, parts, chain.clients.s3)
            assert chain.clients.get(f"s3://{bucket}/{key}") == whole
        digest = hashlib.md5(b"".join(hashlib.md5(b).digest() for b in bodies)).hexdigest()
        head = chain.clients.s3.head_object(Bucket=bucket, Key=key)
        assert head["ETag"] == f'"{digest}-3"'
        assert head["ContentLength"] == len(whole)
        listed = chain.clients.s3.list_objects_v2(Bucket=bucket, Prefix=key)["Contents"]
        assert [(o["Key"], o["Size"], o["ETag"]) for o in listed] == [(key, len(whole), head["ETag"])]
        chain.objects[key] = whole
    chain.check_everything()


@pytest.mark.parametrize("victim", ["server", "agent", "everything"])
def test_at_create_endpoint(chain, victim):
    chain = chain("create endpoint", victim)
    clients = chain.clients
    job = jobs.train(clients, clients.put("t.csv", data.breast_cancer().train_csv))
    model = jobs.create_model(clients, job["ModelArtifacts"]["S3ModelArtifacts"])
    config = jobs.create_config(clients, [jobs.variant(model, count=4)])
    expected = None

    def create(name, client):
        client.create_endpoint(EndpointName=name, EndpointConfigName=config)

    def whole():
        name = jobs.unique("timing")
        create(name, chain.once["sagemaker"])
        assert jobs.await_endpoint(clients, name)["EndpointStatus"] == "InService"
        clients.sagemaker.delete_endpoint(EndpointName=name)

    window = median_seconds(whole) * 1.2
    for i in range(KILLS):
        chain.put_something(i)
        name = jobs.unique("struck")
        acknowledged, _ = chain.strike(lambda: create(name, chain.once["sagemaker"]), window)
        try:
            endpoint = jobs.await_endpoint(clients, name)
        except ClientError as missing:
            assert not acknowledged, f"acknowledged endpoint {name} is lost"
            assert "Could not find" in missing.response["Error"]["Message"]
            continue
        assert endpoint["EndpointStatus"] == "InService", endpoint.get("FailureReason")

        # An instance killed after it was in service is replaced; until then a request may be refused.
        def answer():
            try:
                return jobs.invoke(clients, name, ROW)
            except ClientError as refused:
                assert refused.response["ResponseMetadata"]["HTTPStatusCode"] in (424, 500, 503), refused
                return None

        found = wait_for(answer, 60, f"{name} to answer")
        expected = expected or found
        assert found == expected
        jobs.delete_endpoint(clients, name)
    wait_for(lambda: not chain.server.agent_pids(), 60, "the deleted endpoints' instances to end")
    chain.check_everything()
