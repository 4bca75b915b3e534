"""Users, teams and keys: made by the CLI and by IAM's own clients, felt by the very next request."""

import itertools
import json
import urllib.error
import urllib.request
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from harness import raw
from harness.server import run

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

    def test_the_verbs_work_with_a_users_key(self, server, add_user):
        dave = add_user()
        done = run("jobs", env=dave.exports)
        assert done.code == 0, done
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
        clients.aws("iam", "add-user-to-group", "--group-name", f"team-of-{name}", "--user-name", name)
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
