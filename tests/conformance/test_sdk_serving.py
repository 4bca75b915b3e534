"""Scripts of users of the SageMaker Python SDK v2 around serving, run as they stand in the environment of
`eval "$(argosy env)"`. They mostly sleep in the SDK (30 seconds at a time), so all of them run side by side from the
first test on, and each test looks at what its script told."""

import concurrent.futures
import functools
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from harness import data, jobs, programs
from harness.clients import Clients
from harness.server import Server

pytestmark = pytest.mark.xdist_group("sdk-serving")

SCRIPT_SECONDS = 600  # the canary waits for the end of a minute, twice on a busy machine


def write(folder, name, files):
    """A folder with a model.tar.gz of the files; gives the archive."""
    place = folder / name
    place.mkdir()
    (place / "model.tar.gz").write_bytes(programs.pack(files))
    return place / "model.tar.gz"


@functools.cache
def booster(rounds, depth):
    """Trees of XGBoost that tell malignant tumours."""
    import xgboost

    cancer = data.breast_cancer()
    matrix = xgboost.DMatrix(np.asarray(cancer.features, dtype=np.float32), cancer.labels)
    return xgboost.train({"objective": "binary:logistic", "max_depth": depth}, matrix, rounds)


def booster_file(rounds=30, depth=4):
    return {"xgboost-model": bytes(booster(rounds, depth).save_raw("ubj"))}


def two_variants(clients, folder):
    held_out = folder / "held_out.csv"
    held_out.write_text(data.breast_cancer().test_csv)
    poor = write(folder, "poor", booster_file(rounds=1, depth=1))
    return "sdk_two_variants.py", poor, write(folder, "good", booster_file()), held_out


SUM = """
def model_fn(model_dir):
    return 0

def predict_fn(data, model):
    return [float(row.sum()) for row in data]
"""
BROKEN = SUM.replace("return [", "raise ArithmeticError('not today')\n    return [")


def canary(clients, folder):
    good = write(folder, "first", {"code/inference.py": SUM})
    return "sdk_canary.py", good, write(folder, "second", {"code/inference.py": BROKEN})


def autoscaling(clients, folder):
    cancer = data.breast_cancer()
    job = jobs.train(clients, clients.put("train.csv", cancer.train_csv))
    endpoint = jobs.deploy(clients, job["ModelArtifacts"]["S3ModelArtifacts"])
    return "sdk_autoscaling.py", endpoint, data.rows(cancer.test_features[:1]).strip()


def framework(folder, kind, files, script):
    """A model, its script and the rows that it is asked for."""
    artifact = write(folder, f"{kind}-{len(list(folder.iterdir()))}", files)
    source = artifact.parent / "source"
    source.mkdir()
    (source / "inference.py").write_text(script)
    rows = artifact.parent / "rows.csv"
    rows.write_text(data.rows(data.breast_cancer().test_features))
    return "sdk_framework_model.py", kind, artifact, source, rows


SKLEARN_SCRIPT = """
import os
import joblib

def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))
"""


def sklearn_model(clients, folder):
    return framework(folder, "SKLearnModel", {"model.joblib": programs.estimator()[0]}, SKLEARN_SCRIPT)


def wrong_script(clients, folder):
    return framework(folder, "SKLearnModel", {"weights": "1"}, SKLEARN_SCRIPT)


XGBOOST_SCRIPT = """
import os
import xgboost

def model_fn(model_dir):
    booster = xgboost.Booster()
    booster.load_model(os.path.join(model_dir, "xgboost-model"))
    return booster
"""


def xgboost_model(clients, folder):
    """Its data is what the framework's container makes of a request: a DMatrix."""
    return framework(folder, "XGBoostModel", booster_file(), XGBOOST_SCRIPT)


# What the container of PyTorch does, done by NumPy: the class packs the model anew, with the script in it.
PYTORCH_SCRIPT = """
import io, os
import numpy

def model_fn(model_dir):
    return numpy.load(os.path.join(model_dir, "weights.npy"))

def input_fn(body, content_type):
    return numpy.load(io.BytesIO(body))

def predict_fn(data, model):
    return data @ model
"""


def pytorch_model(clients, folder):
    weights = io.BytesIO()
    np.save(weights, np.arange(30, dtype=np.float32))
    return framework(folder, "PyTorchModel", {"weights.npy": weights.getvalue()}, PYTORCH_SCRIPT)


def torch_model(clients, folder):
    """Its script has no input_fn: predict_fn is given a tensor."""
    script = programs.NET.replace("torch.as_tensor(data)", "data")
    return framework(folder, "PyTorchModel", {"weights.pth": programs.torch_net()[0]["weights.pth"]}, script)


SCRIPTS = (canary, two_variants, autoscaling, sklearn_model, xgboost_model, pytorch_model, torch_model, wrong_script)


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """Starts all scripts; told(f) waits for that one and gives what its last line says."""
    folder = tmp_path_factory.mktemp("sdk-serving")
    server = Server(folder / "data", env=programs.SERVER_ENVIRONMENT).start()
    clients = Clients(server.exports(), folder)
    made = folder / "made"
    made.mkdir()
    scripts = [script for script in SCRIPTS if script is not torch_model or programs.torch_python()]
    environment = {torch_model: {"ARGOSY_PYTHON": programs.torch_python()}}

    def run(script, words):
        command = [sys.executable, str(Path(__file__).with_name(words[0])), *map(str, words[1:])]
        env = clients.environment(**environment.get(script, {}))
        return subprocess.run(command, env=env, cwd=made, capture_output=True, text=True, timeout=SCRIPT_SECONDS)

    def result(script):
        if script not in running:
            pytest.skip(programs.NO_TORCH)
        done = running[script].result(SCRIPT_SECONDS)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    with concurrent.futures.ThreadPoolExecutor(len(SCRIPTS)) as pool:
        running = {script: pool.submit(run, script, script(clients, made)) for script in scripts}
        yield result
    server.dispose()
    assert clients.watch.violations == []


def test_an_estimator_of_scikit_learns_answers_as_it_does_itself(told):
    assert told(sklearn_model) == programs.estimator()[2].tolist()


def test_a_model_that_was_packed_anew_with_its_script_is_served(told):
    rows = programs.estimator()[1]
    assert np.allclose(told(pytorch_model), rows @ np.arange(30, dtype=np.float32))


def test_a_script_of_xgboosts_is_given_a_dmatrix(told):
    import xgboost

    rows = np.asarray(data.breast_cancer().test_features, dtype=np.float32)
    expected = booster(30, 4).predict(xgboost.DMatrix(rows))
    assert np.allclose(np.ravel(told(xgboost_model)), expected, atol=1e-6)


def test_a_script_of_pytorchs_is_given_a_tensor(told):
    assert np.allclose(told(torch_model), programs.torch_net()[1], atol=1e-6)


def test_a_script_that_cannot_load_its_model_is_the_reason(told):
    assert "loading the model failed: FileNotFoundError" in " ".join(told(wrong_script)["failed"].split())


def test_an_ab_test_counts_who_answers_and_moves_traffic_to_the_better(told):
    seen = told(two_variants)
    assert sum(seen["even"].values()) == 200 and min(seen["even"].values()) > 50
    assert seen["metrics"] == seen["even"]
    accuracy = seen["accuracy"]
    assert seen["best"] == "VariantB" and accuracy["VariantB"] > accuracy["VariantA"] > 0.8
    assert seen["mostly"]["VariantB"] > 100 and seen["mostly"]["VariantA"] > 15
    assert seen["only"] == {"VariantB": 200}
    assert seen["weights"] == {"VariantA": 0.0, "VariantB": 1.0}


def test_endpoints_are_scaled_by_target_schedule_and_hand(told):
    seen = told(autoscaling)
    assert seen["alarms"] == 2
    assert (seen["policy"]["TargetValue"], seen["policy"]["ScaleInCooldown"]) == (60.0, 600)
    assert seen["instances"] == 2
    assert seen["activity"]["description"] == "Setting desired instance count to 2."
    assert "InvocationsPerInstance" in seen["activity"]["cause"]
    assert seen["schedule"] == {"cron(0 18 * * ? *)": {"MinCapacity": 0, "MaxCapacity": 1}}
    assert set(seen["suspended"].values()) == {True} and set(seen["resumed"].values()) == {False}
    assert seen["left"] == []


def test_a_canary_that_fails_is_rolled_back_by_its_alarm_and_costs_no_other_request(told):
    seen = told(canary)
    assert (seen["EndpointStatus"], seen["EndpointConfigName"]) == ("InService", seen["first"])
    assert "rolled back" in seen["FailureReason"] and "Invocation5XXErrors" in seen["FailureReason"]
    assert seen["alarms"]["Invocation5XXErrors"] == "ALARM"
    assert seen["lost"] == []
    (failed,) = seen["model_errors"].values()
    assert seen["model_errors"].keys() == {"ArithmeticError: not today"}
    assert seen["during"].keys() == {"[3.0]"} and seen["during"]["[3.0]"] > failed > 5
    # The old model has all of the traffic again.
    assert (seen["answers"], seen["failed_after"]) == ({"[3.0]": 50}, 0)
