"""The signature code against botocore's signer, which most of the world's AWS clients are.

Random requests (paths with dots, doubled slashes, escapes and UTF-8; queries without values, repeated, unsorted; headers
folded, repeated and padded; session tokens) are signed by botocore and must be believed as they are and refused with any
one thing changed; and what we sign must be what botocore signs. The seed is printed; ARGOSY_SEED replays it.
"""

import datetime
import hashlib
import json
import os
import pathlib
import random
import string
import subprocess
from unittest import mock
from urllib.parse import quote, urlsplit

import pytest

botocore_auth = pytest.importorskip("botocore.auth")
from botocore.awsrequest import AWSRequest  # noqa: E402
from botocore.credentials import Credentials  # noqa: E402

REQUESTS = 10_000
TAMPERED = 5_000
SIGNED_BY_US = 5_000
BATCH = 500

ROOT = pathlib.Path(__file__).resolve().parents[2]


def find_probe():
    places = [os.environ.get("ARGOSY_BUILD_DIR"), ROOT / "build" / "release", ROOT / "build" / "dev"]
    for place in places:
        if place and (probe := pathlib.Path(place) / "sigv4_probe").exists():
            return str(probe)
    pytest.skip("sigv4_probe is not built (looked in ARGOSY_BUILD_DIR and build/release)")


@pytest.fixture(scope="module")
def probe():
    path = find_probe()

    def ask(questions):
        answers = []
        for start in range(0, len(questions), BATCH):
            lines = "".join(json.dumps(q) + "\n" for q in questions[start : start + BATCH])
            done = subprocess.run([path], input=lines.encode(), stdout=subprocess.PIPE, check=True, timeout=120)
            answers += [json.loads(line) for line in done.stdout.splitlines()]
        assert len(answers) == len(questions)
        return answers

    return ask


@pytest.fixture
def rng(request):
    seed = int(os.environ.get("ARGOSY_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"seed {seed}: replay with ARGOSY_SEED={seed}")
    return random.Random(seed)


KEY_CHARACTERS = string.ascii_letters + string.digits + "-._~ !$&'()*+,;=:@%/#?[]\"<>|\\^`{}äßλ日本🙂"
SEGMENTS = ["a", "b.c", "..", ".", "", "x%20y", "%41", "~me", "endpoints", "invocations", "(1)", "a+b", "é", "$", "a:b@c"]


def random_text(rng, size, alphabet=KEY_CHARACTERS):
    return "".join(rng.choice(alphabet) for _ in range(rng.randrange(size)))


def random_path(rng, service):
    if service == "s3":
        if rng.random() < 0.1:
            return "/"
        return "/bucket-" + random_text(rng, 5, string.ascii_lowercase) + "/" + quote(random_text(rng, 24), safe="/~")
    if rng.random() < 0.4:
        return "/"
    path = "/" + "/".join(rng.choice(SEGMENTS) for _ in range(rng.randrange(1, 6)))
    return quote(path, safe="/~%:@$()+")


def random_query(rng):
    pairs = []
    for _ in range(rng.choice([0, 0, 0, 1, 2, 5])):
        name = rng.choice(["prefix", "list-type", "uploads", "delimiter", "X", "a", "A", "partNumber"])
        name += quote(random_text(rng, 3), safe="")
        kind = rng.random()
        if kind < 0.2:
            pairs.append(name)
        elif kind < 0.3:
            pairs.append(name + "=")
        elif kind < 0.4:
            pairs.append(name + "=" + random_text(rng, 8, string.ascii_letters + "/:,=~-"))
        else:
            pairs.append(name + "=" + quote(random_text(rng, 10), safe="-_.~"))
    return "&".join(pairs)


def random_headers(rng):
    headers = []
    if rng.random() < 0.6:
        headers.append(("Content-Type", rng.choice(["application/x-amz-json-1.1", "text/csv", "text/plain;  charset=utf-8"])))
    for i in range(rng.choice([0, 0, 1, 3])):
        value = random_text(rng, 20, string.ascii_letters + "  \t,;=\"'%")
        headers.append((rng.choice(["X-Amz-Meta-", "x-amz-meta-", "My-Header-"]) + str(i), value))
        if rng.random() < 0.3:
            headers.append((headers[-1][0], random_text(rng, 8, string.ascii_letters + "  ")))
    if rng.random() < 0.3:
        headers.append(("User-Agent", "Boto3/1.0  test"))
    if rng.random() < 0.2:
        headers.append(("Expect", "100-continue"))
    return headers


class Case:
    """One signed request, as it would be sent."""

    def __init__(self, rng):
        self.service = rng.choice(["s3", "sagemaker", "logs", "sts", "execute-api"])
        self.region = rng.choice(["us-east-1", "eu-central-1", "local"])
        self.access_key = "AKIA" + "".join(rng.choice(string.ascii_uppercase) for _ in range(16))
        self.secret = "".join(rng.choice(string.ascii_letters + string.digits + "+/") for _ in range(rng.choice([40, 40, 8, 80])))
        self.token = random_text(rng, 60, string.ascii_letters + "+/=") if rng.random() < 0.3 else ""
        self.now = rng.randrange(1_000_000_000, 3_000_000_000)
        self.method = rng.choice(["GET", "PUT", "POST", "DELETE", "HEAD"])
        self.path = random_path(rng, self.service)
        self.query = random_query(rng)
        self.body = rng.randbytes(rng.randrange(200)) if self.method in ("PUT", "POST") else b""
        self.headers = random_headers(rng)

    def url(self):
        return "http://127.0.0.1:9000" + self.path + ("?" + self.query if self.query else "")

    def sign_with_botocore(self, headers):
        request = AWSRequest(method=self.method, url=self.url(), data=self.body)
        for name, value in headers:
            request.headers.add_header(name, value)
        signer = botocore_auth.S3SigV4Auth if self.service == "s3" else botocore_auth.SigV4Auth
        credentials = Credentials(self.access_key, self.secret, self.token or None)
        when = datetime.datetime.fromtimestamp(self.now, datetime.timezone.utc)
        with mock.patch.object(botocore_auth, "get_current_datetime", lambda *a, **k: when.replace(tzinfo=None)):
            signer(credentials, self.service, self.region).add_auth(request)
        return request.headers.items()

    def payload_hash(self, headers):
        for name, value in headers:
            if name.lower() == "x-amz-content-sha256":
                return value
        return hashlib.sha256(self.body).hexdigest()

    def question(self, headers, **changes):
        fields = {"method": self.method, "target": urlsplit_target(self.url())}
        fields.update({k: v for k, v in changes.items() if k in fields})
        lines = [f"{fields['method']} {fields['target']} HTTP/1.1"]
        if not any(name.lower() == "host" for name, _ in headers):
            lines.append("Host: 127.0.0.1:9000")
        lines += [f"{name}: {value}" for name, value in headers]
        question = {
            "op": "verify",
            "now": self.now,
            "access_key": self.access_key,
            "secret": self.secret,
            "token": self.token,
            "request": "\r\n".join(lines) + "\r\n\r\n",
            "payload_hash": self.payload_hash(headers),
        }
        question.update({k: v for k, v in changes.items() if k in question})
        return question


def urlsplit_target(url):
    parts = urlsplit(url)
    return parts.path + ("?" + parts.query if parts.query else "")


def test_what_botocore_signs_is_believed(probe, rng):
    cases = [Case(rng) for _ in range(REQUESTS)]
    questions = [case.question(case.sign_with_botocore(case.headers)) for case in cases]
    for question, answer in zip(questions, probe(questions)):
        assert answer["verdict"] == "ok", json.dumps([question, answer])


def other_digit(c):
    return "0" if c != "0" else "1"


def tamper(rng, case, headers):
    """The question with one thing changed, and the verdicts that are right."""
    signed = dict((name.lower(), value) for name, value in headers)
    authorization = signed["authorization"]

    def with_header(name, value):
        return [(n, value if n.lower() == name else v) for n, v in headers]

    kind = rng.randrange(11)
    if kind == 0:
        return case.question(headers, method="PATCH"), {"kBadSignature"}
    if kind == 1:
        path, mark, query = urlsplit_target(case.url()).partition("?")
        return case.question(headers, target=path + "x" + mark + query), {"kBadSignature"}
    if kind == 2:
        target = urlsplit_target(case.url())
        return case.question(headers, target=target + ("&" if "?" in target else "?") + "added=1"), {"kBadSignature"}
    if kind == 3:
        return case.question(headers, payload_hash=hashlib.sha256(b"another body").hexdigest()), {"kBadSignature"}
    if kind == 4:
        at = rng.randrange(64)
        start = len(authorization) - 64
        changed = authorization[: start + at] + other_digit(authorization[start + at]) + authorization[start + at + 1 :]
        return case.question(with_header("authorization", changed)), {"kBadSignature"}
    if kind == 5:
        return case.question(headers, secret=case.secret + "x"), {"kBadSignature"}
    if kind == 6:
        return case.question(headers, access_key="AKIAOTHER"), {"kUnknownKey"}
    if kind == 7:
        return case.question(headers, now=case.now + rng.choice([-901, 901, 86_400, -86_400])), {"kSkewed"}
    if kind == 8:
        return case.question(headers, token=case.token + "x"), {"kBadToken"}
    if kind == 9:
        return case.question(headers + [("X-Amz-Meta-Unsigned", "1")]), {"kBadSignature"}
    return case.question([(n, v) for n, v in headers if n.lower() != "authorization"]), {"kMissing"}


def test_what_was_changed_on_the_way_is_refused(probe, rng):
    questions, expected = [], []
    for _ in range(TAMPERED):
        case = Case(rng)
        question, verdicts = tamper(rng, case, list(case.sign_with_botocore(case.headers)))
        questions.append(question)
        expected.append(verdicts)
    for question, verdicts, answer in zip(questions, expected, probe(questions)):
        assert answer["verdict"] in verdicts, json.dumps([question, answer])
        assert answer["message"]


def test_skew_is_allowed_to_fifteen_minutes(probe, rng):
    questions = []
    for shift in (-900, -899, 0, 899, 900):
        case = Case(rng)
        questions.append(case.question(case.sign_with_botocore(case.headers), now=case.now + shift))
    assert [answer["verdict"] for answer in probe(questions)] == ["ok"] * 5


def test_what_we_sign_is_what_botocore_signs(probe, rng):
    cases, questions = [], []
    for _ in range(SIGNED_BY_US):
        case = Case(rng)
        case.headers = [("Host", "127.0.0.1:9000"), *case.headers]
        payload_hash = hashlib.sha256(case.body).hexdigest()
        if case.service == "s3":
            case.headers.append(("X-Amz-Content-SHA256", payload_hash))
        cases.append(case)
        questions.append(
            {
                "op": "sign",
                "now": case.now,
                "access_key": case.access_key,
                "secret": case.secret,
                "token": case.token,
                "region": case.region,
                "service": case.service,
                "method": case.method,
                "path": case.path,
                "query": case.query,
                "headers": case.headers,
                "payload_hash": payload_hash,
            }
        )
    for case, question, answer in zip(cases, questions, probe(questions)):
        theirs = dict((name.lower(), value) for name, value in case.sign_with_botocore(case.headers))
        ours = dict(answer["headers"])
        assert ours["authorization"] == theirs["authorization"], json.dumps(question)
        assert ours["x-amz-date"] == theirs["x-amz-date"]
        assert ours.get("x-amz-security-token", "") == case.token
