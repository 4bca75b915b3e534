"""Conditions on writes, copies and deletes: what does not hold leaves everything as it was."""

import base64
import datetime
import hashlib

import pytest

from test_s3 import error_of

FAILED = ("PreconditionFailed", 412)
NONE = ("NoSuchKey", 404)
LONG_AGO = datetime.datetime(2001, 1, 1, tzinfo=datetime.timezone.utc)


@pytest.fixture
def there(s3, bucket):
    """The bucket's object `k`, as head_object tells of it."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"there")
    return s3.head_object(Bucket=bucket, Key="k")


def body(s3, bucket, key="k"):
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def test_a_copy_overwrites_only_what_it_may(s3, bucket, there):
    s3.put_object(Bucket=bucket, Key="source", Body=b"source")
    copy = {"Bucket": bucket, "CopySource": {"Bucket": bucket, "Key": "source"}}
    assert error_of(s3.copy_object, Key="k", IfNoneMatch="*", **copy) == FAILED
    assert error_of(s3.copy_object, Key="k", IfMatch='"wrong"', **copy) == FAILED
    assert error_of(s3.copy_object, Key="none", IfMatch=there["ETag"], **copy) == NONE
    assert error_of(s3.copy_object, Key="k", IfNoneMatch='"wrong"', **copy) == ("NotImplemented", 501)
    assert body(s3, bucket) == b"there"
    s3.copy_object(Key="k", IfMatch=there["ETag"], **copy)
    assert body(s3, bucket) == b"source"
    s3.copy_object(Key="new", IfNoneMatch="*", **copy)
    assert body(s3, bucket, "new") == b"source"


def test_a_put_wants_the_object_that_it_knows(s3, bucket, there):
    assert error_of(s3.put_object, Bucket=bucket, Key="k", Body=b"x", IfMatch="*") == ("NotImplemented", 501)
    assert error_of(s3.put_object, Bucket=bucket, Key="k", Body=b"x", IfMatch='"wrong"') == FAILED
    assert body(s3, bucket) == b"there"


def test_an_upload_in_parts_overwrites_only_what_it_may(s3, bucket, there):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    etag = s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=1, Body=b"parts")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    done = {"Bucket": bucket, "Key": "k", "UploadId": upload, "MultipartUpload": parts}
    assert error_of(s3.complete_multipart_upload, IfNoneMatch="*", **done) == FAILED
    assert error_of(s3.complete_multipart_upload, IfMatch='"wrong"', **done) == FAILED
    assert body(s3, bucket) == b"there"
    s3.complete_multipart_upload(IfMatch=there["ETag"], **done)
    assert body(s3, bucket) == b"parts"


def test_a_delete_takes_only_what_it_may(s3, bucket, there):
    for wrong in ({"IfMatch": '"wrong"'}, {"IfMatchSize": 6}, {"IfMatchLastModifiedTime": LONG_AGO}):
        assert error_of(s3.delete_object, Bucket=bucket, Key="k", **wrong) == FAILED, wrong
    assert error_of(s3.delete_object, Bucket=bucket, Key="k", IfMatch=there["ETag"], IfMatchSize=6) == FAILED
    assert body(s3, bucket) == b"there"
    s3.delete_object(Bucket=bucket, Key="k", IfMatch=there["ETag"], IfMatchSize=5, IfMatchLastModifiedTime=there["LastModified"])
    # Size and time are of an object that is there; an ETag, and "*", want one.
    for more in ({}, {"IfMatchSize": 6}, {"IfMatchLastModifiedTime": LONG_AGO}):
        s3.delete_object(Bucket=bucket, Key="k", **more)
    for etag in (there["ETag"], "*"):
        assert error_of(s3.delete_object, Bucket=bucket, Key="k", IfMatch=etag) == NONE
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    s3.delete_object(Bucket=bucket, Key="k", IfMatch="*")
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_of_many_deletes_each_has_its_own_conditions(s3, bucket, there):
    wrong = {"etag": {"ETag": '"wrong"'}, "size": {"Size": 6}, "time": {"LastModifiedTime": LONG_AGO}}
    right = {"ETag": there["ETag"], "Size": 5, "LastModifiedTime": there["LastModified"]}
    for key in wrong:
        s3.put_object(Bucket=bucket, Key=key, Body=b"there")
    objects = [{"Key": key, **condition} for key, condition in wrong.items()]
    objects += [{"Key": "k", **right}, {"Key": "none", "ETag": there["ETag"]}, {"Key": "none", "Size": 1}]
    told = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects})
    assert [one["Key"] for one in told["Deleted"]] == ["k", "none"]
    failed = [(one["Key"], one["Code"]) for one in told["Errors"]]
    assert failed == [*((key, "PreconditionFailed") for key in wrong), ("none", "NoSuchKey")]
    assert {one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]} == set(wrong)


def crc(data, polynomial, bits):
    """As hashlib's digests; the polynomial with its bits reversed."""
    value = ones = (1 << bits) - 1
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (polynomial if value & 1 else 0)
    return (value ^ ones).to_bytes(bits // 8, "big")


DIGESTS = {
    "CRC32": lambda data: crc(data, 0xEDB88320, 32),
    "CRC32C": lambda data: crc(data, 0x82F63B78, 32),
    "CRC64NVME": lambda data: crc(data, 0x9A6C9329AC4BC9B5, 64),
    "SHA1": lambda data: hashlib.sha1(data).digest(),
    "SHA256": lambda data: hashlib.sha256(data).digest(),
}


@pytest.mark.parametrize("algorithm", DIGESTS)
def test_a_copy_has_the_checksum_that_is_asked_for(s3, bucket, algorithm):
    s3.put_object(Bucket=bucket, Key="k", Body=b"there")
    copy = {"Bucket": bucket, "Key": "copy", "CopySource": {"Bucket": bucket, "Key": "k"}}
    told = s3.copy_object(**copy, ChecksumAlgorithm=algorithm)["CopyObjectResult"]
    head = s3.head_object(Bucket=bucket, Key="copy", ChecksumMode="ENABLED")
    name = f"Checksum{algorithm}"
    assert told[name] == head[name] == base64.b64encode(DIGESTS[algorithm](b"there")).decode()


def test_a_checksum_that_nobody_knows_is_refused_by_name(s3, bucket, there):
    copy = {"Bucket": bucket, "Key": "copy", "CopySource": {"Bucket": bucket, "Key": "k"}}
    assert error_of(s3.copy_object, **copy, ChecksumAlgorithm="XXHASH3") == ("NotImplemented", 501)
    assert error_of(s3.head_object, Bucket=bucket, Key="copy") == ("404", 404)
