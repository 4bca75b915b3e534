"""Users, teams and keys: made by the CLI and by IAM's own clients, felt by the very next request."""

import itertools
import json
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from harness import data, jobs, programs, raw
from harness.processes import wait_for
from harness.server import free_port, run

NUMBERS = itertools.count()


def code_of(call, *positional, **members):
    with pytest.raises(ClientError) as caught:
        call(*positional, **members)
    return caught.value.response["Error"]["Code"]


def exports_of(text):
    return dict(
        line.removeprefix("export ").replace("'", "").split("=", 1)
        for line in text.splitlines()
        if line.startswith("export ")
    )


@pytest.fixture
def add_user(server, clients):
    """add_user(*words) → a new user: name, key, secret and a boto3 session."""

    def add(*words):
        name = f"user-{next(NUMBERS)}"
        added = server.argosy("user", "add", name, *words)
        assert added.code == 0, added
        exports = exports_of(added.out)
        key, secret = exports["AWS_ACCESS_KEY_ID"], exports["AWS_SECRET_ACCESS_KEY"]
        return SimpleNamespace(
            name=name, key=key, secret=secret, exports=exports, session=clients.session(key, secret)
        )

    return add


class TestUsers:
    def test_an_added_user_works_until_the_key_is_disabled(self, server, clients, add_user):
        alice = add_user("--team", "vision")
        sts = clients.client("sts", alice.session)
        who = sts.get_caller_identity()
        assert who["Arn"] == f"arn:aws:iam::000000000000:user/vision/{alice.name}"
        assert who["UserId"].startswith("AIDA")
        sagemaker = clients.client("sagemaker", alice.session)
        sagemaker.list_training_jobs()
        s3 = clients.client("s3", alice.session)
        s3.create_bucket(Bucket=f"of-{alice.name}")
        s3.put_object(Bucket=f"of-{alice.name}", Key="k", Body=b"x")
        link = s3.generate_presigned_url("get_object", Params={"Bucket": f"of-{alice.name}", "Key": "k"})
        assert urllib.request.urlopen(link).read() == b"x"

        disabled = server.argosy("user", "key", "disable", alice.name)
        assert disabled.code == 0 and alice.key in disabled.out, disabled
        assert code_of(sagemaker.list_training_jobs) == "UnrecognizedClientException"
        assert code_of(s3.head_object, Bucket=f"of-{alice.name}", Key="k") == "403"
        assert code_of(s3.list_buckets) == "InvalidAccessKeyId"
        assert code_of(sts.get_caller_identity) == "InvalidClientTokenId"
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(link)
        assert caught.value.code == 403

        assert server.argosy("user", "key", "enable", alice.name, alice.key).code == 0
        assert urllib.request.urlopen(link).read() == b"x"
        sagemaker.list_training_jobs()

    def test_a_disabled_key_is_refused_on_a_connection_that_is_open(self, server, clients, add_user):
        bob = add_user()
        message = raw.json_call(clients, "ListTrainingJobs", {}, access_key=bob.key, secret=bob.secret)
        with raw.Connection(server.address) as connection:
            assert connection.send(message).read().status == 200
            assert connection.send(message).read().status == 200
            clients.iam.update_access_key(UserName=bob.name, AccessKeyId=bob.key, Status="Inactive")
            answer = connection.send(message).read()
        assert answer.status == 403
        assert answer.json()["__type"] == "UnrecognizedClientException"

    def test_one_of_several_keys_is_disabled_and_the_others_go_on(self, server, clients, add_user):
        carol = add_user()
        second = server.argosy("user", "key", "add", carol.name, "--json")
        assert second.code == 0, second
        made = json.loads(second.out)
        other = clients.session(made["AccessKeyId"], made["SecretAccessKey"])
        assert server.argosy("user", "key", "disable", carol.name, carol.key).code == 0
        assert code_of(clients.client("sagemaker", carol.session).list_models) == "UnrecognizedClientException"
        clients.client("sagemaker", other).list_models()
        listed = server.argosy("user", "key", "list", carol.name)
        assert carol.key in listed.out and "Inactive" in listed.out and made["AccessKeyId"] in listed.out
        assert made["SecretAccessKey"] not in listed.out

    def test_a_user_of_a_team_is_removed_with_all_keys(self, server, clients, add_user):
        dave = add_user("--team", "vision")
        assert server.argosy("user", "key", "add", dave.name).code == 0
        removed = server.argosy("user", "remove", dave.name)
        assert removed.code == 0 and "with 2 keys" in removed.out, removed
        assert dave.name not in server.argosy("user", "list").out
        assert dave.name not in [user["UserName"] for user in clients.iam.get_group(GroupName="vision")["Users"]]

    def test_keys_survive_a_restart(self, start_server, clients_of):
        server = start_server()
        exports = exports_of(server.argosy("user", "add", "alice").out)
        clients = clients_of(server)
        session = clients.session(exports["AWS_ACCESS_KEY_ID"], exports["AWS_SECRET_ACCESS_KEY"])
        server.argosy("user", "add", "mallory")
        server.argosy("user", "remove", "mallory")
        server.kill()
        server.start()
        assert clients.client("sts", session).get_caller_identity()["Arn"].endswith(":user/alice")
        assert "mallory" not in server.argosy("user", "list").out
        for name in ("catalog", "catalog/catalog.db"):
            mode = (server.data_dir / name).stat().st_mode & 0o777
            parent = server.data_dir.stat().st_mode & 0o777
            assert parent == 0o700 or mode & 0o077 == 0, oct(mode)

    def test_the_table_of_who_may_do_what(self, server, clients, add_user):
        reader = add_user("--reader")
        member = add_user()
        for user in (reader, member):
            clients.client("sagemaker", user.session).list_endpoints()
            clients.client("logs", user.session).describe_log_groups()
            clients.client("s3", user.session).list_buckets()
            iam = clients.client("iam", user.session)
            assert iam.get_user()["User"]["UserName"] == user.name
            assert code_of(iam.create_user, UserName="eve") == "AccessDenied"
            assert code_of(iam.create_access_key, UserName=user.name) == "AccessDenied"
        sagemaker = clients.client("sagemaker", reader.session)
        assert code_of(sagemaker.delete_model, ModelName="never-was") == "AccessDeniedException"
        assert code_of(clients.client("s3", reader.session).create_bucket, Bucket="by-a-reader") == "AccessDenied"
        put = clients.client("s3", reader.session).put_object
        assert code_of(put, Bucket=clients.bucket, Key="by-a-reader", Body=b"x" * 100_000) == "AccessDenied"
        invoke = clients.client("sagemaker-runtime", reader.session).invoke_endpoint
        assert code_of(invoke, EndpointName="never-was", Body=b"1") == "AccessDeniedException"
        sagemaker = clients.client("sagemaker", member.session)
        assert code_of(sagemaker.delete_model, ModelName="never-was") == "ValidationException"

    def test_the_list_and_what_cannot_be(self, server, add_user):
        alice = add_user("--team", "speech")
        listed = server.argosy("user", "list")
        row = next(line for line in listed.out.splitlines() if line.startswith(alice.name))
        assert row.split()[1:4] == ["speech", "work", "1"], listed
        again = server.argosy("user", "add", alice.name)
        assert again.code == 1 and "already exists" in again.err
        assert server.argosy("user", "remove", "nobody").code == 1
        assert server.argosy("user", "add", "a/b").code == 1
        helped = run("help", "user")
        assert helped.code == 0 and "--team" in helped.out and "disable" in helped.out

    def test_an_alarm_says_who_made_and_who_changed_it(self, clients, add_user):
        maker, other = add_user("--team", "vision"), add_user()
        name = f"of-{maker.name}"
        clients.client("cloudwatch", maker.session).put_metric_alarm(
            AlarmName=name,
            Namespace="mine",
            MetricName="m",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )
        clients.client("cloudwatch", other.session).disable_alarm_actions(AlarmNames=[name])
        history = clients.cloudwatch.describe_alarm_history(
            AlarmName=name, HistoryItemType="ConfigurationUpdate", ScanBy="TimestampAscending"
        )["AlarmHistoryItems"]
        clients.cloudwatch.delete_alarms(AlarmNames=[name])
        assert [json.loads(item["HistoryData"])["principal"].split(":user/")[1] for item in history] == [
            f"vision/{maker.name}",
            other.name,
        ]

    def test_a_user_that_is_refused_leaves_nothing_behind(self, server, clients, add_user):
        refused = server.argosy("user", "add", "half", "--team", "a/b")
        assert refused.code == 1 and "a/b" in refused.err, refused
        there = add_user()
        for words in ((there.name, "--team", "new-team"), (there.name.upper(), "--team", "new-team")):
            refused = server.argosy("user", "add", *words)
            assert refused.code == 1 and "already exists" in refused.err, refused
        assert "half" not in [user["UserName"] for user in clients.iam.list_users()["Users"]]
        assert "new-team" not in [team["GroupName"] for team in clients.iam.list_groups()["Groups"]]
        assert server.argosy("user", "add", "half", "--team", "whole").code == 0

    def test_the_verbs_work_with_a_users_key(self, server, add_user, tmp_path):
        dave = add_user()
        done = run("jobs", env=dave.exports)
        assert done.code == 0, done
        status = run("status", env=dave.exports, data_dir=tmp_path / "not-the-servers")
        assert status.code == 0 and "running" in status.out and server.endpoint in status.out, status
        told = json.loads(run("status", "--json", env=dave.exports, data_dir=tmp_path).out)
        assert told["Server"] == {"Endpoint": server.endpoint} and "TrainingJobs" in told, told
        other = {**dave.exports, "AWS_SECRET_ACCESS_KEY": "wrong"}
        assert run("status", env=other, data_dir=tmp_path).code == 1
        nobody = {**dave.exports, "ARGOSY_ENDPOINT": f"http://127.0.0.1:{free_port()}"}
        gone = run("status", env=nobody, data_dir=tmp_path)
        assert gone.code == 3 and "no server answers at" in gone.err, gone
        refused = run("user", "add", "eve", env=dave.exports)
        assert refused.code == 1 and "not authorized to perform: iam:CreateUser" in refused.err, refused


class TestIam:
    def test_the_aws_cli_manages_users(self, clients):
        name = f"user-{next(NUMBERS)}"
        made = clients.aws("iam", "create-user", "--user-name", name)
        assert made["User"]["UserName"] == name and made["User"]["UserId"].startswith("AIDA")
        key = clients.aws("iam", "create-access-key", "--user-name", name)["AccessKey"]
        assert len(key["SecretAccessKey"]) == 40
        clients.aws("iam", "create-group", "--group-name", f"team-of-{name}")
        membership = ("--group-name", f"team-of-{name}", "--user-name", name)
        clients.aws("iam", "add-user-to-group", *membership)
        env = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
        who = clients.aws("sts", "get-caller-identity", env=env)
        assert who["Arn"] == f"arn:aws:iam::000000000000:user/team-of-{name}/{name}"
        assert who["UserId"] == made["User"]["UserId"]
        listed = clients.aws("iam", "list-access-keys", "--user-name", name)["AccessKeyMetadata"]
        assert [entry["Status"] for entry in listed] == ["Active"]
        words = ("--user-name", name, "--access-key-id", key["AccessKeyId"])
        clients.aws("iam", "update-access-key", *words, "--status", "Inactive")
        assert clients.aws("sts", "get-caller-identity", env=env, check=False).returncode != 0
        clients.aws("iam", "delete-access-key", *words)
        assert "DeleteConflict" in clients.aws("iam", "delete-user", "--user-name", name, check=False).stderr
        clients.aws("iam", "remove-user-from-group", *membership)
        clients.aws("iam", "delete-user", "--user-name", name)
        assert name not in [user["UserName"] for user in clients.aws("iam", "list-users")["Users"]]

    def test_paginators_and_errors(self, clients):
        iam = clients.iam
        names = [f"page-{next(NUMBERS)}" for _ in range(3)]
        for name in names:
            iam.create_user(UserName=name)
        pages = iam.get_paginator("list_users").paginate(PaginationConfig={"PageSize": 1})
        assert set(names) <= {user["UserName"] for page in pages for user in page["Users"]}
        assert code_of(iam.create_user, UserName=names[0]) == "EntityAlreadyExists"
        assert code_of(iam.get_user, UserName="nobody") == "NoSuchEntity"
        for name in names:
            iam.delete_user(UserName=name)


PROGRAM = """
import sys
import boto3
from botocore.exceptions import ClientError

bucket, job, other = sys.argv[1:]
s3 = boto3.client("s3")


def refused(call, **members):
    try:
        call(**members)
    except ClientError as error:
        return error.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException", "403")
    return False


def check(what, held):
    print("held" if held else "BROKEN", what)


keys = [o["Key"] for o in s3.list_objects_v2(Bucket=bucket, Prefix="in/train")["Contents"]]
check("lists its input", keys == ["in/train.csv"])
check("reads its input", s3.get_object(Bucket=bucket, Key="in/train.csv")["Body"].read().startswith(b"0,"))
s3.put_object(Bucket=bucket, Key=f"out/{job}/mine", Body=b"made here")
check("writes its output", s3.get_object(Bucket=bucket, Key=f"out/{job}/mine")["Body"].read() == b"made here")
s3.put_object(Bucket=bucket, Key="saved/a/1", Body=b"x" * 9_000_000)
check("writes its checkpoints", s3.head_object(Bucket=bucket, Key="saved/a/1")["ContentLength"] == 9_000_000)
s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "saved/a/1"}]})
denied = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "in/train.csv"}]})
check("deletes only there", [e["Code"] for e in denied["Errors"]] == ["AccessDenied"])
check("bucket is seen", s3.head_bucket(Bucket=bucket) is not None)
check("input is not written", refused(s3.put_object, Bucket=bucket, Key="in/train.csv", Body=b""))
check("another prefix is not read", refused(s3.get_object, Bucket=bucket, Key="secret"))
check("another prefix is not listed", refused(s3.list_objects_v2, Bucket=bucket, Prefix="in/"))
check("another job's output", refused(s3.get_object, Bucket=bucket, Key=f"out/{other}/output/model.tar.gz"))
check("a job that is called alike", refused(s3.put_object, Bucket=bucket, Key=f"out/{job}0/x", Body=b""))
check("a way up", refused(s3.get_object, Bucket=bucket, Key=f"out/{job}/../../secret"))
copy = dict(Bucket=bucket, Key=f"out/{job}/copy", CopySource=f"{bucket}/secret")
check("a copy of what it may not read", refused(s3.copy_object, **copy))
check("buckets are not listed", refused(s3.list_buckets))
check("no bucket is made", refused(s3.create_bucket, Bucket="of-a-job"))
sagemaker = boto3.client("sagemaker")
check("no job is started", refused(
    sagemaker.create_training_job,
    TrainingJobName="x", RoleArn="arn:aws:iam::000000000000:role/any",
    AlgorithmSpecification={"TrainingImage": "linear-learner:1", "TrainingInputMode": "File"},
    OutputDataConfig={"S3OutputPath": "s3://b/"}, StoppingCondition={"MaxRuntimeInSeconds": 1},
    ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}))
check("jobs are not listed", refused(sagemaker.list_training_jobs))
check("its job is not stopped", refused(sagemaker.stop_training_job, TrainingJobName=job))
iam = boto3.client("iam")
check("users are not listed", refused(iam.list_users))
check("no key is made", refused(iam.create_access_key, UserName="owner"))
check("endpoints are not asked", refused(
    boto3.client("sagemaker-runtime").invoke_endpoint, EndpointName="e", Body=b"1"))
check("it is its job", boto3.client("sts").get_caller_identity()["Arn"].endswith(f":assumed-role/argosy-training-job/{job}"))
"""


def session_of(server, name):
    """What the program of the job's instance signs with."""

    def find():
        for file in (server.data_dir / "instances").glob("*/assignment.json"):
            assignment = json.loads(file.read_text())
            if assignment["name"] == name:
                return assignment["session"]
        return None

    return wait_for(find, 30, f"the instance of {name}", every=0.02)


def environment_of(clients, session):
    return clients.environment(
        AWS_ACCESS_KEY_ID=session["access_key_id"],
        AWS_SECRET_ACCESS_KEY=session["secret_access_key"],
        AWS_SESSION_TOKEN=session["token"],
        AWS_ENDPOINT_URL=session["endpoint"],
        AWS_MAX_ATTEMPTS=1,
    )


@pytest.fixture
def long_job(clients):
    """long_job(**changes) → the name of a job that trains until it is stopped."""
    started = []

    def start(**changes):
        rows = data.breast_cancer().train_csv
        for key in ("in/train.csv", "secret"):
            clients.put(key, rows)
        request = jobs.training_request(
            clients,
            f"s3://{clients.bucket}/in/train",
            hyperparameters={"epochs": "1000000", "early_stopping_patience": "1000000", "num_models": "1"},
            CheckpointConfig={"S3Uri": f"s3://{clients.bucket}/saved/a"},
            **changes,
        )
        clients.sagemaker.create_training_job(**request)
        started.append(request["TrainingJobName"])
        return started[-1]

    yield start
    for name in started:
        job = clients.sagemaker.describe_training_job(TrainingJobName=name)
        if job["TrainingJobStatus"] == "InProgress":
            clients.sagemaker.stop_training_job(TrainingJobName=name)
        jobs.await_job(clients, name)


class TestSessions:
    def test_a_jobs_program_reaches_its_data_and_nothing_else(self, server, clients, long_job):
        name, other = long_job(), long_job()
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, clients.bucket, name, other],
            env=environment_of(clients, session_of(server, name)),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done
        lines = done.stdout.splitlines()
        assert len(lines) == PROGRAM.count('check("') and all(line.startswith("held ") for line in lines), done.stdout

    def test_a_session_ends_with_its_job(self, server, clients, long_job):
        name = long_job()
        session = session_of(server, name)
        mine = clients.session(session["access_key_id"], session["secret_access_key"], session["token"])
        s3 = clients.client("s3", mine)
        get = {"Bucket": clients.bucket, "Key": "in/train.csv"}
        s3.get_object(**get)
        link = s3.generate_presigned_url("get_object", Params=get)
        assert urllib.request.urlopen(link).status == 200
        clients.sagemaker.stop_training_job(TrainingJobName=name)
        jobs.await_job(clients, name)
        assert code_of(s3.get_object, **get) == "ExpiredToken"
        assert code_of(clients.client("sts", mine).get_caller_identity) == "ExpiredToken"
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(link)

    def test_tokens_that_are_not_its_own(self, server, clients, long_job):
        first, second = session_of(server, long_job()), session_of(server, long_job())
        get = {"Bucket": clients.bucket, "Key": "in/train.csv"}

        def ask(key, secret, token):
            return code_of(clients.client("s3", clients.session(key, secret, token)).get_object, **get)

        key, secret, token = first["access_key_id"], first["secret_access_key"], first["token"]
        assert ask(key, secret, second["token"]) == "InvalidToken"
        assert ask(key, secret, token[:-8]) == "InvalidToken"
        assert ask(key, secret, "A" * len(token)) == "InvalidToken"
        assert ask(key, second["secret_access_key"], token) == "SignatureDoesNotMatch"
        assert ask(key, secret, None) == "InvalidAccessKeyId"

    def test_a_session_outlives_the_server_as_its_job_does(self, start_server, clients_of):
        server = start_server()
        clients = clients_of(server)
        clients.put("in/train.csv", data.breast_cancer().train_csv)
        request = jobs.training_request(
            clients,
            f"s3://{clients.bucket}/in/train",
            hyperparameters={"epochs": "1000000", "early_stopping_patience": "1000000", "num_models": "1"},
        )
        clients.sagemaker.create_training_job(**request)
        session = session_of(server, request["TrainingJobName"])
        mine = clients.session(session["access_key_id"], session["secret_access_key"], session["token"])
        s3 = clients.client("s3", mine)
        s3.get_object(Bucket=clients.bucket, Key="in/train.csv")
        server.kill()
        server.start()
        s3.get_object(Bucket=clients.bucket, Key="in/train.csv")
        clients.sagemaker.stop_training_job(TrainingJobName=request["TrainingJobName"])
        jobs.await_job(clients, request["TrainingJobName"])
        assert code_of(s3.get_object, Bucket=clients.bucket, Key="in/train.csv") == "ExpiredToken"


class TestWhoMadeWhat:
    def test_two_users_of_two_teams_and_what_they_leave(self, server, clients, add_user):
        alice, bob = add_user("--team", "vision"), add_user("--team", "speech")
        uri = clients.put("who/train.csv", data.breast_cancer().train_csv)
        names = {}
        for user in (alice, bob):
            theirs = clients.client("sagemaker", user.session)
            request = jobs.training_request(clients, uri)
            theirs.create_training_job(**request)
            names[user.name] = request["TrainingJobName"]
            jobs.await_job(clients, request["TrainingJobName"])
        listed = server.argosy("jobs", "--max", "1000").out
        for user, team in ((alice, "vision"), (bob, "speech")):
            row = next(line for line in listed.splitlines() if line.startswith(names[user.name]))
            assert f"{team}/{user.name}" in row
        removed = server.argosy("user", "remove", alice.name)
        assert removed.code == 0, removed
        assert code_of(clients.client("sagemaker", alice.session).list_models) == "UnrecognizedClientException"
        described = server.argosy("jobs", names[alice.name], "--json")
        assert described.code == 0, described
        maker = json.loads(described.out)["CreatedBy"]["IamIdentity"]
        assert maker == {
            "Arn": f"arn:aws:iam::000000000000:user/vision/{alice.name}",
            "PrincipalId": alice.name,
        }
        with sqlite3.connect(f"file:{server.data_dir}/catalog/catalog.db?mode=ro", uri=True) as catalog:
            held = catalog.execute(
                "SELECT principal FROM resource WHERE kind = 4 AND json_extract(spec, '$.owner_name') = ?",
                (names[alice.name],),
            ).fetchall()
        assert held == [(maker["Arn"],)]
        endpoint = jobs.unique("who")
        deployed = run("deploy", names[bob.name], "--name", endpoint, env=bob.exports)
        assert deployed.code == 0, deployed
        assert f"speech/{bob.name}" in server.argosy("endpoints", endpoint).out
        assert run("delete", endpoint, env=bob.exports).code == 0


SCRIPT = """
import boto3
from botocore.exceptions import ClientError

def model_fn(model_dir):
    return boto3.client("s3"), boto3.client("sts")

def input_fn(body, content_type):
    return body

def predict_fn(uri, model):
    s3, sts = model
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    try:
        said = str(s3.head_object(Bucket=bucket, Key=key)["ContentLength"])
    except ClientError as error:
        said = error.response["Error"]["Code"]
    return said + " " + sts.get_caller_identity()["Arn"]

def output_fn(prediction, accept):
    return prediction, "text/plain"
"""


class TestProgramsOfEndpoints:
    def test_a_script_has_a_session_that_reaches_its_artifact(self, start_server, clients_of):
        server = start_server(env=programs.SERVER_ENVIRONMENT)
        clients = clients_of(server)
        packed = {"inference.py": SCRIPT}
        name = programs.deploy(clients, programs.PYTHON, packed)
        arn = f"arn:aws:sts::000000000000:assumed-role/argosy-endpoint/{name}"
        model = clients.sagemaker.list_models()["Models"][0]["ModelName"]
        artifact = clients.sagemaker.describe_model(ModelName=model)["PrimaryContainer"]["ModelDataUrl"]
        size = len(clients.get(artifact))
        secret = clients.put("secret", b"x")
        ask = lambda uri: programs.invoke(clients, name, uri.encode(), ContentType="text/plain")[0].decode()
        assert ask(artifact) == f"{size} {arn}"
        assert ask(secret) == f"403 {arn}"
