"""`argosy stop` and Ctrl-C: what was begun goes on unless it is stopped by name."""

import json
import signal

import pytest

from harness import data, jobs, processes
from harness.cli import ENDLESS, ok
from harness.processes import wait_for
from harness.terminal import Terminal


class TestStop:
    def test_stop(self, server, files):
        name = jobs.unique("stopped")
        ok(server.argosy("train", files / "digits.csv", "--name", name, "--no-wait", *ENDLESS))
        assert "Stopped" in ok(server.argosy("stop", name)).out
        assert json.loads(ok(server.argosy("jobs", name, "--json")).out)["TrainingJobStatus"] == "Stopped"

    def test_a_job_stopped_before_it_began_left_nothing(self, start_server, files):
        server = start_server("--hosts-max", "1")
        ok(server.argosy("train", files / "digits.csv", "--name", "runs", "--no-wait", *ENDLESS))
        ok(server.argosy("train", files / "cancer.csv", "--name", "waits", "--no-wait"))
        assert "learnt" not in ok(server.argosy("stop", "waits")).out
        assert "artifact" not in ok(server.argosy("jobs", "waits")).out
        wait_for(lambda: "#progress_metric" in server.argosy("logs", "runs").out, 60, "an epoch of the job that runs")
        assert "learnt" in ok(server.argosy("stop", "runs")).out


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


class TestInterrupts:
    """Ctrl-C while waiting ends the waiting, not what was begun."""

    def test_following_logs(self, server, files):
        name = jobs.unique("followed")
        ok(server.argosy("train", files / "digits.csv", "--name", name, "--no-wait", *ENDLESS))
        with Terminal("logs", "-f", name, data_dir=server.data_dir) as terminal:
            terminal.await_text("#quality_metric")
            terminal.press(b"\x03")
            assert terminal.end() == 130, terminal.drawn
        assert json.loads(ok(server.argosy("jobs", name, "--json")).out)["TrainingJobStatus"] == "InProgress"
        ok(server.argosy("stop", name))

    def test_stopping(self, start_server, files):
        """A job whose agent does not get to its stopping: it hangs, as it would on a disk that does not answer."""
        server = start_server()
        ok(server.argosy("train", files / "digits.csv", "--name", "hangs", "--no-wait", *ENDLESS))
        wait_for(
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
        wait_for(
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
        ok(server.argosy("train", files / "digits.csv", "--name", name + "-2", "--no-wait", *ENDLESS))
        with Terminal("deploy", name, "--name", "waits", data_dir=server.data_dir) as terminal:
            terminal.await_text("Creating")
            terminal.press(b"\x03")
            assert terminal.end() == 130, terminal.drawn
        assert clients.sagemaker.describe_endpoint(EndpointName="waits")["EndpointStatus"] == "Creating"
