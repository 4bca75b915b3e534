"""Scripts of users of the SageMaker Python SDK v3, run as they stand in the environment of `eval "$(argosy env)"` by a
Python of their own (v2 and v3 are packages of one name). They mostly sleep in the SDK, so all of them run side by side
from the first test on, and each test looks at what its script told."""

import concurrent.futures
import json
import subprocess
from pathlib import Path

import pytest

from harness import data, jobs
from harness.server import REPOSITORY

PYTHON = REPOSITORY / ".venv-v3" / "bin" / "python"
SCRIPT_SECONDS = 420

pytestmark = [
    pytest.mark.xdist_group("sdk-v3"),
    pytest.mark.skipif(not PYTHON.exists(), reason=f"{PYTHON} is not there: see tests/README.md"),
]


def held_out_row():
    return data.rows(data.breast_cancer().test_features[:1]).strip()


def model_trainer(clients, folder):
    cancer = data.breast_cancer()
    for name, text in (("train.csv", cancer.train_csv), ("validation.csv", cancer.test_csv)):
        (folder / name).write_text(text)
    files = folder / "train.csv", folder / "validation.csv"
    return "sdk3_model_trainer.py", clients.bucket, jobs.LINEAR_LEARNER, *files


def artifact_of(clients):
    job = jobs.train(clients, clients.put("v3/train.csv", data.breast_cancer().train_csv))
    return job["ModelArtifacts"]["S3ModelArtifacts"]


def resources(clients, folder):
    return "sdk3_resources.py", jobs.LINEAR_LEARNER, artifact_of(clients), held_out_row()


def model_builder(clients, folder):
    return "sdk3_model_builder.py", clients.bucket, jobs.LINEAR_LEARNER, artifact_of(clients), held_out_row()


def source_code(clients, folder):
    (folder / "train.csv").write_text(data.breast_cancer().train_csv)
    (folder / "train.py").write_text("print('trained')\n")
    return "sdk3_source_code.py", clients.bucket, jobs.LINEAR_LEARNER, folder, folder / "train.csv"


def training_job(clients, folder):
    uri = clients.put("v3/job.csv", data.breast_cancer().train_csv)
    return "sdk3_training_job.py", clients.bucket, jobs.LINEAR_LEARNER, uri


SCRIPTS = (model_builder, model_trainer, resources, source_code, training_job)


@pytest.fixture(scope="module")
def told(shared_clients, tmp_path_factory):
    """Starts all scripts; told(f) waits for that one and gives all that it printed and what it told last."""
    environment = shared_clients.environment(**shared_clients.sdk_environment())

    def run(script):
        folder = tmp_path_factory.mktemp(script.__name__)
        name, *words = script(shared_clients, folder)
        command = [PYTHON, Path(__file__).with_name(name), *words]
        return subprocess.run(
            command, env=environment, cwd=folder, capture_output=True, text=True, timeout=SCRIPT_SECONDS
        )

    def result(script):
        done = running[script].result(SCRIPT_SECONDS)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr, json.loads(done.stdout.rpartition("TOLD ")[2])  # behind what panels leave

    _ = shared_clients.bucket  # made once, not by each of the threads
    with concurrent.futures.ThreadPoolExecutor(len(SCRIPTS)) as pool:
        running = {script: pool.submit(run, script) for script in SCRIPTS}
        yield result


def test_a_model_trainer_trains_a_built_in_on_local_files(told, clients):
    printed, seen = told(model_trainer)
    assert seen["status"] == "Completed"
    assert seen["metrics"]["validation:binary_classification_accuracy"] > 0.9
    assert seen["hyperparameters"] == {
        "predictor_type": "binary_classifier",
        "epochs": "5",
        "mini_batch_size": "50",
    }
    assert seen["artifact"].startswith(f"s3://{clients.bucket}/v3-models/{seen['name']}/")
    assert seen["channels"].keys() == {"train", "validation"}
    assert seen["listed"] == [seen["name"]]
    assert "#quality_metric: host=algo-1" in printed  # the job's own log, while it runs
    assert "Could not verify" not in printed  # the role, which was looked at and found good


def test_the_class_of_training_jobs_creates_updates_stops_lists_and_deletes(told):
    _, seen = told(training_job)
    assert (seen["status"], seen["stopped"]) == ("Completed", "Stopped")
    assert seen["transitions"][-1] == "Completed"
    assert seen["profiler"] is True
    assert seen["tags"] == {"from": "v3", "kept": "yes"}
    assert seen["running"] == [seen["prefix"] + "-long"]
    assert seen["newest"] == [seen["prefix"] + "-long", seen["prefix"] + "-short"]
    assert seen["left"] == []


def test_the_resource_classes_create_ask_update_and_delete(told):
    _, seen = told(resources)
    assert seen["image"] == jobs.LINEAR_LEARNER
    assert seen["before"] == seen["after"] and len(seen["before"]["predictions"]) == 1
    assert seen["config"] and seen["instances"] == 2
    assert len(seen["listed"]) == 1 and seen["left"] == []


def test_a_model_builder_deploys_the_artifact_of_a_built_in(told):
    _, seen = told(model_builder)
    assert seen["status"] == "InService" and seen["artifact"].endswith("/output/model.tar.gz")
    assert seen["answer"]["predictions"][0]["predicted_label"] in (0, 1)


def test_source_code_is_refused_by_its_name(told):
    _, seen = told(source_code)
    assert seen["code"] == "ValidationException"
    assert "containerEntrypoint" in seen["message"] and "programs of the user's own" in seen["message"]
