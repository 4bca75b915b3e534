"""`argosy jobs, logs, endpoints, status, config`: what there is, as a table and as --json."""

import json
import re

from harness import jobs
from harness.cli import ENDLESS, ok
from harness.processes import wait_for
from harness.server import run


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

    def test_jobs_by_status(self, server, trained):
        def names(*words):
            return {j["TrainingJobName"] for j in json.loads(ok(server.argosy("jobs", "--json", *words)).out)}

        assert trained[0]["TrainingJobName"] in names("--status", "Completed", "--max", "100")
        assert trained[0]["TrainingJobName"] not in names("--status", "Failed", "--max", "100")
        assert len(names("--max", "1")) == 1

    def test_the_default_directory_follows_xdg(self, tmp_path):
        told = run("config", "--json", env={"XDG_DATA_HOME": tmp_path / "xdg", "HOME": tmp_path})
        assert str(tmp_path / "xdg" / "argosy") in told.out
        assert str(tmp_path / ".local/share/argosy") in run("config", "--json", env={"XDG_DATA_HOME": "", "HOME": tmp_path}).out

    def test_a_job_that_waits_is_seen_in_the_list(self, start_server, files):
        server = start_server("--hosts-max", "1")
        for name in ("runs", "waits"):
            ok(server.argosy("train", files / "digits.csv", "--name", name, "--no-wait", *ENDLESS))
        wait_for(lambda: "InProgress, Training" in server.argosy("jobs").out, 60, "the first job to train")
        assert re.search(r"waits +InProgress, (Pending|Starting)", ok(server.argosy("jobs")).out)


class TestJson:
    """--json gives the service's own answers, one a line where there may be many."""

    def test_logs_stop_and_delete(self, server, clients, files):
        name = jobs.unique("json")
        ok(server.argosy("train", files / "cancer.csv", "--name", name))
        lines = [json.loads(line) for line in ok(server.argosy("logs", name, "--json")).out.splitlines()]
        assert lines and all({"timestamp", "message"} <= set(line) for line in lines)
        long = jobs.unique("long")
        ok(server.argosy("train", files / "digits.csv", "--name", long, "--no-wait", *ENDLESS))
        assert json.loads(ok(server.argosy("stop", long, "--json")).out)["TrainingJobStatus"] == "Stopped"
        endpoint = jobs.unique("json")
        ok(server.argosy("deploy", name, "--name", endpoint))
        json.loads(ok(server.argosy("delete", endpoint, "--json")).out)
        assert endpoint not in jobs.endpoint_names(clients)
