"""`argosy predict`: rows from anywhere, asked of an endpoint or of an artifact without any server."""

import json

import pytest

from harness import data, jobs
from harness.cli import ok
from harness.server import run


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

    def test_a_model_by_its_flag_shows_every_number_of_an_answer(self, server, clients, files, tmp_path):
        """A projection has several numbers, and so has an answer of scores without a label."""
        set_ = ("--set", "num_components=2", "--set", "mini_batch_size=10")
        job = json.loads(ok(server.argosy("train", files / "rows.csv", "--algorithm", "pca", *set_, "--json")).out)
        (tmp_path / "kept").write_bytes(clients.get(job["ModelArtifacts"]["S3ModelArtifacts"]))
        words = ("predict", "--model", tmp_path / "kept", files / "rows.csv")
        answers = [json.loads(line)["projection"] for line in ok(run(*words, "--json")).out.splitlines()]
        shown = [line.split()[1] for line in ok(run(*words)).out.splitlines()[1:]]
        assert [[float(v) for v in s.split(",")] for s in shown] == [pytest.approx(a, rel=1e-4) for a in answers]

    def test_a_model_or_rows_that_cannot_be_read_are_told_by_name(self, server, files, tmp_path):
        gone = server.argosy("predict", "--model", "/no/such/model.tar.gz", files / "rows.csv")
        assert gone.code == 1 and "/no/such/model.tar.gz: no such file" in gone.err
        folder = server.argosy("predict", "--model", tmp_path, files / "rows.csv")
        assert folder.code == 1 and "give the model.tar.gz itself" in folder.err
        job = json.loads(ok(server.argosy("train", files / "cancer.csv", "--set", "epochs=1", "--json")).out)["TrainingJobName"]
        (tmp_path / "wide.csv").write_text((files / "rows.csv").read_text(), encoding="utf-16")
        wide = server.argosy("predict", "--model", job, tmp_path / "wide.csv")
        assert wide.code == 1 and "wide.csv: the text is UTF-16" in wide.err

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

    def test_predicting_from_an_artifact_leaves_nothing_behind(self, server, clients, trained, files, tmp_path):
        artifact = tmp_path / "model.tar.gz"
        artifact.write_bytes(clients.get(trained[0]["ModelArtifacts"]["S3ModelArtifacts"]))
        empty = tmp_path / "temporary"
        empty.mkdir()
        ok(server.argosy("predict", artifact, files / "rows.csv", env={"TMPDIR": empty}))
        assert list(empty.iterdir()) == []


class TestRefusals:
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

    def test_only_a_file_without_rows_to_predict(self, server, deployed, tmp_path):
        (tmp_path / "empty.csv").write_text("")
        refused = server.argosy("predict", deployed, tmp_path / "empty.csv")
        assert refused.code == 1 and "no rows" in refused.err
