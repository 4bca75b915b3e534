"""Parquet is read through Arrow's libraries: the same table gives the same model whichever way it is written."""

import json
import shutil
import subprocess

import numpy
import pandas
import pytest

from harness import data, jobs
from harness.server import clean_environment, program

FEATURES = 6


@pytest.fixture(scope="module")
def table():
    """Real measurements, their label in the middle, and columns of every kind that is read."""
    if not program().with_name("libargosy_parquet.so").exists():
        pytest.skip("this build reads no Parquet: it was made without pyarrow")
    cancer = data.breast_cancer()
    random = numpy.random.default_rng(3)
    frame = pandas.DataFrame(numpy.array(cancer.features, dtype="float64")[:, :FEATURES])
    frame.columns = [f"measure, {i}" for i in range(FEATURES)]
    frame["measure, 1"] = frame["measure, 1"].astype("float32")
    frame.insert(3, "label", numpy.array(cancer.labels).astype("int16"))
    frame["colour"] = random.choice(["red", "gr,een", 'b"lue', "light blue"], len(frame))
    frame["kind"] = pandas.Categorical(random.choice(["a", "b"], len(frame)))
    frame["flag"] = random.random(len(frame)) < 0.5
    frame["count"] = random.integers(-5, 2**40, len(frame))
    return frame


@pytest.fixture(scope="module")
def files(table, tmp_path_factory):
    folder = tmp_path_factory.mktemp("parquet")
    table.to_parquet(folder / "table.parquet", row_group_size=100)  # several groups
    table.assign(flag=table["flag"].astype(int)).to_csv(folder / "table.csv", index=False)
    holes = table.copy()
    holes.loc[5:9, "measure, 2"] = None
    holes.to_parquet(folder / "holes.parquet")
    return folder


def upload(clients, file):
    key = f"{jobs.unique('parquet')}/{file.name}"
    clients.s3.upload_file(str(file), clients.bucket, key)
    return f"s3://{clients.bucket}/{key}"


TRAININGS = {
    "linear-learner": {"predictor_type": "binary_classifier", "epochs": "3", "argosy_categorical": "colour,kind"},
    "xgboost": {
        "objective": "binary:logistic",
        "num_round": "5",
        "argosy_categorical": "colour,kind",
        **dict.fromkeys(("predictor_type", "epochs", "mini_batch_size")),
    },
}


def train(clients, algorithm, uri, content_type, **hyperparameters):
    return jobs.training_request(
        clients,
        [jobs.csv_channel(uri, content_type=content_type)],
        AlgorithmSpecification={"TrainingImage": algorithm + ":1", "TrainingInputMode": "File"},
        hyperparameters={**TRAININGS[algorithm], "argosy_label": "label", **hyperparameters},
    )


def completed(clients, request):
    clients.sagemaker.create_training_job(**request)
    job = jobs.await_job(clients, request["TrainingJobName"])
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    return jobs.artifact_members(clients, job["ModelArtifacts"]["S3ModelArtifacts"])


def failure(clients, request):
    clients.sagemaker.create_training_job(**request)
    job = jobs.await_job(clients, request["TrainingJobName"])
    assert job["TrainingJobStatus"] == "Failed"
    return job["FailureReason"]


@pytest.mark.parametrize("algorithm", TRAININGS)
def test_the_model_is_that_of_the_same_table_as_csv(clients, files, algorithm):
    parquet = train(clients, algorithm, upload(clients, files / "table.parquet"), "application/x-parquet")
    csv = train(clients, algorithm, upload(clients, files / "table.csv"), "text/csv", argosy_header="true")
    one, other = completed(clients, parquet), completed(clients, csv)
    one.pop("model.json", None), other.pop("model.json", None)  # tells the hyperparameters
    assert one == other and one


def test_several_files_on_two_hosts_and_nulls_are_missing_values(clients, files, table, tmp_path):
    prefix = jobs.unique("parts")
    for i, part in enumerate((table[:200], table[200:])):
        part.to_parquet(tmp_path / f"{i}.parquet")
        clients.s3.upload_file(str(tmp_path / f"{i}.parquet"), clients.bucket, f"{prefix}/{i}.parquet")
    whole = train(clients, "linear-learner", upload(clients, files / "table.parquet"), "application/x-parquet")
    parts = train(clients, "linear-learner", f"s3://{clients.bucket}/{prefix}/", "application/x-parquet")
    parts["ResourceConfig"]["InstanceCount"] = 2
    one, two = completed(clients, whole), completed(clients, parts)
    assert one["model.safetensors"] == two["model.safetensors"]

    holes = upload(clients, files / "holes.parquet")
    refused = failure(clients, train(clients, "linear-learner", holes, "application/x-parquet"))
    assert "line 7: column 3 ('measure, 2'): the value is missing" in refused  # the names are line 1
    completed(clients, train(clients, "linear-learner", holes, "application/x-parquet", argosy_missing="mean"))


def test_what_cannot_be_read_is_said(clients, files, tmp_path):
    def refusal(file, content_type="application/x-parquet"):
        return failure(clients, train(clients, "linear-learner", upload(clients, file), content_type))

    torn = tmp_path / "torn.parquet"
    torn.write_bytes((files / "table.parquet").read_bytes()[:4000])
    assert "cannot read 'torn.parquet' as Parquet" in refusal(torn)
    pandas.DataFrame({"label": [0, 1], "many": [[1], [2, 3]]}).to_parquet(tmp_path / "lists.parquet")
    assert "column 'many' is of type list" in refusal(tmp_path / "lists.parquet")
    pandas.DataFrame({"label": [0, 1], "text": ["a", "b\nc"]}).to_parquet(tmp_path / "lines.parquet")
    assert "a text has a line end in it" in refusal(tmp_path / "lines.parquet")
    assert "it does not begin with PAR1" in refusal(files / "table.csv")


def test_columns_may_have_no_name(clients, tmp_path):
    rows = [[i % 2, i, 3 * i] for i in range(40)]
    pandas.DataFrame(rows, columns=["label", "", "x"])[["", "label", "x"]].to_parquet(tmp_path / "nameless.parquet")
    request = train(clients, "linear-learner", upload(clients, tmp_path / "nameless.parquet"), "application/x-parquet")
    request["HyperParameters"].pop("argosy_categorical")
    completed(clients, request)


def test_a_null_in_a_table_of_one_column_is_a_missing_value_too(clients, tmp_path):
    pandas.DataFrame({"x": [1.0, 2.0, None, 4.0]}).to_parquet(tmp_path / "one.parquet")
    request = jobs.training_request(
        clients,
        [jobs.csv_channel(upload(clients, tmp_path / "one.parquet"), content_type="application/x-parquet")],
        AlgorithmSpecification={"TrainingImage": "kmeans:1", "TrainingInputMode": "File"},
        HyperParameters={"k": "2", "feature_dim": "1"},
    )
    assert "line 4: column 1 ('x'): the value is missing" in failure(clients, request)


def test_argosy_train_takes_a_file_for_what_it_is(server, files):
    done = server.argosy("train", files / "table.parquet", "--label", "label", "--json")
    assert done.code == 0, done
    job = json.loads(done.out)
    assert job["TrainingJobStatus"] == "Completed"
    assert job["InputDataConfig"][0]["ContentType"] == "application/x-parquet"
    assert "guessed: The data is Parquet." in done.err
    assert job["HyperParameters"]["feature_dim"] == str(FEATURES + 4)


def test_a_build_without_the_library_says_what_is_missing(server, files, tmp_path):
    alone = shutil.copy(program(), tmp_path / "argosy")
    done = subprocess.run(
        [alone, "train", files / "table.parquet"],
        env=clean_environment(ARGOSY_DATA_DIR=server.data_dir),
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "Parquet cannot be read: libargosy_parquet.so" in done.stderr
    assert "pip install pyarrow" in done.stderr
