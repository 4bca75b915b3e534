"""Tags of objects and buckets, and what S3's clients ask of every bucket: the answers of one where nothing was set."""

import re

import pytest
from botocore.exceptions import ClientError

from harness import jobs, processes
from harness.server import run


def code_of(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"]


def tags(reply):
    return {tag["Key"]: tag["Value"] for tag in reply["TagSet"]}


def tag_set(**pairs):
    return {"TagSet": [{"Key": key, "Value": value} for key, value in pairs.items()]}


class TestTags:
    def test_an_object_has_the_tags_it_was_put_with_until_they_are_changed(self, s3, bucket):
        put = s3.put_object(Bucket=bucket, Key="k", Body=b"x", Tagging="team=blue&note=a%20b%2Fc", Metadata={"m": "1"})
        assert tags(s3.get_object_tagging(Bucket=bucket, Key="k")) == {"team": "blue", "note": "a b/c"}
        assert s3.get_object(Bucket=bucket, Key="k")["TagCount"] == 2
        s3.put_object_tagging(Bucket=bucket, Key="k", Tagging=tag_set(stage="raw"))
        assert tags(s3.get_object_tagging(Bucket=bucket, Key="k")) == {"stage": "raw"}
        after = s3.head_object(Bucket=bucket, Key="k")
        assert after["ETag"] == put["ETag"] and after["Metadata"] == {"m": "1"}
        s3.delete_object_tagging(Bucket=bucket, Key="k")
        assert tags(s3.get_object_tagging(Bucket=bucket, Key="k")) == {}
        assert "TagCount" not in s3.get_object(Bucket=bucket, Key="k")
        assert code_of(s3.put_object_tagging, Bucket=bucket, Key="none", Tagging=tag_set(a="b")) == "NoSuchKey"

    def test_copies_and_uploads_in_parts_take_them_along(self, s3, bucket):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", Tagging="a=1")
        source = {"Bucket": bucket, "Key": "k"}
        s3.copy_object(Bucket=bucket, Key="copy", CopySource=source, MetadataDirective="REPLACE")
        assert tags(s3.get_object_tagging(Bucket=bucket, Key="copy")) == {"a": "1"}
        s3.copy_object(Bucket=bucket, Key="copy", CopySource=source, TaggingDirective="REPLACE", Tagging="b=2")
        assert tags(s3.get_object_tagging(Bucket=bucket, Key="copy")) == {"b": "2"}
        upload = s3.create_multipart_upload(Bucket=bucket, Key="parts", Tagging="c=3")["UploadId"]
        part = s3.upload_part(Bucket=bucket, Key="parts", UploadId=upload, PartNumber=1, Body=b"x")
        s3.complete_multipart_upload(
            Bucket=bucket,
            Key="parts",
            UploadId=upload,
            MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
        )
        assert tags(s3.get_object_tagging(Bucket=bucket, Key="parts")) == {"c": "3"}

    def test_what_is_no_tag_is_refused_and_changes_nothing(self, s3, bucket):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", Tagging="a=1")
        for wrong, code in (
            ({f"k{i}": "v" for i in range(11)}, "BadRequest"),
            ({"k" * 129: "v"}, "InvalidTag"),
            ({"k": "v" * 257}, "InvalidTag"),
            ({"k?": "v"}, "InvalidTag"),
            ({"aws:k": "v"}, "InvalidTag"),
        ):
            assert code_of(s3.put_object_tagging, Bucket=bucket, Key="k", Tagging=tag_set(**wrong)) == code
        twice = {"TagSet": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]}
        assert code_of(s3.put_object_tagging, Bucket=bucket, Key="k", Tagging=twice) == "InvalidTag"
        assert code_of(s3.put_object, Bucket=bucket, Key="k", Body=b"y", Tagging="a=1&a=2") == "InvalidTag"
        assert tags(s3.get_object_tagging(Bucket=bucket, Key="k")) == {"a": "1"}
        assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"

    def test_buckets_have_them_too(self, s3):
        name = jobs.unique("tagged")
        s3.create_bucket(Bucket=name)
        assert code_of(s3.get_bucket_tagging, Bucket=name) == "NoSuchTagSet"
        s3.put_bucket_tagging(Bucket=name, Tagging=tag_set(team="blue", cost="42"))
        assert tags(s3.get_bucket_tagging(Bucket=name)) == {"team": "blue", "cost": "42"}
        s3.delete_bucket_tagging(Bucket=name)
        assert code_of(s3.get_bucket_tagging, Bucket=name) == "NoSuchTagSet"
        s3.put_bucket_tagging(Bucket=name, Tagging=tag_set(team="blue"))
        s3.delete_bucket(Bucket=name)
        s3.create_bucket(Bucket=name)
        assert code_of(s3.get_bucket_tagging, Bucket=name) == "NoSuchTagSet"
        assert code_of(s3.get_bucket_tagging, Bucket=jobs.unique("none")) == "NoSuchBucket"

    def test_they_outlive_the_server(self, start_server, clients_of):
        server = start_server()
        s3 = clients_of(server).s3
        s3.create_bucket(Bucket="kept")
        s3.put_bucket_tagging(Bucket="kept", Tagging=tag_set(a="bucket"))
        s3.put_object(Bucket="kept", Key="k", Body=b"x")
        s3.put_object_tagging(Bucket="kept", Key="k", Tagging=tag_set(a="object"))
        server.kill()
        server.start()
        s3 = clients_of(server).s3
        assert tags(s3.get_bucket_tagging(Bucket="kept")) == {"a": "bucket"}
        assert tags(s3.get_object_tagging(Bucket="kept", Key="k")) == {"a": "object"}


@pytest.mark.parametrize(
    "operation, code",
    [
        ("get_bucket_cors", "NoSuchCORSConfiguration"),
        ("get_bucket_encryption", "ServerSideEncryptionConfigurationNotFoundError"),
        ("get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration"),
        ("get_bucket_policy", "NoSuchBucketPolicy"),
        ("get_bucket_policy_status", "NoSuchBucketPolicy"),
        ("get_bucket_replication", "ReplicationConfigurationNotFoundError"),
        ("get_bucket_website", "NoSuchWebsiteConfiguration"),
        ("get_object_lock_configuration", "ObjectLockConfigurationNotFoundError"),
        ("get_public_access_block", "NoSuchPublicAccessBlockConfiguration"),
    ],
)
def test_a_setting_that_nobody_made_is_not_found(s3, bucket, operation, code):
    assert code_of(getattr(s3, operation), Bucket=bucket) == code
    assert code_of(getattr(s3, operation), Bucket=jobs.unique("none")) == "NoSuchBucket"


def test_settings_that_every_bucket_has(s3, bucket):
    grants = s3.get_bucket_acl(Bucket=bucket)["Grants"]
    assert [grant["Permission"] for grant in grants] == ["FULL_CONTROL"]
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"
    rules = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert rules == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=bucket)
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    assert "Status" not in s3.get_bucket_accelerate_configuration(Bucket=bucket)
    s3.get_bucket_notification_configuration(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert s3.get_object_acl(Bucket=bucket, Key="k")["Grants"] == grants
    assert code_of(s3.get_object_acl, Bucket=bucket, Key="none") == "NoSuchKey"
    assert code_of(s3.get_object_retention, Bucket=bucket, Key="k") == "NoSuchObjectLockConfiguration"


def test_what_is_asked_of_an_object_without_its_bytes(s3, bucket):
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"four", ChecksumAlgorithm="SHA256")
    asked = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]
    told = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=asked)
    assert told["ETag"] == put["ETag"].strip('"') and told["ObjectSize"] == 4 and told["StorageClass"] == "STANDARD"
    assert told["Checksum"]["ChecksumSHA256"] == put["ChecksumSHA256"]
    assert "ObjectParts" not in told
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="parts", UploadId=upload, PartNumber=1, Body=b"x")
    named = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    s3.complete_multipart_upload(Bucket=bucket, Key="parts", UploadId=upload, MultipartUpload=named)
    told = s3.get_object_attributes(Bucket=bucket, Key="parts", ObjectAttributes=["ObjectParts"])
    assert told["ObjectParts"]["TotalPartsCount"] == 1 and "ETag" not in told
    assert code_of(s3.get_object_attributes, Bucket=bucket, Key="none", ObjectAttributes=["ETag"]) == "NoSuchKey"
    assert code_of(s3.get_object_attributes, Bucket=bucket, Key="k", ObjectAttributes=["Colour"]) == "InvalidArgument"


def test_each_object_is_its_own_only_version(s3, bucket):
    keys = ["a/1", "a/2", "b", "c"]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, PaginationConfig={"PageSize": 1})
    versions = [version for page in pages for version in page.get("Versions", [])]
    assert [version["Key"] for version in versions] == keys
    assert all(version["VersionId"] == "null" and version["IsLatest"] for version in versions)
    folded = s3.list_object_versions(Bucket=bucket, Delimiter="/")
    assert [prefix["Prefix"] for prefix in folded["CommonPrefixes"]] == ["a/"]
    assert s3.get_object(Bucket=bucket, Key="b", VersionId="null")["Body"].read() == b"x"
    assert code_of(s3.get_object, Bucket=bucket, Key="b", VersionId="3") == "NoSuchVersion"
    # As tools empty a bucket that may have versions.
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key, "VersionId": "null"} for key in keys[:3]]})
    s3.delete_object(Bucket=bucket, Key="c", VersionId="null")
    assert "Versions" not in s3.list_object_versions(Bucket=bucket)


def test_uploads_that_nobody_goes_on_with_expire(start_server, clients_of):
    server = start_server("--upload-expiry", "1s")
    s3 = clients_of(server).s3
    s3.create_bucket(Bucket="bucket")
    upload = s3.create_multipart_upload(Bucket="bucket", Key="k")["UploadId"]
    gone = lambda: not s3.list_multipart_uploads(Bucket="bucket").get("Uploads")
    processes.wait_for(gone, 30, "the upload to expire", every=0.1)
    assert code_of(s3.list_parts, Bucket="bucket", Key="k", UploadId=upload) == "NoSuchUpload"
    assert re.search(r"unfinished uploads.*expired", server.log_text())


def test_an_expiry_that_is_none_is_refused(tmp_path):
    refused = run("up", "--upload-expiry", "soon", data_dir=tmp_path / "data")
    assert refused.code != 0 and "upload-expiry" in refused.err
