"""Everything at once while the server is killed again and again: what was acknowledged is there, byte for byte.

Each worker does what it likes with things of its own – objects, or the resources of SageMaker, CloudWatch
and IAM – and knows what must be found there. An operation whose answer was lost may have happened or not; the next
look settles which. ARGOSY_MIX_SECONDS says how long it goes on (15), and ARGOSY_MIX_SEED which course it takes.
"""

import os
import random
import threading
import time

import botocore.exceptions

from harness import data, jobs

SECONDS = float(os.environ.get("ARGOSY_MIX_SECONDS", 15))
SEED = int(os.environ.get("ARGOSY_MIX_SEED", 1))
WORKERS = 5  # with objects
RESOURCE_WORKERS = 3
KEYS = 12
NAMES = 4  # of each kind of resource
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
    """One client with things of its own. `known`: by thing what is to be found there, or ABSENT."""

    steps = ()

    def __init__(self, world, number, things):
        super().__init__()
        self.world = world
        self.random = random.Random(f"{SEED} {number}")
        self.number = number
        self.things = things
        self.known = dict.fromkeys(things, ABSENT)
        self.done = 0
        self.lost = 0

    def run(self):
        try:
            while not self.world.over.is_set():
                self.step()
        except Exception as error:  # noqa: BLE001 - told by the test
            self.world.faults.append(f"worker {self.number}: {type(error).__name__}: {error}")

    def step(self):
        thing = self.random.choice(self.things)
        name = self.random.choice(self.steps)
        before = dict(self.known)
        wanted = {}
        try:
            getattr(self, name)(thing, wanted)
        except LOST:
            self.lost += 1
            self.settle(before, wanted)
            return
        self.known.update(wanted)
        self.done += 1

    def look(self, thing, _):
        found = self.found(thing)
        assert found == self.known[thing], f"{thing}: {told(found)} in place of {told(self.known[thing])}"

    def settle(self, before, wanted):
        """What an operation without an answer touched is as before or as wanted, never anything else."""
        left = list(wanted)
        while left:
            self.world.up.wait(60)
            try:
                found = self.found(left[0])
            except LOST:
                continue
            thing = left.pop(0)
            assert found in (before[thing], wanted[thing]), (
                f"{thing}: {told(found)} is neither what was nor what was to be"
            )
            self.known[thing] = found


class ObjectWorker(Worker):
    """Objects; `known`: (bytes, tags)."""

    steps = ("put", "put", "put_new", "put_over", "parts", "part_of_another", "copy", "delete", "delete_many", "tag", "look", "list")

    def __init__(self, world, number):
        super().__init__(world, number, [f"worker-{number}/{'deep/' * (i % 3)}key {i}" for i in range(KEYS)])

    @property
    def s3(self):
        return self.world.clients.s3

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

    def put_over(self, key, wanted):
        """With the ETag of what lies there: never over anything else."""
        if self.known[key] is ABSENT:
            return
        etag = self.s3.head_object(Bucket=BUCKET, Key=key)["ETag"]
        body = self.body()
        wanted[key] = (body, {})
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body, IfMatch=etag)

    def part_of_another(self, key, wanted):
        source = self.random.choice(self.things)
        if self.known[source] is ABSENT or not self.known[source][0]:
            return
        upload = self.s3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
        told = self.s3.upload_part_copy(
            Bucket=BUCKET, Key=key, UploadId=upload, PartNumber=1, CopySource={"Bucket": BUCKET, "Key": source}
        )
        wanted[key] = (self.known[source][0], {})
        named = [{"PartNumber": 1, "ETag": told["CopyPartResult"]["ETag"]}]
        self.s3.complete_multipart_upload(Bucket=BUCKET, Key=key, UploadId=upload, MultipartUpload={"Parts": named})

    def copy(self, key, wanted):
        source = self.random.choice(self.things)
        if source == key or self.known[source] is ABSENT:
            return
        wanted[key] = self.known[source]
        self.s3.copy_object(Bucket=BUCKET, Key=key, CopySource={"Bucket": BUCKET, "Key": source})

    def delete(self, key, wanted):
        wanted[key] = ABSENT
        self.s3.delete_object(Bucket=BUCKET, Key=key)

    def delete_many(self, _, wanted):
        some = self.random.sample(self.things, 3)
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


class ResourceWorker(Worker):
    """Resources of the control plane, (kind, name); `known`: what was last written of it."""

    steps = ("create", "create", "change", "delete", "look", "list")
    kinds = ("model", "config", "job", "alarm", "user")

    def __init__(self, world, number, artifact):
        self.prefix = f"mix-{number}"
        self.artifact = artifact
        super().__init__(world, number, [(kind, f"{self.prefix}-{i}") for kind in self.kinds for i in range(NAMES)])

    @property
    def sagemaker(self):
        return self.world.clients.sagemaker

    # Names that are there already or not are left to other tests: a step that makes no sense is none.

    def create(self, thing, wanted):
        if self.known[thing] is ABSENT:
            wanted[thing] = "there" if thing[0] == "user" else str(self.random.randrange(1000))
            getattr(self, "create_" + thing[0])(thing[1], wanted[thing])

    def change(self, thing, wanted):
        change = getattr(self, "change_" + thing[0], None)
        if self.known[thing] is not ABSENT and change:
            wanted[thing] = str(self.random.randrange(1000))
            change(thing[1], wanted[thing])

    def delete(self, thing, wanted):
        delete = getattr(self, "delete_" + thing[0], None)
        if self.known[thing] is not ABSENT and delete:
            wanted[thing] = ABSENT
            delete(thing[1])

    def found(self, thing):
        try:
            return getattr(self, "find_" + thing[0])(thing[1])
        except botocore.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] in ("ValidationException", "NoSuchEntity", "ResourceNotFound"), error
            return ABSENT

    def list(self, *_):
        for kind, call, member, name in (
            ("model", self.sagemaker.list_models, "Models", "ModelName"),
            ("config", self.sagemaker.list_endpoint_configs, "EndpointConfigs", "EndpointConfigName"),
            ("job", self.sagemaker.list_training_jobs, "TrainingJobSummaries", "TrainingJobName"),
        ):
            listed = {item[name] for item in call(NameContains=self.prefix + "-")[member]}
            expected = {n for (k, n), value in self.known.items() if k == kind and value is not ABSENT}
            assert listed == expected, f"listed {kind}s {listed} in place of {expected}"

    def tags(self, value):
        return [{"Key": "value", "Value": value}]

    def tag_of(self, kind, name):
        arn = f"arn:aws:sagemaker:{self.world.clients.region}:{self.world.clients.account}:{kind}/{name}"
        return {t["Key"]: t["Value"] for t in self.sagemaker.list_tags(ResourceArn=arn)["Tags"]}["value"]

    def add_tag(self, kind, name, value):
        arn = f"arn:aws:sagemaker:{self.world.clients.region}:{self.world.clients.account}:{kind}/{name}"
        self.sagemaker.add_tags(ResourceArn=arn, Tags=self.tags(value))

    def create_model(self, name, value):
        container = {"Image": jobs.LINEAR_LEARNER, "ModelDataUrl": self.artifact}
        role = self.world.clients.role
        self.sagemaker.create_model(
            ModelName=name, ExecutionRoleArn=role, PrimaryContainer=container, Tags=self.tags(value)
        )

    def change_model(self, name, value):
        self.add_tag("model", name, value)

    def find_model(self, name):
        self.sagemaker.describe_model(ModelName=name)
        return self.tag_of("model", name)

    def delete_model(self, name):
        self.sagemaker.delete_model(ModelName=name)

    def create_config(self, name, value):
        model = f"of-configs-{self.number}"
        try:
            self.create_model(model, "always")
        except botocore.exceptions.ClientError as error:
            assert "already" in str(error), error
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=[jobs.variant(model)], Tags=self.tags(value)
        )

    def find_config(self, name):
        self.sagemaker.describe_endpoint_config(EndpointConfigName=name)
        return self.tag_of("endpoint-config", name)

    def delete_config(self, name):
        self.sagemaker.delete_endpoint_config(EndpointConfigName=name)

    def create_job(self, name, value):
        request = jobs.training_request(self.world.clients, self.world.data, hyperparameters={"epochs": "1"})
        self.sagemaker.create_training_job(**{**request, "TrainingJobName": name, "Tags": self.tags(value)})

    def jobs_end_well(self):
        for (kind, name), value in self.known.items():
            if kind == "job" and value is not ABSENT:
                job = jobs.await_job(self.world.clients, name)
                assert job["TrainingJobStatus"] == "Completed", job

    def change_job(self, name, value):
        self.add_tag("training-job", name, value)

    def find_job(self, name):
        self.sagemaker.describe_training_job(TrainingJobName=name)
        return self.tag_of("training-job", name)

    def create_alarm(self, name, value):
        self.world.clients.cloudwatch.put_metric_alarm(
            AlarmName=name, AlarmDescription=value, Namespace="Mix", MetricName="M", Statistic="Sum", Period=60,
            EvaluationPeriods=1, Threshold=1.0, ComparisonOperator="GreaterThanThreshold",
        )

    change_alarm = create_alarm

    def find_alarm(self, name):
        alarms = self.world.clients.cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return alarms[0]["AlarmDescription"] if alarms else ABSENT

    def delete_alarm(self, name):
        self.world.clients.cloudwatch.delete_alarms(AlarmNames=[name])

    def create_user(self, name, _):
        self.world.clients.iam.create_user(UserName=name)

    def find_user(self, name):
        self.world.clients.iam.get_user(UserName=name)
        return "there"

    def delete_user(self, name):
        self.world.clients.iam.delete_user(UserName=name)


def told(value):
    if value is ABSENT:
        return "nothing"
    return value if isinstance(value, str) else f"{len(value[0])} bytes with tags {value[1]}"


def test_what_was_acknowledged_outlives_any_number_of_kills(start_server, clients_of, record_property):
    server = start_server()
    world = World(server, clients_of(server))
    world.clients.s3.create_bucket(Bucket=BUCKET)
    world.data = world.clients.put("mix.csv", data.breast_cancer().train_csv)
    artifact = jobs.train(world.clients, world.data, hyperparameters={"epochs": "1"})["ModelArtifacts"]["S3ModelArtifacts"]
    workers = [ObjectWorker(world, number) for number in range(WORKERS)]
    workers += [ResourceWorker(world, WORKERS + number, artifact) for number in range(RESOURCE_WORKERS)]
    for worker in workers:
        worker.start()
    world.kill_and_start(time.monotonic() + SECONDS)
    for worker in workers:
        worker.join(120)
    assert not world.faults, world.faults

    def check():
        for worker in workers:
            worker.list()
            for thing in worker.things:
                worker.look(thing, {})

    check()
    for worker in workers[WORKERS:]:
        worker.jobs_end_well()
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
