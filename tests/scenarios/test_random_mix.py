"""Everything at once while the server is killed again and again: what was acknowledged is there, byte for byte.

Each worker does what it likes with keys of its own, and knows what must be found there. An operation whose answer was lost
may have happened or not; the next look at the key settles which. ARGOSY_MIX_SECONDS says how long it goes on (15), and
ARGOSY_MIX_SEED which course it takes.
"""

import os
import random
import threading
import time

import botocore.exceptions

SECONDS = float(os.environ.get("ARGOSY_MIX_SECONDS", 15))
SEED = int(os.environ.get("ARGOSY_MIX_SEED", 1))
WORKERS = 6
KEYS = 12
BUCKET = "mix"
PART_BYTES = 5 << 20

# What a client sees when the server goes: the connection breaks, or nobody listens.
LOST = (
    botocore.exceptions.EndpointConnectionError,
    botocore.exceptions.ConnectionClosedError,
    botocore.exceptions.ConnectionError,
    botocore.exceptions.HTTPClientError,
    botocore.exceptions.ResponseStreamingError,
)
ABSENT = None


class World:
    """The server, and who kills it."""

    def __init__(self, server, clients):
        self.server, self.clients = server, clients
        self.random = random.Random(SEED)
        self.up = threading.Event()
        self.up.set()
        self.over = threading.Event()
        self.kills = 0
        self.faults = []

    def kill_and_start(self, until):
        while time.monotonic() < until and not self.faults:
            time.sleep(self.random.uniform(0.2, 2.5))
            self.up.clear()
            if self.random.random() < 0.8:
                self.server.kill()
            else:
                self.server.kill_everything()
            self.kills += 1
            self.server.start()
            self.up.set()
        self.over.set()


class Worker(threading.Thread):
    """One client with keys of its own. `known`: by key (bytes, tags), or ABSENT."""

    def __init__(self, world, number):
        super().__init__()
        self.world = world
        self.random = random.Random(f"{SEED} {number}")
        self.keys = [f"worker-{number}/{'deep/' * (i % 3)}key {i}" for i in range(KEYS)]
        self.number = number
        self.known = dict.fromkeys(self.keys, ABSENT)
        self.done = 0
        self.lost = 0

    @property
    def s3(self):
        return self.world.clients.s3

    def run(self):
        try:
            while not self.world.over.is_set():
                self.step()
        except Exception as error:  # noqa: BLE001 - told by the test
            self.world.faults.append(f"worker {self.number}: {type(error).__name__}: {error}")

    def step(self):
        key = self.random.choice(self.keys)
        name = self.random.choice(["put", "put", "put_new", "parts", "copy", "delete", "delete_many", "tag", "look", "list"])
        before = dict(self.known)
        wanted = {}
        try:
            getattr(self, name)(key, wanted)
        except LOST:
            self.lost += 1
            self.settle(before, wanted)
            return
        self.known.update(wanted)
        self.done += 1

    def body(self):
        return self.random.randbytes(self.random.choice([0, 1, 1000, 70_000, 300_000]))

    # Each writes to `wanted` what will be so, before it asks for it.

    def put(self, key, wanted):
        body, tag = self.body(), str(self.random.randrange(100))
        wanted[key] = (body, {"tag": tag})
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body, Tagging=f"tag={tag}")

    def put_new(self, key, wanted):
        body = self.body()
        if self.known[key] is ABSENT:
            wanted[key] = (body, {})
            self.s3.put_object(Bucket=BUCKET, Key=key, Body=body, IfNoneMatch="*")
            return
        try:
            self.s3.put_object(Bucket=BUCKET, Key=key, Body=body, IfNoneMatch="*")
            raise AssertionError(f"{key} was overwritten in spite of If-None-Match")
        except botocore.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == "PreconditionFailed", error

    def parts(self, key, wanted):
        bodies = [self.random.randbytes(PART_BYTES)] * self.random.choice([0, 1]) + [self.random.randbytes(1000)]
        upload = self.s3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
        named = []
        for number, body in enumerate(bodies, 1):
            told = self.s3.upload_part(Bucket=BUCKET, Key=key, UploadId=upload, PartNumber=number, Body=body)
            named.append({"PartNumber": number, "ETag": told["ETag"]})
        if self.random.random() < 0.2:
            self.s3.abort_multipart_upload(Bucket=BUCKET, Key=key, UploadId=upload)
            return
        wanted[key] = (b"".join(bodies), {})
        self.s3.complete_multipart_upload(
            Bucket=BUCKET, Key=key, UploadId=upload, MultipartUpload={"Parts": named}
        )

    def copy(self, key, wanted):
        source = self.random.choice(self.keys)
        if source == key or self.known[source] is ABSENT:
            return
        wanted[key] = self.known[source]
        self.s3.copy_object(Bucket=BUCKET, Key=key, CopySource={"Bucket": BUCKET, "Key": source})

    def delete(self, key, wanted):
        wanted[key] = ABSENT
        self.s3.delete_object(Bucket=BUCKET, Key=key)

    def delete_many(self, _, wanted):
        some = self.random.sample(self.keys, 3)
        wanted.update(dict.fromkeys(some, ABSENT))
        told = self.s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key} for key in some]})
        assert len(told.get("Deleted", [])) == 3, told

    def tag(self, key, wanted):
        if self.known[key] is ABSENT:
            return
        tags = {"tag": str(self.random.randrange(100)), "other": "x"}
        wanted[key] = (self.known[key][0], tags)
        self.s3.put_object_tagging(
            Bucket=BUCKET, Key=key, Tagging={"TagSet": [{"Key": k, "Value": v} for k, v in tags.items()]}
        )

    def look(self, key, _):
        found = self.found(key)
        assert found == self.known[key], f"{key}: {told(found)} in place of {told(self.known[key])}"

    def list(self, *_):
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=BUCKET, Prefix=f"worker-{self.number}/", PaginationConfig={"PageSize": 5}
        )
        listed = {item["Key"]: item["Size"] for page in pages for item in page.get("Contents", [])}
        expected = {key: len(value[0]) for key, value in self.known.items() if value is not ABSENT}
        assert listed == expected, f"listed {listed} in place of {expected}"

    def found(self, key):
        try:
            body = self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        except botocore.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == "NoSuchKey", error
            return ABSENT
        tags = self.s3.get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"]
        return body, {tag["Key"]: tag["Value"] for tag in tags}

    def settle(self, before, wanted):
        """What an operation without an answer touched is as before or as wanted, never anything else."""
        left = list(wanted)
        while left:
            self.world.up.wait(60)
            try:
                found = self.found(left[0])
            except LOST:
                continue
            key = left.pop(0)
            assert found in (before[key], wanted[key]), f"{key}: {told(found)} is neither what was nor what was to be"
            self.known[key] = found


def told(value):
    return "nothing" if value is ABSENT else f"{len(value[0])} bytes with tags {value[1]}"


def test_what_was_acknowledged_outlives_any_number_of_kills(start_server, clients_of, record_property):
    server = start_server()
    world = World(server, clients_of(server))
    world.clients.s3.create_bucket(Bucket=BUCKET)
    workers = [Worker(world, number) for number in range(WORKERS)]
    for worker in workers:
        worker.start()
    world.kill_and_start(time.monotonic() + SECONDS)
    for worker in workers:
        worker.join(120)
    assert not world.faults, world.faults

    def check():
        for worker in workers:
            worker.list()
            for key in worker.keys:
                worker.look(key, {})

    check()
    # Nothing that was under way is left behind, and the files alone tell the same.
    objects = server.data_dir / "objects"
    assert not any((objects / "staging").iterdir())
    server.stop()
    for index in objects.glob("index.db*"):
        index.unlink()
    server.start()
    check()
    done, lost = sum(worker.done for worker in workers), sum(worker.lost for worker in workers)
    record_property("mix", f"{done} operations, {lost} without an answer, {world.kills} kills")
    print(f"{done} operations, {lost} without an answer, {world.kills} kills")
    assert done > 50 and lost > 0 and world.kills >= 3
