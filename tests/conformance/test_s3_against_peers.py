"""The same calls to Argosy and to other S3 servers, case by case. What a client sees is the same, or the difference is one
of those written down here, with its reason.

Peers: MinIO (harness/minio.py), and moto's server where ARGOSY_MOTO names it (harness/moto.py).
"""

import hashlib

import botocore.config
import pytest
from botocore.exceptions import ClientError

from harness import jobs, minio, peers
from harness.clients import CONFIG
from harness.moto import Missing, Moto
from harness.peers import error

PART = 5 << 20
PATHS_IN_URLS = botocore.config.Config(s3={"addressing_style": "path"})
CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


def keys(page):
    return (
        [item["Key"] for item in page.get("Contents", [])],
        [prefix["Prefix"] for prefix in page.get("CommonPrefixes", [])],
        page["IsTruncated"],
    )


def some(s3, bucket, *names, body=b"bytes"):
    for name in names:
        s3.put_object(Bucket=bucket, Key=name, Body=body)


@case
def missing_things(s3, b):
    return [
        error(s3.get_object, Bucket=b, Key="none"),
        error(s3.head_object, Bucket=b, Key="none"),
        error(s3.delete_object, Bucket=b, Key="none"),
        error(s3.get_object, Bucket=b + "-none", Key="k"),
        error(s3.put_object, Bucket=b + "-none", Key="k", Body=b"x"),
        error(s3.list_objects_v2, Bucket=b + "-none"),
        error(s3.head_bucket, Bucket=b + "-none"),
        error(s3.delete_bucket, Bucket=b + "-none"),
        error(s3.copy_object, Bucket=b, Key="k", CopySource={"Bucket": b, "Key": "none"}),
    ]


@case
def buckets(s3, b):
    some(s3, b, "k")
    return [
        error(s3.create_bucket, Bucket=b),
        error(s3.delete_bucket, Bucket=b),
        error(s3.create_bucket, Bucket="ab"),
        s3.get_bucket_location(Bucket=b)["LocationConstraint"],
        b in [one["Name"] for one in s3.list_buckets()["Buckets"]],
        "Status" in s3.get_bucket_versioning(Bucket=b),
    ]


@case
def an_object_and_what_travels_with_it(s3, b):
    put = s3.put_object(
        Bucket=b, Key="a/b", Body=b"body", ContentType="text/css", CacheControl="no-store", ContentEncoding="br",
        ContentDisposition="inline", ContentLanguage="de", Metadata={"colour": "blue", "empty": ""},
    )
    got = s3.get_object(Bucket=b, Key="a/b")
    names = ("ContentType", "CacheControl", "ContentEncoding", "ContentDisposition", "ContentLanguage", "Metadata")
    return [put["ETag"], got["ETag"], got["ContentLength"], got["Body"].read(), {name: got.get(name) for name in names}]


@case
def defaults_of_an_object(s3, b):
    some(s3, b, "k", body=b"")
    got = s3.head_object(Bucket=b, Key="k")
    return [got["ContentType"], got["ContentLength"], got["Metadata"], got["ETag"], got["AcceptRanges"]]


@case
def ranges(s3, b):
    some(s3, b, "k", body=b"0123456789")

    def get(spec):
        try:
            got = s3.get_object(Bucket=b, Key="k", Range=spec)
        except ClientError as refused:
            return refused.response["Error"]["Code"]
        return got["ResponseMetadata"]["HTTPStatusCode"], got.get("ContentRange"), got["Body"].read()

    return [get(f"bytes={spec}") for spec in ("0-0", "2-4", "5-", "-3", "8-100", "10-", "-0")]


@case
def conditions(s3, b):
    tag = s3.put_object(Bucket=b, Key="k", Body=b"x")["ETag"]
    return [
        error(s3.get_object, Bucket=b, Key="k", IfMatch=tag),
        error(s3.get_object, Bucket=b, Key="k", IfMatch='"none"'),
        error(s3.get_object, Bucket=b, Key="k", IfNoneMatch=tag),
        error(s3.get_object, Bucket=b, Key="k", IfNoneMatch='"none"'),
        error(s3.get_object, Bucket=b, Key="k", IfModifiedSince="2099-01-01"),
        error(s3.get_object, Bucket=b, Key="k", IfModifiedSince="2001-01-01"),
        error(s3.get_object, Bucket=b, Key="k", IfUnmodifiedSince="2001-01-01"),
        error(s3.put_object, Bucket=b, Key="k", Body=b"y", IfNoneMatch="*"),
        error(s3.put_object, Bucket=b, Key="new", Body=b"y", IfNoneMatch="*"),
    ]


@case
def conditional_overwrites(s3, b):
    tag = s3.put_object(Bucket=b, Key="k", Body=b"x")["ETag"]
    return [
        error(s3.put_object, Bucket=b, Key="k", Body=b"y", IfMatch=tag),
        error(s3.put_object, Bucket=b, Key="k", Body=b"z", IfMatch=tag),
        error(s3.put_object, Bucket=b, Key="none", Body=b"z", IfMatch=tag),
    ]


@case
def overrides_of_headers(s3, b):
    some(s3, b, "k")
    got = s3.get_object(Bucket=b, Key="k", ResponseContentType="text/css", ResponseCacheControl="no-cache")
    return [got["ContentType"], got["CacheControl"]]


@case
def listing_version_2(s3, b):
    some(s3, b, "a-", "a/b", "a/c/d", "b", "ü", "z z")
    first = s3.list_objects_v2(Bucket=b, MaxKeys=2)
    rest = s3.list_objects_v2(Bucket=b, ContinuationToken=first["NextContinuationToken"])
    return [
        keys(s3.list_objects_v2(Bucket=b)),
        keys(first),
        keys(rest),
        keys(s3.list_objects_v2(Bucket=b, Prefix="a/")),
        keys(s3.list_objects_v2(Bucket=b, Delimiter="/")),
        keys(s3.list_objects_v2(Bucket=b, Delimiter="/", Prefix="a/")),
        keys(s3.list_objects_v2(Bucket=b, StartAfter="a/b")),
        keys(s3.list_objects_v2(Bucket=b, MaxKeys=0)),
        s3.list_objects_v2(Bucket=b)["KeyCount"],
    ]


@case
def listing_version_1(s3, b):
    some(s3, b, "a-", "a/b", "a/c", "b/d", "c")
    page = s3.list_objects(Bucket=b, Delimiter="/", MaxKeys=2)
    return [
        keys(s3.list_objects(Bucket=b)),
        keys(page),
        page.get("NextMarker"),
        keys(s3.list_objects(Bucket=b, Delimiter="/", Marker="a/")),
        keys(s3.list_objects(Bucket=b, Marker="a/b")),
    ]


@case
def an_object_beside_a_folder_of_its_name(s3, b):
    some(s3, b, "a", "a/b")
    return [keys(s3.list_objects_v2(Bucket=b)), keys(s3.list_objects_v2(Bucket=b, Delimiter="/"))]


@case
def odd_keys(s3, b):
    names = ["plus+and space", "%2F", "quote\"'<>&", "漢字", "back\\slash", "#?=;:@,$!*()[]{}|^~`", "x" * 255]
    some(s3, b, *names)
    return sorted(keys(s3.list_objects_v2(Bucket=b))[0]), [s3.get_object(Bucket=b, Key=k)["Body"].read() for k in names]


@case
def pages_that_end_at_odd_keys(s3, b):
    """What begins the next page stands in the XML of this one."""
    some(s3, b, "a&b", "c<d>", "e\"f'", "g%26h", "ü")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=b, PaginationConfig={"PageSize": 1})
    return [[one["Key"] for one in page.get("Contents", [])] for page in pages]


@case
def keys_like_paths(s3, b):
    return [error(s3.put_object, Bucket=b, Key=key, Body=b"x") for key in ("a//b", "./x", "..", "../x", "/leading", "a/")]


@case
def long_keys(s3, b):
    return [error(s3.put_object, Bucket=b, Key=key, Body=b"x") for key in ("y/" * 500, "z" * 1024, "z" * 1025)]


@case
def deleting_many(s3, b):
    some(s3, b, "a", "b", "c")
    told = s3.delete_objects(Bucket=b, Delete={"Objects": [{"Key": key} for key in ("a", "b", "none")]})
    quiet = s3.delete_objects(Bucket=b, Delete={"Objects": [{"Key": "c"}], "Quiet": True})
    return [sorted(one["Key"] for one in told["Deleted"]), "Deleted" in quiet, keys(s3.list_objects_v2(Bucket=b))]


@case
def copies(s3, b):
    s3.put_object(Bucket=b, Key="k", Body=b"x", Metadata={"a": "1"}, ContentType="text/css", Tagging="t=1")
    source = {"Bucket": b, "Key": "k"}
    copied = s3.copy_object(Bucket=b, Key="copy", CopySource=source)
    s3.copy_object(Bucket=b, Key="new", CopySource=source, MetadataDirective="REPLACE", Metadata={"b": "2"})
    return [
        copied["CopyObjectResult"]["ETag"],
        s3.head_object(Bucket=b, Key="copy")["Metadata"],
        s3.head_object(Bucket=b, Key="copy")["ContentType"],
        s3.get_object_tagging(Bucket=b, Key="copy")["TagSet"],
        s3.head_object(Bucket=b, Key="new")["Metadata"],
        error(s3.copy_object, Bucket=b, Key="k", CopySource=source),
        error(s3.copy_object, Bucket=b, Key="not", CopySource=source, CopySourceIfMatch='"none"'),
    ]


@case
def uploads_in_parts(s3, b):
    bodies = [b"a" * PART, b"b" * 10]
    upload = s3.create_multipart_upload(Bucket=b, Key="k", Metadata={"m": "1"})["UploadId"]
    parts = []
    for number, body in enumerate(bodies, 1):
        told = s3.upload_part(Bucket=b, Key="k", UploadId=upload, PartNumber=number, Body=body)
        parts.append({"PartNumber": number, "ETag": told["ETag"]})
    listed = [(p["PartNumber"], p["Size"], p["ETag"]) for p in s3.list_parts(Bucket=b, Key="k", UploadId=upload)["Parts"]]
    shown = [one["Key"] for one in s3.list_multipart_uploads(Bucket=b, Prefix="k").get("Uploads", [])]
    done = s3.complete_multipart_upload(Bucket=b, Key="k", UploadId=upload, MultipartUpload={"Parts": parts})
    head = s3.head_object(Bucket=b, Key="k")
    return [listed, shown, done["ETag"], head["ETag"], head["ContentLength"], head["Metadata"]]


@case
def uploads_that_cannot_be(s3, b):
    upload = s3.create_multipart_upload(Bucket=b, Key="k")["UploadId"]
    small = [
        {"PartNumber": n, "ETag": s3.upload_part(Bucket=b, Key="k", UploadId=upload, PartNumber=n, Body=b"x")["ETag"]}
        for n in (1, 2)
    ]

    def complete(parts, **more):
        return error(
            s3.complete_multipart_upload,
            **{"Bucket": b, "Key": "k", "UploadId": upload, "MultipartUpload": {"Parts": parts}, **more},
        )

    return [
        complete(small),
        complete(small[::-1]),
        complete([{"PartNumber": 7, "ETag": small[0]["ETag"]}]),
        complete([{"PartNumber": 1, "ETag": hashlib.md5(b"other").hexdigest()}]),
        error(s3.upload_part, Bucket=b, Key="k", UploadId=upload, PartNumber=10001, Body=b"x"),
        error(s3.abort_multipart_upload, Bucket=b, Key="k", UploadId=upload),
        error(s3.abort_multipart_upload, Bucket=b, Key="k", UploadId=upload),
        complete(small),
        error(s3.list_parts, Bucket=b, Key="k", UploadId=upload),
    ]


@case
def copied_parts(s3, b):
    some(s3, b, "source", body=b"0123456789")
    upload = s3.create_multipart_upload(Bucket=b, Key="k")["UploadId"]
    told = s3.upload_part_copy(
        Bucket=b, Key="k", UploadId=upload, PartNumber=1, CopySource={"Bucket": b, "Key": "source"},
        CopySourceRange="bytes=2-5",
    )
    part = {"PartNumber": 1, "ETag": told["CopyPartResult"]["ETag"]}
    s3.complete_multipart_upload(Bucket=b, Key="k", UploadId=upload, MultipartUpload={"Parts": [part]})
    return s3.get_object(Bucket=b, Key="k")["Body"].read()


@case
def checksums(s3, b):
    out = []
    for algorithm in ("CRC32", "CRC32C", "SHA1", "SHA256", "CRC64NVME"):
        put = s3.put_object(Bucket=b, Key=algorithm, Body=b"body", ChecksumAlgorithm=algorithm)
        got = s3.head_object(Bucket=b, Key=algorithm, ChecksumMode="ENABLED")
        out.append((put.get(f"Checksum{algorithm}"), got.get(f"Checksum{algorithm}"), got.get("ChecksumType")))
    wrong = error(s3.put_object, Bucket=b, Key="k", Body=b"body", ChecksumSHA256="47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
    return out, wrong, error(s3.put_object, Bucket=b, Key="k", Body=b"body", ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg==")


@case
def tags(s3, b):
    s3.put_object(Bucket=b, Key="k", Body=b"x", Tagging="a=1&b=2")
    first = s3.get_object_tagging(Bucket=b, Key="k")["TagSet"]
    s3.put_object_tagging(Bucket=b, Key="k", Tagging={"TagSet": [{"Key": "c", "Value": "3"}]})
    many = {"TagSet": [{"Key": f"k{i}", "Value": "v"} for i in range(11)]}
    return [
        sorted((tag["Key"], tag["Value"]) for tag in first),
        s3.get_object_tagging(Bucket=b, Key="k")["TagSet"],
        s3.get_object(Bucket=b, Key="k").get("TagCount"),
        error(s3.put_object_tagging, Bucket=b, Key="k", Tagging=many),
        error(s3.delete_object_tagging, Bucket=b, Key="k"),
        error(s3.get_bucket_tagging, Bucket=b),
        error(s3.put_bucket_tagging, Bucket=b, Tagging={"TagSet": [{"Key": "c", "Value": "3"}]}),
        s3.get_bucket_tagging(Bucket=b)["TagSet"],
    ]


@case
def settings_that_nobody_made(s3, b):
    return [
        error(getattr(s3, name), Bucket=b)
        for name in (
            "get_bucket_acl", "get_bucket_cors", "get_bucket_encryption", "get_bucket_lifecycle_configuration",
            "get_bucket_policy", "get_bucket_replication", "get_bucket_website", "get_object_lock_configuration",
        )
    ]


@case
def attributes(s3, b):
    s3.put_object(Bucket=b, Key="k", Body=b"four", ChecksumAlgorithm="SHA256")
    told = s3.get_object_attributes(Bucket=b, Key="k", ObjectAttributes=["ETag", "Checksum", "ObjectSize", "StorageClass"])
    return [told["ETag"], told.get("Checksum", {}).get("ChecksumSHA256"), told["ObjectSize"], told.get("StorageClass")]


@case
def versions(s3, b):
    some(s3, b, "a", "b/c")
    told = s3.list_object_versions(Bucket=b)
    return [(v["Key"], v["VersionId"], v["IsLatest"]) for v in told["Versions"]], keys_of_versions(s3, b)


def keys_of_versions(s3, b):
    return [p["Prefix"] for p in s3.list_object_versions(Bucket=b, Delimiter="/")["CommonPrefixes"]]


@case
def conditions_on_copies(s3, b):
    tag = s3.put_object(Bucket=b, Key="k", Body=b"x")["ETag"]
    s3.put_object(Bucket=b, Key="source", Body=b"y")
    source = {"Bucket": b, "Key": "source"}
    return [
        error(s3.copy_object, Bucket=b, Key="k", CopySource=source, IfNoneMatch="*"),
        error(s3.copy_object, Bucket=b, Key="k", CopySource=source, IfMatch='"wrong"'),
        error(s3.copy_object, Bucket=b, Key="none", CopySource=source, IfMatch=tag),
        s3.get_object(Bucket=b, Key="k")["Body"].read(),
    ]


@case
def conditions_on_deletes(s3, b):
    tag = s3.put_object(Bucket=b, Key="k", Body=b"x")["ETag"]
    return [
        error(s3.delete_object, Bucket=b, Key="none", IfMatch=tag),
        error(s3.delete_object, Bucket=b, Key="k", IfMatch='"wrong"'),
        error(s3.head_object, Bucket=b, Key="k"),
    ]


@case
def conditions_on_many_deletes(s3, b):
    some(s3, b, "k")
    told = s3.delete_objects(Bucket=b, Delete={"Objects": [{"Key": "k", "ETag": '"wrong"'}]})
    return ["Errors" in told, error(s3.head_object, Bucket=b, Key="k")]


@case
def checksums_of_copies(s3, b):
    s3.put_object(Bucket=b, Key="k", Body=b"x", ChecksumAlgorithm="CRC32")
    source = {"Bucket": b, "Key": "k"}
    told = s3.copy_object(Bucket=b, Key="copy", CopySource=source, ChecksumAlgorithm="SHA256")["CopyObjectResult"]
    return told.get("ChecksumSHA256"), told.get("ChecksumCRC32")


@case
def the_one_part_of_an_object(s3, b):
    some(s3, b, "k")
    got = s3.get_object(Bucket=b, Key="k", PartNumber=1)
    return [
        got["ResponseMetadata"]["HTTPStatusCode"],
        got.get("ContentRange"),
        got.get("PartsCount"),
        error(s3.head_object, Bucket=b, Key="k", PartNumber=1),
        error(s3.get_object, Bucket=b, Key="k", PartNumber=2),
        error(s3.get_object, Bucket=b, Key="k", PartNumber=1, Range="bytes=0-1"),
    ]


@case
def uploads_by_folders(s3, b):
    for key in ("a/1", "a/2", "b"):
        s3.create_multipart_upload(Bucket=b, Key=key)
    page = s3.list_multipart_uploads(Bucket=b, Delimiter="/", Prefix="b")
    folded = s3.list_multipart_uploads(Bucket=b, Delimiter="/")
    return [
        [one["Key"] for one in page.get("Uploads", [])],
        [one["Prefix"] for one in folded.get("CommonPrefixes", [])],
    ]


@case
def the_only_version_as_a_source(s3, b):
    some(s3, b, "k")
    return [
        error(s3.copy_object, Bucket=b, Key=name, CopySource={"Bucket": b, "Key": "k", "VersionId": version})
        for name, version in (("null", "null"), ("other", "3"))
    ]


@case
def owners_that_are_expected(s3, b):
    some(s3, b, "k")
    return error(s3.get_object, Bucket=b, Key="k", ExpectedBucketOwner="123456789012")


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    """Clients by name, of those that are here; and why the others are not."""
    found, absent, running = {}, {}, []
    try:
        server = minio.Minio(tmp_path_factory.mktemp("minio")).start()
        running.append(server.dispose)
        found["MinIO"] = server.client()
    except minio.Missing as why:
        absent["MinIO"] = str(why)
    try:
        server = Moto().start()
        running.append(server.dispose)
        found["moto"] = server.client("s3", config=CONFIG.merge(PATHS_IN_URLS))
    except Missing as why:
        absent["moto"] = str(why)
    yield found, absent
    for end in running:
        end()


def outcome(function, s3):
    name = jobs.unique("peer")
    s3.create_bucket(Bucket=name)
    return peers.outcome(function, s3, name)


def flat(value, path=()):
    """Every single finding by its place, so that a difference is one finding and not the whole case."""
    if isinstance(value, (list, tuple)) and value and not isinstance(value[0], str):
        return {place: one for i, item in enumerate(value) for place, one in flat(item, (*path, i)).items()}
    return {path: value}


# Where a peer does otherwise: case, the finding's place in it, and why Argosy stays as it is. "S3" is what the API's
# reference says.
PATHS = "S3 takes any key; MinIO's are paths of a file system"
BESIDE = "S3 has both; MinIO does not list what lies below an object"
OVERLOOKED = "S3 looks at the conditions {}; MinIO does not"
DIFFERENCES = {
    "MinIO": {
        "an_object_beside_a_folder_of_its_name": {(0, 0): BESIDE, (1, 1): BESIDE},
        "keys_like_paths": {(0,): PATHS, (1,): PATHS, (2,): PATHS, (3,): PATHS},
        "pages_that_end_at_odd_keys": {(5,): "S3 says that there is more only when there is"},
        "long_keys": {(1,): "S3 bounds the whole key, to 1,024 bytes; MinIO each part, to 255"},
        "listing_version_1": {(2,): "S3 gives the last key or prefix; MinIO adds a mark of its own"},
        "uploads_that_cannot_be": {(6,): "S3 answers NoSuchUpload to an upload that is gone"},
        "tags": {(6,): "S3 answers PutBucketTagging with 204"},
        "conditions_on_copies": dict.fromkeys([(0,), (1,), (2,), (3,)], OVERLOOKED.format("of a copy's target")),
        "conditions_on_deletes": dict.fromkeys([(0,), (1,), (2,)], OVERLOOKED.format("of a delete")),
        "conditions_on_many_deletes": dict.fromkeys([(0,), (1,)], OVERLOOKED.format("of each key")),
        "checksums_of_copies": {(): "S3 tells a copy's checksum in its answer; MinIO only to HeadObject"},
        "uploads_by_folders": {(1,): "S3 lists all uploads by folders; MinIO those of one key"},
        "owners_that_are_expected": {(): "S3 refuses what is said to be another's; MinIO does not look"},
    },
    "moto": {
        "buckets": {(0,): "S3 answers 200 in us-east-1 alone, for old clients' sake; here one answer for all regions"},
        "listing_version_1": dict.fromkeys(
            [(1, 0), (1, 1), (1, 2), (2,), (3, 1)], "S3 gives lists of version 1 in pages too, and goes on behind a prefix"
        ),
        "copies": {(): "S3 looks at the conditions on a copy's source"},
        "long_keys": {(2,): "S3 refuses keys of more than 1,024 bytes"},
        "deleting_many": {(1,): "S3 is quiet when it is asked to be"},
        "uploads_that_cannot_be": {
            (1,): "S3 looks at the order of the parts before their sizes",
            (7,): "S3 answers NoSuchUpload; moto fails",
        },
    },
}


@pytest.mark.parametrize("peer", DIFFERENCES)
def test_a_client_sees_the_same(s3, others, peer):
    found, absent = others
    if peer in absent:
        pytest.skip(absent[peer])
    lines = []
    for name, function in CASES.items():
        ours, theirs = flat(outcome(function, s3)), flat(outcome(function, found[peer]))
        lines += peers.surprises(name, ours, theirs, peer, DIFFERENCES[peer].get(name, {}))
    assert not lines, "\n".join(lines)
