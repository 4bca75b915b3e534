"""STS: who am I."""

import pytest
from botocore.exceptions import ClientError


def test_caller_identity_names_the_account_that_arns_carry(sts, clients):
    who = sts.get_caller_identity()
    assert who["Account"] == clients.account
    assert who["Arn"].startswith("arn:aws:") and f":{clients.account}:" in who["Arn"]
    assert who["UserId"]


def test_the_cli_gets_the_same_identity(aws, sts):
    told = aws("sts", "get-caller-identity")
    expected = sts.get_caller_identity()
    assert told == {k: expected[k] for k in ("UserId", "Account", "Arn")}


def test_an_action_that_is_not_there_is_refused_by_name(sts):
    with pytest.raises(ClientError) as refused:
        sts.decode_authorization_message(EncodedMessage="x")
    assert refused.value.response["Error"]["Code"] == "InvalidAction"
    assert "DecodeAuthorizationMessage" in refused.value.response["Error"]["Message"]
