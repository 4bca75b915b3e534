"""Fixtures of all suites: a server that lives as long as the test process, more of them on demand, and their clients.

Every answer that a boto3 client or the aws CLI gets is checked against botocore's service model (harness/model_check.py);
a violation fails the test, also where the client that got it swallowed the exception.
"""

import itertools
import shutil
from pathlib import Path

import botocore.config
import pytest

from harness import data, jobs, moto
from harness.clients import CONFIG, Clients
from harness.peers import Peer
from harness.server import Server

# A client that sends what it is told without checking it first.
UNCHECKED = CONFIG.merge(botocore.config.Config(parameter_validation=False))


def pytest_collection_modifyitems(items):
    """The longest first, so that several workers end together: SDK flows sleep for minutes, chains of kills take a while."""

    def rank(item):
        if item.get_closest_marker("xdist_group"):
            return 0
        return 1 if "scenarios" in item.nodeid else 2

    items.sort(key=rank)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A server that tests share: they name what they make uniquely and leave others' things alone."""
    found = Server(tmp_path_factory.mktemp("shared") / "data").start()
    yield found
    found.dispose()


@pytest.fixture(scope="session")
def shared_clients(server, tmp_path_factory):
    return Clients(server.exports(), tmp_path_factory.mktemp("clients"))


@pytest.fixture
def clients(shared_clients):
    """The clients of the shared server; fails the test when an answer broke the service model."""
    before = len(shared_clients.watch.violations)
    yield shared_clients
    assert shared_clients.watch.violations[before:] == []


@pytest.fixture
def start_server(tmp_path):
    """Starts servers of the test's own: start_server(options…, data_dir=…) → Server."""
    started = []
    numbers = itertools.count()

    def start(*options, data_dir=None, **more):
        new = Server(data_dir or tmp_path / f"data{next(numbers)}", options=options, **more)
        started.append(new)
        return new.start()

    yield start
    for one in started:
        one.dispose()


@pytest.fixture
def clients_of(tmp_path):
    """Clients of a server of the test's own."""
    made = []

    def make(server):
        made.append(Clients(server.exports(), tmp_path))
        return made[-1]

    yield make
    for one in made:
        assert one.watch.violations == []


@pytest.fixture
def s3(clients):
    return clients.s3


@pytest.fixture
def sagemaker(clients):
    return clients.sagemaker


@pytest.fixture
def runtime(clients):
    return clients.runtime


@pytest.fixture
def logs(clients):
    return clients.logs


@pytest.fixture
def sts(clients):
    return clients.sts


@pytest.fixture
def aws(clients):
    """The aws CLI: aws("s3", "ls") → parsed output."""
    return clients.aws


@pytest.fixture
def bucket(clients):
    """A bucket of the test's own."""
    name = jobs.unique("bucket")
    clients.s3.create_bucket(Bucket=name)
    return name


@pytest.fixture(scope="session")
def cancer_uri(shared_clients):
    return shared_clients.put("cancer/train.csv", data.breast_cancer().train_csv)


@pytest.fixture(scope="session")
def cancer_job(shared_clients, cancer_uri):
    """A completed binary job on real data, for tests that only look at one."""
    return jobs.train(shared_clients, cancer_uri, hyperparameters={"epochs": "10"})


@pytest.fixture(scope="session")
def cancer_endpoint(shared_clients, cancer_job):
    """An endpoint in service that answers for the tumours, for tests that only invoke."""
    return jobs.deploy(shared_clients, cancer_job["ModelArtifacts"]["S3ModelArtifacts"])


@pytest.fixture
def argosy_peer(clients, cancer_uri, cancer_job):
    """The shared server as the cases of harness/peers.py take it."""
    artifact = cancer_job["ModelArtifacts"]["S3ModelArtifacts"]
    return Peer(
        lambda service: clients.client(service, config=UNCHECKED), clients.account, clients.bucket, cancer_uri, artifact
    )


@pytest.fixture(scope="session")
def moto_peer():
    """moto's server likewise; skips where there is none."""
    try:
        server = moto.Moto().start()
    except moto.Missing as why:
        pytest.skip(str(why))
    yield moto.MotoPeer(lambda service: server.client(service, config=UNCHECKED))
    server.dispose()


@pytest.fixture(scope="session")
def small_disk():
    """Mounts tmpfs of a given size where the user may: small_disk(path, "8m"). Skips where not."""
    import subprocess

    mounted = []

    def mount(path, size):
        Path(path).mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)], capture_output=True, text=True
        )
        if done.returncode != 0:
            pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
        mounted.append(path)
        return Path(path)

    yield mount
    for path in mounted:
        subprocess.run(["umount", "-l", str(path)], check=False)
        shutil.rmtree(path, ignore_errors=True)
