"""The front door by plain sockets: what well-behaved and other clients send."""

import gzip
import os
import socket

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from harness import jobs, raw
from harness.clients import CONFIG
from harness.processes import wait_for


def ask(clients, operation="ListTrainingJobs", **members):
    return raw.json_call(clients, operation, members)


@pytest.fixture
def connection(server):
    with raw.Connection(server.address) as found:
        yield found


def test_many_requests_on_one_connection(clients, connection):
    ids = set()
    for _ in range(50):
        answer = connection.send(ask(clients)).read()
        assert answer.status == 200
        ids.add(answer.headers["x-amzn-requestid"])
    assert len(ids) == 50


def test_pipelined_requests_are_answered_in_order(clients, connection):
    names = [f"pipelined-{i}" for i in range(40)]
    kinds = []
    for i, name in enumerate(names):
        if i % 3 == 0:
            kinds.append(("GET", raw.request_bytes(clients, "GET", f"/{clients.bucket}/{name}", "s3")))
        else:
            kinds.append(("POST", raw.json_call(clients, "DescribeEndpoint", {"EndpointName": name})))
    connection.send(b"".join(message for _, message in kinds))
    for name, (method, _) in zip(names, kinds):
        answer = connection.read(method)
        assert answer.status == (404 if method == "GET" else 400)
        assert name.encode() in answer.body, "answers came in another order than the requests"


def test_requests_that_arrive_byte_by_byte(clients, connection):
    message = ask(clients)
    for i in range(len(message)):
        connection.send(message[i : i + 1])
    assert connection.read().status == 200


def test_a_chunked_body(clients, connection):
    body = b'{"MaxResults": 5}'
    headers = raw.signed_headers(
        clients,
        "POST",
        "/",
        "sagemaker",
        {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "SageMaker.ListTrainingJobs"},
        body,
    )
    headers.pop("Content-Length", None)
    headers["Transfer-Encoding"] = "chunked"
    message = raw.head_bytes(clients, "POST", "/", headers)
    message += (
        b"5\r\n" + body[:5] + b"\r\n" + b"%X;ext=1\r\n" % len(body[5:]) + body[5:] + b"\r\n0\r\nTrailer: x\r\n\r\n"
    )
    assert connection.send(message).read().status == 200
    assert connection.send(ask(clients)).read().status == 200


def test_expect_100_continue_is_answered_before_the_body_is_sent(clients, connection):
    body = os.urandom(100_000)
    path = f"/{clients.bucket}/expected"
    headers = raw.signed_headers(clients, "PUT", path, "s3", {"Content-Length": str(len(body))}, body)
    headers["Expect"] = "100-continue"
    connection.send(raw.head_bytes(clients, "PUT", path, headers))
    assert connection.read().status == 100
    answer = connection.send(body).read("PUT")
    assert answer.status == 200
    assert clients.get(f"s3://{clients.bucket}/expected") == body


def test_expect_100_continue_with_a_wrong_signature_is_refused_without_the_body(clients, connection):
    path = f"/{clients.bucket}/refused"
    headers = raw.signed_headers(
        clients,
        "PUT",
        path,
        "s3",
        {"Content-Length": "1000"},
        secret="another-secret-than-the-right-one",
    )
    headers["Expect"] = "100-continue"
    connection.send(raw.head_bytes(clients, "PUT", path, headers))
    assert connection.read("PUT").status == 403


def test_expect_100_continue_is_answered_for_an_empty_body_too(clients, connection):
    """botocore remembers a final answer that came in place of 100 for the connection's next request, and misreads that."""
    path = f"/{clients.bucket}/empty"
    headers = raw.signed_headers(clients, "PUT", path, "s3", {"Content-Length": "0"}, b"")
    headers["Expect"] = "100-continue"
    connection.send(raw.head_bytes(clients, "PUT", path, headers))
    assert connection.read().status == 100
    assert connection.read("PUT").status == 200


def test_a_final_answer_in_place_of_100_closes_the_connection(clients, connection):
    path = "/no-such-bucket-at-all/key"
    headers = raw.signed_headers(clients, "PUT", path, "s3", {"Content-Length": "5"}, b"12345")
    headers["Expect"] = "100-continue"
    connection.send(raw.head_bytes(clients, "PUT", path, headers))
    answer = connection.read("PUT")
    if answer.status == 100:  # accepted: then the refusal comes behind the body, and the connection may stay
        answer = connection.send(b"12345").read("PUT")
    else:
        assert answer.headers.get("connection", "").lower() == "close"
        assert connection.closed()
    assert answer.status == 404


def test_boto3_puts_empty_and_other_objects_in_turn(clients):
    s3 = clients.client("s3", config=CONFIG.merge(Config(read_timeout=10, max_pool_connections=1)))
    for body in (b"", b"x", b"", b"", b"yz"):
        s3.put_object(Bucket=clients.bucket, Key="in-turn", Body=body)
        assert s3.get_object(Bucket=clients.bucket, Key="in-turn")["Body"].read() == body
    for body in (b"", b"x"):
        with pytest.raises(ClientError):
            s3.put_object(Bucket="no-such-bucket-at-all", Key="in-turn", Body=body)
        s3.put_object(Bucket=clients.bucket, Key="in-turn", Body=body)


def test_a_head_has_no_body(clients, connection):
    clients.put("head-me", b"12345")
    for _ in range(2):
        connection.send(raw.request_bytes(clients, "HEAD", f"/{clients.bucket}/head-me", "s3"))
        answer = connection.read("HEAD")
        assert (answer.status, answer.headers["content-length"]) == (200, "5")


def test_connection_close_is_obeyed(clients, connection):
    message = ask(clients).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
    assert connection.send(message).read().status == 200
    assert connection.closed()


def test_http_1_0_is_closed_after_the_answer(clients, connection):
    message = ask(clients).replace(b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", 1)
    answer = connection.send(message).read()
    assert answer.status == 200
    assert connection.closed()


def test_our_own_pages_need_no_signature(connection):
    answer = connection.send(b"GET /-/health HTTP/1.1\r\nHost: x\r\n\r\n").read("GET")
    assert answer.status == 200


@pytest.mark.parametrize(
    "message",
    [
        b"\r\n\r\n\r\n\r\nnonsense\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nBad Header: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ten\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
        b"\0" * 100,
    ],
)
def test_what_is_no_request_is_refused_and_the_connection_closed(server, clients, message):
    with raw.Connection(server.address) as connection:
        connection.send(message)
        connection.socket.shutdown(socket.SHUT_WR)
        try:
            status, _ = connection.read_head()
        except ConnectionError:
            status = None  # closed without a word
        assert status in (None, 400, 403, 404, 411, 413, 431, 501, 505)
    assert clients.sagemaker.list_training_jobs(MaxResults=1)["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_a_header_section_without_end_is_refused(server):
    with raw.Connection(server.address) as connection:
        try:
            connection.send(b"GET / HTTP/1.1\r\nHost: x\r\n")
            for i in range(4096):
                connection.send(b"X-Filler-%d: %s\r\n" % (i, b"y" * 1000))
        except (BrokenPipeError, ConnectionResetError):
            return  # refused before all was sent
        try:
            assert connection.read_head()[0] in (400, 413, 431)
        except ConnectionError:
            pass


def test_a_request_line_without_end_is_refused(server):
    with raw.Connection(server.address) as connection:
        try:
            for _ in range(64):
                connection.send(b"G" * 65536)
        except (BrokenPipeError, ConnectionResetError):
            return
        try:
            assert connection.read_head()[0] in (400, 413, 414, 431)
        except ConnectionError:
            pass


def test_a_json_body_over_the_bound_is_refused(clients, server):
    with raw.Connection(server.address) as connection:
        try:
            connection.send(
                raw.json_call(clients, "ListTrainingJobs", b'{"NameContains":"' + b"x" * (32 << 20) + b'"}')
            )
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            assert connection.read_head()[0] in (400, 413)
        except ConnectionError:
            pass


def test_clients_that_send_slowly_hold_nobody_up(server, clients):
    """A thousand that say nothing, or have begun requests and say no more: others are served all the same."""
    crowd = [raw.Connection(server.address) for _ in range(1000)]
    begun = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\nX-Begun: "
    try:
        for i, one in enumerate(crowd):
            if i % 3:
                one.send(begun + (b"\r\n\r\nabc" if i % 3 == 2 else b""))
        for _ in range(10):
            assert clients.sagemaker.list_training_jobs(MaxResults=1)["ResponseMetadata"]["HTTPStatusCode"] == 200
    finally:
        for one in crowd:
            one.socket.close()


def test_more_connections_than_allowed_are_turned_away_and_come_in_later(start_server, clients_of):
    server = start_server("--connections-max", "20")
    clients = clients_of(server)
    clients.sagemaker.list_training_jobs(MaxResults=1)
    crowd = []
    try:
        for _ in range(60):
            crowd.append(raw.Connection(server.address))
        health = b"GET /-/health HTTP/1.1\r\nHost: x\r\n\r\n"
        served = turned_away = 0
        for one in crowd:
            try:
                status = one.send(health).read("GET").status
                assert status in (200, 503)
                served += status == 200
                turned_away += status == 503
            except (ConnectionError, BrokenPipeError):
                turned_away += 1
        assert served <= 20
        assert turned_away >= 40
    finally:
        for one in crowd:
            one.socket.close()

    def back():
        try:
            with raw.Connection(server.address) as one:
                return one.send(health).read("GET").status == 200
        except ConnectionError:
            return False

    wait_for(back, 30, "the door to open again once the crowd has left")


def test_every_answer_has_a_request_id(clients, server):
    endpoint = jobs.unique("none")
    messages = [
        ("POST", ask(clients)),
        ("POST", raw.json_call(clients, "Nothing", {})),
        ("POST", raw.json_call(clients, "DescribeLogGroups", {}, service="logs", prefix="Logs_20140328")),
        ("POST", raw.request_bytes(clients, "POST", f"/endpoints/{endpoint}/invocations", "sagemaker", {}, b"1")),
        ("GET", raw.request_bytes(clients, "GET", "/", "s3")),
        ("GET", raw.request_bytes(clients, "GET", "/no-such-bucket-at-all/key", "s3")),
        (
            "POST",
            raw.request_bytes(
                clients,
                "POST",
                "/",
                "sts",
                {"Content-Type": "application/x-www-form-urlencoded"},
                b"Action=GetCallerIdentity&Version=2011-06-15",
            ),
        ),
    ]
    with raw.Connection(server.address) as connection:
        for method, message in messages:
            answer = connection.send(message).read(method)
            assert answer.headers.get("x-amzn-requestid"), answer


def test_a_client_that_leaves_in_the_middle_is_forgotten(server, clients):
    for _ in range(50):
        with raw.Connection(server.address) as connection:
            connection.send(ask(clients)[:-3])
        with raw.Connection(server.address) as connection:
            connection.send(ask(clients) * 5)  # and does not wait for the answers
    assert clients.sagemaker.list_training_jobs(MaxResults=1)["ResponseMetadata"]["HTTPStatusCode"] == 200
    descriptors = lambda: len(os.listdir(f"/proc/{server.pid}/fd"))  # noqa: E731
    before = descriptors()
    wait_for(lambda: descriptors() <= before, 30, "descriptors not to grow")
    assert descriptors() < 200


@pytest.mark.parametrize(
    "service, prefix, operation, member",
    [("sagemaker", "SageMaker", "ListModels", "Models"), ("logs", "Logs_20140328", "DescribeLogGroups", "logGroups")],
)
def test_a_compressed_json_body_is_read(clients, server, service, prefix, operation, member):
    def ask(coding, body):
        message = raw.json_call(clients, operation, body, service=service, prefix=prefix)
        head, blank, payload = message.partition(b"\r\n\r\n")
        with raw.Connection(server.address) as connection:
            return connection.send(head + f"\r\nContent-Encoding: {coding}".encode() + blank + payload).read()

    assert member in ask("gzip", gzip.compress(b"{}")).json()
    for coding, body, said in (
        ("br", b"{}", "The Content-Encoding 'br' is not supported"),
        ("gzip", b"{}", "no gzip data"),
        ("gzip", gzip.compress(b" " * (2 << 20)), "more than 1048576 bytes"),
        ("gzip", gzip.compress(b"{"), "not JSON: parse error at line 1"),
    ):
        refused = ask(coding, body)
        assert refused.status == 400 and refused.json()["__type"] == "SerializationException"
        assert said in refused.json()["message"], refused
