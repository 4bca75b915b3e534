"""What the tests of the command line share: files of real rows, a job that trained on them, its endpoint."""

import gzip
import json

import pytest

from harness import data, jobs
from harness.cli import ok


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    cancer, digits = data.breast_cancer(), data.digits()
    header = ["tumour"] + [f"measure {i}" for i in range(cancer.width)]
    words = ["benign" if label else "malignant" for label in cancer.labels]
    (folder / "cancer.csv").write_text(cancer.train_csv)
    (folder / "words.csv").write_text(data.csv(words, cancer.features, header))
    (folder / "digits.csv").write_text(digits.train_csv)
    (folder / "rows.csv").write_text(data.rows(cancer.test_features[:4]))
    half = cancer.train_csv.splitlines(keepends=True)
    (folder / "parts").mkdir()
    (folder / "parts" / "a.csv").write_text("".join(half[::2]))
    with gzip.open(folder / "parts" / "b.csv.gz", "wt") as packed:
        packed.write("".join(half[1::2]))
    return folder


@pytest.fixture(scope="session")
def trained(server, files):
    """(the job as --json tells it, what was said beside it)"""
    done = ok(server.argosy("train", files / "cancer.csv", "--json"))
    return json.loads(done.out), done.err


@pytest.fixture(scope="session")
def deployed(server, trained):
    name = jobs.unique("verbs")
    done = ok(server.argosy("deploy", trained[0]["TrainingJobName"], "--name", name, "--json"))
    assert json.loads(done.out)["EndpointStatus"] == "InService"
    return name
