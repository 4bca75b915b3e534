"""The check of answers itself: each kind of violation is found, and right answers pass."""

import json

import botocore.session
import pytest

from harness.model_check import check_response

JSON_HEADERS = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-RequestId": "1"}
XML_HEADERS = {"Content-Type": "application/xml", "x-amz-request-id": "1"}
S3 = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


def operation(service, name):
    return botocore.session.get_session().get_service_model(service).operation_model(name)


def problems(service, name, body, status=200, headers=None):
    if not isinstance(body, bytes):
        body = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    headers = headers or (XML_HEADERS if service == "s3" else JSON_HEADERS)
    return check_response(operation(service, name), {"status_code": status, "headers": headers, "body": body})


SUMMARY = {
    "TrainingJobName": "a",
    "TrainingJobArn": "arn:aws:sagemaker:us-east-1:000000000000:training-job/a",
    "CreationTime": 1700000000.25,
    "TrainingJobStatus": "Completed",
}


def test_a_right_answer_passes():
    assert problems("sagemaker", "ListTrainingJobs", {"TrainingJobSummaries": [SUMMARY]}) == []
    assert problems("sagemaker", "DescribeEndpoint", {"__type": "ValidationException", "message": "no"}, 400) == []
    assert problems("s3", "ListBuckets", f"<ListAllMyBucketsResult {S3}><Buckets/></ListAllMyBucketsResult>") == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"Colour": "blue"}, "is no member of"),
        ({"TrainingJobArn": None}, "is not a string"),
        ({"TrainingJobStatus": "Done"}, "is none of"),
        ({"CreationTime": "2024-01-01T00:00:00Z"}, "is no time in epoch seconds"),
        ({"CreationTime": 1700000000250}, "is no time in epoch seconds"),
        ({"TrainingJobName": 7}, "is not a string"),
        ({"TrainingJobName": "a" * 64}, "is above the most of 63"),
        ({"TrainingJobName": "-a"}, "does not match"),
    ],
)
def test_a_wrong_member_is_found(change, found):
    told = problems("sagemaker", "ListTrainingJobs", {"TrainingJobSummaries": [{**SUMMARY, **change}]})
    assert told and found in told[0]


def test_what_is_missing_is_found():
    assert "required member TrainingJobSummaries is missing" in problems("sagemaker", "ListTrainingJobs", {})[0]
    short = {k: v for k, v in SUMMARY.items() if k != "TrainingJobArn"}
    assert "TrainingJobArn" in problems("sagemaker", "ListTrainingJobs", {"TrainingJobSummaries": [short]})[0]
    assert "x-amzn-requestid" in problems("sagemaker", "DeleteModel", b"", headers={"Content-Type": "application/x-amz-json-1.1"})[0]  # fmt: skip
    wrong = {**JSON_HEADERS, "Content-Type": "application/json"}
    assert "Content-Type" in problems("sagemaker", "ListTrainingJobs", {"TrainingJobSummaries": []}, headers=wrong)[0]


def test_errors_that_no_model_has_are_found():
    assert (
        "neither in the model" in problems("sagemaker", "DescribeEndpoint", {"__type": "Oops", "message": "x"}, 400)[0]
    )
    assert "no text" in problems("sagemaker", "DescribeEndpoint", {"__type": "ValidationException"}, 400)[0]
    assert "is not JSON" in problems("sagemaker", "DescribeEndpoint", b"<html>", 502)[0]


def test_xml_is_checked():
    listing = "<ListBucketResult {}>{}<IsTruncated>false</IsTruncated></ListBucketResult>"
    right = (
        '<Contents><Key>a</Key><LastModified>2024-01-01T00:00:00.000Z</LastModified><ETag>"e"</ETag><Size>1</Size>'
        "<StorageClass>STANDARD</StorageClass></Contents>"
    )
    assert problems("s3", "ListObjectsV2", listing.format(S3, right * 2)) == []
    assert "namespace" in " ".join(problems("s3", "ListObjectsV2", listing.format("", right)))
    for old, new, found in (
        ("<Size>1</Size>", "<Size>big</Size>", "is not a whole number"),
        ("STANDARD", "GOLD", "is none of"),
        ("2024-01-01T00:00:00.000Z", "Mon, 01 Jan 2024 00:00:00 GMT", "is no ISO 8601 time"),
        ("<Key>a</Key>", "<Key>a</Key><Colour/>", "is no element of"),
        ("<Key>a</Key>", "<Key>a</Key><Key>b</Key>", "stands twice"),
    ):
        told = problems("s3", "ListObjectsV2", listing.format(S3, right.replace(old, new)))
        assert len(told) == 1 and found in told[0]


def test_headers_are_checked():
    right = {
        **XML_HEADERS,
        "Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT",
        "Content-Length": "5",
        "x-amz-meta-a": "b",
    }
    assert problems("s3", "HeadObject", b"", headers=right) == []
    assert "not in the model" in problems("s3", "HeadObject", b"", headers={**right, "x-amz-colour": "blue"})[0]
    assert "no HTTP date" in problems("s3", "HeadObject", b"", headers={**right, "Last-Modified": "2024-01-01"})[0]


def test_queries_are_checked():
    answer = (
        '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
        "<Arn>arn:aws:iam::000000000000:root</Arn><UserId>u</UserId><Account>000000000000</Account>"
        "</GetCallerIdentityResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
    )
    headers = {"Content-Type": "text/xml", "x-amzn-RequestId": "1"}
    assert problems("sts", "GetCallerIdentity", answer, headers=headers) == []
    assert problems("sts", "GetCallerIdentity", answer.replace("RequestId", "Id"), headers=headers)
    assert problems("sts", "GetCallerIdentity", answer.replace("<UserId>u</UserId>", "<User>u</User>"), headers=headers)
