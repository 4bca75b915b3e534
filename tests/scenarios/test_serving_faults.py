"""Instances that die or hang while requests come: what their clients see of it."""

import contextlib
import os
import random
import signal
import threading
import time
from pathlib import Path

import pytest

from harness import data, jobs, processes, programs
from harness.processes import agents, alive, await_agents, wait_for


@contextlib.contextmanager
def endpoint_of(clients, count):
    job = jobs.train(clients, clients.put("t.csv", data.breast_cancer().train_csv))
    name = jobs.deploy(clients, job["ModelArtifacts"]["S3ModelArtifacts"], count=count)
    yield name


class Load:
    """Threads that ask without a pause; what went wrong is kept."""

    def __init__(self, clients, endpoint, threads=4, row=None):
        self.row = row or data.rows(data.breast_cancer().test_features[:1])
        self.clients, self.endpoint = clients, endpoint
        self.answered, self.wrong = 0, []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(threads)]

    def _ask(self):
        while not self._stop.is_set():
            try:
                assert b"predictions" in jobs.invoke(self.clients, self.endpoint, self.row)
                self.answered += 1
            except Exception as e:
                self.wrong.append(e)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def goes_on(self, more=20):
        seen = self.answered
        wait_for(lambda: self.answered >= seen + more or self.wrong, 60, f"{more} more answers")


def serving_pids(server):
    return [a["pid"] for a in agents(server.data_dir).values()]


@pytest.fixture
def no_retries(monkeypatch):
    """A client that hides failures by asking again would show nothing."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")


def test_instances_killed_under_load_cost_no_answer(no_retries, start_server, clients_of):
    server = start_server()
    clients = clients_of(server)
    with endpoint_of(clients, 3) as name, Load(clients, name) as load:
        chance = random.Random(1)
        for _ in range(8):
            await_agents(server.data_dir, 3)
            victim = chance.choice(serving_pids(server))
            os.kill(victim, signal.SIGKILL)
            wait_for(lambda: victim not in serving_pids(server) and len(serving_pids(server)) == 3, 60, "a successor")
            load.goes_on()
    assert not load.wrong, load.wrong[0]


def test_requests_wait_for_the_only_instance_to_come_back(no_retries, start_server, clients_of):
    server = start_server()
    clients = clients_of(server)
    with endpoint_of(clients, 1) as name, Load(clients, name) as load:
        for _ in range(3):
            (victim,) = [a["pid"] for a in await_agents(server.data_dir, 1).values()]
            os.kill(victim, signal.SIGKILL)
            wait_for(lambda: victim not in serving_pids(server) and serving_pids(server), 60, "a successor")
            load.goes_on()
    assert not load.wrong, load.wrong[0]


def test_an_instance_that_hangs_is_replaced_and_its_requests_are_answered(no_retries, start_server, clients_of):
    server = start_server()
    clients = clients_of(server)
    with endpoint_of(clients, 2) as name, Load(clients, name) as load:
        victim = next(iter(serving_pids(server)))
        os.kill(victim, signal.SIGSTOP)
        try:
            # New requests go to the other one.
            time.sleep(4)
            load.goes_on()
            wait_for(lambda: not alive(victim), 60, "the instance that hangs to be ended")
        finally:
            if alive(victim):
                processes.kill(victim)
        await_agents(server.data_dir, 2)
        load.goes_on()
    assert not load.wrong, load.wrong[0]


SLOW_PROGRAM = f"""#!{programs.SERVER_ENVIRONMENT['ARGOSY_PYTHON']}
import http.server, os, time

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.answer(b"")
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(0.02)
        self.answer(b'{{"predictions": []}}')
    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Handler).serve_forever()
"""


def test_programs_killed_under_load_cost_no_answer(no_retries, start_server, clients_of):
    """The program alone dies, below its agent, while another instance is there."""
    server = start_server()
    clients = clients_of(server)
    model = programs.create_model(
        clients,
        programs.PROGRAM,
        {"serve": programs.executable(SLOW_PROGRAM)},
        {"ARGOSY_MAX_CONCURRENT_REQUESTS": "4"},
    )
    name = jobs.unique("own")
    config = jobs.create_config(clients, [jobs.variant(model, count=2)])
    clients.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
    assert jobs.await_endpoint(clients, name)["EndpointStatus"] == "InService"
    with Load(clients, name, threads=8, row=b"x") as load:
        for _ in range(4):
            await_agents(server.data_dir, 2)
            agent = next(iter(serving_pids(server)))
            wait_for(lambda: programs_of(agent), 60, "its program")
            load.goes_on()
            os.kill(programs_of(agent)[-1], signal.SIGKILL)
            wait_for(lambda: agent not in serving_pids(server) and len(serving_pids(server)) == 2, 60, "a successor")
            load.goes_on()
    assert not load.wrong, load.wrong[0]


def programs_of(agent):
    """The processes below an agent that run `serve`."""
    found = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in found if b"/serve\0" in command_of(pid) and agent in ancestors(pid)]


def command_of(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def ancestors(pid):
    found = []
    with contextlib.suppress(OSError):
        while pid > 1:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
            found.append(pid)
    return found
