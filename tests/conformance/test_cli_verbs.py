"""`argosy train, deploy, predict, jobs, logs, stop, endpoints, delete, config, status`: for those without AWS tools."""

import gzip
import json
import random
import re
import signal

import pytest

from harness import data, jobs, processes
from harness.processes import wait_for
from harness.server import run
from harness.terminal import Terminal


def ok(done):
    assert done.code == 0, done
    return done


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
def trained(server, files):
    """(the job as --json tells it, what was said beside it)"""
    done = ok(server.argosy("train", files / "cancer.csv", "--json"))
    return json.loads(done.out), done.err


@pytest.fixture(scope="module")
def deployed(server, trained):
    name = jobs.unique("verbs")
    done = ok(server.argosy("deploy", trained[0]["TrainingJobName"], "--name", name, "--json"))
    assert json.loads(done.out)["EndpointStatus"] == "InService"
    return name


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
        (tmp_path / "words.csv").write_text("".join(f"{i},word{i}\n" for i in range(50)))
        done = server.argosy(
            "train", tmp_path / "words.csv", "--name", name, "--type", "regressor", "--label", "-1"
        )
        assert done.code == 1 and "s3://" not in done.out
        assert "s3://" not in ok(server.argosy("jobs", name)).out
        refused = server.argosy("deploy", name)
        assert refused.code == 1
        assert "Failed" in refused.err and "is not a number" in refused.err
        assert server.argosy("endpoints", name).code == 1


class TestPredict:
    def test_rows_on_the_command_line(self, server, deployed):
        row = data.rows(data.breast_cancer().test_features[:1]).strip()
        done = ok(server.argosy("predict", deployed, row))
        assert "predicted_label" in done.out and "score" in done.out

    def test_a_file_and_json_lines(self, server, deployed, files):
        done = ok(server.argosy("predict", deployed, files / "rows.csv", "--json"))
        assert len([json.loads(line) for line in done.out.splitlines()]) == 4

    def test_an_artifact_without_any_server(self, server, clients, trained, deployed, files, tmp_path):
        artifact = tmp_path / "model.tar.gz"
        artifact.write_bytes(clients.get(trained[0]["ModelArtifacts"]["S3ModelArtifacts"]))
        by_artifact = ok(
            server.argosy("predict", artifact, files / "rows.csv", "--json", env={"ARGOSY_DATA_DIR": tmp_path / "none"})
        )
        by_endpoint = ok(server.argosy("predict", deployed, files / "rows.csv", "--json"))
        assert by_artifact.out == by_endpoint.out

    def test_a_header_is_left_out_and_said(self, server, clients, trained, deployed, files, tmp_path):
        headed = tmp_path / "headed.csv"
        headed.write_text(",".join(f"measure {i}" for i in range(30)) + "\n" + (files / "rows.csv").read_text())
        artifact = tmp_path / "model.tar.gz"
        artifact.write_bytes(clients.get(trained[0]["ModelArtifacts"]["S3ModelArtifacts"]))
        expected = ok(server.argosy("predict", deployed, files / "rows.csv", "--json")).out
        for target in (deployed, artifact):
            done = ok(server.argosy("predict", target, headed, "--json"))
            assert done.out == expected
            assert "column names" in done.err

    def test_a_file_of_rows_that_is_not_there(self, server, deployed):
        for path in ("nofile.csv", "/no/such/rows"):
            done = server.argosy("predict", deployed, path)
            assert done.code == 1
            assert done.err == f"argosy: no such file: {path}\n"

    def test_a_row_of_a_wrong_width_says_so(self, server, deployed):
        done = server.argosy("predict", deployed, "1,2,3")
        assert done.code == 1
        assert "30" in done.err


class TestLooking:
    def test_jobs_lists_and_describes(self, server, trained):
        name = trained[0]["TrainingJobName"]
        assert name in ok(server.argosy("jobs")).out
        assert any(
            j["TrainingJobName"] == name for j in json.loads(ok(server.argosy("jobs", "--json", "--max", "1000")).out)
        )
        assert "Completed" in ok(server.argosy("jobs", name)).out
        assert json.loads(ok(server.argosy("jobs", name, "--json")).out)["TrainingJobName"] == name

    def test_a_table_fits_the_terminal(self, server, trained):
        for width in (60, 100):
            out = ok(server.argosy("jobs", env={"COLUMNS": width})).out
            assert max(map(len, out.splitlines())) <= width

    def test_logs(self, server, trained):
        done = ok(server.argosy("logs", trained[0]["TrainingJobName"]))
        assert "#quality_metric" in done.out
        tail = ok(server.argosy("logs", trained[0]["TrainingJobName"], "--tail", "2")).out
        assert done.out.endswith(tail) and len(tail.splitlines()) == 2

    def test_logs_that_are_followed_end_with_the_job(self, server, files):
        name = jobs.unique("follow")
        ok(server.argosy("train", files / "cancer.csv", "--name", name, "--no-wait"))
        followed = ok(server.argosy("logs", "-f", name)).out
        assert followed == ok(server.argosy("logs", name)).out
        assert "#quality_metric" in followed

    def test_logs_of_an_endpoint_that_is_called_like_its_job(self, server, files):
        name = jobs.unique("namesake")
        ok(server.argosy("train", files / "cancer.csv", "--name", name))
        job = ok(server.argosy("logs", name))
        assert job.err == "" and job.out == ok(server.argosy("logs", name, "--of", "job")).out
        assert server.argosy("logs", name, "--of", "endpoint").code == 1
        ok(server.argosy("deploy", name))
        both = ok(server.argosy("logs", name))
        assert both.out == job.out
        assert f"argosy logs {name} --of endpoint" in both.err
        endpoint = ok(server.argosy("logs", name, "--of", "endpoint"))
        assert endpoint.err == "" and endpoint.out != job.out
        ok(server.argosy("delete", name))

    def test_endpoints(self, server, deployed):
        assert deployed in ok(server.argosy("endpoints")).out
        assert "InService" in ok(server.argosy("endpoints", deployed)).out
        assert json.loads(ok(server.argosy("endpoints", "--json")).out)

    def test_status(self, server, deployed):
        assert "running" in ok(server.argosy("status")).out
        told = json.loads(ok(server.argosy("status", "--json")).out)
        assert told["Server"]["Endpoint"] == server.endpoint
        assert told["Server"]["Process"] == server.pid
        assert any(i["For"] == deployed for i in told["Instances"])

    def test_config_says_where_each_value_came_from(self, server):
        told = ok(server.argosy("config", env={"ARGOSY_HOSTS_MAX": "3"}))
        line = next(x for x in told.out.splitlines() if "hosts-max" in x)
        assert "3" in line and "ARGOSY_HOSTS_MAX" in line
        assert json.loads(ok(server.argosy("config", "--json")).out)

    def test_secrets_are_not_shown(self, server):
        keys = {"ARGOSY_ACCESS_KEY_ID": "AKIAGIVENBYOWNER0000", "ARGOSY_SECRET_ACCESS_KEY": "a-secret-of-the-owners"}
        for words in (["config"], ["config", "--json"]):
            done = ok(server.argosy(*words, env=keys))
            assert keys["ARGOSY_SECRET_ACCESS_KEY"] not in done.out + done.err


class TestChanging:
    def test_stop(self, server, files):
        name = jobs.unique("stopped")
        ok(
            server.argosy(
                "train",
                files / "digits.csv",
                "--name",
                name,
                "--no-wait",
                "--set",
                "epochs=1000000",
                "--set",
                "early_stopping_patience=1000000",
            )
        )
        assert "Stopped" in ok(server.argosy("stop", name)).out
        assert json.loads(ok(server.argosy("jobs", name, "--json")).out)["TrainingJobStatus"] == "Stopped"

    def test_an_endpoint_is_switched_to_another_model_and_deleted(self, server, clients, trained, files):
        name = jobs.unique("switched")
        job = trained[0]["TrainingJobName"]
        ok(server.argosy("deploy", job, "--name", name))
        other = json.loads(ok(server.argosy("train", files / "parts", "--set", "epochs=1", "--json")).out)
        before = ok(server.argosy("predict", name, files / "rows.csv", "--json")).out
        ok(server.argosy("deploy", other["TrainingJobName"], "--name", name))
        assert ok(server.argosy("predict", name, files / "rows.csv", "--json")).out != before
        ok(server.argosy("delete", name))
        assert name not in jobs.endpoint_names(clients)
        assert server.argosy("predict", name, files / "rows.csv").code == 1

    def test_what_each_deploy_made_goes_with_the_endpoint(self, server, clients, trained):
        name, other = jobs.unique("thrice"), jobs.unique("kept")
        for endpoint in (name, name, name, f"{name}-2", other):
            ok(server.argosy("deploy", trained[0]["TrainingJobName"], "--name", endpoint))

        def made(endpoint):
            named = {"NameContains": endpoint}
            models = clients.sagemaker.list_models(**named)["Models"]
            configs = clients.sagemaker.list_endpoint_configs(**named)["EndpointConfigs"]
            return [m["ModelName"] for m in models], [c["EndpointConfigName"] for c in configs]

        assert list(map(len, made(name))) == [4, 4]
        ok(server.argosy("delete", name))
        assert made(name) == made(f"{name}-2") and list(map(len, made(name))) == [1, 1]
        ok(server.argosy("deploy", trained[0]["TrainingJobName"], "--name", other))
        ok(server.argosy("delete", other, "--keep-model"))
        assert list(map(len, made(other))) == [2, 0]
        ok(server.argosy("delete", f"{name}-2"))

    def test_more_than_one_page_of_its_models_goes_with_the_endpoint(self, server, clients, trained):
        """Models of other days, named as `deploy` names them; a page of ListModels holds at most 100."""
        name = jobs.unique("often")
        ok(server.argosy("deploy", trained[0]["TrainingJobName"], "--name", name))
        described = clients.sagemaker.list_models(NameContains=name, SortBy="CreationTime")["Models"]
        container = clients.sagemaker.describe_model(ModelName=described[0]["ModelName"])["PrimaryContainer"]
        for n in range(120):
            clients.sagemaker.create_model(
                ModelName=f"{name}-20240501-123456-{n:03}",
                PrimaryContainer={key: container[key] for key in ("Image", "ModelDataUrl")},
                ExecutionRoleArn="arn:aws:iam::000000000000:role/any",
            )
        ok(server.argosy("delete", name))
        left = clients.sagemaker.list_models(NameContains=name)["Models"]
        assert [m["ModelName"] for m in left] == [], "all but what the job itself is named after"

    def test_a_local_artifact_is_deployed(self, server, clients, trained, files, tmp_path):
        artifact = tmp_path / "my-model.tar.gz"
        artifact.write_bytes(clients.get(trained[0]["ModelArtifacts"]["S3ModelArtifacts"]))
        name = jobs.unique("local")
        ok(server.argosy("deploy", artifact, "--name", name))
        ok(server.argosy("predict", name, files / "rows.csv"))
        ok(server.argosy("delete", name))


class TestPlaces:
    """Local paths, folders and s3:// alike; what is refused leaves nothing."""

    def test_predict_takes_an_s3_artifact_and_s3_rows_and_folders(self, server, clients, trained, files, tmp_path):
        uri = trained[0]["ModelArtifacts"]["S3ModelArtifacts"]
        local = tmp_path / "model.tar.gz"
        local.write_bytes(clients.get(uri))
        expected = ok(server.argosy("predict", local, files / "rows.csv", "--json")).out
        assert ok(server.argosy("predict", uri, files / "rows.csv", "--json")).out == expected
        bucket = clients.bucket
        clients.s3.put_object(Bucket=bucket, Key="rows/a.csv", Body=(files / "rows.csv").read_bytes())
        clients.s3.put_object(Bucket=bucket, Key="rows/b.csv", Body=(files / "rows.csv").read_bytes())
        assert ok(server.argosy("predict", local, f"s3://{bucket}/rows/", "--json")).out == expected * 2
        (tmp_path / "rows").mkdir()
        (tmp_path / "rows" / "a.csv").write_bytes(b"\xef\xbb\xbf" + (files / "rows.csv").read_bytes())
        assert ok(server.argosy("predict", local, tmp_path / "rows", "--json")).out == expected
        assert "no object" in server.argosy("predict", f"s3://{bucket}/none/model.tar.gz", "1,2").err

    def test_predict_says_what_makes_an_endpoint_of_a_job(self, server, trained):
        name = trained[0]["TrainingJobName"]
        assert f"argosy deploy {name}" in server.argosy("predict", name, "1,2").err

    def test_names_in_another_order_are_refused(self, server, tmp_path):
        table = tmp_path / "named.csv"
        table.write_text("y,a,b\n" + "".join(f"{i % 2},{i},{(7 * i) % 5}\n" for i in range(200)))
        job = json.loads(ok(server.argosy("train", table, "--json")).out)["TrainingJobName"]
        name = jobs.unique("named")
        ok(server.argosy("deploy", job, "--name", name))
        (tmp_path / "right.csv").write_text("a,b\n1,2\n")
        (tmp_path / "wrong.csv").write_text("b,a\n2,1\n")
        ok(server.argosy("predict", name, tmp_path / "right.csv"))
        refused = server.argosy("predict", name, tmp_path / "wrong.csv")
        assert refused.code != 0 and "'b' stands where 'a' is expected" in refused.err
        ok(server.argosy("delete", name))

    def test_deploying_a_file_sees_what_made_it(self, server, clients, tmp_path):
        table = tmp_path / "features.csv"
        table.write_text(data.rows(data.digits().features[:300]))
        job = json.loads(ok(server.argosy("train", table, "--algorithm", "pca", "--set", "num_components=2", "--json")).out)
        artifact = tmp_path / "reduced.tar.gz"
        artifact.write_bytes(clients.get(job["ModelArtifacts"]["S3ModelArtifacts"]))
        name = jobs.unique("reduced")
        ok(server.argosy("deploy", artifact, "--name", name))
        assert "projection" in ok(server.argosy("predict", name, table, "--json")).out
        ok(server.argosy("delete", name))
        refused = server.argosy("deploy", table, "--name", name)
        assert refused.code == 1 and "features.csv" in refused.err and "model.tar.gz" in refused.err
        assert name not in jobs.endpoint_names(clients)

    def test_a_refused_deploy_leaves_nothing(self, server, clients, trained):
        refused = server.argosy("deploy", trained[0]["TrainingJobName"], "--name", "has a blank")
        assert refused.code == 1
        assert clients.sagemaker.list_models(NameContains="has-a-blank")["Models"] == []
        assert clients.sagemaker.list_endpoint_configs(NameContains="has-a-blank")["EndpointConfigs"] == []

    def test_a_job_stopped_before_it_began_left_nothing(self, start_server, files):
        server = start_server("--hosts-max", "1")
        endless = ("--set", "epochs=1000000", "--set", "early_stopping_patience=1000000")
        ok(server.argosy("train", files / "digits.csv", "--name", "runs", "--no-wait", *endless))
        ok(server.argosy("train", files / "cancer.csv", "--name", "waits", "--no-wait"))
        assert "learnt" not in ok(server.argosy("stop", "waits")).out
        assert "artifact" not in ok(server.argosy("jobs", "waits")).out
        wait_for(lambda: "#progress_metric" in server.argosy("logs", "runs").out, 60, "an epoch of the job that runs")
        assert "learnt" in ok(server.argosy("stop", "runs")).out

    def test_a_fleet_that_can_never_fit_is_refused_at_once(self, start_server, files):
        server = start_server("--hosts-max", "2")
        name = json.loads(ok(server.argosy("train", files / "cancer.csv", "--json")).out)["TrainingJobName"]
        refused = server.argosy("deploy", name, "--name", "many", "--instances", "3")
        assert refused.code != 0 and "--hosts-max allows 2" in refused.err

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

    def test_a_model_by_its_flag_shows_every_number_of_an_answer(self, server, clients, files, tmp_path):
        """A projection has several numbers, and so has an answer of scores without a label."""
        set_ = ("--set", "num_components=2", "--set", "mini_batch_size=10")
        job = json.loads(ok(server.argosy("train", files / "rows.csv", "--algorithm", "pca", *set_, "--json")).out)
        (tmp_path / "kept").write_bytes(clients.get(job["ModelArtifacts"]["S3ModelArtifacts"]))
        words = ("predict", "--model", tmp_path / "kept", files / "rows.csv")
        answers = [json.loads(line)["projection"] for line in ok(run(*words, "--json")).out.splitlines()]
        shown = [line.split()[1] for line in ok(run(*words)).out.splitlines()[1:]]
        assert [[float(v) for v in s.split(",")] for s in shown] == [pytest.approx(a, rel=1e-4) for a in answers]

    def test_only_a_file_without_rows_to_predict(self, server, deployed, tmp_path):
        (tmp_path / "empty.csv").write_text("")
        refused = server.argosy("predict", deployed, tmp_path / "empty.csv")
        assert refused.code == 1 and "no rows" in refused.err

    def test_a_job_that_waits_is_seen_in_the_list(self, start_server, files):
        server = start_server("--hosts-max", "1")
        endless = ("--set", "epochs=1000000", "--set", "early_stopping_patience=1000000")
        for name in ("runs", "waits"):
            ok(server.argosy("train", files / "digits.csv", "--name", name, "--no-wait", *endless))
        wait_for(lambda: "InProgress, Training" in server.argosy("jobs").out, 60, "the first job to train")
        assert re.search(r"waits +InProgress, (Pending|Starting)", ok(server.argosy("jobs")).out)

    def test_wrong_hyperparameters_are_refused_before_anything_is_sent(self, server, clients, files):
        before = len(clients.sagemaker.list_training_jobs(MaxResults=100)["TrainingJobSummaries"])
        refused = server.argosy("train", files / "cancer.csv", "--set", "epochs=0")
        assert refused.code == 1 and "epochs: '0' is not valid" in refused.err
        for words in (["--set", "epochs"], ["--set", "epochs=1", "--set", "epochs=2"], ["--positive", "a", "--negative", "b"]):
            assert server.argosy("train", files / "cancer.csv", *words).code == 2, words
        assert len(clients.sagemaker.list_training_jobs(MaxResults=100)["TrainingJobSummaries"]) == before

    def test_instance_type_runtime_and_logs_of_train(self, server, files):
        done = ok(
            server.argosy(
                "train", files / "digits.csv", "--instance-type", "ml.c5.xlarge", "--max-runtime", "1", "--logs",
                "--set", "epochs=1000000", "--set", "early_stopping_patience=1000000", "--set", "mini_batch_size=10",
            )
        )
        assert "#quality_metric" in done.out + done.err
        assert "MaxRuntimeExceeded" in done.out and "ml.c5.xlarge" in done.out


class TestOptions:
    def test_a_type_bigger_than_the_machine_is_told_in_status_and_log(self, server, files):
        words = ("--instance-type", "ml.p3.16xlarge", "--set", "epochs=1", "--json")
        job = json.loads(ok(server.argosy("train", files / "cancer.csv", *words)).out)
        steps = [t["StatusMessage"] for t in job["SecondaryStatusTransitions"]]
        assert any("ml.p3.16xlarge asks for 64 vCPUs" in step for step in steps)
        log = ok(server.argosy("logs", job["TrainingJobName"])).out
        assert "ml.p3.16xlarge asks for 64 vCPUs" in log.splitlines()[0]

    def test_jobs_by_status(self, server, trained):
        def names(*words):
            return {j["TrainingJobName"] for j in json.loads(ok(server.argosy("jobs", "--json", *words)).out)}

        assert trained[0]["TrainingJobName"] in names("--status", "Completed", "--max", "100")
        assert trained[0]["TrainingJobName"] not in names("--status", "Failed", "--max", "100")
        assert len(names("--max", "1")) == 1

    def test_several_instances(self, server, clients, trained):
        name = jobs.unique("pair")
        ok(server.argosy("deploy", trained[0]["TrainingJobName"], "--name", name, "--instances", "2"))
        variant = clients.sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"][0]
        assert variant["CurrentInstanceCount"] == 2
        ok(server.argosy("delete", name))

    def test_content_types(self, server, clients, trained, files, tmp_path):
        rows = (files / "rows.csv").read_text().splitlines()
        (tmp_path / "rows.jsonl").write_text("".join(json.dumps({"features": list(map(float, r.split(",")))}) + "\n" for r in rows))
        artifact = tmp_path / "model.tar.gz"
        artifact.write_bytes(clients.get(trained[0]["ModelArtifacts"]["S3ModelArtifacts"]))
        expected = ok(server.argosy("predict", artifact, files / "rows.csv", "--json")).out
        words = ("--content-type", "application/jsonlines", "--json")
        assert ok(server.argosy("predict", artifact, tmp_path / "rows.jsonl", *words)).out == expected
        refused = server.argosy("train", files / "cancer.csv", "--content-type", "text/csv;label_size=3")
        assert refused.code != 0 and "label_size" in refused.err + refused.out

    def test_bucket_and_endpoint(self, server, clients, files):
        bucket = jobs.unique("elsewhere")
        job = json.loads(ok(server.argosy("train", files / "cancer.csv", "--bucket", bucket, "--set", "epochs=1", "--json")).out)
        assert job["ModelArtifacts"]["S3ModelArtifacts"].startswith(f"s3://{bucket}/")
        keys = {name: clients.exports[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
        told = run("jobs", "--endpoint", server.endpoint, "--json", env=keys)
        assert told.code == 0 and json.loads(told.out)
        assert run("jobs", "--endpoint", "http://127.0.0.1:9", env=keys).code != 0

    def test_the_default_directory_follows_xdg(self, tmp_path):
        told = run("config", "--json", env={"XDG_DATA_HOME": tmp_path / "xdg", "HOME": tmp_path})
        assert str(tmp_path / "xdg" / "argosy") in told.out
        assert str(tmp_path / ".local/share/argosy") in run("config", "--json", env={"XDG_DATA_HOME": "", "HOME": tmp_path}).out


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


class TestTerminal:
    @pytest.fixture
    def long_file(self, files):
        """Trains for a second or two."""
        long = files / "long.csv"
        if not long.exists():
            long.write_text(data.digits().train_csv * 40)
        return long

    def test_progress_and_metrics_are_one_line_that_fits(self, server, long_file):
        with Terminal("train", long_file, data_dir=server.data_dir, columns=60) as terminal:
            assert terminal.end() == 0, terminal.drawn
        lines = terminal.progress()
        assert any(line.startswith("uploading train") for line in lines), lines
        assert any("Training" in line and "train lo" in line for line in lines), "\n".join(lines)
        assert max(map(len, lines)) < 60
        assert "Completed" in terminal.drawn and "argosy deploy" in terminal.drawn

    def test_ctrl_c_leaves_the_job_running_and_says_how_to_go_on(self, server, clients, long_file):
        name = jobs.unique("left")
        words = ("train", long_file, "--name", name, "--set", "epochs=200", "--set", "early_stopping_patience=200")
        with Terminal(*words, data_dir=server.data_dir) as terminal:
            terminal.await_text("loss")
            terminal.press(b"\x03")
            assert terminal.end() == 130, terminal.drawn
        assert f"argosy stop {name}" in terminal.drawn
        assert clients.sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"] == "InProgress"
        ok(server.argosy("stop", name))


class TestJson:
    """--json gives the service's own answers, one a line where there may be many."""

    def test_logs_stop_and_delete(self, server, clients, files):
        name = jobs.unique("json")
        ok(server.argosy("train", files / "cancer.csv", "--name", name))
        lines = [json.loads(line) for line in ok(server.argosy("logs", name, "--json")).out.splitlines()]
        assert lines and all({"timestamp", "message"} <= set(line) for line in lines)
        long = jobs.unique("long")
        endless = ("--set", "epochs=1000000", "--set", "early_stopping_patience=1000000")
        ok(server.argosy("train", files / "digits.csv", "--name", long, "--no-wait", *endless))
        assert json.loads(ok(server.argosy("stop", long, "--json")).out)["TrainingJobStatus"] == "Stopped"
        endpoint = jobs.unique("json")
        ok(server.argosy("deploy", name, "--name", endpoint))
        json.loads(ok(server.argosy("delete", endpoint, "--json")).out)
        assert endpoint not in jobs.endpoint_names(clients)

    def test_what_is_there_already_is_not_sent_again(self, server, files):
        assert "there already" in ok(server.argosy("train", files / "cancer.csv")).err

    def test_predicting_from_an_artifact_leaves_nothing_behind(self, server, clients, trained, files, tmp_path):
        artifact = tmp_path / "model.tar.gz"
        artifact.write_bytes(clients.get(trained[0]["ModelArtifacts"]["S3ModelArtifacts"]))
        empty = tmp_path / "temporary"
        empty.mkdir()
        ok(server.argosy("predict", artifact, files / "rows.csv", env={"TMPDIR": empty}))
        assert list(empty.iterdir()) == []


class TestInterrupts:
    """Ctrl-C while waiting ends the waiting, not what was begun."""

    def test_following_logs(self, server, files):
        name = jobs.unique("followed")
        endless = ("--set", "epochs=1000000", "--set", "early_stopping_patience=1000000")
        ok(server.argosy("train", files / "digits.csv", "--name", name, "--no-wait", *endless))
        with Terminal("logs", "-f", name, data_dir=server.data_dir) as terminal:
            terminal.await_text("#quality_metric")
            terminal.press(b"\x03")
            assert terminal.end() == 130, terminal.drawn
        assert json.loads(ok(server.argosy("jobs", name, "--json")).out)["TrainingJobStatus"] == "InProgress"
        ok(server.argosy("stop", name))

    def test_stopping(self, start_server, files):
        """A job whose agent does not get to its stopping: it hangs, as it would on a disk that does not answer."""
        server = start_server()
        endless = ("--set", "epochs=1000000", "--set", "early_stopping_patience=1000000")
        ok(server.argosy("train", files / "digits.csv", "--name", "hangs", "--no-wait", *endless))
        processes.wait_for(
            lambda: "#quality_metric" in server.argosy("logs", "hangs").out, 60, "the training to have begun"
        )
        (pid,) = server.agent_pids()
        processes.kill(pid, signal.SIGSTOP)
        with Terminal("stop", "hangs", data_dir=server.data_dir) as terminal:
            terminal.await_text("Stopping")
            terminal.press(b"\x03")
            assert terminal.end() == 130, terminal.drawn
        assert "goes on stopping" in terminal.drawn
        assert json.loads(ok(server.argosy("jobs", "hangs", "--json")).out)["TrainingJobStatus"] == "Stopping"
        processes.kill(pid, signal.SIGCONT)
        processes.wait_for(
            lambda: json.loads(ok(server.argosy("jobs", "hangs", "--json")).out)["TrainingJobStatus"] == "Stopped",
            60,
            "the job to stop once it can",
        )

    def test_waiting_for_an_endpoint(self, start_server, clients_of, files):
        """One that cannot start: a running job has the only host."""
        server = start_server("--hosts-max", "1")
        clients = clients_of(server)
        name = jobs.unique("first")
        ok(server.argosy("train", files / "cancer.csv", "--name", name))
        endless = ("--set", "epochs=1000000", "--set", "early_stopping_patience=1000000")
        ok(server.argosy("train", files / "digits.csv", "--name", name + "-2", "--no-wait", *endless))
        with Terminal("deploy", name, "--name", "waits", data_dir=server.data_dir) as terminal:
            terminal.await_text("Creating")
            terminal.press(b"\x03")
            assert terminal.end() == 130, terminal.drawn
        assert clients.sagemaker.describe_endpoint(EndpointName="waits")["EndpointStatus"] == "Creating"


class TestMistakes:
    @pytest.mark.parametrize(
        "words",
        [
            ["jobs", "never-was"],
            ["logs", "never-was"],
            ["deploy", "never-was"],
            ["predict", "never-was", "1"],
            ["stop", "never-was"],
            ["delete", "never-was"],
            ["endpoints", "never-was"],
        ],
    )
    def test_a_name_that_is_not_there(self, server, words):
        done = server.argosy(*words)
        assert done.code == 1, done
        assert "never-was" in done.err and len(done.err.strip().splitlines()) <= 2

    @pytest.mark.parametrize(
        "words", [["fly"], ["train"], ["jobs", "--no-such-flag"], ["up", "--listen", "nowhere"], []]
    )
    def test_a_command_line_that_is_wrong(self, server, words):
        done = server.argosy(*words)
        assert done.code == 2 or (not words and done.code in (0, 2)), done

    @pytest.mark.parametrize(
        "words, said",
        [
            (["jobs", "--json=maybe"], "--json takes no value; it was given 'maybe'"),
            (["up", "--detach=maybe"], "detach"),
            (["config", "--strict-types=maybe"], "strict-types"),
            (["trian", "my.csv"], "no verb 'trian'; the nearest is 'train'"),
        ],
    )
    def test_the_message_names_what_is_wrong(self, server, words, said):
        done = server.argosy(*words)
        assert done.code == 2
        assert said in done.err and len(done.err.strip().splitlines()) == 1
        if "=" in words[-1]:
            assert "maybe" in done.err

    def test_a_server_with_keys_given_from_outside(self, start_server):
        keys = {"ARGOSY_ACCESS_KEY_ID": "AKIAGIVENBYOWNER0000", "ARGOSY_SECRET_ACCESS_KEY": "a-secret-of-the-owners"}
        server = start_server(env=keys)
        for verb in ("env", "jobs"):
            done = run(verb, data_dir=server.data_dir)
            assert done.code == 1
            assert "ARGOSY_ACCESS_KEY_ID and ARGOSY_SECRET_ACCESS_KEY" in done.err
            ok(run(verb, data_dir=server.data_dir, env=keys))
        # Keys that an earlier server made lie there still: they are not this one's.
        server.kill()
        server.extra_env = {}
        server.start()
        assert keys["ARGOSY_ACCESS_KEY_ID"] not in ok(run("env", data_dir=server.data_dir)).out
        server.kill()
        server.extra_env = keys
        server.start()
        assert keys["ARGOSY_ACCESS_KEY_ID"] in ok(run("env", data_dir=server.data_dir, env=keys)).out
        assert run("env", data_dir=server.data_dir).code == 1

    def test_no_server(self, server, tmp_path):
        done = server.argosy("jobs", env={"ARGOSY_DATA_DIR": tmp_path})
        assert done.code == 3
        assert "argosy up" in done.err

    def test_help_of_up_names_its_options(self, server):
        out = ok(server.argosy("help", "up")).out
        for option in ("--detach", "--listen", "--data-dir", "--memory"):
            assert option in out

    def test_help_names_all_verbs(self, server):
        out = ok(server.argosy("help")).out
        for verb in (
            "up",
            "down",
            "status",
            "env",
            "config",
            "train",
            "deploy",
            "predict",
            "jobs",
            "logs",
            "stop",
            "endpoints",
            "delete",
        ):
            assert verb in out


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
