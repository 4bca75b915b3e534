"""A server whose objects lie in MinIO: jobs and endpoints as ever, starts that cannot work, and a MinIO that goes away."""

import hashlib
import io
import random
import signal
import threading
import time

import botocore.exceptions
import pytest
from boto3.s3.transfer import TransferConfig

from harness import data, jobs, minio
from harness.outside import *  # noqa: F403
from harness.server import run, sanitized

MIB = 1 << 20


def test_a_model_is_trained_and_answers(shared_clients, store):
    uri = shared_clients.put("cancer/train.csv", data.breast_cancer().train_csv)
    job = jobs.train(shared_clients, uri, hyperparameters={"epochs": "10"})
    artifact = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert jobs.artifact_members(shared_clients, artifact)
    # Where everybody else would look for it.
    key = "argosy/objects/" + artifact.removeprefix("s3://")
    assert store.client().head_object(Bucket=minio.BUCKET, Key=key)["ContentType"] == "application/x-gzip"
    endpoint = jobs.deploy(shared_clients, artifact)
    rows = data.breast_cancer().train_csv.splitlines()[:20]
    answer = shared_clients.runtime.invoke_endpoint(
        EndpointName=endpoint,
        ContentType="text/csv",
        Body="\n".join(row.partition(",")[2] for row in rows),
    )
    assert answer["Body"].read().count(b"predicted_label") == 20
    shared_clients.sagemaker.delete_endpoint(EndpointName=endpoint)


def test_objects_put_there_by_others_are_seen(s3, bucket, store):
    key = f"argosy/objects/{bucket}/theirs/data.csv"
    store.client().put_object(Bucket=minio.BUCKET, Key=key, Body=b"1,2\n", Metadata={"by": "others"})
    assert [o["Key"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["theirs/data.csv"]
    reply = s3.get_object(Bucket=bucket, Key="theirs/data.csv")
    assert (reply["Body"].read(), reply["Metadata"]) == (b"1,2\n", {"by": "others"})


def test_an_object_replaced_by_others_while_it_is_read_breaks_off_and_is_never_mixed(s3, bucket, store):
    old = random.Random(1).randbytes(96 * MIB)
    s3.upload_fileobj(io.BytesIO(old), bucket, "k")
    stream = s3.get_object(Bucket=bucket, Key="k")["Body"]
    got = stream.read(MIB)
    store.client().put_object(Bucket=minio.BUCKET, Key=f"argosy/objects/{bucket}/k", Body=bytes(96 * MIB))
    with pytest.raises((botocore.exceptions.IncompleteReadError, botocore.exceptions.ResponseStreamingError)):
        while piece := stream.read(MIB):
            got += piece
    assert old.startswith(got)
    assert s3.get_object(Bucket=bucket, Key="k", Range="bytes=0-9")["Body"].read() == bytes(10)


@pytest.mark.skipif(sanitized(), reason="sanitizers keep freed memory")
def test_a_large_object_passes_in_little_memory(store, start_server, clients_of):
    server = start_server(*store.options("large"), env=store.environment())
    s3 = clients_of(server).s3
    s3.create_bucket(Bucket="bucket")
    body = random.Random(2).randbytes(96 * MIB) * 4
    s3.put_object(Bucket="bucket", Key="k", Body=body)
    stream = s3.get_object(Bucket="bucket", Key="k")["Body"]
    digest = hashlib.md5()
    while piece := stream.read(MIB):
        digest.update(piece)
    assert digest.digest() == hashlib.md5(body).digest()
    status = dict(line.split(":", 1) for line in open(f"/proc/{server.pid}/status"))
    assert int(status["VmHWM"].split()[0]) < 100 * 1024


@pytest.mark.parametrize(
    "uri, environment, said",
    [
        ("s3://nowhere-at-all/x", {}, "NoSuchBucket"),
        (f"s3://{minio.BUCKET}/x", {"ARGOSY_OBJECT_STORE_SECRET_ACCESS_KEY": "not-the-secret"}, "SignatureDoesNotMatch"),
        (f"s3://{minio.BUCKET}/x", {"ARGOSY_OBJECT_STORE_ENDPOINT": "http://127.0.0.1:9"}, "cannot connect to 127.0.0.1:9"),
    ],
)
def test_a_start_that_cannot_work_says_why(store, tmp_path, uri, environment, said):
    given = {**store.environment(), "ARGOSY_OBJECT_STORE_ENDPOINT": store.endpoint, **environment}
    done = run("up", "--listen", "127.0.0.1:0", "--object-store", uri, data_dir=tmp_path / "data", env=given)
    lines = [line for line in done.err.splitlines() if not line.startswith("{")]
    assert (done.code, len(lines)) == (1, 1), done
    assert said in lines[0]
    assert uri in lines[0]


def test_without_a_key_the_start_says_where_keys_are_looked_for(store, tmp_path):
    done = run(
        "up",
        *store.options(),
        "--listen",
        "127.0.0.1:0",
        "--object-store-credentials",
        tmp_path / "absent",
        data_dir=tmp_path / "data",
    )
    assert done.code == 1
    assert "ARGOSY_OBJECT_STORE_ACCESS_KEY_ID" in done.err


def test_a_key_from_an_aws_credentials_file(store, tmp_path, start_server, clients_of):
    file = tmp_path / "keys"
    file.write_text(f"[other]\naws_access_key_id = {minio.ACCESS_KEY}\naws_secret_access_key={minio.SECRET_KEY}\n")
    options = ["--object-store-credentials", str(file), "--object-store-profile", "other"]
    s3 = clients_of(start_server(*store.options("by-file"), *options)).s3
    s3.create_bucket(Bucket="bucket")
    assert [b["Name"] for b in s3.list_buckets()["Buckets"]] == ["bucket"]


@pytest.fixture
def fragile(tmp_path):
    """A MinIO of the test's own, to be killed."""
    try:
        found = minio.Minio(tmp_path / "minio")
    except minio.Missing as why:
        pytest.skip(str(why))
    yield found.start()
    found.dispose()


def uploads_of(store, key):
    """Unfinished, of one exact key: MinIO tells no others."""
    return store.client().list_multipart_uploads(Bucket=minio.BUCKET, Prefix=key).get("Uploads", [])


@pytest.mark.parametrize("wrong", [{"ContentMD5": "AAAAAAAAAAAAAAAAAAAAAA=="}, {"ChecksumCRC32": "AAAAAA=="}])
def test_a_large_body_that_is_not_what_was_announced_leaves_neither_object_nor_upload(s3, bucket, store, wrong):
    key = f"argosy/objects/{bucket}/k"
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        s3.put_object(Bucket=bucket, Key="k", Body=bytes(100 * MIB), **wrong)
    assert caught.value.response["Error"]["Code"] == "BadDigest"
    minio.processes.wait_for(lambda: not uploads_of(store, key), 60, "the upload to be aborted")
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    assert "Contents" not in store.client().list_objects_v2(Bucket=minio.BUCKET, Prefix=key)


def test_a_server_killed_in_the_midst_of_a_large_body_leaves_no_upload_once_it_is_back(store, start_server, clients_of):
    server = start_server(*store.options("killed"), env=store.environment())
    s3 = clients_of(server).s3
    s3.create_bucket(Bucket="bucket")
    seen = []

    class Body(io.BytesIO):
        """Of which the end comes when the outside has an upload, and the server is no more."""

        def read(self, size=-1):
            late = self.tell() > 110 * MIB and self.tell() % MIB == 0  # it is also read to be signed, before it is sent
            if late and not seen and uploads_of(store, "killed/bucket/k"):
                seen.append(True)
                server.kill()
            return super().read(size)

    with pytest.raises(Exception):
        s3.put_object(Bucket="bucket", Key="k", Body=Body(bytes(200 * MIB)))
    assert seen
    assert uploads_of(store, "killed/bucket/k")
    server.start()
    assert not uploads_of(store, "killed/bucket/k")
    assert "Contents" not in clients_of(server).s3.list_objects_v2(Bucket="bucket")


def test_the_server_ends_although_the_outside_does_not_answer(fragile, start_server, clients_of):
    server = start_server(*fragile.options(), env=fragile.environment())
    s3 = clients_of(server).s3
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="before", Body=b"x")
    fragile.process.send_signal(signal.SIGSTOP)

    def put(number):
        with pytest.raises(Exception):
            s3.put_object(Bucket="bucket", Key=f"k{number}", Body=b"x")

    waiting = [threading.Thread(target=put, args=(number,)) for number in range(40)]
    for thread in waiting:
        thread.start()
    staged = server.data_dir / "objects-outside" / "staging"
    minio.processes.wait_for(lambda: len(list(staged.iterdir())) > 3, 60, "puts to wait for the outside")
    done = server.argosy("down")
    fragile.process.send_signal(signal.SIGCONT)
    for thread in waiting:
        thread.join()
    assert done.code == 0, done


def test_while_the_outside_is_away_s3_says_so_and_the_rest_answers(fragile, start_server, clients_of):
    server = start_server(*fragile.options(), env=fragile.environment())
    clients = clients_of(server)
    clients.s3.create_bucket(Bucket="bucket")
    clients.s3.put_object(Bucket="bucket", Key="before", Body=b"stays")
    fragile.kill()
    for call, arguments in [
        (clients.s3.put_object, {"Bucket": "bucket", "Key": "k", "Body": b"x"}),
        (clients.s3.get_object, {"Bucket": "bucket", "Key": "before"}),
        (clients.s3.list_objects_v2, {"Bucket": "bucket"}),
        (clients.s3.delete_object, {"Bucket": "bucket", "Key": "before"}),
    ]:
        with pytest.raises(botocore.exceptions.ClientError) as caught:
            call(**arguments)
        error = caught.value.response
        assert error["ResponseMetadata"]["HTTPStatusCode"] == 503
        assert error["Error"]["Code"] == "ServiceUnavailable"
        assert fragile.endpoint in error["Error"]["Message"]
    assert clients.sagemaker.list_training_jobs()["TrainingJobSummaries"] == []
    assert "does not answer as it should" in server.log_text()
    fragile.start()
    clients.s3.put_object(Bucket="bucket", Key="k", Body=b"y")
    assert [o["Key"] for o in clients.s3.list_objects_v2(Bucket="bucket")["Contents"]] == ["before", "k"]
    assert clients.s3.get_object(Bucket="bucket", Key="before")["Body"].read() == b"stays"
    assert "answers again" in server.log_text()


def test_a_job_that_ends_while_the_outside_is_away_publishes_its_model_later(fragile, start_server, clients_of):
    clients = clients_of(start_server(*fragile.options(), env=fragile.environment()))
    request = jobs.lasting(clients, 3)()
    clients.sagemaker.create_training_job(**request)
    name = request["TrainingJobName"]

    def status():
        return clients.sagemaker.describe_training_job(TrainingJobName=name)["SecondaryStatus"]

    minio.processes.wait_for(lambda: status() == "Training", 60, "the job to train")
    fragile.kill()
    minio.processes.wait_for(lambda: status() == "Uploading", 60, "the job to have its model")
    fragile.start()
    job = jobs.await_job(clients, name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert jobs.artifact_members(clients, job["ModelArtifacts"]["S3ModelArtifacts"])


def test_nothing_acknowledged_is_lost_when_the_outside_is_killed_in_mid_upload(fragile, start_server, clients_of):
    clients = clients_of(start_server(*fragile.options(), env=fragile.environment()))
    s3 = clients.s3
    s3.create_bucket(Bucket="bucket")
    acknowledged, refused = {}, []
    stop = threading.Event()

    def write(worker):
        choose = random.Random(worker)
        for number in range(1000):
            if stop.is_set():
                return
            key = f"{worker}/{number}"
            body = choose.randbytes(choose.choice([100, MIB, 12 * MIB]))
            try:
                if number % 9 == 8:
                    body = body * (70 * MIB // len(body) + 1)  # in parts of the server's
                # Every third in parts of the client's.
                config = TransferConfig(multipart_threshold=8 * MIB if number % 3 == 0 else 1 << 40, use_threads=False)
                s3.upload_fileobj(io.BytesIO(body), "bucket", key, Config=config)
                acknowledged[key] = hashlib.md5(body).hexdigest()
            except Exception as error:  # the transfer manager wraps the client's in its own
                assert "503" in str(error) or "ServiceUnavailable" in str(error), error
                refused.append(key)

    writers = [threading.Thread(target=write, args=(n,)) for n in range(3)]
    for writer in writers:
        writer.start()
    for _ in range(3):
        before = len(acknowledged)
        minio.processes.wait_for(lambda b=before: len(acknowledged) > b + 10, 60, "objects to be acknowledged")
        fragile.kill()
        time.sleep(0.2)
        fragile.start()
    stop.set()
    for writer in writers:
        writer.join()
    assert len(acknowledged) > 30
    for key, digest in acknowledged.items():
        assert hashlib.md5(s3.get_object(Bucket="bucket", Key=key)["Body"].read()).hexdigest() == digest, key
    listed = {o["Key"] for page in s3.get_paginator("list_objects_v2").paginate(Bucket="bucket") for o in page["Contents"]}
    assert set(acknowledged) <= listed <= set(acknowledged) | set(refused)
