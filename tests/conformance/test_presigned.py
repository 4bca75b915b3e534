"""Presigned URLs as boto3 and the aws CLI make them: of version 2, their default where an endpoint URL is given, and 4."""

import subprocess
import time
import urllib.parse

import pytest
import requests
from botocore.config import Config

from harness import jobs

KEYS = ["plain", "a b/c+d=e&f.txt", "ü/%41~", "a//b", "q?x=1#y"]


@pytest.fixture(scope="module")
def bucket(shared_clients):
    name = jobs.unique("presigned")
    shared_clients.s3.create_bucket(Bucket=name)
    return name


@pytest.fixture(params=["default", "s3v4"])
def s3(request, clients):
    if request.param == "default":
        return clients.client("s3")
    return clients.client("s3", config=Config(signature_version="s3v4", s3={"addressing_style": "path"}))


def code_of(answer):
    text = answer.text
    return answer.status_code, text[text.find("<Code>") + 6 : text.find("</Code>")]


@pytest.mark.parametrize("key", KEYS)
def test_who_has_the_url_writes_reads_and_deletes(s3, bucket, key):
    named = {"Bucket": bucket, "Key": key}
    url = s3.generate_presigned_url("put_object", Params=named)
    assert requests.put(url, data=b"a,b\n1,2\n").status_code == 200
    answer = requests.get(s3.generate_presigned_url("get_object", Params=named))
    assert (answer.status_code, answer.content) == (200, b"a,b\n1,2\n")
    answer = requests.head(s3.generate_presigned_url("head_object", Params=named))
    assert (answer.status_code, answer.headers["Content-Length"]) == (200, "8")
    assert requests.delete(s3.generate_presigned_url("delete_object", Params=named)).status_code == 204
    assert code_of(requests.get(s3.generate_presigned_url("get_object", Params=named))) == (404, "NoSuchKey")


def test_a_range_and_names_for_the_download(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    url = s3.generate_presigned_url(
        "get_object",
        Params={
            "Bucket": bucket,
            "Key": "k",
            "ResponseContentType": "text/csv; charset=utf-8",
            "ResponseContentDisposition": 'attachment; filename="a b.csv"',
        },
    )
    answer = requests.get(url, headers={"Range": "bytes=2-4"})
    assert (answer.status_code, answer.content) == (206, b"234")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="a b.csv"'


def test_lists_of_a_bucket(s3, bucket):
    s3.put_object(Bucket=bucket, Key="lists/a-b", Body=b"x")
    url = s3.generate_presigned_url("list_objects_v2", Params={"Bucket": bucket, "Prefix": "lists/"})
    answer = requests.get(url)
    assert answer.status_code == 200 and "<Key>lists/a-b</Key>" in answer.text


def test_an_upload_in_parts(s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    named = {"Bucket": bucket, "Key": "parts", "UploadId": upload}
    etags = []
    for number, data in ((1, b"x" * (5 << 20)), (2, b"end")):
        answer = requests.put(s3.generate_presigned_url("upload_part", Params={**named, "PartNumber": number}), data=data)
        assert answer.status_code == 200, answer.text
        etags.append({"PartNumber": number, "ETag": answer.headers["ETag"]})
    s3.complete_multipart_upload(**named, MultipartUpload={"Parts": etags})
    assert s3.head_object(Bucket=bucket, Key="parts")["ContentLength"] == (5 << 20) + 3


def test_headers_that_were_signed_must_come(s3, bucket):
    parameters = {"Bucket": bucket, "Key": "typed", "ContentType": "text/csv", "Metadata": {"team": "a"}}
    url = s3.generate_presigned_url("put_object", Params=parameters)
    headers = {"Content-Type": "text/csv", "x-amz-meta-team": "a"}
    assert code_of(requests.put(url, data=b"1", headers={**headers, "x-amz-meta-team": "b"}))[0] == 403
    assert code_of(requests.put(url, data=b"1", headers={**headers, "Content-Type": "text/plain"}))[0] == 403
    assert code_of(requests.put(url, data=b"1", headers={**headers, "x-amz-meta-more": "b"}))[0] == 403
    assert requests.put(url, data=b"1", headers=headers).status_code == 200
    head = s3.head_object(Bucket=bucket, Key="typed")
    assert (head["ContentType"], head["Metadata"]) == ("text/csv", {"team": "a"})


def test_headers_in_a_url_of_version_2_count_where_the_request_has_none(clients, bucket):
    s3 = clients.client("s3")
    parameters = {"Bucket": bucket, "Key": "in-url", "ContentType": "text/csv", "Metadata": {"team": "a"}}
    url = s3.generate_presigned_url("put_object", Params=parameters)
    assert requests.put(url, data=b"1").status_code == 200
    head = s3.head_object(Bucket=bucket, Key="in-url")
    assert (head["ContentType"], head["Metadata"]) == ("text/csv", {"team": "a"})


def test_what_was_signed_cannot_be_changed(s3, bucket):
    s3.put_object(Bucket=bucket, Key="one", Body=b"1")
    s3.put_object(Bucket=bucket, Key="two", Body=b"2")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "one"})
    assert requests.get(url).content == b"1"
    assert code_of(requests.get(url.replace("/one?", "/two?"))) == (403, "SignatureDoesNotMatch")
    assert code_of(requests.put(url, data=b"x")) == (403, "SignatureDoesNotMatch")
    assert code_of(requests.delete(url)) == (403, "SignatureDoesNotMatch")
    assert requests.get(url).content == b"1"


def test_a_url_is_good_for_as_long_as_it_says(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"1")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"}, ExpiresIn=1)
    time.sleep(2.1)
    answer = requests.get(url)
    assert code_of(answer) == (403, "AccessDenied") and "expired" in answer.text


def test_unknown_keys_halves_and_two_signatures_are_refused(clients, s3, bucket):
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
    known = clients.session().get_credentials().access_key
    assert code_of(requests.get(url.replace(known, "AKIANOBODYKNOWSTHIS0"))) == (403, "InvalidAccessKeyId")
    half = url[: url.rfind("&")] if "X-Amz" not in url else url.replace("X-Amz-Expires", "X-Amz-Forever")
    assert code_of(requests.get(half)) == (400, "AuthorizationQueryParametersError")
    both = requests.get(url, headers={"Authorization": "AWS4-HMAC-SHA256 Credential=x"})
    assert code_of(both) == (400, "InvalidArgument")


def test_a_url_for_another_service_opens_nothing(clients):
    sts = clients.client("sts")
    url = sts.generate_presigned_url("get_caller_identity")
    place = urllib.parse.urlsplit(url)
    assert code_of(requests.get(f"{place.scheme}://{place.netloc}/?{place.query}"))[0] == 400


def test_the_cli_presigns(clients, bucket):
    clients.s3.put_object(Bucket=bucket, Key="from cli.txt", Body=b"hello")
    printed = clients.aws("s3", "presign", f"s3://{bucket}/from cli.txt", "--expires-in", "60")
    answer = subprocess.run(["curl", "-sS", printed.strip()], capture_output=True)
    assert answer.stdout == b"hello"
