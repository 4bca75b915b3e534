"""`argosy train`: files, folders and prefixes, what is guessed, what is refused, every algorithm."""

import gzip
import json
import random
import re

import pytest

from harness import data, jobs
from harness.cli import ENDLESS, ok
from harness.server import run


class TestTrain:
    def test_it_follows_the_job_to_its_end_and_says_what_it_guessed(self, trained):
        job, said = trained
        assert job["TrainingJobStatus"] == "Completed"
        assert job["HyperParameters"]["predictor_type"] == "binary_classifier"
        assert "guessed" in said and "binary" in said

    def test_its_table_tells_metrics_and_how_to_go_on(self, server, files):
        done = ok(server.argosy("train", files / "cancer.csv"))
        assert "Completed" in done.out
        assert "objective_loss" in done.out
        assert "argosy deploy" in done.out + done.err

    def test_a_folder_of_parts_some_of_them_packed(self, server, files):
        job = json.loads(ok(server.argosy("train", files / "parts", "--json")).out)
        assert job["TrainingJobStatus"] == "Completed"

    def test_two_hosts_train_together(self, server, files):
        job = json.loads(ok(server.argosy("train", files / "cancer.csv", "--instances", "2", "--json")).out)
        assert job["TrainingJobStatus"] == "Completed"
        assert job["ResourceConfig"]["InstanceCount"] == 2
        assert "algo-2" in ok(server.argosy("logs", job["TrainingJobName"])).out
        refused = server.argosy("train", files / "cancer.csv", "--instances", "17")
        assert refused.code == 2 and "17" in refused.err

    def test_digits_are_many_classes(self, server, files):
        job = json.loads(ok(server.argosy("train", files / "digits.csv", "--json")).out)
        assert job["HyperParameters"]["predictor_type"] == "multiclass_classifier"
        assert job["HyperParameters"]["num_classes"] == "10"

    def test_s3_alike_and_hyperparameters_as_given(self, server, cancer_uri):
        job = json.loads(ok(server.argosy("train", cancer_uri, "--type", "binary", "--set", "epochs=2", "--json")).out)
        assert job["TrainingJobStatus"] == "Completed"
        assert job["HyperParameters"]["epochs"] == "2"

    @pytest.mark.parametrize("packed", [False, True])
    def test_an_object_that_is_longer_than_what_is_looked_at(self, server, clients, packed):
        rng = random.Random(1)
        rows = ([rng.random() for _ in range(20)] for _ in range(10_000))
        text = "".join(f"{int(row[0] > 0.5)}," + ",".join(map(repr, row)) + "\n" for row in rows).encode()
        body = gzip.compress(text) if packed else text
        assert len(body) > 1 << 20
        folder = jobs.unique("long")
        clients.put(f"{folder}/", b"")  # what a console leaves for a folder
        uri = clients.put(f"{folder}/train.csv" + ".gz" * packed, body)
        done = ok(server.argosy("train", uri.rpartition("/")[0] + "/", "--set", "epochs=1", "--json"))
        assert "There are 20 feature columns" in done.err
        assert json.loads(done.out)["TrainingJobStatus"] == "Completed"

    def test_what_is_wrong_with_an_object_is_said_of_its_key(self, server, clients):
        key = f"{jobs.unique('narrow')}/part.csv"
        done = server.argosy("train", clients.put(key, b"1\n0\n1\n"))
        assert done.code == 1 and f"'{key}': the file has one column" in done.err

    def test_a_prefix_without_any_content(self, server, clients):
        uri = clients.put(f"{jobs.unique('empty')}/", b"")
        done = server.argosy("train", uri)
        assert done.code == 1 and f"under {uri}" in done.err

    @pytest.mark.parametrize("side", ["--positive", "--negative"])
    def test_a_label_that_no_row_has_is_refused_with_those_that_do_occur(self, server, files, side):
        done = server.argosy("train", files / "words.csv", "--label", "tumour", side, "malignent", "--name", "misspelt")
        assert done.code == 1
        assert "malignent" in done.err and "'malignant'" in done.err and "'benign'" in done.err
        assert server.argosy("jobs", "misspelt").code == 1

    def test_a_label_that_the_start_of_the_data_lacks_may_come_later(self, server, clients):
        folder = jobs.unique("sorted")
        for part, label in enumerate(("no", "yes")):
            uri = clients.put(f"{folder}/{part}.csv", "".join(f"{label},{part}.{i}\n" for i in range(100)))
        words = ["--label", "0", "--positive", "yes", "--set", "epochs=1"]
        done = ok(server.argosy("train", uri.rpartition("/")[0], *words))
        assert "no row in the first megabyte has that label; there are 'no'" in done.err
        alone = server.argosy("train", uri.rpartition("/")[0] + "/0.csv", *words)
        assert alone.code == 1 and "there are 'no'" in alone.err

    def test_a_header_and_labels_in_words(self, server, files):
        job = json.loads(
            ok(
                server.argosy("train", files / "words.csv", "--label", "tumour", "--positive", "malignant", "--json")
            ).out
        )
        assert job["TrainingJobStatus"] == "Completed"
        endpoint = jobs.unique("words")
        ok(server.argosy("deploy", job["TrainingJobName"], "--name", endpoint))
        rows = data.rows(data.breast_cancer().test_features)
        answers = ok(server.argosy("predict", endpoint, "-", "--json", stdin=rows)).out.splitlines()
        found = [json.loads(a)["predicted_label"] for a in answers]
        assert set(found) <= {"malignant", "other", 0, 1}
        says_malignant = [f in ("malignant", 1) for f in found]
        truly = [not label for label in data.breast_cancer().test_labels]
        assert sum(a == b for a, b in zip(says_malignant, truly)) / len(truly) > 0.93
        ok(server.argosy("delete", endpoint))

    def test_a_file_that_is_not_there(self, server):
        done = server.argosy("train", "/no/such/file.csv")
        assert done.code in (1, 2)
        assert "/no/such/file.csv" in done.err and len(done.err.strip().splitlines()) == 1

    def test_a_job_that_fails_is_an_exit_code_and_the_reason(self, server, files):
        done = server.argosy("train", files / "cancer.csv", "--set", "epochs=none")
        assert done.code == 1
        assert "epochs" in done.out + done.err

    def test_a_job_that_failed_has_no_artifact_and_is_not_deployed(self, server, tmp_path):
        name = jobs.unique("failed")
        (tmp_path / "parts").mkdir()
        (tmp_path / "parts" / "a.csv").write_text("".join(f"{i},{i % 7}.5\n" for i in range(50)))
        (tmp_path / "parts" / "b.csv").write_text("1,word\n")  # only the first file is looked at beforehand
        done = server.argosy("train", tmp_path / "parts", "--name", name, "--type", "regressor", "--label", "-1")
        assert done.code == 1 and "s3://" not in done.out
        assert "s3://" not in ok(server.argosy("jobs", name)).out
        refused = server.argosy("deploy", name)
        assert refused.code == 1
        assert "Failed" in refused.err and "is not a number" in refused.err
        assert server.argosy("endpoints", name).code == 1


class TestOptions:
    def test_a_type_bigger_than_the_machine_is_told_in_status_and_log(self, server, files):
        words = ("--instance-type", "ml.p3.16xlarge", "--set", "epochs=1", "--json")
        job = json.loads(ok(server.argosy("train", files / "cancer.csv", *words)).out)
        steps = [t["StatusMessage"] for t in job["SecondaryStatusTransitions"]]
        assert any("ml.p3.16xlarge asks for 64 vCPUs" in step for step in steps)
        log = ok(server.argosy("logs", job["TrainingJobName"])).out
        assert "ml.p3.16xlarge asks for 64 vCPUs" in log.splitlines()[0]

    def test_bucket_and_endpoint(self, server, clients, files):
        bucket = jobs.unique("elsewhere")
        job = json.loads(ok(server.argosy("train", files / "cancer.csv", "--bucket", bucket, "--set", "epochs=1", "--json")).out)
        assert job["ModelArtifacts"]["S3ModelArtifacts"].startswith(f"s3://{bucket}/")
        keys = {name: clients.exports[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
        told = run("jobs", "--endpoint", server.endpoint, "--json", env=keys)
        assert told.code == 0 and json.loads(told.out)
        assert run("jobs", "--endpoint", "http://127.0.0.1:9", env=keys).code != 0

    def test_instance_type_runtime_and_logs_of_train(self, server, files):
        done = ok(
            server.argosy(
                "train", files / "digits.csv", "--instance-type", "ml.c5.xlarge", "--max-runtime", "1", "--logs",
                *ENDLESS, "--set", "mini_batch_size=10",
            )
        )
        assert "#quality_metric" in done.out + done.err
        assert "MaxRuntimeExceeded" in done.out and "ml.c5.xlarge" in done.out

    def test_what_is_there_already_is_not_sent_again(self, server, files):
        assert "there already" in ok(server.argosy("train", files / "cancer.csv")).err


class TestRefusals:
    """Before anything is sent."""

    @pytest.mark.parametrize(
        "words, said",
        [
            (["--name", "has a blank"], "regular expression pattern"),
            (["--name", "taken"], "a training job has that name already"),
            (["--instance-type", "ml.none.large"], "--instance-type ml.none.large"),
            (["--algorithm", "lineer"], "there are linear-learner"),
        ],
    )
    def test_what_the_server_would_refuse_is_not_uploaded_first(self, server, clients, files, tmp_path, words, said):
        if words[1] == "taken":
            ok(server.argosy("train", files / "cancer.csv", "--name", "taken"))
        (tmp_path / "new.csv").write_text(f"a,b\n0,{jobs.unique('1')}\n1,2\n")
        refused = server.argosy("train", tmp_path / "new.csv", *words)
        assert refused.code == 1 and said in refused.err, refused.err
        assert "upload" not in refused.err

    def test_wrong_hyperparameters_are_refused_before_anything_is_sent(self, server, clients, files):
        before = len(clients.sagemaker.list_training_jobs(MaxResults=100)["TrainingJobSummaries"])
        refused = server.argosy("train", files / "cancer.csv", "--set", "epochs=0")
        assert refused.code == 1 and "epochs: '0' is not valid" in refused.err
        for words in (["--set", "epochs"], ["--set", "epochs=1", "--set", "epochs=2"], ["--positive", "a", "--negative", "b"]):
            assert server.argosy("train", files / "cancer.csv", *words).code == 2, words
        assert len(clients.sagemaker.list_training_jobs(MaxResults=100)["TrainingJobSummaries"]) == before


class TestOddRows:
    """A slip of the pen in a table that is good otherwise: told with its place, or left out when the user says so."""

    @pytest.fixture
    def table(self, tmp_path):
        """A file of 200 rows below a header, those of some lines replaced."""
        rng = random.Random(3)
        kinds = ("setosa", "virginica", "versicolor")
        lines = ["petal,sepal,species"]
        for i in range(200):
            lines.append(f"{i % 3 + rng.random():.3f},{rng.random():.3f},{kinds[i % 3]}")

        def write(name="flowers.csv", **replaced):
            text = list(lines)
            for line, row in replaced.items():
                text[int(line[1:]) - 1] = row
            (tmp_path / name).write_text("\n".join(text) + "\n")
            return tmp_path / name

        return write

    def refused(self, server, *words):
        name = jobs.unique("odd")
        done = server.argosy("train", *words, "--name", name)
        assert done.code == 1, done.out
        assert "upload" not in done.err and server.argosy("jobs", name).code == 1, "there is no job"
        return done.err

    @pytest.mark.parametrize("algorithm", ["linear-learner", "xgboost"])
    @pytest.mark.parametrize(
        "row, said",
        [
            ("x16,0.5,setosa", "line 21, column 1 ('petal'): 'x16' is not a number"),
            ("1,inf,setosa", "line 21, column 2 ('sepal'): 'inf' is not a finite number"),
            ("1,0.5,", "line 21, column 3 ('species'): the label is missing"),
            ("1,0.5,NaN", "line 21, column 3 ('species'): 'NaN': the label is missing"),
            ("petal,sepal,species", "line 21, column 1 ('petal'): 'petal' is not a number"),
            ("1,0.5", "line 21 has 2 columns where the first has 3"),
        ],
    )
    def test_a_row_that_is_odd_is_refused_with_its_place(self, server, table, algorithm, row, said):
        told = self.refused(server, table(l21=row), "--label", "species", "--algorithm", algorithm)
        assert said in told and "flowers.csv" in told, told

    def test_a_label_of_a_regression_that_is_missing(self, server, table):
        told = self.refused(server, table(l21="1,,setosa"), "--label", "sepal", "--type", "regressor")
        assert "line 21, column 2 ('sepal'): the label is missing" in told

    def test_rows_that_may_be_left_out_are(self, server, table):
        bad = table(l21="x16,0.5,setosa", l40="1,0.5", l41="1,inf,setosa", l42="1,0.5,", l43='1,"2,setosa')
        words = ("train", bad, "--label", "species", "--json", "--set")
        done = ok(server.argosy(*words, "argosy_bad_records_max=5"))
        assert "3 different values" in done.err and "left out, at most 5" in done.err
        job = json.loads(done.out)
        assert job["TrainingJobStatus"] == "Completed"
        log = ok(server.argosy("logs", job["TrainingJobName"])).out
        assert re.search(r"5 .*line 21: column 1 \('petal'\): 'x16'", log), log
        assert server.argosy(*words, "argosy_bad_records_max=4").code == 1

    def test_what_is_meant_as_text_is_said_so(self, server, table):
        done = ok(server.argosy("train", table(l21="x16,0.5,setosa"), "--label", "species", "--set", "argosy_categorical=petal", "--json"))
        assert json.loads(done.out)["TrainingJobStatus"] == "Completed"

    @pytest.mark.parametrize("algorithm, needs", [("kmeans", "k=3"), ("pca", "num_components=1")])
    def test_a_header_and_a_label_where_none_is_learnt(self, server, table, algorithm, needs):
        words = ("--algorithm", algorithm, "--set", needs)
        done = ok(server.argosy("train", table(), *words, "--label", "species", "--json"))
        job = json.loads(done.out)
        assert job["TrainingJobStatus"] == "Completed"
        assert "There are 2 feature columns" in done.err and "column 3 ('species')" in done.err
        answers = ok(server.argosy("predict", "--model", job["TrainingJobName"], "-", "--json", stdin="petal,sepal\n1,0.5\n"))
        assert len(answers.out.splitlines()) == 1
        assert "--label species leaves the column out" in self.refused(server, table(), *words)
        odd = self.refused(server, table(l21=",0.5,setosa"), *words, "--label", "species")
        assert "line 21, column 1 ('petal'): the value is missing" in odd
        typed = server.argosy("train", table(), *words, "--type", "binary")
        assert typed.code == 2 and f"--type binary: {algorithm} learns without labels" in typed.err

    def test_a_file_in_another_encoding_or_without_content(self, server, table, tmp_path):
        wide = tmp_path / "wide.csv"
        wide.write_text(table().read_text(), encoding="utf-16")
        assert "'wide.csv'" in (told := self.refused(server, wide)) and "UTF-16" in told and "iconv" in told
        (tmp_path / "empty.csv").write_text("")
        assert f"'{tmp_path / 'empty.csv'}' is empty" in self.refused(server, tmp_path / "empty.csv")


class TestOtherAlgorithms:
    def test_xgboost_from_text_to_answers_that_the_public_package_gives_too(self, server, clients, files, tmp_path):
        import numpy as np
        import xgboost

        done = ok(server.argosy("train", files / "words.csv", "--algorithm", "xgboost", "--label", "tumour", "--set", "num_round=20", "--json"))
        assert "objective is binary:logistic" in done.err
        job = json.loads(done.out)
        artifact = tmp_path / "model.tar.gz"
        artifact.write_bytes(clients.get(job["ModelArtifacts"]["S3ModelArtifacts"]))
        answers = ok(server.argosy("predict", artifact, files / "rows.csv", "--json")).out
        members = jobs.artifact_members(clients, job["ModelArtifacts"]["S3ModelArtifacts"])
        (tmp_path / "xgboost-model").write_bytes(members["xgboost-model"])
        booster = xgboost.Booster(model_file=str(tmp_path / "xgboost-model"))
        rows = np.array(data.breast_cancer().test_features[:4], dtype="float32")
        expected = booster.predict(xgboost.DMatrix(rows))
        found = [json.loads(row)["score"] for row in answers.splitlines()]
        np.testing.assert_allclose(found, expected, rtol=1e-5)

    def test_xgboost_of_sparse_text(self, server, tmp_path):
        digits = data.digits()
        lines = (
            f"{label} " + " ".join(f"{i}:{v:g}" for i, v in enumerate(row) if v)
            for label, row in zip(digits.labels, digits.features)
        )
        (tmp_path / "digits.libsvm").write_text("\n".join(lines) + "\n")
        words = ("--algorithm", "xgboost", "--set", "objective=multi:softmax", "--set", "num_class=10", "--set", "num_round=5")
        done = ok(server.argosy("train", tmp_path / "digits.libsvm", *words, "--set", "eval_metric=merror", "--json"))
        assert "LIBSVM" in done.err
        metrics = {m["MetricName"]: m["Value"] for m in json.loads(done.out)["FinalMetricDataList"]}
        assert metrics["train:merror"] < 0.05

    def test_kmeans_from_a_file_to_an_answer(self, server, clients, files, tmp_path):
        table = tmp_path / "features.csv"
        table.write_text(data.rows(data.digits().features))
        done = ok(server.argosy("train", table, "--algorithm", "kmeans", "--set", "k=10", "--json"))
        assert "64 feature columns" in done.err
        job = json.loads(done.out)
        assert job["TrainingJobStatus"] == "Completed"
        name = jobs.unique("clusters")
        ok(server.argosy("deploy", job["TrainingJobName"], "--name", name))
        row = data.rows(data.digits().test_features[:1]).strip()
        answer = json.loads(ok(server.argosy("predict", name, row, "--json")).out.splitlines()[0])
        artifact = tmp_path / "model.tar.gz"
        artifact.write_bytes(clients.get(job["ModelArtifacts"]["S3ModelArtifacts"]))
        again = json.loads(ok(server.argosy("predict", artifact, row, "--json")).out.splitlines()[0])
        assert again == answer
        assert "closest_cluster" in ok(server.argosy("predict", name, row)).out
        ok(server.argosy("delete", name))


class TestSharedData:
    """KDD99's own files as they are: categorical columns, labels in words with a dot, packed."""

    @pytest.fixture(scope="class")
    def endpoint(self, server):
        train = data.shared("kdd99", "kddcup.data_10_percent.gz")
        done = ok(server.argosy("train", train, "--label", "-1", "--negative", "normal.", "--json", timeout=300))
        job = json.loads(done.out)
        assert job["TrainingJobStatus"] == "Completed"
        name = jobs.unique("kdd")
        ok(server.argosy("deploy", job["TrainingJobName"], "--name", name))
        yield name
        ok(server.argosy("delete", name))

    def test_raw_rows_of_the_test_set_are_labelled(self, server, endpoint):
        with gzip.open(data.shared("kdd99", "corrected.gz"), "rt") as packed:
            lines = [line.strip().rpartition(",") for _, line in zip(range(60_000), packed)][::6]
        rows = "".join(features + "\n" for features, _, _ in lines)
        answers = ok(server.argosy("predict", endpoint, "-", "--json", stdin=rows)).out.splitlines()
        assert len(answers) == len(lines)
        attack = [json.loads(a)["predicted_label"] not in (0, "0", "normal.") for a in answers]
        truly = [label != "normal." for _, _, label in lines]
        right = sum(a == b for a, b in zip(attack, truly)) / len(truly)
        assert right > 0.9
