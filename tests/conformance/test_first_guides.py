"""The guides that somebody reads first: their commands are run as they stand, in a shell, one after the other."""

import re
import subprocess

import numpy as np
import pytest

from harness.server import REPOSITORY, clean_environment, free_port, program, run

GUIDES = REPOSITORY / "docs" / "guides"


def blocks(guide, language):
    return re.findall(rf"^```{language}\n(.*?)^```", (GUIDES / guide).read_text(), re.M | re.S)


@pytest.fixture
def place(tmp_path):
    """A folder with the readers' files, and an environment in which `argosy` is this build's."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "argosy").symlink_to(program())
    environment = clean_environment(
        ARGOSY_DATA_DIR=tmp_path / "data", ARGOSY_LISTEN=f"127.0.0.1:{free_port()}", SAGEMAKER_SUPPRESS_V2_WARNING="1"
    )
    environment["PATH"] = f"{tmp_path / 'bin'}:{REPOSITORY / '.venv' / 'bin'}:{environment['PATH']}"
    random = np.random.default_rng(1)
    kinds = np.array(["setosa", "virginica"])
    rows = [(random.normal(kind, 0.4), random.normal(-kind, 0.4), kinds[kind]) for kind in random.integers(0, 2, 200)]
    lines = [f"{a:.3f},{b:.3f},{kind}" for a, b, kind in rows]
    (tmp_path / "flowers.csv").write_text("petal,sepal,species\n" + "\n".join(lines) + "\n")
    (tmp_path / "new.csv").write_text("petal,sepal\n1.1,-0.9\n0.1,0.2\n")
    yield tmp_path, environment
    run("down", "--all", data_dir=tmp_path / "data")


def shell(place, script):
    folder, environment = place
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, f"{script}\n--- out\n{done.stdout}\n--- err\n{done.stderr}"
    return done.stdout


def test_my_csv(place):
    out = [shell(place, block) for block in blocks("first-csv.md", "sh")]
    assert len(out) == 5
    assert "Completed" in out[1] and "Completed" in out[2]
    assert [line.split()[1] for line in out[3].splitlines() if re.match(r"\s*\d+ ", line)] == ["virginica", "setosa"]


def test_missing_numbers_are_what_the_csv_guide_says(place):
    lines = (place[0] / "flowers.csv").read_text().splitlines()
    gap = 7
    lines[gap] = "," + lines[gap].partition(",")[2]
    (place[0] / "gaps.csv").write_text("\n".join(lines) + "\n")
    out = shell(place, "argosy up --detach\nargosy train gaps.csv --label species --name mean 2>&1")
    assert re.search("1 numeric field.* column's mean", out) and "Completed" in out
    strict = "argosy train gaps.csv --label species --name strict --set argosy_missing=error 2>&1 || echo code $?"
    out = shell(place, strict)
    assert f"line {gap + 1}: column 1 ('petal'): the value is missing" in out and "code 1" in out


def test_my_notebook(place):
    shell(place, blocks("first-notebook.md", "sh")[0])
    (place[0] / "notebook.py").write_text(blocks("first-notebook.md", "python")[0])
    out = shell(place, 'eval "$(argosy env)"\npython3 notebook.py')
    assert '"predicted_label": 1' in out.replace('"predicted_label":1', '"predicted_label": 1')


def test_my_lab_server(place):
    out = [shell(place, block) for block in blocks("first-lab-server.md", "sh")]
    assert len(out) == 4
    assert "alice" in out[0] and "AWS_SECRET_ACCESS_KEY" in (place[0] / "alice.env").read_text()
    unit = blocks("first-lab-server.md", "ini")[0]
    options = re.search(r"^ExecStart=\S+/argosy (up .*)$", unit, re.M).group(1).split()
    assert run("config", *options[1:], data_dir=place[0] / "data").code == 0
