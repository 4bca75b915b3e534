"""Who may not: wrong key, wrong signature, a clock that is off, no signature; the error of each protocol's real service."""

import datetime

import botocore.auth
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from harness import raw
from harness.clients import CONFIG

# How each protocol is asked something that the owner may have.
ASKS = {
    "sagemaker": lambda client: client.list_training_jobs(),
    "logs": lambda client: client.describe_log_groups(),
    "sagemaker-runtime": lambda client: client.invoke_endpoint(EndpointName="never-was", Body=b"1"),
    "sts": lambda client: client.get_caller_identity(),
    "s3": lambda client: client.list_buckets(),
}
JSON = ("sagemaker", "logs", "sagemaker-runtime")

CODES = {
    "wrong key": {
        **dict.fromkeys(JSON, "UnrecognizedClientException"),
        "sts": "InvalidClientTokenId",
        "s3": "InvalidAccessKeyId",
    },
    "wrong secret": {
        **dict.fromkeys(JSON, "InvalidSignatureException"),
        "sts": "SignatureDoesNotMatch",
        "s3": "SignatureDoesNotMatch",
    },
    "skew": {
        **dict.fromkeys(JSON, "InvalidSignatureException"),
        "sts": "SignatureDoesNotMatch",
        "s3": "RequestTimeTooSkewed",
    },
    "none": {
        **dict.fromkeys(JSON, "MissingAuthenticationTokenException"),
        "sts": "MissingAuthenticationToken",
        "s3": "AccessDenied",
    },
}


def refused(client, service):
    with pytest.raises(ClientError) as caught:
        ASKS[service](client)
    response = caught.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 403
    return response["Error"]["Code"], response["Error"]["Message"]


@pytest.mark.parametrize("service", ASKS)
def test_a_wrong_key(clients, service):
    session = clients.session(access_key="AKIAIOSFODNN7EXAMPLE")
    code, text = refused(clients.client(service, session), service)
    assert code == CODES["wrong key"][service]
    assert text


@pytest.mark.parametrize("service", ASKS)
def test_a_wrong_secret(clients, service):
    session = clients.session(secret_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    code, text = refused(clients.client(service, session), service)
    assert code == CODES["wrong secret"][service]
    assert "signature we calculated does not match the signature you provided" in text


@pytest.mark.parametrize("minutes", [-16, 16])
@pytest.mark.parametrize("service", ASKS)
def test_a_clock_that_is_off(clients, service, minutes, monkeypatch):
    off = datetime.timedelta(minutes=minutes)
    real = botocore.auth.get_current_datetime
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *a, **k: real(*a, **k) + off)
    code, text = refused(clients.client(service), service)
    assert code == CODES["skew"][service]
    assert (
        "too large" in text if service == "s3" else "Signature expired" in text or "Signature not yet current" in text
    )


@pytest.mark.parametrize("minutes", [-14, 14])
@pytest.mark.parametrize("service", ["sagemaker", "s3", "sts"])
def test_a_clock_that_is_off_by_less_than_a_quarter_of_an_hour(clients, service, minutes, monkeypatch):
    off = datetime.timedelta(minutes=minutes)
    real = botocore.auth.get_current_datetime
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *a, **k: real(*a, **k) + off)
    ASKS[service](clients.client(service))


@pytest.mark.parametrize("service", ASKS)
def test_no_signature(clients, service):
    unsigned = clients.client(service, config=CONFIG.merge(Config(signature_version=UNSIGNED)))
    code, _ = refused(unsigned, service)
    assert code == CODES["none"][service]


def test_a_body_changed_on_the_way(clients, server):
    message = raw.json_call(clients, "ListTrainingJobs", {"MaxResults": 10}).replace(
        b'"MaxResults": 10', b'"MaxResults": 99'
    )
    with raw.Connection(server.address) as connection:
        answer = connection.send(message).read()
    assert answer.status == 403
    assert answer.json()["__type"] == "InvalidSignatureException"


def test_an_object_changed_on_the_way(clients, server):
    key = "/%s/changed" % clients.bucket
    message = raw.request_bytes(
        clients,
        "PUT",
        key,
        "s3",
        {"Content-Type": "text/plain"},
        b"as it was",
    )
    with raw.Connection(server.address) as connection:
        answer = connection.send(message.replace(b"as it was", b"as it is!")).read()
    assert answer.status in (400, 403)
    assert b"XAmzContentSHA256Mismatch" in answer.body or b"SignatureDoesNotMatch" in answer.body
    with pytest.raises(ClientError):
        clients.s3.head_object(Bucket=clients.bucket, Key="changed")


def test_a_header_changed_on_the_way(clients, server):
    message = raw.json_call(clients, "ListTrainingJobs", {}).replace(
        b"SageMaker.ListTrainingJobs", b"SageMaker.ListEndpoints"
    )
    with raw.Connection(server.address) as connection:
        answer = connection.send(message).read()
    assert answer.status == 403


def test_a_signature_for_one_service_does_not_open_another(clients, server):
    message = raw.json_call(clients, "ListTrainingJobs", {}, service="logs")
    with raw.Connection(server.address) as connection:
        answer = connection.send(message).read()
    assert answer.status in (400, 403)


def test_credentials_from_the_environment_of_the_server(start_server, clients_of, tmp_path):
    keys = {"ARGOSY_ACCESS_KEY_ID": "AKIAGIVENBYOWNER0000", "ARGOSY_SECRET_ACCESS_KEY": "a-secret-of-the-owners-choice"}
    server = start_server(env=keys)
    clients = clients_of(server)
    assert clients.exports["AWS_ACCESS_KEY_ID"] == keys["ARGOSY_ACCESS_KEY_ID"]
    assert clients.sts.get_caller_identity()["Account"]
