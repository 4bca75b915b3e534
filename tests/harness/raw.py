"""HTTP by hand: signed requests as bytes, and a socket that reads answers one by one."""

import json
import socket

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SOCKET_SECONDS = 30


def signed_headers(
    clients, method, path, service, headers=(), body=b"", access_key=None, secret=None
):
    """All headers of a signed request, by botocore's signer."""
    request = AWSRequest(method, clients.endpoint + path, headers=dict(headers), data=body)
    credentials = Credentials(
        access_key or clients.exports["AWS_ACCESS_KEY_ID"], secret or clients.exports["AWS_SECRET_ACCESS_KEY"]
    )
    signer = (S3SigV4Auth if service == "s3" else SigV4Auth)(credentials, service, clients.region)
    signer.add_auth(request)
    return dict(request.headers.items())


def head_bytes(clients, method, path, headers):
    host = clients.endpoint.split("//")[1]
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{k}: {v.decode() if isinstance(v, bytes) else v}" for k, v in headers.items() if k.lower() != "host"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def request_bytes(clients, method, path, service, headers=(), body=b"", **how):
    """A whole signed request."""
    found = signed_headers(clients, method, path, service, headers, body, **how)
    found.setdefault("Content-Length", str(len(body)))
    return head_bytes(clients, method, path, found) + body


def json_call(clients, operation, members, service="sagemaker", prefix="SageMaker", **how):
    """A signed call of a JSON service as bytes."""
    body = members if isinstance(members, bytes) else json.dumps(members).encode()
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"{prefix}.{operation}"}
    return request_bytes(clients, "POST", "/", service, headers, body, **how)


def address_of(clients):
    """Host and port of the server that the clients talk to."""
    host, _, port = clients.endpoint.split("//")[1].rpartition(":")
    return host, int(port)


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers  # lower-cased names
        self.body = body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:200]!r}>"


class Connection:
    """One TCP connection; answers are read in the order they come."""

    def __init__(self, address):
        self.socket = socket.create_connection(address, timeout=SOCKET_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)
        return self

    def _more(self):
        data = self.socket.recv(1 << 16)
        if not data:
            raise ConnectionError(f"closed by the server; unread: {self.buffer[:200]!r}")
        self.buffer += data

    def _until(self, mark):
        while mark not in self.buffer:
            self._more()
        text, self.buffer = self.buffer.split(mark, 1)
        return text

    def _exactly(self, size):
        while len(self.buffer) < size:
            self._more()
        text, self.buffer = self.buffer[:size], self.buffer[size:]
        return text

    def read_head(self):
        first, *rest = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        version, status, *_ = first.split(" ")
        assert version == "HTTP/1.1", first
        headers = {}
        for line in rest:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        return int(status), headers

    def read(self, method="POST"):
        """The next answer; interim ones (100) are given as they are, without a body."""
        status, headers = self.read_head()
        if status < 200 or method == "HEAD" or status in (204, 304):
            return Answer(status, headers, b"")
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = b""
            while True:
                size = int(self._until(b"\r\n").split(b";")[0], 16)
                body += self._exactly(size)
                assert self._until(b"\r\n") == b""
                if size == 0:
                    return Answer(status, headers, body)
        assert "content-length" in headers, (status, headers)
        return Answer(status, headers, self._exactly(int(headers["content-length"])))

    def closed(self):
        """Whether the server has closed, once it has; waits up to the socket's time limit. Unread answers are dropped."""
        try:
            while self.socket.recv(1 << 16):
                pass
        except ConnectionError:
            return True
        except TimeoutError:
            return False
        return True
