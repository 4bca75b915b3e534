"""Bodies whose chunks are signed one after another, as the SDKs for Java and Go send them over plain HTTP. boto3 does
not: its signature of the head is taken here, the chunks are signed by the published rule."""

import hashlib
import hmac
import zlib
from base64 import b64encode

import pytest
import requests
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest

from harness import jobs

PLAIN = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
WITH_TRAILER = PLAIN + "-TRAILER"


class SignsChunks(S3SigV4Auth):
    """Leaves what the body is to the header that was given."""

    def payload(self, request):
        return request.headers["X-Amz-Content-SHA256"]

    def _modify_request_before_signing(self, request):
        hash_of_body = request.headers["X-Amz-Content-SHA256"]
        super()._modify_request_before_signing(request)
        del request.headers["X-Amz-Content-SHA256"]
        request.headers["X-Amz-Content-SHA256"] = hash_of_body


class Upload:
    def __init__(self, clients, bucket, key, length, kind=PLAIN, **headers):
        credentials = clients.session().get_credentials()
        self.request = AWSRequest("PUT", f"{clients.endpoint}/{bucket}/{key}")
        self.request.headers["X-Amz-Content-SHA256"] = kind
        self.request.headers["Content-Encoding"] = "aws-chunked"
        self.request.headers["X-Amz-Decoded-Content-Length"] = str(length)
        for name, value in headers.items():
            self.request.headers[name.replace("_", "-")] = value
        SignsChunks(credentials, "s3", clients.region).add_auth(self.request)
        self.date = self.request.headers["X-Amz-Date"]
        self.scope = f"{self.date[:8]}/{clients.region}/s3/aws4_request"
        self.previous = self.request.headers["Authorization"].rpartition("Signature=")[2]
        self.key = ("AWS4" + credentials.secret_key).encode()
        for part in self.scope.split("/"):
            self.key = hmac.new(self.key, part.encode(), "sha256").digest()
        self.body = b""

    def sign(self, kind, *texts):
        words = "\n".join([kind, self.date, self.scope, self.previous, *texts])
        self.previous = hmac.new(self.key, words.encode(), "sha256").hexdigest()
        return self.previous

    def chunk(self, data):
        hashes = hashlib.sha256(b"").hexdigest(), hashlib.sha256(data).hexdigest()
        head = f"{len(data):x};chunk-signature={self.sign('AWS4-HMAC-SHA256-PAYLOAD', *hashes)}\r\n"
        self.body += head.encode() + data + (b"\r\n" if data else b"")
        return self

    def trailer(self, text):
        signature = self.sign("AWS4-HMAC-SHA256-TRAILER", hashlib.sha256(text.encode() + b"\n").hexdigest())
        self.body += f"{text}\r\nx-amz-trailer-signature:{signature}\r\n".encode()
        return self

    def send(self, body=None):
        body = (self.body + b"\r\n") if body is None else body
        return requests.put(self.request.url, data=body, headers=dict(self.request.headers.items()))


@pytest.fixture(scope="module")
def bucket(shared_clients):
    name = jobs.unique("chunks")
    shared_clients.s3.create_bucket(Bucket=name)
    return name


def test_chunks_are_put_together(clients, bucket):
    data = [b"a" * 65536, bytes(range(256)) * 256, b"end"]
    upload = Upload(clients, bucket, "k", sum(map(len, data)))
    for piece in data:
        upload.chunk(piece)
    answer = upload.chunk(b"").send()
    assert answer.status_code == 200, answer.text
    got = clients.s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == b"".join(data)
    assert got.get("ContentEncoding", "") != "aws-chunked"


def test_a_signed_trailer_has_the_checksum(clients, bucket):
    checksum = b64encode(zlib.crc32(b"hello").to_bytes(4, "big")).decode()
    upload = Upload(clients, bucket, "t", 5, WITH_TRAILER, x_amz_trailer="x-amz-checksum-crc32")
    answer = upload.chunk(b"hello").chunk(b"").trailer(f"x-amz-checksum-crc32:{checksum}").send()
    assert answer.status_code == 200, answer.text
    head = clients.s3.head_object(Bucket=bucket, Key="t", ChecksumMode="ENABLED")
    assert head["ChecksumCRC32"] == checksum


def test_a_chunk_that_somebody_changed_is_refused_and_nothing_is_kept(clients, bucket):
    clients.s3.put_object(Bucket=bucket, Key="kept", Body=b"before")
    for change in (
        lambda body: body.replace(b"hello", b"HELLO"),
        lambda body: body.replace(b"chunk-signature=", b"chunk-signature=0", 1)[:-1],
        lambda body: body[body.index(b"5;", 2) :],
    ):
        upload = Upload(clients, bucket, "kept", 10).chunk(b"hello").chunk(b"world").chunk(b"")
        answer = upload.send(change(upload.body + b"\r\n"))
        assert answer.status_code == 403 and "SignatureDoesNotMatch" in answer.text
    assert clients.s3.get_object(Bucket=bucket, Key="kept")["Body"].read() == b"before"


def test_a_body_that_ends_early_is_refused(clients, bucket):
    upload = Upload(clients, bucket, "short", 10).chunk(b"hello")
    answer = upload.send(upload.body)
    assert answer.status_code == 400 and "IncompleteBody" in answer.text
