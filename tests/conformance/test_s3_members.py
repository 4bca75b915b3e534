"""Members of S3's requests that are easily overlooked: each has its effect, or is refused by its name."""

import datetime

import pytest

from harness import declared_headers, jobs, raw
from test_s3 import MIB, error_of

ACCOUNT, OTHER = "000000000000", "123456789012"
LONG_AGO = datetime.datetime(2001, 1, 1, tzinfo=datetime.timezone.utc)


def test_a_bucket_of_another_owner_is_never_touched(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ExpectedBucketOwner=ACCOUNT)
    object_ = {"Bucket": bucket, "Key": "k", "ExpectedBucketOwner": OTHER}
    denied = ("AccessDenied", 403)
    assert error_of(s3.delete_object, **object_) == denied
    assert error_of(s3.put_object, Body=b"y", **object_) == denied
    assert error_of(s3.get_object, **object_) == denied
    assert error_of(s3.create_multipart_upload, **object_) == denied
    assert error_of(s3.list_objects_v2, Bucket=bucket, ExpectedBucketOwner=OTHER) == denied
    assert error_of(s3.get_bucket_acl, Bucket=bucket, ExpectedBucketOwner=OTHER) == denied
    assert error_of(s3.head_bucket, Bucket=bucket, ExpectedBucketOwner=OTHER) == ("403", 403)
    copy = {"Bucket": bucket, "Key": "copy", "CopySource": {"Bucket": bucket, "Key": "k"}}
    assert error_of(s3.copy_object, ExpectedSourceBucketOwner=OTHER, **copy) == denied
    assert s3.get_object(Bucket=bucket, Key="k", ExpectedBucketOwner=ACCOUNT)["Body"].read() == b"x"
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 1


@pytest.mark.parametrize("name", declared_headers.refused())
def test_a_header_that_is_not_acted_on_is_refused_by_its_name(shared_clients, name):
    header = name + "mode" if name.endswith("-") else name
    request = raw.request_bytes(shared_clients, "PUT", "/a-bucket/k", "s3", {header: "other"}, b"x")
    with raw.Connection(raw.address_of(shared_clients)) as connection:
        answer = connection.send(request).read()
    assert answer.status == 501 and b"<Code>NotImplemented</Code>" in answer.body and header.encode() in answer.body


def test_headers_that_nobody_knows_are_overlooked(shared_clients, bucket):
    request = raw.request_bytes(shared_clients, "PUT", f"/{bucket}/k", "s3", {"x-amz-foo": "bar", "X-Other": "y"}, b"x")
    with raw.Connection(raw.address_of(shared_clients)) as connection:
        assert connection.send(request).read().status == 200


def test_whose_the_objects_of_a_new_bucket_are(s3):
    name = jobs.unique("owned")
    assert error_of(s3.create_bucket, Bucket=name, ObjectOwnership="ObjectWriter") == ("NotImplemented", 501)
    s3.create_bucket(Bucket=name, ObjectOwnership="BucketOwnerEnforced")
    rules = s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]["Rules"]
    assert rules == [{"ObjectOwnership": "BucketOwnerEnforced"}]


def test_what_else_is_asked_of_a_new_bucket_is_refused(s3):
    name = jobs.unique("tagged")
    asked = {"LocationConstraint": "eu-central-1", "Tags": [{"Key": "a", "Value": "b"}]}
    assert error_of(s3.create_bucket, Bucket=name, CreateBucketConfiguration=asked) == ("NotImplemented", 501)
    assert error_of(s3.head_bucket, Bucket=name) == ("404", 404)


def test_buckets_of_a_region(s3, bucket):
    region = s3.head_bucket(Bucket=bucket)["BucketRegion"]
    told = [one for one in s3.list_buckets(BucketRegion=region)["Buckets"] if one["Name"] == bucket]
    assert [one["BucketRegion"] for one in told] == [region]
    assert s3.list_buckets(BucketRegion="ap-south-2")["Buckets"] == []
    for token in ("rubbish", "!", ""):
        assert error_of(s3.list_buckets, ContinuationToken=token) == ("InvalidArgument", 400), token


def test_a_checksum_is_named_as_what_it_is(s3, shared_clients, bucket):
    for algorithm, status in (("FOO", 501), ("SHA256", 400)):
        headers = {"x-amz-sdk-checksum-algorithm": algorithm, "x-amz-checksum-crc32": "AAAAAA=="}
        request = raw.request_bytes(shared_clients, "PUT", f"/{bucket}/k", "s3", headers)
        with raw.Connection(raw.address_of(shared_clients)) as connection:
            assert connection.send(request).read().status == status
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k", ChecksumAlgorithm="CRC32")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=1, Body=b"x", ChecksumAlgorithm="CRC32")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"], "ChecksumCRC32": part["ChecksumCRC32"]}]}
    done = {"Bucket": bucket, "Key": "k", "UploadId": upload, "MultipartUpload": parts}
    assert error_of(s3.complete_multipart_upload, ChecksumType="FULL_OBJECT", **done) == ("InvalidRequest", 400)
    assert error_of(s3.complete_multipart_upload, ChecksumCRC32C="AAAAAA==", **done) == ("InvalidRequest", 400)
    s3.complete_multipart_upload(ChecksumType="COMPOSITE", **done)


def test_an_upload_of_another_time_is_not_aborted(s3, bucket):
    upload = {"Bucket": bucket, "Key": "k"}
    upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
    assert error_of(s3.abort_multipart_upload, IfMatchInitiatedTime=LONG_AGO, **upload) == ("PreconditionFailed", 412)
    began = s3.list_multipart_uploads(Bucket=bucket)["Uploads"][0]["Initiated"]
    s3.abort_multipart_upload(IfMatchInitiatedTime=began, **upload)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def test_the_one_part_of_an_object_is_the_whole(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"whole", ChecksumAlgorithm="CRC32")
    for call in (s3.get_object, s3.head_object):
        told = call(Bucket=bucket, Key="k", PartNumber=1, ChecksumMode="ENABLED")
        assert told["ResponseMetadata"]["HTTPStatusCode"] == 206
        assert told["ContentLength"] == 5 and told["ChecksumCRC32"] and "PartsCount" not in told
    assert s3.get_object(Bucket=bucket, Key="k", PartNumber=1)["Body"].read() == b"whole"
    assert error_of(s3.get_object, Bucket=bucket, Key="k", PartNumber=2) == ("InvalidPartNumber", 416)
    assert error_of(s3.get_object, Bucket=bucket, Key="k", PartNumber=0) == ("InvalidArgument", 400)
    assert error_of(s3.get_object, Bucket=bucket, Key="k", PartNumber=1, Range="bytes=0-1") == ("InvalidRequest", 400)
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    assert s3.get_object(Bucket=bucket, Key="k", PartNumber=1)["Body"].read() == b""


@pytest.mark.parametrize("count", [1, 2])
def test_of_several_parts_none_is_told_for_another(s3, bucket, count):
    upload = {"Bucket": bucket, "Key": "k"}
    upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
    parts = []
    for number in range(1, count + 1):
        body = b"a" * (5 * MIB if number < count else 3)
        parts.append({"PartNumber": number, "ETag": s3.upload_part(PartNumber=number, Body=body, **upload)["ETag"]})
    s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, **upload)
    if count == 1:
        told = s3.get_object(Bucket=bucket, Key="k", PartNumber=1)
        assert (told["Body"].read(), told["PartsCount"]) == (b"aaa", 1)
    else:
        assert error_of(s3.get_object, Bucket=bucket, Key="k", PartNumber=1) == ("NotImplemented", 501)
        assert error_of(s3.get_object, Bucket=bucket, Key="k", PartNumber=3) == ("InvalidPartNumber", 416)


def test_uploads_are_listed_by_folders_and_pages(s3, bucket):
    keys = ["a", "b/1", "b/2", "c/1/x", "d"]
    for key in keys:
        s3.create_multipart_upload(Bucket=bucket, Key=key)

    def pages(size, **more):
        found, marks = [], {}
        while True:
            page = s3.list_multipart_uploads(Bucket=bucket, MaxUploads=size, **more, **marks)
            entries = [(one["Key"], one["Key"]) for one in page.get("Uploads", [])]
            entries += [(one["Prefix"], one["Prefix"]) for one in page.get("CommonPrefixes", [])]
            assert len(entries) <= size
            found += sorted(name for name, _ in entries)
            if not page["IsTruncated"]:
                return found
            marks = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page.get("NextUploadIdMarker", "")}

    for size in (1, 2, 1000):
        assert pages(size) == keys
        assert pages(size, Delimiter="/") == ["a", "b/", "c/", "d"]
        assert pages(size, Delimiter="/", Prefix="c/") == ["c/1/"]
        assert pages(size, Delimiter="/", Prefix="b/") == ["b/1", "b/2"]


def test_the_only_version_is_a_source_too(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k?x", Body=b"x")
    source = {"Bucket": bucket, "Key": "k?x"}
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={**source, "VersionId": "null"})
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == b"x"
    other = {**source, "VersionId": "3"}
    assert error_of(s3.copy_object, Bucket=bucket, Key="copy", CopySource=other) == ("NoSuchVersion", 404)
    upload = {"Bucket": bucket, "Key": "parts"}
    upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
    s3.upload_part_copy(PartNumber=1, CopySource={**source, "VersionId": "null"}, **upload)
    assert error_of(s3.upload_part_copy, PartNumber=1, CopySource=other, **upload) == ("NoSuchVersion", 404)


def test_the_name_of_a_bucket_is_refused_with_the_rule(s3):
    with pytest.raises(s3.exceptions.ClientError) as refused:
        s3.create_bucket(Bucket="ab")
    assert refused.value.response["Error"]["Code"] == "InvalidBucketName"
    assert "3 to 63 characters" in refused.value.response["Error"]["Message"]
