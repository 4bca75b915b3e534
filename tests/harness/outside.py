"""Fixtures in place of conftest's: a server whose objects lie in MinIO, for modules that import them by name."""

import pytest

from harness import minio
from harness.clients import Clients
from harness.server import Server


def refused(key):
    """Whether MinIO takes no such key."""
    parts = key.split("/")
    empty = "" in parts[:-1] or key == ""
    return empty or bool({".", ".."} & set(parts)) or any(len(p.encode()) > 255 for p in parts) or len(key) > 900


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """The MinIO."""
    try:
        found = minio.Minio(tmp_path_factory.mktemp("minio"))
    except minio.Missing as why:
        pytest.skip(str(why))
    yield found.start()
    found.dispose()


@pytest.fixture(scope="module")
def server(store, tmp_path_factory):
    found = Server(tmp_path_factory.mktemp("outside") / "data", options=store.options(), env=store.environment())
    yield found.start()
    found.dispose()


@pytest.fixture(scope="module")
def shared_clients(server, tmp_path_factory):
    return Clients(server.exports(), tmp_path_factory.mktemp("clients"))


@pytest.fixture
def suited():
    """MinIO refuses some keys, does not list what lies below an object (`a/b` beside `a`), and ends a list in pages of one
    at a folder's marker (`a/` beside `a/b`)."""

    def choose(keys):
        taken = {key for key in keys if not refused(key)}
        above = {key[:end] for key in taken for at in range(len(key) - 1) if key[at] == "/" for end in (at, at + 1)}
        return sorted(taken - above)

    return choose
