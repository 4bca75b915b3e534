"""S3 through boto3, the aws CLI and plain signed requests: what docs/guides/s3.md promises."""

import base64
import hashlib
import io
import random
import threading
import zlib

import boto3.s3.transfer
import botocore.config
import botocore.exceptions
import pytest

from harness import jobs

MIB = 1 << 20

# Keys that a mapping to files could confuse, lose or let escape.
AWKWARD_KEYS = [
    "a",
    "a/b",
    "a/",
    "a//b",
    "a/b/c",
    "..",
    "../..",
    "../../escape",
    "./x",
    "/",
    "/leading",
    "trailing ",
    " ",
    "%",
    "%2F",
    "a%2Fb",
    "100%/b",
    "plus+and space",
    "quote\"'<>&",
    "back\\slash",
    "ünï/cödé/漢字/𝄞",
    "e\u0301",
    "\u00e9",
    "UPPER",
    "upper",
    "#?=;:@,$!*()[]{}|^~`",
    "x" * 1024,
    "/".join("d" * 50 for _ in range(20)),
    "漢" * 341,
]


@pytest.fixture
def suited():
    """Of many keys those that the server under test takes side by side: all, where objects are its own."""
    return lambda keys: keys


def error_of(call, **arguments):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**arguments)
    reply = caught.value.response
    return reply["Error"]["Code"], reply["ResponseMetadata"]["HTTPStatusCode"]


def crc32(data):
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


def test_bucket_life(s3):
    name = jobs.unique("life")
    assert error_of(s3.head_bucket, Bucket=name) == ("404", 404)
    s3.create_bucket(Bucket=name)
    s3.get_waiter("bucket_exists").wait(Bucket=name)
    assert error_of(s3.create_bucket, Bucket=name) == ("BucketAlreadyOwnedByYou", 409)
    assert name in [b["Name"] for b in s3.list_buckets()["Buckets"]]
    s3.get_bucket_location(Bucket=name)
    s3.put_object(Bucket=name, Key="k", Body=b"x")
    assert error_of(s3.delete_bucket, Bucket=name) == ("BucketNotEmpty", 409)
    s3.delete_object(Bucket=name, Key="k")
    s3.delete_bucket(Bucket=name)
    assert error_of(s3.delete_bucket, Bucket=name) == ("NoSuchBucket", 404)
    assert name not in [b["Name"] for b in s3.list_buckets()["Buckets"]]


def test_an_object_comes_back_as_it_was_put(s3, bucket):
    body = random.Random(1).randbytes(3 * MIB + 1)
    put = s3.put_object(
        Bucket=bucket,
        Key="dir/object",
        Body=body,
        ContentType="application/x-thing",
        CacheControl="max-age=3",
        ContentDisposition='attachment; filename="x"',
        ContentEncoding="identity",
        ContentLanguage="de",
        Metadata={"colour": "blue", "empty": ""},
    )
    assert put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    assert put["ChecksumCRC32"] == crc32(body)
    for reply in (s3.head_object(Bucket=bucket, Key="dir/object"), s3.get_object(Bucket=bucket, Key="dir/object")):
        assert reply["ETag"] == put["ETag"]
        assert reply["ContentLength"] == len(body)
        assert reply["ContentType"] == "application/x-thing"
        assert reply["CacheControl"] == "max-age=3"
        assert reply["ContentDisposition"] == 'attachment; filename="x"'
        assert reply["ContentEncoding"] == "identity"
        assert reply["ContentLanguage"] == "de"
        assert reply["Metadata"] == {"colour": "blue", "empty": ""}
    assert reply["ChecksumCRC32"] == crc32(body)
    assert reply["Body"].read() == body


def test_empty_and_overwritten_objects(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    reply = s3.get_object(Bucket=bucket, Key="k")
    assert (reply["Body"].read(), reply["ContentType"]) == (b"", "binary/octet-stream")
    s3.put_object(Bucket=bucket, Key="k", Body=b"one", Metadata={"a": "1"})
    s3.put_object(Bucket=bucket, Key="k", Body=b"two")
    reply = s3.get_object(Bucket=bucket, Key="k")
    assert (reply["Body"].read(), reply["Metadata"]) == (b"two", {})


def test_a_reader_keeps_the_version_it_opened(s3, bucket):
    old = random.Random(2).randbytes(24 * MIB)
    s3.put_object(Bucket=bucket, Key="k", Body=old)
    stream = s3.get_object(Bucket=bucket, Key="k")["Body"]
    begin = stream.read(10)
    s3.put_object(Bucket=bucket, Key="k", Body=b"new")
    s3.delete_object(Bucket=bucket, Key="k")
    assert begin + stream.read() == old


def test_ranges(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")["ETag"]
    for header, expected, content_range in [
        ("bytes=0-0", b"0", "bytes 0-0/10"),
        ("bytes=3-", b"3456789", "bytes 3-9/10"),
        ("bytes=-4", b"6789", "bytes 6-9/10"),
        ("bytes=8-100", b"89", "bytes 8-9/10"),
    ]:
        reply = s3.get_object(Bucket=bucket, Key="k", Range=header, IfMatch=etag)
        assert (reply["Body"].read(), reply["ContentRange"]) == (expected, content_range)
        assert reply["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert error_of(s3.get_object, Bucket=bucket, Key="k", Range="bytes=10-") == ("InvalidRange", 416)
    assert s3.get_object(Bucket=bucket, Key="k", Range="bytes=1-2,4-5")["Body"].read() == b"0123456789"
    assert s3.head_object(Bucket=bucket, Key="k", Range="bytes=2-4")["ContentLength"] == 3


def test_conditions(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
    assert error_of(s3.get_object, Bucket=bucket, Key="k", IfMatch='"0"') == ("PreconditionFailed", 412)
    assert error_of(s3.get_object, Bucket=bucket, Key="k", IfNoneMatch=etag)[1] == 304
    assert error_of(s3.put_object, Bucket=bucket, Key="k", Body=b"y", IfNoneMatch="*") == ("PreconditionFailed", 412)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
    s3.put_object(Bucket=bucket, Key="k", Body=b"y", IfMatch=etag)
    assert error_of(s3.put_object, Bucket=bucket, Key="k", Body=b"z", IfMatch=etag) == ("PreconditionFailed", 412)


def test_only_one_of_many_creators_wins(s3, bucket):
    outcomes = []

    def create(number):
        try:
            s3.put_object(Bucket=bucket, Key="lock", Body=str(number).encode(), IfNoneMatch="*")
            outcomes.append(number)
        except botocore.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == "PreconditionFailed"

    threads = [threading.Thread(target=create, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 1
    assert s3.get_object(Bucket=bucket, Key="lock")["Body"].read() == str(outcomes[0]).encode()


def test_any_key_works_and_none_leaves_its_bucket(s3, bucket, suited):
    keys = suited(AWKWARD_KEYS)
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    for key in keys:
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode(), key
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": 7})
    listed = [o["Key"] for page in pages for o in page["Contents"]]
    assert listed == sorted(keys, key=lambda k: k.encode())
    assert error_of(s3.put_object, Bucket=bucket, Key="x" * 1025, Body=b"") == ("KeyTooLongError", 400)
    deleted = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": k} for k in keys]})
    assert sorted(d["Key"] for d in deleted["Deleted"]) == sorted(keys)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def expected_listing(keys, prefix="", delimiter="", after=""):
    out = []
    for key in sorted(keys, key=lambda k: k.encode()):
        if not key.startswith(prefix) or (after and key.encode() <= after.encode()):
            continue
        cut = key.find(delimiter, len(prefix)) if delimiter else -1
        entry = key if cut < 0 else ("prefix", key[: cut + len(delimiter)])
        if not out or out[-1] != entry:
            out.append(entry)
    return out


@pytest.mark.parametrize("operation", ["list_objects_v2", "list_objects"])
def test_listings_equal_a_model(s3, bucket, suited, operation):
    choose = random.Random(3)
    parts = ["a", "b", "a b", "a&b", "ä", "~", "", "dir", "+", "%"]
    keys = suited({"/".join(choose.choices(parts, k=choose.randint(1, 4))) or "x" for _ in range(120)})
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    for _ in range(25):
        prefix = choose.choice(["", "a", "a/", "dir/", "ä", "none", "a&"])
        delimiter = choose.choice(["", "/", "b"])
        size = choose.choice([1, 3, 1000])
        pages = s3.get_paginator(operation).paginate(
            Bucket=bucket, Prefix=prefix, Delimiter=delimiter, PaginationConfig={"PageSize": size}
        )
        got = []
        for page in pages:
            entries = [o["Key"] for o in page.get("Contents", [])]
            entries += [("prefix", p["Prefix"]) for p in page.get("CommonPrefixes", [])]
            assert len(entries) <= size
            got += sorted(entries, key=lambda e: (e if isinstance(e, str) else e[1]).encode())
            for entry in page.get("Contents", []):
                assert entry["ETag"] == f'"{hashlib.md5(entry["Key"].encode()).hexdigest()}"'
                assert entry["Size"] == len(entry["Key"].encode())
        assert got == expected_listing(keys, prefix, delimiter), (prefix, delimiter, size)
    after = sorted(keys)[len(keys) // 2]
    got = [o["Key"] for o in s3.list_objects_v2(Bucket=bucket, StartAfter=after).get("Contents", [])]
    assert got == expected_listing(keys, after=after)


def test_multipart_upload(s3, bucket):
    parts = [random.Random(n).randbytes(5 * MIB) for n in (1, 2)] + [b"the end"]
    created = s3.create_multipart_upload(
        Bucket=bucket, Key="big", ContentType="text/plain", Metadata={"a": "b"}, ChecksumAlgorithm="CRC32"
    )
    upload = {"Bucket": bucket, "Key": "big", "UploadId": created["UploadId"]}
    done = {}
    for number in (3, 1, 2):
        reply = s3.upload_part(**upload, PartNumber=number, Body=parts[number - 1], ChecksumAlgorithm="CRC32")
        assert reply["ChecksumCRC32"] == crc32(parts[number - 1])
        done[number] = {"PartNumber": number, "ETag": reply["ETag"], "ChecksumCRC32": reply["ChecksumCRC32"]}
    assert [u["Key"] for u in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == ["big"]
    listed = s3.list_parts(**upload)["Parts"]
    assert [(p["PartNumber"], p["Size"]) for p in listed] == [(1, 5 * MIB), (2, 5 * MIB), (3, 7)]
    assert error_of(s3.head_object, Bucket=bucket, Key="big") == ("404", 404)
    in_order = [done[n] for n in (1, 2, 3)]
    complete = s3.complete_multipart_upload
    assert error_of(complete, **upload, MultipartUpload={"Parts": in_order[::-1]}) == ("InvalidPartOrder", 400)
    wrong = [dict(in_order[0], ETag='"0123456789abcdef0123456789abcdef"')]
    assert error_of(complete, **upload, MultipartUpload={"Parts": wrong}) == ("InvalidPart", 400)
    wrong = [in_order[0], dict(in_order[1], ChecksumCRC32=crc32(b"another part")), in_order[2]]
    assert error_of(complete, **upload, MultipartUpload={"Parts": wrong}) == ("InvalidPart", 400)
    whole = {"MultipartUpload": {"Parts": in_order}, "MpuObjectSize": 10 * MIB + 8}
    assert error_of(complete, **upload, **whole) == ("InvalidRequest", 400)
    whole = {"MultipartUpload": {"Parts": in_order}, "ChecksumCRC32": crc32(b"another object") + "-3"}
    assert error_of(complete, **upload, **whole) == ("BadDigest", 400)
    crcs = b"".join(zlib.crc32(p).to_bytes(4, "big") for p in parts)
    whole = {"MpuObjectSize": 10 * MIB + 7, "ChecksumCRC32": crc32(crcs) + "-3"}
    reply = complete(**upload, MultipartUpload={"Parts": in_order}, **whole)
    md5s = b"".join(hashlib.md5(p).digest() for p in parts)
    assert reply["ETag"] == f'"{hashlib.md5(md5s).hexdigest()}-3"'
    assert reply["ChecksumCRC32"] == crc32(crcs) + "-3"
    got = s3.get_object(Bucket=bucket, Key="big")
    assert got["Body"].read() == b"".join(parts)
    assert (got["ContentType"], got["Metadata"], got["ETag"]) == ("text/plain", {"a": "b"}, reply["ETag"])
    again = complete(**upload, MultipartUpload={"Parts": in_order})
    assert again["ETag"] == reply["ETag"], "a client whose answer got lost asks again"


def test_small_parts_and_aborted_uploads(s3, bucket):
    upload = {"Bucket": bucket, "Key": "k"}
    upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
    parts = [
        {"PartNumber": n, "ETag": s3.upload_part(**upload, PartNumber=n, Body=b"small")["ETag"]} for n in (1, 2)
    ]
    failed = error_of(s3.complete_multipart_upload, **upload, MultipartUpload={"Parts": parts})
    assert failed == ("EntityTooSmall", 400)
    s3.abort_multipart_upload(**upload)
    assert error_of(s3.upload_part, **upload, PartNumber=3, Body=b"x") == ("NoSuchUpload", 404)
    assert error_of(s3.list_parts, **upload) == ("NoSuchUpload", 404)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def test_managed_transfers(s3, bucket, tmp_path):
    body = random.Random(5).randbytes(21 * MIB + 3)
    config = boto3.s3.transfer.TransferConfig(
        multipart_threshold=8 * MIB, multipart_chunksize=8 * MIB, max_concurrency=4
    )
    s3.upload_fileobj(io.BytesIO(body), bucket, "big", Config=config, ExtraArgs={"Metadata": {"a": "b"}})
    (tmp_path / "source").write_bytes(body)
    s3.upload_file(str(tmp_path / "source"), bucket, "big2", Config=config)
    s3.download_file(bucket, "big2", str(tmp_path / "got"), Config=config)
    assert (tmp_path / "got").read_bytes() == body
    s3.copy({"Bucket": bucket, "Key": "big"}, bucket, "copied", Config=config)
    assert s3.get_object(Bucket=bucket, Key="copied")["Body"].read() == body


def test_copies(s3, bucket):
    s3.put_object(Bucket=bucket, Key="from & there/ä", Body=b"bytes", ContentType="text/csv", Metadata={"a": "1"})
    source = {"Bucket": bucket, "Key": "from & there/ä"}
    reply = s3.copy_object(Bucket=bucket, Key="to", CopySource=source)
    assert reply["CopyObjectResult"]["ETag"] == f'"{hashlib.md5(b"bytes").hexdigest()}"'
    head = s3.head_object(Bucket=bucket, Key="to")
    assert (head["ContentType"], head["Metadata"]) == ("text/csv", {"a": "1"})
    s3.copy_object(
        Bucket=bucket, Key="to", CopySource={"Bucket": bucket, "Key": "to"}, MetadataDirective="REPLACE", Metadata={}
    )
    assert s3.head_object(Bucket=bucket, Key="to")["Metadata"] == {}
    missing = {"Bucket": bucket, "Key": "absent"}
    assert error_of(s3.copy_object, Bucket=bucket, Key="x", CopySource=missing) == ("NoSuchKey", 404)
    assert error_of(s3.copy_object, Bucket=bucket, Key="to", CopySource={"Bucket": bucket, "Key": "to"}) == (
        "InvalidRequest",
        400,
    )


def test_checksums_of_every_kind(s3, bucket):
    body = b"hello world" * 1000
    for algorithm in ("CRC32", "SHA1", "SHA256"):
        put = s3.put_object(Bucket=bucket, Key=algorithm, Body=body, ChecksumAlgorithm=algorithm)
        got = s3.get_object(Bucket=bucket, Key=algorithm, ChecksumMode="ENABLED")
        assert got[f"Checksum{algorithm}"] == put[f"Checksum{algorithm}"]
        assert got["Body"].read() == body
    # botocore computes these only with the CRT installed: values by hand, of the catalogue's check string.
    for algorithm, value in (("CRC32C", "4waSgw=="), ("CRC64NVME", "rosUhgp5mIg=")):
        s3.put_object(Bucket=bucket, Key="k", Body=b"123456789", **{f"Checksum{algorithm}": value})
        wrong = {f"Checksum{algorithm}": base64.b64encode(bytes(len(base64.b64decode(value)))).decode()}
        assert error_of(s3.put_object, Bucket=bucket, Key="k", Body=b"123456789", **wrong) == ("BadDigest", 400)


def test_a_body_that_is_not_the_one_signed_for_is_refused(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"old")
    md5 = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    assert error_of(s3.put_object, Bucket=bucket, Key="k", Body=b"body", ContentMD5=md5) == ("BadDigest", 400)
    assert error_of(s3.put_object, Bucket=bucket, Key="k", Body=b"body", ChecksumCRC32=crc32(b"other")) == (
        "BadDigest",
        400,
    )

    def forge(request, **_):  # after it has been signed
        request.body = b"forged"

    s3.meta.events.register("before-send.s3.PutObject", forge)
    try:
        failed = error_of(s3.put_object, Bucket=bucket, Key="k", Body=b"honest")
    finally:
        s3.meta.events.unregister("before-send.s3.PutObject", forge)
    assert failed == ("XAmzContentSHA256Mismatch", 400)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"old"


def test_unsigned_payloads_and_clients_without_checksums(clients, bucket):
    plain = clients.client(
        "s3",
        config=botocore.config.Config(
            s3={"payload_signing_enabled": False}, request_checksum_calculation="when_required"
        ),
    )
    plain.put_object(Bucket=bucket, Key="k", Body=b"bytes")
    assert plain.get_object(Bucket=bucket, Key="k")["Body"].read() == b"bytes"


def test_missing_things(s3, bucket):
    assert error_of(s3.get_object, Bucket=bucket, Key="absent") == ("NoSuchKey", 404)
    assert error_of(s3.head_object, Bucket=bucket, Key="absent") == ("404", 404)
    assert error_of(s3.get_object, Bucket="no-such-bucket-here", Key="k") == ("NoSuchBucket", 404)
    assert error_of(s3.put_object, Bucket="no-such-bucket-here", Key="k", Body=b"x") == ("NoSuchBucket", 404)
    assert error_of(s3.list_objects_v2, Bucket="no-such-bucket-here") == ("NoSuchBucket", 404)
    s3.delete_object(Bucket=bucket, Key="absent")


@pytest.mark.parametrize(
    "call, arguments, named",
    [
        ("put_bucket_policy", {"Policy": "{}"}, "policy"),
        ("put_bucket_versioning", {"VersioningConfiguration": {"Status": "Enabled"}}, "versioning"),
        (
            "put_object",
            {"Key": "k", "Body": b"x", "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/mine"},
            "server-side-encryption-aws-kms-key-id",
        ),
        ("put_object", {"Key": "k", "Body": b"x", "StorageClass": "GLACIER"}, "storage-class"),
        ("restore_object", {"Key": "k", "RestoreRequest": {}}, "restore"),
    ],
)
def test_what_is_not_there_is_refused_by_name(s3, bucket, call, arguments, named):
    s3.put_object(Bucket=bucket, Key="k", Body=b"old")
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        getattr(s3, call)(Bucket=bucket, **arguments)
    assert caught.value.response["Error"]["Code"] == "NotImplemented"
    assert named in caught.value.response["Error"]["Message"]
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"old"


def test_every_answer_has_its_request_ids(s3, bucket):
    headers = s3.head_bucket(Bucket=bucket)["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-amz-request-id"]
    assert headers["x-amz-id-2"]


def test_a_full_disk_refuses_damages_nothing_and_recovers(small_disk, start_server, clients_of, tmp_path):
    disk = small_disk(tmp_path / "disk", "24m")
    s3 = clients_of(start_server(data_dir=disk / "data")).s3
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="before", Body=b"stays")
    s3.put_object(Bucket="bucket", Key="k", Body=b"old")
    assert error_of(s3.put_object, Bucket="bucket", Key="k", Body=bytes(40 * MIB)) == ("InsufficientStorage", 507)
    full = []
    for number in range(64):
        try:
            s3.put_object(Bucket="bucket", Key=f"fill/{number}", Body=bytes(MIB))
            full.append(number)
        except botocore.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == "InsufficientStorage"
            break
    assert 1 < len(full) < 24
    assert s3.get_object(Bucket="bucket", Key="k")["Body"].read() == b"old"
    assert s3.get_object(Bucket="bucket", Key="before")["Body"].read() == b"stays"
    for number in full:
        s3.delete_object(Bucket="bucket", Key=f"fill/{number}")
    s3.put_object(Bucket="bucket", Key="k", Body=b"new")
    listed = [o["Key"] for o in s3.list_objects_v2(Bucket="bucket")["Contents"]]
    assert listed == ["before", "k"]


def test_cli_round_trip(aws, clients, tmp_path):
    bucket, other = jobs.unique("cli"), jobs.unique("cli")
    folder = tmp_path / "folder"
    (folder / "sub dir").mkdir(parents=True)
    (folder / "a.txt").write_text("a")
    (folder / "sub dir" / "b&c ü.txt").write_text("b")
    big = random.Random(6).randbytes(20 * MIB)
    (folder / "big.bin").write_bytes(big)
    aws("s3", "mb", f"s3://{bucket}")
    clients.s3.create_bucket(Bucket=other)
    aws("s3", "sync", folder, f"s3://{bucket}/in")
    assert "upload:" not in (aws("s3", "sync", folder, f"s3://{bucket}/in") or "")
    aws("s3", "cp", f"s3://{bucket}/in/big.bin", tmp_path / "big.bin")
    assert (tmp_path / "big.bin").read_bytes() == big
    listed = aws("s3", "ls", f"s3://{bucket}/in/")
    assert "PRE sub dir/" in listed
    assert "big.bin" in listed
    aws("s3", "mv", f"s3://{bucket}/in/big.bin", f"s3://{other}/moved.bin")
    aws("s3", "cp", "--recursive", f"s3://{bucket}/in", f"s3://{other}/copy")
    aws("s3", "sync", f"s3://{other}", tmp_path / "back")
    assert (tmp_path / "back" / "moved.bin").read_bytes() == big
    assert (tmp_path / "back" / "copy" / "sub dir" / "b&c ü.txt").read_text() == "b"
    assert (tmp_path / "back" / "copy" / "a.txt").read_text() == "a"
    done = clients.aws("s3", "rb", f"s3://{bucket}", check=False)
    assert "BucketNotEmpty" in done.stderr
    aws("s3", "rb", "--force", f"s3://{bucket}")
    assert bucket not in aws("s3", "ls")


def test_a_refused_empty_object_does_not_hold_up_the_next(clients, bucket):
    """botocore waits for 100 Continue also before an empty body, and its connection is spoilt by any other answer."""
    once = botocore.config.Config(read_timeout=20, retries={"total_max_attempts": 1})
    s3 = clients.client("s3", config=once)
    for key, more in (("k", {"ACL": "public-read"}), ("x" * 2000, {})):
        with pytest.raises(botocore.exceptions.ClientError):
            s3.put_object(Bucket=bucket, Key=key, Body=b"", **more)
        s3.put_object(Bucket=bucket, Key="next", Body=b"abc")
