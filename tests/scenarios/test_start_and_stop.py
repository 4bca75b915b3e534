"""`argosy up` and its ends: what stands in its way is told in one line, with an exit code, and harms nothing."""

import os
import re
import signal
import socket
import stat
import subprocess

import pytest
from botocore.exceptions import ClientError

from harness import data, jobs, raw
from harness.processes import agents, alive, await_agents, of_data_dir, wait_for
from harness.server import Server, free_port, program, run

HEALTH = b"GET /-/health HTTP/1.1\r\nHost: x\r\n\r\n"


def refusal(*words, **how):
    """The one line that a start which cannot be gives."""
    done = run("up", *words, timeout=60, **how)
    assert done.code not in (0, -6, -11, 134, 139), done
    lines = [line for line in done.err.splitlines() if line.startswith("argosy: ")]
    assert len(lines) == 1, done
    assert not done.out, done
    return lines[0], done.code


class TestReadiness:
    def test_the_ready_line_means_that_it_answers(self, tmp_path):
        for i in range(5):
            server = Server(tmp_path / f"data{i}").start()
            try:
                with raw.Connection(server.address) as connection:
                    assert connection.send(HEALTH).read("GET").status == 200
            finally:
                server.dispose()

    def test_port_0_takes_a_free_one_and_says_which(self, start_server):
        server = start_server(listen="127.0.0.1:0")
        assert server.port > 0
        assert server.exports()["AWS_ENDPOINT_URL"] == server.endpoint

    def test_credentials_are_made_once_and_for_the_owner_alone(self, start_server):
        server = start_server()
        file = server.data_dir / "credentials"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert str(file) in (server.ready_line + server.log_text())
        first = file.read_text()
        assert re.search(r"^\[default\]\s*$", first, re.M)
        exports = server.exports()
        assert exports["AWS_ACCESS_KEY_ID"] in first and exports["AWS_SECRET_ACCESS_KEY"] in first
        server.stop()
        server.start()
        assert file.read_text() == first
        assert server.exports() == exports

    def test_the_credentials_file_is_an_aws_one(self, start_server, tmp_path, monkeypatch):
        import boto3
        import botocore.session

        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
            monkeypatch.delenv(name, raising=False)  # they would go before the file
        server = start_server()
        core = botocore.session.Session()
        core.set_config_variable("credentials_file", str(server.data_dir / "credentials"))
        client = boto3.Session(botocore_session=core, region_name="us-east-1").client(
            "sts", endpoint_url=server.endpoint
        )
        assert client.get_caller_identity()["Account"]

    def test_detached_it_goes_on_and_down_ends_it(self, tmp_path):
        data_dir = tmp_path / "data"
        done = run("up", "--detach", "--listen", f"127.0.0.1:{free_port()}", data_dir=data_dir)
        try:
            assert done.code == 0, done
            endpoint = re.search(r"http://(\S+):(\d+)", done.out)
            with raw.Connection((endpoint[1], int(endpoint[2]))) as connection:
                assert connection.send(HEALTH).read("GET").status == 200
            status = run("status", data_dir=data_dir)
            assert status.code == 0 and "running" in status.out
            down = run("down", data_dir=data_dir)
            assert down.code == 0, down
            assert of_data_dir(data_dir, program()) == []
            assert run("status", data_dir=data_dir).code == 3
        finally:
            run("down", "--all", data_dir=data_dir)

    def test_a_deep_directory(self, start_server, clients_of, tmp_path):
        """Longer than the path of a Unix socket may be."""
        deep = tmp_path.joinpath(*["a-folder-with-a-long-name"] * 8, "data")
        deep.parent.mkdir(parents=True)
        clients = clients_of(start_server(data_dir=deep))
        job = jobs.train(clients, clients.put("t.csv", data.breast_cancer().train_csv))
        endpoint = jobs.deploy(clients, job["ModelArtifacts"]["S3ModelArtifacts"])
        assert jobs.invoke(clients, endpoint, data.rows(data.breast_cancer().test_features[:1]))


class TestRefusals:
    def test_a_port_that_is_taken(self, tmp_path):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            line, code = refusal("--data-dir", tmp_path / "data", "--listen", f"127.0.0.1:{port}")
            assert str(port) in line
            assert code == 1
        server = Server(tmp_path / "data").start()  # the directory took no harm
        server.dispose()

    def test_a_directory_in_use(self, start_server, clients_of, tmp_path):
        server = start_server()
        clients = clients_of(server)
        uri = clients.put("before", b"here")
        line, code = refusal("--data-dir", server.data_dir, "--listen", f"127.0.0.1:{free_port()}")
        assert "in use" in line or "already" in line
        assert str(server.pid) in line
        assert clients.get(uri) == b"here"
        assert server.exports()["AWS_ENDPOINT_URL"] == server.endpoint

    def test_a_directory_that_is_a_file(self, tmp_path):
        (tmp_path / "file").write_text("precious")
        line, _ = refusal("--data-dir", tmp_path / "file")
        assert str(tmp_path / "file") in line
        assert (tmp_path / "file").read_text() == "precious"

    def test_a_directory_that_cannot_be_written(self, small_disk, tmp_path):
        disk = small_disk(tmp_path / "readonly", "8m")
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        line, _ = refusal("--data-dir", disk / "data", "--listen", f"127.0.0.1:{free_port()}")
        assert str(disk) in line

    def test_a_directory_that_has_become_read_only_loses_nothing(self, small_disk, clients_of, tmp_path):
        disk = small_disk(tmp_path / "readonly", "64m")
        server = Server(disk / "data").start()
        uri = clients_of(server).put("before", b"here")
        server.stop()
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        line, code = refusal("--data-dir", disk / "data", "--listen", f"127.0.0.1:{free_port()}")
        assert (str(disk) in line, code) == (True, 1)
        assert "read-only" in line.lower()
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        server.start()
        assert clients_of(server).get(uri) == b"here"
        server.dispose()

    def test_a_directory_without_permission(self, tmp_path):
        if os.geteuid() == 0:
            pytest.skip("root may write anywhere")
        (tmp_path / "closed").mkdir(mode=0o500)
        line, _ = refusal("--data-dir", tmp_path / "closed" / "data")
        assert "closed" in line

    def test_a_disk_that_is_full(self, small_disk, tmp_path):
        disk = small_disk(tmp_path / "full", "1m")
        filler = disk / "filler"
        fill(filler)
        line, _ = refusal("--data-dir", disk / "data", "--listen", f"127.0.0.1:{free_port()}")
        assert "full" in line.lower() or "space" in line.lower()
        filler.unlink()

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("listen: [1, 2\n", "argosy.yaml:"),
            ("region: us-east-1\nlisten: nowhere\n", "argosy.yaml:2"),
            ("lissten: 127.0.0.1:0\n", "listen"),
            ("hosts-max: many\n", "hosts-max"),
            ("- a\n- b\n", "argosy.yaml:1"),
            ("region: \xff\n", "argosy.yaml"),
        ],
    )
    def test_a_broken_configuration(self, tmp_path, text, told):
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "argosy.yaml").write_bytes(text.encode("latin-1"))
        line, code = refusal("--data-dir", tmp_path / "data")
        assert code == 2
        assert told in line
        assert os.listdir(tmp_path / "data") == ["argosy.yaml"]

    def test_a_configuration_that_is_not_there(self, tmp_path):
        line, code = refusal("--data-dir", tmp_path / "data", "--config", tmp_path / "none.yaml")
        assert "none.yaml" in line and code == 2

    def test_credentials_that_cannot_be_read(self, tmp_path):
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "credentials").write_text("this is no credentials file\n")
        line, _ = refusal("--data-dir", tmp_path / "data", "--listen", f"127.0.0.1:{free_port()}")
        assert "credentials" in line
        assert (tmp_path / "data" / "credentials").read_text() == "this is no credentials file\n"

    def test_a_key_without_its_secret(self, tmp_path):
        line, _ = refusal("--data-dir", tmp_path / "data", env={"ARGOSY_ACCESS_KEY_ID": "AKIAGIVENBYOWNER0000"})
        assert "secret" in line


class TestOptions:
    def test_a_flag_beats_the_environment_beats_the_file(self, tmp_path):
        (tmp_path / "argosy.yaml").write_text("region: eu-west-1\nhosts-max: 5\nlog-level: error\n")

        def value(option, *flags, **env):
            told = run("config", *flags, data_dir=tmp_path, env={"COLUMNS": 400, **env})
            assert told.code == 0, told
            return next(line for line in told.out.splitlines() if re.match(rf"\s*{option}\b", line))

        assert "eu-west-1" in value("region") and "argosy.yaml" in value("region")
        assert "eu-north-1" in value("region", ARGOSY_REGION="eu-north-1")
        assert "us-west-2" in value("region", "--region", "us-west-2", ARGOSY_REGION="eu-north-1")
        assert "5" in value("hosts-max")
        assert "default" in value("event-loops")

    def test_the_region_is_that_of_arns(self, start_server, clients_of):
        clients = clients_of(start_server("--region", "eu-central-1"))
        assert clients.region == "eu-central-1"
        job = jobs.train(clients, clients.put("t.csv", data.breast_cancer().train_csv), hyperparameters={"epochs": "1"})
        assert ":eu-central-1:" in job["TrainingJobArn"]


class TestStopping:
    def test_sigterm_ends_it_in_order(self, start_server):
        server = start_server()
        idle = raw.Connection(server.address)
        half = raw.Connection(server.address).send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Le")
        assert server.stop() == 0
        assert idle.closed() and half.closed()
        assert server.argosy("status").code == 3
        server.start()

    def test_sigint_ends_it_too(self, start_server):
        server = start_server()
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(30) == 0

    def test_instances_outlive_down_and_end_with_down_all(self, start_server, clients_of):
        server = start_server()
        clients = clients_of(server)
        job = jobs.train(clients, clients.put("t.csv", data.breast_cancer().train_csv))
        endpoint = jobs.deploy(clients, job["ModelArtifacts"]["S3ModelArtifacts"])
        (instance,) = await_agents(server.data_dir, 1).values()
        assert server.argosy("down").code == 0
        server.process.wait(30)
        assert alive(instance["pid"])
        server.start()
        row = data.rows(data.breast_cancer().test_features[:1])
        assert jobs.invoke(clients, endpoint, row)
        assert [a["pid"] for a in agents(server.data_dir).values()] == [instance["pid"]]
        assert server.argosy("down", "--all").code == 0
        server.process.wait(30)
        wait_for(lambda: not alive(instance["pid"]), 30, "the instance to end")
        server.start()
        wait_for(lambda: agents(server.data_dir), 60, "the endpoint's instance to be started anew")

        def answers():
            try:
                return jobs.invoke(clients, endpoint, row)
            except ClientError:
                return False

        wait_for(answers, 60, "the endpoint to answer")


def fill(path):
    """All that is left on the disk of `path`."""
    with open(path, "wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            pass


class TestFullDisk:
    def test_what_was_acknowledged_stays_and_work_goes_on_once_there_is_room(
        self, small_disk, start_server, clients_of, tmp_path
    ):
        disk = small_disk(tmp_path / "small", "48m")
        server = start_server(data_dir=disk / "data")
        clients = clients_of(server)
        kept = {}
        part = os.urandom(4 << 20)
        refused = None
        for i in range(64):
            body = part[i:] + part[:i]
            try:
                kept[clients.put(f"fill/{i}", body)] = body
            except ClientError as full:
                refused = full.response
                break
        assert refused is not None, "64 objects of 4 MiB fitted on 48 MiB"
        assert refused["ResponseMetadata"]["HTTPStatusCode"] >= 500
        for uri, body in kept.items():
            assert clients.get(uri) == body
        # Removing makes room again, without a restart and after one, and works when not a byte is left.
        for i in range(3):
            fill(disk / f"filler-{i}")
            uri, _ = kept.popitem()
            clients.s3.delete_object(Bucket=clients.bucket, Key=uri.split("/", 3)[3])
            listed = clients.s3.list_objects_v2(Bucket=clients.bucket, Prefix="fill/")
            assert listed["KeyCount"] == len(kept)
        again = clients.put("again", b"fits")
        assert clients.get(again) == b"fits"
        server.kill()
        server.start()
        for uri, body in kept.items():
            assert clients.get(uri) == body
        job = jobs.train(clients, clients.put("t.csv", data.breast_cancer().train_csv))
        assert job["TrainingJobStatus"] == "Completed"
