"""python/argosy: where a session finds its server, keys and region."""

import pytest

from harness.server import REPOSITORY, run

KEYS = {"ARGOSY_ACCESS_KEY_ID": "AKIAGIVENBYOWNER0000", "ARGOSY_SECRET_ACCESS_KEY": "a-secret-of-the-owners"}


@pytest.fixture
def argosy(monkeypatch):
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_REGION", "AWS_DEFAULT_REGION", "ARGOSY_DATA_DIR", *KEYS):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.syspath_prepend(REPOSITORY / "python")
    import argosy

    return argosy


def test_a_session_is_of_the_region_that_the_server_was_started_with(argosy, start_server, monkeypatch):
    server = start_server("--region", "eu-central-1")
    monkeypatch.setenv("AWS_REGION", "us-west-2")  # of this shell's other work
    session = argosy.session(data_dir=server.data_dir)
    assert (session.endpoint, session.region) == (server.endpoint, "eu-central-1")
    assert session.bucket == "sagemaker-eu-central-1-000000000000"
    assert session.ensure_bucket() == session.bucket
    assert session.client("sagemaker").list_training_jobs()["TrainingJobSummaries"] == []
    assert argosy.session(data_dir=server.data_dir, region="eu-west-1").region == "eu-west-1"


def test_keys_given_to_the_server_from_outside_are_the_sessions_too(argosy, start_server, monkeypatch):
    server = start_server(env=KEYS)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    assert argosy.session(data_dir=server.data_dir).client("s3").list_buckets()["Buckets"] == []


def test_the_environment_of_argosy_env_says_everything(argosy, server, monkeypatch):
    for line in run("env", data_dir=server.data_dir).out.splitlines():
        if line.startswith("export AWS_"):
            name, _, value = line.removeprefix("export ").partition("=")
            monkeypatch.setenv(name, value.strip("'"))
    session = argosy.session()
    assert (session.endpoint, session.region) == (server.endpoint, "us-east-1")
    assert "Buckets" in session.client("s3").list_buckets()


def test_no_server_says_where_was_looked(argosy, tmp_path):
    with pytest.raises(argosy.NoServerError, match=str(tmp_path)):
        argosy.session(data_dir=tmp_path)
