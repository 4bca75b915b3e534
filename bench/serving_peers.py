"""Other servers of the same models, each as a process of its own with the settings its users would choose for throughput.

A peer is a context manager with `name` and `port`; `request(row)` is one row as that server takes it, `score(answer)` what
it said. What is not installed is left out, and the notes say so. MLServer, BentoML and Ray do not agree on what they need:
each has a virtual environment of its own, .venv-peers/NAME (ARGOSY_PEERS_DIR), unless this interpreter has it.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import common

PEERS = Path(__file__).resolve().parent / "peers"
ENVIRONMENTS = Path(os.environ.get("ARGOSY_PEERS_DIR", common.REPOSITORY / ".venv-peers"))
SKLEARN = "nginx, gunicorn, Flask, pandas, scikit-learn"
START_SECONDS_MAX = 120  # Ray starts six processes before it answers
STOP_SECONDS_MAX = 30


def installed(*modules, python=sys.executable):
    code = "; ".join(f"import {m}" for m in modules)
    return subprocess.run([python, "-c", code], capture_output=True).returncode == 0


def interpreter(name, *modules):
    """The Python that has a peer's modules, or None."""
    for python in (str(ENVIRONMENTS / name / "bin" / "python"), sys.executable):
        if Path(python).exists() and installed(*modules, python=python):
            return python
    return None


def plain(path, body, content_type="text/csv"):
    """A request that nobody signed."""
    lines = f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Type: {content_type}", f"Content-Length: {len(body)}"
    return "\r\n".join([*lines, "", ""]).encode() + body


def score(answer):
    """Of an answer as linear-learner and the peers give it, or a bare number."""
    told = json.loads(answer)
    return told["predictions"][0]["score"] if isinstance(told, dict) else told


class Program:
    """A server that is told its port on the command line (PORT) and answers GET `ready` when it serves."""

    def __init__(self, name, command, environment=None, ready="/ping"):
        self.name, self.command, self.ready = name, command, ready
        self.environment = {"PYTHONPATH": str(PEERS), **(environment or {})}

    def prepare(self):
        """What is to be there before the program starts; `port` is known."""

    def request(self, row):
        return plain("/invocations", row)

    def score(self, answer):
        return score(answer)

    def start(self, command):
        return subprocess.Popen(
            [str(word).replace("PORT", str(self.port)) for word in command],
            cwd=PEERS,
            env={**common.clean_environment(), "PYTHONDONTWRITEBYTECODE": "1", **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def __enter__(self):
        self.port = common.free_port()
        self.prepare()
        self.processes = [self.start(self.command)]
        try:
            self.await_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def await_ready(self):
        def answered():
            if self.processes[0].poll() is not None:
                raise SystemExit(f"{self.name} ended with {self.processes[0].returncode} before it served")
            request = f"GET {self.ready} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
            try:
                return common.ask(self.port, request)[0] == 200
            except OSError:
                return False

        common.poll(answered, f"{self.name} to serve", START_SECONDS_MAX, every=0.1)

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                pass
            try:
                os.killpg(process.pid, signal.SIGKILL)  # its workers, should it have left some
            except ProcessLookupError:
                pass
            process.wait()


class BehindNginx(Program):
    """gunicorn on a Unix socket (SOCKET) with nginx in front, as SageMaker's own images have it."""

    def __init__(self, folder, name, command, environment):
        super().__init__(name, None, environment)
        self.folder, self.app = Path(folder), command

    def prepare(self):
        home = self.folder / f"nginx-{self.port}"
        home.mkdir()
        self.command = ["nginx", "-c", home / "nginx.conf", "-p", home]
        user = "user root;" if os.geteuid() == 0 else ""  # nobody could not reach the socket
        self.behind = [str(word).replace("SOCKET", str(home / "app")) for word in self.app]
        (home / "nginx.conf").write_text(
            f"""{user} daemon off; worker_processes 1; worker_rlimit_nofile 20000; pid {home}/pid;
error_log {home}/error.log;
events {{ worker_connections 10000; }}
http {{ access_log off; keepalive_requests 1000000000; client_body_temp_path {home}/body; proxy_temp_path {home}/proxy;
  upstream app {{ server unix:{home}/app; keepalive 64; }}
  server {{ listen 127.0.0.1:{self.port} backlog=4096;
    location / {{ proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; }} }} }}
"""
        )

    def await_ready(self):
        self.processes.append(self.start(self.behind))
        super().await_ready()


class Axum(Program):
    """peers/axum_app: the linear model in Rust, one process. It takes the requests that are signed for Argosy."""

    name = "axum"
    source = PEERS / "axum_app"
    target = common.REPOSITORY / "build" / "axum_app"

    def __init__(self, folder, artifact):
        self.unpacked = Path(folder) / "axum"
        super().__init__(self.name, [self.target / "release" / "axum_app", self.unpacked, "PORT"])
        with tarfile.open(artifact) as packed:
            packed.extractall(self.unpacked, filter="data")

    @classmethod
    def build(cls):
        """None, or why it is not there."""
        if shutil.which("cargo") is None:
            return "axum is left out: cargo is not installed"
        command = ["cargo", "build", "--release", "--locked", "--target-dir", cls.target]
        done = subprocess.run(command, cwd=cls.source, capture_output=True, text=True)
        if done.returncode != 0:
            return f"axum is left out: cargo build: {(done.stderr.strip() or 'failed').splitlines()[-1]}"
        return None

    def await_ready(self):
        common.poll(lambda: common.answers(self.port), self.name, START_SECONDS_MAX)


class Mlserver(Program):
    """`mlserver start` on a folder that holds the model's settings; the model in the server's own process."""

    def __init__(self, folder, python, model, environment=None, name="MLServer"):
        self.folder, self.model = Path(folder) / f"mlserver-{model['name']}", model
        super().__init__(
            name, [python, "-m", "mlserver.cli.main", "start", self.folder], environment, ready="/v2/health/ready"
        )

    def prepare(self):
        self.folder.mkdir()
        settings = {
            "http_port": self.port,
            "grpc_port": common.free_port(),
            "metrics_port": common.free_port(),
            "parallel_workers": 0,  # more processes cost more than they give where a prediction is this short
            "gzip_enabled": False,
            "debug": False,
        }
        (self.folder / "settings.json").write_text(json.dumps(settings))
        (self.folder / "model-settings.json").write_text(json.dumps(self.model))


class MlserverXgboost(Mlserver):
    """MLServer's own runtime for XGBoost, asked by the V2 protocol: the client has turned the row into numbers."""

    def __init__(self, folder, python, artifact, features):
        self.features, model_file = features, Path(folder) / "model.json"
        with tarfile.open(artifact) as packed:
            (member,) = [m for m in packed.getmembers() if m.name.endswith("xgboost-model")]
            model_file.write_bytes(packed.extractfile(member).read())
        model = {
            "name": "boosted",
            "implementation": "mlserver_xgboost.XGBoostModel",
            "parameters": {"uri": str(model_file)},
        }
        super().__init__(folder, python, model, {"OMP_NUM_THREADS": "1"}, "MLServer's XGBoost runtime")

    def request(self, row):
        data = [None if x != x else float(x) for x in self.features(row.decode())[0]]
        body = {"inputs": [{"name": "row", "shape": [1, len(data)], "datatype": "FP32", "data": data}]}
        return plain("/v2/models/boosted/infer", json.dumps(body).encode(), "application/json")

    def score(self, answer):
        return json.loads(answer)["outputs"][0]["data"][-1]


class Bentoml(Program):
    """`bentoml serve`; its API takes JSON."""

    def __init__(self, folder, python, environment):
        home = {"BENTOML_HOME": str(Path(folder) / "bentoml"), "BENTOML_DO_NOT_TRACK": "True"}
        command = [python, "-m", "bentoml", "serve", "bentoml_app:RowModel", "--host", "127.0.0.1", "--port", "PORT"]
        super().__init__("BentoML", command, {**environment, **home}, ready="/readyz")

    def request(self, row):
        return plain("/invocations", json.dumps({"row": row.decode()}).encode(), "application/json")


class RayServe(Program):
    """Ray Serve with its switches for throughput: HAProxy before the replicas, many times as fast as its own proxy."""

    def __init__(self, python, environment):
        super().__init__("Ray Serve", [python, "ray_app.py", "PORT"], environment, ready="/-/healthz")

    def prepare(self):
        self.home = Path(tempfile.mkdtemp(prefix="ray-"))  # short: the paths of its sockets are bounded
        self.environment |= {
            "RAY_TMPDIR": str(self.home),
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
            "RAY_SERVE_ENABLE_HA_PROXY": "1",
            "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(self.home / "haproxy.cfg"),
            "RAY_SERVE_HAPROXY_SOCKET_PATH": str(self.home / "haproxy.sock"),
            "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": str(self.home / "metrics.sock"),
            "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(self.home),
            "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(self.home / "server-state"),
        }

    def __exit__(self, *_):
        super().__exit__()
        shutil.rmtree(self.home, ignore_errors=True)


def uvicorn(app, workers=1):
    words = ["--port", "PORT", "--no-access-log", "--log-level", "error", "--workers", str(workers)]
    return [sys.executable, "-m", "uvicorn", f"{app}:app", *words]


def gunicorn(app, bind="127.0.0.1:PORT", *more):
    return [sys.executable, "-m", "gunicorn", "-w", "2", "-b", bind, *more, f"{app}:app"]


def row_model_stacks(folder, environment, notes, modules=()):
    """The servers that hold the model of peers/row_model.py in this interpreter."""
    if installed("fastapi", "uvicorn", *modules):
        for workers in (1, 2):
            yield Program(f"FastAPI, workers: {workers}", uvicorn("fastapi_app", workers), environment)
    else:
        notes.append(f"FastAPI is left out: {' or '.join(['it', *modules])} is not installed")
    if installed("flask", "gunicorn", *modules) and common.Nginx.installed():
        command = gunicorn("flask_app", "unix:SOCKET")
        yield BehindNginx(folder, "nginx, gunicorn, Flask", command, environment)
    else:
        notes.append(f"SageMaker's stack is left out: {', '.join(['Flask', 'gunicorn', *modules])} or nginx is missing")


def linear_stacks(folder, artifact, pipeline, notes):
    """`pipeline` makes a scikit-learn model at the path it is given."""
    environment = {"LINEAR_ARTIFACT": str(artifact)}
    yield from row_model_stacks(folder, environment, notes)
    if installed("flask", "gunicorn", "sklearn", "pandas") and common.Nginx.installed():
        path = Path(folder) / "pipeline.joblib"
        pipeline(path)
        command = gunicorn("flask_app", "unix:SOCKET")
        yield BehindNginx(folder, SKLEARN, command, {"SKLEARN_MODEL": str(path)})
    if python := interpreter("mlserver", "mlserver"):
        model = {"name": "linear", "implementation": "mlserver_app.RowModel"}
        yield Mlserver(folder, python, model, environment)
    else:
        notes.append("MLServer is not installed")
    if python := interpreter("bentoml", "bentoml"):
        yield Bentoml(folder, python, environment)
    else:
        notes.append("BentoML is not installed")
    if python := interpreter("ray", "ray.serve"):
        yield RayServe(python, environment)
    else:
        notes.append("Ray Serve is not installed")


def boosted_stacks(folder, artifact, notes):
    environment = {"BOOSTED_ARTIFACT": str(artifact), "OMP_NUM_THREADS": "1"}
    yield from row_model_stacks(folder, environment, notes, ("xgboost",))
    if not installed("xgboost"):
        return
    if python := interpreter("mlserver", "mlserver_xgboost", "xgboost"):
        sys.path.insert(0, str(PEERS))
        from boosted_row import BoostedRow

        yield MlserverXgboost(folder, python, artifact, BoostedRow(artifact).features)
    else:
        notes.append("MLServer's XGBoost runtime is not installed")
